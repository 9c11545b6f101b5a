//! Everything that can go wrong on the routes of Bookiji, as it is to be and as it is today, and of the servers that give
//! out tokens: the command ends, says why by its right code, and the next one leaves everything as if nothing had happened.
//!
//! A part of it runs with every test, all of it with `MATRIX=all`, and what contains a text with `MATRIX=html`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::killed::{Dice, change_something, hold};
use crate::world::World;

/// A command that has not ended by then never will.
const PATIENCE: Duration = Duration::from_secs(120);

/// Of so many troubles one is tried where nobody asks for more.
const ONE_OF: usize = 7;

/// What can go wrong, and the codes by which a command may say so.
const TROUBLES: &[(&str, &[&str])] = &[
    // A server of tokens that refuses without a word of OAuth has not said that the sign-in is over.
    ("status:401", &["OAUTH_TOKEN_EXPIRED", "NOT_SIGNED_IN", "CALENDAR_API_ERROR"]),
    ("status:403", &["PERMISSION_DENIED", "OAUTH_TOKEN_EXPIRED", "CALENDAR_API_ERROR"]),
    ("status:404", &["CALENDAR_API_ERROR", "PERMISSION_DENIED"]),
    ("status:500", &["CALENDAR_API_ERROR"]),
    // Bookiji says with it when to come again.
    ("status:503", &["CALENDAR_API_ERROR", "RATE_LIMIT_EXCEEDED"]),
    ("rate_limited", &["RATE_LIMIT_EXCEEDED"]),
    ("html", &["CALENDAR_API_ERROR"]),
    ("truncated", &["CALENDAR_API_ERROR", "NETWORK_ERROR"]),
    ("reset", &["NETWORK_ERROR", "CALENDAR_API_ERROR"]),
    ("reply_lost", &["NETWORK_ERROR", "CALENDAR_API_ERROR", "OAUTH_TOKEN_EXPIRED"]),
    ("slow:30", &[]),
    ("cursor_lost", &[]),
    ("short_page", &[]),
    ("duplicate_page", &[]),
    ("reordered", &[]),
];

/// The services behind which Bookiji and its sign-in are, and Google's tokens.
const WITH_GOOGLE: &[&str] = &["bookiji", "bookiji_auth", "google_auth"];

/// Microsoft's tokens; Bookiji is walked with Google.
const OF_MICROSOFT: &[&str] = &["microsoft"];

fn is_tried(met: usize, what: &str) -> bool {
    match std::env::var("MATRIX").ok().as_deref() {
        Some("all") => true,
        Some(part) => what.contains(part),
        None => met.is_multiple_of(ONE_OF),
    }
}

async fn sync(world: &World, what: &str) -> crate::world::Said {
    let said = tokio::time::timeout(PATIENCE, world.run(&["sync"])).await;
    said.unwrap_or_else(|_| panic!("{what}: the command does not end"))
}

/// The codes of everything that was said.
fn codes(said: &crate::world::Said) -> Vec<String> {
    let errors = said.document["errors"].as_array().cloned().unwrap_or_default();
    let code = |error: &Value| error["code"].as_str().map(str::to_owned);
    errors.iter().chain([&said.error]).filter_map(code).collect()
}

/// What is not as it should be after commands that nothing troubled.
async fn wrongs(world: &World, what: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let clean = sync(world, what).await;
    if ![0, 3].contains(&clean.status) || clean.document["errors"] != json!([]) {
        wrong.push(format!("{what}: the clean one says {clean:?}"));
        return wrong;
    }
    hold(&world.state().await, &[], 0);
    let again = sync(world, what).await;
    let bookings = &again.document["bookings"];
    if [&bookings["created"], &bookings["updated"], &bookings["removed"]] != [0, 0, 0] {
        wrong.push(format!("{what}: there was still something to do: {again:?}"));
    }
    wrong
}

/// Tries what can go wrong on every route of these services, and no fewer troubles than `least`.
async fn heals(world: World, services: &[&str], least: usize) {
    let mut dice = Dice(11);
    assert_eq!(wrongs(&world, "before anything").await, Vec::<String>::new());
    world.asked().await;
    for _ in 0..3 {
        change_something(&world, &mut dice).await;
    }
    sync(&world, "the usual").await;
    let asked = world.asked().await;
    let mut wrong = Vec::new();
    let (mut met, mut tried) = (0, 0);
    for service in services {
        let routes = asked[*service]["routes"].as_object().cloned().unwrap_or_default();
        for route in routes.keys() {
            for (kind, allowed) in TROUBLES {
                let what = format!("{kind} on {service} {route}");
                met += 1;
                if !is_tried(met, &what) {
                    continue;
                }
                tried += 1;
                for _ in 0..2 {
                    change_something(&world, &mut dice).await;
                }
                world
                    .fault(json!({"service": service, "route": route, "kind": kind, "probability": 1.0}))
                    .await;
                let said = sync(&world, &what).await;
                world.heal().await;
                let odd = codes(&said).into_iter().any(|code| !allowed.contains(&code.as_str()));
                if odd || ![0, 1, 3, 4].contains(&said.status) {
                    wrong.push(format!("{what}: {:?} {said:?}", codes(&said)));
                }
                let after = wrongs(&world, &what).await;
                let is_broken = !after.is_empty();
                wrong.extend(after);
                if is_broken
                    && codes(&sync(&world, &what).await).iter().any(|code| code == "OAUTH_TOKEN_EXPIRED")
                {
                    // Somebody would sign in again; what comes after is to begin from there.
                    assert_eq!(world.login().await.status, 0, "{what}");
                }
            }
        }
    }
    let wrong: Vec<String> = wrong.iter().map(|one| one.chars().take(900).collect()).collect();
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried >= least, "the part is too small to mean anything: {tried} of {met}");
    eprintln!("{tried} troubles of {met}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_with_bookiji_or_with_tokens_the_sync_ends_and_the_next_heals() {
    heals(World::connected().await, WITH_GOOGLE, 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_with_todays_bookiji_the_sync_ends_and_the_next_heals() {
    heals(World::start_today().await.with_account().await, WITH_GOOGLE, 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_with_microsofts_tokens_the_sync_ends_and_the_next_heals() {
    let world = World::start().await;
    assert_eq!(world.login().await.status, 0);
    let connect = world.sign_in_to("outlook", &[], "").await;
    assert_eq!(connect.status, 0, "{connect:?}");
    heals(world, OF_MICROSOFT, 2).await;
}
