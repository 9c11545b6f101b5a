//! `companion decisions` and `companion decide`: what waits for the vendor, and her answers.

use super::output::Outcome;
use crate::problem::Problem;
use crate::profile::Profile;
use sync::error::Code;

pub fn list(_profile: &Profile) -> Result<Outcome, Problem> {
    Err(Problem::new(Code::Internal, "This is not built yet."))
}

pub async fn decide(_profile: &Profile, _id: &str, _option: &str) -> Result<Outcome, Problem> {
    Err(Problem::new(Code::Internal, "This is not built yet."))
}
