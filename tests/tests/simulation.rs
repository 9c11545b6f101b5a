//! The engine's life from seeds: every story ends well, is the same when it is told again, and an engine that is wrong on
//! purpose is found out. What stories taught is in `doubts.rs`, each as a small test.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::thread;

use tests::simulate::mutant::Mutant;
use tests::simulate::{repertoire, simulate};

/// Answers with everything that happened.
fn all_end_well(seeds: Range<u64>) -> BTreeSet<String> {
    let mut occurred = BTreeSet::new();
    for seed in seeds {
        let outcome = simulate(seed, None);
        if let Some((what, story)) = outcome.broken {
            panic!("{story}\nseed {seed}: {what}");
        }
        occurred.extend(outcome.tally.into_keys().map(Cow::into_owned));
    }
    occurred
}

#[test]
fn thousands_of_stories_end_well_and_every_step_lie_death_and_answer_occurs_in_them() {
    let occurred = thread::scope(|scope| {
        let half = scope.spawn(|| all_end_well(0..1_250));
        let mut occurred = all_end_well(1_250..2_500);
        occurred.extend(half.join().expect("the other half"));
        occurred
    });
    let missing: Vec<String> = repertoire().into_iter().filter(|what| !occurred.contains(what)).collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for seed in 0..60 {
        assert_eq!(simulate(seed, None), simulate(seed, None), "seed {seed}");
    }
}

#[test]
fn other_seeds_tell_other_stories() {
    let hashes: BTreeSet<u64> = (0..40).map(|seed| simulate(seed, None).hash).collect();
    assert_eq!(hashes.len(), 40);
}

/// How many stories may pass before an engine that is wrong on purpose is found out.
const PATIENCE: u64 = 2_000;

fn all_are_found_out(mutants: impl Iterator<Item = Mutant>) {
    let is_missed =
        |mutant: &Mutant| !(0..PATIENCE).any(|seed| simulate(seed, Some(*mutant)).broken.is_some());
    let missed: Vec<Mutant> = mutants.filter(is_missed).collect();
    assert_eq!(missed, [], "within {PATIENCE} seeds");
}

#[test]
fn every_engine_that_is_wrong_on_purpose_is_found_out() {
    all_are_found_out(Mutant::ALL.into_iter().step_by(2));
}

#[test]
fn every_other_engine_that_is_wrong_on_purpose_is_found_out() {
    all_are_found_out(Mutant::ALL.into_iter().skip(1).step_by(2));
}
