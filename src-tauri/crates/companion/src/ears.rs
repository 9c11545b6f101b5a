//! Listens at the platform for one open profile, beside everything else: what it hears, the controller acts on. When the line
//! breaks it is opened again, ever more slowly; meanwhile, and where there is none, the poll goes on as if nothing were.

use std::time::Duration;

use connectors::bookiji::{Hint, Hints, Site};
use sync::error::ServiceError;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use sync::ports::Mirror as _;

use crate::syncing;
use crate::wiring::Wiring;

/// The first wait after the line broke; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// A platform that tells no hints may tell some tomorrow.
const NOT_OFFERED: Duration = Duration::from_secs(3600);
/// However much is told, nobody is called more often: many hints at once are one change.
const BREATH: Duration = Duration::from_secs(1);

/// An ear at the platform. Dropping it hangs up.
pub struct Ears {
    pub hints: mpsc::Receiver<Hint>,
    task: JoinHandle<()>,
    _line: Option<OwnedSemaphorePermit>,
}

impl Ears {
    /// Listens, once there is a vendor to listen for and, where several share the process, a line is left for her.
    #[must_use]
    pub fn open(wiring: &Wiring) -> Option<Self> {
        let line = match &wiring.place {
            Some(place) => Some(place.line()?),
            None => None,
        };
        syncing::ready(&wiring.mirror.world().ok()?).ok()?;
        let site = wiring.ear().ok()?;
        // One that waits already stands for any other.
        let (tell, hints) = mpsc::channel(1);
        let task = tokio::spawn(listen(site, tell).in_current_span());
        Some(Self { hints, task, _line: line })
    }
}

impl Drop for Ears {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(site: Site, tell: mpsc::Sender<Hint>) {
    let mut line: Option<Hints> = None;
    let mut broken = 0;
    loop {
        let heard = match &mut line {
            Some(line) => line.next().await,
            none @ None => match site.hints().await {
                Ok(hints) => none.insert(hints).next().await,
                Err(error) => Err(error),
            },
        };
        match heard {
            Ok(hint) => {
                broken = 0;
                if tell
                    .try_send(hint)
                    .is_err_and(|error| matches!(error, mpsc::error::TrySendError::Closed(_)))
                {
                    return;
                }
                tokio::time::sleep(BREATH).await;
            }
            Err(error) => {
                broken += 1;
                let wait = wait(broken, &error);
                tracing::debug!(code = %error.code(), wait_s = wait.as_secs(), "nothing is heard of Bookiji");
                if matches!(error, ServiceError::Gone { .. }) {
                    // It may have another interface by then.
                    line = None;
                }
                tokio::time::sleep(wait).await;
            }
        }
    }
}

/// How long until the line is opened again.
fn wait(broken: u32, error: &ServiceError) -> Duration {
    if matches!(error, ServiceError::Gone { .. }) {
        return NOT_OFFERED;
    }
    let own = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(broken.saturating_sub(1).min(16)));
    own.max(error.retry_after().unwrap_or_default()).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_breaks_again_and_again_is_opened_ever_more_slowly() {
        let broken = ServiceError::Unreachable { service: "b".to_owned(), reason: "r".to_owned() };
        let waits: Vec<u64> =
            [1, 2, 3, 7, 8, 9, 100].iter().map(|times| wait(*times, &broken).as_secs()).collect();
        assert_eq!(waits, [2, 4, 8, 128, 256, 300, 300]);
        let slower =
            ServiceError::RateLimited { service: "b".to_owned(), retry_after: Some(Duration::from_secs(60)) };
        assert_eq!(wait(1, &slower), Duration::from_secs(60));
        let none = ServiceError::Gone { service: "b".to_owned() };
        assert_eq!(wait(1, &none), NOT_OFFERED);
    }
}
