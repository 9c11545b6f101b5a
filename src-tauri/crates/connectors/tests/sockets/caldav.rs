//! CalDAV's adapter against servers that misbehave, each in one way: what it asks of them, and what it makes of what
//! they say. How real servers behave is tried elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use connectors::caldav::nextcloud;
use connectors::caldav::{CaldavAccount, Dealings, Entry, FindError, Names, NoNames, Resolved, SignIn, find};
use connectors::http::{Counters, Http, Timeouts};
use connectors::vault::{Memory, SecretName, Vault};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sync::booking::Draft;
use sync::decide::says;
use sync::error::ServiceError;
use sync::ids::{Cursor, ETag, Service};
use sync::ports::{Account, Calendar, Coverage, Probe, Reading, RemoteEvent};

use crate::booked;
use crate::server::{Asked, Reply, Server, stack};

const CALENDAR: &str = "/cal/";

fn entry(server: &Server) -> Entry {
    Entry::parse(server.url.as_str(), true).unwrap()
}

async fn vault(secret: &SecretString) -> Arc<dyn Vault> {
    let vault = Memory::default();
    vault.put(&SecretName::bookiji(), secret).await.unwrap();
    Arc::new(vault)
}

/// An account that was linked before: nothing is left to be looked for.
async fn account_with(http: Http, server: &Server) -> CaldavAccount {
    let url = server.url.as_str();
    let stored = json!({"entry": url, "homes": [url], "username": "anna", "password": "s3cret"});
    let vault = vault(&SecretString::from(stored.to_string())).await;
    CaldavAccount::new(http, vault, SecretName::bookiji(), true).for_vendor(&"v-1".into(), "anna@example.com")
}

async fn calendar(server: &Server) -> Box<dyn Calendar> {
    account_with(stack(), server).await.calendar(&CALENDAR.into())
}

fn since() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn draft() -> Draft {
    booked::draft("b-1", Service::Caldav, CALENDAR, 0)
}

fn ics(uid: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//EN\nBEGIN:VEVENT\nUID:{uid}\nDTSTAMP:20260101T000000Z\n\
         DTSTART:20260120T100000Z\nDTEND:20260120T110000Z\nSUMMARY:x\nEND:VEVENT\nEND:VCALENDAR\n"
    )
}

fn multistatus(inside: &str) -> Reply {
    let body = format!(
        "<d:multistatus xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\" xmlns:s=\"http://calendarserver.org/ns/\">{inside}</d:multistatus>"
    );
    Reply::with(207, "Content-Type: application/xml\r\n", &body)
}

fn listed(names: &[&str]) -> String {
    let one = |name: &&str| {
        format!(
            "<d:response><d:href>/cal/{name}.ics</d:href><d:propstat><d:prop><d:getetag>\"{name}\"</d:getetag></d:prop>\
             <d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
        )
    };
    names.iter().map(one).collect()
}

fn gone(name: &str) -> String {
    format!(
        "<d:response><d:href>/cal/{name}.ics</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>"
    )
}

const MORE: &str =
    "<d:response><d:href>/cal/</d:href><d:status>HTTP/1.1 507 Insufficient Storage</d:status></d:response>";

fn page(inside: &str, token: &str) -> Reply {
    multistatus(&format!("{inside}<d:sync-token>{token}</d:sync-token>"))
}

/// The files that a multiget asks for, each with an event.
fn files(asked: &Asked) -> Reply {
    let names = asked.body.split("<d:href>/cal/").skip(1).map(|rest| rest.split(".ics").next().unwrap());
    let one = |name: &str| {
        format!(
            "<d:response><d:href>/cal/{name}.ics</d:href><d:propstat><d:prop><d:getetag>\"{name}\"</d:getetag>\
             <c:calendar-data>{}</c:calendar-data></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>",
            ics(name)
        )
    };
    multistatus(&names.map(one).collect::<String>())
}

fn is_multiget(asked: &Asked) -> bool {
    asked.body.contains("calendar-multiget")
}

fn token(asked: &Asked) -> &str {
    asked.body.split("<d:sync-token>").nth(1).unwrap().split("</").next().unwrap()
}

fn names(events: &[RemoteEvent]) -> Vec<&str> {
    events.iter().map(|event| event.id.as_str()).collect()
}

fn cursor(token: &str) -> Cursor {
    let reader = env!("CARGO_PKG_VERSION");
    Cursor(json!({"reader": reader, "at": {"token": token}}).to_string())
}

fn place(cursor: &Cursor) -> Value {
    serde_json::from_str(cursor.as_str()).unwrap()
}

#[tokio::test]
async fn pages_are_read_to_their_end_and_what_a_later_one_takes_back_is_not_there() {
    let server = Server::start(|_, asked| match asked {
        asked if is_multiget(asked) => files(asked),
        asked => match token(asked) {
            "" => page(&format!("{}{MORE}", listed(&["a", "b"])), "t1"),
            "t1" => page(&format!("{}{}{MORE}", gone("a"), listed(&["c"])), "t2"),
            _ => page(&listed(&["d"]), "t3"),
        },
    })
    .await;
    let Reading::Snapshot { items, coverage, cursor } = calendar(&server).await.read(None, since()).await
    else {
        panic!("it is whole")
    };
    assert_eq!(names(&items), ["b", "c", "d"]);
    assert_eq!(coverage, Coverage::Everything);
    assert_eq!(place(&cursor.unwrap())["at"]["token"], "t3");
    let first = &server.asked()[0];
    assert_eq!((first.method.as_str(), first.header("depth")), ("REPORT", Some("0")));
    assert_eq!(first.header("authorization"), Some("Basic YW5uYTpzM2NyZXQ="));
}

#[tokio::test]
async fn pages_that_go_round_or_break_off_are_half_a_reading_and_delete_nothing() {
    let round = Server::start(|_, asked| match asked {
        asked if is_multiget(asked) => files(asked),
        asked if token(asked) == "t0" => page(&format!("{}{}{MORE}", listed(&["a"]), gone("z")), "t1"),
        _ => page(MORE, "t0"),
    })
    .await;
    let broken = Server::start(|_, asked| match asked {
        asked if is_multiget(asked) => files(asked),
        asked if token(asked) == "t0" => page(&format!("{}{}{MORE}", listed(&["a"]), gone("z")), "t1"),
        _ => Reply::Reset,
    })
    .await;
    let endless = Server::start(|_, asked| match asked {
        asked if is_multiget(asked) => files(asked),
        _ => multistatus(&format!("{}{}", listed(&["a"]), gone("z"))),
    })
    .await;
    for server in [&round, &broken, &endless] {
        let read = calendar(server).await.read(Some(&cursor("t0")), since()).await;
        let Reading::Partial { items, .. } = read else { panic!("{read:?}") };
        assert_eq!(names(&items), ["a"]);
    }
}

#[tokio::test]
async fn every_way_to_say_that_the_token_is_unknown_is_a_lost_place_and_a_bare_403_is_not() {
    let said = "<d:error xmlns:d=\"DAV:\"><d:valid-sync-token/></d:error>";
    for (status, body, lost) in [
        (403, said, true),
        (409, said, true),
        (410, said, true),
        (410, "", true),
        (418, "", true),
        (412, "", true),
        (400, "", true),
        (403, "", false),
        (503, "", false),
        (404, "", false),
    ] {
        let server = Server::start(move |_, _| Reply::with(status, "", body)).await;
        let read = calendar(&server).await.read(Some(&cursor("t0")), since()).await;
        assert_eq!(read == Reading::CursorLost, lost, "{status} {body}: {read:?}");
        assert!(lost || matches!(read, Reading::Failed(_)), "{status}: {read:?}");
        assert_eq!(server.asked().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn what_is_no_answer_is_a_failed_reading_in_bounded_time() {
    let whole = "<d:multistatus xmlns:d=\"DAV:\"><d:response><d:href>/cal/a.ics</d:href></d:response>";
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><d:multistatus xmlns:d=\"DAV:\">&a;</d:multistatus>";
    let xml = "Content-Type: application/xml\r\n";
    for (what, reply) in [
        ("truncated", Reply::with(207, xml, whole)),
        ("entities", Reply::with(207, xml, bomb)),
        ("html", Reply::html(200)),
        ("html as 207", Reply::html(207)),
        ("half a body", Reply::Raw(format!("HTTP/1.1 207 X\r\nContent-Length: 5000\r\n{xml}\r\n{whole}"))),
        ("reset", Reply::Reset),
        ("silence", Reply::Silence),
    ] {
        let reply = std::sync::Mutex::new(Some(reply));
        let server = Server::start(move |_, _| reply.lock().unwrap().take().unwrap_or(Reply::Reset)).await;
        let short = Duration::from_millis(300);
        let timeouts = Timeouts { connect: short, silence: short, whole: short };
        let http = Http::new(Counters::default(), timeouts).unwrap();
        let calendar = account_with(http, &server).await.calendar(&CALENDAR.into());
        let read = calendar.read(Some(&cursor("t0")), since()).await;
        let expected =
            matches!(read, Reading::Failed(ServiceError::Garbled { .. } | ServiceError::Unreachable { .. }));
        assert!(expected, "{what}: {read:?}");
    }
}

#[tokio::test]
async fn a_file_that_went_meanwhile_is_gone_one_that_is_kept_back_stops_nothing_and_silence_about_one_is_no_end()
 {
    let server = Server::start(|_, asked| match asked {
        asked if is_multiget(asked) => {
            let Reply::Raw(text) = files(asked) else { unreachable!() };
            let start = text.find("\r\n\r\n").unwrap() + 4;
            let body = &text[start..];
            let at = |name: &str| body.find(&format!("<d:response><d:href>/cal/{name}.ics")).unwrap();
            let kept_back = "<d:response><d:href>/cal/b.ics</d:href><d:status>HTTP/1.1 403 Forbidden</d:status></d:response>";
            let told = if asked.body.contains("/cal/silent") { "" } else { kept_back };
            let rest = body[at("c")..].split("<d:response><d:href>/cal/silent").next().unwrap();
            let rest = rest.strip_suffix("</d:multistatus>").unwrap_or(rest);
            Reply::with(207, "", &format!("{}{}{told}{rest}</d:multistatus>", &body[..at("a")], gone("a")))
        }
        asked if token(asked) == "t0" => page(&listed(&["a", "b", "c"]), "t1"),
        _ => page(&listed(&["a", "b", "c", "silent"]), "t2"),
    })
    .await;
    let calendar = calendar(&server).await;
    let Reading::Delta { changed, removed, .. } = calendar.read(Some(&cursor("t0")), since()).await else {
        panic!("all was told")
    };
    assert_eq!((names(&changed), removed), (vec!["c"], vec!["a".into()]));
    let read = calendar.read(Some(&cursor("t1")), since()).await;
    let Reading::Partial { items, .. } = read else { panic!("{read:?}") };
    assert_eq!(names(&items), ["c"]);
}

#[tokio::test]
async fn what_is_too_large_together_is_asked_for_in_halves() {
    let server = Server::start(|_, asked| match asked {
        asked if is_multiget(asked) && asked.body.matches("<d:href>").count() > 1 => {
            Reply::with(207, "Content-Type: application/xml\r\n", &" ".repeat(17 * 1024 * 1024))
        }
        asked if is_multiget(asked) => files(asked),
        _ => page(&listed(&["a", "b", "c", "d", "e"]), "t1"),
    })
    .await;
    let read = calendar(&server).await.read(None, since()).await;
    let Reading::Snapshot { items, .. } = read else { panic!("{read:?}") };
    assert_eq!(names(&items), ["a", "b", "c", "d", "e"]);
    let asked: Vec<usize> =
        server.asked().iter().skip(1).map(|asked| asked.body.matches("<d:href>").count()).collect();
    assert_eq!(asked, [5, 2, 1, 1, 3, 1, 2, 1, 1]);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_any_more_leaves_what_was_known_of_it() {
    // Of the same length, so that the answer's own length stays true.
    for (said, garbled) in [
        ("DTSTART:20260120T100000Z\n".to_owned(), "DTSTART:tomorrow,perhaps\n".to_owned()),
        (ics("a"), "x".repeat(ics("a").len())),
    ] {
        let server = Server::start(move |_, asked| match asked {
            asked if is_multiget(asked) => {
                let Reply::Raw(text) = files(asked) else { unreachable!() };
                Reply::Raw(text.replace(&said, &garbled))
            }
            asked if token(asked) == "t0" => page(&listed(&["a"]), "t1"),
            _ => page(&listed(&["a"]), "t0"),
        })
        .await;
        let calendar = calendar(&server).await;
        let Reading::Delta { changed, removed, cursor } = calendar.read(Some(&cursor("t0")), since()).await
        else {
            panic!("all was told")
        };
        assert_eq!((names(&changed), removed), (vec![], vec![]));
        assert_eq!(place(&cursor)["at"]["token"], "t1", "it is not asked for again");
        let Reading::Snapshot { items, .. } = calendar.read(None, since()).await else {
            panic!("it is whole")
        };
        assert_eq!(names(&items), ["a"], "a new one stands for itself, long past");
    }
}

/// One that knows no sync tokens. `tag` is of the whole calendar.
fn without_tokens(asked: &Asked, tag: &str, names: &[&str], itself: bool) -> Reply {
    let own = format!(
        "<d:response><d:href>/cal/</d:href><d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype><s:getctag>{tag}</s:getctag>\
         </d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
    );
    match (asked.method.as_str(), asked.header("depth")) {
        ("REPORT", _) if is_multiget(asked) => files(asked),
        ("REPORT", _) => Reply::with(403, "", "<d:error xmlns:d=\"DAV:\"><d:supported-report/></d:error>"),
        ("PROPFIND", Some("0")) => multistatus(&own),
        _ => multistatus(&format!("{}{}", if itself { own.as_str() } else { "" }, listed(names))),
    }
}

#[tokio::test]
async fn without_sync_tokens_lists_are_compared_and_an_unchanged_calendar_costs_one_request() {
    let step = Arc::new(AtomicUsize::new(0));
    let now = step.clone();
    let server = Server::start(move |_, asked| match now.load(Ordering::SeqCst) {
        0 => without_tokens(asked, "1", &["a", "b"], true),
        _ => without_tokens(asked, "2", &["b", "c"], true),
    })
    .await;
    let calendar = calendar(&server).await;
    let Reading::Snapshot { items, cursor: Some(first), .. } = calendar.read(None, since()).await else {
        panic!("it is whole")
    };
    assert_eq!(names(&items), ["a", "b"]);

    let before = server.asked().len();
    let idle = calendar.read(Some(&first), since()).await;
    assert_eq!(idle, Reading::Delta { changed: vec![], removed: vec![], cursor: first.clone() });
    assert_eq!(server.asked().len() - before, 1);

    step.store(1, Ordering::SeqCst);
    let Reading::Delta { changed, removed, cursor } = calendar.read(Some(&first), since()).await else {
        panic!("it is whole")
    };
    assert_eq!((names(&changed), removed), (vec!["c"], vec!["a".into()]));
    assert_eq!(place(&cursor)["at"]["listed"]["etags"], json!({"b": "\"b\"", "c": "\"c\""}));
}

#[tokio::test]
async fn a_list_that_is_not_whole_deletes_nothing() {
    for (what, itself, more) in
        [("without the calendar itself", false, ""), ("cut by its server", true, MORE)]
    {
        let step = Arc::new(AtomicUsize::new(0));
        let now = step.clone();
        let server = Server::start(move |_, asked| {
            if now.load(Ordering::SeqCst) == 0 {
                return without_tokens(asked, "1", &["a", "b"], true);
            }
            match without_tokens(asked, "2", &["b", "c"], itself) {
                Reply::Raw(text) if asked.header("depth") == Some("1") => {
                    let body = text.split("\r\n\r\n").nth(1).unwrap();
                    let body = body.replace("</d:multistatus>", &format!("{more}</d:multistatus>"));
                    Reply::with(207, "", &body)
                }
                other => other,
            }
        })
        .await;
        let calendar = calendar(&server).await;
        let Reading::Snapshot { cursor, .. } = calendar.read(None, since()).await else { panic!("whole") };
        step.store(1, Ordering::SeqCst);
        let read = calendar.read(cursor.as_ref(), since()).await;
        let Reading::Partial { items, .. } = read else { panic!("{what}: {read:?}") };
        assert_eq!(names(&items), ["c"], "{what}");
    }
}

/// A server that stores one file, in its own way.
struct Keeps {
    stored: std::sync::Mutex<Option<(String, u32)>>,
    /// What it makes of what it is sent.
    rewrites: fn(&str) -> String,
    says_tag: bool,
    minds_match: bool,
    weak: bool,
}

impl Keeps {
    fn new(rewrites: fn(&str) -> String) -> Self {
        let stored = std::sync::Mutex::default();
        Self { stored, rewrites, says_tag: true, minds_match: true, weak: false }
    }

    fn answer(&self, asked: &Asked) -> Reply {
        let mut stored = self.stored.lock().unwrap();
        let tag = |version: u32| format!("{}\"v{version}\"", if self.weak { "W/" } else { "" });
        match asked.method.as_str() {
            "REPORT" => match &*stored {
                None => multistatus(&gone(draft().id.as_str())),
                Some((text, version)) => multistatus(&format!(
                    "<d:response><d:href>/cal/{}.ics</d:href><d:propstat><d:prop><d:getetag>{}</d:getetag><c:calendar-data>{}</c:calendar-data>\
                     </d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>",
                    draft().id,
                    tag(*version),
                    text.replace('&', "&amp;").replace('<', "&lt;")
                )),
            },
            "PUT" | "DELETE" => {
                let known = stored.as_ref().map(|(_, version)| format!("\"v{version}\""));
                let fits = match (asked.header("if-match"), asked.header("if-none-match")) {
                    (Some(base), None) => Some(base) == known.as_deref(),
                    (None, Some("*")) => known.is_none(),
                    _ => panic!("a write without a precondition: {asked:?}"),
                };
                if self.minds_match && !fits {
                    return Reply::with(412, "", "");
                }
                if asked.method == "DELETE" {
                    *stored = None;
                    return Reply::with(200, "", "");
                }
                let version = stored.as_ref().map_or(1, |(_, version)| version + 1);
                *stored = Some(((self.rewrites)(&asked.body), version));
                let head = if self.says_tag { format!("ETag: {}\r\n", tag(version)) } else { String::new() };
                Reply::with(201, &head, "")
            }
            _ => Reply::with(405, "", ""),
        }
    }

    async fn start(self) -> (Server, Arc<Self>) {
        let keeps = Arc::new(self);
        let answering = keeps.clone();
        (Server::start(move |_, asked| answering.answer(asked)).await, keeps)
    }
}

fn as_it_is(text: &str) -> String {
    text.to_owned()
}

#[tokio::test]
async fn what_a_server_makes_of_an_event_is_what_is_echoed() {
    let shortens = |text: &str| text.replace("SUMMARY:Booking: Haircut", "SUMMARY:Booking: Hair");
    for says_tag in [true, false] {
        let (server, _) = Keeps { says_tag, ..Keeps::new(shortens) }.start().await;
        let stored = calendar(&server).await.create(&draft()).await.unwrap();
        assert_eq!(stored.event.summary, "Booking: Hair", "says its tag: {says_tag}");
        assert_eq!(stored.etag, ETag("\"v1\"".into()));
        assert_eq!(calendar(&server).await.probe(&draft().id).await, Ok(Probe::Live(stored)));
    }
}

#[tokio::test]
async fn the_answer_to_a_write_is_asked_for_unpacked_and_a_tag_that_is_weak_all_the_same_is_looked_up() {
    for (what, head) in
        [("weakened on its way", "ETag: W/\"v1\"\r\n"), ("no tag at all", ""), ("half a tag", "ETag: \"\r\n")]
    {
        let keeps = Arc::new(Keeps::new(as_it_is));
        let answering = keeps.clone();
        let server = Server::start(move |_, asked| match (asked.method.as_str(), answering.answer(asked)) {
            ("PUT", Reply::Raw(text)) if text.starts_with("HTTP/1.1 201") => Reply::with(201, head, ""),
            (_, reply) => reply,
        })
        .await;
        let stored = calendar(&server).await.create(&draft()).await.unwrap();
        assert_eq!(stored.etag, ETag("\"v1\"".into()), "{what}");
        let put = &server.asked()[0];
        assert_eq!((put.method.as_str(), put.header("accept-encoding")), ("PUT", Some("identity")), "{what}");
    }
}

#[tokio::test]
async fn a_weak_tag_is_sent_back_strong_since_a_weak_one_never_matches() {
    let (server, _) = Keeps { weak: true, ..Keeps::new(as_it_is) }.start().await;
    let calendar = calendar(&server).await;
    let stored = calendar.create(&draft()).await.unwrap();
    let later = Draft { title: "Later".into(), ..draft() };
    let changed = calendar.update(&stored.id, &stored.etag, &later).await.unwrap();
    calendar.delete(&changed.id, &changed.etag).await.unwrap();
}

#[tokio::test]
async fn a_change_by_somebody_quicker_is_left_for_the_next_reading_and_not_taken_for_ours() {
    // Between our write and our look, she moves it.
    let moves = |text: &str| text.replace("DTSTART:20260120T100000Z", "DTSTART:20260120T080000Z");
    let (server, _) = Keeps { says_tag: false, ..Keeps::new(moves) }.start().await;
    let stored = calendar(&server).await.create(&draft()).await.unwrap();
    assert!(says(&stored, &draft()), "a silent move is no echo of ours: {stored:?}");
}

#[tokio::test]
async fn a_server_that_ignores_preconditions_is_still_asked_what_stands_before_a_change() {
    let (server, keeps) = Keeps { minds_match: false, ..Keeps::new(as_it_is) }.start().await;
    let calendar = calendar(&server).await;
    let stored = calendar.create(&draft()).await.unwrap();
    keeps.stored.lock().unwrap().as_mut().unwrap().1 = 7;
    let stale = calendar.update(&stored.id, &stored.etag, &draft()).await;
    assert!(matches!(stale, Err(ServiceError::Stale { .. })), "{stale:?}");
    assert_eq!(keeps.stored.lock().unwrap().as_ref().unwrap().1, 7, "nothing was written over");
}

#[tokio::test]
async fn a_write_whose_reply_is_lost_is_found_by_its_name() {
    let keeps = Arc::new(Keeps::new(as_it_is));
    let answering = keeps.clone();
    let server = Server::start(move |_, asked| match (asked.method.as_str(), answering.answer(asked)) {
        ("PUT", Reply::Raw(text)) if text.starts_with("HTTP/1.1 201") => Reply::Reset,
        (_, reply) => reply,
    })
    .await;
    let calendar = calendar(&server).await;
    let lost = calendar.create(&draft()).await.unwrap_err();
    assert!(lost.outcome_unknown(), "{lost:?}");
    let Ok(Probe::Live(found)) = calendar.probe(&draft().id).await else { panic!("it stands") };
    assert!(says(&found, &draft()));
    assert!(matches!(calendar.create(&draft()).await, Err(ServiceError::Exists { .. })));
}

#[tokio::test]
async fn refusals_of_a_write_say_what_to_do_next() {
    let check = async |status: u16, body: &'static str, expected: fn(&ServiceError) -> bool| {
        let server = Server::start(move |_, _| Reply::with(status, "", body)).await;
        let error = calendar(&server).await.create(&draft()).await.unwrap_err();
        assert!(expected(&error), "{status} {body}: {error:?}");
    };
    let is = |name: &str| format!("<d:error xmlns:d=\"DAV:\"><{name}/></d:error>").leak() as &'static str;
    check(401, "", |e| matches!(e, ServiceError::SignInExpired { .. })).await;
    check(403, is("d:need-privileges"), |e| matches!(e, ServiceError::Forbidden { .. })).await;
    check(403, is("d:max-resource-size"), |e| matches!(e, ServiceError::Rejected { .. })).await;
    check(403, is("d:no-uid-conflict"), |e| matches!(e, ServiceError::Rejected { .. })).await;
    check(409, "", |e| matches!(e, ServiceError::Gone { .. })).await;
    check(404, "", |e| matches!(e, ServiceError::Gone { .. })).await;
    check(412, "", |e| matches!(e, ServiceError::Exists { .. })).await;
    check(423, "", |e| matches!(e, ServiceError::Failing { .. })).await;
    check(429, "", |e| matches!(e, ServiceError::RateLimited { .. })).await;
    check(502, "", |e| matches!(e, ServiceError::Failing { .. })).await;
    check(507, "", |e| matches!(e, ServiceError::Rejected { .. })).await;
}

#[tokio::test]
async fn a_password_follows_no_redirect_to_another_host_and_a_redirect_without_end_ends() {
    let elsewhere = Server::start(|_, _| page("", "t1")).await;
    // The same computer by another name is another host.
    let target = elsewhere.url.as_str().replace("127.0.0.1", "localhost");
    let server =
        Server::start(move |_, _| Reply::with(302, &format!("Location: {target}cal/\r\n"), "")).await;
    let read = calendar(&server).await.read(None, since()).await;
    assert!(matches!(read, Reading::Failed(ServiceError::Rejected { .. })), "{read:?}");
    assert!(elsewhere.asked().is_empty(), "not even asked");

    let within = Server::start(|_, asked| match asked.path.as_str() {
        "/cal/" => Reply::with(308, "Location: /moved/cal/\r\n", ""),
        _ => page("", "t1"),
    })
    .await;
    assert!(matches!(calendar(&within).await.read(None, since()).await, Reading::Snapshot { .. }));
    let asked = within.asked();
    assert_eq!((asked[1].method.as_str(), asked[1].path.as_str()), ("REPORT", "/moved/cal/"));
    assert_eq!((&asked[1].body, asked[1].header("depth")), (&asked[0].body, Some("0")));

    let round = Server::start(|_, _| Reply::with(301, "Location: /cal/\r\n", "")).await;
    let read = calendar(&round).await.read(None, since()).await;
    assert!(matches!(read, Reading::Failed(ServiceError::Garbled { .. })), "{read:?}");
    assert_eq!(round.asked().len(), 6);
}

fn sign_in(server: &Server) -> SignIn {
    SignIn { entry: entry(server), username: "anna".into(), password: "s3cret".into() }
}

fn principal(asked: &Asked, home: &str) -> Reply {
    let prop = |inside: &str| {
        multistatus(&format!(
            "<d:response><d:href>{}</d:href><d:propstat><d:prop>{inside}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>",
            asked.path
        ))
    };
    match asked.path.as_str() {
        "/dav/" => prop("<d:current-user-principal><d:href>/p/anna</d:href></d:current-user-principal>"),
        "/p/anna/" => prop(&format!("<c:calendar-home-set><d:href>{home}</d:href></c:calendar-home-set>")),
        "/.well-known/caldav" => Reply::with(301, "Location: /dav/\r\n", ""),
        _ => Reply::html(200),
    }
}

#[tokio::test]
async fn the_home_is_found_through_the_well_known_address_behind_a_page() {
    let server = Server::start(|_, asked| principal(asked, "/homes/anna")).await;
    let secret = find(&stack(), &NoNames, &sign_in(&server)).await.unwrap();
    let stored: Value = serde_json::from_str(secret.expose_secret()).unwrap();
    assert_eq!(stored["homes"], json!([format!("{}homes/anna/", server.url)]));
    let paths: Vec<String> = server.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths, ["/", "/.well-known/caldav", "/dav/", "/p/anna/"]);
}

#[tokio::test]
async fn a_home_on_a_host_that_has_nothing_to_do_with_hers_is_not_used() {
    let server = Server::start(|_, asked| principal(asked, "http://localhost/home/")).await;
    let found = find(&stack(), &NoNames, &sign_in(&server)).await;
    assert!(matches!(found, Err(FindError::Service(ServiceError::Rejected { .. }))), "{found:?}");
    let nothing = Server::start(|_, _| Reply::with(404, "", "")).await;
    let found = find(&stack(), &NoNames, &sign_in(&nothing)).await;
    assert!(matches!(found, Err(FindError::Service(ServiceError::Rejected { .. }))), "{found:?}");
}

#[tokio::test]
async fn an_account_that_was_moved_to_another_host_is_found_again_once_and_its_calendars_keep_their_names() {
    let old = Server::start(|_, _| Reply::with(404, "", "")).await;
    let new = Server::start(|_, _| page("", "t1")).await;
    let home = format!("{}home/", new.url);
    let door = Server::start(move |_, asked| principal(asked, &home)).await;
    let stored = json!({"entry": door.url.as_str(), "homes": [format!("{}home/", old.url)], "username": "anna", "password": "s3cret"});
    let vault = vault(&SecretString::from(stored.to_string())).await;
    let open = || CaldavAccount::new(stack(), vault.clone(), SecretName::bookiji(), true);
    let account = open();
    let calendar = account.calendar(&CALENDAR.into());
    assert!(matches!(calendar.read(None, since()).await, Reading::Snapshot { .. }));
    assert_eq!(new.asked()[0].path, "/cal/");
    let looked = door.asked().len();
    assert!(matches!(open().calendar(&CALENDAR.into()).read(None, since()).await, Reading::Snapshot { .. }));
    assert_eq!((door.asked().len(), old.asked().len()), (looked, 1), "it is remembered where the account is");
}

#[tokio::test]
async fn a_calendar_that_is_gone_is_not_looked_for_where_nothing_can_have_moved() {
    let server = Server::start(|_, _| Reply::with(404, "", "")).await;
    let read = calendar(&server).await.read(None, since()).await;
    assert!(matches!(read, Reading::Failed(ServiceError::Gone { .. })), "{read:?}");
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn nextcloud_signs_her_in_with_the_browser_and_grants_a_password_of_its_own() {
    let server = Server::start(|number, asked| {
        let origin = format!("http://{}", asked.header("host").unwrap());
        match (asked.path.as_str(), number) {
            ("/cloud/index.php/login/v2", _) => Reply::Json(
                200,
                json!({"poll": {"token": "t&k", "endpoint": format!("{origin}/cloud/login/v2/poll")},
                       "login": format!("{origin}/cloud/login/v2/flow/x")}),
            ),
            ("/cloud/login/v2/poll", 1..=3) => Reply::Json(404, json!([])),
            _ => Reply::Json(
                200,
                json!({"server": format!("{origin}/cloud"), "loginName": "anna", "appPassword": "granted"}),
            ),
        }
    })
    .await;
    let entry = Entry::parse(&format!("{}cloud", server.url), true).unwrap();
    let pending = nextcloud::begin(&stack(), &entry).await.unwrap();
    assert!(pending.url().as_str().ends_with("/cloud/login/v2/flow/x"));
    let granted = pending.asking_every(Duration::from_millis(1)).wait().await.unwrap();
    assert_eq!((granted.username.as_str(), granted.password.expose_secret()), ("anna", "granted"));
    assert_eq!(granted.entry.url().path(), "/cloud/remote.php/dav/");
    assert_eq!(server.asked()[1].body, "token=t%26k");
}

#[tokio::test]
async fn nextcloud_cannot_send_her_browser_or_our_questions_elsewhere() {
    for (login, endpoint) in [("http://evil.example/", "/poll"), ("/flow", "http://evil.example/poll")] {
        let server = Server::start(move |_, asked| {
            let full = |path: &str| {
                if path.starts_with('/') {
                    format!("http://{}{path}", asked.header("host").unwrap())
                } else {
                    path.to_owned()
                }
            };
            Reply::Json(
                200,
                json!({"poll": {"token": "t", "endpoint": full(endpoint)}, "login": full(login)}),
            )
        })
        .await;
        let begun = nextcloud::begin(&stack(), &entry(&server)).await;
        assert!(matches!(begun.err(), Some(ServiceError::Rejected { .. })), "{login} {endpoint}");
    }
    let none = Server::start(|_, _| Reply::with(404, "", "")).await;
    assert!(matches!(
        nextcloud::begin(&stack(), &entry(&none)).await.err(),
        Some(ServiceError::Rejected { .. })
    ));
}

#[tokio::test]
async fn a_password_that_is_refused_is_not_tried_again() {
    let server = Server::start(|_, _| Reply::with(401, "WWW-Authenticate: Basic\r\n", "")).await;
    let read = calendar(&server).await.read(None, since()).await;
    assert!(matches!(read, Reading::Failed(ServiceError::SignInExpired { .. })), "{read:?}");
    assert_eq!(server.asked().len(), 1);
    assert_eq!(find(&stack(), &NoNames, &sign_in(&server)).await.err(), Some(FindError::WrongPassword));
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_password_that_was_refused_is_not_sent_by_the_next_runs_and_a_new_one_is_at_once() {
    let server = Server::start(|_, asked| match asked.header("authorization") {
        // anna:right
        Some("Basic YW5uYTpyaWdodA==") => page("", "t1"),
        _ => Reply::with(401, "WWW-Authenticate: Basic\r\n", ""),
    })
    .await;
    let url = server.url.as_str();
    let stored = |password: &str| {
        let stored = json!({"entry": url, "homes": [url], "username": "anna", "password": password});
        SecretString::from(stored.to_string())
    };
    let (vault, dealings) = (vault(&stored("wrong")).await, Dealings::default());
    let run = || {
        let account = CaldavAccount::new(stack(), vault.clone(), SecretName::bookiji(), true);
        account.with_dealings(dealings.clone()).calendar(&CALENDAR.into())
    };
    for _ in 0..3 {
        let read = run().read(None, since()).await;
        let Reading::Failed(error @ ServiceError::SignInExpired { .. }) = read else { panic!("{read:?}") };
        assert!(error.to_string().contains("does not accept the password"), "{error}");
    }
    assert_eq!(server.asked().len(), 1, "it said so once");
    dealings.forgive();
    assert!(matches!(run().read(None, since()).await, Reading::Failed(_)));
    assert_eq!(server.asked().len(), 2, "she says that it is right");
    vault.put(&SecretName::bookiji(), &stored("right")).await.unwrap();
    assert!(matches!(run().read(None, since()).await, Reading::Snapshot { .. }));
}

/// What is said of domains, without asking anybody.
struct Said(Vec<String>);

#[async_trait::async_trait]
impl Names for Said {
    async fn calendars_of(&self, _: &str) -> Vec<url::Url> {
        self.0.iter().map(|url| url.parse().unwrap()).collect()
    }
}

fn mail(address: &str) -> SignIn {
    let entry = Entry::parse(address, false).unwrap();
    SignIn { entry, username: address.into(), password: "s3cret".into() }
}

#[tokio::test]
async fn names_that_lead_to_another_domain_are_told_to_her_and_no_password_goes_there() {
    let asked = Said(vec!["https://caldav.fastmail.com/.well-known/caldav".into()]);
    let found = find(&stack(), &asked, &mail("anna@salon.example")).await;
    let expected =
        FindError::Elsewhere { domain: "salon.example".into(), host: "caldav.fastmail.com".into() };
    assert_eq!(found.err(), Some(expected), "nobody was asked but names: neither address can be reached");
}

/// A name server that knows one domain: `salon.example`.
async fn name_server() -> std::net::SocketAddr {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut bytes = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut bytes).await {
            // The question ends with its type and class; what comes after it are extensions.
            let end = 12 + bytes[12..length].iter().position(|byte| *byte == 0).unwrap() + 5;
            let kind = bytes[end - 3];
            let host = b"\x03dav\x05salon\x07example\x00";
            let data: Vec<Vec<u8>> = match kind {
                33 => vec![
                    [&[0, 20, 0, 0, 1, 187][..], b"\x05spare\x05salon\x07example\x00"].concat(),
                    [&[0, 10, 0, 5, 32, 251][..], host].concat(),
                ],
                16 => vec![b"\x09txtvers=1\x0apath=/dav/".to_vec()],
                _ => Vec::new(),
            };
            let mut answer = bytes[..end].to_vec();
            (answer[2], answer[3]) = (0x81, 0x80);
            answer[6..12].copy_from_slice(&[0, u8::try_from(data.len()).unwrap(), 0, 0, 0, 0]);
            for record in data {
                answer.extend([0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0, u8::try_from(record.len()).unwrap()]);
                answer.extend(record);
            }
            socket.send_to(&answer, from).await.unwrap();
        }
    });
    address
}

#[tokio::test]
async fn a_domain_s_calendars_are_where_its_names_say() {
    use hickory_resolver::TokioResolver;
    use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
    let server = name_server().await;
    let mut connection = ConnectionConfig::udp();
    connection.port = server.port();
    let servers = vec![NameServerConfig::new(server.ip(), true, vec![connection])];
    let config = ResolverConfig::from_parts(None, Vec::new(), servers);
    let resolver = TokioResolver::builder_with_config(config, Default::default()).build().unwrap();
    let urls = Resolved(resolver).calendars_of("salon.example").await;
    let told: Vec<&str> = urls.iter().map(url::Url::as_str).collect();
    assert_eq!(told, ["https://dav.salon.example:8443/dav/", "https://spare.salon.example/dav/"]);
}
