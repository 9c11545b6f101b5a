//! Why a file is not taken in, by its kind: for whoever has words of their own for it.

use calendar::ics::NotACalendar;
use serde::{Deserialize, Serialize};

use crate::problem::Problem;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Rejection {
    NotACalendar {
        what: NotACalendar,
    },
    /// It is a calendar, and none of its events can be read.
    NoEvents {
        /// Where the first of them goes wrong.
        line: u32,
    },
    TooLarge {
        most_mb: u32,
    },
    Folder,
    /// A pipe, a device, a socket: nothing that could be read to its end.
    NoFile,
    /// It only points to a file, where none is taken that does.
    Link,
    /// It points to a file somewhere else.
    LeadsAway,
    /// Its name climbs out of a folder.
    Climbs,
    /// The system does not give it out.
    Unreadable,
}

/// A file that is not taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    pub why: Rejection,
    /// The same in words for the vendor, with the cause and what to do.
    pub problem: Problem,
}

impl Rejected {
    #[must_use]
    pub fn new(why: Rejection, problem: Problem) -> Self {
        Self { why, problem }
    }
}
