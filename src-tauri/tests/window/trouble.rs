//! What goes wrong on a computer: it loses power, the network goes, the keychain is locked.

use serde_json::json;

use crate::salon::Salon;
use crate::stage::{Furniture, Stage, until_async};

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_a_sync_it_goes_on_where_it_was_and_doubles_nothing() {
    let stage = Stage::set(Furniture::PanelAndKeychain).await;
    let salon = Salon::connected(&stage).await;
    salon.types(&["sync"]).await;
    let before = salon.placed().await.len();
    for _ in 0..6 {
        salon.edit("customer", "book", json!({})).await;
    }
    salon.fault(json!({"service": "google", "kind": "slow:400"})).await;
    stage.start_hidden();
    until_async("some are written", async || salon.placed().await.len() > before).await;
    stage.kill().await;
    let half = salon.placed().await.len();
    salon.heal().await;

    stage.start_hidden();
    until_async("all are written", async || salon.placed().await.len() >= before + 6).await;
    stage.panel.says("Up to date").await;
    let mut placed = salon.placed().await;
    let all = placed.len();
    placed.dedup();
    assert_eq!((placed.len(), all), (before + 6, before + 6), "none twice, after {half} at the kill");
    stage.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn offline_it_says_so_and_once_the_network_is_back_it_goes_on_by_itself() {
    let stage = Stage::set(Furniture::PanelAndKeychain).await;
    let salon = Salon::connected(&stage).await;
    salon.types(&["sync"]).await;
    stage.start_hidden();
    stage.panel.says("Up to date").await;
    for service in ["google", "bookiji", "bookiji_auth"] {
        salon.fault(json!({"service": service, "kind": "reset"})).await;
    }
    stage.panel.choose("Sync Now").await;
    stage.panel.says("Can’t be reached").await;
    assert!(stage.panel.heard().is_empty(), "what heals by itself is no news: {:?}", stage.panel.heard());
    salon.heal().await;
    stage.panel.choose("Sync Now").await;
    stage.panel.says("Up to date").await;
    stage.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_keychain_needs_her_and_once_it_is_open_everything_goes_on() {
    let stage = Stage::set(Furniture::PanelAndKeychain).await;
    let salon = Salon::connected(&stage).await;
    salon.types(&["sync"]).await;
    stage.panel.lock_keychain().await;
    stage.start_hidden();
    stage.panel.says("Needs you").await;
    let booked = salon.edit("customer", "book", json!({})).await;
    let booking = booked["booking"]["id"].as_str().unwrap().to_owned();
    stage.unlock_keychain();
    until_async("the tray says that all is well again", async || {
        stage.panel.choose("Sync Now").await;
        eprintln!(
            "TRAY {:?}",
            stage.panel.menu().await.iter().map(|line| line.label.clone()).collect::<Vec<_>>()
        );
        stage.panel.menu().await.first().is_some_and(|line| line.label.starts_with("Up to date"))
    })
    .await;
    assert!(salon.placed().await.contains(&booking), "and what was booked meanwhile has its event");
    stage.quit().await;
}
