//! `companion explain`: why a moment can or cannot be booked.

use jiff::tz::TimeZone;
use mirror::Sqlite;
use serde_json::json;
use sync::busy_set::vendor_zone;
use sync::error::Code;
use sync::ports::{Clock, Mirror};
use sync::world::{Direction, RunRecord, SyncOutcome};

use super::output::Outcome;
use crate::clock::SystemClock;
use crate::explain::{Answer, Time, explain, text};
use crate::problem::Problem;
use crate::profile::Profile;
use crate::status;

pub fn run(profile: &Profile, moment: &str) -> Result<Outcome, Problem> {
    let (answer, zone) = answer(profile, moment)?;
    Ok(Outcome::done(json!(answer), text(&answer, &zone)))
}

/// Why, and the zone that she reads it in.
pub fn answer(profile: &Profile, moment: &str) -> Result<(Answer, TimeZone), Problem> {
    let settings = profile.settings()?;
    let mirror = Sqlite::open_read_only(&profile.database())?;
    let world = mirror.world()?;
    if world.vendor.is_none() {
        return Err(Problem::new(Code::NotSignedIn, "Nobody is signed in to Bookiji in this profile."));
    }
    let zone = vendor_zone(world.vendor.as_ref());
    let time = Time::read(moment, &zone)?;
    let policy = settings.sync.policy();
    let bookings_read = mirror.runs(status::RUNS_READ)?.iter().find_map(bookings_read_at);
    let answer = explain(&world, time, SystemClock.now(), &policy, bookings_read);
    Ok((answer, zone))
}

/// When a run read the bookings, if it did.
fn bookings_read_at(run: &RunRecord) -> Option<jiff::Timestamp> {
    let asked = run.direction != Direction::FromCalendar;
    let answered = match run.outcome? {
        SyncOutcome::Success => true,
        SyncOutcome::Partial => run.report.as_ref().is_some_and(|report| {
            let errors = report["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
            errors.iter().all(|error| error["at"] != "bookiji")
        }),
        SyncOutcome::Error => false,
    };
    (asked && answered).then_some(run.started_at)
}
