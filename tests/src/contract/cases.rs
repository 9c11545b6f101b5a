//! The cases, by what they are about.

mod busy;
mod calendars;
mod copies;
mod create;
mod cursor;
mod delete;
mod delta;
mod paging;
mod probe;
mod reading;
mod series;
mod update;
mod zones;

use super::Case;

/// All of them.
#[must_use]
pub fn all() -> Vec<Case> {
    [
        calendars::CASES,
        reading::CASES,
        delta::CASES,
        cursor::CASES,
        paging::CASES,
        create::CASES,
        update::CASES,
        delete::CASES,
        probe::CASES,
        copies::CASES,
        series::CASES,
        zones::CASES,
        busy::CASES,
    ]
    .concat()
}
