//! Outlook from the command: connect, choose, sync, look, leave, as with Google.

use serde_json::{Value, json};

use crate::world::{Said, World};

/// Her Microsoft account, connected as her browser would.
async fn connect(world: &World) -> Said {
    world.sign_in_to("outlook", &[], "").await
}

async fn connected() -> World {
    let world = World::start().await;
    assert_eq!(world.login().await.status, 0);
    let connect = connect(&world).await;
    assert_eq!(connect.status, 0, "{connect:?}");
    world
}

/// Live events of Outlook's calendars of this name.
fn events(state: &Value, calendar: &str) -> Vec<Value> {
    let named = state["calendars"].as_array().unwrap().iter().filter(|it| it["service"] == "outlook");
    named
        .filter(|it| it["name"] == calendar)
        .flat_map(|it| it["events"].as_array().unwrap().clone())
        .filter(|event| event["status"] != "cancelled")
        .collect()
}

async fn she(world: &World, action: &str, mut order: Value) {
    (order["as"], order["do"], order["service"]) = (json!("vendor"), json!(action), json!("outlook"));
    assert!(world.try_edit(order).await, "{action}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_runs_on_outlook_from_the_first_sign_in_to_leaving() {
    let world = World::start().await;
    assert_eq!(world.login().await.status, 0);
    let connect = connect(&world).await;
    assert_eq!(connect.status, 0, "{connect:?}");
    let connection = &connect.document["connection"];
    assert_eq!(
        (&connection["service"], &connection["account"]),
        (&json!("outlook"), &json!(world.sandbox.email))
    );
    let calendars = connection["calendars"].as_array().unwrap();
    assert!(calendars.iter().any(|calendar| calendar["role"] == "busy"), "{connect:?}");

    let plan = world.run(&["sync", "--dry-run"]).await;
    let planned = plan.document["bookings"]["created"].as_u64().unwrap();
    assert!(planned > 0 && plan.status == 0, "{plan:?}");
    let first = world.run(&["sync"]).await;
    assert_eq!((first.status, &first.document["errors"]), (0, &json!([])), "{first:?}");
    assert_eq!(first.document["bookings"]["created"], planned);
    assert_eq!(events(&world.state().await, "Bookiji").len() as u64, planned);
    // What was just written is read once more, and then nothing is left.
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let idle = world.run(&["sync"]).await;
    let bookings = &idle.document["bookings"];
    assert_eq!([&bookings["created"], &bookings["updated"], &bookings["removed"]], [0, 0, 0], "{idle:?}");
    let read = idle.document["busy"]["sources"].as_array().unwrap().len();
    assert_eq!(idle.document["requests"]["outlook"], read, "one request for each calendar: {idle:?}");

    let one = events(&world.state().await, "Bookiji")[0]["id"].clone();
    she(&world, "move_event", json!({"event": one, "by_minutes": 90})).await;
    let moved = world.run(&["sync"]).await;
    assert_eq!(moved.status, 3, "she is asked: {moved:?}");
    assert_eq!(moved.document["decisions"][0]["kind"], "moved", "{moved:?}");

    let doctor = world.run(&["doctor"]).await;
    assert_eq!(doctor.status, 0, "{doctor:?}");
    let checks = doctor.document["checks"].as_array().unwrap();
    for name in ["outlook", "outlook_sign_in"] {
        assert!(
            checks.iter().any(|check| check["name"] == name && check["ok"] == true),
            "{name}: {doctor:?}"
        );
    }
    let status = world.run(&["status"]).await;
    assert_eq!(status.document["connections"][0]["service"], "outlook", "{status:?}");

    let id = connection["id"].as_str().unwrap();
    let gone = world.run(&["disconnect", id, "--remove-events"]).await;
    assert_eq!((gone.status, &gone.document["removed"]), (0, &json!(planned)), "{gone:?}");
    let state = world.state().await;
    assert_eq!((events(&state, "Bookiji"), &state["busy"]), (Vec::new(), &json!([])));
    assert_eq!(world.run(&["status"]).await.document["connections"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuilt_database_finds_its_outlook_events_again_and_doubles_none() {
    let world = connected().await;
    let first = world.run(&["sync"]).await;
    let written = first.document["bookings"]["created"].as_u64().unwrap();
    for name in ["companion.db", "companion.db-wal", "companion.db-shm"] {
        let _ = std::fs::remove_file(world.profile.path().join(name));
    }
    assert_eq!(world.login().await.status, 0);
    assert_eq!(connect(&world).await.status, 0);
    let again = world.run(&["sync"]).await;
    assert_eq!((again.status, &again.document["bookings"]["created"]), (0, &json!(0)), "{again:?}");
    assert_eq!(events(&world.state().await, "Bookiji").len() as u64, written);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_lost_make_no_second_event_in_outlook() {
    let world = connected().await;
    let lost = json!({"service": "outlook", "kind": "reply_lost", "times": 3,
        "route": "POST /v1.0/me/calendars/{calendar}/events"});
    world.fault(lost).await;
    let first = world.run(&["sync"]).await;
    assert_eq!(first.status, 0, "{first:?}");
    let planned = first.document["bookings"]["created"].as_u64().unwrap();
    assert_eq!(events(&world.state().await, "Bookiji").len() as u64, planned);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_that_wants_its_administrator_says_so_with_the_way_there() {
    let world = World::start().await;
    assert_eq!(world.login().await.status, 0);
    assert!(world.try_edit(json!({"as": "administrator", "do": "require_approval"})).await);
    let refused = connect(&world).await;
    assert_eq!((refused.status, &refused.error["code"]), (1, &json!("PERMISSION_DENIED")), "{refused:?}");
    let next = refused.error["next_step"].as_str().unwrap();
    assert!(next.contains("/organizations/adminconsent?client_id="), "{next}");
    assert!(world.try_edit(json!({"as": "administrator", "do": "approve"})).await);
    assert_eq!(connect(&world).await.status, 0);
}
