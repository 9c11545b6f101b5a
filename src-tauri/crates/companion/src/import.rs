//! Takes calendar files in: the one way for the command, the watched folder and files dropped on the window.

mod block;
mod file;
mod rejection;
mod report;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use calendar::event::Uid;
use calendar::ics;
use calendar::interval::{Interval, union};
use sync::busy_set::vendor_zone;
use sync::error::Code;
use sync::import::{self as taking, Holdings, ImportedSlot, Own, SlotKey, Taken, asks_about_slots};
use sync::plan::{Plan, plan};
use sync::ports::{Clock, Mirror, Platform, Slot};
use sync::report::Report;
use sync::slots;
use sync::world::{Direction, LinkedCalendar, Operation, Vendor, World};

use crate::latest;
use crate::problem::Problem;
use crate::syncing::{self, Wanted};
use crate::wiring::Wiring;

pub use block::{block, block_of, take_back_block};
pub use file::{MAX_BYTES, read_file};
pub use rejection::{Rejected, Rejection};
pub use report::{FileOutcome, FileProblem, FileReport, Note, Why, sentences};
pub use source::ImportedFiles;
pub use sync::import::OnConflict;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Nothing leaves the conflicts to her: they are listed and wait.
    pub on_conflict: Option<OnConflict>,
    /// What is to be done about single events, whatever is done about the others.
    pub choices: BTreeMap<Uid, OnConflict>,
    pub dry_run: bool,
}

impl Options {
    fn choice(&self, uid: &Uid) -> Option<OnConflict> {
        self.choices.get(uid).copied().or(self.on_conflict)
    }
}

/// Takes `files` in, in this order. A file that is refused keeps none of the others from being taken in.
///
/// Each file is in the mirror before the next one is read, and Bookiji is told of all of them at the end. Where it cannot
/// be reached, the files are here all the same, each says so, and the next sync tells it.
///
/// # Errors
/// When the profile itself cannot be used: nobody is signed in, the database cannot be written.
pub async fn import_files(
    wiring: &Wiring,
    files: &[PathBuf],
    options: &Options,
) -> Result<Vec<FileReport>, Problem> {
    let mut desk = Desk::open(wiring, options)?;
    let mut reports = Vec::with_capacity(files.len());
    let mut uids: Vec<BTreeSet<Uid>> = Vec::with_capacity(files.len());
    wiring.progress.begins(files.len());
    for path in files {
        // Reading one never waits for anything, and whoever watches is to have a turn.
        tokio::task::yield_now().await;
        let (report, taken) = match desk.take(path).await? {
            Ok((mut report, taken)) => {
                report.count(&taken);
                (report, taken.uids)
            }
            Err(rejected) => (FileReport::rejected(path, rejected), BTreeSet::new()),
        };
        tracing::info!(
            outcome = ?report.outcome,
            new = report.events.new,
            updated = report.events.updated,
            problems = report.problems.len(),
            "a calendar file"
        );
        reports.push(report);
        uids.push(taken);
        wiring.progress.has_read();
    }
    desk.see_bookings().await?;
    let told = desk.tell().await?;
    for (report, uids) in reports.iter_mut().zip(&uids) {
        told.complete(report, uids);
    }
    Ok(reports)
}

/// The profile while files are taken in.
struct Desk<'a> {
    wiring: &'a Wiring,
    options: &'a Options,
    vendor: Vendor,
    /// The mirror as it stands, or as it would in a dry run.
    world: World,
    calendar: LinkedCalendar,
    /// Whether the calendar is in the mirror yet.
    linked: bool,
    holdings: Holdings,
    own: Own,
    before: BTreeMap<SlotKey, ImportedSlot>,
}

impl<'a> Desk<'a> {
    fn open(wiring: &'a Wiring, options: &'a Options) -> Result<Self, Problem> {
        let mut world = wiring.world()?;
        let vendor = world.vendor.clone().ok_or_else(|| {
            Problem::new(Code::NotSignedIn, "Nobody is signed in to Bookiji in this profile.")
        })?;
        let known = taking::calendar(&world).cloned();
        let linked = known.is_some();
        let calendar = known.unwrap_or_else(|| {
            let unique = uuid::Uuid::new_v4().simple().to_string();
            taking::linked(&unique, wiring.settings.sync.frequency_minutes, wiring.clock.now())
        });
        if !linked {
            let connection = taking::connection(wiring.clock.now());
            world.connections.insert(connection.id.clone(), connection);
            world.calendars.insert(calendar.id.clone(), calendar.clone());
        }
        let holdings = Holdings::of(&world, &calendar.id);
        let own = Own::of(&world, &[]);
        let before = world.imported_slots.clone();
        Ok(Self { wiring, options, vendor, world, calendar, linked, holdings, own, before })
    }

    /// Takes one file in. The inner error is the file's, the outer one the profile's.
    async fn take(&mut self, path: &Path) -> Result<Result<(FileReport, Taken), Rejected>, Problem> {
        let bytes = match read_file(path) {
            Ok(bytes) => bytes,
            Err(rejected) => return Ok(Err(rejected)),
        };
        let addresses = self.addresses();
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let (parts, problems) = match ics::read_each_as(&bytes, &addresses) {
            Ok(read) => read,
            Err(what) => return Ok(Err(file::no_calendar(path, what))),
        };
        drop(bytes);
        let report = FileReport::of(path, &parts, problems);
        if report.outcome == FileOutcome::Rejected {
            let line = report.problems.first().map_or(1, |problem| problem.line);
            let words = format!("{}, line {line}: none of its events can be read.", path.display());
            let why = Rejection::NoEvents { line: u32::try_from(line).unwrap_or(u32::MAX) };
            let refusal = Some(Rejected::new(why, Problem::new(Code::InvalidIcsFormat, words)));
            return Ok(Ok((FileReport { refusal, ..report }, Taken::default())));
        }
        let now = self.wiring.clock.now();
        if let Some(window) = asks_about_slots(&parts, &self.holdings, &self.own, now)
            && let Some(standing) = self.slots(window).await
        {
            self.own = Own::of(&self.world, &standing);
        }
        let zone = vendor_zone(Some(&self.vendor));
        let mut taken = Taken::default();
        for part in &parts {
            taken.join(self.holdings.take(part, &self.own, now, &zone));
        }
        let before = |uid: &Uid| self.world.choices.get(&(self.calendar.id.clone(), uid.clone())).copied();
        let chosen = taken.free.iter().filter_map(|uid| Some((uid, self.options.choice(uid)?)));
        let changed = chosen.filter(|(uid, choice)| before(uid) != Some(*choice));
        let changed: Vec<_> = changed.map(|(uid, choice)| (uid.clone(), Some(choice))).collect();
        taken.intake.choices.extend(changed);
        self.write(&taken)?;
        Ok(Ok((report, taken)))
    }

    fn write(&mut self, taken: &Taken) -> Result<(), Problem> {
        if taken.intake.is_empty() {
            return Ok(());
        }
        if !self.options.dry_run {
            let mirror = &self.wiring.mirror;
            if !self.linked {
                mirror.put_connection(&taking::connection(self.wiring.clock.now()))?;
                mirror.put_calendar(&self.calendar)?;
                self.linked = true;
            }
            mirror.take_import(&self.calendar.id, &taken.intake)?;
        }
        self.world.take_import(&self.calendar.id, &taken.intake);
        Ok(())
    }

    /// Hers, as invitations may name her.
    fn addresses(&self) -> Vec<String> {
        let accounts = self.world.connections.values().map(|connection| &connection.account);
        let all = accounts.chain([&self.vendor.email]).filter(|address| address.contains('@'));
        all.cloned().collect()
    }

    /// The platform's slots, or nothing where it cannot be asked.
    async fn slots(&self, window: Interval) -> Option<Vec<Slot>> {
        self.wiring.check_session().await.ok()?;
        let platform = self.wiring.platform().ok()?;
        platform.slots(window).await.ok()
    }

    /// A preview knows of every booking that the sync it stands for would read first. Where Bookiji cannot be asked, it
    /// knows of those that were read last.
    async fn see_bookings(&mut self) -> Result<(), Problem> {
        if self.options.dry_run && latest::refresh(self.wiring).await.is_ok_and(|stale| stale.is_none()) {
            self.world.bookings = self.wiring.world()?.bookings;
        }
        Ok(())
    }

    /// Tells Bookiji what is new for it, or works out what that would be.
    async fn tell(&self) -> Result<Told, Problem> {
        let now = self.wiring.clock.now();
        let policy = self.wiring.policy();
        let planned = plan(&self.world, now, &policy);
        let told = |rows, trouble, world, open| Told {
            open,
            before: self.before.clone(),
            rows,
            trouble,
            world,
            sources: planned.sources.clone(),
            now,
            policy,
        };
        let wanted = slots::wanted(&self.world, now, &policy);
        let taken = slots::Taken::of(&self.world, &planned.sources, now);
        let needs_look = slots::needs_look(&self.world, &taken, &wanted, now, &policy);
        if self.options.dry_run {
            let mut rows = self.world.imported_slots.clone();
            let (mut trouble, mut open) = (None, None);
            if needs_look || self.publishes(&planned) {
                let window = slots::reach(&self.world, now, &policy);
                match self.slots(window).await {
                    Some(standing) => {
                        open = Some(standing.iter().filter(|slot| slot.open).map(|slot| slot.span).collect());
                        let plan = slots::plan(&self.world, &taken, &wanted, &standing, now, &policy);
                        rows = plan.applied_to(&rows);
                    }
                    None => trouble = Some(unseen()),
                }
            }
            return Ok(told(rows, trouble, self.world.clone(), open));
        }
        if !needs_look && !self.publishes(&planned) {
            return Ok(told(self.world.imported_slots.clone(), None, self.world.clone(), None));
        }
        let only = BTreeSet::from([self.calendar.connection.clone()]);
        let wanted = Wanted { direction: Direction::FromCalendar, connections: Some(only), dry_run: false };
        let trouble = match syncing::sync_once(self.wiring, &wanted).await {
            Ok(report) => first_problem(&report),
            Err(problem) => Some(problem),
        };
        let world = self.wiring.world()?;
        Ok(told(world.imported_slots.clone(), trouble, world, None))
    }

    fn publishes(&self, planned: &Plan) -> bool {
        planned.publish.iter().any(|operation| match operation {
            Operation::PublishBusy { set, .. } => set.source == self.calendar.id,
            Operation::CreateEvent { .. }
            | Operation::UpdateEvent { .. }
            | Operation::RemoveEvent { .. }
            | Operation::MoveBooking { .. }
            | Operation::ProposeMove { .. }
            | Operation::WithdrawProposal { .. }
            | Operation::CancelBooking { .. }
            | Operation::MakeSlots { .. }
            | Operation::RemoveSlot { .. }
            | Operation::SwitchSlots { .. }
            | Operation::MakeCalendar { .. }
            | Operation::RemoveCalendar { .. } => false,
        })
    }
}

fn first_problem(report: &Report) -> Option<Problem> {
    syncing::problems(report).into_iter().next()
}

fn unseen() -> Problem {
    Problem::new(
        Code::NetworkError,
        "Bookiji's slots could not be looked at, so what becomes of free times is not shown.",
    )
}

/// What came of telling Bookiji.
struct Told {
    /// The slots that can be booked now, where they were looked at.
    open: Option<Vec<Interval>>,
    before: BTreeMap<SlotKey, ImportedSlot>,
    rows: BTreeMap<SlotKey, ImportedSlot>,
    trouble: Option<Problem>,
    world: World,
    sources: Vec<sync::plan::SourceBusy>,
    now: jiff::Timestamp,
    policy: sync::policy::Policy,
}

impl Told {
    /// Says in a file's report what its events led to.
    fn complete(&self, report: &mut FileReport, uids: &BTreeSet<Uid>) {
        if uids.is_empty() {
            return;
        }
        let made_before: BTreeSet<_> =
            self.before.values().flat_map(|row| &row.made).map(|slot| &slot.id).collect();
        let rows = || self.rows.values().filter(|row| uids.contains(&row.uid));
        let made = rows().flat_map(|row| &row.made);
        report.slots_created = made.filter(|slot| !made_before.contains(&slot.id)).count();
        report.conflicts = rows().flat_map(|row| row.conflicts.iter().cloned()).collect();
        let taken = slots::Taken::of(&self.world, &self.sources, self.now);
        let over = slots::over_bookings(&self.world, &taken, uids, self.now, &self.policy);
        report.conflicts.extend(over);
        let blocks = slots::blocking(&self.world, uids, self.now, &self.policy);
        let blocks = blocks.into_iter().filter_map(|occurrence| occurrence.blocks).collect();
        let blocks = union(blocks);
        report.busy_blocks = blocks.len();
        report.slots_closed = self
            .open
            .as_ref()
            .map(|open| open.iter().filter(|slot| blocks.iter().any(|block| block.overlaps(slot))).count());
        report.waiting = sync::decisions::concerning(&self.world, &self.rows, uids, self.now);
        report.unsent = self.trouble.clone();
    }
}
