//! Opens one past run for the window. What is told of it, `view` decides.

use mirror::Sqlite;
use sync::ports::Mirror;

use crate::cli::history::{self, SEARCHED};
use crate::problem::Problem;
use crate::profile::Profile;
use crate::view::{self, RunStoryView};

/// Tells everything that a run of this profile did: the one of this id, or `latest` for the newest that wrote anything.
///
/// # Errors
/// When there is no such run, or the database cannot be read.
pub fn run_story(profile: &Profile, run: &str) -> Result<RunStoryView, Problem> {
    let mirror = Sqlite::open_read_only(&profile.database())?;
    let run = history::find(&mirror, run)?;
    let entries = mirror.journal(&run.id)?;
    Ok(view::story(&mirror.world()?, &mirror.runs(SEARCHED)?, &run, &entries))
}
