//! Leaving for good, by the command and against the sandbox: what both sides and this computer still hold afterwards.

use serde_json::{Value, json};

use crate::world::World;

/// The live events that carry our mark.
fn ours(state: &Value) -> Vec<Value> {
    let calendars = state["calendars"].as_array().unwrap().iter();
    calendars
        .flat_map(|calendar| calendar["events"].as_array().unwrap())
        .filter(|event| event["booking_id"].is_string() && event["status"] != "cancelled")
        .cloned()
        .collect()
}

fn made_calendars(state: &Value) -> usize {
    let calendars = state["calendars"].as_array().unwrap().iter();
    calendars.filter(|calendar| calendar["name"] == "Bookiji" && calendar["deleted"] == false).count()
}

async fn synced() -> (World, String) {
    let world = World::connected().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let state = world.state().await;
    assert!(!ours(&state).is_empty() && !state["busy"].as_array().unwrap().is_empty());
    let id = world.run(&["status"]).await.document["connections"][0]["id"].as_str().unwrap().to_owned();
    (world, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnecting_with_remove_events_takes_back_everything_we_wrote() {
    let (world, id) = synced().await;
    let before = ours(&world.state().await);
    let moved = json!({"as": "vendor", "do": "move_event", "event": before[0]["id"], "by_minutes": 90});
    assert!(world.try_edit(moved).await);
    let gone = world.run(&["disconnect", &id, "--remove-events"]).await;
    assert_eq!(gone.status, 0, "{gone:?}");
    assert_eq!(gone.document["removed"], before.len());
    assert_eq!(gone.document["changed"], json!([before[0]["booking_id"]]));
    let state = world.state().await;
    assert_eq!((ours(&state), &state["busy"], made_calendars(&state)), (Vec::new(), &json!([]), 0));
    assert_eq!(world.run(&["status"]).await.document["connections"], json!([]));

    assert_eq!(world.connect().await.status, 0);
    let again = world.run(&["sync"]).await;
    assert_eq!(again.status, 0, "who comes back starts anew: {again:?}");
    let state = world.state().await;
    assert_eq!((ours(&state).len(), made_calendars(&state)), (before.len(), 1));
    assert!(!state["busy"].as_array().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_cannot_be_cleared_stays_linked_and_the_same_command_goes_on() {
    let (world, id) = synced().await;
    let before = ours(&world.state().await).len();
    let remove = "DELETE /calendar/v3/calendars/{calendarId}/events/{eventId}";
    world
        .fault(json!({"service": "google", "route": remove, "kind": "status:503", "probability": 0.7}))
        .await;
    let partly = world.run(&["disconnect", &id, "--remove-events"]).await;
    assert_eq!((partly.status, &partly.document["disconnected"]), (4, &Value::Null), "{partly:?}");
    assert!(partly.error["code"].is_string());
    let status = world.run(&["status"]).await;
    assert_eq!(status.document["connections"][0]["id"], id.as_str(), "{status:?}");
    let left = ours(&world.state().await).len();
    assert!(left > 0 && left < before, "{left} of {before}");

    world.heal().await;
    let sync = world.run(&["sync"]).await;
    assert_eq!((sync.status, &sync.document["bookings"]["created"]), (0, &json!(0)), "{sync:?}");
    assert_eq!(ours(&world.state().await).len(), left, "nothing is put back in between");
    let done = world.run(&["disconnect", &id, "--remove-events"]).await;
    assert_eq!(done.status, 0, "{done:?}");
    let state = world.state().await;
    assert_eq!((ours(&state), &state["busy"], made_calendars(&state)), (Vec::new(), &json!([]), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_option_our_events_stay_and_the_busy_time_goes_at_once() {
    let (world, id) = synced().await;
    let before = ours(&world.state().await);
    let gone = world.run(&["disconnect", &id]).await;
    assert_eq!((gone.status, &gone.document["removed"]), (0, &json!(0)), "{gone:?}");
    let state = world.state().await;
    assert_eq!((ours(&state), &state["busy"]), (before, &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuilt_database_leaves_no_event_behind() {
    let (world, id) = synced().await;
    for name in ["companion.db", "companion.db-wal", "companion.db-shm"] {
        let _ = std::fs::remove_file(world.profile.path().join(name));
    }
    assert_eq!(world.login().await.status, 0);
    assert_eq!(world.connect().await.status, 0);
    let gone = world.run(&["disconnect", &id, "--remove-events"]).await;
    assert_eq!(gone.status, 0, "{gone:?}");
    let state = world.state().await;
    assert_eq!((ours(&state), &state["busy"], made_calendars(&state)), (Vec::new(), &json!([]), 0));
}

fn names(world: &World) -> Vec<String> {
    let entries = std::fs::read_dir(world.profile.path()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn forget_says_what_it_would_erase_and_then_erases_all_but_her_own_files() {
    let (world, _) = synced().await;
    let hers = world.profile.path().join("rejected/hers.ics");
    std::fs::create_dir_all(hers.parent().unwrap()).unwrap();
    std::fs::write(&hers, "BEGIN:VCALENDAR").unwrap();
    let before = names(&world);
    let asked = world.run(&["forget", "--remove-events"]).await;
    assert_eq!(asked.status, 2, "{asked:?}");
    let would = asked.document["would_erase"].as_array().unwrap();
    assert!(would.iter().any(|path| path.as_str().unwrap().ends_with("companion.db")), "{would:?}");
    assert_eq!(names(&world), before, "and does nothing");
    assert!(!ours(&world.state().await).is_empty());

    let done = world.run(&["forget", "--yes", "--remove-events"]).await;
    assert_eq!(done.status, 0, "{done:?}");
    let state = world.state().await;
    assert_eq!((ours(&state), &state["busy"], made_calendars(&state)), (Vec::new(), &json!([]), 0));
    assert_eq!(names(&world), ["rejected", "settings.toml"]);
    assert!(hers.exists());
    let again = world.run(&["forget", "--yes"]).await;
    assert_eq!(again.status, 0, "erasing nothing is no error: {again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn forget_alone_takes_busy_time_back_and_leaves_our_events() {
    let (world, _) = synced().await;
    let before = ours(&world.state().await);
    let done = world.run(&["forget", "--yes"]).await;
    assert_eq!(done.status, 0, "{done:?}");
    let state = world.state().await;
    assert_eq!((ours(&state), &state["busy"]), (before, &json!([])));
    assert_eq!(names(&world), ["settings.toml"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_erased_while_bookiji_goes_on_blocking_unless_she_says_so() {
    let (world, _) = synced().await;
    world.fault(json!({"service": "bookiji", "kind": "reset"})).await;
    let stopped = world.run(&["forget", "--yes"]).await;
    assert_eq!((stopped.status, &stopped.document["erased"]), (4, &json!([])), "{stopped:?}");
    assert_eq!(stopped.error["code"], "NETWORK_ERROR");
    assert_eq!(
        names(&world),
        [
            "companion.db",
            "companion.db.closed",
            "companion.db.spare",
            "lock",
            "logs",
            "settings.toml",
            "vault"
        ]
    );
    let done = world.run(&["forget", "--yes", "--offline"]).await;
    assert_eq!(done.status, 0, "{done:?}");
    assert_eq!(names(&world), ["settings.toml"]);
}
