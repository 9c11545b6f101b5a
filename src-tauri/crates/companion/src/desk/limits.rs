//! What the vendors of one computer share, as `settings.toml` beside their folders says. Decides what a valid file is.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::problem::Problem;
use crate::settings::{self, within};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub runs_at_once: usize,
    /// At any one calendar service. One place less than there are lets others pass when a service hangs.
    pub runs_at_once_per_service: usize,
    /// Calls of Bookiji's API, which allows a computer sixty; the rest is for the vendors' browsers.
    pub bookiji_calls_a_minute: u32,
    pub run_at_most: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            runs_at_once: 4,
            runs_at_once_per_service: 3,
            bookiji_calls_a_minute: 30,
            run_at_most: Duration::from_secs(300),
        }
    }
}

impl Limits {
    /// Reads the file; a file that is not there means the defaults.
    pub fn load(path: &Path) -> Result<Self, Problem> {
        settings::load(path, Self::parse)
    }

    /// The error reads on after the file's name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File =
            toml::from_str(text).map_err(|error| format!("cannot be used: {}", error.message().trim()))?;
        let (desk, usual) = (file.desk, Self::default());
        let runs_at_once = within("desk.runs_at_once", desk.runs_at_once, 1, 64, 4_u32)?;
        let per_service = (runs_at_once - 1).max(1);
        let per_service =
            within("desk.runs_at_once_per_service", desk.runs_at_once_per_service, 1, 64, per_service)?;
        let calls = within(
            "desk.bookiji_calls_a_minute",
            desk.bookiji_calls_a_minute,
            6,
            60_000,
            usual.bookiji_calls_a_minute,
        )?;
        let longest = within(
            "desk.run_at_most_seconds",
            desk.run_at_most_seconds,
            2,
            3600,
            usual.run_at_most.as_secs().try_into().unwrap_or(u32::MAX),
        )?;
        Ok(Self {
            runs_at_once: runs_at_once as usize,
            runs_at_once_per_service: per_service as usize,
            bookiji_calls_a_minute: calls,
            run_at_most: Duration::from_secs(u64::from(longest)),
        })
    }
}

/// The file as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    desk: DeskTable,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct DeskTable {
    runs_at_once: Option<i64>,
    runs_at_once_per_service: Option<i64>,
    bookiji_calls_a_minute: Option<i64>,
    run_at_most_seconds: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_means_four_at_once_three_at_one_service_and_half_of_what_bookiji_allows() {
        let dir = tempfile::tempdir().unwrap();
        let limits = Limits::load(&dir.path().join("settings.toml")).unwrap();
        assert_eq!(limits, Limits::default());
        assert_eq!(Limits::parse("").unwrap(), limits);
    }

    #[test]
    fn one_place_less_at_a_service_than_there_are_unless_the_file_says_otherwise() {
        assert_eq!(Limits::parse("[desk]\nruns_at_once = 8").unwrap().runs_at_once_per_service, 7);
        assert_eq!(Limits::parse("[desk]\nruns_at_once = 1").unwrap().runs_at_once_per_service, 1);
        let told = Limits::parse("[desk]\nruns_at_once_per_service = 2\nrun_at_most_seconds = 60").unwrap();
        assert_eq!((told.runs_at_once, told.runs_at_once_per_service), (4, 2));
        assert_eq!(told.run_at_most, Duration::from_secs(60));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_reason() {
        let refused = |text: &str, because: &str| {
            let error = Limits::parse(text).unwrap_err();
            assert!(error.contains(because), "{error}");
        };
        refused("[desk]\nruns_at_once = 0", "desk.runs_at_once is 0; it can be 1 to 64");
        refused("[desk]\nrun_at_once = 4", "unknown field `run_at_once`");
        refused("[endpoints]\nbookiji = \"https://x.example\"", "unknown field `endpoints`");
    }
}
