//! Every lie in every room: survived, or found out where it is written down.

use tests::contract::cases;
use tests::contract::lies::LIES;
use tests::contract::rooms::{CaldavRoom, GoogleRoom, OutlookRoom, Servers};
use tests::contract::suite::lied_to;
use tests::servers::or_say;

#[test]
fn every_lie_is_told_to_cases_that_there_are() {
    let names: Vec<&str> = cases::all().iter().map(|case| case.name).collect();
    for lie in LIES {
        assert!(!lie.cases.is_empty(), "{}", lie.kind);
        for (case, _) in lie.cases {
            assert!(names.contains(case), "{}: {case}", lie.kind);
        }
    }
}

#[tokio::test]
async fn what_google_can_lie_about_is_survived_or_found_out() {
    lied_to("google", GoogleRoom::open).await;
}

#[tokio::test]
async fn what_outlook_can_lie_about_is_survived_or_found_out() {
    lied_to("outlook", OutlookRoom::open).await;
}

#[tokio::test]
async fn what_can_happen_before_a_radicale_is_survived_or_found_out() {
    let Some(servers) = or_say(Servers::radicale()) else { return };
    lied_to("radicale", || CaldavRoom::open(&servers)).await;
}

#[tokio::test]
async fn what_can_happen_before_a_cyrus_is_survived_or_found_out() {
    let Some(servers) = or_say(Servers::cyrus()) else { return };
    lied_to("cyrus", || CaldavRoom::open(&servers)).await;
}
