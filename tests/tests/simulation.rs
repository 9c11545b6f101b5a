//! The engine's life from seeds: every story ends well, is the same when it is told again, and an engine that is wrong on
//! purpose is found out.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use tests::simulate::mutant::Mutant;
use tests::simulate::{repertoire, simulate};

/// `SIMULATION_SEEDS=N` lives through fewer: where the engine itself is varied, and time is short.
fn seeds() -> u64 {
    std::env::var("SIMULATION_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(2_000)
}

/// In as many threads as there are tests here: each lives through its share.
fn all_end_well(seeds: Range<u64>) {
    for seed in seeds {
        let outcome = simulate(seed, None);
        if let Some((what, story)) = outcome.broken {
            panic!("{story}\nseed {seed}: {what}");
        }
    }
}

#[test]
fn a_thousand_stories_end_well() {
    all_end_well(0..seeds() / 2);
}

#[test]
fn a_thousand_other_stories_end_well() {
    all_end_well(seeds() / 2..seeds());
}

/// Stories that broke a promise once, and what each of them taught. `doubts.rs` has the same as small tests.
const TAUGHT: [(u64, &str); 4] = [
    (547, "a refusal says nothing about an earlier try whose answer was lost"),
    (626, "a run that plans anew has removed what it removed before"),
    (1_523, "a list that comes back empty is no proof that our events are gone"),
    (2_706, "an answer that was carried out is spent, whatever the booking says afterwards"),
];

#[test]
fn what_stories_taught_is_not_forgotten() {
    for (seed, sentence) in TAUGHT {
        if let Some((what, story)) = simulate(seed, None).broken {
            panic!("{story}\nseed {seed}: {what}; it had taught that {sentence}");
        }
    }
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

#[test]
fn every_step_lie_death_and_answer_occurs_in_a_few_hundred_stories() {
    let mut occurred = BTreeMap::new();
    for seed in 0..400 {
        for (what, times) in simulate(seed, None).tally {
            *occurred.entry(what).or_insert(0) += times;
        }
    }
    let missing: Vec<String> =
        repertoire().into_iter().filter(|what| !occurred.contains_key(what.as_str())).collect();
    assert_eq!(missing, Vec::<String>::new(), "{occurred:#?}");
}

/// How many stories may pass before an engine that is wrong on purpose is found out.
const PATIENCE: u64 = 600;

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
