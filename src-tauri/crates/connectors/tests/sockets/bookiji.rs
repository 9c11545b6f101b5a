//! The platform's adapter and its sign-in.

use std::sync::{Arc, Mutex};

use calendar::interval::Interval;
use connectors::bookiji::rest::Rest;
use connectors::bookiji::{Bookiji, Interface, Site, Told};
use connectors::gotrue::{GoTrue, SignInError};
use connectors::tokens::{Refresh, Tokens};
use connectors::vault::{Memory, SecretName, Vault};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sync::booking::BookingStatus;
use sync::error::{Code, ServiceError};
use sync::ids::{BookingId, Cursor, Service};
use sync::ports::{BusyReceipt, BusySet, Coverage, Platform, Reading};

use crate::server::{Reply, Server, signed_in, stack};

async fn platform(server: &Server) -> Bookiji {
    Bookiji::new(stack(), server.base(), signed_in().await)
}

fn booking(id: &str) -> Value {
    json!({
        "id": id, "customer_id": "c", "provider_id": "v-1", "service_id": "s",
        "start_time": "2030-01-02T10:00:00+00:00", "end_time": "2030-01-02T11:00:00+00:00",
        "status": "pending", "total_amount": 50.0, "notes": null,
        "updated_at": "2029-12-30T09:47:12.388643+00:00", "state": "quoted",
        "customers": {"full_name": "Cust Omer", "email": "c@example.com", "phone": null},
        "services": {"name": "Haircut", "duration_minutes": 60},
    })
}

fn page(bookings: Value, next: Option<&str>, more: bool) -> Reply {
    Reply::Json(
        200,
        json!({"ok": true, "data": {"bookings": bookings, "next_cursor": next, "has_more": more,
            "server_time": "2030-01-01T00:00:00Z"}}),
    )
}

fn busy() -> BusySet {
    let at = |start: &str, end: &str| Interval::new(start.parse().unwrap(), end.parse().unwrap()).unwrap();
    BusySet {
        service: Service::Outlook,
        source: "cal-1".into(),
        window: at("2026-01-20T00:00:00Z", "2026-02-20T00:00:00Z"),
        intervals: vec![at("2026-01-20T10:00:00Z", "2026-01-20T11:00:00Z")],
        checksum: "sum".into(),
    }
}

#[tokio::test]
async fn the_first_reading_holds_every_booking_and_later_ones_what_changed() {
    let server = Server::start(|number, _| match number {
        0 => page(json!([booking("a")]), Some("c1"), true),
        1 => page(json!([booking("b")]), Some("c2"), false),
        _ => page(json!([booking("a")]), Some("c3"), false),
    })
    .await;
    let platform = platform(&server).await;
    let reading = platform.bookings(None).await;
    let Reading::Snapshot { items, coverage, cursor } = reading else { panic!("{reading:?}") };
    assert_eq!((items.len(), coverage, cursor), (2, Coverage::Everything, Some(Cursor::from("c2"))));
    assert_eq!(items[0].service_name.as_deref(), Some("Haircut"));
    assert_eq!(items[0].customer_name.as_deref(), Some("Cust Omer"));
    assert_eq!(items[0].customer_email.as_ref().map(|address| address.0.as_str()), Some("c@example.com"));
    assert!(!format!("{items:?}").contains("c@example.com"), "an address is in no log");
    assert_eq!(items[0].updated_at, "2029-12-30T09:47:12.388643+00:00", "microseconds are kept");
    assert_eq!(items[0].start, "2030-01-02T10:00:00Z".parse().unwrap());

    let reading = platform.bookings(Some(&"c2".into())).await;
    let Reading::Delta { changed, removed, cursor } = reading else { panic!("{reading:?}") };
    assert_eq!((changed.len(), removed.len(), cursor.as_str()), (1, 0, "c3"));
    let cursors: Vec<_> = server.asked().iter().map(|asked| asked.one("cursor").map(str::to_owned)).collect();
    assert_eq!(cursors, [None, Some("c1".into()), Some("c2".into())]);
}

#[tokio::test]
async fn nothing_new_keeps_the_cursor_we_have() {
    let server = Server::start(|_, _| page(json!([]), None, false)).await;
    let reading = platform(&server).await.bookings(Some(&"c2".into())).await;
    assert_eq!(reading, Reading::Delta { changed: vec![], removed: vec![], cursor: "c2".into() });
}

#[tokio::test]
async fn an_unreadable_booking_costs_neither_the_page_nor_its_event() {
    let server = Server::start(|_, _| {
        let mut bad = booking("bad");
        bad["start_time"] = json!("soon");
        let mut worse = booking("worse");
        worse["status"] = json!(["cancelled"]);
        page(json!([booking("a"), bad, booking("b"), worse]), Some("c1"), false)
    })
    .await;
    let reading = platform(&server).await.bookings(None).await;
    let Reading::Snapshot { items, .. } = reading else { panic!("{reading:?}") };
    let told: Vec<_> = items.iter().map(|booking| (booking.id.as_str(), booking.status.as_str())).collect();
    assert_eq!(told, [("a", "pending"), ("b", "pending"), ("bad", "unreadable"), ("worse", "unreadable")]);
    assert_eq!(items[3].start, items[0].start, "what can be read is kept");
}

#[tokio::test]
async fn a_booking_without_an_id_keeps_the_reading_from_being_whole() {
    let server = Server::start(|_, _| page(json!([booking("a"), {"status": "x"}]), Some("c1"), false)).await;
    for cursor in [None, Some(Cursor::from("c0"))] {
        let reading = platform(&server).await.bookings(cursor.as_ref()).await;
        let Reading::Partial { items, .. } = reading else { panic!("{reading:?}") };
        assert_eq!(items.len(), 1);
    }
}

#[tokio::test]
async fn signing_out_ends_this_session_and_a_session_that_is_gone_is_signed_out() {
    for status in [204, 401, 403, 404] {
        let server = Server::start(move |_, _| Reply::with(status, "", "")).await;
        let gotrue = GoTrue::new(stack(), server.base(), "key");
        assert_eq!(gotrue.sign_out(&"a1".into()).await, Ok(()), "{status}");
        let asked = &server.asked()[0];
        assert_eq!((asked.path.as_str(), asked.one("scope")), ("/auth/v1/logout", Some("local")));
        assert_eq!(asked.header("authorization"), Some("Bearer a1"));
    }
    let server = Server::start(|_, _| Reply::html(502)).await;
    let gotrue = GoTrue::new(stack(), server.base(), "key");
    assert!(matches!(gotrue.sign_out(&"a1".into()).await, Err(ServiceError::Failing { .. })));
}

#[tokio::test]
async fn a_status_of_next_year_is_kept() {
    let server = Server::start(|_, _| {
        let mut strange = booking("a");
        strange["status"] = json!("waitlisted");
        strange["customers"] = Value::Null;
        strange["services"] = Value::Null;
        page(json!([strange]), Some("c1"), false)
    })
    .await;
    let reading = platform(&server).await.bookings(None).await;
    let Reading::Snapshot { items, .. } = reading else { panic!("{reading:?}") };
    assert_eq!(items[0].status, BookingStatus::Other("waitlisted".into()));
    assert_eq!(items[0].service_name, None);
}

#[tokio::test]
async fn pages_that_break_off_or_go_in_circles_are_not_the_whole() {
    for (name, second) in [
        ("html", (|| Reply::html(200)) as fn() -> Reply),
        ("half", Reply::half),
        ("reset", || Reply::Reset),
        ("503", || Reply::Json(503, json!({"error": "down"}))),
        ("circle", || page(json!([]), Some("c1"), true)),
        ("no cursor", || page(json!([]), None, true)),
    ] {
        let server = Server::start(move |number, _| match number {
            0 => page(json!([booking("a")]), Some("c1"), true),
            _ => second(),
        })
        .await;
        let reading = platform(&server).await.bookings(None).await;
        let Reading::Partial { items, reason } = reading else { panic!("{name} {reading:?}") };
        assert!(items.len() == 1 && reason.may_pass(), "{name} {reason:?}");
    }
    let server =
        Server::start(|_, _| Reply::Json(410, json!({"code": "CURSOR_EXPIRED", "error": "x"}))).await;
    assert_eq!(platform(&server).await.bookings(Some(&"c".into())).await, Reading::CursorLost);
}

#[tokio::test]
async fn only_times_leave_the_machine_and_the_receipt_is_read() {
    let server = Server::start(|_, _| {
        Reply::Json(
            200,
            json!({"ok": true, "data": {"ingested": 1, "slots_closed": ["s1", "s2"], "slots_reopened": [],
                "conflicts": [{"booking_id": "b-1", "start_time": "x", "end_time": "y"}], "checksum": "sum"}}),
        )
    })
    .await;
    let receipt = platform(&server).await.put_busy(&busy()).await.unwrap();
    assert_eq!(
        receipt,
        BusyReceipt { slots_closed: 2, slots_reopened: 0, conflicts: vec![BookingId::from("b-1")] }
    );
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("PUT", "/api/vendor/calendar/busy"));
    assert!(asked.header("idempotency-key").is_some());
    assert_eq!(
        asked.json(),
        json!({
            "provider": "microsoft", "connection_id": "cal-1", "checksum": "sum",
            "window": {"start": "2026-01-20T00:00:00.000Z", "end": "2026-02-20T00:00:00.000Z"},
            "intervals": [{"external_id": "cal-1-1768903200000-1768906800000",
                "start": "2026-01-20T10:00:00.000Z", "end": "2026-01-20T11:00:00.000Z"}],
        })
    );
}

#[tokio::test]
async fn a_strange_version_that_health_alone_tells_stops_writing_until_it_tells_another() {
    let health = Arc::new(Mutex::new(json!({"status": "healthy", "contract": "2.3.0"})));
    let said = health.clone();
    let server = Server::start(move |_, asked| match asked.path.as_str() {
        "/api/health" => Reply::Json(200, said.lock().unwrap().clone()),
        "/api/vendor/calendar/busy" => Reply::Json(200, json!({"ok": true, "data": {}})),
        _ => page(json!([]), Some("c1"), false),
    })
    .await;
    let database = GoTrue::new(stack(), server.base(), "key").database(&"v-1".into());
    let tokens = signed_in().await;
    let rest = Rest::new(stack(), server.base(), tokens.clone(), database);
    let yesterday = Told::before(Interface::Contract, "2020-01-01T00:00:00Z".parse().unwrap());
    let site = Site::new(Bookiji::new(stack(), server.base(), tokens), rest, yesterday);
    for _ in 0..2 {
        let reading = site.bookings(None).await;
        assert!(matches!(reading, Reading::Failed(ServiceError::OtherContract { .. })), "{reading:?}");
        let refused = site.put_busy(&busy()).await.unwrap_err();
        assert!(refused.to_string().contains("version 2.3.0"), "{refused}");
        assert_eq!(refused.code(), Code::CalendarApiError);
        assert!(!refused.may_pass() && !refused.outcome_unknown());
    }
    assert!(server.asked().iter().all(|asked| asked.method == "GET"));
    // One that says nothing is one of before there was such a word.
    *health.lock().unwrap() = json!({"status": "healthy"});
    site.put_busy(&busy()).await.unwrap();
    let asked = server.asked().len();
    assert!(matches!(site.bookings(None).await, Reading::Snapshot { .. }));
    assert_eq!(server.asked().len(), asked + 1, "health is asked no more often than the rest");
}

#[tokio::test]
async fn refusals_are_told_apart_in_every_envelope() {
    async fn check(status: u16, body: Value, expected: fn(&ServiceError) -> bool) {
        let shown = body.clone();
        let server = Server::start(move |_, _| Reply::Json(status, body.clone())).await;
        let error = platform(&server).await.put_busy(&busy()).await.unwrap_err();
        assert!(expected(&error), "{status} {shown} {error:?}");
    }
    let off = |error: &ServiceError| matches!(error, ServiceError::SwitchedOff { .. });
    check(503, json!({"code": "SCHEDULING_DISABLED", "error": "off"}), off).await;
    check(403, json!({"ok": false, "code": "CALENDAR_SYNC_DISABLED", "message": "off"}), off).await;
    check(403, json!({"error": {"code": "CALENDAR_SYNC_DISABLED", "message": "off"}}), off).await;
    check(429, json!({"error": {"code": "X", "message": "slow", "retryAfter": 3}}), |error| {
        matches!(error, ServiceError::RateLimited { retry_after: Some(wait), .. } if wait.as_secs() == 3)
    })
    .await;
    check(
        403,
        json!({"error": "Forbidden"}),
        |error| matches!(error, ServiceError::Forbidden { reason, .. } if reason == "Forbidden"),
    )
    .await;
    check(
        409,
        json!({"success": false, "error": "CONFLICT_DETECTED", "message": "It overlaps"}),
        |error| matches!(error, ServiceError::Rejected { reason, .. } if reason == "It overlaps"),
    )
    .await;
    check(500, json!({"error": "boom"}), |error| matches!(error, ServiceError::Failing { .. })).await;
    check(401, json!({"error": "Unauthorized"}), |error| matches!(error, ServiceError::SignInExpired { .. }))
        .await;
}

fn session(refresh: &str) -> Value {
    json!({"access_token": "a1", "token_type": "bearer", "expires_in": 3600, "refresh_token": refresh,
        "user": {"id": "u-1", "email": "v@example.com"}})
}

#[tokio::test]
async fn signing_in_leads_to_the_vendor_and_stores_only_the_refresh_token() {
    let server = Server::start(|_, asked| match asked.path.as_str() {
        "/auth/v1/token" => Reply::Json(200, session("r1")),
        "/rest/v1/profiles" => Reply::Json(
            200,
            json!([{"id": "v-1", "full_name": "Vera", "email": "v@example.com", "role": "vendor",
                "timezone": "Europe/Paris"}]),
        ),
        _ => Reply::Json(200, json!({"ok": true, "data": {"bookings": [], "has_more": false}})),
    })
    .await;
    let gotrue = GoTrue::new(stack(), server.base(), "publishable");
    let session = gotrue.sign_in("v@example.com", &"pw".into()).await.unwrap();
    let vendor = gotrue.vendor(&session).await.unwrap();
    assert_eq!((vendor.id.as_str(), vendor.time_zone.as_str()), ("v-1", "Europe/Paris"));

    let vault = Arc::new(Memory::default());
    let tokens = Tokens::new(Arc::new(gotrue), vault.clone(), SecretName::bookiji());
    tokens.adopt(session.grant).await.unwrap();
    let stored = vault.get(&SecretName::bookiji()).await.unwrap().unwrap();
    assert_eq!(stored.expose_secret(), "r1");
    Bookiji::new(stack(), server.base(), tokens).bookings(None).await;

    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[0].one("grant_type"), Some("password"));
    assert_eq!(asked[0].json(), json!({"email": "v@example.com", "password": "pw"}));
    assert_eq!(asked[0].header("apikey"), Some("publishable"));
    assert_eq!(asked[1].one("auth_user_id"), Some("eq.u-1"));
    assert_eq!(asked[2].header("authorization"), Some("Bearer a1"));
}

#[tokio::test]
async fn a_wrong_password_is_no_other_trouble() {
    async fn check(reply: fn() -> Reply, code: Code, wrong: bool) {
        let server = Server::start(move |_, _| reply()).await;
        let gotrue = GoTrue::new(stack(), server.base(), "key");
        let error = gotrue.sign_in("v@example.com", &"pw".into()).await.unwrap_err();
        assert_eq!((error.code(), error == SignInError::WrongPassword), (code, wrong), "{error}");
    }
    check(
        || Reply::Json(400, json!({"code": 400, "error_code": "invalid_credentials", "msg": "No"})),
        Code::InvalidCredentials,
        true,
    )
    .await;
    check(
        || Reply::Json(400, json!({"error": "invalid_grant", "error_description": "No"})),
        Code::InvalidCredentials,
        true,
    )
    .await;
    check(
        || Reply::Json(400, json!({"error_code": "email_not_confirmed", "msg": "Confirm it"})),
        Code::CalendarApiError,
        false,
    )
    .await;
    check(|| Reply::html(200), Code::CalendarApiError, false).await;
    check(|| Reply::html(401), Code::CalendarApiError, false).await;
    check(|| Reply::Json(429, json!({})), Code::RateLimitExceeded, false).await;
    check(|| Reply::Reset, Code::NetworkError, false).await;
}

#[tokio::test]
async fn a_dead_refresh_token_is_told_apart_from_a_bad_day() {
    async fn check(reply: fn() -> Reply, dead: bool) {
        let server = Server::start(move |_, _| reply()).await;
        let gotrue = GoTrue::new(stack(), server.base(), "key");
        let error = gotrue.refresh(&SecretString::from("r0")).await.unwrap_err();
        assert_eq!(matches!(error, ServiceError::SignInExpired { .. }), dead, "{error:?}");
    }
    check(
        || Reply::Json(400, json!({"error_code": "refresh_token_not_found", "msg": "Invalid Refresh Token"})),
        true,
    )
    .await;
    check(|| Reply::Json(400, json!({"error": "invalid_grant", "error_description": "x"})), true).await;
    check(|| Reply::Json(403, json!({"error_code": "user_banned", "msg": "x"})), true).await;
    check(|| Reply::Json(400, json!({"code": 400, "msg": "Invalid Refresh Token: x"})), true).await;
    check(|| Reply::Json(400, json!({"error_code": "unexpected_failure", "msg": "x"})), false).await;
    check(|| Reply::html(400), false).await;
    check(|| Reply::html(401), false).await;
    check(|| Reply::Json(401, json!({"message": "Invalid API key"})), false).await;
    check(|| Reply::Json(503, json!({})), false).await;
    check(|| Reply::Json(200, json!({})), false).await;
    check(|| Reply::Reset, false).await;
}

#[tokio::test]
async fn a_customer_is_no_vendor() {
    for rows in [json!([]), json!([{"id": "c", "role": "customer"}])] {
        let server = Server::start(move |_, asked| match asked.path.as_str() {
            "/auth/v1/token" => Reply::Json(200, session("r1")),
            _ => Reply::Json(200, rows.clone()),
        })
        .await;
        let gotrue = GoTrue::new(stack(), server.base(), "key");
        let session = gotrue.sign_in("c@example.com", &"pw".into()).await.unwrap();
        let error = gotrue.vendor(&session).await.unwrap_err();
        assert!(matches!(error, ServiceError::Forbidden { .. }), "{error}");
    }
}

#[tokio::test]
async fn an_access_token_that_is_refused_is_renewed_once_and_then_she_must_sign_in() {
    let server = Server::start(|_, asked| match (asked.path.as_str(), asked.header("authorization")) {
        ("/auth/v1/token", _) => Reply::Json(
            200,
            json!({"access_token": "fresh", "expires_in": 3600,
            "refresh_token": "r2", "user": {"id": "u"}}),
        ),
        (_, Some("Bearer fresh")) => page(json!([]), Some("c1"), false),
        _ => Reply::Json(401, json!({"error": "Unauthorized"})),
    })
    .await;
    let vault = Arc::new(Memory::default());
    let gotrue = GoTrue::new(stack(), server.base(), "key");
    let tokens = Tokens::new(Arc::new(gotrue.clone()), vault.clone(), SecretName::bookiji());
    let mut session = gotrue.sign_in("v", &"pw".into()).await.unwrap();
    session.grant.access = "stale".into();
    tokens.adopt(session.grant).await.unwrap();
    let platform = Bookiji::new(stack(), server.base(), tokens);
    assert!(matches!(platform.bookings(None).await, Reading::Snapshot { .. }));
    let paths: Vec<_> = server.asked().iter().map(|asked| asked.path.clone()).collect();
    assert_eq!(paths, ["/auth/v1/token", "/api/vendor/bookings", "/auth/v1/token", "/api/vendor/bookings"]);
}
