//! Watched folders: calendar files that are put there are taken in once each, and lie in `imported/` or `rejected/`
//! afterwards. One task per folder, so that a slow disk holds up no other; none of them takes a file in itself, since
//! only the profile's one writer may.

mod glance;
mod names;
mod plan;
mod put_away;
mod reason;
mod verdict;
mod watch;
mod worker;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use crate::import::{FileOutcome, FileReport, Rejected, Rejection};
use crate::problem::Problem;
use crate::wiring::Wiring;
use crate::words::Language;

pub(crate) use names::{Takes, shown};
pub use plan::Pace;
pub use verdict::verdicts;

/// News that may wait to be heard.
const NEWS: usize = 64;

/// One folder, and where its files go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    pub path: PathBuf,
    pub imported: PathBuf,
    pub rejected: PathBuf,
    /// Made again when it is not there: the profile's own. Any other folder is hers, and so is what is no calendar in it.
    pub ours: bool,
}

impl Folder {
    /// The profile's own: what was dealt with lies beside it.
    #[must_use]
    pub fn of_profile(root: &Path) -> Self {
        let [path, imported, rejected] = ["inbox", "imported", "rejected"].map(|name| root.join(name));
        Self { path, imported, rejected, ours: true }
    }

    /// One of hers: what was dealt with lies inside it, since the place beside it is not ours.
    #[must_use]
    pub fn of_hers(path: &Path) -> Self {
        let [imported, rejected] = ["imported", "rejected"].map(|name| path.join(name));
        Self { path: path.to_owned(), imported, rejected, ours: false }
    }

    fn takes(&self) -> Takes {
        if self.ours { Takes::Everything } else { Takes::Calendars }
    }
}

/// How folders are watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    pub pace: Pace,
    /// Reads folders now and then without listening to the system.
    pub deaf: bool,
    pub language: Language,
}

/// Files that stood still and are to be taken in now, in this order.
pub struct Batch {
    pub files: Vec<PathBuf>,
    /// One verdict for each file, or why none could be taken in.
    pub answer: oneshot::Sender<Result<Vec<Verdict>, Problem>>,
}

/// What came of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has been taken in, and this many questions wait for her.
    Good { outcome: FileOutcome, waiting: usize },
    /// It cannot be taken in, now or later.
    Bad { rejected: Rejected, lines: Vec<String> },
    /// It could not be taken in for now.
    NotNow(Problem),
}

/// A file that was dealt with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Settled {
    /// As it was called in the folder, for people.
    pub name: String,
    pub outcome: FileOutcome,
    pub at: Timestamp,
    /// Where it lies now.
    #[serde(serialize_with = "as_text")]
    pub into: PathBuf,
    /// Why it was not taken in, as a sentence.
    pub reason: Option<String>,
    /// The same by its kind.
    #[serde(skip)]
    pub why: Option<Rejection>,
    /// Questions of it that wait for her.
    pub waiting: usize,
}

/// A name need not be text, and a document has to be.
fn as_text<S: serde::Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&path.to_string_lossy())
}

/// What came of a file that she gave by hand. It lies where it lay.
#[must_use]
pub fn by_hand(report: &FileReport, at: Timestamp) -> Settled {
    let (reason, why) = match verdict::verdict(report.clone()) {
        Verdict::Bad { rejected, .. } => (Some(rejected.problem.message), Some(rejected.why)),
        Verdict::NotNow(problem) => (Some(problem.message), None),
        Verdict::Good { .. } => (None, None),
    };
    Settled {
        name: report.path.file_name().map(shown).unwrap_or_default(),
        outcome: report.outcome,
        at,
        into: report.path.clone(),
        reason,
        why,
        waiting: report.waiting,
    }
}

/// What a folder's task tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    Settled(Settled),
    /// What is wrong with this folder or with a file in it now; nothing when that is over.
    Trouble {
        folder: PathBuf,
        problem: Option<Problem>,
    },
}

/// The tasks that watch. They stop when this is dropped.
pub struct Inbox {
    pub batches: mpsc::Receiver<Batch>,
    pub news: mpsc::Receiver<News>,
    asks: Vec<mpsc::Sender<()>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Inbox {
    /// Watches these folders, on the current runtime.
    #[must_use]
    pub fn start(folders: Vec<Folder>, manner: Manner) -> Self {
        let (batch, batches) = mpsc::channel(1);
        let (tell, news) = mpsc::channel(NEWS);
        let (mut asks, mut tasks) = (Vec::new(), Vec::new());
        for folder in folders {
            let (ask, asked) = mpsc::channel(1);
            let worker = worker::Worker::new(folder, manner, batch.clone(), tell.clone());
            asks.push(ask);
            tasks.push(tokio::spawn(worker.run(asked).in_current_span()));
        }
        Self { batches, news, asks, tasks }
    }

    /// Tries everything again at once that waits after a failure.
    pub fn try_again(&self) {
        for ask in &self.asks {
            // One that waits already stands for this one too.
            let _ = ask.try_send(());
        }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// The folders that this profile watches.
pub(crate) fn watched(wiring: &Wiring) -> Vec<Folder> {
    let settings = &wiring.settings;
    let mut folders = Vec::new();
    if settings.import.watch {
        folders.push(wiring.profile.inbox());
        let hers = settings.import.folders.iter().filter(|path| !path.starts_with(wiring.profile.root()));
        folders.extend(hers.map(|path| Folder::of_hers(path)));
    }
    folders
}

#[cfg(test)]
mod tests;
