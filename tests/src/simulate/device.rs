//! One computer of hers: its own mirror, and runs of the whole engine that end, or are killed half-way.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use companion::import::ImportedFiles;
use jiff::{SignedDuration, Timestamp};
use sync::ids::{ConnectionId, InstallationId, RemoteCalendarId, RunId, Service};
use sync::import;
use sync::lease::{Installation, Writer};
use sync::policy::{Deletions, Policy};
use sync::ports::{Account, CalendarEntry, Clock, Mirror};
use sync::progress::Progress;
use sync::report::Report;
use sync::run::{Parts, Request, run, undo};
use sync::world::{Connection, ConnectionState, Direction, LinkedCalendar, Role, Vendor};

use super::liar::Liar;
use super::mutant::{self, Mutant};
use super::stage::{ACCOUNT, DEVICES, Shared, ZONE, connection, on};
use super::turns::{Running, go_on, turn};
use super::watched::Watched;
use super::weather::Weather;

pub struct Device {
    pub index: usize,
    pub stage: Shared,
    pub inside: Arc<dyn Mirror>,
    pub mutant: Option<Mutant>,
    writer: Arc<Writer>,
    profiles: u32,
    runs: u32,
    /// The questions she last looked at, which may be others by now.
    pub seen: Vec<(String, Vec<String>)>,
}

/// Small, so that a handful of bookings is enough to meet it.
pub const DELETIONS: Deletions = Deletions { at_most: 2, percent: 10 };

/// What a device is started for.
#[derive(Clone, Debug)]
pub enum Errand {
    Sync(Direction),
    TakeBack(RunId),
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
        let mut device = Self {
            index,
            stage: stage.clone(),
            inside: fresh(),
            mutant,
            writer: Arc::new(Writer::unnamed()),
            profiles: 0,
            runs: 0,
            seen: Vec::new(),
        };
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
        self.seen.clear();
        {
            let stage = &mut *on(&self.stage);
            stage.files.remove(&self.index);
            stage.told.remove(&self.index);
            stage.forgetful = true;
            stage.given.retain(|(device, _), _| *device != self.index);
            stage.stood_for_all.retain(|(device, _, _)| *device != self.index);
        }
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
        self.profiles += 1;
        self.start();
    }

    /// A new process: of the lease it knows what the mirror does.
    fn start(&mut self) {
        let id = InstallationId(format!("{} {}", self.name(), self.profiles));
        let record = self.inside.world().expect("a world").lease;
        self.writer = Arc::new(Writer::new(Installation { id, name: self.name().to_owned() }, record));
    }

    /// One run of the engine in this weather, with the world to itself.
    pub fn run(&mut self, errand: &Errand, weather: Weather) -> Ended {
        self.begin(errand, weather);
        let mut running = self.running(errand);
        let ended = loop {
            if let Some(ended) = go_on(&self.stage, self.index, &mut running) {
                break ended;
            }
        };
        self.end(&ended);
        ended
    }

    pub fn begin(&mut self, errand: &Errand, weather: Weather) {
        self.runs += 1;
        let stage = &mut *on(&self.stage);
        stage.device = self.index;
        let stood = stage.standing().count();
        stage.run().begin(weather, matches!(errand, Errand::TakeBack(_)), stood);
    }

    pub fn end(&mut self, ended: &Ended) {
        {
            let stage = &mut *on(&self.stage);
            stage.device = self.index;
            stage.run().weather = Weather::default();
            stage.run().undoing = false;
        }
        if let Ended::Killed = ended {
            {
                let stage = &mut *on(&self.stage);
                // What it made of its last readings, nobody can say; what it was told of the lease, nobody remembers.
                stage.told().hers.clear();
                stage.told().stands_by_until = None;
                stage.told().fencing = None;
                stage.run().dead = false;
            }
            self.start();
        }
    }

    /// The engine at work. Nothing has happened before it is polled.
    pub fn running(&self, errand: &Errand) -> Running<'static> {
        let liar = Liar { stage: self.stage.clone(), device: self.index };
        let (mirror, platform) = (self.mirror(), mutant::platform(liar.clone(), self.mutant));
        let accounts: BTreeMap<ConnectionId, Box<dyn Account>> = BTreeMap::from([
            (connection(), mutant::account(liar, self.mutant)),
            (import::connection_id(), Box::new(ImportedFiles) as Box<dyn Account>),
        ]);
        let clock = StageClock { stage: self.stage.clone(), device: self.index };
        let (writer, policy) = (self.writer.clone(), policy(self.mutant));
        let id = RunId(format!("{}-{}", self.name(), self.runs));
        let errand = errand.clone();
        Box::pin(async move {
            let parts = Parts {
                mirror: mirror.as_ref(),
                platform: platform.as_ref(),
                accounts: &accounts,
                clock: &clock,
                policy,
                writer: &writer,
                progress: &Progress::default(),
            };
            match errand {
                Errand::Sync(direction) => run(&parts, &Request { run: id, direction, dry_run: false }).await,
                Errand::TakeBack(of) => undo(&parts, &id, &of).await,
            }
        })
    }

    /// Its mirror, as the engine has it.
    #[must_use]
    pub fn mirror(&self) -> Box<dyn Mirror> {
        let watched = Watched { inside: self.inside.clone(), stage: self.stage.clone(), device: self.index };
        mutant::mirror(watched, self.mutant)
    }

    /// One of the last runs here that may be taken back, if there is any.
    #[must_use]
    pub fn some_run(&self) -> Option<RunId> {
        let runs = self.inside.runs(6).ok()?;
        let at = on(&self.stage).dice.below(runs.len());
        runs.into_iter().nth(at).map(|run| run.id)
    }
}

#[must_use]
pub fn policy(mutant: Option<Mutant>) -> Policy {
    let bounded = Policy { deletions: DELETIONS, ..Policy::default() };
    mutant.map_or(bounded, |mutant| mutant.policy(bounded))
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

/// The story's clock: waiting moves it.
struct StageClock {
    stage: Shared,
    device: usize,
}

#[async_trait]
impl Clock for StageClock {
    fn now(&self) -> Timestamp {
        on(&self.stage).now
    }

    async fn wait(&self, duration: Duration) {
        let by = SignedDuration::try_from(duration).unwrap_or(SignedDuration::ZERO);
        on(&self.stage).passes(by, None);
        turn(&self.stage).await;
    }

    fn jitter(&self) -> f64 {
        on(&self.stage).dice.fraction()
    }

    fn steady(&self) -> Duration {
        on(&self.stage).runs[self.device].steady.try_into().unwrap_or_default()
    }
}
