//! `companion export`: bookings and slots as an .ics file.

use std::path::{Path, PathBuf};

use calendar::interval::Interval;
use serde_json::json;
use sync::busy_set::vendor_zone;
use sync::error::Code;
use sync::ports::{Clock, Platform, Slot};

use super::args::ExportArgs;
use super::output::{Exit, Outcome};
use crate::clock::SystemClock;
use crate::export::{self, Days, Options};
use crate::latest::{self, Latest};
use crate::outfile::Place;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::wiring::Wiring;

/// What cannot be had is said, and the file holds the rest.
pub async fn run(profile: &Profile, args: &ExportArgs, json: bool) -> Result<Outcome, Problem> {
    let days = Days::read(&args.from, &args.to)?;
    let usual = PathBuf::from(format!("bookiji-{}-{}.ics", days.from, days.to));
    let place = place(args.output.as_deref().unwrap_or(&usual), json)?;
    let latest = latest::bookings(profile).await?;
    let options = Options {
        include_blocked: args.include_blocked,
        include_past: args.include_past,
        describe: args.describe.into(),
    };
    put(&latest, latest.wiring.as_ref(), &days, place.as_ref(), &options).await
}

/// As the command does it, in the process that has the profile open.
pub async fn of_wiring(
    wiring: &Wiring,
    days: &Days,
    to: &Path,
    options: &Options,
) -> Result<Outcome, Problem> {
    let place = Place::at(to)?;
    let latest = latest::of_wiring(wiring).await?;
    put(&latest, Some(wiring), days, Some(&place), options).await
}

async fn put(
    latest: &Latest,
    wiring: Option<&Wiring>,
    days: &Days,
    place: Option<&Place>,
    options: &Options,
) -> Result<Outcome, Problem> {
    let window = days.window(&vendor_zone(Some(&latest.vendor)))?;
    let slots = slots(wiring, latest.stale.as_ref(), window).await;
    let fresh = latest.stale.is_none();
    let (slots, problems) = match slots {
        Ok(slots) => (slots, Vec::new()),
        Err(problem) if fresh => {
            (Vec::new(), vec![problem.after("The file holds the bookings and no slots.")])
        }
        Err(problem) => (
            Vec::new(),
            vec![problem.after("The file holds the bookings as they were last read, and no slots.")],
        ),
    };
    let file = export::file(&latest.world, &latest.vendor, &slots, window, SystemClock.now(), options);
    let events = file.bookings + file.slots;
    let exit = if problems.is_empty() { Exit::Done } else { Exit::Partly };
    let document = json!({
        "path": place.map(|place| place.path().display().to_string()),
        "events": events,
        "bookings": file.bookings,
        "slots": file.slots,
        "fresh": fresh,
        "complete": problems.is_empty(),
    });
    let text = match place {
        Some(place) => {
            place.write(&file.text)?;
            format!(
                "{events} events ({} bookings, {} slots) in {}",
                file.bookings,
                file.slots,
                place.path().display()
            )
        }
        None => raw(&file.text),
    };
    Ok(Outcome { document, text, problems, exit })
}

/// Nothing for `-`, which is stdout: there a JSON document would stand in the calendar's place.
pub fn place(path: &Path, json: bool) -> Result<Option<Place>, Problem> {
    if path != Path::new("-") {
        return Place::at(path).map(Some);
    }
    if json {
        return Err(Problem::new(
            Code::InvalidInput,
            "Stdout can hold the calendar or the JSON document, not both.",
        )
        .then("Leave out --json, or name a file with -o FILE."));
    }
    Ok(None)
}

/// A file as an answer's text, which ends its last line itself.
pub fn raw(file: &str) -> String {
    file.strip_suffix('\n').unwrap_or(file).to_owned()
}

/// A platform that just did not answer is not asked again.
async fn slots(
    wiring: Option<&Wiring>,
    stale: Option<&Problem>,
    window: Interval,
) -> Result<Vec<Slot>, Problem> {
    match (wiring, stale) {
        (Some(wiring), None) => Ok(wiring.platform()?.slots(window).await?),
        (_, Some(problem)) => Err(problem.clone()),
        (None, None) => Err(Problem::new(Code::Internal, "The profile could not be opened.")),
    }
}
