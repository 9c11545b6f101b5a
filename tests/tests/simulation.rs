//! The engine's life from seeds: every story ends well, is the same when it is told again, and an engine that is wrong on
//! purpose is found out.

use tests::simulate::mutant::Mutant;
use tests::simulate::simulate;

/// In as many threads as there are tests here: each lives through its share.
fn all_end_well(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let outcome = simulate(seed, None);
        if let Some((what, story)) = outcome.broken {
            panic!("{story}\nseed {seed}: {what}");
        }
    }
}

#[test]
fn a_thousand_stories_end_well() {
    all_end_well(0..1_000);
}

#[test]
fn a_thousand_other_stories_end_well() {
    all_end_well(1_000..2_000);
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for seed in 0..60 {
        assert_eq!(simulate(seed, None), simulate(seed, None), "seed {seed}");
    }
}

#[test]
fn other_seeds_tell_other_stories() {
    let hashes: std::collections::BTreeSet<u64> = (0..40).map(|seed| simulate(seed, None).hash).collect();
    assert_eq!(hashes.len(), 40);
}

/// How many stories may pass before an engine that is wrong on purpose is found out.
const PATIENCE: u64 = 600;

#[test]
fn every_engine_that_is_wrong_on_purpose_is_found_out() {
    let missed: Vec<Mutant> = Mutant::ALL
        .into_iter()
        .filter(|mutant| !(0..PATIENCE).any(|seed| simulate(seed, Some(*mutant)).broken.is_some()))
        .collect();
    assert_eq!(missed, [], "within {PATIENCE} seeds");
}
