//! Everything that can go wrong on every route of every service.

use tests::contract::matrix::heals;
use tests::contract::rooms::{CaldavRoom, GoogleRoom, OutlookRoom, Servers};
use tests::servers::or_say;

#[tokio::test]
async fn whatever_goes_wrong_with_google_the_run_ends_and_the_next_heals() {
    heals("google", GoogleRoom::open).await;
}

#[tokio::test]
async fn whatever_goes_wrong_with_outlook_the_run_ends_and_the_next_heals() {
    heals("outlook", OutlookRoom::open).await;
}

#[tokio::test]
async fn whatever_goes_wrong_with_a_radicale_the_run_ends_and_the_next_heals() {
    let Some(servers) = or_say(Servers::radicale()) else { return };
    heals("radicale", || CaldavRoom::open(&servers)).await;
}

#[tokio::test]
async fn whatever_goes_wrong_with_a_cyrus_the_run_ends_and_the_next_heals() {
    let Some(servers) = or_say(Servers::cyrus()) else { return };
    heals("cyrus", || CaldavRoom::open(&servers)).await;
}
