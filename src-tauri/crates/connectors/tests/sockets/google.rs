//! Google's adapter: what it asks, and what it makes of true and false answers.

use std::time::Duration;

use calendar::busy::{BusyRules, Placed, place};
use calendar::event::{Answer, End, Kind, Status, Transparency, When};
use calendar::interval::Interval;
use calendar::zone::Zone;
use connectors::google::GoogleAccount;
use connectors::http::Budget;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use sync::booking::Draft;
use sync::error::ServiceError;
use sync::ids::{Cursor, ETag, RemoteId, Service};
use sync::ports::{Account, Calendar, Coverage, Marker, Probe, Reading, RemoteEvent};
use tokio::time::timeout;

use crate::booked;
use crate::server::{Asked, Reply, Server, signed_in, stack};

const CALENDAR: &str = "her#own@group.calendar.google.com";

async fn account(server: &Server) -> GoogleAccount {
    GoogleAccount::new(stack(), server.base(), signed_in().await).for_vendor(&"v-1".into())
}

async fn calendar(server: &Server) -> Box<dyn Calendar> {
    account(server).await.calendar(&CALENDAR.into())
}

fn since() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn draft() -> Draft {
    booked::draft("b-1", Service::Google, CALENDAR, 2)
}

fn event(id: &str) -> Value {
    json!({
        "id": id, "etag": "\"1\"", "status": "confirmed", "iCalUID": format!("{id}@google.com"),
        "start": {"dateTime": "2026-01-20T11:00:00+01:00", "timeZone": "Europe/Paris"},
        "end": {"dateTime": "2026-01-20T12:00:00+01:00", "timeZone": "Europe/Paris"},
    })
}

/// Reads one page with these items.
async fn read(items: Value) -> Vec<RemoteEvent> {
    let server = Server::start(move |_, _| {
        Reply::Json(200, json!({"items": items, "timeZone": "Europe/Paris", "nextSyncToken": "s1"}))
    })
    .await;
    match calendar(&server).await.read(None, since()).await {
        Reading::Snapshot { items, .. } => items,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_first_reading_is_whole_and_asks_the_same_of_every_page() {
    let server = Server::start(|number, _| {
        Reply::Json(
            200,
            match number {
                0 => json!({"items": [event("a")], "nextPageToken": "p2"}),
                // Pages may be empty, and an event may come twice.
                1 => json!({"items": [], "nextPageToken": "p3"}),
                _ => json!({"items": [event("a"), event("b"),
                    {"id": "dead", "status": "cancelled"}], "nextSyncToken": "s1"}),
            },
        )
    })
    .await;
    let reading = calendar(&server).await.read(None, since()).await;
    let Reading::Snapshot { items, coverage, cursor } = reading else { panic!("{reading:?}") };
    assert_eq!(items.iter().map(|item| item.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(coverage, Coverage::EndingAfter(since()));
    assert_eq!(cursor, Some(Cursor::from("s1")));
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    for (number, page) in asked.iter().enumerate() {
        assert_eq!(page.path, "/calendar/v3/calendars/her%23own@group.calendar.google.com/events");
        assert_eq!(page.one("singleEvents"), Some("false"));
        assert_eq!(page.one("showDeleted"), Some("true"));
        assert_eq!(page.one("maxResults"), Some("2500"));
        assert_eq!(page.all("eventTypes"), ["default", "focusTime", "fromGmail", "outOfOffice"]);
        assert_eq!(page.one("timeMin"), Some("2026-01-01T00:00:00Z"));
        assert_eq!(page.one("pageToken"), [None, Some("p2"), Some("p3")][number]);
        assert_eq!(page.one("syncToken"), None);
        assert_eq!(page.header("authorization"), Some("Bearer token"));
    }
}

#[tokio::test]
async fn a_later_reading_sends_its_token_with_every_page_and_no_time() {
    let server = Server::start(|number, _| {
        Reply::Json(
            200,
            match number {
                0 => json!({"items": [event("a")], "nextPageToken": "p2"}),
                _ => {
                    json!({"items": [{"id": "a", "status": "cancelled"}, event("b")], "nextSyncToken": "s2"})
                }
            },
        )
    })
    .await;
    let reading = calendar(&server).await.read(Some(&"s1".into()), since()).await;
    let Reading::Delta { changed, removed, cursor } = reading else { panic!("{reading:?}") };
    assert_eq!(changed.iter().map(|item| item.id.as_str()).collect::<Vec<_>>(), ["b"]);
    assert_eq!(removed, [RemoteId::from("a")], "what came last counts");
    assert_eq!(cursor.as_str(), "s2");
    for page in server.asked() {
        assert_eq!(page.one("syncToken"), Some("s1"));
        assert_eq!(page.one("timeMin"), None);
        assert_eq!(page.one("showDeleted"), Some("true"));
    }
}

#[tokio::test]
async fn a_forgotten_cursor_is_told_apart_from_a_calendar_that_is_gone() {
    for reply in [
        json!({"error": {"code": 410, "errors": [{"domain": "calendar", "reason": "fullSyncRequired"}]}}),
        json!({}),
    ] {
        let server = Server::start(move |_, _| Reply::Json(410, reply.clone())).await;
        let reading = calendar(&server).await.read(Some(&"s1".into()), since()).await;
        assert_eq!(reading, Reading::CursorLost);
        // Of a calendar that is read anew it proves nothing, and no busy times are asked for in its place.
        let reading = calendar(&server).await.read(None, since()).await;
        assert!(matches!(reading, Reading::Failed(ServiceError::Garbled { .. })), "{reading:?}");
        assert!(server.asked().iter().all(|asked| asked.method == "GET"));
    }
    let server = Server::start(|_, _| {
        Reply::Json(400, json!({"error": {"errors": [{"reason": "invalid", "location": "syncToken"}]}}))
    })
    .await;
    assert_eq!(calendar(&server).await.read(Some(&"s1".into()), since()).await, Reading::CursorLost);
    let server = Server::start(|_, _| Reply::Json(404, json!({"error": {"message": "Not Found"}}))).await;
    let reading = calendar(&server).await.read(Some(&"s1".into()), since()).await;
    assert!(matches!(reading, Reading::Failed(ServiceError::Gone { .. })), "{reading:?}");
}

#[tokio::test]
async fn a_reading_that_breaks_off_is_never_taken_for_a_whole_one() {
    for (name, second) in [
        ("half", Reply::half as fn() -> Reply),
        ("html", || Reply::html(200)),
        ("reset", || Reply::Reset),
        ("5xx", || Reply::html(502)),
        ("circle", || Reply::Json(200, json!({"items": [], "nextPageToken": "p2"}))),
        ("no token", || Reply::Json(200, json!({"items": []}))),
        ("no list", || Reply::Json(200, json!({}))),
        ("other list", || Reply::Json(200, json!([1, 2]))),
        ("nameless", || Reply::Json(200, json!({"items": [{"status": "confirmed"}], "nextSyncToken": "s"}))),
    ] {
        let server = Server::start(move |number, _| match number {
            0 => Reply::Json(200, json!({"items": [event("a")], "nextPageToken": "p2"})),
            _ => second(),
        })
        .await;
        for cursor in [None, Some(Cursor::from("s1"))] {
            let reading = calendar(&server).await.read(cursor.as_ref(), since()).await;
            if cursor.is_none() {
                let Reading::Partial { items, reason } = reading else { panic!("{name} {reading:?}") };
                assert_eq!(items.len(), 1, "{name}");
                assert!(reason.may_pass(), "{name} {reason}");
            } else {
                assert!(
                    matches!(reading, Reading::Partial { .. } | Reading::Failed(_)),
                    "{name} {reading:?}"
                );
            }
        }
    }
    let server = Server::start(|_, _| Reply::html(200)).await;
    let reading = calendar(&server).await.read(None, since()).await;
    assert!(matches!(reading, Reading::Failed(ServiceError::Garbled { .. })), "{reading:?}");
}

#[tokio::test]
async fn endless_pages_end() {
    let server = Server::start(|number, _| {
        Reply::Json(200, json!({"items": [], "nextPageToken": format!("p{number}")}))
    })
    .await;
    let reading = calendar(&server).await.read(None, since()).await;
    assert!(matches!(reading, Reading::Partial { .. }), "{reading:?}");
    assert!(server.asked().len() <= 200);
}

#[tokio::test]
async fn a_single_event_is_an_instant_and_a_series_keeps_its_wall_clock() {
    let mut series = event("m");
    series["recurrence"] = json!(["RRULE:FREQ=WEEKLY", "EXDATE;TZID=Europe/Paris:20260127T110000"]);
    // Google writes the offset of the calendar's zone, whatever the event's own.
    series["start"] = json!({"dateTime": "2026-01-20T05:00:00-05:00", "timeZone": "Europe/Paris"});
    let mut moved = event("m_20260203T100000Z");
    moved["recurringEventId"] = json!("m");
    moved["originalStartTime"] = json!({"dateTime": "2026-02-03T11:00:00+01:00", "timeZone": "Europe/Paris"});
    let skipped = json!({"id": "m_20260210T100000Z", "status": "cancelled", "recurringEventId": "m",
        "originalStartTime": {"dateTime": "2026-02-10T10:00:00Z"}});
    let events = read(json!([event("single"), series, moved, skipped])).await;
    let by = |id: &str| &events.iter().find(|event| event.id.as_str() == id).unwrap().event;

    let instant: Timestamp = "2026-01-20T10:00:00Z".parse().unwrap();
    assert_eq!(by("single").start, When::Utc(instant));
    assert_eq!(by("single").end, End::At(When::Utc("2026-01-20T11:00:00Z".parse().unwrap())));
    assert_eq!(by("single").uid.0, "single@google.com");

    let paris = Zone::Iana("Europe/Paris".into());
    let wall = "2026-01-20T11:00:00".parse().unwrap();
    assert_eq!(by("m").start, When::Zoned { wall, zone: paris });
    assert_eq!(by("m").series_key(), "m");
    assert_eq!(by("m").recurrence.rules, ["FREQ=WEEKLY"]);
    assert_eq!(by("m").recurrence.except_dates.len(), 1);

    assert_eq!(by("m_20260203T100000Z").series_key(), "m");
    assert_eq!(by("m_20260203T100000Z").instance, Some(When::Utc("2026-02-03T10:00:00Z".parse().unwrap())));

    let skipped = by("m_20260210T100000Z");
    assert_eq!(skipped.status, Status::Cancelled);
    assert_eq!(skipped.series_key(), "m");
    assert_eq!(skipped.instance, Some(When::Utc("2026-02-10T10:00:00Z".parse().unwrap())));
}

#[tokio::test]
async fn everything_that_decides_whether_an_event_blocks_is_read() {
    let mut a = event("a");
    a["attendees"] = json!([{"email": "x", "responseStatus": "accepted"},
        {"email": "her", "self": true, "responseStatus": "declined"}]);
    let mut b = event("b");
    b["transparency"] = json!("transparent");
    b["status"] = json!("tentative");
    let mut c = event("c");
    c["eventType"] = json!("outOfOffice");
    let mut d = event("d");
    d["start"] = json!({"date": "2026-01-20"});
    d["end"] = json!({"date": "2026-01-22"});
    d["eventType"] = json!("a type of next year");
    d["extendedProperties"] = json!({"private": {"bookijiBooking": "b-1", "bookijiGeneration": "3"}});
    let events = read(json!([a, b, c, d])).await;
    assert_eq!(events[0].event.answer, Some(Answer::Declined));
    assert_eq!(events[1].event.transparency, Transparency::Transparent);
    assert_eq!(events[1].event.status, Status::Tentative);
    assert_eq!(events[2].event.kind, Kind::OutOfOffice);
    assert_eq!(events[3].event.kind, Kind::Ordinary);
    assert_eq!(events[3].event.start, When::Date("2026-01-20".parse().unwrap()));
    assert_eq!(events[3].event.end, End::At(When::Date("2026-01-22".parse().unwrap())));
    assert_eq!(events[3].marker, Some(Marker { booking: "b-1".into(), generation: 3 }));
    assert_eq!(events[0].marker, None);
}

fn place_in_january(event: &RemoteEvent) -> Placed {
    let window = Interval::new(since(), "2026-02-01T00:00:00Z".parse().unwrap()).unwrap();
    place(std::slice::from_ref(&event.event), &BusyRules::default(), window, &TimeZone::UTC)
}

#[tokio::test]
async fn an_event_that_cannot_be_read_stays_and_blocks_what_it_may() {
    let mut no_end = event("a");
    no_end["end"] = json!({"dateTime": "later"});
    let mut wrong_types = event("b");
    wrong_types["summary"] = json!(7);
    wrong_types["attendees"] = json!("nobody");
    let mut strange_zone = event("c");
    strange_zone["recurrence"] = json!(["RRULE:FREQ=DAILY"]);
    strange_zone["start"]["timeZone"] = json!("Mars/Olympus");
    let mut mixed = event("d");
    mixed["end"] = json!({"date": "2026-01-21"});
    let no_time = json!({"id": "e", "status": "confirmed"});
    let events = read(json!([no_end, wrong_types, strange_zone, mixed, no_time, event("f")])).await;
    assert_eq!(events.len(), 6);
    let unknown =
        |index: usize| matches!(&events[index].event.start, When::Zoned { zone: Zone::Unknown(_), .. });
    assert!(unknown(0) && unknown(2) && unknown(3) && unknown(4), "{events:?}");
    assert_eq!(events[0].event.end, End::Lasting { days: 1, seconds: 0 });
    let mut bad_rule = event("g");
    bad_rule["recurrence"] = json!(["RRULE:FREQ=WEEKLY", "RDATE:soon"]);
    let bad_rule = read(json!([bad_rule])).await.remove(0);
    // Each blocks its day and says so. The one without any time has no day; it is kept and logged.
    for event in [&events[0], &events[2], &events[3], &bad_rule] {
        let placed = place_in_january(event);
        assert!(!placed.withheld.is_empty(), "{event:?}");
        let blocked = placed.occurrences.iter().filter_map(|occurrence| occurrence.blocks);
        let meant: Timestamp = "2026-01-20T10:30:00Z".parse().unwrap();
        assert!(blocked.into_iter().any(|block| block.start() <= meant && meant < block.end()), "{placed:?}");
    }
    assert_eq!(events[1].event.start, events[5].event.start, "a wrong type elsewhere does not cost the time");
    assert_eq!(events[1].etag.as_str(), "\"1\"");
}

#[tokio::test]
async fn an_event_is_created_under_our_id_with_our_mark_and_without_attendees() {
    let server = Server::start(|_, asked: &Asked| {
        let mut echo = asked.json();
        echo["etag"] = json!("\"7\"");
        echo["status"] = json!("confirmed");
        Reply::Json(200, echo)
    })
    .await;
    let draft = draft();
    let stored = calendar(&server).await.create(&draft).await.unwrap();
    assert_eq!(stored.id, draft.id);
    assert_eq!(stored.etag.as_str(), "\"7\"");
    assert_eq!(stored.marker, Some(Marker { booking: "b-1".into(), generation: 2 }));
    assert_eq!(stored.event.start, When::Utc(draft.start));
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.one("sendUpdates")), ("POST", Some("none")));
    assert_eq!(
        asked.json(),
        json!({
            "id": draft.id.as_str(),
            "summary": "Booking: Haircut",
            "description": "Booking ID: b-1",
            "start": {"dateTime": "2026-01-20T10:00:00Z", "timeZone": "UTC"},
            "end": {"dateTime": "2026-01-20T11:00:00Z", "timeZone": "UTC"},
            "extendedProperties": {"private": {"bookijiBooking": "b-1", "bookijiGeneration": "2"}},
        })
    );
}

#[tokio::test]
async fn a_change_goes_out_with_its_precondition_and_says_no_more_than_the_draft() {
    let server = Server::start(|_, _| Reply::Json(200, event("a"))).await;
    let calendar = calendar(&server).await;
    let mut draft = draft();
    calendar.update(&"a".into(), &"\"1\"".into(), &draft).await.unwrap();
    draft.times_only = true;
    calendar.update(&"a".into(), &"\"1\"".into(), &draft).await.unwrap();
    let asked = server.asked();
    assert_eq!((asked[0].method.as_str(), asked[0].header("if-match")), ("PATCH", Some("\"1\"")));
    assert_eq!(asked[0].json()["summary"], "Booking: Haircut");
    let keys: Vec<_> = asked[1].json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["end", "start"]);
    // Without a precondition nothing is sent at all.
    for etag in ["", "\n"] {
        let refused = calendar.update(&"a".into(), &ETag::from(etag), &draft).await;
        assert!(matches!(refused, Err(ServiceError::Stale { .. })));
        assert!(matches!(
            calendar.delete(&"a".into(), &ETag::from(etag)).await,
            Err(ServiceError::Stale { .. })
        ));
    }
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_deletion_is_guarded_and_what_is_gone_is_gone() {
    let server = Server::start(|number, _| match number {
        0 => Reply::with(204, "", ""),
        1 => Reply::Json(410, json!({"error": {"errors": [{"reason": "deleted"}]}})),
        2 => Reply::Json(404, json!({"error": {"errors": [{"reason": "notFound"}]}})),
        _ => Reply::Json(412, json!({"error": {"errors": [{"reason": "conditionNotMet"}]}})),
    })
    .await;
    let calendar = calendar(&server).await;
    let delete = || async { calendar.delete(&"a".into(), &"\"1\"".into()).await };
    assert_eq!(delete().await, Ok(()));
    assert!(matches!(delete().await, Err(ServiceError::Gone { .. })));
    assert!(matches!(delete().await, Err(ServiceError::Gone { .. })));
    assert!(matches!(delete().await, Err(ServiceError::Stale { .. })));
    assert_eq!(server.asked()[0].header("if-match"), Some("\"1\""));
    assert_eq!(server.asked()[0].one("sendUpdates"), Some("none"));
}

#[tokio::test]
async fn a_probe_tells_live_burnt_and_absent_apart() {
    let server = Server::start(|number, _| match number {
        0 => Reply::Json(200, event("a")),
        1 => Reply::Json(200, json!({"id": "a", "status": "cancelled"})),
        2 => Reply::Json(404, json!({})),
        3 => Reply::Json(410, json!({})),
        _ => Reply::html(200),
    })
    .await;
    let calendar = calendar(&server).await;
    let probe = || async { calendar.probe(&"a".into()).await };
    assert!(matches!(probe().await, Ok(Probe::Live(event)) if event.id.as_str() == "a"));
    assert_eq!(probe().await, Ok(Probe::Burnt));
    assert_eq!(probe().await, Ok(Probe::Absent));
    assert_eq!(probe().await, Ok(Probe::Burnt));
    assert!(matches!(probe().await, Err(ServiceError::Garbled { .. })));
}

#[tokio::test]
async fn the_sorts_of_refusal_are_told_apart() {
    async fn check(status: u16, reason: &str, expected: fn(&ServiceError) -> bool) {
        let body = json!({"error": {"code": status, "message": "M", "errors": [{"reason": reason}]}});
        let server = Server::start(move |_, _| Reply::Json(status, body.clone())).await;
        let error = calendar(&server).await.create(&draft()).await.unwrap_err();
        assert!(expected(&error), "{status} {reason} {error:?}");
    }
    let limited = |error: &ServiceError| matches!(error, ServiceError::RateLimited { .. });
    check(403, "userRateLimitExceeded", limited).await;
    check(403, "rateLimitExceeded", limited).await;
    check(429, "rateLimitExceeded", limited).await;
    check(403, "quotaExceeded", |error| {
        matches!(error, ServiceError::RateLimited { retry_after: Some(wait), .. } if wait.as_secs() == 3600)
    })
    .await;
    let for_an_hour = |error: &ServiceError| error.retry_after().is_some_and(|wait| wait.as_secs() == 3600);
    check(403, "dailyLimitExceeded", for_an_hour).await;
    check(429, "quotaExceeded", for_an_hour).await;
    check(429, "whatever", |error| error.may_pass() && error.retry_after().is_none()).await;
    check(403, "accessNotConfigured", |error| matches!(error, ServiceError::Forbidden { .. })).await;
    check(409, "conflict", |error| matches!(error, ServiceError::Failing { .. })).await;
    check(403, "insufficientPermissions", |error| matches!(error, ServiceError::Forbidden { .. })).await;
    check(403, "forbiddenForNonOrganizer", |error| matches!(error, ServiceError::Rejected { .. })).await;
    check(409, "duplicate", |error| matches!(error, ServiceError::Exists { .. })).await;
    check(400, "timeRangeEmpty", |error| matches!(error, ServiceError::Rejected { .. })).await;
    check(500, "backendError", |error| matches!(error, ServiceError::Failing { .. })).await;
    check(401, "authError", |error| matches!(error, ServiceError::SignInExpired { .. })).await;
}

#[tokio::test]
async fn an_account_that_may_change_nothing_for_now_is_read_and_sent_no_writes() {
    let server = Server::start(|_, asked| match asked.method.as_str() {
        "GET" => Reply::Json(200, json!({"items": [], "nextSyncToken": "s1"})),
        _ => Reply::Json(403, json!({"error": {"errors": [{"reason": "quotaExceeded"}]}})),
    })
    .await;
    let budget = Budget::a_minute(300);
    let calendar = || async { account(&server).await.within(budget.clone()).calendar(&CALENDAR.into()) };
    for _ in 0..3 {
        let refused = calendar().await.create(&draft()).await.unwrap_err();
        assert!(refused.retry_after().is_some_and(|wait| wait.as_secs() > 3590), "{refused:?}");
        assert!(matches!(calendar().await.read(None, since()).await, Reading::Snapshot { .. }));
    }
    let writes = server.asked().iter().filter(|asked| asked.method == "POST").count();
    assert_eq!(writes, 1, "asking again would only add to it");
}

#[tokio::test]
async fn an_account_that_asks_for_a_minute_is_sent_nothing_for_a_minute_by_any_of_its_calendars() {
    for (asked_for, sent) in [("60", 1), ("2", 3)] {
        let server = Server::start(move |_, _| {
            Reply::Raw(format!("HTTP/1.1 429 X\r\nRetry-After: {asked_for}\r\nContent-Length: 0\r\n\r\n"))
        })
        .await;
        let account = account(&server).await;
        for _ in 0..3 {
            let other = account.calendar(&CALENDAR.into());
            let Reading::Failed(error) = other.read(None, since()).await else { panic!("it was read") };
            let wait = error.retry_after().expect("how long");
            assert!(matches!(error, ServiceError::RateLimited { .. }) && wait.as_secs() >= 2, "{error:?}");
        }
        assert_eq!(server.asked().len(), sent, "what is short, each call waits out by itself");
    }
}

#[tokio::test]
async fn a_change_costs_three_calls_of_the_account_and_a_look_one() {
    let server = Server::start(|_, asked| match asked.method.as_str() {
        "GET" => Reply::Json(404, json!({})),
        _ => Reply::Json(412, json!({"error": {"errors": [{"reason": "conditionNotMet"}]}})),
    })
    .await;
    let budget = Budget::any_minute(4);
    let calendar = account(&server).await.within(budget.clone()).calendar(&CALENDAR.into());
    let free = || timeout(Duration::from_millis(20), budget.draw());
    assert_eq!(calendar.probe(&"e".into()).await.unwrap(), Probe::Absent);
    calendar.update(&"e".into(), &"\"1\"".into(), &draft()).await.unwrap_err();
    assert!(free().await.is_err(), "one and three are four");
}

#[tokio::test]
async fn calendars_are_listed_over_pages_and_ours_is_known_by_its_line() {
    let server = Server::start(|number, _| {
        Reply::Json(
            200,
            match number {
                0 => json!({"nextPageToken": "p2", "items": [
                    {"id": "v@example.com", "summary": "Vera", "primary": true, "accessRole": "owner",
                     "timeZone": "Europe/Paris"},
                    {"id": "new", "summary": "New", "accessRole": "a role of next year"},
                    {"summary": "no id"},
                ]}),
                _ => json!({"items": [
                    {"id": "ours", "summary": "Bookiji", "summaryOverride": "Work", "accessRole": "owner",
                     "description": "Words\nbookiji-companion:v-1\n"},
                    {"id": "theirs", "summary": "Bookiji", "accessRole": "writer",
                     "description": "bookiji-companion:v-10"},
                    {"id": "gone", "summary": "Gone", "deleted": true},
                ]}),
            },
        )
    })
    .await;
    let calendars = account(&server).await.calendars().await.unwrap();
    let told: Vec<_> = calendars
        .iter()
        .map(|c| (c.remote.as_str(), c.name.as_str(), c.writable, c.primary, c.ours))
        .collect();
    assert_eq!(
        told,
        [
            ("v@example.com", "Vera", true, true, false),
            ("new", "New", false, false, false),
            ("ours", "Work", true, false, true),
            ("theirs", "Bookiji", true, false, false),
        ]
    );
    assert_eq!(server.asked()[1].one("pageToken"), Some("p2"));
}

#[tokio::test]
async fn a_list_of_calendars_that_goes_in_circles_is_refused() {
    let server = Server::start(|_, _| Reply::Json(200, json!({"items": [], "nextPageToken": "p"}))).await;
    let error = account(&server).await.calendars().await.unwrap_err();
    assert!(matches!(error, ServiceError::Garbled { .. }), "{error}");
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_calendar_of_ours_is_made_with_the_line_it_is_known_by() {
    let server = Server::start(|_, asked: &Asked| {
        let mut made = asked.json();
        made["id"] = json!("new@group.calendar.google.com");
        Reply::Json(200, made)
    })
    .await;
    let made =
        account(&server).await.create_calendar("Bookiji", "Europe/Paris", &"v-1".into()).await.unwrap();
    assert!(made.ours && made.writable && !made.primary);
    assert_eq!(made.time_zone.as_deref(), Some("Europe/Paris"));
    let body = server.asked()[0].json();
    assert!(body["description"].as_str().unwrap().lines().any(|line| line == "bookiji-companion:v-1"));
}
