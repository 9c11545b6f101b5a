//! The front desk: several vendors on one computer, each with a profile, a mirror and secrets of her own, all kept by
//! one process. Decides which profiles are open and what is said of one that cannot be; whose sync runs when is
//! [`turns`]' business, and what a sync does nobody's here.

pub mod door;
pub mod folder;
pub mod limits;
pub mod turns;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mirror::Sqlite;
use sync::error::Code;
use sync::ports::Mirror;
use sync::report::Report;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tracing::Instrument;

use crate::controller::{Controller, Handle, Options};
use crate::inbox::Settled;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::secrets::Passphrase;
use crate::settings::Settings;
use crate::syncing;
use crate::wiring::Wiring;
use door::{Door, Place};
use folder::Member;
use limits::Limits;

/// What waits to be told. Whoever does not listen holds up the telling and no sync.
const TOLD: usize = 256;

/// When to look again.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// For profiles that came or went.
    pub look: Duration,
    /// At a profile that could not be opened.
    pub retry: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { look: Duration::from_secs(5), retry: Duration::from_secs(30) }
    }
}

/// Something that happened to one profile, by its name.
#[derive(Clone, Debug)]
pub struct Told {
    pub profile: String,
    pub what: News,
}

#[derive(Clone, Debug)]
pub enum News {
    /// It is kept from now on.
    Opened,
    /// It cannot be kept now; it is tried again, and this is said once for each reason.
    Shut(Problem),
    /// A run ended, or could not begin.
    Ran(Result<Arc<Report>, Problem>),
    /// A file of a watched folder was dealt with.
    File(Settled),
    /// It is no longer there.
    Left,
}

/// Opens a profile for writing, at its place before the door.
#[async_trait::async_trait]
pub trait Opener: Send + Sync {
    async fn open(&self, profile: &Profile, place: Place) -> Result<Wiring, Problem>;
}

/// Opens profiles as their settings say.
#[derive(Default)]
pub struct AsSet(Passphrase);

#[async_trait::async_trait]
impl Opener for AsSet {
    async fn open(&self, profile: &Profile, place: Place) -> Result<Wiring, Problem> {
        Wiring::open_at(profile, &self.0, place).await
    }
}

/// Opens a profile if there is anything to sync. One that still waits for a sign-in is left to who signs in.
///
/// # Errors
/// When its settings, its database or its lock cannot be had, or nobody is signed in and connected.
pub async fn open(member: &Member, place: &Place, opener: &dyn Opener) -> Result<Wiring, Problem> {
    let _: Settings = member.profile.settings()?;
    // What cannot be read is opened all the same: that says why, or brings an older database up to date.
    if let Ok(mirror) = Sqlite::open_read_only(&member.profile.database()) {
        syncing::ready(&mirror.world()?)?;
    }
    let wiring = opener.open(&member.profile, place.clone()).await?;
    let world = wiring.world()?;
    syncing::ready(&world)?;
    place.introduce(world.calendars.values().filter_map(|calendar| calendar.last_sync_at).max());
    Ok(wiring)
}

/// The profiles of a folder, kept by this process until it is closed.
pub struct Desk {
    door: Door,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    /// What happens, in the order in which it does for each profile.
    pub told: mpsc::Receiver<Told>,
}

impl Desk {
    /// Opens what is in `dir`, and goes on to do so.
    ///
    /// # Errors
    /// When the folder or its settings cannot be used.
    pub fn open(dir: &Path, opener: Arc<dyn Opener>, pace: Pace) -> Result<Self, Problem> {
        let door = Door::new(Limits::load(&dir.join("settings.toml"))?)?;
        let first = folder::members(dir)?;
        let (tell, told) = mpsc::channel(TOLD);
        let (stop, stopped) = oneshot::channel();
        let keeper = Keeper { dir: dir.to_owned(), door: door.clone(), opener, pace, tell };
        let task = tokio::spawn(keeper.run(first, stopped));
        Ok(Self { door, stop, task, told })
    }

    /// Stops: nobody begins any more, and runs that are under way end if they do so soon.
    pub async fn shutdown(self) {
        let Self { door, stop, task, told } = self;
        door.close();
        drop(told);
        drop(stop);
        let _ = task.await;
    }
}

struct Keeper {
    dir: PathBuf,
    door: Door,
    opener: Arc<dyn Opener>,
    pace: Pace,
    tell: mpsc::Sender<Told>,
}

/// A profile that is kept. Dropping `stop` lets it go.
struct Kept {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Keeper {
    async fn run(self, first: Vec<Member>, mut stopped: oneshot::Receiver<()>) {
        let mut kept: BTreeMap<String, Kept> = BTreeMap::new();
        let mut there: Result<Vec<Member>, Problem> = Ok(first);
        loop {
            match there {
                Ok(members) => self.follow(&mut kept, members),
                // Folders on a share go away and come back. Whoever is open stays so.
                Err(problem) => tracing::warn!(code = %problem.code, "the folder of profiles cannot be read"),
            }
            tokio::select! {
                _ = &mut stopped => break,
                () = tokio::time::sleep(self.pace.look) => {}
            }
            there = folder::members(&self.dir);
        }
        let tasks: Vec<JoinHandle<()>> = kept.into_values().map(|kept| kept.task).collect();
        for task in tasks {
            let _ = task.await;
        }
    }

    /// Keeps who came, and lets go who went.
    fn follow(&self, kept: &mut BTreeMap<String, Kept>, members: Vec<Member>) {
        let gone: Vec<String> =
            kept.keys().filter(|name| !members.iter().any(|one| one.name == **name)).cloned().collect();
        for name in gone {
            if let Some(Kept { stop, task }) = kept.remove(&name) {
                drop(stop);
                let (tell, profile) = (self.tell.clone(), name.clone());
                // Its last run may take a moment, and nobody waits for that.
                tokio::spawn(async move {
                    let _ = task.await;
                    let _ = tell.send(Told { profile, what: News::Left }).await;
                });
            }
        }
        for member in members {
            // A task that is over broke inside: what it kept begins anew.
            if kept.get(&member.name).is_some_and(|kept| !kept.task.is_finished()) {
                continue;
            }
            let (stop, stopped) = oneshot::channel();
            let span = tracing::info_span!("desk", profile = %member.name);
            let keep = Keep {
                place: self.door.place(&member.name),
                member,
                opener: self.opener.clone(),
                retry: self.pace.retry,
                tell: self.tell.clone(),
            };
            let name = keep.member.name.clone();
            kept.insert(name, Kept { stop, task: tokio::spawn(keep.run(stopped).instrument(span)) });
        }
    }
}

/// One profile's own task: what breaks here breaks for nobody else.
struct Keep {
    member: Member,
    place: Place,
    opener: Arc<dyn Opener>,
    retry: Duration,
    tell: mpsc::Sender<Told>,
}

impl Keep {
    async fn run(self, mut stopped: oneshot::Receiver<()>) {
        let mut said: Option<Problem> = None;
        loop {
            let opened = tokio::select! {
                _ = &mut stopped => return,
                opened = open(&self.member, &self.place, self.opener.as_ref()) => opened,
            };
            let problem = match opened {
                Ok(wiring) => {
                    said = None;
                    tracing::info!("opened");
                    self.tell(News::Opened).await;
                    let handle = Controller::start(wiring, Options::default());
                    if self.listen(handle, &mut stopped).await {
                        return;
                    }
                    Problem::new(Code::Internal, "It stopped for a reason of its own, and is opened again.")
                }
                Err(problem) => problem,
            };
            if said.as_ref() != Some(&problem) {
                tracing::warn!(code = %problem.code, "cannot be kept now");
                self.tell(News::Shut(problem.clone())).await;
                said = Some(problem);
            }
            tokio::select! {
                _ = &mut stopped => return,
                () = tokio::time::sleep(self.retry) => {}
            }
        }
    }

    /// Passes on what it tells until it is to stop. Answers whether it was.
    async fn listen(&self, mut handle: Handle, stopped: &mut oneshot::Receiver<()>) -> bool {
        loop {
            tokio::select! {
                _ = &mut *stopped => {
                    handle.shutdown().await;
                    return true;
                }
                changed = handle.reports.changed() => {
                    if changed.is_err() {
                        return false;
                    }
                    let ran = handle.reports.borrow_and_update().clone();
                    if let Some(ran) = ran {
                        self.tell(News::Ran(ran)).await;
                    }
                }
                file = handle.files.recv() => match file {
                    Ok(file) => self.tell(News::File(file)).await,
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return false,
                }
            }
        }
    }

    async fn tell(&self, what: News) {
        // Nobody has to listen.
        let _ = self.tell.send(Told { profile: self.member.name.clone(), what }).await;
    }
}
