//! Graph's calendars and events: what it stores, what it refuses, how it is found again.

use reqwest::Method;
use sandbox::Options;
use serde_json::{Value, json};

use crate::outlook::{Graph, MARK, SCOPE, V1, escaped, event_path, hour, marked, query, text, wall};
use crate::world::Call;

#[tokio::test]
async fn calendars_are_listed_in_pages_made_renamed_and_deleted() {
    let graph = Graph::lived_in().await;
    let made = graph.post("/me/calendars", json!({"name": "Bookiji"})).await;
    assert_eq!(made.status, 201);
    let (mut seen, mut path) = (Vec::new(), "/me/calendars?$top=2".to_owned());
    loop {
        let page = graph.get(&path).await.ok();
        seen.extend(page["value"].as_array().unwrap().clone());
        let Some(next) = page["@odata.nextLink"].as_str() else { break };
        path = next.to_owned();
    }
    let names: Vec<&str> = seen.iter().map(|one| text(one, "name")).collect();
    assert_eq!(names, ["Calendar", "Canada holidays", "Bookiji"]);
    let flags = |name: &str| seen.iter().map(|one| one[name].as_bool().unwrap()).collect::<Vec<_>>();
    assert_eq!(flags("isDefaultCalendar"), [true, false, false]);
    assert_eq!(flags("canEdit"), [true, false, true]);
    assert_eq!(seen[2]["owner"]["address"], "amelie@studiolumiere.example");
    let id = text(&made.body, "id");
    let path = format!("/me/calendars/{}", escaped(id));
    assert_eq!(graph.get(&path).await.ok()["name"], "Bookiji");
    let renamed = graph.call(Method::PATCH, &path, &[], Some(json!({"name": "Ours"}))).await.ok();
    assert_eq!(renamed["name"], "Ours");
    graph.post("/me/calendars", json!({"name": "Ours"})).await.denied(409, "ErrorFolderExists");
    assert_eq!(graph.call(Method::DELETE, &path, &[], None).await.status, 204);
    graph.get(&path).await.denied(404, "ErrorItemNotFound");
    graph.call(Method::DELETE, "/me/calendar", &[], None).await.denied(400, "ErrorDeleteDistinguishedFolder");
    graph.get("/me/calendars/nonsense").await.denied(400, "ErrorInvalidIdMalformed");
    let holidays = format!("/me/calendars/{}/events", escaped(text(&seen[1], "id")));
    graph.post(&holidays, hour(json!({}))).await.denied(403, "ErrorAccessDenied");
}

#[tokio::test]
async fn an_event_is_told_as_it_was_stored_and_changes_one_field_at_a_time() {
    let graph = Graph::new().await;
    let made = graph
        .make(hour(json!({"body": {"contentType": "text", "content": "a < b"}, "isReminderOn": false})))
        .await;
    assert_eq!(made["start"], json!({"dateTime": "2026-12-01T10:00:00.0000000", "timeZone": "UTC"}));
    assert_eq!(
        (&made["type"], &made["showAs"], &made["isReminderOn"]),
        (&json!("singleInstance"), &json!("busy"), &json!(false))
    );
    assert_eq!(made["@odata.etag"], format!("W/\"{}\"", text(&made, "changeKey")));
    // Text is kept as a page, and comes back as text only when that is asked for.
    assert!(text(&made["body"], "content").contains("a &lt; b") && made["body"]["contentType"] == "html");
    let plain = graph
        .call(
            Method::GET,
            &event_path(text(&made, "id")),
            &[("prefer", "outlook.body-content-type=\"text\"")],
            None,
        )
        .await
        .ok();
    assert_eq!(plain["body"], json!({"contentType": "text", "content": "a < b"}));
    let changed = graph.patch(text(&made, "id"), json!({"subject": "Booking: Colour"})).await.ok();
    assert_eq!((&changed["subject"], &changed["start"]), (&json!("Booking: Colour"), &made["start"]));
    assert_ne!(changed["changeKey"], made["changeKey"]);
    assert_eq!(graph.delete(text(&made, "id")).await.status, 204);
    graph.get(&event_path(text(&made, "id"))).await.denied(404, "ErrorItemNotFound");
    graph.delete(text(&made, "id")).await.denied(404, "ErrorItemNotFound");
}

#[tokio::test]
async fn what_graph_refuses_is_refused() {
    let graph = Graph::new().await;
    let check = async |more: Value, code: &str| graph.post("/me/events", hour(more)).await.denied(400, code);
    check(json!({"summary": "x"}), "RequestBodyRead").await;
    check(json!({"showAs": "occupied"}), "RequestBodyRead").await;
    check(json!({"end": wall("2026-12-01T09:00:00")}), "ErrorPropertyValidationFailure").await;
    check(
        json!({"start": {"dateTime": "2026-12-01T10:00:00-05:00", "timeZone": "UTC"}}),
        "ErrorInvalidRequest",
    )
    .await;
    check(
        json!({"start": {"dateTime": "2026-12-01T10:00:00", "timeZone": "America/Toronto"}}),
        "TimeZoneNotSupportedException",
    )
    .await;
    check(json!({"isAllDay": true}), "ErrorPropertyValidationFailure").await;
    check(
        json!({"singleValueExtendedProperties": [{"id": "bookiji", "value": "1"}]}),
        "ErrorInvalidExtendedProperty",
    )
    .await;
    let weekly = |pattern: Value, start: &str| json!({"recurrence": {"pattern": pattern, "range": {"type": "noEnd", "startDate": start}}});
    let tuesday = json!({"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]});
    check(weekly(tuesday, "2026-12-02"), "ErrorPropertyValidationFailure").await;
    check(
        weekly(json!({"type": "weekly", "interval": 1, "daysOfWeek": ["TU"]}), "2026-12-01"),
        "RequestBodyRead",
    )
    .await;
    let days = |start: &str, end: &str, zone: &str| json!({"isAllDay": true, "start": {"dateTime": start, "timeZone": "UTC"}, "end": {"dateTime": end, "timeZone": zone}});
    check(days("2026-12-01T00:00:00", "2026-12-01T00:00:00", "UTC"), "ErrorPropertyValidationFailure").await;
    check(
        days("2026-12-01T00:00:00", "2026-12-02T00:00:00", "Eastern Standard Time"),
        "ErrorPropertyValidationFailure",
    )
    .await;
    graph.make(hour(days("2026-12-01T00:00:00", "2026-12-02T00:00:00", "UTC"))).await;
    graph.get("/me/nonsense").await.denied(400, "BadRequest");
    graph.get("/me/events/nonsense").await.denied(400, "ErrorInvalidIdMalformed");
}

#[tokio::test]
async fn a_mark_finds_its_event_and_shows_only_when_asked_for() {
    let graph = Graph::new().await;
    let made = graph.make(marked("booking-1")).await;
    graph.make(marked("booking-2")).await;
    let other = graph.post("/me/calendars", json!({"name": "Bookiji"})).await.ok();
    let inside = format!("/me/calendars/{}/events", escaped(text(&other, "id")));
    graph.post(&inside, marked("booking-3")).await.ok();
    let filter = |value: &str| {
        format!("singleValueExtendedProperties/Any(ep: ep/id eq '{MARK}' and ep/value eq '{value}')")
    };
    let find = async |path: &str, filter: &str, expand: bool| {
        let expansion = format!("singleValueExtendedProperties($filter=id eq '{MARK}')");
        let mut pairs = vec![("$filter", filter)];
        if expand {
            pairs.push(("$expand", &expansion));
        }
        graph.get(&format!("{path}?{}", query(&pairs))).await.ok()["value"].as_array().unwrap().clone()
    };
    let found = find("/me/events", &filter("BOOKING-1"), false).await;
    assert_eq!((found.len(), &found[0]["id"]), (1, &made["id"]), "values are found in any case");
    assert!(found[0].get("singleValueExtendedProperties").is_none());
    let found = find("/me/events", &filter("booking-1"), true).await;
    assert_eq!(found[0]["singleValueExtendedProperties"], json!([{"id": MARK, "value": "booking-1"}]));
    let wrong_case = filter("booking-1").replace("bookijiBooking", "BookijiBooking");
    assert!(find("/me/events", &wrong_case, false).await.is_empty(), "names are not");
    assert_eq!(
        find("/me/events", &filter("booking-3"), false).await.len(),
        1,
        "the whole mailbox is searched"
    );
    assert_eq!(find(&inside, &filter("booking-1"), false).await.len(), 0);
    let any = format!(
        "singleValueExtendedProperties/Any(ep: ep/id eq '{MARK}' and startswith(ep/value,'booking'))"
    );
    assert_eq!(find("/me/events", &any, false).await.len(), 3);
    graph.get("/me/events?$expand=singleValueExtendedProperties").await.denied(400, "ErrorInvalidRequest");
    graph.get("/me/events?$filter=transactionId eq 'x'").await.denied(400, "ErrorInvalidUrlQueryFilter");
    // A patch keeps the mark, and a later one may change it.
    graph.patch(text(&made, "id"), json!({"subject": "x"})).await.ok();
    assert_eq!(find("/me/events", &filter("booking-1"), false).await.len(), 1);
    graph.world.fault(json!({"service": "outlook", "kind": "drops_marker", "times": 1})).await;
    graph.make(marked("booking-4")).await;
    assert!(find("/me/events", &filter("booking-4"), false).await.is_empty());
}

#[tokio::test]
async fn a_repeated_transaction_is_refused_in_two_forms() {
    let graph = Graph::new().await;
    let body = hour(json!({"transactionId": "t-1"}));
    let made = graph.make(body.clone()).await;
    assert_eq!(made["transactionId"], "t-1");
    let conflict = graph.post("/me/events", body.clone()).await;
    assert_eq!(conflict.body["error"]["@event.existingEventId"], made["id"]);
    conflict.denied(409, "ErrorDuplicateTransactionId");
    let bad = graph.post("/me/events", body.clone()).await;
    assert!(bad.body["error"].get("@event.existingEventId").is_none());
    bad.denied(400, "ErrorDuplicateTransactionId");
    graph.delete(text(&made, "id")).await.ok();
    graph.make(body).await;
    assert!(graph.make(hour(json!({}))).await.get("transactionId").is_none());
}

#[tokio::test]
async fn a_stale_tag_stops_every_write() {
    let graph = Graph::new().await;
    let made = graph.make(hour(json!({}))).await;
    let path = event_path(text(&made, "id"));
    let old = text(&made, "@odata.etag");
    let write = async |method: Method, tag: &str| {
        let body = (method == Method::PATCH).then(|| json!({"subject": "y"}));
        graph.call(method, &path, &[("if-match", tag)], body).await
    };
    let fresh = write(Method::PATCH, old).await.ok();
    write(Method::PATCH, old).await.denied(412, "ErrorIrresolvableConflict");
    write(Method::DELETE, old).await.denied(412, "ErrorIrresolvableConflict");
    graph.world.fault(json!({"service": "outlook", "kind": "ignores_precondition", "times": 1})).await;
    write(Method::PATCH, old).await.ok();
    write(Method::DELETE, text(&fresh, "@odata.etag")).await.denied(412, "ErrorIrresolvableConflict");
    assert_eq!(write(Method::DELETE, "*").await.status, 204);
}

#[tokio::test]
async fn an_immutable_id_survives_a_move_and_a_regular_one_does_not() {
    let graph = Graph::new().await;
    let made = graph.make(hour(json!({}))).await;
    let regular = text(&made, "id");
    let immutable = async |path: String| {
        graph.call(Method::GET, &path, &[("prefer", "IdType=\"ImmutableId\"")], None).await
    };
    let same = immutable(event_path(regular)).await.ok()["id"].clone();
    assert_ne!(same, made["id"]);
    let other = graph.post("/me/calendars", json!({"name": "Other"})).await.ok();
    let (_, link) =
        graph.round("/me/calendarView/delta?startDateTime=2026-11-01&endDateTime=2027-01-01", &[]).await;
    graph.edit(json!({"do": "move_to_calendar", "event": regular, "to": other["id"]})).await;
    graph.get(&event_path(regular)).await.denied(404, "ErrorItemNotFound");
    let moved = immutable(event_path(same.as_str().unwrap())).await.ok();
    assert_eq!((&moved["id"], &moved["iCalUId"]), (&same, &made["iCalUId"]));
    let (told, _) = graph.round(&link, &[("prefer", "IdType=\"ImmutableId\"")]).await;
    assert_eq!((&told[0]["id"], &told[0]["@removed"]["reason"]), (&same, &json!("deleted")));
    let translated = graph
        .post(
            "/me/translateExchangeIds",
            json!({"inputIds": [same], "sourceIdType": "restImmutableEntryId", "targetIdType": "restId"}),
        )
        .await
        .ok();
    let now = text(&translated["value"][0], "targetId");
    assert_ne!(now, regular);
    graph.get(&event_path(now)).await.ok();
}

#[tokio::test]
async fn ids_need_escaping_and_mind_their_case() {
    let graph = Graph::new().await;
    let (mut slashed, mut flipped) = (false, false);
    for _ in 0..30 {
        let made = graph.make(hour(json!({}))).await;
        let id = text(&made, "id");
        graph.get(&event_path(id)).await.ok();
        slashed |= id.contains(['/', '+']);
        let swapped: String = id
            .chars()
            .map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
            .collect();
        flipped |= graph.get(&event_path(&swapped)).await.status >= 400;
    }
    assert!(slashed && flipped);
}

#[tokio::test]
async fn a_series_keeps_its_hour_over_a_change_of_clocks_and_its_exceptions_between_their_neighbours() {
    let graph = Graph::new().await;
    let zone = |text: &str| json!({"dateTime": text, "timeZone": "Eastern Standard Time"});
    let master = graph.make(json!({"subject": "Yoga", "start": zone("2027-03-02T19:00:00"), "end": zone("2027-03-02T20:00:00"),
        "recurrence": {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]},
            "range": {"type": "numbered", "startDate": "2027-03-02", "numberOfOccurrences": 4}}})).await;
    assert_eq!(
        (&master["type"], &master["recurrence"]["range"]["recurrenceTimeZone"]),
        (&json!("seriesMaster"), &json!("Eastern Standard Time"))
    );
    let instances = format!(
        "{}/instances?startDateTime=2027-03-01T00:00:00Z&endDateTime=2027-04-01T00:00:00Z",
        event_path(text(&master, "id"))
    );
    let all = graph.get(&instances).await.ok()["value"].as_array().unwrap().clone();
    let starts: Vec<&str> = all.iter().map(|one| &text(&one["start"], "dateTime")[..16]).collect();
    assert_eq!(starts, ["2027-03-03T00:00", "2027-03-10T00:00", "2027-03-16T23:00", "2027-03-23T23:00"]);
    let second = text(&all[1], "id");
    let to = |day: &str| json!({"start": zone(&format!("{day}T08:00:00")), "end": zone(&format!("{day}T09:00:00"))});
    graph.patch(second, to("2027-03-16")).await.denied(400, "ErrorOccurrenceCrossingBoundary");
    graph.patch(second, to("2027-03-02")).await.denied(400, "ErrorOccurrenceCrossingBoundary");
    assert_eq!(graph.patch(second, to("2027-03-10")).await.ok()["type"], "exception");
    graph.delete(text(&all[2], "id")).await.ok();
    let select = format!(
        "{}?$select=cancelledOccurrences,exceptionOccurrences&$expand=exceptionOccurrences",
        event_path(text(&master, "id"))
    );
    let told = graph.get(&select).await.ok();
    assert!(told["cancelledOccurrences"][0].as_str().unwrap().ends_with(".2027-03-16"), "{told}");
    assert_eq!(told["exceptionOccurrences"][0]["id"], all[1]["id"]);
    let listed = graph.get("/me/events").await.ok();
    assert_eq!(listed["value"].as_array().unwrap().len(), 1, "a list has the master and no occurrence");
}

#[tokio::test]
async fn free_and_busy_is_one_digit_for_each_interval_and_not_for_personal_accounts() {
    let graph = Graph::new().await;
    graph.make(hour(json!({"showAs": "oof"}))).await;
    graph.make(hour(json!({"start": wall("2026-12-01T12:00:00"), "end": wall("2026-12-01T12:30:00"), "showAs": "tentative"}))).await;
    let ask = json!({"schedules": ["amelie@studiolumiere.example", "nobody@example.com"],
        "startTime": wall("2026-12-01T09:00:00"), "endTime": wall("2026-12-01T13:00:00"), "availabilityViewInterval": 60});
    let told = graph.post("/me/calendar/getSchedule", ask.clone()).await.ok();
    assert_eq!(told["value"][0]["availabilityView"], "0301");
    assert_eq!(told["value"][1]["error"]["responseCode"], "ErrorMailRecipientNotFound");
    graph.edit(json!({"do": "add_account", "email": "a@outlook.example", "personal": true})).await;
    let answer = graph.world.ask_tenant("consumers", &[]).await;
    let code = crate::world::parameter(&answer, "code").unwrap();
    let token =
        graph.world.redeem(&[("code", &code)]).await.ok()["access_token"].as_str().unwrap().to_owned();
    let own = Graph { token, ..graph };
    own.post("/me/calendar/getSchedule", ask).await.denied(400, "ErrorInvalidRequest");
}

#[tokio::test]
async fn a_token_opens_what_it_was_granted_for() {
    let graph = Graph::new().await;
    let world = &graph.world;
    let path = format!("{V1}/me/events");
    let reader = world.microsoft("Calendars.Read").await;
    world.get(&path, &reader).await.ok();
    world
        .call(Method::POST, &path, Call::by(&reader).body(hour(json!({}))))
        .await
        .denied(403, "ErrorAccessDenied");
    world.get(&format!("{V1}/me"), &reader).await.denied(403, "ErrorAccessDenied");
    world.get(&path, "invented").await.denied(401, "InvalidAuthenticationToken");
    world.call(Method::GET, &path, Call::default()).await.denied(401, "InvalidAuthenticationToken");
    world.advance(3700).await;
    world.get(&path, &reader).await.denied(401, "InvalidAuthenticationToken");
}

#[tokio::test]
async fn a_batch_answers_each_request_by_itself() {
    let graph = Graph::new().await;
    let post = |id: &str, body: Value| json!({"id": id, "method": "POST", "url": "/me/events", "headers": {"Content-Type": "application/json"}, "body": body});
    let batch = async |requests: Value| graph.post("/$batch", json!({"requests": requests})).await;
    let told = batch(json!([
        post("1", hour(json!({}))),
        post("2", hour(json!({"summary": "x"}))),
        {"id": "3", "method": "GET", "url": "/me/calendars", "dependsOn": ["2"]},
        {"id": "4", "method": "GET", "url": "me/calendars?$top=1", "dependsOn": ["1"]},
    ]))
    .await
    .ok();
    let status = |id: &str| {
        told["responses"].as_array().unwrap().iter().find(|one| one["id"] == id).unwrap()["status"].clone()
    };
    assert_eq!(["1", "2", "3", "4"].map(status), [json!(201), json!(400), json!(424), json!(200)]);
    graph.world.fault(json!({"service": "outlook", "route": "POST /v1.0/me/events", "kind": "rate_limited", "times": 1})).await;
    let told = batch(json!([post("a", hour(json!({}))), post("b", hour(json!({})))])).await.ok();
    let first = &told["responses"][0];
    assert_eq!((&first["status"], &first["headers"]["Retry-After"]), (&json!(429), &json!("2")));
    assert_eq!(told["responses"][1]["status"], 201);
    graph
        .world
        .fault(json!({"service": "outlook", "route": "/v1.0/me/events", "kind": "reply_lost", "times": 1}))
        .await;
    let lost = batch(json!([post("a", hour(json!({"transactionId": "t"})))])).await.ok();
    assert_eq!(lost["responses"][0]["status"], 504);
    let again = batch(json!([post("a", hour(json!({"transactionId": "t"})))])).await.ok();
    assert_eq!(
        again["responses"][0]["body"]["error"]["code"], "ErrorDuplicateTransactionId",
        "it was done all the same"
    );
    let many: Vec<Value> = (0..21).map(|n| post(&n.to_string(), hour(json!({})))).collect();
    batch(json!(many)).await.denied(400, "BadRequest");
    batch(json!([post("a", hour(json!({}))), post("a", hour(json!({})))])).await.denied(400, "BadRequest");
    batch(json!([{"id": "a", "method": "POST", "url": "/me/events", "body": {}}]))
        .await
        .denied(400, "BadRequest");
    batch(json!([{"id": "a", "method": "GET", "url": "/me/events", "dependsOn": ["b"]}]))
        .await
        .denied(400, "BadRequest");
    let usage = graph.world.requests().await["outlook"].clone();
    assert_eq!(usage["routes"]["POST /v1.0/$batch"], 8, "{usage}");
    assert_eq!(usage["batched"]["POST /v1.0/me/events"], 6, "{usage}");
}

#[tokio::test]
async fn a_fifth_request_at_a_time_is_one_too_many() {
    let graph = Graph::new().await;
    graph.world.fault(json!({"service": "outlook", "kind": "slow:300", "times": 4})).await;
    let calls = (0..6).map(|_| graph.get("/me/calendars"));
    let answers = futures_all(calls).await;
    let (fine, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((fine.len(), refused.len()), (4, 2));
    for answer in refused {
        assert_eq!(answer.headers["retry-after"], "2");
        answer.denied(429, "ApplicationThrottled");
    }
    assert_eq!(graph.get("/me/calendars").await.status, 200);
}

async fn futures_all<F: Future>(calls: impl Iterator<Item = F>) -> Vec<F::Output> {
    futures_util::future::join_all(calls).await
}

#[tokio::test]
async fn every_answer_can_be_found_again_by_its_request() {
    let graph = Graph::new().await;
    let answer = graph.call(Method::GET, "/me/calendars", &[("client-request-id", "mine")], None).await;
    assert!(answer.headers["request-id"].len() == 36 && answer.headers["client-request-id"] == "mine");
    graph.world.fault(json!({"service": "outlook", "kind": "status:503", "times": 1})).await;
    graph.get("/me/calendars").await.denied(503, "ErrorServerBusy");
}

#[tokio::test]
async fn every_fault_bends_outlook_too() {
    let graph = Graph::new().await;
    graph.make(hour(json!({}))).await;
    let fault =
        async |kind: &str| graph.world.fault(json!({"service": "outlook", "kind": kind, "times": 1})).await;
    fault("calendar_gone").await;
    graph.get("/me/calendar/events").await.denied(404, "ErrorItemNotFound");
    fault("empty_listing").await;
    assert_eq!(graph.get("/me/events").await.ok()["value"], json!([]));
    fault("rate_limited").await;
    let slow_down = graph.get("/me/events").await;
    assert_eq!(slow_down.headers["retry-after"], "2");
    slow_down.denied(429, "ApplicationThrottled");
    fault("html").await;
    assert!(graph.get("/me/events").await.text.starts_with("<!doctype html>"));
    fault("status:410:resyncRequired").await;
    graph.get("/me/events").await.denied(410, "resyncRequired");
    for kind in ["reset", "truncated", "reply_lost"] {
        fault(kind).await;
        let call = Call::by(&graph.token);
        assert!(graph.world.try_call(Method::GET, &format!("{V1}/me/events"), call).await.is_err(), "{kind}");
    }
    fault("token_revoked").await;
    graph.get("/me/events").await.denied(401, "InvalidAuthenticationToken");
}

#[tokio::test]
async fn the_vendor_moves_copies_and_deletes_by_hand_and_the_state_shows_it() {
    let graph = Graph::new().await;
    let state = graph.world.state().await;
    let booking = state["bookings"][0]["id"].as_str().unwrap().to_owned();
    let made = graph.make(marked(&booking)).await;
    let of = async || {
        let state = graph.world.state().await;
        let calendars = state["calendars"].as_array().unwrap().clone();
        let own =
            calendars.into_iter().find(|one| one["service"] == "outlook" && one["primary"] == true).unwrap();
        own["events"].as_array().unwrap().clone()
    };
    assert_eq!(of().await[0]["booking_id"], booking);
    let moved = graph.edit(json!({"do": "move_event", "booking": booking, "by_minutes": 30})).await;
    assert_eq!(moved["event"]["start"], "2026-12-01T10:30:00Z");
    assert_ne!(graph.get(&event_path(text(&made, "id"))).await.ok()["changeKey"], made["changeKey"]);
    let copy =
        graph.edit(json!({"do": "copy_event", "booking": booking, "start": "2026-12-03T10:00:00Z"})).await;
    assert_eq!(
        (&copy["event"]["booking_id"], &copy["event"]["start"]),
        (&json!(booking), &json!("2026-12-03T10:00:00Z"))
    );
    graph.edit(json!({"do": "delete_event", "booking": booking})).await;
    let created = graph.edit(json!({"do": "create_event", "summary": "Dentist", "start": "2026-12-04T15:00:00Z", "end": "2026-12-04T16:00:00Z"})).await;
    assert_eq!(created["event"]["summary"], "Dentist");
    graph
        .edit(json!({"do": "edit_event", "event": created["event"]["id"], "fields": {"showAs": "free"}}))
        .await;
    let mut seen: Vec<(String, String)> = of()
        .await
        .iter()
        .map(|one| (text(one, "summary").to_owned(), text(one, "status").to_owned()))
        .collect();
    seen.sort();
    let expected =
        [("Booking: Haircut", "cancelled"), ("Booking: Haircut", "confirmed"), ("Dentist", "confirmed")];
    assert_eq!(seen, expected.map(|(one, other)| (one.to_owned(), other.to_owned())));
    graph.edit(json!({"do": "restore_event", "event": made["id"]})).await;
    assert_eq!(of().await.iter().filter(|one| one["status"] == "confirmed").count(), 3);
}

#[tokio::test]
async fn an_outlook_without_a_life_is_one_empty_calendar_and_one_with_it_is_hard() {
    let empty = Graph::new().await;
    assert_eq!(empty.get("/me/events").await.ok()["value"], json!([]));
    let graph = Graph::lived_in().await;
    let view =
        "/me/calendarView?startDateTime=2026-10-01T00:00:00Z&endDateTime=2027-02-01T00:00:00Z&$top=1000";
    let events = graph.get(view).await.ok()["value"].as_array().unwrap().clone();
    let some = |what: &str, wanted: &dyn Fn(&Value) -> bool| {
        assert!(events.iter().any(wanted), "no event is {what}")
    };
    for show_as in ["free", "tentative", "busy", "oof", "workingElsewhere"] {
        some(show_as, &|one| one["showAs"] == show_as);
    }
    for kind in ["singleInstance", "occurrence", "exception"] {
        some(kind, &|one| one["type"] == kind);
    }
    some("all day", &|one| one["isAllDay"] == true);
    some("called off", &|one| one["isCancelled"] == true);
    some("declined", &|one| one["responseStatus"]["response"] == "declined");
    some("private", &|one| one["sensitivity"] == "private");
    let token = graph.world.microsoft(SCOPE).await;
    assert!(!token.is_empty());
}

#[tokio::test]
async fn every_route_of_outlook_and_of_its_sign_in_meets_faults() {
    let graph = Graph::new().await;
    let made = graph.make(hour(json!({}))).await;
    let event = event_path(text(&made, "id"));
    let calendar = graph.get("/me/calendar").await.ok();
    let calendar = format!("/me/calendars/{}", escaped(text(&calendar, "id")));
    let window = "startDateTime=2026-11-01T00:00:00Z&endDateTime=2027-01-01T00:00:00Z";
    let mut routes: Vec<(Method, String)> =
        ["/me", "/me/mailboxSettings", "/me/calendars", "/me/events", "/me/calendar"]
            .iter()
            .map(|path| (Method::GET, (*path).to_owned()))
            .collect();
    for path in [
        event.clone(),
        format!("/me/calendarView?{window}"),
        format!("/me/calendarView/delta?{window}"),
        format!("{calendar}/calendarView?{window}"),
        format!("{calendar}/calendarView/delta?{window}"),
        format!("{calendar}/events"),
        calendar.clone(),
    ] {
        routes.push((Method::GET, path));
    }
    for path in
        ["/me/calendars", "/me/events", "/me/calendar/getSchedule", "/$batch", "/me/translateExchangeIds"]
    {
        routes.push((Method::POST, path.to_owned()));
    }
    routes.extend([
        (Method::POST, format!("{calendar}/events")),
        (Method::PATCH, event.clone()),
        (Method::PATCH, calendar),
    ]);
    routes.push((Method::DELETE, event));
    let mut routes: Vec<(&str, Method, String)> =
        routes.into_iter().map(|(method, path)| ("outlook", method, format!("{V1}{path}"))).collect();
    for (method, path) in [
        (Method::GET, "/common/oauth2/v2.0/authorize"),
        (Method::POST, "/common/oauth2/v2.0/consent"),
        (Method::POST, "/common/oauth2/v2.0/token"),
        (Method::GET, "/common/adminconsent"),
        (Method::GET, "/common/v2.0/.well-known/openid-configuration"),
    ] {
        routes.push(("microsoft", method, format!("/microsoft{path}")));
    }
    for (service, method, path) in routes {
        for (kind, status) in [
            ("status:503", Some(503)),
            ("status:401", Some(401)),
            ("rate_limited", Some(429)),
            ("html", Some(200)),
            ("reset", None),
            ("truncated", None),
            ("reply_lost", None),
            ("slow_reply:1", Some(0)),
        ] {
            graph.world.fault(json!({"service": service, "kind": kind, "times": 1})).await;
            let answer = graph.world.try_call(method.clone(), &path, Call::by(&graph.token)).await;
            match (status, answer) {
                // Nothing can be cut out of no body.
                (None, answer) => assert!(answer.is_err() || kind == "truncated", "{kind} {method} {path}"),
                (Some(0), answer) => assert!(answer.is_ok(), "{kind} {method} {path}"),
                (Some(status), answer) => {
                    assert_eq!(answer.unwrap().status, status, "{kind} {method} {path}")
                }
            }
            let faults = graph.world.call(Method::GET, "/_sandbox/faults", Call::default()).await.ok();
            assert_eq!(faults["faults"][0]["hits"], 1, "{kind} {method} {path}");
            graph.world.call(Method::DELETE, "/_sandbox/faults", Call::default()).await.ok();
        }
    }
}

#[tokio::test]
async fn each_vendor_of_a_house_has_an_outlook_of_her_own() {
    let graph =
        Graph::with(Options { bookings: 1, events: 1, outlook: true, vendors: 2, ..Options::default() })
            .await;
    let second = graph.world.sandbox.vendors[1].email.clone();
    let answer = graph.world.ask_microsoft(&[("login_hint", &second)]).await;
    let code = crate::world::parameter(&answer, "code").unwrap();
    let token =
        graph.world.redeem(&[("code", &code)]).await.ok()["access_token"].as_str().unwrap().to_owned();
    let first = graph.get("/me").await.ok();
    assert_eq!(first["mail"], graph.world.sandbox.email);
    let theirs = Graph { token, ..graph };
    assert_eq!(theirs.get("/me").await.ok()["mail"], second);
    let batch = json!({"requests": [{"id": "1", "method": "GET", "url": "/me"}]});
    let told = theirs.post("/$batch", batch).await.ok();
    assert_eq!(told["responses"][0]["body"]["mail"], second);
}

#[tokio::test]
async fn the_state_file_carries_her_outlook_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options {
        state: Some(folder.path().join("sandbox-state.json")),
        bookings: 1,
        events: 1,
        outlook: true,
        ..Options::default()
    };
    let graph = Graph::with(options()).await;
    let made = graph.make(marked("b")).await;
    let (_, link) =
        graph.round("/me/calendarView/delta?startDateTime=2026-11-01&endDateTime=2027-01-01", &[]).await;
    let token = graph.token.clone();
    graph.world.sandbox.stop().await;
    let graph = Graph { world: crate::world::World::with(options()).await, token };
    assert_eq!(graph.get(&event_path(text(&made, "id"))).await.ok()["changeKey"], made["changeKey"]);
    let link = format!("{}/graph{}", graph.world.sandbox.base_url, link.split_once("/graph").unwrap().1);
    assert!(graph.round(&link, &[]).await.0.is_empty());
}
