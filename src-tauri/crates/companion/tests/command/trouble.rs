//! Bad days: wrong passwords, withdrawn consent, services that fail in every way. Each has a code, a next step and the
//! promised exit status; nothing is lost, and the next good sync heals.

use serde_json::{Value, json};

use crate::world::{Said, World};

#[track_caller]
fn failed(said: &Said, code: &str) {
    assert_eq!(said.error["code"], code, "{said:?}");
    assert!(said.error["message"].as_str().is_some_and(|message| message.ends_with('.')), "{said:?}");
    assert!(said.error["next_step"].as_str().is_some_and(|step| step.len() > 10), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_said_and_leaves_nobody_signed_in() {
    let world = World::start().await;
    let wrong = world.run_with(&["login", "--email", &world.sandbox.email], "not it\n").await;
    assert_eq!(wrong.status, 1);
    failed(&wrong, "INVALID_CREDENTIALS");
    let nothing = world.run_with(&["login", "--email", &world.sandbox.email], "").await;
    failed(&nothing, "INVALID_INPUT");
    assert_eq!(world.run(&["sync"]).await.error["code"], "NOT_SIGNED_IN");
    assert_eq!(world.login().await.status, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_passphrase_opens_nothing() {
    let world = World::connected().await;
    let output = crate::world::command(world.profile.path())
        .args(["--json", "sync"])
        .env("COMPANION_PASSPHRASE", "another one")
        .output()
        .await
        .unwrap();
    let said = crate::world::said(&output);
    assert_eq!(said.status, 1, "{said:?}");
    failed(&said, "KEYCHAIN_UNAVAILABLE");
    assert_eq!(world.run(&["sync"]).await.status, 0);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn where_no_keychain_answers_it_says_so_and_what_to_do() {
    use tokio::io::AsyncWriteExt;

    let world = World::start().await;
    std::fs::write(world.profile.path().join("settings.toml"), &world.sandbox.settings).unwrap();
    let mut child = crate::world::command(world.profile.path())
        .args(["--json", "login", "--email", &world.sandbox.email])
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(world.sandbox.password.as_bytes()).await.unwrap();
    let said = crate::world::said(&child.wait_with_output().await.unwrap());
    assert_eq!(said.status, 1, "{said:?}");
    failed(&said, "KEYCHAIN_UNAVAILABLE");
    assert!(said.error["next_step"].as_str().unwrap().contains("passphrase-file"), "{said:?}");
    assert!(!world.profile.path().join("vault").exists(), "no weaker place is chosen in her stead");
    assert_eq!(world.run(&["status"]).await.document["vendor"], Value::Null, "nobody is half signed in");
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawn_consent_asks_to_connect_again_and_connecting_again_heals() {
    let world = World::connected().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    world.fault(json!({ "service": "google", "kind": "token_revoked" })).await;
    let sync = world.run(&["sync"]).await;
    assert!([1, 4].contains(&sync.status), "{sync:?}");
    failed(&sync, "OAUTH_TOKEN_EXPIRED");
    assert!(sync.error["next_step"].as_str().unwrap().contains("companion connect google"));

    let status = world.run(&["status"]).await;
    assert_eq!(status.document["state"], "needs_you", "{status:?}");
    assert_eq!(status.document["connections"][0]["state"], "needs_you");

    world.heal().await;
    assert_eq!(world.connect().await.status, 0);
    let healed = world.run(&["sync"]).await;
    assert_eq!(healed.status, 0, "{healed:?}");
    assert_eq!(healed.document["bookings"]["created"], 0, "nothing is made twice");
    assert_eq!(world.run(&["status"]).await.document["state"], "up_to_date");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_bookiji_session_asks_to_sign_in_again_and_signing_in_heals() {
    let world = World::connected().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    world.fault(json!({ "service": "bookiji", "kind": "token_revoked" })).await;
    let sync = world.run(&["sync"]).await;
    assert!([1, 4].contains(&sync.status), "{sync:?}");
    failed(&sync, "OAUTH_TOKEN_EXPIRED");
    world.heal().await;
    assert_eq!(world.login().await.status, 0);
    assert_eq!(world.run(&["sync"]).await.status, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_that_is_down_is_a_network_error_and_nothing_is_lost() {
    let world = World::connected().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    for service in ["google", "google_auth", "bookiji", "bookiji_auth"] {
        world.fault(json!({ "service": service, "kind": "reset" })).await;
    }
    let sync = world.run(&["sync"]).await;
    assert_eq!(sync.status, 1, "{sync:?}");
    failed(&sync, "NETWORK_ERROR");
    let status = world.run(&["status"]).await;
    assert_eq!(status.document["state"], "offline", "{status:?}");
    let doctor = world.run(&["doctor"]).await;
    assert_eq!(doctor.status, 1);
    failed(&doctor, "NETWORK_ERROR");
    world.heal().await;
    let healed = world.run(&["sync"]).await;
    assert_eq!(healed.status, 0, "{healed:?}");
    assert_eq!(healed.document["bookings"]["created"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn under_another_contract_of_bookijis_nothing_is_written_and_she_is_told_to_update() {
    let world = World::connected().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    assert!(world.try_edit(json!({"as": "customer", "do": "book"})).await);
    assert!(world.try_edit(json!({"as": "platform", "do": "keep_contract", "version": "2.0.0"})).await);
    world.asked().await;
    let sync = world.run(&["sync"]).await;
    assert!([1, 4].contains(&sync.status), "{sync:?}");
    let errors = sync.document["errors"].to_string();
    assert!(errors.contains("CALENDAR_API_ERROR") && errors.contains("version 2.0.0"), "{sync:?}");
    let asked = world.asked().await;
    for service in ["bookiji", "google"] {
        let routes = asked[service]["routes"].as_object().unwrap();
        assert!(routes.keys().all(|route| route.starts_with("GET ")), "{asked}");
    }
    let contract = async || {
        let doctor = world.run(&["doctor"]).await.document;
        let mut checks = doctor["checks"].as_array().unwrap().iter();
        checks.find(|check| check["name"] == "bookiji_contract").unwrap().clone()
    };
    let told = contract().await;
    assert_eq!((&told["ok"], &told["code"]), (&json!(false), &json!("CALENDAR_API_ERROR")), "{told}");
    assert!(told["next_step"].as_str().unwrap().starts_with("Update the app"), "{told}");

    assert!(world.try_edit(json!({"as": "platform", "do": "keep_contract", "version": "1.9.0"})).await);
    let healed = world.run(&["sync"]).await;
    assert_eq!((healed.status, &healed.document["bookings"]["created"]), (0, &json!(1)), "{healed:?}");
    assert_eq!(contract().await["detail"], "version 1.9.0");
}

/// One service misbehaves in one way for a whole sync in which there is something to do on both sides.
async fn check(service: &str, kind: &str, codes: &[&str]) {
    let world = World::connected().await;
    world.fault(json!({ "service": service, "kind": kind })).await;
    let bad = world.run(&["sync"]).await;
    assert!([1, 4].contains(&bad.status), "{service} {kind}: {bad:?}");
    let code = bad.error["code"].as_str().unwrap_or_default();
    assert!(codes.contains(&code), "{service} {kind}: {bad:?}");
    failed(&bad, code);
    assert!(!bad.document["errors"].as_array().unwrap().is_empty());

    world.heal().await;
    let good = world.run(&["sync"]).await;
    assert_eq!(good.status, 0, "{service} {kind}: {good:?}");
    let again = world.run(&["sync"]).await;
    let bookings = &again.document["bookings"];
    assert_eq!([&bookings["created"], &bookings["updated"], &bookings["removed"]], [0, 0, 0], "{again:?}");
    assert_eq!(doubles(&world.state().await), Vec::<String>::new(), "{service} {kind}");
    assert_eq!(world.run(&["status"]).await.document["state"], "up_to_date");
}

/// Bookings that more than one live event stands for.
fn doubles(state: &Value) -> Vec<String> {
    let mut seen = std::collections::BTreeMap::<String, usize>::new();
    for calendar in state["calendars"].as_array().unwrap() {
        for event in calendar["events"].as_array().unwrap() {
            if let (Some(booking), true) = (event["booking_id"].as_str(), event["status"] != "cancelled") {
                *seen.entry(booking.to_owned()).or_default() += 1;
            }
        }
    }
    seen.into_iter().filter(|(_, count)| *count > 1).map(|(booking, _)| booking).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn html_instead_of_json_is_an_error_of_the_service() {
    tokio::join!(
        check("google", "html", &["CALENDAR_API_ERROR"]),
        check("bookiji", "html", &["CALENDAR_API_ERROR"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_socket_is_a_network_error() {
    tokio::join!(check("google", "reset", &["NETWORK_ERROR"]), check("bookiji", "reset", &["NETWORK_ERROR"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_body_is_an_error_of_the_service() {
    tokio::join!(
        check("google", "truncated", &["CALENDAR_API_ERROR", "NETWORK_ERROR"]),
        check("bookiji", "truncated", &["CALENDAR_API_ERROR", "NETWORK_ERROR"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_asks_to_slow_down_is_left_for_the_next_run() {
    tokio::join!(
        check("google", "rate_limited", &["RATE_LIMIT_EXCEEDED"]),
        check("bookiji", "rate_limited", &["RATE_LIMIT_EXCEEDED"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_fails_on_its_side_is_tried_again_and_then_said() {
    tokio::join!(
        check("google", "status:500", &["CALENDAR_API_ERROR"]),
        check("bookiji", "status:502", &["CALENDAR_API_ERROR"])
    );
}
