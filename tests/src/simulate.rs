//! The engine's life from one seed: a vendor, her customers, two computers, services that lie and processes that die, in
//! virtual time and on one thread. `life` decides what happens when, `weather` what
//! goes wrong, and `holds` what must be true all the same.

mod device;
pub mod dice;
mod files;
pub mod holds;
mod lease;
mod liar;
mod life;
pub mod mutant;
mod past;
mod people;
mod questions;
mod repertoire;
mod stage;
mod trace;
mod turns;
mod underway;
mod watched;
mod weather;

use std::borrow::Cow;
use std::collections::BTreeMap;

use self::life::Life;
use self::mutant::Mutant;
pub use self::repertoire::repertoire;
use self::stage::on;

/// How a story went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub seed: u64,
    pub hash: u64,
    pub lines: usize,
    pub runs: usize,
    /// How often each thing happened.
    pub tally: BTreeMap<Cow<'static, str>, usize>,
    /// The first promise that was broken, and all that led to it.
    pub broken: Option<(String, String)>,
}

/// Lives through the story of one seed. With a `mutant`, the engine is wrong on purpose.
#[must_use]
pub fn simulate(seed: u64, mutant: Option<Mutant>) -> Outcome {
    outcome(seed, &lived(seed, mutant))
}

/// As [`simulate`], with all that happened, however it went.
#[must_use]
pub fn tell(seed: u64, mutant: Option<Mutant>) -> (Outcome, String) {
    let life = lived(seed, mutant);
    let story = on(&life.stage).trace.story();
    (outcome(seed, &life), story)
}

fn lived(seed: u64, mutant: Option<Mutant>) -> Life {
    let mut life = Life::new(seed, mutant);
    life.live();
    life
}

fn outcome(seed: u64, life: &Life) -> Outcome {
    let stage = on(&life.stage);
    Outcome {
        seed,
        hash: stage.trace.hash(),
        lines: stage.trace.len(),
        runs: life.runs,
        tally: stage.tally.clone(),
        broken: stage.broken.as_ref().map(|what| (what.clone(), stage.trace.story())),
    }
}
