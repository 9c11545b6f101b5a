//! `companion invite`: an invitation to one booking.

use super::output::Outcome;
use crate::problem::Problem;
use crate::profile::Profile;
use sync::error::Code;

use super::args::InviteArgs;

pub async fn run(_profile: &Profile, _args: &InviteArgs) -> Result<Outcome, Problem> {
    Err(Problem::new(Code::Internal, "This is not built yet."))
}
