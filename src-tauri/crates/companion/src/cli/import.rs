//! `companion import`: .ics files in.

use super::output::Outcome;
use crate::problem::Problem;
use crate::profile::Profile;
use sync::error::Code;

use super::args::ImportArgs;

pub async fn run(_profile: &Profile, _args: &ImportArgs) -> Result<Outcome, Problem> {
    Err(Problem::new(Code::Internal, "This is not built yet."))
}
