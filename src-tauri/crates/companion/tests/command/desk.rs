//! `--profiles DIR`: one answer for every vendor of a front desk.

use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::world::{Said, World, said};

/// Anna is connected, Zoe's settings are broken, and nobody has signed in to the new profile.
async fn salon() -> (World, TempDir) {
    let world = World::connected().await;
    let salon = tempfile::tempdir().unwrap();
    let folder = |name: &str| {
        let folder = salon.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        folder
    };
    let anna = folder("anna");
    for file in ["companion.db", "settings.toml", "vault"] {
        std::fs::copy(world.profile.path().join(file), anna.join(file)).unwrap();
    }
    std::fs::copy(anna.join("settings.toml"), folder("new").join("settings.toml")).unwrap();
    std::fs::write(folder("zoe").join("settings.toml"), "nonsense").unwrap();
    (world, salon)
}

fn command(salon: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_companion"));
    command
        .arg("--profiles")
        .arg(salon)
        .arg("--json")
        .args(words)
        .env("COMPANION_PASSPHRASE", "a passphrase for tests")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn run(salon: &TempDir, words: &[&str]) -> Said {
    said(&command(salon.path(), words).output().await.unwrap())
}

fn of<'a>(said: &'a Said, profile: &str) -> &'a Value {
    let mut all = said.document["profiles"].as_array().unwrap().iter();
    all.find(|one| one["profile"] == profile).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_status_and_decisions_answer_for_every_profile_and_a_broken_one_spoils_no_other() {
    let (world, salon) = salon().await;
    let synced = run(&salon, &["sync"]).await;
    assert_eq!(synced.status, 4, "{synced:?}");
    assert!(of(&synced, "anna")["bookings"]["created"].as_u64().unwrap() > 0, "{synced:?}");
    assert_eq!(of(&synced, "zoe")["error"]["code"], "SETTINGS_INVALID");
    assert_eq!(of(&synced, "new")["error"]["code"], "NOT_SIGNED_IN");

    let status = run(&salon, &["status"]).await;
    assert_eq!(of(&status, "anna")["connections"][0]["service"], "google");
    assert!(of(&status, "zoe")["error"].is_object());
    let decisions = run(&salon, &["decisions"]).await;
    assert_eq!(of(&decisions, "anna")["decisions"], json!([]));
    let again = run(&salon, &["sync", "--dry-run"]).await;
    assert_eq!(of(&again, "anna")["bookings"]["created"], 0);

    let log = std::fs::read_to_string(salon.path().join("logs/companion.log")).unwrap();
    let ended = log.lines().find(|line| line.contains("sync ended")).unwrap();
    assert!(ended.contains("profile=anna"), "{ended}");
    assert!(!log.contains(&world.sandbox.email));
    world.sandbox.stop().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn watching_tells_each_run_with_its_profile_and_ends_with_the_last_documents() {
    let (world, salon) = salon().await;
    let mut child = command(salon.path(), &["sync", "--watch"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let (mut ran, mut broken) = (false, false);
    while !(ran && broken) {
        let line = lines.next_line().await.unwrap().expect("it goes on");
        ran |= line.starts_with("anna: Done in ");
        let problem: Value = serde_json::from_str(&line).unwrap_or_default();
        broken |= problem["profile"] == "zoe" && problem["error"]["code"] == "SETTINGS_INVALID";
    }
    let id = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    let output = child.wait_with_output().await.unwrap();
    let said = said(&Output { stderr: Vec::new(), ..output });
    assert_eq!(said.status, 4, "{said:?}");
    assert!(of(&said, "anna")["bookings"]["created"].as_u64().unwrap() > 0);
    world.sandbox.stop().await;
}

#[tokio::test]
async fn what_is_about_one_vendor_is_refused_as_wrong_usage() {
    let salon = tempfile::tempdir().unwrap();
    for words in [&["login"][..], &["calendars"], &["undo", "latest"], &["decide", "card", "accept"]] {
        let output = command(salon.path(), words).output().await.unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("--profile DIR"), "{output:?}");
    }
    let nowhere = salon.path().join("nowhere");
    let failed = said(&command(&nowhere, &["status"]).output().await.unwrap());
    assert_eq!((failed.status, &failed.error["code"]), (1, &json!("INVALID_INPUT")));
}
