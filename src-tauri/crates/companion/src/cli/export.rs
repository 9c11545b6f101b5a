//! `companion export`: bookings and slots as an .ics file.

use super::output::Outcome;
use crate::problem::Problem;
use crate::profile::Profile;
use sync::error::Code;

use super::args::ExportArgs;

pub async fn run(_profile: &Profile, _args: &ExportArgs) -> Result<Outcome, Problem> {
    Err(Problem::new(Code::Internal, "This is not built yet."))
}
