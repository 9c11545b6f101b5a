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

fn missed(mutants: impl Iterator<Item = Mutant>, patience: u64) -> Vec<Mutant> {
    let is_found = |mutant| (0..patience).any(|seed| simulate(seed, Some(mutant)).broken.is_some());
    mutants.filter(|mutant| !is_found(*mutant)).collect()
}

#[test]
fn every_engine_that_is_wrong_on_purpose_is_found_out() {
    let common = Mutant::ALL.into_iter().filter(|mutant| !Mutant::RARE.contains(mutant));
    assert_eq!(missed(common, PATIENCE), [], "within {PATIENCE} seeds");
}

#[test]
#[ignore = "takes many minutes, and the story is not rich enough yet for all of them"]
fn those_that_go_wrong_rarely_are_found_out_too() {
    assert_eq!(missed(Mutant::RARE.into_iter(), PATIENCE * 40), []);
}
