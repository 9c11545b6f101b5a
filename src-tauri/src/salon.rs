//! Who is kept on this computer: one vendor, or several who share it, each with a [`Desk`] of her own. Decides whose week
//! the window shows, and who gets a seat or gives it up; all of them are kept, whosever that is.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use companion::cli;
use companion::desk::door::{Door, Place};
use companion::desk::folder;
use companion::desk::limits::Limits;
use companion::problem::Problem;
use companion::profile::Profile;
use companion::view::{ForgetForm, Overview, SeatView, seats};
use companion::words::Language;
use sync::error::Code;
use tauri::async_runtime::{JoinHandle, spawn};
use tokio::sync::watch;

use crate::desk::Desk;

/// Where the profiles of the others are, in the first one's folder.
const OTHERS: &str = "vendors";

/// The first vendor's.
const FIRST: u32 = 0;

pub struct Salon {
    others: PathBuf,
    door: Door,
    language: Language,
    room: Mutex<Room>,
    /// The window is open.
    looks: AtomicBool,
    /// Something changed that tray or window show.
    news: watch::Sender<()>,
    /// Something changed about files that wait for a word.
    offers: watch::Sender<()>,
}

struct Room {
    seats: Vec<Seat>,
    shown: u32,
    next: u32,
}

struct Seat {
    id: u32,
    desk: Arc<Desk>,
    passing: Vec<JoinHandle<()>>,
}

impl Salon {
    /// With a seat for everybody who has a profile here. Nothing runs yet.
    ///
    /// # Errors
    /// When what they share is set wrongly, or secure connections cannot be set up.
    pub fn new(first: Profile, language: Language) -> Result<Self, Problem> {
        let others = first.root().join(OTHERS);
        let members = if others.is_dir() { folder::members(&others) } else { Ok(Vec::new()) };
        let salon = Self {
            door: Door::new(Limits::load(&others.join("settings.toml"))?)?,
            language,
            room: Mutex::new(Room { seats: Vec::new(), shown: FIRST, next: FIRST }),
            looks: AtomicBool::new(false),
            news: watch::Sender::default(),
            offers: watch::Sender::default(),
            others,
        };
        let members = members.unwrap_or_else(|problem| {
            tracing::warn!(code = %problem.code, "the others' profiles cannot be read");
            Vec::new()
        });
        let has_company = !members.is_empty();
        salon.seat(first, has_company);
        for member in members {
            salon.seat(member.profile, true);
        }
        // Where one is alone, nobody looks into her database for it.
        if has_company && let Some(somebody) = salon.somebody_but(None) {
            salon.room().shown = somebody;
        }
        Ok(salon)
    }

    /// The first seat that somebody sits on, but for one. The first one's stays empty when she is forgotten.
    fn somebody_but(&self, one: Option<u32>) -> Option<u32> {
        let mut all = self.all().into_iter();
        all.find(|(id, desk)| Some(*id) != one && !desk.is_empty()).map(|(id, _)| id)
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, id: u32) -> Place {
        self.door.place(&id.to_string())
    }

    fn seat(&self, profile: Profile, has_company: bool) -> (u32, Arc<Desk>) {
        let room = &mut *self.room();
        let id = room.next;
        room.next = id.saturating_add(1);
        let place = has_company.then(|| self.place(id));
        let desk = Arc::new(Desk::new(profile, self.language, place));
        let passing = vec![
            pass_on(desk.overviews(), &self.news),
            pass_on(desk.connecting().views(), &self.news),
            pass_on(desk.offers(), &self.offers),
        ];
        room.seats.push(Seat { id, desk: Arc::clone(&desk), passing });
        (id, desk)
    }

    /// Whose week the window shows.
    #[must_use]
    pub fn shown(&self) -> Arc<Desk> {
        let room = self.room();
        let seat = room.seats.iter().find(|seat| seat.id == room.shown).or(room.seats.first());
        Arc::clone(&seat.expect("the first one's seat is always there").desk)
    }

    /// Everybody, with the number of her seat, the first one first.
    #[must_use]
    pub fn all(&self) -> Vec<(u32, Arc<Desk>)> {
        self.room().seats.iter().map(|seat| (seat.id, Arc::clone(&seat.desk))).collect()
    }

    #[must_use]
    pub fn shown_seat(&self) -> u32 {
        self.room().shown
    }

    /// Who has decisions waiting: whoever is shown, or else another.
    #[must_use]
    pub fn deciding(&self) -> u32 {
        let shown = self.shown_seat();
        let waits = |(_, desk): &(u32, Arc<Desk>)| desk.overview().decisions > 0;
        let waiting: Vec<u32> = self.all().into_iter().filter(waits).map(|(id, _)| id).collect();
        if waiting.contains(&shown) { shown } else { waiting.first().copied().unwrap_or(shown) }
    }

    #[must_use]
    pub fn overview(&self) -> Overview {
        Overview { seats: self.seats(), ..self.shown().overview() }
    }

    /// Nobody where one alone is.
    #[must_use]
    pub fn seats(&self) -> Vec<SeatView> {
        let all: Vec<(u32, Overview)> =
            self.all().into_iter().map(|(id, desk)| (id, desk.overview())).collect();
        seats(all.iter().map(|(id, overview)| (*id, overview)), self.shown_seat())
    }

    /// A sign that something changed which tray or window show, from now on.
    #[must_use]
    pub fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    #[must_use]
    pub fn offers(&self) -> watch::Receiver<()> {
        self.offers.subscribe()
    }

    /// Starts everybody's engine, or a sample in place of the first one's.
    pub async fn start(&self, sample: bool) {
        if sample {
            self.room().shown = FIRST;
        }
        self.each(move |id, desk| async move {
            let begun = if sample && id == FIRST { desk.explore_sample().await } else { desk.start().await };
            if let Err(problem) = begun {
                tracing::error!(code = %problem.code, "not started: {problem}");
            }
        })
        .await;
    }

    /// Stops everybody's engine, each after the sync under way if it ends soon.
    pub async fn shut_down(&self) {
        self.each(|_, desk| async move { desk.shut_down().await }).await;
    }

    /// Does the same for everybody at once, so that nobody waits for somebody else's keychain or sync.
    pub async fn each<F>(&self, work: impl Fn(u32, Arc<Desk>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let under_way: Vec<_> = self.all().into_iter().map(|(id, desk)| spawn(work(id, desk))).collect();
        for one in under_way {
            let _ = one.await;
        }
    }

    /// The window is open, or no longer is.
    pub async fn look(&self, is_open: bool) {
        self.looks.store(is_open, Ordering::SeqCst);
        self.shown().look(is_open).await;
    }

    /// Turns the window to another vendor. A seat that nobody took is given up with that.
    ///
    /// # Errors
    /// When nobody has that seat any more.
    pub async fn show(&self, id: u32) -> Result<(), Problem> {
        let left = {
            let room = &mut *self.room();
            if !room.seats.iter().any(|seat| seat.id == id) {
                return Err(Problem::new(
                    Code::InvalidInput,
                    "That vendor is not on this computer any more.",
                ));
            }
            std::mem::replace(&mut room.shown, id)
        };
        if left != id {
            let before = self.all().into_iter().find(|(seat, _)| *seat == left);
            if let Some((_, desk)) = before {
                desk.look(false).await;
                if left != FIRST && desk.is_nobodys() {
                    self.give_up(left).await;
                }
            }
            self.shown().look(self.looks.load(Ordering::SeqCst)).await;
        }
        self.news.send_replace(());
        self.offers.send_replace(());
        Ok(())
    }

    /// A seat for one more, whom the window then welcomes.
    ///
    /// # Errors
    /// When no folder can be made for her, or too many are there.
    pub async fn add(&self) -> Result<(), Problem> {
        if let Some((id, _)) = self.all().into_iter().find(|(_, desk)| desk.is_nobodys()) {
            return self.show(id).await;
        }
        let path = (2..=folder::MOST)
            .map(|number| self.others.join(format!("vendor-{number}")))
            .find(|path| !path.exists())
            .ok_or_else(|| {
                Problem::new(Code::InvalidInput, "There are too many vendors on this computer.")
            })?;
        let profile = Profile::at(Some(&path))?;
        profile.create()?;
        let (id, desk) = self.seat(profile, true);
        let begun = desk.start().await;
        self.show(id).await?;
        for (other, desk) in self.all() {
            // What keeps it from starting again, its overview says.
            let _ = desk.share(self.place(other)).await;
        }
        begun
    }

    /// Erases what this computer knows of the one who is shown, and turns to somebody else who is here. Her seat goes with it,
    /// or waits for the next one if it was the first.
    ///
    /// # Errors
    /// What kept it from being erased; nothing is lost then, and her engine goes on.
    pub async fn forget(&self, form: ForgetForm) -> Result<(), Problem> {
        let id = self.shown_seat();
        self.shown().forget(form).await?;
        self.show(self.somebody_but(Some(id)).unwrap_or(FIRST)).await
    }

    /// Nobody has signed in there: what its engine made for itself goes.
    async fn give_up(&self, id: u32) {
        let seat = {
            let room = &mut *self.room();
            let at = room.seats.iter().position(|seat| seat.id == id);
            at.map(|at| room.seats.remove(at))
        };
        let Some(Seat { desk, passing, .. }) = seat else { return };
        passing.into_iter().for_each(|task| task.abort());
        desk.shut_down().await;
        let empty = cli::args::ForgetArgs { yes: true, remove_events: false, offline: true };
        match cli::forget::run(desk.profile(), &empty).await {
            // Where files of hers are, it stays.
            Ok(_) => drop(std::fs::remove_dir(desk.profile().root())),
            Err(problem) => {
                tracing::warn!(code = %problem.code, "a seat that nobody took leaves files behind")
            }
        }
    }
}

/// Passes every change on as a sign that there was one.
fn pass_on<T: Send + Sync + 'static>(mut from: watch::Receiver<T>, to: &watch::Sender<()>) -> JoinHandle<()> {
    let to = to.clone();
    spawn(async move {
        while from.changed().await.is_ok() {
            to.send_replace(());
        }
    })
}
