//! `companion pause` and `companion resume`: no syncs by themselves for a while. Whoever asks for one still gets it.

use jiff::{SignedDuration, Timestamp};
use mirror::{Pause, Sqlite};
use serde_json::json;
use sync::busy_set::vendor_zone;
use sync::error::Code;
use sync::ports::{Clock, Mirror};

use super::args::PauseArgs;
use super::output::{Outcome, Voice};
use crate::clock::SystemClock;
use crate::errand::{self, Errand};
use crate::explain::Time;
use crate::problem::Problem;
use crate::profile::Profile;

/// A pause that is longer was mistyped; without an end it lasts until it is taken back.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 366);

pub async fn run(profile: &Profile, args: &PauseArgs, voice: Voice) -> Result<Outcome, Problem> {
    let zone = {
        let world = Sqlite::open_read_only(&profile.database())?.world()?;
        vendor_zone(world.vendor.as_ref())
    };
    let now = SystemClock.now();
    let until = match (&args.length, &args.until) {
        (None, None) => None,
        (Some(length), _) => Some(after(now, length)?),
        (None, Some(moment)) => Some(match Time::read(moment, &zone)? {
            Time::Moment(at) => at,
            // Until that day begins.
            Time::Day(day) => day.start(),
        }),
    };
    if let Some(until) = until
        && (until <= now || until.duration_since(now) > LONGEST)
    {
        let words = if until <= now { "That time is over." } else { "That is more than a year." };
        return Err(Problem::new(Code::InvalidInput, words)
            .then("Give an end within a year, or none: then it lasts until `companion resume`."));
    }
    // Nobody reads fractions of a second.
    let until = until.map(|until| Timestamp::from_second(until.as_second()).unwrap_or(until));
    errand::run(profile, voice, &Errand::Pause { until }).await
}

/// "2h", "90 min", "1 day".
pub(super) fn after(now: Timestamp, length: &str) -> Result<Timestamp, Problem> {
    let no_length = || {
        Problem::new(Code::InvalidInput, format!("\"{length}\" is no length of time."))
            .then("Write it like 90min, 2h or 3 days.")
    };
    let span: jiff::Span = length.parse().map_err(|_| no_length())?;
    let days = jiff::SpanRelativeTo::days_are_24_hours();
    let length = span.to_duration(days).map_err(|_| no_length())?;
    now.checked_add(length).map_err(|_| no_length())
}

/// Writes the pause down.
pub fn begin(mirror: &Sqlite, until: Option<Timestamp>) -> Result<Outcome, Problem> {
    mirror.set_pause(Some(&Pause { since: SystemClock.now(), until }))?;
    tracing::info!(until = ?until, "paused");
    let zone = vendor_zone(mirror.world()?.vendor.as_ref());
    let text = match until {
        Some(until) => {
            let until = until.to_zoned(zone).strftime("%a %-d %b %H:%M").to_string();
            format!(
                "Paused until {until}. `companion sync` still syncs once; `companion resume` ends the pause."
            )
        }
        None => "Paused until `companion resume`. `companion sync` still syncs once.".to_owned(),
    };
    Ok(Outcome::done(json!({ "paused": true, "paused_until": until }), text))
}

/// Ends whatever pause there is.
pub fn end(mirror: &Sqlite) -> Result<Outcome, Problem> {
    let was = mirror.pause()?.is_some_and(|pause| pause.holds(SystemClock.now()));
    mirror.set_pause(None)?;
    tracing::info!("resumed");
    let text = if was { "Resumed." } else { "It was not paused." };
    Ok(Outcome::done(json!({ "paused": false, "paused_until": null }), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_people_write_them_and_nonsense_is_refused() {
        let now = Timestamp::UNIX_EPOCH;
        for (text, seconds) in [("2h", 7200), ("90min", 5400), ("1 day", 86_400), ("1h 30m", 5400)] {
            assert_eq!(after(now, text).unwrap().as_second(), seconds, "{text}");
        }
        for text in ["", "soon", "2", "1 month"] {
            assert_eq!(after(now, text).unwrap_err().code, Code::InvalidInput, "{text}");
        }
    }
}
