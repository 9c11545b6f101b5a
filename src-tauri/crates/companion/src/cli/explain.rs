//! `companion explain`: why a moment can or cannot be booked.

use super::output::Outcome;
use crate::problem::Problem;
use crate::profile::Profile;
use sync::error::Code;

pub fn run(_profile: &Profile, _moment: &str) -> Result<Outcome, Problem> {
    Err(Problem::new(Code::Internal, "This is not built yet."))
}
