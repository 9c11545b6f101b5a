//! What must not be found: secrets anywhere on disk or on a stream, and her life in the log.

use std::path::Path;

use serde_json::json;

use crate::world::{World, command};

/// The part of a calendar link that makes it a secret.
const LINK: &str = "private-5f2c9e81.ics";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_to_whoever_helps_says_how_it_went_and_names_nobody() {
    let world = World::connected().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    world.fault(json!({ "service": "google", "kind": "token_revoked" })).await;
    assert_eq!(world.run(&["sync"]).await.status, 1);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("help.txt");
    let told = world.run(&["bundle", "-o", file.to_str().unwrap()]).await;
    assert_eq!(told.status, 0, "{}", told.stderr);
    let names: Vec<_> = told.document["holds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["checks", "state", "runs", "crashes", "log"]);
    let text = std::fs::read_to_string(&file).unwrap();
    for part in names {
        assert!(
            text.contains(&format!("\n== {part} ==\n")) && text.contains(&format!("- {part}: ")),
            "{text}"
        );
    }
    assert!(text.contains("OAUTH_TOKEN_EXPIRED") && text.contains("sync ended"), "{text}");
    assert_no_secret(&world, "the file", text.as_bytes());
    let state = world.state().await;
    let people = state["customers"].as_array().unwrap().iter();
    let people = people.flat_map(|person| [&person["full_name"], &person["email"]]);
    let calendars = state["calendars"].as_array().unwrap().iter();
    let of_calendars = calendars.flat_map(|calendar| {
        let titles = calendar["events"].as_array().unwrap().iter().map(|event| &event["summary"]);
        [&calendar["name"], &calendar["id"]].into_iter().chain(titles)
    });
    let profile = world.profile.path().to_str().unwrap();
    let hers = people.chain(of_calendars).filter_map(|name| name.as_str());
    for private in hers
        .chain([world.sandbox.email.as_str(), profile])
        .filter(|name| name.len() > 3 && *name != "Bookiji")
    {
        assert!(!text.contains(private), "it holds {private:?}");
    }

    // Whoever has nothing yet may need help all the more.
    let nobody = folder.path().join("nobody");
    let other = folder.path().join("other.txt");
    std::fs::create_dir(&nobody).unwrap();
    std::fs::write(nobody.join("companion.db"), "no database").unwrap();
    let output = command(&nobody).args(["bundle", "-o", other.to_str().unwrap()]).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(std::fs::read_to_string(&other).unwrap().contains("no database can be read"));
    let refused =
        command(&nobody).args(["bundle", "-o", folder.path().to_str().unwrap()]).output().await.unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is a folder"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_written_down_and_the_log_holds_no_titles_or_names() {
    let world = World::connected().await;
    let feed = world.sandbox.base_url.clone() + "/feeds/" + LINK;
    let text = "BEGIN:VCALENDAR\nX-WR-CALNAME:Club\nEND:VCALENDAR\n";
    let edit = json!({ "as": "publisher", "do": "put_feed", "name": LINK, "text": text });
    assert!(world.try_edit(edit).await);
    let connect = ["-vv", "connect", "ics-feed", "--url", &feed];
    let linked = command(world.profile.path()).args(connect).output().await.unwrap();
    assert!(linked.status.success(), "{}", String::from_utf8_lossy(&linked.stderr));
    assert_no_secret(&world, "stdout", &linked.stdout);
    assert_no_secret(&world, "stderr", &linked.stderr);
    let mut streams = Vec::new();
    for words in [&["sync"][..], &["status"], &["busy"], &["doctor"], &["history"]] {
        let output = command(world.profile.path()).args(["-vv"]).args(words).output().await.unwrap();
        streams.extend(output.stderr);
        // What a command answers may name her events: they are hers. It never names a secret.
        assert_no_secret(&world, "stdout", &output.stdout);
    }
    let state = world.state().await;
    let booking = state["bookings"][0]["id"].as_str().unwrap();
    let file = world.profile.path().join("her file.ics");
    let file = file.to_str().unwrap();
    for words in [
        &["invite", booking, "--cancel", "-o", file][..],
        &["export", "--from", "2026-01-01", "--to", "2028-12-31", "-o", file],
        &["explain", "2026-03-29"],
    ] {
        let output = command(world.profile.path()).args(["-vv"]).args(words).output().await.unwrap();
        streams.extend(output.stderr);
        assert_no_secret(&world, "stdout", &output.stdout);
        assert!(!holds(&output.stdout, "@mail.example"), "no answer names a customer's address");
    }
    // The last file is the export: an invitation is for the one it names, an export is for anybody.
    assert!(!holds(&std::fs::read(file).unwrap(), "@mail.example"), "an export names no customer's address");
    world.fault(json!({ "service": "google", "kind": "token_revoked" })).await;
    world.fault(json!({ "service": "feeds", "kind": "html" })).await;
    let failed = command(world.profile.path()).args(["-vv", "sync"]).output().await.unwrap();
    streams.extend(failed.stderr);
    assert_no_secret(&world, "stderr", &streams);

    let log = std::fs::read(world.profile.path().join("logs/companion.log")).unwrap();
    assert!(String::from_utf8_lossy(&log).contains("sync ended"), "there is something to look at");
    let lives =
        state["customers"].as_array().unwrap().iter().filter_map(|customer| customer["full_name"].as_str());
    let addresses =
        state["customers"].as_array().unwrap().iter().filter_map(|customer| customer["email"].as_str());
    let titles = state["calendars"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|calendar| calendar["events"].as_array().unwrap())
        .filter_map(|event| event["summary"].as_str());
    for private in lives.chain(addresses).chain(titles).chain([world.sandbox.email.as_str()]) {
        for (place, bytes) in [("the log", &log), ("stderr", &streams)] {
            assert!(private.len() < 4 || !holds(bytes, private), "{place} holds {private:?}");
        }
    }

    for calendar in world.state().await["calendars"].as_array().unwrap() {
        assert!(!calendar.to_string().contains("@mail.example"), "no calendar holds a customer's address");
    }

    let mut files = 0;
    for_each_file(world.profile.path(), &mut |path| {
        assert_no_secret(&world, &path.display().to_string(), &std::fs::read(path).unwrap());
        files += 1;
    });
    assert!(files >= 4, "database, settings, vault, log: {files}");
}

/// The password, the passphrase, and anything that looks like the sandbox's tokens, which look like the real ones.
fn assert_no_secret(world: &World, place: &str, bytes: &[u8]) {
    for secret in [
        world.sandbox.password.as_str(),
        "a passphrase for tests",
        LINK,
        "ya29.",
        "1//0",
        "eyJhbGciOi",
        "Bearer ",
    ] {
        assert!(!holds(bytes, secret), "{place} holds {secret:?}");
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn for_each_file(folder: &Path, act: &mut dyn FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { for_each_file(&path, act) } else { act(&path) }
    }
}
