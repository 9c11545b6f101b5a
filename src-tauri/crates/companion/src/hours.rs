//! When she works: asked of her profile on Bookiji once a day, to be shown. Nothing waits for it.

use jiff::SignedDuration;
use sync::ports::Clock;

use crate::problem::Problem;
use crate::wiring::Wiring;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Asks, if the last answer is a day old, and remembers what is said.
///
/// # Errors
/// When the mirror cannot be read or written. What Bookiji refuses only leaves the last answer as it is.
pub async fn keep(wiring: &Wiring) -> Result<(), Problem> {
    let now = wiring.clock.now();
    let known = wiring.mirror.hours()?;
    if let Some((_, asked_at)) = &known
        && (-DAY..DAY).contains(&now.duration_since(*asked_at))
    {
        return Ok(());
    }
    let hours = match wiring.hours().await? {
        Ok(hours) => hours,
        Err(error) => {
            tracing::warn!(code = %error.code(), "when she works is not known anew");
            if error.may_pass() {
                return Ok(());
            }
            known.and_then(|(hours, _)| hours)
        }
    };
    wiring.mirror.set_hours(hours.as_ref(), now)?;
    Ok(())
}
