//! The lease: one writer, greater numbers, and writes that carry an old one are refused.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, Call, World};

const LEASE: &str = "/bookiji/api/vendor/calendar/lease";
const BUSY: &str = "/bookiji/api/vendor/calendar/busy";
const SLOTS: &str = "/supabase/rest/v1/availability_slots";
const EMPTY: &str = "2e1cfa82b035c26cbbbdae632cea070514eb8b773f616aaeaf668e2f0be8f10d";

async fn ask(world: &World, token: &str, who: &str) -> Value {
    let body = json!({"installation_id": format!("installation-{who}"), "name": who, "ttl_s": 40});
    world.call(Method::PUT, LEASE, Call::by(token).body(body)).await.ok()["data"].clone()
}

async fn release(world: &World, token: &str, who: &str, number: &'static str) -> Answer {
    let path = format!("{LEASE}?installation_id=installation-{who}");
    world.call(Method::DELETE, &path, Call::by(token).header("fencing-token", number)).await
}

async fn busy(world: &World, token: &str, number: Option<&'static str>) -> Answer {
    let set = json!({"provider": "google", "connection_id": "c1", "checksum": EMPTY, "intervals": [],
        "window": {"start": "2026-11-20T00:00:00Z", "end": "2026-12-20T00:00:00Z"}});
    let call = Call::by(token).body(set);
    let call = match number {
        Some(number) => call.header("fencing-token", number),
        None => call,
    };
    world.call(Method::PUT, BUSY, call).await
}

fn seen(lease: &Value) -> (bool, &str, u64, u64) {
    (
        lease["granted"].as_bool().unwrap(),
        lease["holder"]["name"].as_str().unwrap(),
        lease["fencing"].as_u64().unwrap(),
        lease["others"].as_u64().unwrap(),
    )
}

#[tokio::test]
async fn one_computer_holds_the_lease_until_it_is_over_and_every_new_one_has_a_greater_number() {
    let world = World::new().await;
    let token = world.bookiji().await;
    assert_eq!(seen(&ask(&world, &token, "studio").await), (true, "studio", 1, 0));
    world.advance(30).await;
    assert_eq!(seen(&ask(&world, &token, "studio").await), (true, "studio", 1, 0), "more of the same");
    world.advance(30).await;
    let refused = ask(&world, &token, "laptop").await;
    assert_eq!(seen(&refused), (false, "studio", 1, 1));
    assert!(refused["server_time"].as_str() < refused["expires_at"].as_str(), "{refused}");
    world.advance(11).await;
    assert_eq!(seen(&ask(&world, &token, "laptop").await), (true, "laptop", 2, 1));
    assert_eq!(seen(&ask(&world, &token, "studio").await), (false, "laptop", 2, 1));

    release(&world, &token, "studio", "2").await.problem(409, "FENCED");
    release(&world, &token, "laptop", "1").await.problem(409, "FENCED");
    release(&world, &token, "laptop", "2").await.ok();
    assert_eq!(seen(&ask(&world, &token, "studio").await), (true, "studio", 3, 1));
    let leases = world.state().await["leases"].clone();
    assert_eq!((&leases[0]["name"], &leases[0]["fencing"]), (&json!("studio"), &json!(3)));
}

#[tokio::test]
async fn a_write_under_any_number_but_the_last_is_refused_and_changes_nothing() {
    let world = World::new().await;
    let token = world.bookiji().await;
    busy(&world, &token, None).await.ok();
    busy(&world, &token, Some("1")).await.problem(409, "FENCED");
    ask(&world, &token, "studio").await;
    busy(&world, &token, None).await.problem(409, "FENCED");
    busy(&world, &token, Some("1")).await.ok();
    busy(&world, &token, Some("one")).await.problem(409, "FENCED");
    world.advance(60).await;
    busy(&world, &token, Some("1")).await.ok();
    busy(&world, &token, None).await.ok();
    ask(&world, &token, "laptop").await;
    busy(&world, &token, Some("1")).await.problem(409, "FENCED");
    busy(&world, &token, Some("2")).await.ok();

    let state = world.state().await;
    let of = |list: &str, is: &dyn Fn(&Value) -> bool| {
        state[list].as_array().unwrap().iter().find(|row| is(row)).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let booking =
        of("bookings", &|b| b["status"] == "confirmed" && b["start"].as_str() > state["now"].as_str());
    let cancel = format!("/bookiji/api/vendor/bookings/{booking}/cancel");
    let old = || Call::by(&token).header("fencing-token", "1");
    world.call(Method::POST, &cancel, old()).await.problem(409, "FENCED");
    let slot = of("slots", &|slot| slot["is_available"] == true);
    let one = format!("{SLOTS}?id=eq.{slot}");
    let refused = world
        .call(
            Method::DELETE,
            &one,
            Call::by(&token).header("apikey", "sb_publishable_sandbox").header("fencing-token", "1"),
        )
        .await;
    assert_eq!((refused.status, &refused.body["code"]), (409, &json!("FENCED")), "{}", refused.text);
    let after = world.state().await;
    assert_eq!((&after["bookings"], &after["slots"]), (&state["bookings"], &state["slots"]));
}

#[tokio::test]
async fn she_may_act_on_the_website_whoever_holds_the_lease() {
    let world = World::new().await;
    let token = world.bookiji().await;
    ask(&world, &token, "studio").await;
    let state = world.state().await;
    let mut bookings = state["bookings"].as_array().unwrap().iter();
    let live = |b: &&Value| b["status"] == "confirmed" && b["start"].as_str() > state["now"].as_str();
    let booking = bookings.find(live).unwrap()["id"].as_str().unwrap().to_owned();
    let cancel = format!("/bookiji/api/vendor/bookings/{booking}/cancel");
    world.call(Method::POST, &cancel, Call::by(&token)).await.ok();
}

#[tokio::test]
async fn whoever_reads_bookings_learns_the_last_number() {
    let world = World::new().await;
    let token = world.bookiji().await;
    let list = || world.get("/bookiji/api/vendor/bookings", &token);
    assert!(!list().await.headers.contains_key("fencing-token"));
    ask(&world, &token, "studio").await;
    assert_eq!(list().await.headers["fencing-token"], "1");
}

#[tokio::test]
async fn what_is_no_question_for_a_lease_is_refused() {
    let world = World::new().await;
    let token = world.bookiji().await;
    let good = json!({"installation_id": "installation-a", "name": "a", "ttl_s": 40});
    for (key, value) in [
        ("installation_id", json!("short")),
        ("installation_id", json!("with a blank")),
        ("name", json!("")),
        ("name", json!("two\nlines")),
        ("ttl_s", json!(0)),
        ("ttl_s", json!(301)),
        ("ttl_s", json!("40")),
    ] {
        let mut body = good.clone();
        body[key] = value;
        world.call(Method::PUT, LEASE, Call::by(&token).body(body)).await.problem(400, "VALIDATION_ERROR");
    }
}
