//! Commands while the app runs: they are handed to it, and whoever typed them cannot tell.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::Child;

use crate::world::{Said, World, command};

/// A real `sync --watch`, after its first sync.
async fn watch(world: &World) -> Child {
    let mut child = command(world.profile.path())
        .args(["sync", "--watch"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.starts_with("Done in") {
            break;
        }
    }
    // What it says later must not stop it.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    child
}

/// What differs from one run to the next, whoever runs it.
fn without_what_passes(value: &mut Value) {
    match value {
        Value::Object(map) => {
            // The calendar of imported files is another one on each computer.
            if map.get("name").is_some_and(|name| name == "Imported files") {
                map.insert("id".to_owned(), Value::Null);
            }
            for (key, value) in map {
                let passes = [
                    "duration_ms",
                    "requests",
                    "calls",
                    "last_sync_at",
                    "next_sync_at",
                    "path",
                    "paused_until",
                ];
                if passes.contains(&key.as_str()) {
                    *value = Value::Null;
                } else {
                    without_what_passes(value);
                }
            }
        }
        Value::Array(list) => {
            list.iter_mut().for_each(without_what_passes);
            list.sort_by_key(Value::to_string);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn told(said: Said) -> (i32, Value, Value) {
    let Said { status, mut document, mut error, .. } = said;
    without_what_passes(&mut document);
    // The profile and the sandbox are elsewhere.
    error["message"] = json!(error["message"].is_string());
    (status, document, error)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_says_the_same_whether_the_app_runs_or_not() {
    let (alone, beside) = (World::connected().await, World::connected().await);
    assert_eq!(alone.run(&["sync"]).await.status, 0);
    let _app = watch(&beside).await;
    let file = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTART:20990101T100000Z\r\n\
                DTEND:20990101T110000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    for world in [&alone, &beside] {
        std::fs::write(world.profile.path().join("given.ics"), file).unwrap();
    }
    let id = alone.run(&["status"]).await.document["connections"][0]["id"].as_str().unwrap().to_owned();
    let commands: &[&[&str]] = &[
        &["sync", "--dry-run"],
        &["unblock", "2020-01-01T10:00:00Z"],
        &["unblock", "2020-01-01T10:00:00Z", "--take-back"],
        &["sync"],
        &["sync", "--direction", "to_calendar"],
        &["calendars", "--busy", "Family", "--all-day", "always_block"],
        &["calendars", "--target", "Nonesuch"],
        &["sync"],
        &["decide", "nonesuch", "yes"],
        &["undo", "nonesuch"],
        &["import", "FILE", "--dry-run"],
        &["import", "FILE"],
        &["import", "FILE"],
        &["import", "/nowhere/at-all.ics"],
        &["connect", "ics-feed", "--url", "ftp://school.example/secret.ics"],
        &["disconnect", "nobody@example.com"],
        &["pause", "--for", "2h"],
        &["sync", "--direction", "from_calendar"],
        &["resume"],
        &["disconnect", &id, "--remove-events"],
        &["sync", "--dry-run"],
    ];
    for words in commands {
        let in_profile = |world: &World| -> Vec<String> {
            let file = world.profile.path().join("given.ics").display().to_string();
            words.iter().map(|word| if *word == "FILE" { file.clone() } else { (*word).to_owned() }).collect()
        };
        let mut answers = Vec::new();
        for world in [&alone, &beside] {
            let words = in_profile(world);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            answers.push(told(world.run(&words).await));
        }
        let handed = answers.pop().unwrap();
        assert_eq!(answers.pop().unwrap(), handed, "{words:?}");
        assert_ne!(handed.2["code"], "ALREADY_RUNNING", "{words:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_her_or_the_profile_for_itself_is_refused_with_a_next_step() {
    let world = World::connected().await;
    let mut app = watch(&world).await;
    for words in [&["logout"][..], &["forget", "--yes"], &["connect", "google", "--no-browser"]] {
        let refused = world.run(words).await;
        assert_eq!((refused.status, &refused.error["code"]), (1, &json!("ALREADY_RUNNING")), "{refused:?}");
        assert!(refused.error["next_step"].as_str().unwrap().contains("Quit the app"), "{refused:?}");
    }
    app.kill().await.unwrap();
    let after = world.run(&["sync"]).await;
    assert_eq!(after.status, 0, "what a killed app leaves behind stops nobody: {after:?}");
    let _app = watch(&world).await;
    assert_eq!(world.run(&["resume"]).await.status, 0, "and the next one opens its door in the same place");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_dies_in_the_middle_is_said_and_the_next_sync_heals() {
    let world = World::connected().await;
    // A hint would have the app sync by itself before it is asked to.
    let deaf = json!({"service": "bookiji", "route": "/api/vendor/changes/stream", "kind": "status:404"});
    world.fault(deaf).await;
    let mut app = watch(&world).await;
    assert!(world.try_edit(json!({"as": "customer", "do": "book"})).await);
    world.fault(json!({"service": "google", "kind": "slow_reply:3000", "probability": 1.0})).await;
    let handed = world.spawn(&["sync"]);
    let mut lines = 0;
    // Under way as soon as the mirror says so.
    while world.run(&["status"]).await.document["state"] != "syncing" {
        lines += 1;
        assert!(lines < 200, "the errand never began");
    }
    app.kill().await.unwrap();
    let output = tokio::time::timeout(std::time::Duration::from_secs(30), handed.wait_with_output()).await;
    let cut = crate::world::said(&output.unwrap().unwrap());
    assert_eq!((cut.status, &cut.error["code"]), (1, &json!("INTERNAL")), "{cut:?}");
    assert!(cut.error["message"].as_str().unwrap().contains("ended before it answered"), "{cut:?}");
    world.heal().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let settled = world.run(&["sync"]).await;
    let bookings = &settled.document["bookings"];
    assert_eq!([&bookings["created"], &bookings["updated"], &bookings["removed"]], [0, 0, 0], "{settled:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_can_come_in_and_nonsense_is_refused_in_words() {
    let world = World::connected().await;
    let _app = watch(&world).await;
    let door = world.profile.path().join("door");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&door), mode(&door.join("knock"))), (0o700, 0o600));
    for line in [
        "rm -rf /\n".to_owned(),
        "{\"version\":1,\"errand\":{\"do\":\"shell\"}}\n".to_owned(),
        "x".repeat(1_100_000),
    ] {
        let mut caller = UnixStream::connect(door.join("knock")).await.unwrap();
        // It may hang up before it has all of it.
        let _ = caller.write_all(line.as_bytes()).await;
        let mut answer = String::new();
        let _ = caller.read_to_string(&mut answer).await;
        let refused = answer.is_empty() || answer.contains("INVALID_INPUT");
        assert!(refused, "{answer}");
    }
    assert_eq!(world.run(&["resume"]).await.status, 0, "and it goes on listening");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_whose_path_is_too_long_for_a_socket_is_served_from_elsewhere() {
    let mut world = World::start().await;
    let deep = world.profile.path().join("d".repeat(60)).join("e".repeat(60));
    std::fs::create_dir_all(&deep).unwrap();
    std::fs::copy(world.profile.path().join("settings.toml"), deep.join("settings.toml")).unwrap();
    let kept = std::mem::replace(&mut world.profile, tempfile::Builder::new().tempdir_in(&deep).unwrap());
    std::fs::copy(deep.join("settings.toml"), world.profile.path().join("settings.toml")).unwrap();
    assert_eq!(world.login().await.status, 0);
    assert_eq!(world.connect().await.status, 0);
    let app = watch(&world).await;
    assert_eq!(world.run(&["pause"]).await.status, 0);
    let elsewhere = std::fs::read_to_string(world.profile.path().join("door/elsewhere")).unwrap();
    assert!(std::path::Path::new(&elsewhere).join("knock").exists());
    let pid = app.id().unwrap().to_string();
    tokio::process::Command::new("kill").args(["-TERM", &pid]).status().await.unwrap();
    app.wait_with_output().await.unwrap();
    assert!(!std::path::Path::new(&elsewhere).exists(), "it is swept away at the end");
    drop(kept);
}
