//! `companion status`: everything the tray knows, read from the mirror.

use mirror::Sqlite;
use sync::ports::{Clock, Mirror};

use super::output::Outcome;
use crate::clock::SystemClock;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::view;
use crate::words::Language;
use crate::{notice, settings, status};

pub fn run(profile: &Profile, language: Language) -> Result<Outcome, Problem> {
    let _: settings::Settings = profile.settings()?;
    let mirror = Sqlite::open_read_only(&profile.database())?;
    let world = mirror.world()?;
    let now = SystemClock.now();
    let runs = status::worth_telling(mirror.runs(status::RUNS_READ)?);
    let pause = mirror.pause()?.filter(|pause| pause.holds(now));
    let activity = status::activity(&runs, pause, profile.is_locked());
    let overview = view::overview(&world, &runs, now, &activity);
    let rebuilt = mirror.rebuilt()?;
    let told = |language| notice::notices(rebuilt.as_ref(), runs.first(), overview.now, language);
    let mut document = status::document(&world, &overview);
    document["notices"] = notice::document(&told(Language::English));
    let mut text = status::text(&overview, language);
    let notices = told(language);
    if !notices.is_empty() {
        text = format!("{text}\n{}", notice::text(&notices));
    }
    Ok(Outcome::done(document, text))
}
