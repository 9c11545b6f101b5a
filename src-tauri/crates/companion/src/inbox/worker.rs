//! The task of one watched folder: asks the plan what to do, and does it. Everything that may take long on a bad disk
//! runs beside the runtime.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::fs::ReadDir;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sync::error::Code;
use sync::policy::back_off;
use sync::ports::Clock;
use tokio::sync::{mpsc, oneshot};

use super::glance::{self, Contents};
use super::names::Takes;
use super::plan::{After, Kind, Next, Plan, Stamp, Standing};
use super::put_away::{self, Put, private_folder};
use super::reason::{self, Refused};
use super::watch::{Heard, Watch};
use super::{Batch, Folder, Manner, News, Settled, Verdict, names};
use crate::clock::SystemClock;
use crate::import::{FileOutcome, Rejected};
use crate::problem::Problem;

/// Entries of a folder that are read in one go.
const SLICE: usize = 500;
/// A program that still had a file open when it was moved is noticed for this long.
const LOOKED_AFTER: SignedDuration = SignedDuration::from_mins(2);
const LOOKED_AFTER_FILES: usize = 1000;
const UNMOVED: usize = 1000;
/// Tries to read a file that nobody is told of: half a minute.
const QUIET_FAILURES: u32 = 3;
/// What she stopped is not taken up again by itself for so long.
const STOPPED: Duration = Duration::from_mins(15);
/// Different things that are said of files that wait.
const TROUBLES: usize = 20;

pub struct Worker {
    folder: Folder,
    manner: Manner,
    clock: SystemClock,
    plan: Plan,
    watch: Watch,
    batches: mpsc::Sender<Batch>,
    news: mpsc::Sender<News>,
    pending: Option<Pending>,
    /// Files with a verdict that could not be moved: they are not taken in a second time for that.
    unmoved: BTreeMap<OsString, (Stamp, Contents, Told)>,
    moved: VecDeque<Moved>,
    /// The folder that is listened to. Another one may have its name by now.
    id: Option<(u64, u64)>,
    /// What is wrong with the folder itself.
    folder_trouble: Option<Problem>,
    /// What was said of files that still wait, so that it is said once.
    file_troubles: Vec<Problem>,
}

/// A file that was read, and found to be what it looked like.
#[derive(Clone, Debug)]
struct Claimed {
    standing: Standing,
    contents: Option<Contents>,
}

/// A batch that is out.
struct Pending {
    files: Vec<Claimed>,
    answer: oneshot::Receiver<Result<Vec<Verdict>, Problem>>,
}

#[derive(Clone, Debug)]
enum Told {
    Good { outcome: FileOutcome, waiting: usize },
    Bad { rejected: Rejected, lines: Vec<String> },
}

struct Moved {
    name: OsString,
    put: PathBuf,
    stamp: Stamp,
    until: Timestamp,
}

/// What happened while waiting.
enum Event {
    Heard(Heard),
    Answered(Result<Vec<Verdict>, Problem>),
    Asked,
    Stop,
    Time,
}

impl Worker {
    pub fn new(
        folder: Folder,
        manner: Manner,
        batches: mpsc::Sender<Batch>,
        news: mpsc::Sender<News>,
    ) -> Self {
        Self {
            plan: Plan::new(manner.pace, folder.takes()),
            watch: Watch::new(&folder.path),
            folder,
            manner,
            clock: SystemClock,
            batches,
            news,
            pending: None,
            unmoved: BTreeMap::new(),
            moved: VecDeque::new(),
            id: None,
            folder_trouble: None,
            file_troubles: Vec::new(),
        }
    }

    /// Goes on until whoever started it is gone.
    pub async fn run(mut self, mut asked: mpsc::Receiver<()>) {
        self.prepare().await;
        loop {
            self.hear_pending();
            let now = self.clock.now();
            match self.plan.next(now) {
                Next::Look(names) => self.look(names).await,
                Next::Scan => self.scan().await,
                Next::Take(standing) => self.take(standing).await,
                Next::WaitUntil(then) => {
                    let wait = then.duration_since(now).try_into().unwrap_or_default();
                    match self.event(wait, &mut asked).await {
                        Event::Heard(heard) => self.hear(&heard),
                        Event::Answered(answer) => self.answered(answer).await,
                        Event::Asked => {
                            // What was answered before she asked does not keep it waiting.
                            self.take_answer().await;
                            self.plan.try_again(self.clock.now());
                        }
                        Event::Stop => return,
                        Event::Time => {}
                    }
                }
            }
            self.take_answer().await;
        }
    }

    async fn event(&mut self, wait: Duration, asked: &mut mpsc::Receiver<()>) -> Event {
        let answer = async {
            match &mut self.pending {
                Some(pending) => (&mut pending.answer).await.unwrap_or_else(|_| Err(interrupted())),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            heard = self.watch.next() => Event::Heard(heard),
            answer = answer => Event::Answered(answer),
            ask = asked.recv() => if ask.is_some() { Event::Asked } else { Event::Stop },
            () = self.clock.wait(wait) => Event::Time,
        }
    }

    /// An answer that is there already, while there is other work.
    async fn take_answer(&mut self) {
        let Some(pending) = &mut self.pending else { return };
        match pending.answer.try_recv() {
            Ok(answer) => self.answered(answer).await,
            Err(oneshot::error::TryRecvError::Empty) => {}
            Err(oneshot::error::TryRecvError::Closed) => self.answered(Err(interrupted())).await,
        }
    }

    fn hear_pending(&mut self) {
        while let Some(heard) = self.watch.pending() {
            self.hear(&heard);
        }
    }

    fn hear(&mut self, heard: &Heard) {
        let now = self.clock.now();
        match heard {
            Heard::Name(name) => self.plan.hear(name, now),
            Heard::All => self.plan.hear_of_all(now),
            Heard::Folder => {
                // A folder that was made again may even have the number of the old one.
                self.id = None;
                self.plan.hear_of_all(now);
            }
        }
    }

    /// Makes the folders that are ours to make, and brings back what an earlier process left half moved.
    async fn prepare(&mut self) {
        let folder = self.folder.clone();
        let result = beside(move || {
            if folder.ours {
                private_folder(&folder.path)?;
                private_folder(&folder.imported)?;
                private_folder(&folder.rejected)?;
            }
            let mut back = 0;
            for from in [&folder.imported, &folder.rejected, &folder.path] {
                back += put_away::bring_back(from, &folder.path)?;
            }
            Ok(back)
        })
        .await;
        match result {
            Ok(0) => {}
            Ok(back) => tracing::info!(back, "files that were half moved are back in the watched folder"),
            Err(error) => self.folder_trouble(&error).await,
        }
    }

    async fn look(&mut self, names: Vec<OsString>) {
        let folder = self.folder.path.clone();
        let seen = beside(move || {
            Ok(names
                .into_iter()
                .map(|name| {
                    let stamp = glance::stamp(&folder.join(&name));
                    (name, stamp)
                })
                .collect::<Vec<_>>())
        })
        .await
        .unwrap_or_default();
        let now = self.clock.now();
        for (name, stamp) in seen {
            match stamp {
                Ok(stamp) => self.plan.see(&name, stamp, now),
                // The folder itself is in trouble: reading it says which.
                Err(_) => {
                    self.plan.see(&name, None, now);
                    self.plan.hear_of_all(now);
                }
            }
        }
    }

    /// Reads the folder in slices; between them, what is heard is not left waiting.
    async fn scan(&mut self) {
        self.plan.begin_scan();
        let mut reading = match self.open_folder().await {
            Ok(reading) => reading,
            Err(error) => {
                self.watch.stop();
                self.id = None;
                self.plan.set_hears(false);
                self.plan.stop_scan(self.clock.now());
                return self.folder_trouble(&error).await;
            }
        };
        loop {
            let folder = self.folder.path.clone();
            let takes = self.folder.takes();
            match beside(move || slice(reading, &folder, takes)).await {
                Ok((rest, seen)) => {
                    let now = self.clock.now();
                    for (name, stamp) in seen {
                        self.plan.see(&name, Some(stamp), now);
                    }
                    self.hear_pending();
                    match rest {
                        Some(rest) => reading = rest,
                        None => break,
                    }
                }
                Err(error) => {
                    self.plan.stop_scan(self.clock.now());
                    return self.folder_trouble(&error).await;
                }
            }
        }
        self.plan.end_scan(self.clock.now());
        self.look_after_moved().await;
        self.folder_is_well().await;
    }

    /// Opens the folder for reading, and listens to it if it is not the one that is listened to already.
    async fn open_folder(&mut self) -> io::Result<ReadDir> {
        let folder = self.folder.clone();
        let id = beside(move || {
            if folder.ours {
                private_folder(&folder.path)?;
            }
            match glance::stamp(&folder.path)? {
                Some(stamp) => Ok(stamp.id),
                None => Err(io::ErrorKind::NotFound.into()),
            }
        })
        .await?;
        if !self.manner.deaf && (!self.watch.hears() || id != self.id) {
            // Before the folder is read, so that nothing falls in between.
            if let Err(error) = self.watch.listen() {
                tracing::warn!(kind = ?error.kind, "the system cannot tell of a watched folder; it is read often instead");
            }
            self.id = id;
        }
        self.plan.set_hears(self.watch.hears());
        let folder = self.folder.path.clone();
        beside(move || std::fs::read_dir(folder)).await
    }

    /// Reads what stood still to its end, and hands it on.
    async fn take(&mut self, standing: Vec<Standing>) {
        let folder = self.folder.path.clone();
        let read = beside(move || {
            Ok(standing
                .into_iter()
                .map(|standing| {
                    let claim = claim(&folder.join(&standing.name), &standing);
                    (standing, claim)
                })
                .collect::<Vec<_>>())
        })
        .await
        .unwrap_or_default();
        let mut files = Vec::new();
        for (standing, claim) in read {
            let name = standing.name.clone();
            match claim {
                Claim::Ready(contents) => {
                    let claimed = Claimed { standing, contents };
                    match self.verdict_known(&claimed) {
                        Some(told) => self.put(claimed, told).await,
                        None => files.push(claimed),
                    }
                }
                Claim::Refused(refused) => {
                    let rejected = refused.rejected(self.manner.language);
                    let claimed = Claimed { standing, contents: None };
                    self.put(claimed, Told::Bad { rejected, lines: Vec::new() }).await;
                }
                Claim::Unfinished => self.plan.settle(&name, After::Unfinished, self.clock.now()),
                Claim::Changed => self.plan.settle(&name, After::Changed, self.clock.now()),
                Claim::Unreadable(error) => {
                    self.plan.settle(&name, After::Failed, self.clock.now());
                    // On some systems a program keeps what it writes to itself, and that is no trouble yet.
                    if self.plan.failures(&name) >= QUIET_FAILURES {
                        self.trouble(cannot("read", &name, &error)).await;
                    }
                }
            }
        }
        if files.is_empty() {
            return;
        }
        let (answer, answered) = oneshot::channel();
        let paths = files.iter().map(|file| self.folder.path.join(&file.standing.name)).collect();
        if self.batches.send(Batch { files: paths, answer }).await.is_ok() {
            self.pending = Some(Pending { files, answer: answered });
        } else {
            // Nobody takes files in any more: this task is about to be stopped.
            self.give_back(files);
            self.plan.rest(|_| Duration::from_secs(1), self.clock.now());
        }
    }

    fn verdict_known(&mut self, claimed: &Claimed) -> Option<Told> {
        let (stamp, contents, told) = self.unmoved.remove(&claimed.standing.name)?;
        (stamp == claimed.standing.stamp && Some(contents) == claimed.contents).then_some(told)
    }

    fn give_back(&mut self, files: Vec<Claimed>) {
        let now = self.clock.now();
        for file in files {
            self.plan.settle(&file.standing.name, After::Untouched, now);
        }
    }

    async fn answered(&mut self, answer: Result<Vec<Verdict>, Problem>) {
        let Some(Pending { files, .. }) = self.pending.take() else { return };
        let verdicts = match answer {
            Ok(verdicts) => verdicts,
            Err(problem) => {
                tracing::warn!(code = %problem.code, files = files.len(), "files wait: they cannot be taken in now");
                self.give_back(files);
                // She stopped it, and nothing is wrong: it goes on when she syncs, or after a while.
                if problem.code == Code::Stopped {
                    return self.plan.rest(|_| STOPPED, self.clock.now());
                }
                self.plan.rest(|failures| back_off(failures, None), self.clock.now());
                return self.trouble(problem).await;
            }
        };
        self.plan.wake();
        let mut verdicts = verdicts.into_iter();
        let mut counts = Counts::default();
        for file in files {
            let verdict = verdicts.next().unwrap_or_else(|| Verdict::NotNow(interrupted()));
            counts.add(&verdict);
            match verdict {
                Verdict::Good { outcome, waiting } => self.put(file, Told::Good { outcome, waiting }).await,
                Verdict::Bad { rejected, lines } => self.put(file, Told::Bad { rejected, lines }).await,
                Verdict::NotNow(problem) => {
                    self.plan.settle(&file.standing.name, After::Failed, self.clock.now());
                    self.trouble(problem).await;
                }
            }
        }
        tracing::info!(
            imported = counts.imported,
            unchanged = counts.unchanged,
            rejected = counts.rejected,
            waiting = counts.waiting,
            "files of a watched folder were dealt with"
        );
    }

    /// Moves a file that has its verdict, if it is still the one that got it.
    async fn put(&mut self, file: Claimed, told: Told) {
        let path = self.folder.path.join(&file.standing.name);
        let (into, reason) = match &told {
            Told::Good { .. } => (self.folder.imported.clone(), None),
            Told::Bad { rejected, lines } => {
                let text = reason::text(&rejected.problem, lines, self.manner.language);
                (self.folder.rejected.clone(), Some(text))
            }
        };
        let (stamp, contents) = (file.standing.stamp, file.contents);
        let put =
            beside(move || put_away::put_away(&path, &stamp, contents.as_ref(), &into, reason.as_deref()))
                .await;
        let now = self.clock.now();
        let name = file.standing.name;
        match put {
            Ok(Put::Away(put)) => {
                self.plan.settle(&name, After::Gone, now);
                let until = now.checked_add(LOOKED_AFTER).unwrap_or(Timestamp::MAX);
                self.moved.push_back(Moved { name: name.clone(), put: put.clone(), stamp, until });
                if self.moved.len() > LOOKED_AFTER_FILES {
                    self.moved.pop_front();
                }
                self.tell(News::Settled(settled(&name, put, told, now))).await;
            }
            Ok(Put::Changed) => self.plan.settle(&name, After::Changed, now),
            Ok(Put::Gone) => self.plan.settle(&name, After::Gone, now),
            Err(error) => {
                self.plan.settle(&name, After::Failed, now);
                // A rejection costs nothing to repeat, and may have been about the moment rather than the file.
                if let (Some(contents), Told::Good { .. }) = (contents, &told)
                    && self.unmoved.len() < UNMOVED
                {
                    self.unmoved.insert(name.clone(), (stamp, contents, told));
                }
                let problem = cannot("moved", &name, &error);
                self.trouble(problem).await;
            }
        }
    }

    /// A program may have had a file open since before it was moved, and have written to it since.
    async fn look_after_moved(&mut self) {
        let now = self.clock.now();
        let moved: Vec<Moved> = std::mem::take(&mut self.moved).into();
        let to = self.folder.path.clone();
        let result = beside(move || {
            let (mut kept, mut back) = (VecDeque::new(), 0);
            for file in moved {
                match glance::stamp(&file.put)? {
                    Some(stamp) if stamp.id == file.stamp.id && stamp != file.stamp => {
                        put_away::take_back(&file.put, &to, &file.name)?;
                        back += 1;
                    }
                    // Gone, or another file by now: hers to do.
                    Some(stamp) if stamp.id == file.stamp.id && now < file.until => kept.push_back(file),
                    Some(_) | None => {}
                }
            }
            Ok((kept, back))
        })
        .await;
        match result {
            Ok((kept, back)) => {
                self.moved = kept;
                if back > 0 {
                    tracing::info!(
                        back,
                        "files were written to after they were taken in, and are taken in again"
                    );
                    self.plan.hear_of_all(now);
                }
            }
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "files that were dealt with cannot be looked after")
            }
        }
    }

    async fn folder_trouble(&mut self, error: &io::Error) {
        let path = names::shown(self.folder.path.as_os_str());
        let problem =
            Problem::new(Code::InvalidInput, format!("The watched folder {path} cannot be read: {error}."))
                .then("Check that it is there and that you may open it; it is tried again by itself.");
        if self.folder_trouble.as_ref() != Some(&problem) {
            tracing::warn!(kind = ?error.kind(), "a watched folder cannot be read");
            self.folder_trouble = Some(problem);
            self.tell_trouble().await;
        }
    }

    /// The folder was read. What was said of its files stands as long as one of them waits.
    async fn folder_is_well(&mut self) {
        let was_wrong = self.folder_trouble.take().is_some();
        let was_said = !self.file_troubles.is_empty() && self.plan.waiting() == 0;
        if was_said {
            self.file_troubles.clear();
        }
        if was_wrong || was_said {
            self.tell_trouble().await;
        }
    }

    async fn trouble(&mut self, problem: Problem) {
        if self.file_troubles.contains(&problem) || self.file_troubles.len() >= TROUBLES {
            return;
        }
        tracing::warn!(code = %problem.code, "a file in a watched folder has to wait");
        self.file_troubles.push(problem);
        self.tell_trouble().await;
    }

    async fn tell_trouble(&self) {
        let problem = self.folder_trouble.as_ref().or(self.file_troubles.last()).cloned();
        self.tell(News::Trouble { folder: self.folder.path.clone(), problem }).await;
    }

    async fn tell(&self, news: News) {
        // Nobody listens any more only when this task is about to be stopped.
        let _ = self.news.send(news).await;
    }
}

/// What reading a file came to.
enum Claim {
    Ready(Option<Contents>),
    Refused(Refused),
    Changed,
    Unfinished,
    Unreadable(io::Error),
}

fn claim(path: &Path, standing: &Standing) -> Claim {
    match standing.stamp.kind {
        Kind::Link => return Claim::Refused(Refused::Link),
        Kind::Other => return Claim::Refused(Refused::NoFile),
        Kind::Folder => return Claim::Changed,
        Kind::File => {}
    }
    let read = glance::contents(path).and_then(|contents| Ok((contents, glance::stamp(path)?)));
    match read {
        Ok((_, stamp)) if stamp != Some(standing.stamp) => Claim::Changed,
        Ok((contents, _)) if contents.unfinished && !standing.for_good => Claim::Unfinished,
        Ok((contents, _)) => Claim::Ready(Some(contents)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Claim::Changed,
        Err(error) => Claim::Unreadable(error),
    }
}

/// Some entries of a folder, and the rest of it. What is gone before it was looked at was never there.
#[expect(clippy::type_complexity, reason = "one use, right above")]
fn slice(
    mut reading: ReadDir,
    folder: &Path,
    takes: Takes,
) -> io::Result<(Option<ReadDir>, Vec<(OsString, Stamp)>)> {
    let mut seen = Vec::new();
    for _ in 0..SLICE {
        let Some(entry) = reading.next() else { return Ok((None, seen)) };
        let name = entry?.file_name();
        if !takes.takes(&name) {
            continue;
        }
        if let Some(stamp) = glance::stamp(&folder.join(&name))? {
            seen.push((name, stamp));
        }
    }
    Ok((Some(reading), seen))
}

fn settled(name: &OsString, into: PathBuf, told: Told, at: Timestamp) -> Settled {
    let (outcome, rejected, waiting) = match told {
        Told::Good { outcome, waiting } => (outcome, None, waiting),
        Told::Bad { rejected, .. } => (FileOutcome::Rejected, Some(rejected), 0),
    };
    let why = rejected.as_ref().map(|rejected| rejected.why);
    let reason = rejected.map(|rejected| rejected.problem.message);
    Settled { name: names::shown(name), outcome, at, into, reason, why, waiting }
}

fn cannot(what: &str, name: &OsString, error: &io::Error) -> Problem {
    let full = matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::ReadOnlyFilesystem
    );
    let step = if full {
        "Free some disk space; the file is left where it is, and tried again by itself."
    } else {
        "Close the program that uses it and check its permissions; it is tried again by itself."
    };
    let message = format!("{} in a watched folder could not be {what}: {error}.", names::shown(name));
    Problem::new(Code::InvalidInput, message).then(step)
}

fn interrupted() -> Problem {
    Problem::new(Code::Internal, "A file was not taken in, and nothing says why.")
        .then("It is tried again by itself.")
}

/// Runs what may take long beside the runtime.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(io::Error::other(error)),
    }
}

#[derive(Default)]
struct Counts {
    imported: usize,
    unchanged: usize,
    rejected: usize,
    waiting: usize,
}

impl Counts {
    fn add(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Good { outcome: FileOutcome::Imported, .. } => self.imported += 1,
            Verdict::Good { .. } => self.unchanged += 1,
            Verdict::Bad { .. } => self.rejected += 1,
            Verdict::NotNow(_) => self.waiting += 1,
        }
    }
}
