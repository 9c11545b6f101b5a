//! A hundred vendors, one process, one sandbox.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use companion::desk::News;
use jiff::Timestamp;
use sandbox::Seat;
use serde_json::{Value, json};

use crate::crowd::{Crowd, next};

const VENDORS: usize = 100;
const AT_ONCE: u64 = 4;
const AT_GOOGLE: u64 = 3;

/// The bookings still to come, and for each booking the events that stand for it.
fn hers(state: &Value) -> (BTreeSet<&str>, BTreeMap<&str, usize>) {
    let now = state["now"].as_str().unwrap().parse::<Timestamp>().unwrap();
    let is_live = |booking: &&Value| {
        matches!(booking["status"].as_str(), Some("pending" | "confirmed"))
            && booking["end"].as_str().unwrap().parse::<Timestamp>().unwrap() > now
    };
    let bookings = state["bookings"].as_array().unwrap().iter().filter(is_live);
    let bookings = bookings.map(|booking| booking["id"].as_str().unwrap()).collect();
    let calendars = state["calendars"].as_array().unwrap().iter();
    let events = calendars.flat_map(|calendar| calendar["events"].as_array().unwrap());
    let mut standing = BTreeMap::new();
    for event in events.filter(|event| event["status"] != "cancelled") {
        if let Some(booking) = event["booking_id"].as_str() {
            *standing.entry(booking).or_default() += 1;
        }
    }
    (bookings, standing)
}

#[track_caller]
fn assert_each_booking_stands_once(state: &Value) {
    let (bookings, standing) = hers(state);
    assert!(bookings.len() >= 5);
    let whole: BTreeMap<&str, usize> = bookings.iter().map(|id| (*id, 1)).collect();
    assert_eq!(standing, whole, "{}", state["vendor"]["email"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_vendors_are_kept_each_with_her_own_and_one_that_stalls_delays_none() {
    let desk = format!("runs_at_once = {AT_ONCE}\nbookiji_calls_a_minute = 60000");
    let crowd = Crowd::connected(VENDORS, &desk, "booking_poll_seconds = 10").await;
    crowd.control("DELETE", "requests", None).await;
    let mut desk = crowd.open();

    let mut synced = BTreeSet::new();
    while synced.len() < VENDORS {
        let told = next(&mut desk).await;
        match told.what {
            News::Ran(Ok(report)) => {
                assert!(report.errors.is_empty(), "{}: {:?}", told.profile, report.errors);
                synced.insert(told.profile);
            }
            News::Opened => {}
            other @ (News::Shut(_) | News::Ran(Err(_)) | News::File(_) | News::Left) => {
                panic!("{}: {other:?}", told.profile)
            }
        }
    }
    let mut everybody = BTreeSet::new();
    for seat in &crowd.sandbox.vendors {
        let state = crowd.state(seat).await;
        assert_each_booking_stands_once(&state);
        let busy = state["busy"].as_array().unwrap();
        assert!(!busy.is_empty(), "{} has no busy time on Bookiji", seat.email);
        let (bookings, _) = hers(&state);
        assert!(
            bookings.iter().all(|id| everybody.insert((*id).to_owned())),
            "{} is shown another's",
            seat.email
        );
    }

    // One account accepts and never answers, one fails; then something happens to everybody.
    let (stalls, fails) = (crowd.seat(17), crowd.seat(42));
    for (seat, kind) in [(stalls, "slow:600000"), (fails, "status:500")] {
        let fault = json!({"service": "google", "vendor": seat.email, "kind": kind});
        crowd.control("POST", "faults", Some(fault)).await;
    }
    let unlucky = [stalls.folder(), fails.folder()];
    let (first, others): (Vec<&Seat>, Vec<&Seat>) =
        crowd.sandbox.vendors.iter().partition(|seat| unlucky.contains(&seat.folder()));
    for seat in first {
        crowd.book(seat).await;
    }
    while crowd.control("GET", "faults", None).await["faults"][0]["hits"] == 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for seat in &others {
        crowd.book(seat).await;
    }
    // In one queue behind it, nobody would run before it has given up, and that would be told first.
    let mut written = BTreeSet::new();
    while written.len() < others.len() {
        let told = next(&mut desk).await;
        let News::Ran(Ok(report)) = told.what else { panic!("{}: {:?}", told.profile, told.what) };
        if told.profile == fails.folder() {
            assert_eq!(report.bookings.created, 0);
            continue;
        }
        let left = others.len() - written.len();
        assert!(report.errors.is_empty(), "{}: {:?}, {left} others left", told.profile, report.errors);
        if report.bookings.created > 0 {
            written.insert(told.profile);
        }
    }
    for seat in others {
        assert_each_booking_stands_once(&crowd.state(seat).await);
    }

    let requests = crowd.control("GET", "requests", None).await;
    let peak = |service: &str| requests[service]["peak"].as_u64().unwrap();
    assert!((2..=AT_GOOGLE).contains(&peak("google")), "{requests}");
    assert!((1..=AT_ONCE).contains(&peak("bookiji")), "{requests}");
    crowd.control("DELETE", "faults", None).await;
    // A shutdown would wait for the one that stalls, as other tests show.
    drop(desk);
}
