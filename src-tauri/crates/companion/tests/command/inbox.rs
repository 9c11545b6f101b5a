//! The watched folder under `sync --watch`, as the vendor meets it: she puts files there and finds them again.

use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr};

use crate::world::World;

const PATIENCE: Duration = Duration::from_secs(60);

/// A watcher that is listened to.
struct Watcher {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
}

impl World {
    async fn signed_in_only() -> Self {
        let world = Self::start().await;
        assert_eq!(world.login().await.status, 0);
        world
    }

    fn watch(&self) -> Watcher {
        let mut child = self.spawn(&["sync", "--watch"]);
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Watcher { child, lines }
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.profile.path().join(name)
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::create_dir_all(self.folder("inbox")).unwrap();
        std::fs::write(self.folder("inbox").join(name), bytes).unwrap();
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder(folder)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Watcher {
    /// The next documents of this kind, in the order of the names in them.
    async fn files(&mut self, count: usize) -> Vec<Value> {
        let mut files = Vec::new();
        while files.len() < count {
            let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
            let line = line.unwrap_or_else(|_| panic!("only {files:?}")).unwrap().expect("it still runs");
            let document: Value = serde_json::from_str(&line).unwrap_or_default();
            files.extend(document.get("file").cloned());
        }
        files.sort_by_key(|file| file["name"].to_string());
        files
    }
}

fn event(uid: &str, hours_ahead: i64) -> String {
    #[expect(clippy::disallowed_methods, reason = "busy time is published from the computer's own now on")]
    let start = Timestamp::now() + SignedDuration::from_hours(hours_ahead);
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\n\
         DTSTART:{}\r\nDURATION:PT1H\r\nSUMMARY:Dentist\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        start.strftime("%Y%m%dT%H0000Z")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn good_files_block_time_on_bookiji_and_bad_ones_are_refused_with_the_reason() {
    let world = World::signed_in_only().await;
    // It lay there while nobody watched.
    world.put("dentist.ics", event("dentist", 50));
    let mut watcher = world.watch();
    let first = watcher.files(1).await;
    assert_eq!((&first[0]["name"], &first[0]["outcome"]), (&json!("dentist.ics"), &json!("imported")));

    world.put("page.ics", "<!DOCTYPE html><html><head><title>Sign in</title></head></html>");
    world.put("archive.zip", b"PK\x03\x04and more");
    world.put("setup.exe", b"MZ\x90\x00and more");
    world.put("huge.ics", vec![b' '; 10 * 1024 * 1024 + 1]);
    let mut count = 4;
    if cfg!(unix) {
        std::fs::write(world.folder("outside.ics"), event("outside", 60)).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(world.folder("outside.ics"), world.folder("inbox").join("link.ics"))
            .unwrap();
        count += 1;
    }
    let refused = watcher.files(count).await;
    assert!(refused.iter().all(|file| file["outcome"] == "rejected"), "{refused:?}");
    for (name, word) in
        [("page.ics", "web page"), ("archive.zip", "ZIP"), ("setup.exe", "program"), ("huge.ics", "10 MB")]
    {
        let reason = std::fs::read_to_string(world.folder("rejected").join(format!("{name}.txt"))).unwrap();
        assert!(reason.contains(word) && reason.contains("What to do: "), "{name}: {reason}");
        assert!(!reason.contains(world.profile.path().to_str().unwrap()), "{reason}");
    }
    assert_eq!(world.names("imported"), ["dentist.ics"]);
    assert_eq!(world.names("rejected").len(), count * 2);
    assert!(world.names("inbox").is_empty());
    let busy = world.run(&["busy"]).await.document;
    let uids: Vec<&Value> = busy["events"].as_array().unwrap().iter().map(|event| &event["uid"]).collect();
    assert!(uids.contains(&&json!("dentist")) && !uids.contains(&&json!("outside")), "{uids:?}");
    let told = world.state().await["busy"].as_array().unwrap().len();
    assert_eq!(told, 1, "Bookiji knows of the one hour");
    watcher.child.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_imported_once_whenever_the_watcher_is_killed() {
    let world = World::signed_in_only().await;
    for round in 0..4_u64 {
        let mut watcher = world.watch();
        for n in 0..6 {
            world.put(&format!("{round}-{n}.ics"), event(&format!("event-{round}-{n}"), 50 + n));
        }
        // From before the first file stood still to after the last one is away.
        tokio::time::sleep(Duration::from_millis(900 + 150 * round)).await;
        watcher.child.kill().await.unwrap();
    }
    let mut watcher = world.watch();
    let quiet = async {
        while !world.names("inbox").is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, quiet).await.unwrap();
    watcher.child.kill().await.unwrap();
    let names: Vec<String> =
        (0..4).flat_map(|round| (0..6).map(move |n| format!("{round}-{n}.ics"))).collect();
    assert_eq!(world.names("imported"), names);
    assert!(world.names("rejected").is_empty());
    let busy = world.run(&["busy"]).await.document;
    let mut uids: Vec<String> =
        busy["events"].as_array().unwrap().iter().map(|event| event["uid"].to_string()).collect();
    let times = uids.len();
    uids.sort();
    uids.dedup();
    assert_eq!((uids.len(), times), (24, 24));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_watching_switched_off_her_files_stay_where_they_are() {
    let world = World::signed_in_only().await;
    let settings = world.folder("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, format!("{text}\n[import]\nwatch = false\n")).unwrap();
    world.put("week.ics", event("week", 50));
    let mut watcher = world.watch();
    let said =
        tokio::time::timeout(Duration::from_secs(3), watcher.lines.next_line()).await.unwrap().unwrap();
    assert!(said.is_some_and(|line| line.contains("Syncing")));
    watcher.child.kill().await.unwrap();
    assert_eq!(world.names("inbox"), ["week.ics"]);
    assert!(!world.folder("imported").exists());
}
