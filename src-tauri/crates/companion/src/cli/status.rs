//! `companion status`: everything the tray knows, read from the mirror.

use mirror::Sqlite;
use sync::ports::{Clock, Mirror};

use super::output::Outcome;
use crate::clock::SystemClock;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::view;
use crate::words::Language;
use crate::{settings, status};

pub fn run(profile: &Profile, language: Language) -> Result<Outcome, Problem> {
    let _: settings::Settings = profile.settings()?;
    let mirror = Sqlite::open_read_only(&profile.database())?;
    let world = mirror.world()?;
    let now = SystemClock.now();
    let runs = status::worth_telling(mirror.runs(status::RUNS_READ)?);
    let pause = mirror.pause()?.filter(|pause| pause.holds(now));
    let activity = status::activity(&runs, pause, profile.is_locked());
    let overview = view::overview(&world, &runs, now, &activity);
    Ok(Outcome::done(status::document(&world, &overview), status::text(&overview, language)))
}
