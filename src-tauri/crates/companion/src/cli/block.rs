//! `companion block`: a time of hers that nobody can book, without an event in any calendar.

use calendar::interval::Interval;
use jiff::Timestamp;
use serde_json::json;
use sync::busy_set::vendor_zone;
use sync::error::Code;
use sync::ports::{Clock, Mirror};

use super::args::BlockArgs;
use super::output::{Exit, Outcome, Voice};
use super::pause::after;
use crate::clock::SystemClock;
use crate::errand::{self, Errand};
use crate::import;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::view::{BlockForm, LONGEST_BLOCK, TakeBackForm};
use crate::wiring::Wiring;
use crate::words::Language;

pub async fn run(profile: &Profile, args: &BlockArgs, voice: Voice) -> Result<Outcome, Problem> {
    let now = SystemClock.now();
    let errand = match (&args.take_back, &args.length) {
        (Some(block), _) => TakeBackForm { block: block.clone() }.errand()?,
        (None, Some(length)) => Errand::Block { start: now, end: after(now, length)? },
        (None, None) => {
            let world = mirror::Sqlite::open_read_only(&profile.database())?.world()?;
            BlockForm::RestOfDay.errand(now, &vendor_zone(world.vendor.as_ref()))
        }
    };
    errand::run(profile, voice, &errand).await
}

/// Blocks the time and tells Bookiji.
pub async fn take(wiring: &Wiring, start: Timestamp, end: Timestamp) -> Result<Outcome, Problem> {
    let span = Interval::new(start, end).filter(|span| {
        span.end().duration_since(span.start()) <= LONGEST_BLOCK && span.end() > wiring.clock.now()
    });
    let Some(span) = span else {
        return Err(Problem::new(Code::InvalidInput, "That is no time that can be blocked.")
            .then("Give a length of up to 31 days."));
    };
    let summary = match wiring.settings.language.unwrap_or_else(Language::of_system) {
        Language::English => "Blocked by you",
        Language::French => "Bloqué par vous",
    };
    let (block, unsent) = import::block(wiring, span, summary).await?;
    let until = span.end().to_zoned(vendor_zone(wiring.world()?.vendor.as_ref()));
    let until = until.strftime("%a %-d %b %H:%M");
    let (text, exit) = match &unsent {
        None => (format!("Blocked until {until}."), Exit::Done),
        Some(_) => (format!("Blocked until {until}. Bookiji does not know of it yet."), Exit::Partly),
    };
    Ok(Outcome {
        document: json!({ "block": block, "start": span.start(), "end": span.end(), "told": unsent.is_none() }),
        text,
        problems: unsent.into_iter().collect(),
        exit,
    })
}

/// Lets the time be booked again, as far as her calendars let it, and tells Bookiji.
pub async fn take_back(wiring: &Wiring, block: &str) -> Result<Outcome, Problem> {
    let unsent = import::take_back_block(wiring, block).await?;
    let (text, exit) = match &unsent {
        None => ("That time is not blocked by you any more.", Exit::Done),
        Some(_) => {
            ("That time is not blocked by you any more. Bookiji does not know of it yet.", Exit::Partly)
        }
    };
    Ok(Outcome {
        document: json!({ "block": block, "told": unsent.is_none() }),
        text: text.to_owned(),
        problems: unsent.into_iter().collect(),
        exit,
    })
}
