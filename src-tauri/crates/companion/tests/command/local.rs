//! What needs no service: settings, the lock, files, usage.

use std::process::Output;

use serde_json::Value;

use crate::world::{Said, command, said};

async fn run(profile: &std::path::Path, words: &[&str]) -> Said {
    let output: Output = command(profile).arg("--json").args(words).output().await.unwrap();
    said(&output)
}

#[tokio::test]
async fn an_empty_profile_has_a_status_and_is_left_empty() {
    let dir = tempfile::tempdir().unwrap();
    let profile = dir.path().join("none yet");
    let status = run(&profile, &["status"]).await;
    assert_eq!(status.status, 0, "{status:?}");
    assert_eq!(status.document["connections"], Value::Array(Vec::new()));
    assert_eq!(status.document["pending_operations"], 0);
    assert!(status.document.get("paused_until").is_some());
    assert!(!profile.exists());
}

#[tokio::test]
async fn syncing_without_a_sign_in_says_how_to_sign_in() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("settings.toml"), "[vault]\nkind = \"passphrase-file\"\n").unwrap();
    let sync = run(dir.path(), &["sync"]).await;
    assert_eq!(sync.status, 1);
    assert_eq!(sync.document, Value::Null);
    assert_eq!(sync.error["code"], "NOT_SIGNED_IN");
    assert!(sync.error["next_step"].as_str().unwrap().contains("companion login"));
}

#[tokio::test]
async fn a_broken_settings_file_is_named_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let settings = dir.path().join("settings.toml");
    std::fs::write(&settings, "[sync]\nhorizn_days = 3\n").unwrap();
    for words in [&["sync"][..], &["status"], &["login", "--email", "a@example.com"]] {
        let refused = run(dir.path(), words).await;
        assert_eq!(refused.status, 1, "{refused:?}");
        assert_eq!(refused.error["code"], "SETTINGS_INVALID");
        assert!(refused.error["message"].as_str().unwrap().contains("horizn_days"));
    }
    assert_eq!(std::fs::read_to_string(&settings).unwrap(), "[sync]\nhorizn_days = 3\n");
}

#[tokio::test]
async fn commands_of_other_days_are_wrong_usage() {
    let dir = tempfile::tempdir().unwrap();
    for words in [&["connect", "fax"][..], &["login", "--password", "x"], &[]] {
        let refused = run(dir.path(), words).await;
        assert_eq!(refused.status, 2, "{words:?}");
        assert_eq!(refused.document, Value::Null);
    }
}

#[tokio::test]
async fn connecting_an_account_comes_after_signing_in() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("settings.toml"), "[vault]\nkind = \"passphrase-file\"\n").unwrap();
    let refused = run(dir.path(), &["connect", "google", "--no-browser"]).await;
    assert_eq!(refused.status, 1);
    assert_eq!(refused.error["code"], "NOT_SIGNED_IN", "{refused:?}");
}

const LUNCH: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:lunch\r\n\
                     DTSTAMP:20260101T000000Z\r\nDTSTART;TZID=Europe/Paris:20260202T120000\r\n\
                     DTEND;TZID=Europe/Paris:20260202T130000\r\nRRULE:FREQ=DAILY;COUNT=3\r\nSUMMARY:Lunch\r\n\
                     END:VEVENT\r\nEND:VCALENDAR\r\n";

#[tokio::test]
async fn busy_reads_files_without_a_profile_and_says_which_one_is_no_calendar() {
    let dir = tempfile::tempdir().unwrap();
    let (lunch, page) = (dir.path().join("lunch.ics"), dir.path().join("page.ics"));
    std::fs::write(&lunch, LUNCH).unwrap();
    std::fs::write(&page, "<!doctype html><html></html>").unwrap();
    let profile = dir.path().join("none");
    let window = ["--from", "2026-02-02", "--to", "2026-02-04", "--zone", "Europe/Paris"];
    let ask = |files: &[&std::path::Path]| {
        let mut words = vec!["busy".to_owned()];
        words.extend(files.iter().map(|file| file.display().to_string()));
        words.extend(window.map(str::to_owned));
        words
    };
    let run = async |files: &[&std::path::Path]| {
        let words = ask(files);
        run(&profile, &words.iter().map(String::as_str).collect::<Vec<_>>()).await
    };

    let good = run(&[&lunch]).await;
    assert_eq!(good.status, 0, "{good:?}");
    assert_eq!(good.document["intervals"].as_array().unwrap().len(), 2);
    assert_eq!(good.document["intervals"][0]["start"], "2026-02-02T11:00:00Z");
    assert_eq!(good.document["intervals"][0]["sources"][0], lunch.display().to_string());
    assert_eq!(good.document["events"][1]["summary"], "Lunch");
    assert_eq!(good.document["events"][1]["busy"], true);
    assert!(good.document["withheld"].as_array().unwrap().is_empty());

    let mixed = run(&[&page, &lunch]).await;
    assert_eq!(mixed.status, 4, "{mixed:?}");
    assert_eq!(mixed.document["intervals"].as_array().unwrap().len(), 2);
    assert_eq!(mixed.error["code"], "INVALID_ICS_FORMAT");
    assert!(mixed.error["message"].as_str().unwrap().contains("page.ics"));

    let bad = run(&[&page]).await;
    assert_eq!(bad.status, 1);
    let missing = run(&[std::path::Path::new("/nowhere/x.ics")]).await;
    assert_eq!(missing.status, 1);
    assert!(missing.error["message"].as_str().unwrap().contains("/nowhere/x.ics"));
    assert!(!profile.exists());
}
