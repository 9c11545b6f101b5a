//! The HTTP stack: what it makes of answers that are none.

use std::time::Duration;

use connectors::http::{BODY_CAP, Budget, Counters, Http, Method, Peer, Request, Timeouts};
use serde_json::{Value, json};
use sync::error::ServiceError;
use url::Url;

use crate::server::{Reply, Server, stack};

async fn ask(server: &Server) -> Result<Value, ServiceError> {
    let request = Request::new(Peer::Google, Method::GET, "/things", server.base().at(&["things"]));
    let answer = stack().send(request).await?;
    if answer.status.is_success() { answer.json() } else { Err(answer.refused(&Default::default())) }
}

#[track_caller]
fn garbled(result: Result<Value, ServiceError>) {
    assert!(matches!(result, Err(ServiceError::Garbled { .. })), "{result:?}");
}

#[tokio::test]
async fn an_answer_that_is_not_what_it_should_be_is_garbled() {
    for lie in [
        || Reply::html(200),
        Reply::half,
        || Reply::with(200, "Content-Type: application/json\r\n", "{\"items\":"),
        || Reply::with(200, "Content-Type: application/json\r\n", "<html>"),
        || Reply::with(200, "Content-Type: text/plain\r\n", "{}"),
        || Reply::with(302, "Location: https://example.com/\r\n", ""),
        || Reply::Raw("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}".into()),
    ] {
        let server = Server::start(move |_, _| lie()).await;
        garbled(ask(&server).await);
    }
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let claimed = BODY_CAP * 4;
    let server = Server::start(move |_, _| {
        Reply::Raw(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}",
            " ".repeat(claimed)
        ))
    })
    .await;
    garbled(ask(&server).await);
}

#[tokio::test]
async fn a_small_pack_that_unpacks_without_end_is_not_unpacked_to_its_end() {
    let mut pack = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..BODY_CAP * 8 / (1024 * 1024) {
        std::io::Write::write_all(&mut pack, &vec![b' '; 1024 * 1024]).unwrap();
    }
    let pack = pack.finish().unwrap();
    assert!(pack.len() < BODY_CAP / 50, "small as it is sent: {}", pack.len());
    let server = Server::start(move |_, asked| {
        assert!(asked.header("accept-encoding").unwrap().contains("br"), "packed answers are welcome");
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
            pack.len()
        );
        Reply::Bytes([head.as_bytes(), &pack].concat())
    })
    .await;
    let error = ask(&server).await.unwrap_err();
    assert!(
        matches!(&error, ServiceError::Garbled { reason, .. } if reason.contains("larger than 16 MB")),
        "{error}"
    );
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    let other = Server::start(|_, _| Reply::Json(200, json!({}))).await;
    let location = format!("Location: {}things\r\n", other.url);
    let server = Server::start(move |_, _| Reply::with(307, &location, "")).await;
    garbled(ask(&server).await);
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn a_server_that_is_not_there_or_hangs_up_is_unreachable() {
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap()
    };
    let request = Request::new(Peer::Google, Method::GET, "/", gone);
    let error = stack().send(request).await.err().unwrap();
    assert!(
        matches!(&error, ServiceError::Unreachable { reason, .. } if reason.contains("refused")),
        "{error}"
    );

    let server = Server::start(|_, _| Reply::Reset).await;
    let error = ask(&server).await.unwrap_err();
    assert!(matches!(error, ServiceError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_silent_server_is_left_after_a_while() {
    let server = Server::start(|_, _| Reply::Silence).await;
    let timeouts = Timeouts { silence: Duration::from_millis(50), ..Timeouts::default() };
    let http = Http::new(Counters::default(), timeouts).unwrap();
    let request = Request::new(Peer::Google, Method::GET, "/", server.url.clone());
    let error = http.send(request).await.err().unwrap();
    assert!(
        matches!(&error, ServiceError::Unreachable { reason, .. } if reason.contains("no answer")),
        "{error}"
    );
}

#[tokio::test]
async fn whatever_a_server_holds_back_a_request_ends_by_its_deadline() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let timeouts = Timeouts {
        silence: Duration::from_millis(200),
        whole: Duration::from_millis(700),
        ..Timeouts::default()
    };
    let drip = |head: &str, every| Reply::Drip(format!("{HEAD}{head}"), "5\r\n[1,2,\r\n", every);
    type Case = (&'static str, fn(&dyn Fn(&str, Duration) -> Reply) -> Reply);
    let cases: [Case; 5] = [
        ("accepts and says nothing", |_| Reply::Silence),
        ("sends half a head", |_| Reply::Drip("HTTP/1.1 2".to_owned(), "", Duration::from_secs(60))),
        ("sends a head and no body", |_| {
            Reply::Drip(format!("{HEAD}Content-Length: 9\r\n\r\n"), "", Duration::from_secs(60))
        }),
        ("sends a piece now and then", |drip| {
            drip("Transfer-Encoding: chunked\r\n\r\n", Duration::from_millis(150))
        }),
        ("never ends", |drip| drip("Transfer-Encoding: chunked\r\n\r\n", Duration::from_millis(5))),
    ];
    for (what, reply) in cases {
        let server = Server::start(move |_, _| reply(&drip)).await;
        let http = Http::new(Counters::default(), timeouts).unwrap();
        let request = Request::new(Peer::Google, Method::GET, "/", server.url.clone());
        let began = std::time::Instant::now();
        let error = http.send(request).await.err().unwrap();
        assert!(began.elapsed() < Duration::from_secs(3), "{what}: {:?}", began.elapsed());
        assert!(
            matches!(error, ServiceError::Unreachable { .. } | ServiceError::Failing { .. }),
            "{what}: {error:?}"
        );
        assert!(error.may_pass() && error.outcome_unknown(), "{what}");
    }
}

#[tokio::test]
async fn the_time_of_an_answer_is_heard_and_a_wrong_clock_shows() {
    let server = Server::start(|_, _| {
        Reply::with(200, "Content-Type: application/json\r\nDate: Mon, 01 Jan 2001 00:00:00 GMT\r\n", "{}")
    })
    .await;
    let http = stack();
    assert_eq!(http.skew().estimate(), None);
    http.send(Request::new(Peer::Google, Method::GET, "/", server.url.clone())).await.unwrap();
    assert!(http.skew().estimate().unwrap().as_hours() < -24 * 365 * 20);
}

#[tokio::test]
async fn statuses_say_what_to_do_next() {
    async fn check(status: u16, headers: &str, expected: fn(&ServiceError) -> bool) {
        let headers = headers.to_owned();
        let server = Server::start(move |_, _| Reply::with(status, &headers, "")).await;
        let error = ask(&server).await.unwrap_err();
        assert!(expected(&error), "{status} {error:?}");
    }
    check(429, "Retry-After: 7\r\n", |error| {
        matches!(error, ServiceError::RateLimited { retry_after: Some(wait), .. } if wait.as_secs() == 7)
    })
    .await;
    check(429, "", |error| matches!(error, ServiceError::RateLimited { retry_after: None, .. })).await;
    check(503, "Retry-After: 9\r\n", |error| matches!(error, ServiceError::RateLimited { .. })).await;
    check(503, "", |error| matches!(error, ServiceError::Failing { .. })).await;
    check(504, "Retry-After: 9\r\n", |error| {
        error.outcome_unknown() && error.retry_after().is_some_and(|wait| wait.as_secs() == 9)
    })
    .await;
    check(500, "", |error| matches!(error, ServiceError::Failing { .. })).await;
    check(412, "", |error| matches!(error, ServiceError::Stale { .. })).await;
    check(404, "", |error| matches!(error, ServiceError::Gone { .. })).await;
    check(418, "", |error| matches!(error, ServiceError::Rejected { .. })).await;
}

#[tokio::test]
async fn requests_are_counted_by_whom_they_went_to() {
    let server = Server::start(|_, _| Reply::Json(200, json!({}))).await;
    let http = stack();
    for peer in [Peer::Google, Peer::Google, Peer::BookijiAuth] {
        http.send(Request::new(peer, Method::GET, "/", server.url.clone())).await.unwrap();
    }
    let expected = [("bookiji_auth".to_owned(), 1), ("google".to_owned(), 2)].into();
    assert_eq!(http.counters().snapshot(), expected);
    assert_eq!(http.counters().reset(), expected);
    assert!(http.counters().snapshot().is_empty());
}

#[tokio::test]
async fn the_calls_of_two_profiles_come_out_of_one_budget_and_are_counted_apart() {
    let server = Server::start(|_, _| Reply::Json(200, json!({}))).await;
    let one = stack().with_bookiji_budget(Budget::a_minute(6));
    let two = one.beside();
    let call = |route| Request::new(Peer::Bookiji, Method::GET, route, server.base().at(&["things"]));
    for http in [&one, &two] {
        http.send(call("/api/vendor/bookings")).await.unwrap();
        http.send(call("/rest/v1/availability_slots")).await.unwrap();
    }
    let third = one.send(call("/api/vendor/bookings"));
    assert!(
        tokio::time::timeout(Duration::from_millis(300), third).await.is_err(),
        "two went at once, of six"
    );
    assert_eq!(server.asked().len(), 4);
    assert_eq!((one.counters().snapshot()["bookiji"], two.counters().snapshot()["bookiji"]), (2, 2));
}
