//! A good day: sign in, connect, choose, sync, look, leave.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::world::{World, command};

/// The sandbox's events that carry a booking's marker, by booking.
fn booking_events(state: &Value) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = state["calendars"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|calendar| calendar["events"].as_array().unwrap())
        .filter(|event| event["status"] != "cancelled")
        .filter_map(|event| {
            Some((event["booking_id"].as_str()?.to_owned(), event["start"].as_str()?.to_owned()))
        })
        .collect();
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_runs_from_the_first_sign_in_to_a_sync_with_nothing_to_do() {
    let world = World::start().await;

    let login = world.login().await;
    assert_eq!(login.status, 0, "{login:?}");
    assert_eq!(login.document["vendor"]["time_zone"], world.sandbox.vendor_zone);
    for key in ["id", "name"] {
        assert!(login.document["vendor"][key].is_string(), "{login:?}");
    }

    let connect = world.connect().await;
    assert_eq!(connect.status, 0, "{connect:?}");
    let connection = &connect.document["connection"];
    assert_eq!(connection["service"], "google");
    assert!(connection["calendars"].as_array().unwrap().iter().any(|calendar| calendar["role"] == "busy"));

    let calendars = world.run(&["calendars"]).await;
    assert_eq!(calendars.status, 0);
    for key in ["id", "connection", "service", "name", "role", "writable"] {
        assert!(!calendars.document["calendars"][0][key].is_null(), "{key}: {calendars:?}");
    }

    let before = world.state().await;
    let plan = world.run(&["sync", "--dry-run"]).await;
    assert_eq!(plan.status, 0, "{plan:?}");
    assert_eq!(plan.document["dry_run"], true);
    let planned = plan.document["bookings"]["created"].as_u64().unwrap();
    assert!(planned > 0, "{plan:?}");
    assert_eq!(world.state().await["calendars"], before["calendars"], "a dry run writes nothing");

    let first = world.run(&["sync"]).await;
    assert_eq!(first.status, 0, "{first:?}");
    assert_eq!(first.document["direction"], "bidirectional");
    assert_eq!(first.document["bookings"]["created"], planned);
    assert_eq!(first.document["errors"], json!([]));
    let sources = first.document["busy"]["sources"].as_array().unwrap();
    assert!(sources.iter().any(|source| source["published"] == true), "{first:?}");
    let events = booking_events(&world.state().await);
    assert_eq!(events.len() as u64, planned);

    let second = world.run(&["sync"]).await;
    assert_eq!(second.status, 0, "{second:?}");
    let bookings = &second.document["bookings"];
    assert_eq!([&bookings["created"], &bookings["updated"], &bookings["removed"]], [0, 0, 0], "{second:?}");
    assert_eq!(bookings["unchanged"], planned);
    let read = second.document["busy"]["sources"].as_array().unwrap().len();
    assert_eq!(second.document["requests"]["google"], read, "one request for each calendar: {second:?}");
    assert_eq!(second.document["requests"]["bookiji"], 1, "{second:?}");
    assert_eq!(booking_events(&world.state().await), events);

    let status = world.run(&["status"]).await;
    assert_eq!(status.document["state"], "up_to_date", "{status:?}");
    let shown = &status.document["connections"][0];
    assert_eq!(shown["id"], connection["id"]);
    let target = shown["calendars"].as_array().unwrap().iter().find(|calendar| calendar["role"] == "target");
    let target = target.unwrap();
    assert!(target["last_sync_at"].is_string() && target["next_sync_at"].is_string(), "{target}");
    assert_eq!(target["error"], Value::Null);

    let history = world.run(&["history"]).await;
    let runs = history.document["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2, "a dry run is no run: {history:?}");
    assert_eq!(runs[0]["report"]["requests"], second.document["requests"]);
    let one = world.run(&["history", runs[1]["id"].as_str().unwrap()]).await;
    let mut one = one.document["runs"][0].clone();
    let operations = one.as_object_mut().unwrap().remove("operations").unwrap();
    assert_eq!(one, runs[1]);
    let created = |operation: &&Value| operation["kind"] == "create_event" && operation["state"] == "stored";
    assert_eq!(operations.as_array().unwrap().iter().filter(created).count() as u64, planned);

    let busy = world.run(&["busy"]).await;
    assert_eq!(busy.status, 0);
    assert!(!busy.document["intervals"].as_array().unwrap().is_empty());
    let own =
        busy.document["events"].as_array().unwrap().iter().filter(|event| event["reason"] == "own_booking");
    assert!(own.count() > 0, "our own events are told and block nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn calendars_are_chosen_by_id_or_name_and_an_unknown_one_is_refused_with_what_exists() {
    let world = World::connected().await;
    let listed = world.run(&["calendars"]).await.document["calendars"].as_array().unwrap().clone();
    let id = |index: usize| listed[index]["id"].as_str().unwrap().to_owned();
    let name = listed[1]["name"].as_str().unwrap();

    let chosen = world.run(&["calendars", "--busy", &id(0), name, "--all-day", "always_block"]).await;
    assert_eq!(chosen.status, 0, "{chosen:?}");
    let chosen = chosen.document["calendars"].as_array().unwrap();
    let busy: Vec<&str> = chosen
        .iter()
        .filter(|calendar| calendar["role"] == "busy")
        .map(|calendar| calendar["id"].as_str().unwrap())
        .collect();
    let mut expected = [id(0), id(1)];
    expected.sort();
    assert_eq!(busy, expected);
    assert!(chosen.iter().all(|calendar| {
        (calendar["all_day"] == "always_block") == busy.contains(&calendar["id"].as_str().unwrap())
    }));

    let unknown = world.run(&["calendars", "--target", "Nonesuch"]).await;
    assert_eq!(unknown.status, 1);
    assert_eq!(unknown.error["code"], "NOT_CONNECTED");
    assert!(unknown.error["message"].as_str().unwrap().contains(&id(0)), "{unknown:?}");
    assert_eq!(world.run(&["calendars"]).await.document["calendars"], Value::Array(chosen.clone()));
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnecting_withdraws_the_busy_time_and_signing_out_ends_the_session() {
    let world = World::connected().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let connection = world.run(&["status"]).await.document["connections"][0]["id"].clone();

    let refused = world.run(&["disconnect", "nobody@example.com"]).await;
    assert_eq!((refused.status, &refused.error["code"]), (1, &json!("NOT_CONNECTED")));
    let gone = world.run(&["disconnect", connection.as_str().unwrap()]).await;
    assert_eq!(gone.status, 0, "{gone:?}");
    let notice = gone.document["notice"].as_str().unwrap();
    assert!(notice.contains("your other computers too"), "{notice}");
    assert_eq!(world.run(&["status"]).await.document["connections"], json!([]));

    let out = world.run(&["logout"]).await;
    assert_eq!(out.status, 0, "{out:?}");
    let sync = world.run(&["sync"]).await;
    assert_eq!(sync.status, 1);
    assert!(["NOT_SIGNED_IN", "NOT_CONNECTED"].contains(&sync.error["code"].as_str().unwrap()), "{sync:?}");
    assert_eq!(world.login().await.status, 0, "the same vendor comes back to her profile");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_finds_nothing_wrong_on_a_good_day() {
    let world = World::connected().await;
    let doctor = world.run(&["doctor"]).await;
    assert_eq!(doctor.status, 0, "{doctor:?}");
    let checks = doctor.document["checks"].as_array().unwrap();
    for name in [
        "settings",
        "database",
        "keychain",
        "clock",
        "bookiji",
        "bookiji_contract",
        "bookiji_sign_in",
        "google",
        "google_sign_in",
    ] {
        let check = checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(check["ok"], true, "{check}");
        assert!(check["detail"].is_string() && check.get("next_step").is_some());
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn watching_keeps_the_profile_to_itself_and_ends_well_when_asked_to() {
    use tokio::io::{AsyncBufReadExt, BufReader};

    let world = World::connected().await;
    let mut watch = command(world.profile.path())
        .args(["--json", "sync", "--watch"])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watch.stderr.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.starts_with("Done in") {
            break;
        }
    }
    let second = world.run(&["sync", "--watch"]).await;
    assert_eq!((second.status, &second.error["code"]), (1, &json!("ALREADY_RUNNING")), "{second:?}");
    assert_eq!(world.run(&["status"]).await.status, 0, "reading goes on");

    let pid = watch.id().unwrap().to_string();
    tokio::process::Command::new("kill").args(["-TERM", &pid]).status().await.unwrap();
    let output = watch.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(0));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["bookings"]["created"].as_u64().unwrap() > 0);
    assert_eq!(world.run(&["sync"]).await.status, 0);
}

/// The live booking events of the vendor's primary calendar.
fn in_her_own(state: &Value, email: &str) -> usize {
    let calendars = state["calendars"].as_array().unwrap();
    let own = calendars.iter().find(|calendar| calendar["id"] == email).unwrap();
    let events = own["events"].as_array().unwrap();
    events.iter().filter(|event| event["booking_id"].is_string() && event["status"] != "cancelled").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn bookings_go_into_her_own_calendar_only_with_her_explicit_consent() {
    let world = World::start().await;
    assert_eq!(world.login().await.status, 0);
    assert_eq!(world.connect().await.status, 0);
    let email = world.sandbox.email.clone();
    assert_eq!(world.run(&["calendars", "--target", &email]).await.status, 0);
    let refused = world.run(&["sync"]).await;
    assert_eq!(refused.status, 4, "{refused:?}");
    let errors = refused.document["errors"].as_array().unwrap();
    assert_eq!((errors.len(), &errors[0]["code"]), (1, &json!("PERMISSION_DENIED")), "{refused:?}");
    assert_eq!(in_her_own(&world.state().await, &email), 0);

    assert_eq!(world.connect_with(&["--own-calendar"]).await.status, 0);
    let synced = world.run(&["sync"]).await;
    assert_eq!(synced.status, 0, "{synced:?}");
    let created = synced.document["bookings"]["created"].as_u64().unwrap();
    assert!(created > 0);
    assert_eq!(in_her_own(&world.state().await, &email) as u64, created);
    let again = world.run(&["sync"]).await;
    assert_eq!(again.document["bookings"]["created"], 0, "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_for_bookings_that_have_not_changed_costs_the_calendar_nothing() {
    let world = World::connected().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let poll = world.run(&["sync", "--direction", "to_calendar"]).await;
    assert_eq!(poll.status, 0, "{poll:?}");
    assert_eq!(poll.document["requests"]["bookiji"], 1, "{poll:?}");
    assert!(poll.document["requests"]["google"].is_null(), "{poll:?}");
    assert!(world.try_edit(json!({"as": "customer", "do": "book"})).await);
    let poll = world.run(&["sync", "--direction", "to_calendar"]).await;
    assert_eq!(poll.document["bookings"]["created"], 1, "{poll:?}");
}
