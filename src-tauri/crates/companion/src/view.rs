//! What the tray, the window and `status` show: the mirror's rows as sentences need them. Pure; knows neither words
//! nor pixels.

mod block;
mod cards;
mod choices;
mod diagnosis;
mod explained;
mod files;
mod forms;
mod preferences;
mod preview;
mod privacy;
mod schedule;
mod seats;
mod sign_in;
mod state;
mod story;

use std::collections::BTreeSet;

use calendar::ics::NotACalendar;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sync::error::Code;
use sync::ids::{CalendarId, ConnectionId, Service};
use sync::progress::Counted;
use sync::undo::Why;
use sync::world::{Direction, LinkedCalendar, Role, RunRecord, SyncOutcome, SyncProblem, World};

use crate::errand::Doing;
use crate::import::{FileOutcome, Rejection};
use crate::inbox::Settled;
use crate::problem;
use crate::words::Language;

pub use block::{BlockFault, BlockTimeForm, BlockedView, LONGEST as LONGEST_BLOCK, TakeBackForm};
pub use cards::{CardKind, CardOption, CardView, OverView, SpanView, cards};
pub use choices::{AllDay, ChoiceView, ChoicesView, ExampleView, ShownAs, choices};
pub use diagnosis::{CheckView, DiagnosisView, diagnosis};
pub use explained::{BecauseView, ExplainedView, Rule};
pub use files::{
    ConflictView, FileImportView, FolderView, FoldersView, ImportView, LineView, MeetsView, OfferView,
    SkippedView, WrittenView, folders,
};
pub use forms::{
    BlockForm, CaldavForm, ChooseForm, DecideForm, DisconnectForm, ExportForm, ForgetForm, ImportChoice,
    ImportForm, InviteForm, LinkForm, LogInForm, PauseForm, SignInForm, SpanForm, preferences, undo,
};
pub use preferences::{PreferencesForm, PreferencesView};
pub use preview::PreviewView;
pub use privacy::{KnownView, MessageKind, MessageView, PrivacyView, WordsView, privacy, words};
pub use schedule::{BookingView, BusyView, ClashView, Placement, Schedule, UnblockedView};
pub use seats::{SeatView, seats};
pub use sign_in::{Missing, SignInTo, SignInView};
pub use state::State;
pub use story::{RunStoryView, STEPS_SHOWN, StepEnd, StepKind, StepView, StepWhy, story};

/// How many runs the window keeps on its table.
pub const RUNS_SHOWN: usize = 20;

/// How many files of watched folders the window keeps on its table.
pub const FILES_SHOWN: usize = 20;

/// What the engine is doing right now, which no row can tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    pub syncing_since: Option<Timestamp>,
    /// She asked for no syncs, whether or not she said until when.
    pub paused: bool,
    pub paused_until: Option<Timestamp>,
    /// The sandbox stands in for Bookiji and the calendars.
    pub sample: bool,
    /// What she set; nothing follows the system.
    pub language: Option<Language>,
    /// What stops every run before it starts: no keychain, no session, a broken settings file.
    pub problem: Option<SyncProblem>,
    /// When the next run is due, where that is sooner than any calendar's own time.
    pub next_run_at: Option<Timestamp>,
    /// The last files of watched folders, newest first.
    pub files: Vec<FileView>,
    /// Why a watched folder, or a file in one, has to wait.
    pub folder_problem: Option<SyncProblem>,
    /// What the first sync would do, while it waits for her.
    pub preview: Option<PreviewView>,
    /// Everything that waits for her, where it was worked out: otherwise it is as many as the last run told.
    pub cards: Option<Vec<CardView>>,
}

/// Everything the window shows, at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct Overview {
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub now: Timestamp,
    pub state: State,
    /// Why the state is what it is, where something is wrong. The worst of all problems.
    pub problem: Option<Problem>,
    /// Why a watched folder, or a file in one, has to wait; everything else goes on.
    pub folder_problem: Option<Problem>,
    pub sample: bool,
    /// What she set, or what the shell made of the system's; nothing leaves it to whoever shows this.
    pub language: Option<Language>,
    pub syncing: bool,
    /// How far a sync has come, or what else takes a while; she can stop it.
    pub progress: Option<ProgressView>,
    /// She asked for no syncs for a while, with or without an end.
    pub paused: bool,
    #[cfg_attr(feature = "bindings", specta(type = Option<String>))]
    pub paused_until: Option<Timestamp>,
    /// What the computer is called that writes instead of this one.
    pub standing_by: Option<String>,
    /// Nobody before the first sign-in.
    pub vendor: Option<VendorView>,
    /// Everybody whose calendars this computer keeps, she among them; nobody where she is alone.
    pub seats: Vec<SeatView>,
    /// The last time everything went well, or partly well.
    #[cfg_attr(feature = "bindings", specta(type = Option<String>))]
    pub last_sync_at: Option<Timestamp>,
    #[cfg_attr(feature = "bindings", specta(type = Option<String>))]
    pub next_sync_at: Option<Timestamp>,
    pub connections: Vec<ConnectionView>,
    /// Newest first.
    pub runs: Vec<RunView>,
    /// Cards that wait for the vendor.
    pub decisions: u32,
    /// Those cards, and after them what is told and does not press.
    pub cards: Vec<CardView>,
    /// The last files of watched folders, newest first.
    pub files: Vec<FileView>,
    /// What the first sync would do: nothing is written until she has seen it and said yes.
    pub preview: Option<PreviewView>,
    pub schedule: Schedule,
}

impl Overview {
    /// The zone she lives in; UTC before the first sign-in, and where this computer does not know hers.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        let zone = self.vendor.as_ref().and_then(|vendor| TimeZone::get(&vendor.time_zone).ok());
        zone.unwrap_or(TimeZone::UTC)
    }
}

/// A file of a watched folder that was dealt with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct FileView {
    pub name: String,
    pub outcome: FileState,
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub at: Timestamp,
    /// Why it was not taken in.
    pub refusal: Option<Rejection>,
    /// Questions of it that waited for her then.
    pub waiting: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum FileState {
    Imported,
    Unchanged,
    NoTimes,
    Rejected,
}

impl From<&Settled> for FileView {
    fn from(file: &Settled) -> Self {
        Self {
            name: file.name.clone(),
            outcome: file.outcome.into(),
            at: file.at,
            refusal: file.why,
            waiting: count(file.waiting),
        }
    }
}

impl From<FileOutcome> for FileState {
    fn from(outcome: FileOutcome) -> Self {
        match outcome {
            FileOutcome::Imported => Self::Imported,
            FileOutcome::Unchanged => Self::Unchanged,
            FileOutcome::NoTimes => Self::NoTimes,
            FileOutcome::Rejected => Self::Rejected,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct VendorView {
    pub name: String,
    pub email: String,
    /// IANA.
    pub time_zone: String,
}

/// A code, and the words of this case of it. The window has its own words and the next step for every code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct Problem {
    pub code: Code,
    pub message: String,
}

impl From<&SyncProblem> for Problem {
    fn from(problem: &SyncProblem) -> Self {
        Self { code: problem.code, message: without_folders(&problem.message) }
    }
}

impl From<&problem::Problem> for Problem {
    fn from(problem: &problem::Problem) -> Self {
        Self { code: problem.code, message: without_folders(&problem.message) }
    }
}

/// A message as the window may have it: of a file, its name alone.
#[must_use]
pub fn without_folders(message: &str) -> String {
    let word = |word: &str| {
        let is_link = word.contains("://");
        let from = word.trim_end().rfind(['/', '\\']).filter(|_| !is_link).map_or(0, |at| at + 1);
        word[from..].to_owned()
    };
    message.split_inclusive([' ', '\n', '"', '(']).map(word).collect()
}

/// A linked account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct ConnectionView {
    pub id: String,
    pub service: Service,
    pub account: String,
    /// No account is behind it: its events came in files.
    pub files: bool,
    pub state: State,
    pub problem: Option<Problem>,
    /// What came where a calendar should have come, if that is the problem.
    pub instead: Option<NotACalendar>,
    #[cfg_attr(feature = "bindings", specta(type = Option<String>))]
    pub last_sync_at: Option<Timestamp>,
    #[cfg_attr(feature = "bindings", specta(type = Option<String>))]
    pub next_sync_at: Option<Timestamp>,
    /// Those that are used first, then by name.
    pub calendars: Vec<CalendarView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct CalendarView {
    pub id: String,
    pub name: String,
    pub role: Role,
    pub state: State,
    pub problem: Option<Problem>,
    pub outcome: Option<SyncOutcome>,
    #[cfg_attr(feature = "bindings", specta(type = Option<String>))]
    pub last_sync_at: Option<Timestamp>,
    #[cfg_attr(feature = "bindings", specta(type = Option<String>))]
    pub next_sync_at: Option<Timestamp>,
    pub frequency_minutes: u32,
    /// Busy intervals that Bookiji was last sent for it.
    pub published: u32,
    /// Bookings that stand in it as events.
    pub bookings: u32,
}

/// One run, counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct RunView {
    pub id: String,
    pub direction: Direction,
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub started_at: Timestamp,
    #[cfg_attr(feature = "bindings", specta(type = Option<String>))]
    pub ended_at: Option<Timestamp>,
    pub outcome: Option<SyncOutcome>,
    pub created: u32,
    pub updated: u32,
    pub removed: u32,
    pub unchanged: u32,
    pub held: u32,
    /// Sources whose busy time was sent to Bookiji.
    pub published: u32,
    /// Slots on Bookiji that were made, or opened again.
    pub slots_opened: u32,
    /// Slots on Bookiji that were taken back, or closed.
    pub slots_closed: u32,
    pub decisions: u32,
    pub problems: Vec<Problem>,
    /// The run that this one took back.
    pub undoes: Option<String>,
    /// It wrote something into her calendar, or made or removed slots, and no later run took that back.
    pub can_undo: bool,
}

/// What became of a run that was to be taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct UndoneView {
    pub undone: u32,
    pub kept: u32,
    /// Why something was kept, each reason once.
    pub reasons: Vec<Why>,
}

impl UndoneView {
    /// From the document of `companion undo`.
    #[must_use]
    pub fn of(document: &Value) -> Self {
        let kept = document["kept"].as_array().map(Vec::as_slice).unwrap_or_default();
        let reasons: BTreeSet<Why> =
            kept.iter().filter_map(|kept| Why::deserialize(&kept["why"]).ok()).collect();
        Self {
            undone: count(document["undone"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0)),
            kept: count(kept.len()),
            reasons: reasons.into_iter().collect(),
        }
    }
}

/// Calendars or files first, then what is written or taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct ProgressView {
    pub doing: Doing,
    pub read: u32,
    pub to_read: u32,
    pub written: u32,
    pub to_write: u32,
}

impl ProgressView {
    #[must_use]
    pub fn of(doing: Doing, counted: Counted) -> Self {
        let Counted { read, to_read, written, to_write } = counted;
        Self { doing, read, to_read, written, to_write }
    }
}

/// Puts together what is shown at `now`.
#[must_use]
pub fn overview(world: &World, runs: &[RunRecord], now: Timestamp, activity: &Activity) -> Overview {
    let runs = run_views(&runs[..runs.len().min(RUNS_SHOWN)]);
    let syncing = activity.syncing_since.is_some();
    let connections: Vec<ConnectionView> =
        world.connections.keys().filter_map(|id| connection_view(world, id)).collect();
    let last_run = runs.iter().find(|run| run.ended_at.is_some());
    let used = || world.calendars.values().filter(|calendar| calendar.role != Role::Off);

    let problem = activity
        .problem
        .iter()
        .map(Problem::from)
        .chain(connections.iter().filter_map(|connection| connection.problem.clone()))
        .chain(last_run.into_iter().flat_map(|run| run.problems.iter().cloned()))
        .max_by_key(|problem| State::of_code(problem.code));
    let decisions = match &activity.cards {
        Some(cards) => count(cards::pressing(cards)),
        None => last_run.map_or(0, |run| run.decisions),
    };

    let mut state = match (&world.vendor, used().next()) {
        (Some(_), Some(_)) => State::UpToDate,
        (None, _) | (_, None) => State::Paused,
    };
    if syncing {
        state = state.max(State::Syncing);
    }
    let paused = activity.paused_until.map_or(activity.paused, |until| now < until);
    if paused {
        state = state.max(State::Paused);
    }
    if decisions > 0 || activity.preview.is_some() {
        state = state.max(State::NeedsYou);
    }
    if let Some(problem) = &problem {
        state = state.max(State::of_code(problem.code));
    }
    // A folder that is not plugged in stops nothing else, and is hers to see to.
    if activity.folder_problem.is_some() {
        state = state.max(State::NeedsYou);
    }

    Overview {
        now,
        state,
        problem,
        folder_problem: activity.folder_problem.as_ref().map(Problem::from),
        sample: activity.sample,
        seats: Vec::new(),
        language: activity.language,
        syncing,
        progress: None,
        paused,
        paused_until: activity.paused_until.filter(|until| now < *until),
        standing_by: world.lease.standing_by.as_ref().map(|other| other.holder.clone()),
        vendor: world.vendor.as_ref().map(|vendor| VendorView {
            name: vendor.name.clone(),
            email: vendor.email.clone(),
            time_zone: vendor.time_zone.clone(),
        }),
        last_sync_at: used().filter_map(|calendar| calendar.last_sync_at).max(),
        next_sync_at: used().filter_map(|calendar| calendar.next_sync_at).chain(activity.next_run_at).min(),
        connections,
        runs,
        decisions,
        cards: activity.cards.clone().unwrap_or_default(),
        files: activity.files.clone(),
        preview: activity.preview.clone(),
        schedule: schedule::of(world, now),
    }
}

fn connection_view(world: &World, id: &ConnectionId) -> Option<ConnectionView> {
    let connection = world.connections.get(id)?;
    let mut linked: Vec<&LinkedCalendar> =
        world.calendars.values().filter(|calendar| calendar.connection == *id).collect();
    linked.sort_by_key(|calendar| (role_order(calendar.role), calendar.name.to_lowercase()));
    let calendars: Vec<CalendarView> = linked.iter().map(|calendar| calendar_view(world, calendar)).collect();

    let own = connection.error.as_ref().map(Problem::from);
    let own_state = match connection.state {
        sync::world::ConnectionState::NeedsSignIn => State::NeedsYou,
        sync::world::ConnectionState::Connected => {
            own.as_ref().map_or(State::UpToDate, |problem| State::of_code(problem.code))
        }
        // What remains of it goes only when she asks again.
        sync::world::ConnectionState::Leaving => own.as_ref().map_or(State::Paused, |_| State::NeedsYou),
    };
    let signed_out = (own_state == State::NeedsYou && own.is_none())
        .then(|| Problem { code: Code::OauthTokenExpired, message: String::new() });
    let used = || calendars.iter().filter(|calendar| calendar.role != Role::Off);
    let problem = own
        .or(signed_out)
        .into_iter()
        .chain(used().filter_map(|calendar| calendar.problem.clone()))
        .max_by_key(|problem| State::of_code(problem.code));
    Some(ConnectionView {
        id: id.to_string(),
        service: connection.service,
        files: connection.id == sync::import::connection_id(),
        account: connection.account.clone(),
        state: used().map(|calendar| calendar.state).fold(own_state, Ord::max),
        instead: problem.as_ref().and_then(instead),
        problem,
        last_sync_at: used().filter_map(|calendar| calendar.last_sync_at).max(),
        next_sync_at: used().filter_map(|calendar| calendar.next_sync_at).min().max(connection.backoff_until),
        calendars,
    })
}

/// The mirror keeps the sentence alone, and that ends in what came.
fn instead(problem: &Problem) -> Option<NotACalendar> {
    let said = problem.message.trim_end_matches('.');
    let mut all = NotACalendar::ALL.into_iter().filter(|_| problem.code == Code::InvalidIcsFormat);
    all.find(|what| said.ends_with(&what.to_string()))
}

fn role_order(role: Role) -> u8 {
    match role {
        Role::Target => 0,
        Role::Busy => 1,
        Role::Off => 2,
    }
}

fn calendar_view(world: &World, calendar: &LinkedCalendar) -> CalendarView {
    let failed = calendar.last_sync_status.is_some_and(|outcome| outcome != SyncOutcome::Success);
    let problem = calendar.last_sync_error.as_ref().filter(|_| failed).map(Problem::from);
    CalendarView {
        id: calendar.id.to_string(),
        name: calendar.name.clone(),
        role: calendar.role,
        state: problem.as_ref().map_or(State::UpToDate, |problem| State::of_code(problem.code)),
        problem,
        outcome: calendar.last_sync_status,
        last_sync_at: calendar.last_sync_at,
        next_sync_at: calendar.next_sync_at,
        frequency_minutes: calendar.sync_frequency_minutes,
        published: count(world.published.get(&calendar.id).map_or(0, |sent| sent.set.intervals.len())),
        bookings: count(standing_bookings(world, &calendar.id)),
    }
}

fn standing_bookings(world: &World, calendar: &CalendarId) -> usize {
    world
        .mappings
        .values()
        .filter(|mapping| mapping.calendar == *calendar && mapping.state == sync::world::MappingState::Synced)
        .count()
}

/// Runs, newest first, each counted.
fn run_views(runs: &[RunRecord]) -> Vec<RunView> {
    let mut views: Vec<RunView> = runs.iter().map(run_view).collect();
    for (view, run) in views.iter_mut().zip(runs) {
        view.can_undo = can_undo(run, runs);
    }
    views
}

/// Reads what a report says and takes nothing for granted: an older version may have written it.
fn run_view(run: &RunRecord) -> RunView {
    let report = run.report.as_ref().unwrap_or(&Value::Null);
    let bookings = |word: &str| count_at(&report["bookings"][word]);
    let slots = |word: &str| count_at(&report["slots"][word]);
    let sources = report["busy"]["sources"].as_array().map(Vec::as_slice).unwrap_or_default();
    let published = sources.iter().filter(|source| source["published"].as_bool() == Some(true)).count();
    let problems = report["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|error| {
            Some(Problem {
                code: serde_json::from_value(error["code"].clone()).ok()?,
                message: error["message"].as_str().unwrap_or_default().to_owned(),
            })
        })
        .collect();
    RunView {
        id: run.id.to_string(),
        direction: run.direction,
        started_at: run.started_at,
        ended_at: run.ended_at,
        outcome: run.outcome,
        created: bookings("created"),
        updated: bookings("updated"),
        removed: bookings("removed"),
        unchanged: bookings("unchanged"),
        held: bookings("held"),
        published: count(published),
        slots_opened: slots("created").saturating_add(count_at(&report["busy"]["slots_reopened"])),
        slots_closed: slots("removed").saturating_add(count_at(&report["busy"]["slots_closed"])),
        decisions: count(report["decisions"].as_array().into_iter().flatten().filter(presses).count()),
        problems,
        undoes: run.undoes.as_ref().map(ToString::to_string),
        can_undo: false,
    }
}

/// A run can be taken back once it has ended, if it wrote events or made or removed slots, until one that ended well has
/// taken it back.
fn can_undo(run: &RunRecord, runs: &[RunRecord]) -> bool {
    let report = run.report.as_ref().unwrap_or(&Value::Null);
    let wrote = |what: &str, words: &[&str]| words.iter().any(|word| count_at(&report[what][*word]) > 0);
    let is_undone = || {
        runs.iter().any(|later| {
            later.undoes.as_ref() == Some(&run.id) && later.outcome == Some(SyncOutcome::Success)
        })
    };
    run.ended_at.is_some()
        && (wrote("bookings", &["created", "updated", "removed"]) || wrote("slots", &["created", "removed"]))
        && !is_undone()
}

/// Words of her own on an event are told among the decisions, and call nobody.
fn presses(decision: &&Value) -> bool {
    let kind = decision["kind"].as_str().and_then(sync::decide::Question::parse);
    kind.is_none_or(sync::decide::Question::presses)
}

/// A number, or the length of a list: reports have used both.
fn count_at(value: &Value) -> u32 {
    let number = value.as_u64().or_else(|| value.as_array().map(|list| list.len() as u64));
    u32::try_from(number.unwrap_or(0)).unwrap_or(u32::MAX)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
