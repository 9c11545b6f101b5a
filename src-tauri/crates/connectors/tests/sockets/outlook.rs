//! Outlook's adapter: what it asks of Graph, and what it makes of true and false answers. The shapes are those that
//! Microsoft documents and that clients have recorded.

use std::collections::BTreeSet;
use std::time::Duration;

use calendar::busy::{BusyRules, place};
use calendar::event::{Answer, End, ShownAs, Status, When};
use calendar::interval::Interval;
use connectors::outlook::{OutlookAccount, OutlookCalendar};
use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sync::booking::Draft;
use sync::error::ServiceError;
use sync::ids::{Cursor, ETag, RemoteId, Service};
use sync::ports::{Account, Calendar, Coverage, EVER, Probe, Reading, RemoteEvent};

use crate::booked;
use crate::server::{Asked, Reply, Server, signed_in, stack};

const CALENDAR: &str = "AAMkAD/cal+1=";
const PATH: &str = "/v1.0/me/calendars/AAMkAD%2Fcal+1=";
const PROPERTY: &str = "String {6f1dc46e-9d6b-4f0e-a8a5-3d0c7a5b2e91} Name BookijiBooking";

async fn account(server: &Server) -> OutlookAccount {
    OutlookAccount::new(stack(), server.base(), signed_in().await).for_vendor(&"v-1".into()).days_ahead(30)
}

async fn calendar(server: &Server) -> OutlookCalendar {
    account(server).await.outlook_calendar(&CALENDAR.into())
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn since() -> Timestamp {
    at("2026-01-01T05:00:00Z")
}

fn stretch() -> Interval {
    Interval::new(at("2025-12-31T05:00:00Z"), at("2026-04-03T05:00:00Z")).unwrap()
}

fn numbered(id: &str) -> Draft {
    booked::draft(id, Service::Outlook, CALENDAR, 2)
}

fn draft() -> Draft {
    numbered("b-1")
}

fn moment(text: &str) -> Value {
    json!({"dateTime": format!("{text}.0000000"), "timeZone": "UTC"})
}

fn event(id: &str) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.event", "@odata.etag": "W/\"1\"", "changeKey": "1", "id": id,
        "type": "singleInstance", "iCalUId": format!("04{id}"), "subject": "Dentist", "transactionId": null,
        "body": {"contentType": "text", "content": "Floss\r\n"}, "isAllDay": false, "isCancelled": false,
        "showAs": "busy", "sensitivity": "normal", "seriesMasterId": null,
        "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"},
        "start": moment("2026-01-20T10:00:00"), "end": moment("2026-01-20T11:00:00"),
        "location": {"displayName": "Room 1"},
    })
}

fn with(mut event: Value, more: Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

fn master(id: &str) -> Value {
    with(
        event(id),
        json!({"type": "seriesMaster", "subject": "Yoga", "showAs": "tentative",
        "start": moment("2019-01-20T10:00:00"), "end": moment("2019-01-20T11:00:00")}),
    )
}

/// As a list of changes shows one: with nothing but its times.
fn occurrence(id: &str, series: &str, day: &str) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.event", "@odata.etag": "W/\"1\"", "id": id, "seriesMasterId": series,
        "type": "occurrence", "start": moment(&format!("{day}T10:00:00")), "end": moment(&format!("{day}T11:00:00")),
    })
}

fn removed(id: &str) -> Value {
    json!({"@odata.type": "#microsoft.graph.event", "id": id, "@removed": {"reason": "deleted"}})
}

fn error(status: u16, code: &str) -> Reply {
    Reply::Json(status, json!({"error": {"code": code, "message": "No.", "innerError": {"request-id": "1"}}}))
}

/// Links as Graph writes them: whole addresses of its own.
fn link(asked: &Asked, what: &str) -> String {
    format!("http://{}{PATH}/calendarView/delta?{what}", asked.header("host").unwrap())
}

fn last(asked: &Asked, items: Value) -> Reply {
    Reply::Json(200, json!({"value": items, "@odata.deltaLink": link(asked, "$deltatoken=d1")}))
}

/// The answers to many requests at once, each found by the address inside.
fn batch(asked: &Asked, answer: impl Fn(&str, &Value) -> (u16, Value)) -> Reply {
    let requests = asked.json()["requests"].as_array().unwrap().clone();
    assert!(requests.len() <= 20, "{}", requests.len());
    let mut responses: Vec<Value> = requests
        .iter()
        .map(|request| {
            let (status, body) = answer(request["url"].as_str().unwrap(), &request["body"]);
            json!({"id": request["id"], "status": status, "headers": {"Retry-After": "7"}, "body": body})
        })
        .collect();
    responses.reverse();
    Reply::Json(200, json!({"responses": responses}))
}

fn gone() -> (u16, Value) {
    (404, json!({"error": {"code": "ErrorItemNotFound", "message": "Not found."}}))
}

fn is_batch(asked: &Asked) -> bool {
    asked.path == "/v1.0/$batch"
}

async fn read(items: Value) -> Vec<RemoteEvent> {
    let server = Server::start(move |_, asked| last(asked, items.clone())).await;
    match calendar(&server).await.read(None, since()).await {
        Reading::Snapshot { items, .. } => items,
        other => panic!("{other:?}"),
    }
}

/// A cursor as a first reading leaves it, on this server.
fn cursor(server: &Server, series: &[&str]) -> Cursor {
    let link =
        format!("{}{}/calendarView/delta?$deltatoken=d0", server.url.as_str().trim_end_matches('/'), PATH);
    let stretch = stretch();
    Cursor(
        json!({"link": link, "stretch": {"start": stretch.start(), "end": stretch.end()}, "series": series})
            .to_string(),
    )
}

/// What changed, by a server whose first page holds `page` and that answers closer looks with `look`.
async fn change(
    series: &[&str],
    page: Value,
    look: impl Fn(&str, &Value) -> (u16, Value) + Send + Sync + 'static,
) -> (Vec<RemoteEvent>, Vec<RemoteId>, Server) {
    let server = Server::start(
        move |_, asked| {
            if is_batch(asked) { batch(asked, &look) } else { last(asked, page.clone()) }
        },
    )
    .await;
    match calendar(&server).await.read(Some(&cursor(&server, series)), since()).await {
        Reading::Delta { changed, removed, .. } => (changed, removed, server),
        other => panic!("{other:?}"),
    }
}

fn ids(events: &[RemoteEvent]) -> Vec<&str> {
    events.iter().map(|event| event.id.as_str()).collect()
}

fn days(event: &RemoteEvent) -> usize {
    1 + event.event.recurrence.dates.len()
}

#[tokio::test]
async fn the_first_reading_follows_every_page_and_tells_how_far_it_reached() {
    let server = Server::start(|number, asked| match number {
        0 => Reply::Json(
            200,
            json!({"value": [event("a")], "@odata.nextLink": link(asked, "$skiptoken=p%2B2")}),
        ),
        // Pages may be empty, and an event may come twice: the last time counts.
        1 => Reply::Json(200, json!({"value": [], "@odata.nextLink": link(asked, "$skiptoken=p3")})),
        2 => last(asked, json!([with(event("a"), json!({"subject": "Later"})), event("b"), removed("far")])),
        _ => last(asked, json!([event("a"), event("b")])),
    })
    .await;
    let reading = calendar(&server).await.read(None, since()).await;
    let Reading::Snapshot { items, coverage, cursor } = reading else { panic!("{reading:?}") };
    assert_eq!(ids(&items), ["a", "b"]);
    assert_eq!(items[0].event.summary, "Later");
    assert_eq!(coverage, Coverage::Overlapping(stretch()), "no further than it was asked to");
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    for page in &asked {
        assert_eq!(page.path, format!("{PATH}/calendarView/delta"));
        let prefer = page.header("prefer").unwrap();
        for wish in ["IdType=\"ImmutableId\"", "outlook.timezone=\"UTC\"", "odata.maxpagesize=250"] {
            assert!(prefer.contains(wish), "{prefer}");
        }
        assert_eq!(
            (page.one("$select"), page.one("$expand")),
            (None, None),
            "the list of changes knows neither"
        );
        assert_eq!(page.header("authorization"), Some("Bearer token"));
    }
    assert_eq!(asked[0].one("startDateTime"), Some("2025-12-31T05:00:00Z"));
    assert_eq!(asked[0].one("endDateTime"), Some("2026-04-03T05:00:00Z"));
    assert_eq!(asked[1].one("$skiptoken"), Some("p+2"), "links are followed as they are");

    let again = calendar(&server).await.read(cursor.as_ref(), since()).await;
    let Reading::Delta { changed, .. } = again else { panic!("{again:?}") };
    assert_eq!(changed.len(), 2);
    let asked = server.asked();
    assert_eq!(asked[3].one("$deltatoken"), Some("d1"), "the next reading starts where this one ended");
    assert!(asked[3].one("startDateTime").is_none());
}

#[tokio::test]
async fn a_calendar_where_nothing_happened_costs_one_request() {
    let (changed, removed, server) =
        change(&["m1", "m2"], json!([]), |_, _| panic!("nothing to look at")).await;
    assert!(changed.is_empty() && removed.is_empty());
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn an_occurrence_takes_from_its_master_what_is_not_said_of_it() {
    let items = json!([
        occurrence("o1", "m", "2026-01-20"),
        occurrence("o2", "m", "2026-01-27"),
        with(
            event("x"),
            json!({"type": "exception", "seriesMasterId": "m", "showAs": "oof",
            "start": moment("2026-02-03T15:00:00"), "end": moment("2026-02-03T16:00:00")})
        ),
        with(event("y"), json!({"type": "exception", "seriesMasterId": "m", "isCancelled": true})),
        with(
            event("z"),
            json!({"type": "exception", "seriesMasterId": "m", "showAs": "tentative",
            "start": moment("2026-02-10T15:00:00"), "end": moment("2026-02-10T16:00:00")})
        ),
        master("m"),
    ]);
    let read = read(items).await;
    assert_eq!(ids(&read), ["m", "m#oof"]);
    assert_eq!(read[0].event.shown_as, Some(ShownAs::Tentative));
    assert_eq!(read[0].event.summary, "Yoga");
    assert_eq!((days(&read[0]), days(&read[1])), (3, 1), "each occurrence once; the cancelled one nowhere");
    assert_eq!(read[1].event.shown_as, Some(ShownAs::OutOfOffice));
    let events: Vec<_> = read.iter().map(|event| event.event.clone()).collect();
    let window = Interval::new(since(), at("2026-03-01T00:00:00Z")).unwrap();
    let placed = place(&events, &BusyRules::default(), window, &TimeZone::UTC);
    let starts: Vec<String> = placed.busy().iter().map(|busy| busy.start().to_string()).collect();
    let expected =
        ["2026-01-20T10:00:00Z", "2026-01-27T10:00:00Z", "2026-02-03T15:00:00Z", "2026-02-10T15:00:00Z"];
    assert_eq!(starts, expected, "{placed:#?}");
    assert!(placed.withheld.is_empty());
}

#[tokio::test]
async fn a_master_that_is_not_in_the_list_is_asked_for_and_one_that_nobody_has_blocks_all_the_same() {
    let server = Server::start(|_, asked| {
        if is_batch(asked) {
            batch(asked, |url, _| {
                if url.contains("/free?") {
                    (200, with(master("free"), json!({"showAs": "free"})))
                } else {
                    gone()
                }
            })
        } else {
            last(
                asked,
                json!([occurrence("o1", "free", "2026-01-20"), occurrence("o2", "lost", "2026-01-21")]),
            )
        }
    })
    .await;
    let reading = calendar(&server).await.read(None, since()).await;
    let Reading::Snapshot { items, .. } = reading else { panic!("{reading:?}") };
    let shown: Vec<_> = items.iter().map(|event| (event.id.as_str(), event.event.shown_as)).collect();
    assert_eq!(shown, [("free", Some(ShownAs::Free)), ("lost", None)], "what is not said does not free time");
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn what_is_said_to_be_removed_is_believed_only_of_what_is_not_there() {
    let page = json!([removed("deleted"), removed("far"), removed("moved"), event("new")]);
    let (changed, removed, server) = change(&[], page, |url, _| {
        if let Some(stretch) = url.strip_prefix("/me/calendars/AAMkAD%2Fcal+1=/calendarView?") {
            assert!(
                stretch
                    .contains("startDateTime=2027-01-01T10%3A00%3A00Z&endDateTime=2027-01-02T00%3A00%3A00Z")
            );
            return (200, json!({"value": [{"id": "far", "type": "singleInstance"}]}));
        }
        assert!(url.starts_with("/me/calendars/AAMkAD%2Fcal+1=/events/"), "{url}");
        let times = |start, end| json!({"start": moment(start), "end": moment(end)});
        if url.contains("/far?") {
            (200, with(event("far"), times("2027-01-01T10:00:00", "2027-01-01T11:00:00")))
        } else if url.contains("/moved?") {
            // By its id it is told under the calendar that it has left, too.
            (200, with(event("moved"), times("2027-01-01T23:00:00", "2027-01-02T00:00:00")))
        } else {
            gone()
        }
    })
    .await;
    assert_eq!(removed, [RemoteId::from("deleted"), RemoteId::from("moved")]);
    assert_eq!(ids(&changed), ["far", "new"], "one lies outside the stretch, and stands");
    assert_eq!(server.asked().len(), 3);
    let inner = &server.asked()[1].json()["requests"][0];
    assert!(inner["headers"]["Prefer"].as_str().unwrap().contains("ImmutableId"), "{inner}");
}

/// A series whose instances are asked for again.
fn yoga(url: &str, days: &[&str]) -> (u16, Value) {
    if !url.contains("/instances") {
        return (200, master("m"));
    }
    assert!(url.contains("startDateTime=2025-12-31T05%3A00%3A00Z"), "{url}");
    let instances: Vec<Value> = days.iter().map(|day| occurrence(day, "m", day)).collect();
    (200, json!({"value": instances}))
}

#[tokio::test]
async fn an_occurrence_that_goes_without_a_word_is_gone_with_the_change_of_its_series() {
    let (changed, removed, _) =
        change(&["m"], json!([master("m")]), |url, _| yoga(url, &["2026-01-20", "2026-02-03"])).await;
    assert_eq!(ids(&changed), ["m"]);
    assert_eq!(days(&changed[0]), 2);
    assert!(removed.contains(&"m#oof".into()) && !removed.contains(&"m".into()), "{removed:?}");
}

#[tokio::test]
async fn an_occurrence_that_is_said_to_be_gone_has_every_series_looked_at_again() {
    let (changed, removed, server) = change(&["m"], json!([removed("o1")]), |url, _| {
        if url.contains("/o1?") { gone() } else { yoga(url, &["2026-01-27"]) }
    })
    .await;
    assert_eq!(ids(&changed), ["m"]);
    assert_eq!(days(&changed[0]), 1);
    assert!(removed.contains(&"o1".into()));
    assert_eq!(server.asked().len(), 4, "the page, what is gone, the master, its instances");
}

#[tokio::test]
async fn a_series_that_is_deleted_leaves_nothing_behind() {
    let (changed, removed, server) = change(&["m"], json!([removed("m")]), |_, _| gone()).await;
    assert!(changed.is_empty());
    for id in ["m", "m#busy", "m#oof-day"] {
        assert!(removed.contains(&id.into()), "{removed:?}");
    }
    assert_eq!(server.asked().len(), 2);
    let (changed, removed, _) =
        change(&["m"], json!([occurrence("o9", "m", "2026-01-20")]), |_, _| gone()).await;
    assert!(changed.is_empty() && removed.contains(&"m".into()), "a late word of one that has gone");
}

#[tokio::test]
async fn an_event_that_does_not_repeat_any_more_leaves_nothing_of_its_series() {
    let once = |_: &str, _: &Value| (200, event("m"));
    for page in [json!([event("m")]), json!([occurrence("o1", "m", "2026-01-20")])] {
        let (changed, removed, _) = change(&["m"], page, once).await;
        assert_eq!(ids(&changed), ["m"]);
        assert_eq!(days(&changed[0]), 1);
        assert!(removed.contains(&"m#oof".into()) && !removed.contains(&"m".into()), "{removed:?}");
    }
}

#[tokio::test]
async fn every_way_of_saying_that_the_cursor_is_lost_is_understood_and_without_one_it_is_a_failure() {
    let replies: [fn() -> Reply; 4] = [
        || error(410, "SyncStateNotFound"),
        || Reply::with(410, "Location: http://x/?$deltatoken=\r\n", ""),
        || error(400, "ErrorInvalidSyncStateData"),
        || {
            Reply::Json(
                400,
                json!({"error": {"code": "BadRequest", "innererror": {"code": "resyncRequired"}}}),
            )
        },
    ];
    for reply in replies {
        let server = Server::start(move |_, _| reply()).await;
        let calendar = calendar(&server).await;
        let reading = calendar.read(Some(&cursor(&server, &[])), since()).await;
        assert_eq!(reading, Reading::CursorLost);
        assert!(matches!(calendar.read(None, since()).await, Reading::Failed(_)));
    }
    let server = Server::start(|_, _| error(500, "ErrorInternalServerError")).await;
    let calendar = calendar(&server).await;
    assert_eq!(calendar.read(Some(&"garbage".into()), since()).await, Reading::CursorLost);
    assert!(matches!(calendar.read(Some(&cursor(&server, &[])), since()).await, Reading::Failed(_)));
}

#[tokio::test]
async fn a_reading_that_stops_midway_is_half_a_reading_and_half_a_series_is_none() {
    let stops: [fn(&Asked) -> Reply; 5] = [
        |_| error(500, "ErrorInternalServerError"),
        |_| Reply::half(),
        |asked| Reply::Json(200, json!({"value": [], "@odata.nextLink": link(asked, "$skiptoken=p2")})),
        |_| Reply::Json(200, json!({"value": []})),
        |_| Reply::html(200),
    ];
    for stop in stops {
        let server = Server::start(move |number, asked| match number {
            0 => Reply::Json(
                200,
                json!({"value": [event("a"), master("m"), occurrence("o1", "m", "2026-01-20")],
                    "@odata.nextLink": link(asked, "$skiptoken=p2")}),
            ),
            _ => stop(asked),
        })
        .await;
        let reading = calendar(&server).await.read(None, since()).await;
        let Reading::Partial { items, .. } = reading else { panic!("{reading:?}") };
        assert_eq!(ids(&items), ["a"]);
    }
}

#[tokio::test]
async fn a_closer_look_that_fails_makes_the_reading_half_a_one() {
    let server = Server::start(|_, asked| {
        if is_batch(asked) {
            batch(asked, |_, _| (429, json!({"error": {"code": "ApplicationThrottled", "message": "Slow."}})))
        } else {
            last(asked, json!([event("a"), removed("b")]))
        }
    })
    .await;
    let reading = calendar(&server).await.read(Some(&cursor(&server, &[])), since()).await;
    let Reading::Partial { items, reason } = reading else { panic!("{reading:?}") };
    assert_eq!(ids(&items), ["a"]);
    assert_eq!(reason.retry_after(), Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn a_link_to_anywhere_else_is_not_followed_with_her_sign_in() {
    let elsewhere = Server::start(|_, asked| last(asked, json!([]))).await;
    let url = elsewhere.url.as_str().trim_end_matches('/').to_owned();
    let server = Server::start(move |_, _| {
        Reply::Json(
            200,
            json!({"value": [], "@odata.nextLink": format!("{url}{PATH}/calendarView/delta?x=1")}),
        )
    })
    .await;
    let reading = calendar(&server).await.read(None, since()).await;
    assert!(matches!(reading, Reading::Failed(ServiceError::Garbled { .. })), "{reading:?}");
    let reading = calendar(&server).await.read(Some(&cursor(&elsewhere, &[])), since()).await;
    assert_eq!(reading, Reading::CursorLost, "nor is one that was kept");
    assert!(elsewhere.asked().is_empty());
}

#[tokio::test]
async fn a_stretch_that_comes_to_its_end_is_read_anew_before_it_does() {
    let server = Server::start(|_, asked| last(asked, json!([]))).await;
    let calendar = calendar(&server).await;
    let cursor = cursor(&server, &[]);
    let after = |days: i64| since().saturating_add(SignedDuration::from_hours(24 * days)).unwrap();
    assert!(matches!(calendar.read(Some(&cursor), after(60)).await, Reading::Delta { .. }));
    let reading = calendar.read(Some(&cursor), after(61)).await;
    let Reading::Snapshot { coverage: Coverage::Overlapping(stretch), .. } = reading else {
        panic!("{reading:?}")
    };
    assert_eq!(stretch.start(), after(60));
    assert!(stretch.end() > after(61 + 31));
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    assert!(asked[1].one("$deltatoken").is_none() && asked[1].one("startDateTime").is_some());
}

#[tokio::test]
async fn a_reading_of_everything_lists_all_events_with_what_was_written_on_them() {
    let server = Server::start(|number, asked| match number {
        0 => {
            let next = format!("http://{}{PATH}/events?$skip=1", asked.header("host").unwrap());
            Reply::Json(200, json!({"value": [event("old")], "@odata.nextLink": next}))
        }
        _ => {
            let ours = json!({"transactionId": draft().id.as_str(),
                "singleValueExtendedProperties": [{"id": PROPERTY, "value": "b-1/2"}]});
            Reply::Json(200, json!({"value": [with(event("ours"), ours), master("m")]}))
        }
    })
    .await;
    let reading = calendar(&server).await.read(None, EVER).await;
    let Reading::Snapshot { items, coverage: Coverage::Everything, cursor: None } = reading else {
        panic!("{reading:?}")
    };
    let ours = items.iter().find(|event| event.id.as_str() == "ours").unwrap();
    assert_eq!(
        ours.marker.as_ref().map(|marker| (marker.booking.as_str(), marker.generation)),
        Some(("b-1", 2))
    );
    assert_eq!(ours.key(), &draft().id);
    assert_eq!(items.len(), 3);
    assert!(server.asked()[0].one("$expand").unwrap().contains(PROPERTY));
}

#[tokio::test]
async fn what_an_event_says_of_itself_is_kept_and_what_it_does_not_say_blocks() {
    let read = read(json!([
        with(
            event("allday"),
            json!({"isAllDay": true, "showAs": "free",
            "start": moment("2026-01-20T00:00:00"), "end": moment("2026-01-22T00:00:00")})
        ),
        // Told in another zone than it was made in, by whoever does not keep to what is asked.
        with(
            event("elsewhere"),
            json!({"isAllDay": true, "originalStartTimeZone": "Tokyo Standard Time",
            "start": moment("2026-01-19T15:00:00"), "end": moment("2026-01-20T15:00:00")})
        ),
        with(event("cancelled"), json!({"isCancelled": true})),
        with(event("declined"), json!({"responseStatus": {"response": "declined"}})),
        with(event("new"), json!({"showAs": "somethingNew", "sensitivity": "private"})),
        with(
            event("windows"),
            json!({"start": {"dateTime": "2026-01-20T10:00:00", "timeZone": "Romance Standard Time"},
            "end": {"dateTime": "2026-01-20T11:00:00", "timeZone": "Europe/Paris"}})
        ),
        with(event("timeless"), json!({"start": null})),
    ]))
    .await;
    let by = |id: &str| read.iter().find(|event| event.id.as_str() == id).unwrap().event.clone();
    let day = |day| When::Date(date(2026, 1, day));
    assert_eq!((by("allday").start, by("allday").end), (day(20), End::At(day(22))));
    assert_eq!(by("allday").shown_as, Some(ShownAs::Free));
    assert_eq!((by("elsewhere").start, by("elsewhere").end), (day(20), End::At(day(21))));
    assert_eq!(by("cancelled").status, Status::Cancelled);
    assert_eq!(by("declined").answer, Some(Answer::Declined));
    assert_eq!((by("new").shown_as, by("new").summary.as_str(), by("new").location.as_str()), (None, "", ""));
    let window = Interval::new(since(), at("2026-02-01T00:00:00Z")).unwrap();
    let busy = |id: &str| place(&[by(id)], &BusyRules::default(), window, &TimeZone::UTC).busy();
    let hour = |from: &str, to: &str| vec![Interval::new(at(from), at(to)).unwrap()];
    assert_eq!(busy("windows"), hour("2026-01-20T09:00:00Z", "2026-01-20T10:00:00Z"));
    assert_eq!(busy("new"), hour("2026-01-20T10:00:00Z", "2026-01-20T11:00:00Z"));
    assert!(!busy("timeless").is_empty(), "what cannot be placed blocks what it may");
    assert!(busy("cancelled").is_empty() && busy("declined").is_empty());
}

#[tokio::test]
async fn a_copy_of_ours_is_told_by_a_closer_look_and_an_event_of_ours_by_its_key() {
    let body = json!({"contentType": "text", "content": draft().description});
    let ours = with(event("ours"), json!({"transactionId": draft().id.as_str(), "body": body}));
    let copy = with(event("copy"), json!({"transactionId": "localevent:1", "body": body}));
    let marked = with(
        copy.clone(),
        json!({"singleValueExtendedProperties": [{"id": PROPERTY.to_uppercase().replace("STRING", "String"), "value": "b-1/2"}]}),
    );
    let page = json!([ours, copy]);
    let (changed, _, server) = change(&[], page, move |url, _| {
        assert!(url.contains("/copy?%24expand=") || url.contains("/copy?$expand="), "{url}");
        (200, marked.clone())
    })
    .await;
    let told: Vec<_> = changed
        .iter()
        .map(|event| (event.id.as_str(), event.created_as.is_some(), event.marker.is_some()))
        .collect();
    assert_eq!(told, [("copy", false, true), ("ours", true, false)]);
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_create_carries_its_key_and_its_marker_and_invites_nobody() {
    let server = Server::start(|_, asked| {
        let body = asked.json();
        Reply::Json(
            201,
            with(
                event("AAMk1="),
                json!({"transactionId": body["transactionId"], "subject": body["subject"]}),
            ),
        )
    })
    .await;
    let stored = calendar(&server).await.create(&draft()).await.unwrap();
    assert_eq!((stored.id.as_str(), stored.etag.as_str()), ("AAMk1=", "W/\"1\""));
    assert_eq!((stored.key(), stored.marker.as_ref().unwrap().generation), (&draft().id, 2));
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", format!("{PATH}/events").as_str()));
    let body = asked.json();
    assert_eq!(body["transactionId"], draft().id.as_str());
    assert_eq!(body["start"], json!({"dateTime": "2026-01-20T10:00:00", "timeZone": "UTC"}));
    assert_eq!(body["singleValueExtendedProperties"], json!([{"id": PROPERTY, "value": "b-1/2"}]));
    assert_eq!((&body["subject"], &body["showAs"]), (&json!("Booking: Haircut"), &json!("busy")));
    assert!(body.get("attendees").is_none());
}

#[tokio::test]
async fn a_create_that_was_done_before_is_told_as_such_in_both_of_its_forms() {
    for status in [400, 409] {
        let server = Server::start(move |_, _| error(status, "ErrorDuplicateTransactionId")).await;
        let refused = calendar(&server).await.create(&draft()).await.unwrap_err();
        assert!(matches!(refused, ServiceError::Exists { .. }), "{status}: {refused:?}");
    }
    let server = Server::start(|_, _| error(412, "ErrorIrresolvableConflict")).await;
    let refused = calendar(&server).await.create(&draft()).await.unwrap_err();
    assert!(refused.outcome_unknown() && refused.may_pass(), "there was no precondition: {refused:?}");
}

#[tokio::test]
async fn an_event_is_found_again_by_its_key_and_a_copy_of_it_is_not_taken_for_it() {
    let server = Server::start(|number, asked| {
        let copy = with(event("copy"), json!({"transactionId": "localevent:2"}));
        match number {
            0 => {
                let next = format!("http://{}{PATH}/events?$skip=1", asked.header("host").unwrap());
                Reply::Json(200, json!({"value": [copy], "@odata.nextLink": next}))
            }
            1 => Reply::Json(
                200,
                json!({"value": [with(event("ours"), json!({"transactionId": draft().id.as_str(),
                "singleValueExtendedProperties": [{"id": PROPERTY, "value": "b-1/2"}]}))]}),
            ),
            _ => Reply::Json(200, json!({"value": [copy]})),
        }
    })
    .await;
    let calendar = calendar(&server).await;
    let Probe::Live(found) = calendar.find(&draft()).await.unwrap() else { panic!("it is there") };
    assert_eq!((found.id.as_str(), found.marker.unwrap().booking.as_str()), ("ours", "b-1"));
    let filter = server.asked()[0].one("$filter").unwrap().to_owned();
    assert!(filter.contains("ep/value eq 'b-1/2'") && filter.contains(PROPERTY), "{filter}");
    assert_eq!(calendar.find(&draft()).await.unwrap(), Probe::Absent);
}

#[tokio::test]
async fn a_change_carries_its_precondition_and_only_what_it_is_about() {
    let server = Server::start(|_, _| Reply::Json(200, event("e"))).await;
    let calendar = calendar(&server).await;
    let base = ETag::from("W/\"1\"");
    calendar.update(&"e/1=".into(), &base, &draft()).await.unwrap();
    let times = Draft { times_only: true, ..draft() };
    calendar.update(&"e/1=".into(), &base, &times).await.unwrap();
    let unguarded = calendar.update(&"e".into(), &ETag(String::new()), &times).await.unwrap_err();
    assert!(matches!(unguarded, ServiceError::Stale { .. }));
    let asked = server.asked();
    assert_eq!(asked.len(), 2, "nothing is sent without a precondition");
    assert_eq!((asked[0].method.as_str(), asked[0].header("if-match")), ("PATCH", Some("W/\"1\"")));
    assert_eq!(asked[0].path, format!("{PATH}/events/e%2F1="));
    assert_eq!(asked[0].json()["subject"], "Booking: Haircut");
    assert!(asked[0].json().get("transactionId").is_none(), "a key is set once");
    assert!(asked[1].json().get("subject").is_none() && asked[1].json().get("body").is_none());

    let stale = Server::start(|_, _| error(412, "ErrorIrresolvableConflict")).await;
    let refused = self::calendar(&stale).await.update(&"e".into(), &base, &draft()).await.unwrap_err();
    assert!(matches!(refused, ServiceError::Stale { .. }));
}

#[tokio::test]
async fn a_deletion_carries_its_precondition_and_what_is_gone_is_told_from_a_calendar_that_is() {
    let server =
        Server::start(
            |number, _| if number == 0 { Reply::with(204, "", "") } else { error(404, "ErrorItemNotFound") },
        )
        .await;
    let calendar = calendar(&server).await;
    let base = ETag::from("W/\"1\"");
    calendar.delete(&"e".into(), &base).await.unwrap();
    assert_eq!(server.asked()[0].header("if-match"), Some("W/\"1\""));
    assert!(matches!(calendar.delete(&"e".into(), &base).await, Err(ServiceError::Gone { .. })));
    assert_eq!(calendar.probe(&"e".into()).await.unwrap(), Probe::Absent, "its calendar is out of sight too");

    let server = Server::start(|_, asked| {
        if asked.path == PATH {
            Reply::Json(200, json!({"id": CALENDAR}))
        } else {
            error(404, "ErrorItemNotFound")
        }
    })
    .await;
    assert_eq!(self::calendar(&server).await.probe(&"e".into()).await.unwrap(), Probe::Burnt);
}

#[tokio::test]
async fn one_of_many_requests_that_is_told_to_wait_for_a_minute_holds_the_whole_account() {
    let server = Server::start(|_, _| {
        let busy = |id: &str| {
            let error = json!({"error": {"code": "ApplicationThrottled", "message": "Slow down."}});
            json!({"id": id, "status": 429, "headers": {"Retry-After": "60"}, "body": error})
        };
        Reply::Json(200, json!({"responses": [busy("0"), busy("1")]}))
    })
    .await;
    let calendar = calendar(&server).await;
    let made = calendar.create_many(&["b1", "b2"].map(numbered)).await;
    let later = calendar.probe(&"e".into()).await;
    for error in made.iter().filter_map(|made| made.as_ref().err()).chain(later.as_ref().err()) {
        assert!(error.retry_after().is_some_and(|wait| wait.as_secs() > 50), "{error:?}");
    }
    assert!(made.iter().all(Result::is_err) && later.is_err());
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn many_events_are_made_with_one_request_for_twenty_and_each_has_its_own_answer() {
    let server = Server::start(|_, asked| {
        batch(asked, |url, body| {
            assert_eq!(url, "/me/calendars/AAMkAD%2Fcal+1=/events");
            let key = body["transactionId"].clone();
            if key == numbered("b7").id.as_str() {
                return (429, json!({"error": {"code": "ApplicationThrottled", "message": "Slow down."}}));
            }
            if key == numbered("b8").id.as_str() {
                return (409, json!({"error": {"code": "ErrorDuplicateTransactionId", "message": "Twice."}}));
            }
            (201, with(event(&format!("id of {}", key.as_str().unwrap())), json!({"transactionId": key})))
        })
    })
    .await;
    let drafts: Vec<Draft> = (0..45).map(|number| numbered(&format!("b{number}"))).collect();
    let made = calendar(&server).await.create_many(&drafts).await;
    assert_eq!(server.asked().len(), 3);
    assert_eq!(made.len(), 45);
    for (draft, made) in drafts.iter().zip(&made) {
        match made {
            Ok(event) => assert_eq!(event.key(), &draft.id, "answers come in any order"),
            Err(ServiceError::RateLimited { retry_after, .. }) => {
                assert_eq!((draft.booking.as_str(), *retry_after), ("b7", Some(Duration::from_secs(7))));
            }
            Err(ServiceError::Exists { .. }) => assert_eq!(draft.booking.as_str(), "b8"),
            Err(error) => panic!("{error:?}"),
        }
    }

    let server = Server::start(|number, asked| match number {
        0 => Reply::Json(200, json!({"responses": [{"id": "1", "status": 201, "body": event("one")}]})),
        _ => batch(asked, |_, _| (201, event("more"))),
    })
    .await;
    let made = calendar(&server).await.create_many(&drafts[..2]).await;
    assert!(made[0].as_ref().is_err_and(ServiceError::outcome_unknown) && made[1].is_ok(), "{made:?}");
    let server = Server::start(|number, asked| match number {
        0 => batch(asked, |_, _| (201, event("one"))),
        _ => Reply::Reset,
    })
    .await;
    let made = calendar(&server).await.create_many(&drafts).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 20);
    assert_eq!(
        made.iter().filter(|made| made.as_ref().is_err_and(ServiceError::outcome_unknown)).count(),
        25
    );
    assert_eq!(server.asked().len(), 2, "what was not answered once is not asked on and on");
}

#[tokio::test]
async fn no_more_than_four_requests_of_one_account_are_under_way_at_once() {
    let server = Server::start(|_, _| Reply::Silence).await;
    let account = account(&server).await;
    let asking: Vec<_> = (0..6)
        .map(|_| {
            let calendar = account.outlook_calendar(&CALENDAR.into());
            tokio::spawn(async move { calendar.probe(&"e".into()).await })
        })
        .collect();
    let asked = async |number: usize| {
        while server.asked().len() < number {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    asked(4).await;
    let fifth = tokio::time::timeout(Duration::from_millis(150), asked(5)).await;
    assert!(fifth.is_err(), "a fifth went out");
    asking.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn each_refusal_is_told_for_what_it_is() {
    type Expected = fn(&ServiceError) -> bool;
    let cases: [(u16, &str, Expected); 7] = [
        (401, "InvalidAuthenticationToken", |error| matches!(error, ServiceError::SignInExpired { .. })),
        (403, "ErrorAccessDenied", |error| matches!(error, ServiceError::Forbidden { .. })),
        (404, "MailboxNotEnabledForRESTAPI", |error| matches!(error, ServiceError::Forbidden { .. })),
        (404, "ErrorItemNotFound", |error| matches!(error, ServiceError::Gone { .. })),
        (429, "ApplicationThrottled", |error| matches!(error, ServiceError::RateLimited { .. })),
        (509, "BandwidthLimitExceeded", |error| matches!(error, ServiceError::RateLimited { .. })),
        (504, "UnknownError", |error| error.outcome_unknown()),
    ];
    for (status, code, expected) in cases {
        let server = Server::start(move |_, _| error(status, code)).await;
        let refused = account(&server).await.calendars().await.unwrap_err();
        assert!(expected(&refused), "{status} {code}: {refused:?}");
    }
}

#[tokio::test]
async fn calendars_are_told_apart_by_what_was_written_on_them_and_ours_is_made_under_a_free_name() {
    let vendor = "String {6f1dc46e-9d6b-4f0e-a8a5-3d0c7a5b2e91} Name BookijiVendor";
    let mark = move |vendor_id: &str| json!([{"id": vendor, "value": vendor_id}]);
    let server = Server::start(move |number, asked| match (asked.method.as_str(), number) {
        ("GET", 0) => {
            let next = format!("http://{}/v1.0/me/calendars?$skip=2", asked.header("host").unwrap());
            Reply::Json(200, json!({"value": [
                {"id": "1", "name": "Calendar", "canEdit": true, "isDefaultCalendar": true},
                {"id": "2", "name": "Bookiji", "canEdit": true, "singleValueExtendedProperties": mark("v-1")},
            ], "@odata.nextLink": next}))
        }
        ("GET", _) => Reply::Json(200, json!({"value": [
            {"id": "3", "name": "Theirs", "canEdit": false, "singleValueExtendedProperties": mark("v-2")}, {"name": "?"}]})),
        _ if asked.json()["name"] == "Bookiji" => error(409, "ErrorFolderExists"),
        _ => Reply::Json(201, json!({"id": "4", "name": asked.json()["name"]})),
    })
    .await;
    let account = account(&server).await;
    let told: Vec<_> = account
        .calendars()
        .await
        .unwrap()
        .into_iter()
        .map(|entry| (entry.remote.0, entry.writable, entry.primary, entry.ours))
        .collect();
    let told: Vec<_> =
        told.iter().map(|(id, writable, primary, ours)| (id.as_str(), *writable, *primary, *ours)).collect();
    assert_eq!(told, [("1", true, true, false), ("2", true, false, true), ("3", false, false, false)]);
    let made = account.create_calendar("Bookiji", "Europe/Paris", &"v-1".into()).await.unwrap();
    assert_eq!((made.remote.as_str(), made.name.as_str(), made.ours), ("4", "Bookiji 2", true));
    let asked = server.asked();
    assert_eq!(asked.last().unwrap().json()["singleValueExtendedProperties"], mark("v-1"));
    let names: BTreeSet<_> = asked
        .iter()
        .filter(|asked| asked.method == "POST")
        .map(|asked| asked.json()["name"].to_string())
        .collect();
    assert_eq!(names.len(), 2);
}
