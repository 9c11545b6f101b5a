//! `companion busy`: the times that files or the profile's calendars block, and why. With files it needs no profile and
//! no network.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use calendar::ics::{self, Calendar};
use jiff::tz::TimeZone;
use mirror::Sqlite;
use serde_json::{Value, json};
use sync::busy_set::vendor_zone;
use sync::error::Code;
use sync::ports::{Clock, Mirror};

use super::args::BusyArgs;
use super::output::{Exit, Outcome};
use crate::busy::{self, Asked, Source};
use crate::clock::SystemClock;
use crate::problem::Problem;
use crate::profile::Profile;

/// A file that is no calendar is said, and keeps none of the others from being read.
pub fn of_files(args: &BusyArgs) -> Result<Outcome, Problem> {
    let asked = asked(args, TimeZone::try_system().unwrap_or(TimeZone::UTC))?;
    let mut sources: Vec<Source> = Vec::new();
    let mut notes: Vec<Value> = Vec::new();
    let mut problems: Vec<Problem> = Vec::new();
    for path in &args.files {
        let name = path.display().to_string();
        match read(path) {
            Ok((calendar, unread)) => {
                sources.push(busy::of_file(name.clone(), &calendar, &asked));
                notes.extend(unread.iter().map(
                    |problem| json!({ "file": name, "line": problem.line, "message": problem.message() }),
                ));
            }
            Err(problem) => problems.push(problem),
        }
    }
    let mut document = busy::document(&sources, asked.window);
    document["problems"] = json!(notes);
    let exit = match (sources.is_empty(), problems.is_empty()) {
        (_, true) => Exit::Done,
        (false, false) => Exit::Partly,
        (true, false) => Exit::Failed,
    };
    let mut text = busy::text(&document, &asked);
    for note in &notes {
        let word = |key: &str| note[key].as_str().unwrap_or_default().to_owned();
        text.push_str(&format!("\n{}, line {}: {}", word("file"), note["line"], word("message")));
    }
    Ok(Outcome { document, text, problems, exit })
}

pub fn of_profile(profile: &Profile, args: &BusyArgs) -> Result<Outcome, Problem> {
    let world = Sqlite::open_read_only(&profile.database())?.world()?;
    let asked = asked(args, vendor_zone(world.vendor.as_ref()))?;
    let document = busy::document(&busy::of_world(&world, &asked), asked.window);
    let text = busy::text(&document, &asked);
    Ok(Outcome::done(document, text))
}

fn asked(args: &BusyArgs, usual: TimeZone) -> Result<Asked, Problem> {
    let zone = args.zone.as_deref().map_or(Ok(usual), busy::zone)?;
    Asked::read(args.from.as_deref(), args.to.as_deref(), zone, SystemClock.now())
}

/// Reads one file, and no more of it than a calendar can have.
fn read(path: &Path) -> Result<(Calendar, Vec<ics::Problem>), Problem> {
    let name = path.display();
    let mut bytes = Vec::new();
    let limit = ics::MAX_BYTES as u64 + 1;
    File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(|error| {
        Problem::new(Code::InvalidInput, format!("{name} cannot be read: {error}."))
            .then("Check the file's name and that you may read it.")
    })?;
    ics::read(&bytes)
        .map_err(|reason| Problem::new(Code::InvalidIcsFormat, format!("{name}, line 1: {reason}.")))
}
