//! What one process knows of the lease, after each thing that it is told.

use async_trait::async_trait;
use jiff::Timestamp;

use super::*;
use crate::made::at;

/// It is always the same moment.
struct Noon;

#[async_trait]
impl Clock for Noon {
    fn now(&self) -> Timestamp {
        at(0)
    }

    async fn wait(&self, _: Duration) {}

    fn jitter(&self) -> f64 {
        0.5
    }
}

fn hear(known: &mut Known, lease: Lease) {
    known.hear(lease, Moment::of(&Noon), &Noon);
}

fn held(number: u64) -> Lease {
    Lease::Held { fencing: Fencing(number), lives: TERM, others: false }
}

fn others(number: u64) -> Lease {
    Lease::HeldByOther { name: "desk".to_owned(), fencing: Fencing(number), ends_in: TERM }
}

/// A process that has had the lease with this number.
fn writing(number: u64) -> Known {
    let mut known = Known::default();
    hear(&mut known, held(number));
    (known.in_doubt, known.gained) = (false, false);
    known
}

#[test]
fn whoever_may_write_again_after_anything_kept_it_from_it_has_gained() {
    let gained = |before: fn(&mut Known), lease: Lease| {
        let mut known = writing(7);
        before(&mut known);
        hear(&mut known, lease);
        known.gained
    };
    assert!(!gained(|_| {}, held(7)) && !gained(|_| {}, Lease::NotOffered));
    assert!(gained(|known| known.in_doubt = true, held(7)), "another has written meanwhile");
    assert!(gained(|known| known.stop(None), held(7)), "its run was stopped");
    assert!(gained(|known| hear(known, others(7)), held(7)), "it stood by");
    assert!(gained(|known| hear(known, others(7)), Lease::NotOffered), "it stood by");
    assert!(!gained(|known| known.in_doubt = true, others(8)), "it stands by");
}

#[test]
fn a_number_is_news_only_where_it_is_greater_than_the_last() {
    for (number, ours, is_news) in [
        (6, false, false),
        (7, false, false),
        (8, false, true),
        (7, true, false),
        (8, true, false),
        (9, true, true),
    ] {
        let mut known = writing(7);
        known.see(Fencing(number), ours);
        assert_eq!((known.in_doubt, known.passed), (is_news, is_news), "{number} {ours}");
    }
}

#[test]
fn a_process_that_has_heard_nothing_asks_at_once_only_where_another_may_be_writing() {
    let wait = |change: fn(&mut Known)| {
        let me = Installation { id: "studio".into(), name: "studio".to_owned() };
        let writer = Writer::new(me, LeaseRecord::default());
        change(&mut writer.known());
        writer.wait(&Noon)
    };
    assert_eq!(wait(|_| {}), None, "nothing is to be written");
    assert_eq!(wait(|known| known.see(Fencing(1), false)), Some(Duration::ZERO));
    let standing_by = |known: &mut Known| {
        known.record.standing_by = Some(StandingBy { holder: "desk".to_owned(), since: at(-1) });
    };
    assert_eq!(wait(standing_by), Some(Duration::ZERO));
}
