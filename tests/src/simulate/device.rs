//! One computer of hers: its own mirror, and runs of the whole engine that end, or are killed half-way.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use companion::import::ImportedFiles;
use jiff::{SignedDuration, Timestamp};
use sync::error::MirrorError;
use sync::ids::{ConnectionId, RemoteCalendarId, RunId, Service};
use sync::import::{self, Holdings, OnConflict, Own, Taken};
use sync::lease::Writer;
use sync::policy::Policy;
use sync::ports::{Account, CalendarEntry, Clock, Mirror, Platform};
use sync::report::Report;
use sync::run::{Parts, Request, run};
use sync::world::{Connection, ConnectionState, Direction, LinkedCalendar, Role, Vendor};

use super::liar::Liar;
use super::mutant::{Mutant, MutantAccount, MutantMirror, MutantPlatform};
use super::stage::{ACCOUNT, DEVICES, Filed, Shared, Weather, ZONE, connection, on};
use super::watched::Watched;

pub struct Device {
    pub index: usize,
    stage: Shared,
    inside: Arc<dyn Mirror>,
    mutant: Option<Mutant>,
    runs: u32,
}

/// How a run ended.
#[derive(Debug)]
pub enum Ended {
    Reported(Box<Report>),
    Killed,
    Broken(String),
}

impl Device {
    /// A computer that has just been signed in, with her personal calendar linked.
    #[must_use]
    pub fn new(index: usize, stage: &Shared, mutant: Option<Mutant>) -> Self {
        let mut device = Self { index, stage: stage.clone(), inside: fresh(), mutant, runs: 0 };
        device.sign_in();
        device
    }

    #[must_use]
    pub fn name(&self) -> &'static str {
        DEVICES[self.index]
    }

    /// Its disk is lost, or its profile deleted: everything it knew is gone.
    pub fn forget(&mut self) {
        self.inside = fresh();
        let mut stage = on(&self.stage);
        stage.files.remove(&self.index);
        stage.told.remove(&self.index);
        drop(stage);
        self.sign_in();
    }

    fn sign_in(&mut self) {
        let now = on(&self.stage).now;
        let vendor = Vendor {
            id: "vendor-1".into(),
            name: "Amélie".to_owned(),
            email: ACCOUNT.to_owned(),
            time_zone: ZONE.to_owned(),
        };
        let linked = Connection {
            id: connection(),
            service: Service::Google,
            account: ACCOUNT.to_owned(),
            state: ConnectionState::Connected,
            created_at: now,
            error: None,
            backoff_until: None,
            error_count: 0,
        };
        let calendar = LinkedCalendar::new(&linked.id, &personal(), Role::Busy, 5, now);
        self.inside.set_vendor(&vendor).expect("a vendor");
        self.inside.put_connection(&linked).expect("a connection");
        self.inside.put_calendar(&calendar).expect("a calendar");
    }

    /// One run of the engine in this weather.
    pub fn run(&mut self, direction: Direction, weather: Weather) -> Ended {
        self.runs += 1;
        {
            let mut stage = on(&self.stage);
            stage.device = self.index;
            stage.calls = 0;
            stage.dead = false;
            stage.disturbed = false;
            stage.weather = weather;
        }
        let ended = self.drive(direction);
        let mut stage = on(&self.stage);
        stage.weather = Weather::default();
        if let Ended::Killed = ended {
            // What it made of its last readings, nobody can say.
            stage.told().hers.clear();
        }
        ended
    }

    fn drive(&self, direction: Direction) -> Ended {
        let watched = Watched { inside: self.inside.clone(), stage: self.stage.clone() };
        let liar = Liar(self.stage.clone());
        let mirror: Box<dyn Mirror> = match self.mutant {
            Some(mutant) => Box::new(MutantMirror { inside: watched, mutant }),
            None => Box::new(watched),
        };
        let platform: Box<dyn Platform> = match self.mutant {
            Some(mutant) => Box::new(MutantPlatform { inside: liar.clone(), mutant }),
            None => Box::new(liar.clone()),
        };
        let account: Box<dyn Account> = match self.mutant {
            Some(mutant) => Box::new(MutantAccount { inside: liar, mutant }),
            None => Box::new(liar),
        };
        let accounts: BTreeMap<ConnectionId, Box<dyn Account>> = BTreeMap::from([
            (connection(), account),
            (import::connection_id(), Box::new(ImportedFiles) as Box<dyn Account>),
        ]);
        let clock = StageClock(self.stage.clone());
        let parts = Parts {
            mirror: mirror.as_ref(),
            platform: platform.as_ref(),
            accounts: &accounts,
            clock: &clock,
            policy: Policy::default(),
            writer: &Writer::unnamed(),
        };
        let id = RunId(format!("{}-{}", self.name(), self.runs));
        let request = Request { run: id, direction, dry_run: false };
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let mut running = Box::pin(run(&parts, &request));
            running.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        }));
        let killed = on(&self.stage).dead;
        match polled {
            Ok(Poll::Ready(Ok(report))) if !killed => Ended::Reported(Box::new(report)),
            Ok(Poll::Ready(Err(error))) if !killed => Ended::Broken(format!("the mirror failed: {error}")),
            // Nothing else waits: all that answers, answers at once.
            Ok(Poll::Pending) if !killed => Ended::Broken("the run waits for ever".to_owned()),
            Ok(_) => Ended::Killed,
            Err(panic) => Ended::Broken(format!("a panic: {}", words(panic.as_ref()))),
        }
    }

    /// She gives this computer a file with one event in it.
    ///
    /// # Errors
    /// When the mirror fails.
    pub fn import(&mut self, uid: u32, version: usize, filed: Option<Filed>) -> Result<(), MirrorError> {
        let (now, last) = {
            let mut stage = on(&self.stage);
            let files = stage.files.entry(self.index).or_default();
            let last = files.remove(&uid);
            files.extend(filed.map(|filed| (uid, filed)));
            (stage.now, last)
        };
        let world = self.inside.world()?;
        let calendar = match import::calendar(&world) {
            Some(calendar) => calendar.clone(),
            None => {
                let calendar = import::linked(self.name(), 5, now);
                self.inside.put_connection(&import::connection(now))?;
                self.inside.put_calendar(&calendar)?;
                calendar
            }
        };
        let Some(said) = filed.or(last) else { return Ok(()) };
        let at = |at: Timestamp| at.strftime("%Y%m%dT%H%M%SZ").to_string();
        let status = if filed.is_some() { "" } else { "STATUS:CANCELLED\n" };
        let transparency = if said.busy { "OPAQUE" } else { "TRANSPARENT" };
        let file = format!(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:filed{uid}\nDTSTART:{}\nDTEND:{}\nSEQUENCE:{version}\n\
             TRANSP:{transparency}\n{status}END:VEVENT\nEND:VCALENDAR\n",
            at(said.span.start()),
            at(said.span.end()),
        );
        let (parts, _) = calendar::ics::read_each_as(file.as_bytes(), &[ACCOUNT]).expect("a calendar");
        let world = self.inside.world()?;
        let mut holdings = Holdings::of(&world, &calendar.id);
        let zone = sync::busy_set::vendor_zone(world.vendor.as_ref());
        let own = Own::of(&world, &[]);
        let mut taken = Taken::default();
        for part in &parts {
            taken.join(holdings.take(part, &own, now, &zone));
        }
        taken.intake.choices.extend(taken.free.iter().map(|uid| (uid.clone(), Some(OnConflict::Skip))));
        self.inside.take_import(&calendar.id, &taken.intake)
    }
}

fn fresh() -> Arc<dyn Mirror> {
    Arc::new(mirror::Sqlite::in_memory().expect("a mirror"))
}

#[must_use]
pub fn personal() -> CalendarEntry {
    CalendarEntry {
        remote: RemoteCalendarId("personal".to_owned()),
        name: "personal".to_owned(),
        time_zone: None,
        writable: true,
        primary: true,
        ours: false,
    }
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// The story's clock: waiting moves it.
struct StageClock(Shared);

#[async_trait]
impl Clock for StageClock {
    fn now(&self) -> Timestamp {
        on(&self.0).now
    }

    async fn wait(&self, duration: Duration) {
        let mut stage = on(&self.0);
        let by = SignedDuration::try_from(duration).unwrap_or(SignedDuration::ZERO);
        stage.now = stage.now.saturating_add(by).unwrap_or(stage.now);
    }

    fn jitter(&self) -> f64 {
        on(&self.0).dice.fraction()
    }
}
