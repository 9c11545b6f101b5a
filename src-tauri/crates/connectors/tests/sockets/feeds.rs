//! Calendar links against servers that do as they please: what is taken, what is refused, and who is never asked.

use std::io::Write;
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use connectors::http::{Counters, Network};
use connectors::ics::{self, Fetcher, Limits, Lookup, system_names};
use connectors::vault::{Memory, SecretName, Vault};
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use secrecy::SecretString;
use sync::booking::Draft;
use sync::error::ServiceError;
use sync::ids::{ConnectionId, Cursor, Service};
use sync::ports::{Account, Calendar, Coverage, Reading, RemoteEvent};

use crate::server::{Asked, Reply, Server};

const TWO: &str = "BEGIN:VCALENDAR\r\nX-WR-CALNAME:School\r\nREFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n\
    BEGIN:VEVENT\r\nUID:a\r\nDTSTART:20261201T100000Z\r\nDTEND:20261201T110000Z\r\nEND:VEVENT\r\n\
    BEGIN:VEVENT\r\nUID:b\r\nDTSTART:20261202T100000Z\r\nDTEND:20261202T110000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

type Taken = Reading<RemoteEvent, sync::ids::RemoteId>;

/// A link in a vault, and what reads it.
struct Linked {
    account: ics::Account,
    counters: Counters,
    vault: Arc<Memory>,
    secret: SecretName,
}

impl Linked {
    async fn with(link: &str, limits: Limits, names: Lookup) -> Self {
        let counters = Counters::default();
        let fetcher = Fetcher::new(counters.clone(), limits, names).unwrap();
        let vault = Arc::new(Memory::default());
        let secret = SecretName::connection(&ConnectionId::of(Service::Ics, link));
        vault.put(&secret, &SecretString::from(link)).await.unwrap();
        let account = ics::Account::new(fetcher, vault.clone(), secret.clone(), "the-host", &[]);
        Self { account, counters, vault, secret }
    }

    async fn to(server: &Server) -> Self {
        Self::with(&link(server), Limits::default(), system_names()).await
    }

    fn calendar(&self) -> Box<dyn Calendar> {
        self.account.calendar(&ics::REMOTE.into())
    }

    async fn read(&self, cursor: Option<&Cursor>) -> Taken {
        self.calendar().read(cursor, Timestamp::UNIX_EPOCH).await
    }
}

fn link(server: &Server) -> String {
    server.url.join("feed/s3cret.ics?key=s3cret").unwrap().to_string()
}

fn calendar(headers: &str, body: &str) -> Reply {
    Reply::with(200, &format!("Content-Type: text/calendar\r\n{headers}"), body)
}

/// A reading of everything: the events' ids and where the next one starts.
#[track_caller]
fn snapshot(reading: Taken) -> (Vec<String>, Cursor) {
    let Reading::Snapshot { items, coverage: Coverage::Everything, cursor: Some(cursor) } = reading else {
        panic!("{reading:?}")
    };
    (items.into_iter().map(|item| item.id.0).collect(), cursor)
}

#[track_caller]
fn unchanged(reading: Taken) -> Cursor {
    let Reading::Delta { changed, removed, cursor } = reading else { panic!("{reading:?}") };
    assert_eq!((changed.len(), removed.len()), (0, 0));
    cursor
}

#[track_caller]
fn partial(reading: Taken) -> Vec<String> {
    let Reading::Partial { items, reason } = reading else { panic!("{reading:?}") };
    assert!(matches!(reason, ServiceError::Garbled { .. }), "{reason}");
    items.into_iter().map(|item| item.id.0).collect()
}

/// Why a reading failed, in words that hold nothing of the link but its host.
#[track_caller]
fn failed(reading: Taken) -> ServiceError {
    let Reading::Failed(error) = reading else { panic!("{reading:?}") };
    let told = format!("{error} {error:?}");
    assert!(!told.contains("s3cret") && !told.contains("feed/"), "{told}");
    error
}

async fn one(reply: impl Fn() -> Reply + Send + Sync + 'static) -> Taken {
    let server = Server::start(move |_, _| reply()).await;
    Linked::to(&server).await.read(None).await
}

#[tokio::test]
async fn a_feed_is_read_whole_once_and_then_asked_whether_it_changed() {
    let server = Server::start(|_, asked: &Asked| match asked.header("if-none-match") {
        Some("W/\"one\"") => Reply::Raw("HTTP/1.1 304 Not Modified\r\n\r\n".into()),
        _ => calendar("ETag: W/\"one\"\r\nLast-Modified: Sun, 22 Nov 2026 12:00:00 GMT\r\n", TWO),
    })
    .await;
    let linked = Linked::to(&server).await;
    let (ids, cursor) = snapshot(linked.read(None).await);
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(unchanged(linked.read(Some(&cursor)).await), cursor);

    let asked = server.asked();
    assert_eq!((asked[0].header("if-none-match"), asked[0].header("if-modified-since")), (None, None));
    assert_eq!(asked[1].header("if-modified-since"), Some("Sun, 22 Nov 2026 12:00:00 GMT"));
    assert!(asked[0].header("accept-encoding").is_some_and(|accepted| accepted.contains("gzip")));
    assert!(asked[0].header("user-agent").is_some_and(|agent| agent.starts_with("BookijiCompanion/")));
    assert_eq!(linked.calendar().rhythm(Some(&cursor)), Some(Duration::from_secs(3600)));
    assert_eq!(linked.calendar().rhythm(None), None);
    assert_eq!(linked.counters.snapshot(), [("feeds".to_owned(), 2)].into());
    assert!(!cursor.as_str().contains("s3cret"), "{cursor}");
}

#[tokio::test]
async fn the_bytes_decide_whether_it_changed_and_not_the_tag() {
    let server = Server::start(|number, _| match number {
        0 => calendar("ETag: \"one\"\r\n", TWO),
        1 => calendar("ETag: \"two\"\r\n", TWO),
        _ => calendar("ETag: \"two\"\r\n", &TWO.replace("UID:b", "UID:c")),
    })
    .await;
    let linked = Linked::to(&server).await;
    let (_, first) = snapshot(linked.read(None).await);
    let second = unchanged(linked.read(Some(&first)).await);
    assert_ne!(second, first);
    let (ids, _) = snapshot(linked.read(Some(&second)).await);
    assert_eq!(ids, ["a", "c"]);
    assert_eq!(server.asked()[2].header("if-none-match"), Some("\"two\""));
    let (ids, _) = snapshot(linked.read(Some(&Cursor("from another version".into()))).await);
    assert_eq!((ids.len(), server.asked()[3].header("if-none-match")), (2, None));
}

#[tokio::test]
async fn nothing_changed_is_no_answer_to_who_knows_nothing() {
    let not_modified = || Reply::Raw("HTTP/1.1 304 Not Modified\r\n\r\n".into());
    assert!(matches!(failed(one(not_modified).await), ServiceError::Garbled { .. }));
    let server = Server::start(move |n, _| if n == 0 { calendar("", TWO) } else { not_modified() }).await;
    let linked = Linked::to(&server).await;
    let (_, cursor) = snapshot(linked.read(None).await);
    assert!(matches!(failed(linked.read(Some(&cursor)).await), ServiceError::Garbled { .. }));
}

#[tokio::test]
async fn what_is_no_calendar_fails_and_says_what_it_is() {
    for (body, word) in [
        ("<html><form>Sign in</form></html>", "web page"),
        ("<!doctype html><pre>\nBEGIN:VCALENDAR\nEND:VCALENDAR\n</pre>", "web page"),
        ("{\"error\":\"not found\"}", "JSON"),
        ("", "empty"),
        ("%PDF-1.7", "PDF"),
        ("BEGIN:VCARD\r\nEND:VCARD\r\n", "contacts"),
        ("no such calendar", "BEGIN:VCALENDAR"),
        ("MZ\u{1}\u{2}", "program"),
    ] {
        let error = failed(one(move || calendar("", body)).await);
        assert!(matches!(error, ServiceError::NotACalendar { .. }), "{body}: {error:?}");
        assert!(error.to_string().contains(word) && !error.may_pass(), "{body}: {error}");
    }
}

#[tokio::test]
async fn a_calendar_is_one_whatever_its_server_calls_it() {
    for kind in ["text/html", "text/plain; charset=utf-8", "application/octet-stream", "nonsense"] {
        let reply = move || Reply::with(200, &format!("Content-Type: {kind}\r\n"), TWO);
        assert_eq!(snapshot(one(reply).await).0.len(), 2, "{kind}");
    }
    assert_eq!(snapshot(one(|| Reply::with(200, "", TWO)).await).0.len(), 2);
    let empty = || calendar("", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n");
    assert_eq!(snapshot(one(empty).await).0.len(), 0, "an empty calendar is a calendar");
}

#[tokio::test]
async fn a_body_that_breaks_off_anywhere_is_half_a_reading_of_whole_events() {
    let from = TWO.find("UID:b").unwrap() + 30;
    let half = &TWO[..from];
    let length = TWO.len();
    let cut = [
        format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{half}"),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{half}\r\n", half.len()),
        // No length at all: only the calendar itself can tell.
        format!("HTTP/1.1 200 OK\r\n\r\n{half}"),
        // A length that is too small.
        format!("HTTP/1.1 200 OK\r\nContent-Length: {from}\r\n\r\n{TWO}"),
        // The last END is there, and the connection promised more.
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", length + 9, &TWO[..length - 17]),
    ];
    for (number, answer) in cut.into_iter().enumerate() {
        let ids = partial(one(move || Reply::Raw(answer.clone())).await);
        let whole_events: &[&str] = if number == 4 { &["a", "b"] } else { &["a"] };
        assert_eq!(ids, whole_events, "{number}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_before_it_says_what_it_is_is_garbled_and_may_pass() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n<ht";
    let error = failed(one(move || Reply::Raw(answer.into())).await);
    assert!(error.may_pass(), "{error:?}");
    let nothing = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n";
    assert!(failed(one(move || Reply::Raw(nothing.into())).await).may_pass());
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

fn packed(bytes: &[u8]) -> Reply {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", bytes.len());
    Reply::Bytes([head.as_bytes(), bytes].concat())
}

#[tokio::test]
async fn a_packed_feed_is_unpacked_and_half_a_pack_is_half_a_reading() {
    let whole = gzip(TWO.as_bytes());
    let reply = whole.clone();
    assert_eq!(snapshot(one(move || packed(&reply)).await).0, ["a", "b"]);
    let twice = gzip(&whole);
    assert!(matches!(failed(one(move || packed(&twice)).await), ServiceError::NotACalendar { .. }));
    let broken = whole[..whole.len() - 12].to_vec();
    match one(move || packed(&broken)).await {
        Reading::Partial { items, .. } => assert!(items.len() <= 2),
        other => assert!(failed(other).may_pass()),
    }
    assert!(failed(one(|| packed(b"no pack at all")).await).may_pass());
}

#[tokio::test]
async fn a_small_pack_that_unpacks_without_end_is_not_held() {
    let bomb = gzip(&vec![b' '; 64 * 1024 * 1024]);
    assert!(bomb.len() < 300_000, "{}", bomb.len());
    let error = failed(one(move || packed(&bomb)).await);
    assert!(matches!(&error, ServiceError::Rejected { reason, .. } if reason.contains("32 MB")), "{error:?}");
}

#[tokio::test]
async fn an_endless_body_is_left_at_the_limit_and_a_slow_one_when_the_time_is_up() {
    let limits = Limits {
        bytes: 1024 * 1024,
        silence: Duration::from_millis(400),
        whole: Duration::from_millis(1500),
        ..Limits::default()
    };
    let head = "HTTP/1.1 200 OK\r\n\r\nBEGIN:VCALENDAR\r\n";
    let piece = "X-FILL:................................................................\r\n";
    let endless = Server::start(move |_, _| Reply::Raw(format!("{head}{}", piece.repeat(100_000)))).await;
    let error = failed(Linked::with(&link(&endless), limits, system_names()).await.read(None).await);
    assert!(matches!(&error, ServiceError::Rejected { reason, .. } if reason.contains("1 MB")), "{error:?}");

    let slow = Server::start(move |_, _| Reply::Drip(head.into(), piece, Duration::from_millis(20))).await;
    let error = failed(Linked::with(&link(&slow), limits, system_names()).await.read(None).await);
    assert!(
        matches!(&error, ServiceError::Rejected { reason, .. } if reason.contains("had not sent")),
        "{error:?}"
    );

    let silent = Server::start(|_, _| Reply::Silence).await;
    let error = failed(Linked::with(&link(&silent), limits, system_names()).await.read(None).await);
    assert!(matches!(&error, ServiceError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn endless_headers_are_left() {
    let head = "HTTP/1.1 200 OK\r\n".to_owned();
    let server =
        Server::start(move |_, _| Reply::Drip(head.clone(), "X-More: and more\r\n", Duration::ZERO)).await;
    failed(Linked::to(&server).await.read(None).await);
}

#[tokio::test]
async fn statuses_say_what_becomes_of_the_connection() {
    async fn check(status: u16, headers: &'static str, expected: fn(&ServiceError) -> bool) {
        let error = failed(one(move || Reply::with(status, headers, "sorry")).await);
        assert!(expected(&error), "{status} {error:?}");
    }
    for status in [401, 403, 451] {
        check(status, "", |error| matches!(error, ServiceError::Forbidden { .. })).await;
    }
    for status in [404, 410] {
        check(status, "", |error| matches!(error, ServiceError::Gone { .. })).await;
    }
    for status in [429, 503, 504] {
        check(status, "Retry-After: 7\r\n", |error| error.retry_after() == Some(Duration::from_secs(7)))
            .await;
    }
    for status in [500, 502, 503, 408] {
        check(status, "", |error| matches!(error, ServiceError::Failing { .. })).await;
    }
    check(400, "", |error| matches!(error, ServiceError::Rejected { .. })).await;
    for status in [201, 206, 300, 305, 600] {
        check(status, "", |error| matches!(error, ServiceError::Garbled { .. })).await;
    }
    let error = failed(one(|| Reply::Reset).await);
    assert!(matches!(error, ServiceError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn redirects_are_followed_up_to_five_and_no_further() {
    for status in [301, 302, 303, 307, 308] {
        let server = Server::start(move |number, _| match number {
            0..5 => Reply::with(status, &format!("Location: /hop/{number}\r\n"), ""),
            _ => calendar("", TWO),
        })
        .await;
        assert_eq!(snapshot(Linked::to(&server).await.read(None).await).0.len(), 2, "{status}");
        assert_eq!(server.asked().len(), 6);
    }
    for location in ["/hop/{n}", "/feed/s3cret.ics?key=s3cret"] {
        let server = Server::start(move |number, _| {
            let location = location.replace("{n}", &number.to_string());
            Reply::with(301, &format!("Location: {location}\r\n"), "")
        })
        .await;
        let error = failed(Linked::to(&server).await.read(None).await);
        assert!(
            matches!(&error, ServiceError::Rejected { reason, .. } if reason.contains("more than 5")),
            "{error}"
        );
        assert_eq!(server.asked().len(), 6);
    }
    let error = failed(one(|| Reply::with(302, "", "")).await);
    assert!(matches!(error, ServiceError::Garbled { .. }), "{error:?}");
}

#[tokio::test]
async fn a_redirect_leads_to_no_private_address_to_no_plain_http_and_to_no_other_scheme() {
    let inside = TcpListener::bind("127.0.0.1:0").unwrap();
    inside.set_nonblocking(true).unwrap();
    let port = inside.local_addr().unwrap().port();
    for location in [
        "file:///etc/hostname".to_owned(),
        "ftp://files.example/s3cret".to_owned(),
        "webcal://calendars.example/s3cret".to_owned(),
        "http://calendars.example/s3cret".to_owned(),
        "http://169.254.169.254/latest/meta-data/s3cret".to_owned(),
        "https://169.254.169.254/s3cret".to_owned(),
        format!("http://[::ffff:127.0.0.1]:{port}/s3cret"),
        format!("https://[::ffff:127.0.0.1]:{port}/s3cret"),
        format!("https://[::1]:{port}/s3cret"),
        format!("https://[64:ff9b::7f00:1]:{port}/s3cret"),
        format!("http://localhost:{port}/s3cret"),
        format!("https://localhost:{port}/s3cret"),
        format!("http://127.0.0.2:{port}/s3cret"),
        format!("https://127.0.0.2:{port}/s3cret"),
        format!("https://0.0.0.0:{port}/s3cret"),
        format!("https://10.0.0.1:{port}/s3cret"),
        format!("https://router:{port}/s3cret"),
        format!("http://me:s3cret@127.0.0.1:{port}/"),
    ] {
        let shown = location.clone();
        let reading = one(move || Reply::with(302, &format!("Location: {location}\r\n"), "")).await;
        let error = failed(reading);
        assert!(matches!(error, ServiceError::Rejected { .. }), "{shown}: {error:?}");
        assert!(inside.accept().is_err(), "{shown} was asked");
    }
}

fn names(addresses: &'static [&'static str]) -> Lookup {
    Arc::new(move |_| {
        let found: Vec<IpAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        Box::pin(std::future::ready(Ok(found)))
    })
}

#[tokio::test]
async fn a_public_name_that_resolves_inside_is_not_asked_however_it_resolves() {
    let inside = TcpListener::bind("127.0.0.1:0").unwrap();
    inside.set_nonblocking(true).unwrap();
    let port = inside.local_addr().unwrap().port();
    let link = format!("https://calendars.example:{port}/feed/s3cret");
    let answers: [&'static [&'static str]; 12] = [
        &["127.0.0.1"],
        &["127.0.0.1", "10.0.0.1", "::1"],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["64:ff9b::7f00:1"],
        &["169.254.169.254"],
        &["192.168.0.1"],
        &["100.64.0.1"],
        &["fd00::1"],
        &["fe80::1"],
        &["0.0.0.0", "::"],
        &["224.0.0.1", "ff02::1"],
    ];
    for addresses in answers {
        let error = failed(Linked::with(&link, Limits::default(), names(addresses)).await.read(None).await);
        assert!(
            matches!(&error, ServiceError::Rejected { reason, .. } if reason.contains("private network")),
            "{addresses:?}: {error:?}"
        );
        assert!(inside.accept().is_err(), "{addresses:?}");
    }
}

#[tokio::test]
async fn a_redirect_from_her_own_host_to_a_name_that_resolves_inside_is_refused_too() {
    let inside = TcpListener::bind("127.0.0.1:0").unwrap();
    inside.set_nonblocking(true).unwrap();
    let location =
        format!("Location: https://calendars.example:{}/\r\n", inside.local_addr().unwrap().port());
    let server = Server::start(move |_, _| Reply::with(302, &location, "")).await;
    let linked = Linked::with(&link(&server), Limits::default(), names(&["127.0.0.1"])).await;
    let error = failed(linked.read(None).await);
    assert!(matches!(error, ServiceError::Rejected { .. }), "{error:?}");
    assert!(inside.accept().is_err());
}

#[tokio::test]
async fn a_name_is_looked_up_anew_for_every_connection_and_judged_every_time() {
    let inside = TcpListener::bind("127.0.0.1:0").unwrap();
    inside.set_nonblocking(true).unwrap();
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = asked.clone();
    // Harmless at first sight, and inside at the second.
    let turning: Lookup = Arc::new(move |_| {
        let first = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
        let found = if first { Vec::new() } else { vec![IpAddr::from([127, 0, 0, 1])] };
        Box::pin(std::future::ready(Ok(found)))
    });
    let link = format!("https://calendars.example:{}/", inside.local_addr().unwrap().port());
    let linked = Linked::with(&link, Limits::default(), turning).await;
    for _ in 0..3 {
        failed(linked.read(None).await);
    }
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 3);
    assert!(inside.accept().is_err());
}

#[tokio::test]
async fn a_private_name_that_she_typed_is_asked_but_not_where_nothing_can_be() {
    let inside = TcpListener::bind("127.0.0.1:0").unwrap();
    inside.set_nonblocking(true).unwrap();
    let port = inside.local_addr().unwrap().port();
    let limits = Limits {
        silence: Duration::from_millis(300),
        whole: Duration::from_millis(600),
        ..Limits::default()
    };
    let link = format!("https://nas.local:{port}/feed/s3cret");
    failed(Linked::with(&link, limits, names(&["127.0.0.1"])).await.read(None).await);
    assert!(inside.accept().is_ok(), "she typed it, so it is asked");
    let error = failed(Linked::with(&link, limits, names(&["0.0.0.0"])).await.read(None).await);
    assert!(matches!(error, ServiceError::Rejected { .. }), "{error:?}");
    assert!(inside.accept().is_err());

    let server = Server::start(|_, _| calendar("", TWO)).await;
    let link = format!("webcal://localhost:{}/feed/s3cret", server.url.port().unwrap());
    let linked = Linked::with(&link, Limits::default(), names(&["127.0.0.1"])).await;
    assert_eq!(snapshot(linked.read(None).await).0.len(), 2);
}

#[tokio::test]
async fn validators_go_to_the_address_they_came_from_and_nothing_of_one_host_to_another() {
    let last = Server::start(|_, asked: &Asked| match asked.header("if-none-match") {
        Some(_) => Reply::Raw("HTTP/1.1 304 Not Modified\r\n\r\n".into()),
        None => calendar("ETag: \"last\"\r\nSet-Cookie: a=s3cret\r\n", TWO),
    })
    .await;
    let other = Server::start(|_, _| calendar("ETag: \"other\"\r\n", TWO)).await;
    let (to_last, to_other) = (last.url.join("x").unwrap(), other.url.join("x").unwrap());
    let first = Server::start(move |number, _| {
        let to = if number < 2 { &to_last } else { &to_other };
        Reply::with(302, &format!("Location: {to}\r\nETag: \"first\"\r\nSet-Cookie: a=s3cret\r\n"), "")
    })
    .await;
    let linked = Linked::to(&first).await;
    let (_, cursor) = snapshot(linked.read(None).await);
    unchanged(linked.read(Some(&cursor)).await);
    unchanged(linked.read(Some(&cursor)).await);
    assert_eq!((first.asked().len(), last.asked().len(), other.asked().len()), (3, 2, 1));
    assert_eq!(last.asked()[1].header("if-none-match"), Some("\"last\""));
    for asked in first.asked().iter().chain(&other.asked()) {
        assert_eq!(asked.header("if-none-match"), None);
    }
    for asked in first.asked().iter().chain(&last.asked()).chain(&other.asked()) {
        assert!(["cookie", "referer", "authorization"].iter().all(|name| asked.header(name).is_none()));
    }
}

#[tokio::test]
async fn a_locked_vault_is_waited_for_and_a_lost_link_must_be_connected_again() {
    let server = Server::start(|_, _| calendar("", TWO)).await;
    let linked = Linked::to(&server).await;
    linked.vault.set_locked(true);
    assert!(matches!(failed(linked.read(None).await), ServiceError::VaultUnavailable { .. }));
    linked.vault.set_locked(false);
    snapshot(linked.read(None).await);
    linked.vault.delete(&linked.secret).await.unwrap();
    let error = failed(linked.read(None).await);
    assert!(matches!(error, ServiceError::SignInExpired { .. }), "{error:?}");
    linked.vault.put(&linked.secret, &SecretString::from("http://calendars.example/s3cret")).await.unwrap();
    assert!(matches!(failed(linked.read(None).await), ServiceError::SignInExpired { .. }));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_feed_is_one_calendar_that_blocks_and_is_never_written() {
    let server = Server::start(|_, _| calendar("", TWO)).await;
    let linked = Linked::to(&server).await;
    let listed = linked.account.calendars().await.unwrap();
    let [entry] = listed.as_slice() else { panic!("{listed:?}") };
    assert_eq!((entry.name.as_str(), entry.writable, entry.ours), ("School", false, false));
    let calendar = linked.calendar();
    let draft = draft();
    let refusals = [
        linked.account.create_calendar("x", "UTC", &"v".into()).await.err(),
        calendar.create(&draft).await.err(),
        calendar.update(&draft.id, &"e".into(), &draft).await.err(),
        calendar.delete(&draft.id, &"e".into()).await.err(),
        calendar.probe(&draft.id).await.err(),
    ];
    for refusal in refusals {
        let refusal = refusal.unwrap();
        assert!(refusal.to_string().contains("can only be read"), "{refusal}");
    }
}

fn draft() -> Draft {
    Draft {
        booking: "b".into(),
        vendor: "v".into(),
        checksum: String::new(),
        id: "i".into(),
        uid: calendar::event::Uid("u".to_owned()),
        generation: 0,
        start: Timestamp::UNIX_EPOCH,
        end: Timestamp::UNIX_EPOCH,
        title: String::new(),
        description: String::new(),
        times_only: false,
        remember: None,
    }
}

#[tokio::test]
async fn a_proxy_that_she_names_is_asked_for_public_names_and_for_none_inside() {
    // What goes through it is sealed: it hears where to, and says no.
    let proxy = Server::start(|_, _| Reply::with(502, "", "")).await;
    let home = Server::start(|_, _| calendar("", TWO)).await;
    let network = Network::default().behind(&proxy.url).unwrap();
    let names: Lookup = Arc::new(|name| {
        Box::pin(async move {
            match name.as_str() {
                "public.example" => Ok(vec![IpAddr::from([93, 184, 215, 14])]),
                "inside.example" => Ok(vec![IpAddr::from([10, 0, 0, 1])]),
                "half.example" => Ok(vec![IpAddr::from([93, 184, 215, 14]), IpAddr::from([10, 0, 0, 1])]),
                _ => Err(std::io::ErrorKind::NotFound.into()),
            }
        })
    });
    let fetcher = Fetcher::through(&network, Counters::default(), Limits::default(), names).unwrap();
    let asked = async |link: &str| {
        let before = proxy.asked().len();
        let vault = Arc::new(Memory::default());
        let secret = SecretName::connection(&ConnectionId::of(Service::Ics, link));
        vault.put(&secret, &SecretString::from(link)).await.unwrap();
        let account = ics::Account::new(fetcher.clone(), vault, secret, "the-host", &[]);
        let reading = account.calendar(&ics::REMOTE.into()).read(None, Timestamp::UNIX_EPOCH).await;
        (proxy.asked().len() > before, matches!(reading, Reading::Failed(_)))
    };
    for through in ["https://public.example/a.ics", "https://only-the-proxy-knows.example/a.ics"] {
        assert_eq!(asked(through).await, (true, true), "{through}");
    }
    for inside in
        ["https://inside.example/a.ics", "https://half.example/a.ics", "https://printer.local/a.ics"]
    {
        assert_eq!(asked(inside).await, (false, true), "{inside}");
    }
    assert_eq!(asked(&link(&home)).await, (false, false), "the host that she typed is asked by itself");
}
