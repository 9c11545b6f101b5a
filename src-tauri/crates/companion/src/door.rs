//! The door of the process that writes a profile: other commands hand their errands in through it, one at a time, and
//! get the answer that they would have had themselves. Who may come in is decided by the file system alone: the door is
//! in a folder that nobody but its owner can enter.
//!
//! Tokio's own sockets and pipes are enough for it, and unlike a file they end with the process that holds them.

mod call;
mod listen;
mod place;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::cli::output::Outcome;
use crate::errand::Errand;
use crate::problem::Problem;
use crate::profile::Profile;

pub use call::{Called, call};

/// Both sides speak the same version or not at all.
const VERSION: u32 = 1;
/// Longer is no errand: a few thousand file names fit.
const LONGEST_REQUEST: u64 = 1024 * 1024;
/// Longer is no answer.
const LONGEST_ANSWER: u64 = 64 * 1024 * 1024;
/// Callers that wait at the same time.
const CALLERS: usize = 16;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    version: u32,
    errand: Errand,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Outcome(Outcome),
    Problem(Problem),
}

/// Somebody at the door, with an errand.
#[derive(Debug)]
pub struct Knock {
    pub errand: Errand,
    answer: oneshot::Sender<Result<Outcome, Problem>>,
}

impl Knock {
    /// With where its answer comes.
    #[must_use]
    pub fn new(errand: Errand) -> (Self, oneshot::Receiver<Result<Outcome, Problem>>) {
        let (answer, answered) = oneshot::channel();
        (Self { errand, answer }, answered)
    }

    /// Whoever knocked has gone away, and wants nothing any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.answer.is_closed()
    }

    pub fn answer(self, answer: Result<Outcome, Problem>) {
        // Nobody has to wait for it.
        let _ = self.answer.send(answer);
    }
}

/// An open door. Dropping it closes it.
pub struct Door {
    pub knocks: mpsc::Receiver<Knock>,
    /// None where no door could be opened: commands are refused then, and nothing else suffers.
    open: Option<(JoinHandle<()>, place::Place)>,
}

impl Door {
    /// Opens the door of a profile that this process holds the lock of.
    #[must_use]
    pub fn open(profile: &Profile) -> Self {
        let (knocks_in, knocks) = mpsc::channel(CALLERS);
        let open = match place::open(profile) {
            Ok((listener, place)) => Some((tokio::spawn(listen::listen(listener, knocks_in)), place)),
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "commands cannot be handed to this process");
                None
            }
        };
        Self { knocks, open }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Some((listening, place)) = self.open.take() {
            // Those who were let in still get their answer.
            listening.abort();
            place.close();
        }
    }
}
