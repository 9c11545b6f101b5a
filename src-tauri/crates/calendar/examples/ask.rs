//! Answers questions about calendars, one JSON line each, for the corpora and peers that `tests/corpora` compares us
//! with. Knows this crate only; what the right answers are is known on the other side of the pipe.
#![expect(clippy::print_stdout, reason = "this program owns its standard output")]

use std::io::BufRead;
use std::panic::catch_unwind;
use std::time::Instant;

use calendar::busy::{BusyRules, Occurrence, place};
use calendar::ics;
use calendar::interval::Interval;
use calendar::zone::Zone;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};

/// A calendar, as a file or as text, and the window that it is asked about.
#[derive(Deserialize)]
struct Question {
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    text: String,
    /// For all-day and floating times.
    zone: String,
    from: Timestamp,
    to: Timestamp,
    #[serde(default)]
    tell: Tell,
    /// A zone name to be placed; asked for nothing else.
    #[serde(default)]
    named: Option<String>,
}

/// What of the answer is wanted: a whole one is long.
#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Tell {
    #[default]
    Occurrences,
    /// Starts alone, as seconds.
    Starts,
    /// What was read, and how much it comes to.
    Events,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for line in std::io::stdin().lock().lines() {
        let question: Question = serde_json::from_str(&line?)?;
        let started = Instant::now();
        let mut answer = match catch_unwind(|| answer(&question)) {
            Ok(Ok(answer)) => answer,
            Ok(Err(reason)) => json!({ "refused": reason }),
            Err(_) => json!({ "panicked": true }),
        };
        answer["took_ms"] = json!(started.elapsed().as_secs_f64() * 1_000.0);
        println!("{answer}");
    }
    Ok(())
}

fn answer(question: &Question) -> Result<Value, String> {
    if let Some(name) = &question.named {
        return Ok(json!({ "zone": Zone::named(name) }));
    }
    let bytes = match &question.file {
        Some(path) => std::fs::read(path).map_err(|error| format!("unreadable: {error}"))?,
        None => question.text.clone().into_bytes(),
    };
    let (calendar, problems) = ics::read(&bytes).map_err(|error| error.to_string())?;
    let zone = TimeZone::get(&question.zone).map_err(|error| error.to_string())?;
    let window = Interval::new(question.from, question.to).ok_or("the window is empty")?;
    let placed = place(&calendar.events, &BusyRules::default(), window, &zone);
    let occurrences = &placed.occurrences;
    let told = match question.tell {
        Tell::Occurrences => json!(occurrences.iter().map(told).collect::<Vec<_>>()),
        Tell::Starts => json!(occurrences.iter().map(|one| one.start.as_second()).collect::<Vec<_>>()),
        Tell::Events => {
            let count = occurrences.len();
            return Ok(json!({ "calendar": calendar, "count": count, "problems": problems }));
        }
    };
    Ok(json!({ "occurrences": told, "withheld": placed.withheld }))
}

fn told(occurrence: &Occurrence) -> Value {
    json!({
        "uid": occurrence.uid,
        "recurrence_id": occurrence.recurrence_id.map(Timestamp::as_second),
        "start": occurrence.start.as_second(),
        "end": occurrence.end.as_second(),
        "all_day": occurrence.all_day,
        "reason": occurrence.reason,
        "summary": occurrence.summary,
    })
}
