//! What she is told beside the state of things, for a while and without being asked: that the database was built anew,
//! that her clock is wrong, that a service had not told of a change. Pure.

use jiff::{SignedDuration, Timestamp};
use mirror::Rebuilt;
use serde::Serialize;
use serde_json::Value;
use sync::error::Code;
use sync::world::RunRecord;

use crate::words::{Language, words};

/// How long it is told that the database was built anew.
const TOLD: SignedDuration = SignedDuration::from_hours(7 * 24);

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    pub code: Code,
    pub message: String,
    pub next_step: String,
}

/// Everything there is to tell now.
#[must_use]
pub fn notices(
    rebuilt: Option<&Rebuilt>,
    last_run: Option<&RunRecord>,
    now: Timestamp,
    language: Language,
) -> Vec<Notice> {
    let recent = |rebuilt: &&Rebuilt| now.duration_since(rebuilt.at).abs() < TOLD;
    let off = last_run
        .and_then(|run| run.report.as_ref())
        .and_then(|report| report["clock_off_s"].as_i64())
        .map(SignedDuration::from_secs);
    let rebuilt = rebuilt.filter(recent).map(|rebuilt| of_rebuild(rebuilt, language));
    rebuilt.into_iter().chain(off.map(|off| of_clock(off, language))).collect()
}

/// That a damaged file was set aside, and what that cost.
#[must_use]
pub fn of_rebuild(rebuilt: &Rebuilt, language: Language) -> Notice {
    let kept = &rebuilt.kept_as;
    let (message, healed, lost) = match language {
        Language::English => (
            format!(
                "The local database was damaged. It was set aside as {kept}, and a new one is filled from Bookiji and \
                 your calendars."
            ),
            "Nothing to do. What was written before can no longer be taken back with `companion undo`.",
            "Import again the calendar files that did not come through a watched folder: they may be missing.",
        ),
        Language::French => (
            format!(
                "La base de données locale était abîmée. Elle a été mise de côté sous le nom {kept}, et une nouvelle \
                 se remplit depuis Bookiji et vos calendriers."
            ),
            "Rien à faire. Ce qui a été écrit avant ne peut plus être annulé avec `companion undo`.",
            "Importez à nouveau les fichiers de calendrier qui ne venaient pas d’un dossier surveillé : ils peuvent manquer.",
        ),
    };
    let next_step = if rebuilt.imports_lost { lost } else { healed };
    Notice { code: Code::DatabaseDamaged, message, next_step: next_step.to_owned() }
}

/// By how much the clock of this computer is wrong, which way, and that it does not matter to what is synced.
#[must_use]
pub fn of_clock(off: SignedDuration, language: Language) -> Notice {
    let amount = amount(off, language);
    let message = match (language, off.is_negative()) {
        (Language::English, true) => {
            format!("This computer's clock is {amount} ahead. Syncing goes by the services' clock.")
        }
        (Language::English, false) => {
            format!("This computer's clock is {amount} behind. Syncing goes by the services' clock.")
        }
        (Language::French, true) => {
            format!(
                "L’horloge de cet ordinateur avance de {amount}. La synchronisation suit celle des services."
            )
        }
        (Language::French, false) => {
            format!(
                "L’horloge de cet ordinateur retarde de {amount}. La synchronisation suit celle des services."
            )
        }
    };
    Notice {
        code: Code::ClockWrong,
        message,
        next_step: words(Code::ClockWrong, language).next_step.to_owned(),
    }
}

fn amount(off: SignedDuration, language: Language) -> String {
    let minutes = off.abs().as_mins();
    match (minutes, language) {
        (..120, _) => format!("{minutes} min"),
        (120..2880, _) => format!("{} h", minutes / 60),
        (_, Language::English) => format!("{} days", minutes / 1440),
        (_, Language::French) => format!("{} jours", minutes / 1440),
    }
}

/// As `--json` tells them.
#[must_use]
pub fn document(notices: &[Notice]) -> Value {
    serde_json::to_value(notices).unwrap_or_default()
}

/// As a person reads them.
#[must_use]
pub fn text(notices: &[Notice]) -> String {
    let lines =
        notices.iter().map(|notice| format!("{} [{}]\n  {}", notice.message, notice.code, notice.next_step));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use sync::world::Direction;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hours * 3600).unwrap()
    }

    fn rebuilt(imports_lost: bool) -> Rebuilt {
        Rebuilt {
            at: at(0),
            kept_as: "companion.db.damaged-x".to_owned(),
            reason: "r".to_owned(),
            imports_lost,
        }
    }

    fn run(report: Value) -> RunRecord {
        RunRecord {
            id: "r".into(),
            direction: Direction::Bidirectional,
            started_at: at(0),
            ended_at: Some(at(0)),
            outcome: None,
            undoes: None,
            report: Some(report),
        }
    }

    #[test]
    fn a_rebuilt_database_is_told_of_for_a_week_with_what_it_cost() {
        let told = |hours, lost| notices(Some(&rebuilt(lost)), None, at(hours), Language::English);
        assert_eq!(told(1, false)[0].code, Code::DatabaseDamaged);
        assert!(told(1, false)[0].message.contains("companion.db.damaged-x"));
        assert!(told(1, false)[0].next_step.starts_with("Nothing to do"));
        assert!(told(1, true)[0].next_step.starts_with("Import again"));
        assert_eq!(told(24 * 7, false), []);
    }

    #[test]
    fn a_wrong_clock_is_told_with_its_direction_and_a_next_step_in_both_languages() {
        for (off, english, french) in [
            (-31_536_000, "365 days ahead", "avance de 365 jours"),
            (600, "10 min behind", "retarde de 10 min"),
            (-10_800, "3 h ahead", "avance de 3 h"),
        ] {
            let run = run(json!({ "clock_off_s": off }));
            let told = |language| notices(None, Some(&run), at(0), language).remove(0);
            assert!(told(Language::English).message.contains(english), "{off}");
            assert!(told(Language::French).message.contains(french), "{off}");
            assert!(told(Language::English).next_step.contains("Set the clock"));
        }
        assert_eq!(notices(None, Some(&run(json!({}))), at(0), Language::English), []);
    }
}
