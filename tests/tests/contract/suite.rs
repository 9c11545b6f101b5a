//! Every case in every room.

use tests::contract::rooms::{CaldavRoom, FakeRoom, GoogleRoom, OutlookRoom, Servers};
use tests::contract::suite::hold;
use tests::contract::{cases, exceptions};
use tests::servers::or_say;

#[test]
fn the_contract_has_sixty_cases_and_each_has_a_name_of_its_own() {
    let mut names: Vec<&str> = cases::all().iter().map(|case| case.name).collect();
    let count = names.len();
    assert!(count >= 60, "{count}");
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    let unknown: Vec<_> =
        exceptions::EXCEPTIONS.iter().filter(|(_, case, _)| names.binary_search(case).is_err()).collect();
    assert!(unknown.is_empty(), "exceptions from no case: {unknown:?}");
}

#[tokio::test]
async fn the_fake_keeps_the_contract_that_scenarios_rely_on() {
    hold("fake", async || FakeRoom::open()).await;
}

#[tokio::test]
async fn the_fake_that_gives_ids_keeps_the_contract_that_scenarios_rely_on() {
    hold("fake_giving_ids", async || FakeRoom::that_gives_ids()).await;
}

#[tokio::test]
async fn google_keeps_the_contract_over_sockets() {
    hold("google", GoogleRoom::open).await;
}

#[tokio::test]
async fn outlook_keeps_the_contract_over_sockets() {
    hold("outlook", OutlookRoom::open).await;
}

#[tokio::test]
async fn a_real_radicale_keeps_the_contract() {
    let Some(servers) = or_say(Servers::radicale()) else { return };
    hold("radicale", || CaldavRoom::open(&servers)).await;
}

#[tokio::test]
async fn a_real_cyrus_keeps_the_contract() {
    let Some(servers) = or_say(Servers::cyrus()) else { return };
    hold("cyrus", || CaldavRoom::open(&servers)).await;
}
