//! One task that owns the schedule and runs syncs, for the window and for `sync --watch`. Everything the outside can do
//! to it is a [`Handle`]; everything it tells is a value in a channel.

mod silence;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use connectors::bookiji::Hint;
use connectors::http::Sent;
use jiff::{SignedDuration, Timestamp};
use mirror::Pause;
use sync::error::{Code, MirrorError};
use sync::ids::{ConnectionId, Service};
use sync::plan::plan;
use sync::policy::back_off;
use sync::ports::{Clock, Mirror};
use sync::report::Report;
use sync::world::{Direction, SyncProblem, World};
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use crate::allowance::{RUNS_OF_A_DAY, spent};
use crate::cli::output::Outcome;
use crate::dashboard;
use crate::desk::door::Place;
use crate::door::{Door, Knock};
use crate::ears::Ears;
use crate::errand::{self, Doing, Errand};
use crate::feeds;
use crate::first_run::{self, FirstRun, FirstStep};
use crate::heal;
use crate::import::{self, FileReport};
use crate::inbox::{self, Batch, Inbox, Manner, News, Settled};
use crate::lease;
use crate::notice;
use crate::pace::Attention;
use crate::problem::Problem;
use crate::recent::Recent;
use crate::schedule::{Linked, Next, Rhythm, Schedule, Work};
use crate::status::{RUNS_READ, worth_telling};
use crate::syncing::{self, Wanted};
use crate::tray::PULSE;
use crate::view::{self, Activity, Overview, PreviewView};
use crate::wiring::Wiring;
use crate::words::Language;

/// How long a run that is under way may go on after somebody asked to stop. What it leaves open, the next run settles.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// A sync that takes longer says how far it is, and can be stopped.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How long Bookiji is left alone once it has switched syncing off.
const SWITCHED_OFF: SignedDuration = SignedDuration::from_mins(15);

/// Files of watched folders that whoever listens slowly may still hear of.
const FILES_TOLD: usize = 1024;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The sandbox stands in for Bookiji and the calendars.
    pub sample: bool,
    /// Somebody looks: the first sync is shown as a plan, and waits for [`Handle::start`].
    pub preview: bool,
}

type LastRun = Option<Result<Arc<Report>, Problem>>;

/// The way to a running controller. Dropping it stops the controller.
pub struct Handle {
    asks: mpsc::Sender<()>,
    given: Imports,
    errands: Errands,
    started: watch::Sender<bool>,
    looks: watch::Sender<bool>,
    stops: Arc<Notify>,
    overview: watch::Receiver<Overview>,
    /// When the task last looked around, on the steady clock.
    pulse: watch::Receiver<Duration>,
    /// How the last run ended; nothing before the first.
    pub reports: watch::Receiver<LastRun>,
    /// Each file of a watched folder that was dealt with.
    pub files: broadcast::Receiver<Settled>,
    /// What Bookiji was sent.
    pub sent: Sent,
    task: JoinHandle<()>,
}

impl Handle {
    /// Syncs everything at once, or right after the run that is under way.
    pub fn sync_now(&self) {
        // One that waits already stands for this one too.
        let _ = self.asks.try_send(());
    }

    /// Stops the sync that is under way, if there is one. What it did is kept, and the next one goes on.
    pub fn stop_sync(&self) {
        self.stops.notify_waiters();
    }

    /// She has seen what the first sync would do, and lets it.
    pub fn start(&self) {
        self.started.send_replace(true);
    }

    /// The window is open, or no longer is: while she looks, her calendars are read more often.
    pub fn look(&self, is_open: bool) {
        self.looks.send_replace(is_open);
    }

    /// Takes files in that somebody gave to the window, once no run is under way.
    ///
    /// # Errors
    /// As [`import::import_files`], and when the controller stops before it is their turn.
    pub async fn import(
        &self,
        files: Vec<PathBuf>,
        options: import::Options,
    ) -> Result<Vec<FileReport>, Problem> {
        self.given.take(files, options).await
    }

    /// The way to have files taken in, for whoever waits for them while this handle is used further.
    #[must_use]
    pub fn imports(&self) -> Imports {
        self.given.clone()
    }

    /// The way to have errands done, for whoever waits for one while this handle is used further.
    #[must_use]
    pub fn errands(&self) -> Errands {
        self.errands.clone()
    }

    /// What there is to show, now and whenever it changes.
    #[must_use]
    pub fn overview(&self) -> watch::Receiver<Overview> {
        self.overview.clone()
    }

    /// When the task last looked around, by [`Clock::steady`]: an engine that is stuck says so by saying nothing. While a
    /// run is under way it says nothing either.
    #[must_use]
    pub fn pulse(&self) -> watch::Receiver<Duration> {
        self.pulse.clone()
    }

    /// Stops, after the run that is under way if it ends soon.
    pub async fn shutdown(self) {
        let Self { asks, given, errands, started: _started, looks: _looks, task, .. } = self;
        drop((asks, given, errands));
        let _ = task.await;
    }
}

/// Has errands done between two runs, as if other commands had handed them in.
#[derive(Clone)]
pub struct Errands {
    knocks: mpsc::Sender<Knock>,
    visits: mpsc::Sender<Visit>,
}

/// What somebody in this process does with the open profile, between two runs. What holds a password is no errand.
type Visit = Box<dyn for<'a> FnOnce(&'a Wiring) -> Visiting<'a, ()> + Send>;

/// A visit under way.
pub type Visiting<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl Errands {
    /// # Errors
    /// What the errand itself comes to, and when the controller stops before it is its turn.
    pub async fn perform(&self, errand: Errand) -> Result<Outcome, Problem> {
        let (knock, answered) = Knock::new(errand);
        self.knocks.send(knock).await.map_err(|_| closing())?;
        answered.await.map_err(|_| closing())?
    }

    /// Lets `visit` use the open profile, and answers what came of it.
    ///
    /// # Errors
    /// As the visit itself, and when the controller stops before it is its turn.
    pub async fn visit<T: Send + 'static>(
        &self,
        visit: impl for<'a> FnOnce(&'a Wiring) -> Visiting<'a, Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        let (answer, answered) = oneshot::channel();
        let visit: Visit = Box::new(move |wiring| {
            Box::pin(async move {
                // Whoever asked may have gone away.
                let _ = answer.send(visit(wiring).await);
            })
        });
        self.visits.send(visit).await.map_err(|_| closing())?;
        answered.await.map_err(|_| closing())?
    }
}

/// Has files taken in that somebody gave to the window.
#[derive(Clone)]
pub struct Imports(mpsc::Sender<Given>);

impl Imports {
    /// Once no run is under way.
    ///
    /// # Errors
    /// As [`import::import_files`], and when the controller stops before it is their turn.
    pub async fn take(
        &self,
        files: Vec<PathBuf>,
        options: import::Options,
    ) -> Result<Vec<FileReport>, Problem> {
        let (answer, answered) = oneshot::channel();
        let stopped = || Problem::new(Code::Internal, "The app is closing, so no file was taken in.");
        self.0.send(Given { files, options, answer }).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

/// Files that somebody gave by hand, and who waits for what comes of them.
struct Given {
    files: Vec<PathBuf>,
    options: import::Options,
    answer: oneshot::Sender<Result<Vec<FileReport>, Problem>>,
}

/// The task's own state.
pub struct Controller {
    wiring: Wiring,
    options: Options,
    schedule: Schedule,
    /// Runs in a row in which Bookiji as a whole did not answer.
    bookiji_failures: u32,
    /// Bookiji has switched syncing off: when it is asked again.
    switched_off_until: Option<Timestamp>,
    /// She asked for no syncs for a while.
    pause: Option<Pause>,
    /// What stopped the last run before it started.
    problem: Option<SyncProblem>,
    door: Door,
    ears: Option<Ears>,
    /// What Bookiji's page was told.
    dashboard: dashboard::Told,
    inbox: Inbox,
    given: mpsc::Receiver<Given>,
    errands: mpsc::Receiver<Knock>,
    visits: mpsc::Receiver<Visit>,
    started: watch::Receiver<bool>,
    /// Somebody looks at the window.
    looks: watch::Receiver<bool>,
    /// She stops the sync that is under way.
    stops: Arc<Notify>,
    attention: Attention,
    first: FirstRun,
    /// The last files of watched folders, newest first.
    files: Recent,
    /// What is wrong with watched folders.
    folders: BTreeMap<PathBuf, Problem>,
    overview: watch::Sender<Overview>,
    pulse: watch::Sender<Duration>,
    reports: watch::Sender<LastRun>,
    files_told: broadcast::Sender<Settled>,
}

/// What a run or an import left to be done.
struct Meanwhile<T> {
    /// Nothing if it took too long to end.
    result: Option<T>,
    /// Somebody asked for a sync.
    asked: bool,
    /// Nobody asked to stop.
    go_on: bool,
}

impl Controller {
    /// Starts the task on the current runtime. It syncs at once, and then as the schedule says.
    #[must_use]
    pub fn start(wiring: Wiring, options: Options) -> Handle {
        let rhythm = Rhythm {
            connections: Duration::from_secs(u64::from(wiring.settings.sync.frequency_minutes) * 60),
            bookings: Duration::from_secs(u64::from(wiring.settings.sync.booking_poll_seconds)),
        };
        let schedule = Schedule::new(rhythm);
        let schedule = if wiring.place.is_some() { schedule.in_company() } else { schedule };
        let nothing = view::overview(
            &World::default(),
            &[],
            wiring.clock.now(),
            &Activity { sample: options.sample, ..Activity::default() },
        );
        let (overview, overview_seen) = watch::channel(nothing);
        let (pulse, felt) = watch::channel(wiring.clock.steady());
        let (reports, reports_seen) = watch::channel(None);
        let (asks, asked) = mpsc::channel(1);
        let (given, taken) = mpsc::channel(1);
        let (knocks, handed) = mpsc::channel(1);
        let (visits, visiting) = mpsc::channel(1);
        let errands = Errands { knocks, visits };
        let (started, is_started) = watch::channel(false);
        let (looks, is_looking) = watch::channel(false);
        let stops = Arc::<Notify>::default();
        let (files_told, files) = broadcast::channel(FILES_TOLD);
        let door = Door::open(&wiring.profile);
        let sent = wiring.http.sent().clone();
        let controller = Self {
            inbox: watched(&wiring),
            given: taken,
            errands: handed,
            visits: visiting,
            started: is_started,
            looks: is_looking,
            stops: stops.clone(),
            attention: Attention::default(),
            first: FirstRun { is_shown: options.preview, ..FirstRun::default() },
            files: Recent::open(&wiring.profile),
            folders: BTreeMap::new(),
            files_told,
            // Told until the first run ends, which heals it.
            problem: wiring.rebuilt.as_ref().map(|rebuilt| {
                let notice = notice::of_rebuild(rebuilt, wiring.settings.language.unwrap_or_default());
                SyncProblem { code: notice.code, message: notice.message }
            }),
            wiring,
            options,
            schedule,
            bookiji_failures: 0,
            switched_off_until: None,
            pause: None,
            door,
            ears: None,
            dashboard: dashboard::Told::default(),
            overview,
            pulse,
            reports,
        };
        controller.show(None);
        let task = tokio::spawn(controller.run(asked).in_current_span());
        Handle {
            asks,
            given: Imports(given),
            errands,
            started,
            looks,
            stops,
            overview: overview_seen,
            pulse: felt,
            reports: reports_seen,
            files,
            sent,
            task,
        }
    }

    async fn run(mut self, asked: mpsc::Receiver<()>) {
        self.run_until_told(asked).await;
        lease::release(&self.wiring).await;
    }

    async fn run_until_told(&mut self, mut asked: mpsc::Receiver<()>) {
        let retaken = meanwhile(heal::retake_imports(&self.wiring), &mut asked).await;
        if let Some(Err(problem)) = &retaken.result {
            tracing::warn!(code = %problem.code, "files could not be taken in again");
        }
        if !retaken.go_on {
            return;
        }
        if retaken.asked {
            self.schedule.ask();
        }
        loop {
            self.pulse.send_replace(self.wiring.clock.steady());
            if !self.keep_lease(&mut asked).await {
                return;
            }
            if self.ears.is_none() {
                self.ears = Ears::open(&self.wiring);
            }
            let now = self.wiring.clock.now();
            let step = self.first_step();
            if step == FirstStep::Preview {
                if !self.preview(&mut asked).await {
                    return;
                }
                continue;
            }
            let wait: Duration = match self.next(now) {
                _ if step == FirstStep::Wait => soon(now).duration_since(now).try_into().unwrap_or_default(),
                Next::Sync(work) => {
                    if !self.work(&work, &mut asked).await {
                        return;
                    }
                    continue;
                }
                Next::WaitUntil(then) => then.duration_since(now).try_into().unwrap_or_default(),
            };
            let lease = lease::wait(&self.wiring).filter(|_| !self.is_paused());
            let wait = lease.map_or(wait, |lease| wait.min(lease)).min(PULSE);
            tokio::select! {
                ask = asked.recv() => match ask {
                    Some(()) => self.hear(true),
                    None => return,
                },
                Ok(()) = self.started.changed() => {}
                Ok(()) = self.looks.changed() => {}
                // What a watched folder holds is told to Bookiji: that too waits for her.
                Some(batch) = self.inbox.batches.recv(), if step == FirstStep::Sync && !self.is_paused() => {
                    if !self.import_batch(batch, &mut asked).await {
                        return;
                    }
                }
                Some(given) = self.given.recv() => {
                    if step == FirstStep::Wait && !given.options.dry_run {
                        let _ = given.answer.send(Err(not_started("no file was taken in")));
                        continue;
                    }
                    if !self.import_given(given, &mut asked).await {
                        return;
                    }
                }
                Some(knock) = self.door.knocks.recv() => {
                    if !self.run_errand(knock, &mut asked).await {
                        return;
                    }
                }
                Some(knock) = self.errands.recv() => {
                    if !self.run_errand(knock, &mut asked).await {
                        return;
                    }
                }
                Some(visit) = self.visits.recv() => {
                    if !self.receive(visit, &mut asked).await {
                        return;
                    }
                }
                hint = hinted(&mut self.ears) => match hint {
                    Hint::Bookings => self.schedule.hint(),
                    Hint::Sync => self.schedule.ask(),
                },
                Some(news) = self.inbox.news.recv() => {
                    self.note(news);
                    self.show(None);
                }
                () = self.wiring.clock.wait(wait) => {}
            }
        }
    }

    /// Whether the first sync may begin, as long as there is somebody to sync for.
    fn first_step(&mut self) -> FirstStep {
        self.first.is_let |= *self.started.borrow_and_update();
        if !self.first.may_wait() {
            self.first.preview = None;
            return FirstStep::Sync;
        }
        let synced = first_run::has_synced(&self.wiring.mirror).unwrap_or(true);
        let ready = self.wiring.mirror.world().is_ok_and(|world| syncing::ready(&world).is_ok());
        if !ready {
            return FirstStep::Sync;
        }
        let step = self.first.step(synced, self.schedule.is_asked(), self.wiring.clock.now());
        if step == FirstStep::Sync {
            // It has synced once, and no later one waits.
            self.first = FirstRun::default();
        }
        step
    }

    /// Shows what the first sync would do, and writes nothing. Answers whether to go on.
    async fn preview(&mut self, asked: &mut mpsc::Receiver<()>) -> bool {
        let started = self.wiring.clock.now();
        self.schedule.forget_ask();
        self.show(Some(started));
        let wanted = Wanted { direction: Direction::Bidirectional, connections: None, dry_run: true };
        let done = meanwhile(syncing::sync_once(&self.wiring, &wanted), asked).await;
        let now = self.wiring.clock.now();
        let world = self.wiring.mirror.world().unwrap_or_default();
        match done.result {
            Some(Ok(report)) => {
                self.problem = None;
                self.first.preview = Some(PreviewView::of(&report, &world, now));
            }
            Some(Err(problem)) => {
                let problem = SyncProblem { code: problem.code, message: problem.message };
                let nothing = Report::new(Direction::Bidirectional, true);
                let preview = PreviewView::of(&nothing, &world, now);
                self.first.preview = Some(PreviewView { problem: Some((&problem).into()), ..preview });
                self.problem = Some(problem);
            }
            None => {}
        }
        self.hear(done.asked);
        self.show(None);
        done.go_on
    }

    /// Asks for the lease if it is time to; what was left while standing by is done at once. While she paused this computer
    /// nobody waits for it: another one may write. Answers whether to go on.
    async fn keep_lease(&mut self, asked: &mut mpsc::Receiver<()>) -> bool {
        self.rest(self.wiring.clock.now());
        if self.is_paused() {
            let given = meanwhile(lease::release(&self.wiring), asked).await;
            if given.asked {
                self.schedule.ask();
            }
            return given.go_on;
        }
        if lease::wait(&self.wiring) != Some(Duration::ZERO) {
            return true;
        }
        let kept = meanwhile(lease::keep(&self.wiring), asked).await;
        if kept.asked {
            self.schedule.ask();
        }
        if kept.result == Some(true) {
            self.schedule.catch_up();
        }
        self.show(None);
        kept.go_on
    }

    /// What the schedule says, as long as there is somebody to sync for.
    fn next(&mut self, now: Timestamp) -> Next {
        let world = match self.wiring.mirror.world() {
            Ok(world) => world,
            Err(error) => return self.stuck(error, now),
        };
        self.pace(&world, now);
        self.rest(now);
        if syncing::ready(&world).is_err() {
            self.schedule.forget_ask();
            return Next::WaitUntil(soon(now));
        }
        self.schedule.poll(now)
    }

    fn pace(&mut self, world: &World, now: Timestamp) {
        self.attention.looks = *self.looks.borrow();
        let settings = &self.wiring.settings.sync;
        let own = Duration::from_secs(u64::from(settings.frequency_minutes) * 60);
        let attention = settings.adaptive.then_some(&self.attention);
        self.schedule.set_connections(linked(world, attention, own, now));
    }

    /// Whether the day's calls of Google are used up. Only a run that made some can change that to the worse.
    fn is_spent(&self, report: &Report, now: Timestamp) -> bool {
        if !report.calls.contains_key("google") && !self.attention.spent {
            return false;
        }
        let runs = self.wiring.mirror.runs(RUNS_OF_A_DAY).unwrap_or_default();
        spent(&runs, "google", now).calls >= u64::from(self.wiring.settings.sync.google_calls_a_day)
    }

    /// Nothing is synced by itself while she paused it, Bookiji has switched it off, or runs of hers took too long where
    /// others wait for their turn.
    fn rest(&mut self, now: Timestamp) {
        self.pause = self.wiring.mirror.pause().ok().flatten().filter(|pause| pause.holds(now));
        // A longer rest is left over from a clock that was wrong.
        let off = self.switched_off_until.filter(|until| until.duration_since(now) <= SWITCHED_OFF);
        let paused = self.pause.map(|pause| pause.until.unwrap_or(Timestamp::MAX));
        let overran = self.wiring.place.as_ref().and_then(Place::rests);
        let overran = overran.and_then(|rest| now.checked_add(SignedDuration::try_from(rest).ok()?).ok());
        self.schedule.rest_until(paused.max(off).max(overran));
    }

    fn is_paused(&self) -> bool {
        self.pause.is_some_and(|pause| pause.holds(self.wiring.clock.now()))
    }

    fn stuck(&mut self, error: MirrorError, now: Timestamp) -> Next {
        let problem = Problem::from(error);
        tracing::error!(code = %problem.code, "the mirror cannot be read");
        self.problem = Some(SyncProblem { code: problem.code, message: problem.message });
        self.show(None);
        Next::WaitUntil(soon(now))
    }

    /// Runs one sync. Answers whether to go on.
    async fn work(&mut self, work: &Work, asked: &mut mpsc::Receiver<()>) -> bool {
        let started = self.wiring.clock.now();
        self.show(Some(started));
        let wanted = self.wanted(work, started);
        let sync = self.told(Doing::Sync, syncing::sync_once(&self.wiring, &wanted));
        let done = meanwhile(sync, asked).await;
        let now = self.wiring.clock.now();
        let result = done.result.flatten();
        if let Ok(world) = self.wiring.mirror.world() {
            if let Some(Ok(report)) = &result {
                self.attention.note(report, &world, now);
                self.attention.spent = self.is_spent(report, now);
            }
            // A feed has just said how often it wants to be read.
            self.pace(&world, now);
            if *work != Work::Bookings && result.as_ref().is_some_and(Result::is_ok) {
                self.dashboard.tell(&self.wiring, &world);
            }
        }
        self.schedule.done(work, now, self.wiring.clock.jitter());
        if let Some(result) = result {
            self.remember(&result, now);
            self.reports.send_replace(Some(result.map(Arc::new)));
        }
        self.hear(done.asked);
        self.show(None);
        done.go_on
    }

    /// She wants everything looked at: a sync, and what waits in watched folders.
    fn hear(&mut self, asked: bool) {
        if asked {
            self.schedule.ask();
            self.inbox.try_again();
        }
    }

    /// Works until it is done or she stops it, and tells how far that is. Nothing where she did.
    async fn told<T>(
        &self,
        doing: Doing,
        work: impl Future<Output = Result<T, Problem>>,
    ) -> Option<Result<T, Problem>> {
        self.wiring.progress.clear();
        let mut stopped = pin!(self.stops.notified());
        let mut work = pin!(work);
        loop {
            tokio::select! {
                result = &mut work => return Some(result),
                () = &mut stopped => return syncing::stopped(&self.wiring).err().map(|error| Err(error.into())),
                () = tokio::time::sleep(LOOK_AGAIN) => {
                    let progress = view::ProgressView::of(doing, self.wiring.progress.counted());
                    self.overview.send_if_modified(|shown| {
                        shown.progress.replace(progress) != Some(progress)
                    });
                }
            }
        }
    }

    /// Takes in files, as far as she lets it.
    async fn take_in(
        &mut self,
        files: &[PathBuf],
        options: &import::Options,
        asked: &mut mpsc::Receiver<()>,
    ) -> Meanwhile<Result<Vec<FileReport>, Problem>> {
        self.show(Some(self.wiring.clock.now()));
        // As a run of the engine: on the heap, so that a thread's stack holds it.
        let taking = Box::pin(import::import_files(&self.wiring, files, options));
        let done = meanwhile(self.told(Doing::Import, taking), asked).await;
        self.hear(done.asked);
        Meanwhile { result: done.result.map(or_stopped), asked: done.asked, go_on: done.go_on }
    }

    /// Takes in what a watched folder has. Answers whether to go on.
    async fn import_batch(&mut self, batch: Batch, asked: &mut mpsc::Receiver<()>) -> bool {
        let options =
            import::Options { on_conflict: self.wiring.settings.import.on_conflict, ..Default::default() };
        let done = self.take_in(&batch.files, &options, asked).await;
        if let Some(result) = done.result {
            // A folder that is no longer watched finds its files again when it is.
            let _ = batch.answer.send(result.map(|reports| inbox::verdicts(&batch.files, reports)));
        }
        self.show(None);
        done.go_on
    }

    /// Takes in what somebody gave by hand. Answers whether to go on.
    async fn import_given(&mut self, given: Given, asked: &mut mpsc::Receiver<()>) -> bool {
        let done = self.take_in(&given.files, &given.options, asked).await;
        if let (false, Some(Ok(reports))) = (given.options.dry_run, &done.result) {
            let now = self.wiring.clock.now();
            for report in reports {
                self.files.add(&inbox::by_hand(report, now));
            }
        }
        self.show(None);
        if let Some(result) = done.result {
            // Whoever gave them may have gone away.
            let _ = given.answer.send(result);
        }
        done.go_on
    }

    /// Does what another command asks for, as that command would have done it itself. Answers whether to go on.
    async fn run_errand(&mut self, knock: Knock, asked: &mut mpsc::Receiver<()>) -> bool {
        if knock.is_over() {
            return true;
        }
        if self.first_step() != FirstStep::Sync && knock.errand.syncs() {
            knock.answer(Err(not_started("nothing was done")));
            return true;
        }
        self.show(Some(self.wiring.clock.now()));
        let errand = async {
            let errand = Box::pin(errand::perform(&self.wiring, &knock.errand));
            match knock.errand.doing() {
                Some(doing) => or_stopped(self.told(doing, errand).await),
                None => errand.await,
            }
        };
        let done = meanwhile(errand, asked).await;
        self.hear(done.asked);
        self.rest(self.wiring.clock.now());
        self.show(None);
        if let Some(result) = done.result {
            knock.answer(result);
        }
        done.go_on
    }

    /// Lets somebody use the open profile. Answers whether to go on.
    async fn receive(&mut self, visit: Visit, asked: &mut mpsc::Receiver<()>) -> bool {
        let done = meanwhile(visit(&self.wiring), asked).await;
        self.hear(done.asked);
        self.show(None);
        done.go_on
    }

    fn note(&mut self, news: News) {
        match news {
            News::Settled(file) => {
                // Nobody has to listen.
                self.files.add(&file);
                let _ = self.files_told.send(file);
            }
            News::Trouble { folder, problem: Some(problem) } => {
                self.folders.insert(folder, problem);
            }
            News::Trouble { folder, problem: None } => {
                self.folders.remove(&folder);
            }
        }
    }

    /// What a piece of work means to the engine. Accounts that back off are left alone unless somebody asked.
    fn wanted(&self, work: &Work, now: Timestamp) -> Wanted {
        let (direction, connections) = match work {
            Work::Everything => (Direction::Bidirectional, None),
            Work::Connections(due) => (Direction::Bidirectional, Some(due.clone())),
            Work::Bookings => (Direction::ToCalendar, Some(self.at_ease(now))),
        };
        Wanted { direction, connections, dry_run: false }
    }

    fn at_ease(&self, now: Timestamp) -> BTreeSet<ConnectionId> {
        let world = self.wiring.mirror.world().unwrap_or_default();
        let resting = |until: Option<Timestamp>| until.is_some_and(|until| now < until);
        world
            .connections
            .into_values()
            .filter(|connection| !resting(connection.backoff_until))
            .map(|connection| connection.id)
            .collect()
    }

    fn remember(&mut self, result: &Result<Report, Problem>, now: Timestamp) {
        self.problem = result
            .as_ref()
            .err()
            .map(|problem| SyncProblem { code: problem.code, message: problem.message.clone() });
        let silent = match result {
            Ok(report) => silence::silence(report, silence::answers(self.wiring.http.sent())),
            Err(_) => None,
        };
        let is_off = result.as_ref().is_ok_and(Report::is_switched_off);
        self.switched_off_until = if is_off { now.checked_add(SWITCHED_OFF).ok() } else { None };
        match silent.filter(|_| !is_off) {
            None => {
                self.bookiji_failures = 0;
                self.schedule.hold_bookings(None);
            }
            Some(error) => {
                self.bookiji_failures = self.bookiji_failures.saturating_add(1);
                let wait = back_off(self.bookiji_failures, error.retry_after_s.map(Duration::from_secs));
                self.schedule.hold_bookings(
                    SignedDuration::try_from(wait).ok().and_then(|wait| now.checked_add(wait).ok()),
                );
            }
        }
    }

    fn show(&self, syncing_since: Option<Timestamp>) {
        let mirror = &self.wiring.mirror;
        let (world, runs) = match (mirror.world(), mirror.runs(RUNS_READ)) {
            (Ok(world), Ok(runs)) => (world, worth_telling(runs)),
            (Err(_), _) | (_, Err(_)) => return self.show_broken(self.activity(syncing_since)),
        };
        let now = self.wiring.clock.now();
        let waiting = plan(&world, now, &self.wiring.policy()).cards;
        let cards = Some(view::cards(&world, &waiting, now));
        let activity = Activity { cards, ..self.activity(syncing_since) };
        self.overview.send_replace(view::overview(&world, &runs, now, &activity));
    }

    /// What no row can tell.
    fn activity(&self, syncing_since: Option<Timestamp>) -> Activity {
        Activity {
            syncing_since,
            paused: self.pause.is_some(),
            paused_until: self.pause.and_then(|pause| pause.until),
            sample: self.options.sample,
            language: self.wiring.settings.language,
            problem: self.problem.clone(),
            next_run_at: self.schedule.next_run_at(self.wiring.clock.now()),
            files: self.files.files(),
            preview: self.first.preview.clone(),
            folder_problem: self
                .folders
                .values()
                .next()
                .map(|problem| SyncProblem { code: problem.code, message: problem.message.clone() }),
            cards: None,
        }
    }

    fn show_broken(&self, activity: Activity) {
        let problem = activity.problem.clone().unwrap_or_else(|| SyncProblem {
            code: Code::DatabaseError,
            message: "The local database cannot be read.".to_owned(),
        });
        let activity = Activity { problem: Some(problem), ..activity };
        self.overview.send_replace(view::overview(
            &World::default(),
            &[],
            self.wiring.clock.now(),
            &activity,
        ));
    }
}

/// What is heard next; nothing ever, where nobody listens.
async fn hinted(ears: &mut Option<Ears>) -> Hint {
    if let Some(ears) = ears
        && let Some(hint) = ears.hints.recv().await
    {
        return hint;
    }
    std::future::pending().await
}

/// Calendars behind an account are read as often as it is worth; links as their publishers ask.
fn linked<'a>(
    world: &'a World,
    attention: Option<&'a Attention>,
    own: Duration,
    now: Timestamp,
) -> impl Iterator<Item = (ConnectionId, Linked)> + 'a {
    world.connections.values().map(move |connection| {
        let (asked, attention) = match connection.service {
            Service::Ics => (feeds::rhythm(world, &connection.id), None),
            Service::Google | Service::Outlook | Service::Caldav => (None, attention),
        };
        let pace = attention.map(|attention| attention.pace_of(&connection.id, world, own, now));
        (connection.id.clone(), Linked { backoff_until: connection.backoff_until, asked, pace })
    })
}

/// Lets `work` come to its end while asks are heard.
async fn meanwhile<T>(work: impl Future<Output = T>, asked: &mut mpsc::Receiver<()>) -> Meanwhile<T> {
    let mut work = std::pin::pin!(work);
    let mut again = false;
    loop {
        tokio::select! {
            result = &mut work => return Meanwhile { result: Some(result), asked: again, go_on: true },
            ask = asked.recv() => match ask {
                Some(()) => again = true,
                None => {
                    let result = tokio::time::timeout(LAST_WORDS, &mut work).await.ok();
                    return Meanwhile { result, asked: again, go_on: false };
                }
            },
        }
    }
}

/// The folders that the settings name, and the profile's own.
fn watched(wiring: &Wiring) -> Inbox {
    let folders = inbox::watched(wiring);
    let language = wiring.settings.language.unwrap_or_else(Language::of_system);
    // A system has only so many ears, and each vendor's would be a thread.
    let deaf = wiring.place.is_some();
    Inbox::start(folders, Manner { language, deaf, ..Manner::default() })
}

/// Whoever waits for what she stopped is told so.
fn or_stopped<T>(told: Option<Result<T, Problem>>) -> Result<T, Problem> {
    told.unwrap_or_else(|| Err(Problem::new(Code::Stopped, "You stopped this.")))
}

fn closing() -> Problem {
    Problem::new(Code::Internal, "The app is closing, so nothing was changed.")
}

fn not_started(so: &str) -> Problem {
    Problem::new(Code::InvalidInput, format!("The first sync has not been started yet, so {so}."))
        .then("Look at the preview and press Start.")
}

/// When to look again whether there is something to do.
fn soon(now: Timestamp) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(30)).unwrap_or(Timestamp::MAX)
}
