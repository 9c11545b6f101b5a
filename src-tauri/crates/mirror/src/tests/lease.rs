//! Which computer this is, and what becomes of what was told when another one wrote.

use calendar::interval::Interval;
use sync::closing::{ClosedSlot, ClosedState};
use sync::ids::InstallationId;
use sync::lease::{Fencing, LeaseRecord, StandingBy};
use sync::ports::Mirror;
use sync::world::{Operation, Settled};

use super::rows::anas;
use super::scene::*;
use crate::Sqlite;

#[test]
fn a_profile_is_the_same_installation_until_it_wakes_on_another_computer() {
    let mirror = Sqlite::in_memory().unwrap();
    let id = |text: &str| InstallationId(text.to_owned());
    assert_eq!(mirror.installation("studio", &id("a")).unwrap(), id("a"));
    assert_eq!(mirror.installation("studio", &id("b")).unwrap(), id("a"));
    assert_eq!(mirror.installation("laptop", &id("c")).unwrap(), id("c"), "a copy is not the original");
    assert_eq!(mirror.installation("laptop", &id("d")).unwrap(), id("c"));
}

#[test]
fn who_writes_is_remembered_and_cleared() {
    let mirror = Sqlite::in_memory().unwrap();
    assert_eq!(mirror.world().unwrap().lease, LeaseRecord::default());
    let holder = Some(StandingBy { holder: "studio".to_owned(), since: at(3) });
    for standing_by in [holder, None] {
        let record = LeaseRecord { last: Some(Fencing(9)), standing_by };
        mirror.note_lease(&record, false).unwrap();
        assert_eq!(mirror.world().unwrap().lease, record);
    }
}

#[test]
fn what_was_told_before_another_computer_wrote_counts_as_told_no_more() {
    let mirror = anas();
    let source = private().id;
    let operation = Operation::PublishBusy { set: busy_set(&source, 0), before: None };
    let id = mirror.intend(&run_id(), &operation, at(1)).unwrap();
    mirror.settle(id, &Settled::Published(Box::new(published(&source, 0))), at(2)).unwrap();

    mirror.note_lease(&LeaseRecord { last: Some(Fencing(1)), standing_by: None }, false).unwrap();
    assert_eq!(mirror.published().unwrap()[&source], published(&source, 0));
    mirror.note_lease(&LeaseRecord { last: Some(Fencing(3)), standing_by: None }, true).unwrap();
    let known = mirror.published().unwrap();
    assert_ne!(known[&source].set.checksum, published(&source, 0).set.checksum);
    assert_eq!(known[&source].set.intervals, published(&source, 0).set.intervals, "what blocked stays known");
}

#[test]
fn under_another_interface_of_the_platform_nothing_counts_as_told() {
    let mirror = anas();
    let source = private().id;
    let operation = Operation::PublishBusy { set: busy_set(&source, 0), before: None };
    let id = mirror.intend(&run_id(), &operation, at(1)).unwrap();
    mirror.settle(id, &Settled::Published(Box::new(published(&source, 0))), at(2)).unwrap();
    assert_eq!(mirror.interface().unwrap(), None);
    mirror.set_interface("rest", at(3)).unwrap();
    mirror.set_interface("rest", at(4)).unwrap();
    assert_eq!(mirror.interface().unwrap(), Some(("rest".to_owned(), at(4))));
    assert_eq!(mirror.published().unwrap()[&source], published(&source, 0), "the first is no other");
    mirror.set_interface("contract", at(5)).unwrap();
    assert_ne!(mirror.published().unwrap()[&source].set.checksum, published(&source, 0).set.checksum);
}

#[test]
fn slots_that_we_closed_are_remembered_until_they_are_forgotten() {
    let mirror = Sqlite::in_memory().unwrap();
    let row = |id: &str, state| {
        let span = Interval::new(at(10), at(20)).unwrap();
        ClosedSlot { id: id.into(), span, state, at: at(1) }
    };
    let states = [ClosedState::Closing, ClosedState::Closed, ClosedState::Opening];
    for state in states {
        mirror.put_closed_slots(&[row("a", state), row("b", state)], &[]).unwrap();
        let known = mirror.world().unwrap().closed_slots;
        assert_eq!(known.into_values().collect::<Vec<_>>(), [row("a", state), row("b", state)]);
    }
    mirror.put_closed_slots(&[row("c", ClosedState::Closed)], &["a".into(), "b".into()]).unwrap();
    assert_eq!(mirror.world().unwrap().closed_slots.into_keys().collect::<Vec<_>>(), ["c".into()]);
}
