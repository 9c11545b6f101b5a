//! Slots over the database's REST door, against servers that answer as told.

use calendar::interval::Interval;
use connectors::bookiji::Bookiji;
use connectors::gotrue::GoTrue;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sync::error::ServiceError;
use sync::ids::SlotId;
use sync::ports::{Platform, Slot, SlotMade};

use crate::server::{Asked, Reply, Server, signed_in, stack};

async fn platform(server: &Server) -> Bookiji {
    let database = GoTrue::new(stack(), server.base(), "publishable").database(&"v-1".into());
    Bookiji::new(stack(), server.base(), signed_in().await).with_slots(database)
}

fn at(minute: i64) -> Timestamp {
    "2030-01-02T10:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minute)
}

fn span(start: i64, end: i64) -> Interval {
    Interval::new(at(start), at(end)).unwrap()
}

fn id(number: usize) -> SlotId {
    SlotId(format!("{number:08x}-0000-5000-8000-000000000000"))
}

/// Slots of half an hour, one after the other.
fn slots(count: usize) -> Vec<Slot> {
    let slot = |number: usize| {
        let start = i64::try_from(number).unwrap() * 30;
        Slot { id: id(number), span: span(start, start + 30), open: true }
    };
    (0..count).map(slot).collect()
}

fn row(slot: &Slot) -> Value {
    let text = |at: Timestamp| at.to_string().replace('Z', "+00:00");
    json!({"id": slot.id, "start_time": text(slot.span.start()), "end_time": text(slot.span.end()),
        "is_available": slot.open})
}

fn page(slots: &[Slot], left: &str) -> Reply {
    let rows = json!(slots.iter().map(row).collect::<Vec<_>>()).to_string();
    Reply::with(206, &format!("Content-Type: application/json\r\nContent-Range: 0-1/{left}\r\n"), &rows)
}

/// Every row of the request as made.
fn all_made(asked: &Asked) -> Reply {
    Reply::Json(201, json!(sent(asked).iter().map(|id| json!({"id": id})).collect::<Vec<_>>()))
}

fn sent(asked: &Asked) -> Vec<String> {
    let rows = asked.json();
    rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

fn refusal(status: u16, code: &str) -> Reply {
    Reply::Json(
        status,
        json!({"code": code, "details": null, "hint": null, "message": format!("says {code}")}),
    )
}

#[tokio::test]
async fn slots_are_read_by_pages_after_the_last_id_until_nothing_is_left() {
    let all = slots(5);
    let told = all.clone();
    let server = Server::start(move |number, _| match number {
        0 => page(&told[..2], "5"),
        1 => page(&told[2..4], "3"),
        _ => page(&told[4..], "1"),
    })
    .await;
    assert_eq!(platform(&server).await.slots(span(0, 600)).await.unwrap(), all);
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    let first = &asked[0];
    assert_eq!((first.method.as_str(), first.path.as_str()), ("GET", "/rest/v1/availability_slots"));
    assert_eq!(first.one("provider_id"), Some("eq.v-1"), "everybody's slots are in that table");
    assert_eq!(first.one("end_time"), Some("gt.2030-01-02T10:00:00+00:00"));
    assert_eq!(first.one("start_time"), Some("lt.2030-01-02T20:00:00+00:00"));
    assert_eq!(first.header("apikey"), Some("publishable"));
    assert_eq!(first.header("authorization"), Some("Bearer token"));
    assert_eq!(first.header("prefer"), Some("count=exact"));
    let after: Vec<_> = asked.iter().map(|asked| asked.one("id").map(str::to_owned)).collect();
    let after_id = |number| Some(format!("gt.{}", id(number)));
    assert_eq!(after, [None, after_id(1), after_id(3)]);
}

#[tokio::test]
async fn without_a_count_only_an_empty_page_is_the_end() {
    let told = slots(3);
    let server = Server::start(move |number, _| match number {
        0 => page(&told[..2], "*"),
        1 => page(&told[2..], "*"),
        _ => page(&[], "*"),
    })
    .await;
    assert_eq!(platform(&server).await.slots(span(0, 600)).await.unwrap(), slots(3));
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn a_reading_that_breaks_off_is_no_reading() {
    for (name, second) in [
        ("html", (|| Reply::html(200)) as fn() -> Reply),
        ("half", Reply::half),
        ("reset", || Reply::Reset),
        ("503", || refusal(503, "PGRST002")),
        ("circle", || page(&slots(2), "4")),
        ("unreadable", || Reply::Json(200, json!([{"id": id(9), "start_time": "soon"}]))),
    ] {
        let server =
            Server::start(move |number, _| if number == 0 { page(&slots(2), "4") } else { second() }).await;
        let error = platform(&server).await.slots(span(0, 600)).await.unwrap_err();
        assert!(error.may_pass(), "{name} {error:?}");
    }
}

#[tokio::test]
async fn a_row_that_ends_before_it_starts_takes_up_no_time() {
    let server = Server::start(|_, _| {
        let mut reversed = row(&slots(1)[0]);
        reversed["end_time"] = json!("2030-01-02T09:00:00+00:00");
        Reply::Json(200, json!([reversed]))
    })
    .await;
    // Its page says nothing of what is left, so the same page again is a circle and not an end.
    assert!(matches!(platform(&server).await.slots(span(0, 60)).await, Err(ServiceError::Garbled { .. })));
    let server = Server::start(|_, _| {
        let mut reversed = row(&slots(1)[0]);
        reversed["end_time"] = json!("2030-01-02T09:00:00+00:00");
        let body = json!([reversed]).to_string();
        Reply::with(200, "Content-Type: application/json\r\nContent-Range: 0-0/1\r\n", &body)
    })
    .await;
    assert_eq!(platform(&server).await.slots(span(0, 60)).await.unwrap(), []);
}

#[tokio::test]
async fn slots_are_made_two_hundred_at_a_time_open_and_under_their_ids() {
    let server = Server::start(|_, asked| all_made(asked)).await;
    let made = platform(&server).await.create_slots(&slots(450)).await.unwrap();
    assert_eq!(made, vec![SlotMade::Stands; 450]);
    let asked = server.asked();
    assert_eq!(asked.iter().map(|asked| sent(asked).len()).collect::<Vec<_>>(), [200, 200, 50]);
    let first = &asked[0];
    assert_eq!((first.method.as_str(), first.one("on_conflict")), ("POST", Some("id")));
    assert_eq!(first.header("prefer"), Some("return=representation,resolution=ignore-duplicates"));
    assert_eq!(
        first.json()[1],
        json!({"id": id(1), "provider_id": "v-1", "start_time": "2030-01-02T10:30:00+00:00",
            "end_time": "2030-01-02T11:00:00+00:00", "is_available": true, "slot_type": "regular"})
    );
    let server = Server::start(|_, _| Reply::Reset).await;
    assert_eq!(platform(&server).await.create_slots(&[]).await.unwrap(), []);
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_row_that_was_passed_over_stands_if_it_is_hers_and_is_not_ours_otherwise() {
    let server = Server::start(|_, asked| match asked.method.as_str() {
        "POST" => Reply::Json(201, json!([{"id": id(0)}])),
        // Ids that were asked about in capitals come back in small letters.
        _ => Reply::Json(200, json!([{"id": id(10)}])),
    })
    .await;
    let mut three = slots(11);
    three.drain(1..9);
    three[2].id = SlotId(id(10).0.to_uppercase());
    let made = platform(&server).await.create_slots(&three).await.unwrap();
    assert_eq!((&made[0], &made[2]), (&SlotMade::Stands, &SlotMade::Stands));
    assert!(matches!(made[1], SlotMade::Refused(ServiceError::Exists { .. })), "{made:?}");
    let look = &server.asked()[1];
    assert_eq!(look.one("provider_id"), Some("eq.v-1"));
    assert_eq!(look.one("id").map(str::to_owned), Some(format!("in.({},{})", three[1].id, three[2].id)));
}

#[tokio::test]
async fn what_stands_tells_which_rows_a_refusal_means() {
    // PostgREST gives this code another status in other versions.
    for status in [400, 409] {
        let server = Server::start(move |number, asked| match (number, asked.method.as_str()) {
            (0, _) => refusal(status, "23P01"),
            (_, "GET") => page(&[Slot { id: id(99), span: span(40, 50), open: true }], "1"),
            _ => all_made(asked),
        })
        .await;
        let made = platform(&server).await.create_slots(&slots(4)).await.unwrap();
        assert_eq!(made, [SlotMade::Stands, SlotMade::Overlaps, SlotMade::Stands, SlotMade::Stands]);
        let asked = server.asked();
        assert_eq!(asked.len(), 3);
        assert_eq!(asked[1].one("end_time"), Some("gt.2030-01-02T10:00:00+00:00"));
        assert_eq!(sent(&asked[2]), [id(0), id(2), id(3)].map(|id| id.0));
    }
}

/// A database that refuses every list with one of these ids, and shows nothing that stands in the way.
fn refusing(code: &'static str, bad: &'static [usize]) -> impl Fn(usize, &Asked) -> Reply {
    move |_, asked| match asked.method.as_str() {
        "GET" => page(&[], "0"),
        _ if sent(asked).iter().any(|sent| bad.iter().any(|&bad| *sent == id(bad).0)) => refusal(400, code),
        _ => all_made(asked),
    }
}

#[tokio::test]
async fn a_row_that_is_refused_for_no_reason_in_sight_is_found_by_halving() {
    let found = |made: &SlotMade, code: &str| match made {
        SlotMade::Overlaps => code == "23P01",
        SlotMade::Taken => code == "23505",
        SlotMade::Refused(ServiceError::Rejected { reason, .. }) => *reason == format!("says {code}"),
        SlotMade::Refused(_) | SlotMade::Stands => false,
    };
    for code in ["23P01", "23505", "23514", "22000", "P0001"] {
        let server = Server::start(refusing(code, &[7, 150])).await;
        let made = platform(&server).await.create_slots(&slots(200)).await.unwrap();
        for (place, made) in made.iter().enumerate() {
            let expected = [7, 150].contains(&place);
            assert_eq!(
                (found(made, code), *made == SlotMade::Stands),
                (expected, !expected),
                "{code} {place}"
            );
        }
        let requests = server.asked().len();
        assert!(requests < 64, "{code} {requests}");
    }
}

#[tokio::test]
async fn looking_for_refused_rows_ends() {
    let server = Server::start(|_, asked| match asked.method.as_str() {
        "GET" => page(&[], "0"),
        _ => refusal(400, "P0001"),
    })
    .await;
    let made = platform(&server).await.create_slots(&slots(1000)).await.unwrap();
    let refused = |made: &SlotMade| matches!(made, SlotMade::Refused(ServiceError::Rejected { .. }));
    assert!(made.len() == 1000 && made.iter().all(refused));
    let requests = server.asked().len();
    assert!(requests <= 5 + 64, "{requests}");
}

#[tokio::test]
async fn a_refusal_that_is_about_no_row_ends_the_call() {
    async fn check(reply: fn() -> Reply, expected: fn(&ServiceError) -> bool) {
        let server = Server::start(move |_, _| reply()).await;
        let platform = platform(&server).await;
        let error = platform.create_slots(&slots(3)).await.unwrap_err();
        assert!(expected(&error), "create {error:?}");
        let error = platform.slots(span(0, 60)).await.unwrap_err();
        assert!(expected(&error), "read {error:?}");
        let error = platform.remove_slot(&slots(1)[0]).await.unwrap_err();
        assert!(expected(&error), "remove {error:?}");
        assert_eq!(server.asked().len(), 3, "nothing is tried again");
    }
    let unknown = |error: &ServiceError| error.outcome_unknown();
    check(|| Reply::Reset, unknown).await;
    check(|| Reply::html(200), unknown).await;
    check(Reply::half, unknown).await;
    check(|| refusal(500, "57014"), unknown).await;
    check(|| Reply::html(502), unknown).await;
    let limited = |error: &ServiceError| matches!(error, ServiceError::RateLimited { .. });
    check(|| Reply::Json(429, json!({"message": "API rate limit exceeded"})), limited).await;
    check(|| refusal(403, "42501"), |error| matches!(error, ServiceError::Forbidden { .. })).await;
    let rejected = |error: &ServiceError| matches!(error, ServiceError::Rejected { .. });
    check(|| refusal(400, "PGRST204"), rejected).await;
    check(|| refusal(409, "23503"), rejected).await;
    // A table that is not found, or a page that is not one, does not tell that a slot is gone.
    check(|| refusal(404, "PGRST205"), rejected).await;
    check(|| Reply::html(404), rejected).await;
    check(|| Reply::Json(410, json!({})), rejected).await;
}

#[tokio::test]
async fn a_slot_is_removed_only_as_it_was_seen() {
    let slot = slots(1).remove(0);
    let told = slot.clone();
    let server = Server::start(move |_, _| Reply::Json(200, json!([row(&told)]))).await;
    platform(&server).await.remove_slot(&slot).await.unwrap();
    let asked = server.asked();
    assert_eq!((asked.len(), asked[0].method.as_str()), (1, "DELETE"));
    let mut filters = asked[0].query.clone();
    filters.retain(|(name, _)| name != "select");
    filters.sort();
    let expected = [
        ("end_time", "eq.2030-01-02T10:30:00+00:00"),
        ("id", &format!("eq.{}", slot.id)),
        ("is_available", "is.true"),
        ("provider_id", "eq.v-1"),
        ("start_time", "eq.2030-01-02T10:00:00+00:00"),
    ];
    assert_eq!(filters, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(asked[0].header("prefer"), Some("return=representation"));
    for (there, expected) in [
        (vec![], ServiceError::Gone { service: "Bookiji".into() }),
        (vec![row(&Slot { open: false, ..slot.clone() })], ServiceError::Stale { service: "Bookiji".into() }),
    ] {
        let server = Server::start(move |_, asked| {
            let nothing = asked.method == "DELETE";
            Reply::Json(200, if nothing { json!([]) } else { json!(there) })
        })
        .await;
        assert_eq!(platform(&server).await.remove_slot(&slot).await, Err(expected));
        assert_eq!(server.asked().len(), 2);
    }
}

#[tokio::test]
async fn microseconds_are_kept_where_a_slot_has_them() {
    let start: Timestamp = "2030-01-02T10:00:00.000123Z".parse().unwrap();
    let slot = Slot { span: Interval::new(start, at(30)).unwrap(), id: id(0), open: true };
    let told = slot.clone();
    let server = Server::start(move |_, _| page(std::slice::from_ref(&told), "1")).await;
    let platform = platform(&server).await;
    assert_eq!(platform.slots(span(0, 60)).await.unwrap(), std::slice::from_ref(&slot));
    platform.remove_slot(&slot).await.unwrap();
    assert_eq!(server.asked()[1].one("start_time"), Some("eq.2030-01-02T10:00:00.000123+00:00"));
}

#[tokio::test]
async fn without_a_database_slots_say_so_and_nothing_else_suffers() {
    let server = Server::start(|_, _| {
        Reply::Json(200, json!({"ok": true, "data": {"bookings": [], "has_more": false}}))
    })
    .await;
    let platform = Bookiji::new(stack(), server.base(), signed_in().await);
    let error = platform.slots(span(0, 60)).await.unwrap_err();
    assert!(!error.may_pass() && error.to_string().contains("supabase"), "{error}");
    assert_eq!(platform.create_slots(&slots(1)).await.unwrap_err(), error);
    assert_eq!(platform.remove_slot(&slots(1)[0]).await.unwrap_err(), error);
    assert!(server.asked().is_empty());
    platform.bookings(None).await;
    assert_eq!(server.asked().len(), 1);
}
