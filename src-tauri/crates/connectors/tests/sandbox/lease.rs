//! The lease over the sandbox: who holds it, and that every write of ours carries its number.

use std::time::Duration;

use calendar::interval::Interval;
use jiff::ToSpan;
use serde_json::json;
use sync::error::ServiceError;
use sync::ids::{InstallationId, Service, SlotId};
use sync::lease::{Fencing, Installation, Lease};
use sync::ports::{BusySet, Platform, Slot};

use super::{World, now};

const TERM: Duration = Duration::from_secs(40);

fn computer(name: &str) -> Installation {
    Installation { id: InstallationId(format!("installation-{name}")), name: name.to_owned() }
}

#[tokio::test]
async fn every_write_under_an_old_number_is_fenced_and_under_the_last_is_done() {
    let world = World::new().await;
    let (platform, _) = world.platform().await;
    let span = |from: i64, to: i64| Interval::new(now() + from.hours(), now() + to.hours()).unwrap();
    let set = BusySet::of(Service::Google, "c".into(), span(0, 720), vec![span(1, 2)]);
    let made = Slot {
        id: SlotId("0d8ff7cc-7a1b-5bb8-8a1c-6ae1b5a3a0aa".to_owned()),
        span: span(24 * 700, 24 * 700 + 1),
        open: true,
    };
    let booking = world.control("edit", json!({"as": "customer", "do": "book"})).await["booking"]["id"]
        .as_str()
        .unwrap()
        .into();
    assert_eq!(platform.fencing_seen(), None);

    let mine = platform.lease(&computer("studio"), TERM).await.unwrap();
    let Lease::Held { fencing: Fencing(1), lives, others: false } = mine else { panic!("{mine:?}") };
    assert!(lives <= TERM && lives > Duration::from_secs(30), "{lives:?}");
    platform.release_lease(&computer("studio"), Fencing(1)).await.unwrap();
    let theirs = platform.lease(&computer("laptop"), TERM).await.unwrap();
    assert!(matches!(theirs, Lease::Held { fencing: Fencing(2), others: true, .. }), "{theirs:?}");
    let mine = platform.lease(&computer("studio"), TERM).await.unwrap();
    assert!(
        matches!(&mine, Lease::HeldByOther { name, fencing: Fencing(2), .. } if name == "laptop"),
        "{mine:?}"
    );
    platform.bookings(None).await;
    assert_eq!(platform.fencing_seen(), Some(Fencing(2)));

    for (number, done) in [(1, false), (2, true)] {
        platform.fence(Some(Fencing(number)));
        let slots = std::slice::from_ref(&made);
        let sent = [
            platform.put_busy(&set).await.map(drop),
            platform.create_slots(slots).await.map(drop),
            platform.remove_slot(&made).await,
            platform.move_booking(&booking, span(24 * 300, 24 * 300 + 1), &format!("m{number}")).await,
            platform.cancel_booking(&booking, "ill", &format!("c{number}")).await,
        ];
        for (place, sent) in sent.iter().enumerate() {
            let fenced = sent.as_ref().is_err_and(ServiceError::is_fenced);
            assert_eq!(fenced, !done, "{place} under {number}: {sent:?}");
        }
    }
}

#[tokio::test]
async fn a_platform_that_does_not_know_the_route_has_no_leases() {
    let world = World::new().await;
    let (platform, _) = world.platform().await;
    for kind in ["status:404", "status:405"] {
        let fault = json!({"service": "bookiji", "route": "PUT", "kind": kind, "times": 1});
        world.control("faults", fault).await;
        assert_eq!(platform.lease(&computer("studio"), TERM).await.unwrap(), Lease::NotOffered);
    }
    let fault = json!({"service": "bookiji", "route": "PUT", "kind": "status:500", "times": 1});
    world.control("faults", fault).await;
    let failed = platform.lease(&computer("studio"), TERM).await;
    assert!(failed.is_err(), "a failure is not the absence of leases: {failed:?}");
}
