//! Several vendors behind one address: each sees her own rows and nobody else's, whatever she asks for.

use reqwest::Method;
use sandbox::{Options, Seat};
use serde_json::{Value, json};

use crate::world::{Call, World};

const BOOKINGS: &str = "/bookiji/api/vendor/bookings";
const SLOTS: &str = "/supabase/rest/v1/availability_slots";
const EVENTS: &str = "/google/calendar/v3/calendars/primary/events";

async fn three() -> World {
    World::with(Options { bookings: 5, events: 2, vendors: 3, ..Options::default() }).await
}

async fn bookiji(world: &World, seat: &Seat) -> String {
    let body = json!({"email": seat.email, "password": seat.password});
    let session = world.gotrue("/token?grant_type=password", body).await.ok();
    session["access_token"].as_str().unwrap().to_owned()
}

async fn google(world: &World, seat: &Seat) -> String {
    let scope = "https://www.googleapis.com/auth/calendar";
    let code = world.code(&[("scope", scope), ("login_hint", &seat.email)]).await;
    let tokens = world.exchange(&code, &[]).await.ok();
    tokens["access_token"].as_str().unwrap().to_owned()
}

async fn state(world: &World, seat: &Seat) -> Value {
    world.call(Method::GET, &format!("/_sandbox/state?vendor={}", seat.email), Call::default()).await.ok()
}

fn ids(rows: &Value) -> Vec<&str> {
    let mut ids: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn each_vendor_is_shown_her_own_bookings_slots_and_events_and_none_of_the_others() {
    let world = three().await;
    let mut seen = Vec::new();
    for seat in &world.sandbox.vendors {
        let (bearer, google) = (bookiji(&world, seat).await, google(&world, seat).await);
        let hers = state(&world, seat).await;
        assert_eq!(hers["vendor"]["email"], seat.email);
        let listed = world.get(&format!("{BOOKINGS}?limit=200"), &bearer).await.ok();
        let (listed, hers_too) = (ids(&listed["data"]["bookings"]), ids(&hers["bookings"]));
        assert!(!listed.is_empty() && listed.iter().all(|id| hers_too.contains(id)));
        let call = Call::by(&bearer).header("apikey", "sb_publishable_sandbox");
        let slots = world.call(Method::GET, &format!("{SLOTS}?select=id"), call).await.ok();
        let events = world.get(EVENTS, &google).await.ok();
        seen.push((hers, slots, events));
    }
    for (place, (hers, slots, events)) in seen.iter().enumerate() {
        for (other, _, _) in seen.iter().enumerate().filter(|(at, _)| *at != place).map(|(_, seen)| seen) {
            let (slots, events, hers) = (slots.to_string(), events.to_string(), hers.to_string());
            for row in other["bookings"].as_array().unwrap().iter().chain(other["slots"].as_array().unwrap())
            {
                let id = row["id"].as_str().unwrap();
                assert!(!slots.contains(id) && !events.contains(id) && !hers.contains(id), "{id}");
            }
        }
    }
}

#[tokio::test]
async fn asking_for_another_vendors_row_by_its_id_finds_nothing_and_changes_nothing() {
    let world = three().await;
    let [first, second, _] = world.sandbox.vendors.as_slice() else { panic!("three vendors") };
    let hers = state(&world, second).await;
    let booking =
        hers["bookings"].as_array().unwrap().iter().find(|row| row["status"] == "confirmed").unwrap();
    let (booking, slot) = (booking["id"].as_str().unwrap(), hers["slots"][0]["id"].as_str().unwrap());
    let bearer = bookiji(&world, first).await;

    world.get(&format!("{BOOKINGS}/{booking}"), &bearer).await.problem(404, "NOT_FOUND");
    let cancel = world.post(&format!("{BOOKINGS}/{booking}/cancel"), &bearer, json!({"reason": "x"})).await;
    assert_eq!(cancel.status, 404, "{}", cancel.text);
    let call = || Call::by(&bearer).header("apikey", "sb_publishable_sandbox");
    let read = world.call(Method::GET, &format!("{SLOTS}?id=eq.{slot}"), call()).await.ok();
    assert_eq!(read, json!([]));
    world.call(Method::DELETE, &format!("{SLOTS}?id=eq.{slot}"), call()).await;
    let foreign = google(&world, first).await;
    let calendar = format!("/google/calendar/v3/calendars/{}/events", second.email);
    assert_eq!(world.get(&calendar, &foreign).await.status, 404);

    let after = state(&world, second).await;
    for what in ["bookings", "slots", "calendars"] {
        assert_eq!(after[what], hers[what], "{what}");
    }
}

#[tokio::test]
async fn a_sign_in_belongs_to_one_vendor_and_a_word_that_nobody_was_given_to_none() {
    let world = three().await;
    let [first, second, third] = world.sandbox.vendors.as_slice() else { panic!("three vendors") };
    let swapped = json!({"email": first.email, "password": second.password});
    assert_eq!(world.gotrue("/token?grant_type=password", swapped).await.status, 400);
    world.get(BOOKINGS, "made-up").await.problem(401, "AUTH_REQUIRED");

    let body = json!({"email": third.email, "password": third.password});
    let session = world.gotrue("/token?grant_type=password", body).await.ok();
    let renewed = json!({"refresh_token": session["refresh_token"]});
    let renewed = world.gotrue("/token?grant_type=refresh_token", renewed).await.ok();
    assert_eq!(renewed["user"]["email"], third.email);
}

#[tokio::test]
async fn a_fault_aimed_at_one_vendor_spares_the_others_and_requests_are_counted_for_all() {
    let world = three().await;
    let [first, second, _] = world.sandbox.vendors.as_slice() else { panic!("three vendors") };
    let (one, two) = (bookiji(&world, first).await, bookiji(&world, second).await);
    world.fault(json!({"service": "bookiji", "vendor": second.email, "kind": "status:500"})).await;
    world.get(BOOKINGS, &one).await.ok();
    assert_eq!(world.get(BOOKINGS, &two).await.status, 500);
    assert_eq!(world.requests().await["bookiji"]["total"], 2);
}
