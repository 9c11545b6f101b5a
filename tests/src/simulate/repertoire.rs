//! What a good number of stories must hold between them: a story that cannot go wrong in some way proves nothing about it.

use std::collections::BTreeSet;

use super::life::STEPS;
use super::people;
use super::weather::{Call, Emptied, Lie};
use crate::crash::Moment;

/// Everything that must happen in a good number of stories, as the tally of a stage names it.
#[must_use]
pub fn repertoire() -> BTreeSet<String> {
    let moments = [Moment::Before, Moment::After];
    let steps = STEPS.iter().map(|(_, step)| format!("step {step:?}"));
    let deeds = people::DEEDS.iter().map(|(_, deed)| format!("deed {deed:?}"));
    let lies = Lie::ALL.iter().map(|lie| format!("lie {lie:?}"));
    let calls = Call::ALL.iter().map(|call| format!("call {call:?}"));
    let deaths = Call::WRITES.iter().flat_map(|call| moments.map(|m| format!("death at {call:?}, {m:?}")));
    let commits = moments.map(|moment| format!("death at a write to the mirror, {moment:?}"));
    let emptied = [Emptied::Bookings, Emptied::Target, Emptied::Personal];
    let emptied = emptied.map(|list| format!("{list:?} comes back empty"));
    let answers = [
        "moved move",
        "moved propose",
        "proposed put_back",
        "proposed leave",
        "moved put_back",
        "moved leave",
        "deleted cancel",
        "deleted put_back",
        "deleted leave",
        "moved_both move",
        "moved_cancelled remove",
        "moved_cancelled leave",
        "held_deletion remove",
        "held_deletion leave",
        "held_deletions remove",
        "held_deletions leave",
        "renamed put_back",
        "renamed leave",
        "duplicated unblock",
        "duplicated leave",
        "overlap cancel",
        "overlap leave",
    ];
    let answers = answers.map(|answer| format!("answer {answer}"));
    let others = [
        "two computers",
        "edit during a run",
        "edit of what is being written",
        "a calendar that is gone",
        "a clock that jumps back",
        "a run is taken back",
        "both at once",
        "asleep in the middle of a run",
        "the other computer writes",
        "a write is fenced",
        "an answer comes too late",
        "a lie about one of several",
        "a standing answer counts",
        "a platform that leaves slots to us",
        "a slot is closed",
        "a slot is opened",
    ];
    steps
        .chain(deeds)
        .chain(lies)
        .chain(calls)
        .chain(deaths)
        .chain(commits)
        .chain(emptied)
        .chain(answers)
        .chain(others.map(str::to_owned))
        .collect()
}
