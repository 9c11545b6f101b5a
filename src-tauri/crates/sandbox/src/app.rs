//! What every handler is given: one vendor's world behind one lock, and the clock, the faults and the meter, which all
//! vendors of a sandbox share.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use crate::clock::Clock;
use crate::faults::{Faults, Quirk};
use crate::meter::Meter;
use crate::wire::Call;
use crate::world::World;

#[derive(Clone)]
pub struct App(Arc<Shared>);

/// What there is once, however many vendors there are.
#[derive(Clone)]
pub struct Common {
    clock: Arc<Clock>,
    faults: Arc<Mutex<Faults>>,
    meter: Arc<Mutex<Meter>>,
}

impl Common {
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock: Arc::new(clock), faults: Arc::default(), meter: Arc::default() }
    }
}

struct Shared {
    common: Common,
    /// Her address, which faults are aimed by.
    vendor: String,
    world: Mutex<World>,
    state_file: Option<PathBuf>,
    changed: Notify,
    outlook_open: AtomicUsize,
    outlook_asked: Mutex<BTreeMap<String, (i64, u32)>>,
    /// Counts whatever may have changed the world, for those who listen.
    heard: watch::Sender<u64>,
}

impl App {
    #[must_use]
    pub fn new(common: Common, world: World, state_file: Option<PathBuf>) -> Self {
        Self(Arc::new(Shared {
            common,
            vendor: world.vendor.email.clone(),
            world: Mutex::new(world),
            state_file,
            changed: Notify::new(),
            outlook_open: AtomicUsize::new(0),
            outlook_asked: Mutex::default(),
            heard: watch::Sender::new(0),
        }))
    }

    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.common.clock
    }

    #[must_use]
    pub fn vendor(&self) -> &str {
        &self.0.vendor
    }

    /// The world, for as long as the guard lives. No handler holds it across an await.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        self.0.common.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn meter(&self) -> MutexGuard<'_, Meter> {
        self.0.common.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many calls of her Outlook are open.
    #[must_use]
    pub fn outlook_open(&self) -> &AtomicUsize {
        &self.0.outlook_open
    }

    /// By mailbox: since when, and how often it was asked.
    pub fn outlook_asked(&self) -> MutexGuard<'_, BTreeMap<String, (i64, u32)>> {
        self.0.outlook_asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this call is to misbehave in this way. Asking uses up one of the fault's times.
    #[must_use]
    pub fn misbehaves(&self, call: &Call, quirk: Quirk) -> bool {
        self.faults().take_quirk(&call.route, quirk)
    }

    /// Hears of whatever may have changed the world.
    #[must_use]
    pub fn heard(&self) -> watch::Receiver<u64> {
        self.0.heard.subscribe()
    }

    /// Says that the world may differ from the state file, and from what those who listen know.
    pub fn touch(&self) {
        self.0.heard.send_modify(|count| *count += 1);
        if self.0.state_file.is_some() {
            self.0.changed.notify_one();
        }
    }

    /// Writes the state file after each change, until dropped.
    pub async fn keep_saving(self) {
        loop {
            self.0.changed.notified().await;
            if let Err(error) = self.save() {
                tracing::warn!("the state file was not written: {error:#}");
            }
        }
    }

    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self) -> anyhow::Result<()> {
        let Some(path) = &self.0.state_file else { return Ok(()) };
        let text = serde_json::to_vec(&*self.world())?;
        let beside = path.with_extension("part");
        std::fs::write(&beside, text)?;
        std::fs::rename(&beside, path)?;
        Ok(())
    }
}
