//! What we wrote into a real server, read back by clients that nobody here wrote.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use sync::booking::Draft;
use sync::ports::Account as _;
use tests::servers::radicale::python;
use tests::servers::{PASSWORD, USER};

use crate::stage::{Stage, at, draft, vendor};

fn read(url: &str, name: &str) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("caldav/readers.py");
    let mut command = Command::new(python().unwrap());
    command.arg(script).arg(format!("{url}#{name}")).arg(USER);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// RFC 5545 §3.1: lines end with CRLF and hold no more than 75 octets.
fn assert_valid(text: &str) {
    assert!(text.ends_with("END:VCALENDAR\r\n"), "{text:?}");
    for line in text.strip_suffix("\r\n").unwrap().split("\r\n") {
        assert!(line.len() <= 75 && !line.contains(['\r', '\n']) && !line.is_empty(), "{line:?}");
    }
}

#[tokio::test]
async fn vdirsyncer_and_the_caldav_client_find_what_was_meant() {
    let Some(stage) = Stage::radicale().await else { return };
    let made = stage.account.create_calendar("Bookiji", "Europe/Paris", &vendor()).await.unwrap();
    let calendar = stage.account.calendar(&made.remote);
    let mut drafts: Vec<Draft> =
        (8..14).map(|hour| draft(&format!("booking-{hour}"), hour, made.remote.as_str())).collect();
    for draft in &drafts {
        calendar.create(draft).await.unwrap();
    }
    let Ok(sync::ports::Probe::Live(first)) = calendar.probe(&drafts[0].id).await else {
        panic!("it stands")
    };
    drafts[0].start = at("2026-12-03T09:00:00Z");
    drafts[0].end = at("2026-12-03T10:30:00Z");
    calendar.update(&drafts[0].id, &first.etag, &drafts[0]).await.unwrap();

    let name = made.remote.as_str().trim_end_matches('/').rsplit('/').next().unwrap().to_owned();
    let found = read(stage.server.url(), &name);
    assert_eq!(found["caldav"]["name"], "Bookiji");
    drafts.sort_by(|a, b| a.uid.cmp(&b.uid));
    let events = found["caldav"]["events"].as_array().unwrap();
    assert_eq!(events.len(), drafts.len());
    let files = found["vdirsyncer"]["files"].as_object().unwrap();
    assert_eq!(files.len(), drafts.len());
    assert_eq!(found["vdirsyncer"]["again"].as_array().unwrap().len(), 0, "{}", found["vdirsyncer"]["again"]);
    for (event, draft) in events.iter().zip(&drafts) {
        assert_eq!(event["uid"], draft.uid.0);
        assert_eq!(event["summary"], draft.title);
        assert_eq!(event["description"], draft.description);
        let instant = |what: &str| event[what].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        assert_eq!((instant("start"), instant("end")), (draft.start, draft.end));
        assert_eq!(event["booking"], draft.booking.as_str());
    }
    for draft in &drafts {
        // The server's own bytes; vdirsyncer keeps the same with the line ends of this system.
        let served = stage.hand.get(&format!("{}{}.ics", made.remote, draft.id)).await.body;
        assert_valid(&served);
        let kept = files.values().filter_map(Value::as_str).find(|text| text.contains(&draft.uid.0));
        assert_eq!(kept.map(str::to_owned), Some(served.replace("\r\n", "\n")));
    }
}

#[tokio::test]
async fn on_a_server_that_keeps_every_byte_every_byte_is_valid() {
    for stage in Stage::each().await {
        let (path, calendar) = stage.calendar("ours").await;
        let draft = draft("booking-1", 9, &path);
        let stored = calendar.create(&draft).await.unwrap();
        let file = format!("{path}{}.ics", draft.id);
        assert_valid(&stage.hand.get(&file).await.body);
        let later = Draft { end: at("2026-12-01T11:00:00Z"), ..draft };
        calendar.update(&later.id, &stored.etag, &later).await.unwrap();
        assert_valid(&stage.hand.get(&file).await.body);
    }
}
