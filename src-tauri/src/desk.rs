//! Which engine stands behind the window: hers, the sample's, or none because hers could not start. Whichever it is,
//! its overviews come out of one channel.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex as Lock, PoisonError};
use std::time::Duration;

use companion::caldav;
use companion::cli;
use companion::clock::SystemClock;
use companion::connecting::{Connecting, Provider};
use companion::controller::{Controller, Errands, Handle, Imports, Options};
use companion::desk::door::Place;
use companion::doctor;
use companion::errand::Errand;
use companion::folders::{self, FolderFault};
use companion::offer::Offered;
use companion::preferences::{self, Preferences};
use companion::problem::Problem;
use companion::profile::Profile;
use companion::secrets::Passphrase;
use companion::settings::Settings;
use companion::sign_in;
use companion::story;
use companion::unusable::Unusable;
use companion::view::{
    self, Activity, BlockForm, BlockTimeForm, BlockedView, ChoicesView, DiagnosisView, ExplainedView,
    FoldersView, ForgetForm, ImportForm, ImportView, OfferView, Overview, PauseForm, PrivacyView,
    RunStoryView, UndoneView, WordsView, WrittenView,
};
use companion::wiring::Wiring;
use companion::words::Language;
use mirror::Sqlite;
use secrecy::SecretString;
use sync::error::Code;
use sync::ports::{Clock, Mirror};
use sync::world::{SyncProblem, World};
use tauri::async_runtime::{JoinHandle, spawn};
use tokio::sync::{Mutex, watch};

use crate::sample::Sample;

/// The engine of one profile, and the sample in its place.
pub struct Desk {
    profile: Profile,
    /// Among others who share this computer; one alone has none.
    place: Lock<Option<Place>>,
    language: Lock<Language>,
    shown: watch::Sender<Overview>,
    /// The window is open.
    looks: AtomicBool,
    offer: watch::Sender<Offer>,
    /// When the engine last gave a sign, on the steady clock; nothing where none runs.
    pulse: watch::Sender<Option<Duration>>,
    engine: Mutex<Option<Running>>,
    connecting: Connecting,
    /// The profile behind what is shown.
    looked_at: Lock<Profile>,
}

/// What she gave last and has not taken in or put away. The window knows it by its number alone: paths stay here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// One more each time, so that a late answer is not taken for this one.
    pub number: u32,
    /// Files and folders as they were given; nothing once the offer is over.
    pub given: Vec<PathBuf>,
}

struct Running {
    engine: Engine,
    /// Passes its overviews on.
    passing: JoinHandle<()>,
}

enum Engine {
    Hers(Handle),
    Sample(Box<Sample>),
}

impl Engine {
    fn handle(&self) -> &Handle {
        match self {
            Self::Hers(handle) => handle,
            Self::Sample(sample) => sample.handle(),
        }
    }

    async fn stop(self) {
        match self {
            Self::Hers(handle) => handle.shutdown().await,
            Self::Sample(sample) => sample.leave().await,
        }
    }
}

fn shows_sample(running: Option<&Running>) -> bool {
    matches!(running, Some(Running { engine: Engine::Sample(_), .. }))
}

impl Desk {
    /// Nothing runs yet.
    #[must_use]
    pub fn new(profile: Profile, language: Language, place: Option<Place>) -> Self {
        Self {
            connecting: Connecting::new(profile.clone()),
            looked_at: Lock::new(profile.clone()),
            profile,
            place: Lock::new(place),
            language: Lock::new(language),
            shown: watch::Sender::new(nothing(None)),
            looks: AtomicBool::new(false),
            offer: watch::Sender::default(),
            pulse: watch::Sender::default(),
            engine: Mutex::new(None),
        }
    }

    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Others come to share this computer: from now on her syncs take turns with theirs.
    ///
    /// # Errors
    /// When her engine does not start again.
    pub async fn share(&self, place: Place) -> Result<(), Problem> {
        let before = self.place.lock().unwrap_or_else(PoisonError::into_inner).replace(place);
        if before.is_some() { Ok(()) } else { self.begin_again().await }
    }

    /// Nobody has signed in here, connected or set anything.
    #[must_use]
    pub fn is_nobodys(&self) -> bool {
        self.is_empty() && !self.profile.settings_file().exists()
    }

    /// Nobody is signed in here, and nothing is connected. Who cannot be read is somebody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let database = self.profile.database();
        let world = if database.exists() {
            Sqlite::open_read_only(&database).and_then(|mirror| mirror.world())
        } else {
            Ok(World::default())
        };
        let is_empty = world.is_ok_and(|world| world.vendor.is_none() && world.connections.is_empty());
        is_empty && !self.shown.borrow().sample
    }

    #[must_use]
    pub fn overview(&self) -> Overview {
        Overview { language: Some(self.language()), ..self.shown.borrow().clone() }
    }

    #[must_use]
    pub fn language(&self) -> Language {
        *self.language.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every overview from now on, whichever engine it comes from.
    #[must_use]
    pub fn overviews(&self) -> watch::Receiver<Overview> {
        self.shown.subscribe()
    }

    /// Files or folders that she dropped, opened or chose: the window shows what they would do, and nothing is taken in
    /// before she says so. What was offered before is put away. Whoever offers brings the window to the front.
    pub fn offer_files(&self, given: Vec<PathBuf>) {
        if !given.is_empty() {
            self.offer.send_modify(|offer| *offer = Offer { number: offer.number.wrapping_add(1), given });
        }
    }

    /// What waits for her word, if anything does.
    #[must_use]
    pub fn offered(&self) -> Option<OfferView> {
        let offer = self.offer.borrow();
        let names = offer.given.iter().map(|path| companion::offer::name(path)).collect();
        (!offer.given.is_empty()).then_some(OfferView { number: offer.number, names })
    }

    /// What the offered files would do, and nothing of it is done; or it is done, and the offer is over.
    pub async fn import_offer(&self, form: ImportForm, dry_run: bool) -> Result<ImportView, Problem> {
        let number = form.offer;
        let given = {
            let offer = self.offer.borrow();
            if offer.number == number { offer.given.clone() } else { Vec::new() }
        };
        if given.is_empty() {
            return Err(Problem::new(Code::InvalidInput, "Those files are not offered any more.")
                .because(Unusable::NotOffered));
        }
        let options = form.options(dry_run)?;
        let gathered = tokio::task::spawn_blocking(move || Offered::gather(&given)).await;
        let gathered = gathered.map_err(|_| Problem::new(Code::Internal, "The files cannot be gathered."))?;
        let unstarted = self.shown.borrow().preview.is_some();
        let taken = self.imports().await?.take(gathered.files, options).await;
        let reports = taken.map_err(|problem| {
            if unstarted && problem.code == Code::InvalidInput {
                problem.because(Unusable::NotStarted)
            } else {
                problem
            }
        })?;
        if !dry_run {
            self.put_away_offer(number);
        }
        Ok(ImportView::of(number, &reports, gathered.more))
    }

    /// She does not want those files; nothing was taken in.
    pub fn put_away_offer(&self, number: u32) {
        self.offer.send_if_modified(|offer| {
            let stands = offer.number == number && !offer.given.is_empty();
            if stands {
                offer.given.clear();
            }
            stands
        });
    }

    /// The folders that are watched for her.
    pub fn folders(&self) -> Result<FoldersView, Problem> {
        Ok(view::folders(&self.profile.settings()?.import, Path::is_dir))
    }

    /// Watches one more, or says why not, or watches one less; her engine starts again with them.
    pub async fn watch_folder(&self, folder: &Path) -> Result<Option<FolderFault>, Problem> {
        let fault = folders::add(&self.profile, folder)?;
        if fault.is_none() {
            self.begin_again().await?;
        }
        Ok(fault)
    }

    pub async fn leave_folder(&self, number: u32) -> Result<(), Problem> {
        let watched = self.profile.settings()?.import.folders;
        let folder = usize::try_from(number).ok().and_then(|number| watched.get(number));
        let folder = folder.ok_or_else(|| Problem::new(Code::InvalidInput, "That folder is not watched."))?;
        folders::remove(&self.profile, number, folder)?;
        self.begin_again().await
    }

    /// The sample watches nothing of hers, and goes on.
    async fn begin_again(&self) -> Result<(), Problem> {
        let mut engine = self.engine.lock().await;
        if shows_sample(engine.as_ref()) {
            return Ok(());
        }
        self.stop(&mut engine).await;
        self.begin(&mut engine).await
    }

    /// Writes her bookings and slots, or an invitation, into a file; what could not be had is said.
    pub async fn write_file(&self, errand: Errand) -> Result<WrittenView, Problem> {
        let outcome = self.errands().await?.perform(errand).await?;
        Ok(WrittenView::of(&outcome.document, &outcome.problems))
    }

    /// Every offer from now on.
    #[must_use]
    pub fn offers(&self) -> watch::Receiver<Offer> {
        self.offer.subscribe()
    }

    /// For how long the engine has given no sign, where one runs.
    #[must_use]
    pub fn silence(&self) -> Option<Duration> {
        let felt = *self.pulse.borrow();
        felt.map(|felt| SystemClock.steady().saturating_sub(felt))
    }

    /// Starts her engine. Where it cannot start, the overview says why.
    pub async fn start(&self) -> Result<(), Problem> {
        let mut engine = self.engine.lock().await;
        self.begin(&mut engine).await
    }

    /// Syncs at once; an engine that could not start gets another chance.
    pub async fn sync_now(&self) -> Result<(), Problem> {
        let mut engine = self.engine.lock().await;
        match engine.as_ref() {
            Some(running) => {
                running.engine.handle().sync_now();
                Ok(())
            }
            None => self.begin(&mut engine).await,
        }
    }

    pub async fn stop_sync(&self) {
        if let Some(running) = self.engine.lock().await.as_ref() {
            running.engine.handle().stop_sync();
        }
    }

    /// The window is open, or no longer is. Whichever engine runs, or comes to run, knows it.
    pub async fn look(&self, is_open: bool) {
        self.looks.store(is_open, Ordering::SeqCst);
        if let Some(running) = self.engine.lock().await.as_ref() {
            running.engine.handle().look(self.looks.load(Ordering::SeqCst));
        }
    }

    /// She has seen what the first sync would do, and lets it.
    pub async fn start_syncing(&self) {
        if let Some(running) = self.engine.lock().await.as_ref() {
            running.engine.handle().start();
        }
    }

    /// Has something changed, between two runs.
    pub async fn perform(&self, errand: Errand) -> Result<(), Problem> {
        self.errands().await?.perform(errand).await.map(drop)
    }

    /// Takes a run back.
    pub async fn undo(&self, errand: Errand) -> Result<UndoneView, Problem> {
        Ok(UndoneView::of(&self.errands().await?.perform(errand).await?.document))
    }

    /// Lets nothing be synced by itself for a while, on her own clock.
    pub async fn pause(&self, form: PauseForm) -> Result<(), Problem> {
        let errand = form.errand(SystemClock.now(), &self.shown.borrow().zone());
        self.perform(errand).await
    }

    /// Lets nobody book her for a while, on her own clock. Fails where Bookiji does not know of it yet, too.
    pub async fn block(&self, form: BlockForm) -> Result<(), Problem> {
        let errand = form.errand(SystemClock.now(), &self.shown.borrow().zone());
        let outcome = self.errands().await?.perform(errand).await?;
        outcome.problems.into_iter().next().map_or(Ok(()), Err)
    }

    /// Lets nobody book her at a time that she named on her own clock.
    pub async fn block_time(&self, form: &BlockTimeForm) -> Result<BlockedView, Problem> {
        let zone = self.shown.borrow().zone();
        match form.errand(SystemClock.now(), &zone) {
            Ok(errand) => Ok(BlockedView::of(&self.errands().await?.perform(errand).await?.document)),
            Err(why) => Ok(BlockedView::Refused { why }),
        }
    }

    /// What she may choose for her calendars, or for the sample's.
    pub fn choices(&self) -> Result<ChoicesView, Problem> {
        Ok(view::choices(&self.world()?, SystemClock.now()))
    }

    /// The mirror as it stands, whoever writes it.
    fn world(&self) -> Result<World, Problem> {
        let database = self.behind().database();
        if database.exists() { Ok(Sqlite::open_read_only(&database)?.world()?) } else { Ok(World::default()) }
    }

    /// The sign-in that goes through her browser.
    #[must_use]
    pub fn connecting(&self) -> &Connecting {
        &self.connecting
    }

    /// Begins one. The sample's accounts are invented, and nobody signs in to them.
    pub async fn begin_sign_in(&self, provider: Provider) -> Result<(), Problem> {
        self.seal_sample().await?;
        self.connecting.begin(provider, self.errands().await?).await;
        Ok(())
    }

    /// Nothing of hers gets into the sample.
    async fn seal_sample(&self) -> Result<(), Problem> {
        if !shows_sample(self.engine.lock().await.as_ref()) {
            return Ok(());
        }
        let sealed =
            Problem::new(Code::InvalidInput, "This is sample data, which has its calendars already.");
        Err(sealed.because(Unusable::Sample))
    }

    /// Everything that a run did, and why.
    pub fn run_story(&self, run: &str) -> Result<RunStoryView, Problem> {
        story::run_story(&self.behind(), run)
    }

    /// Why a moment can or cannot be booked.
    pub fn explain(&self, moment: &str) -> Result<ExplainedView, Problem> {
        let (answer, _) = cli::explain::answer(&self.behind(), moment)?;
        Ok(ExplainedView::of(&answer))
    }

    /// The profile behind what is shown.
    fn behind(&self) -> Profile {
        self.looked_at.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Signs in to Bookiji with a password.
    pub async fn log_in(&self, email: String, password: SecretString) -> Result<(), Problem> {
        let errands = self.errands().await?;
        errands
            .visit(move |wiring| {
                Box::pin(async move { sign_in::login(wiring, &email, &password).await.map(drop) })
            })
            .await?;
        self.sync_now().await
    }

    /// Links an account by its name and password.
    pub async fn connect_caldav(
        &self,
        server: String,
        username: String,
        password: SecretString,
    ) -> Result<(), Problem> {
        self.seal_sample().await?;
        let errands = self.errands().await?;
        errands
            .visit(move |wiring| {
                Box::pin(async move {
                    let entry = caldav::entry(&wiring.settings, &server)?;
                    caldav::connect(wiring, entry, &username, password).await.map(drop)
                })
            })
            .await?;
        self.sync_now().await
    }

    /// Links a calendar by its link.
    pub async fn connect_link(&self, errand: Errand) -> Result<(), Problem> {
        self.seal_sample().await?;
        self.perform(errand).await?;
        self.sync_now().await
    }

    /// What Bookiji, or the sample's, was sent since its engine started.
    pub async fn privacy(&self) -> Result<PrivacyView, Problem> {
        let messages = match self.engine.lock().await.as_ref() {
            Some(running) => running.engine.handle().sent.messages(),
            None => Vec::new(),
        };
        Ok(view::privacy(&messages, &self.world()?, SystemClock.now()))
    }

    pub async fn sent_words(&self, number: u32) -> Option<WordsView> {
        let engine = self.engine.lock().await;
        let message = engine.as_ref()?.engine.handle().sent.message(number.into())?;
        Some(view::words(&message))
    }

    pub fn settings(&self) -> Result<Settings, Problem> {
        self.profile.settings()
    }

    /// Whether something that is told once in the life of a profile has not been told yet. It has from then on.
    #[must_use]
    pub fn says_once(&self, what: &str) -> bool {
        std::fs::OpenOptions::new().write(true).create_new(true).open(self.mark(what)).is_ok()
    }

    #[must_use]
    pub fn was_said(&self, what: &str) -> bool {
        self.mark(what).exists()
    }

    fn mark(&self, what: &str) -> PathBuf {
        self.profile.root().join(format!(".told-{what}"))
    }

    pub fn preferences(&self) -> Result<Preferences, Problem> {
        Ok(Preferences::of(&self.profile.settings()?))
    }

    /// Keeps them, and speaks her language from now on.
    pub fn set_preferences(&self, next: &Preferences) -> Result<(), Problem> {
        preferences::keep(&self.profile, next)?;
        let spoken = Language::pick(next.language, [sys_locale::get_locale().as_deref(), None, None]);
        *self.language.lock().unwrap_or_else(PoisonError::into_inner) = spoken;
        self.shown.send_modify(|_| {});
        Ok(())
    }

    /// Checks everything that a sync needs.
    pub async fn diagnose(&self) -> DiagnosisView {
        let checks = doctor::examine(&self.profile).await;
        view::diagnosis(&checks, self.profile.root(), env!("CARGO_PKG_VERSION"))
    }

    /// Erases what this computer knows of her; her engine starts again with nothing, or as before where it could not.
    pub async fn forget(&self, form: ForgetForm) -> Result<(), Problem> {
        let args = form.args()?;
        let mut engine = self.engine.lock().await;
        if shows_sample(engine.as_ref()) {
            return Err(Problem::new(
                Code::InvalidInput,
                "This is sample data, which is erased by leaving it.",
            ));
        }
        self.stop(&mut engine).await;
        let done = cli::forget::run(&self.profile, &args).await;
        // Nobody signed in is what there is to be then, and no failure.
        let _ = self.begin(&mut engine).await;
        match done?.problems.into_iter().next() {
            Some(problem) => Err(problem),
            None => Ok(()),
        }
    }

    async fn imports(&self) -> Result<Imports, Problem> {
        let engine = self.engine.lock().await;
        let running = engine.as_ref().map(|running| running.engine.handle().imports());
        running.ok_or_else(|| Problem::new(Code::Internal, "The app has not started yet."))
    }

    /// Nobody else waits while an errand is run.
    async fn errands(&self) -> Result<Errands, Problem> {
        let engine = self.engine.lock().await;
        let running = engine.as_ref().map(|running| running.engine.handle().errands());
        running.ok_or_else(|| Problem::new(Code::Internal, "The app has not started yet."))
    }

    /// Puts the sample in place of her engine, which stops.
    pub async fn explore_sample(&self) -> Result<(), Problem> {
        let mut engine = self.engine.lock().await;
        if shows_sample(engine.as_ref()) {
            return Ok(());
        }
        let sample = Sample::open().await?;
        self.stop(&mut engine).await;
        self.install(&mut engine, Engine::Sample(Box::new(sample)));
        Ok(())
    }

    /// Erases the sample and starts her engine again.
    pub async fn leave_sample(&self) -> Result<(), Problem> {
        let mut engine = self.engine.lock().await;
        self.stop(&mut engine).await;
        self.begin(&mut engine).await
    }

    /// Stops whatever runs, after the sync under way if it ends soon.
    pub async fn shut_down(&self) {
        self.stop(&mut *self.engine.lock().await).await;
    }

    async fn begin(&self, engine: &mut Option<Running>) -> Result<(), Problem> {
        let place = self.place.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let opened = match place {
            Some(place) => Wiring::open_at(&self.profile, &Passphrase::default(), place).await,
            None => Wiring::open(&self.profile).await,
        };
        match opened {
            Ok(wiring) => {
                let handle = Controller::start(wiring, Options { preview: true, ..Options::default() });
                self.install(engine, Engine::Hers(handle));
                Ok(())
            }
            Err(problem) => {
                tracing::error!(code = %problem.code, "the profile does not open");
                self.shown.send_replace(nothing(Some(&problem)));
                Err(problem)
            }
        }
    }

    fn install(&self, place: &mut Option<Running>, engine: Engine) {
        engine.handle().look(self.looks.load(Ordering::SeqCst));
        let behind = match &engine {
            Engine::Hers(_) => self.profile.clone(),
            Engine::Sample(sample) => sample.profile().clone(),
        };
        *self.looked_at.lock().unwrap_or_else(PoisonError::into_inner) = behind;
        let mut overviews = engine.handle().overview();
        let shown = self.shown.clone();
        let (mut beats, pulse) = (engine.handle().pulse(), self.pulse.clone());
        let passing = spawn(async move {
            overviews.mark_changed();
            beats.mark_changed();
            loop {
                let went_on = tokio::select! {
                    changed = overviews.changed() => changed.map(|()| {
                        let next = overviews.borrow_and_update().clone();
                        shown.send_replace(next);
                    }),
                    beat = beats.changed() => beat.map(|()| {
                        pulse.send_replace(Some(*beats.borrow_and_update()));
                    }),
                };
                if went_on.is_err() {
                    return;
                }
            }
        });
        *place = Some(Running { engine, passing });
    }

    async fn stop(&self, place: &mut Option<Running>) {
        if let Some(Running { engine, passing }) = place.take() {
            passing.abort();
            engine.stop().await;
            self.pulse.send_replace(None);
        }
    }
}

/// What there is to show while nothing runs.
fn nothing(problem: Option<&Problem>) -> Overview {
    let problem = problem.map(|problem| SyncProblem { code: problem.code, message: problem.message.clone() });
    let activity = Activity { problem, ..Activity::default() };
    view::overview(&World::default(), &[], SystemClock.now(), &activity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use companion::errand::Link;

    #[test]
    fn a_profile_that_does_not_open_says_why_and_gets_another_chance() {
        tauri::async_runtime::block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let profile = Profile::at(Some(dir.path())).unwrap();
            std::fs::write(profile.settings_file(), "[no such thing]").unwrap();
            let desk = Desk::new(profile.clone(), Language::English, None);
            let refused = desk.start().await.unwrap_err();
            assert_eq!(refused.code, Code::SettingsInvalid);
            assert_eq!(desk.overview().problem.map(|problem| problem.code), Some(refused.code));

            std::fs::write(profile.settings_file(), "[vault]\nkind = \"keychain\"\n").unwrap();
            desk.sync_now().await.unwrap();
            let mut overviews = desk.overviews();
            overviews.wait_for(|shown| shown.problem.is_none()).await.unwrap();
            desk.shut_down().await;
        });
    }

    #[test]
    fn the_sample_takes_the_place_of_her_engine_and_gives_it_back() {
        tauri::async_runtime::block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let desk = Desk::new(Profile::at(Some(dir.path())).unwrap(), Language::French, None);
            desk.start().await.unwrap();
            let mut overviews = desk.overviews();
            desk.explore_sample().await.unwrap();
            overviews.wait_for(|shown| shown.sample && !shown.schedule.bookings.is_empty()).await.unwrap();
            let named = "icloud".to_owned();
            let caldav = desk.connect_caldav(named, "amelie@example.com".to_owned(), "x".into()).await;
            let link = Link("https://example.com/a.ics".to_owned());
            let link = desk.connect_link(Errand::ConnectFeed { link, name: None }).await;
            let browser = desk.begin_sign_in(Provider::Google).await;
            for refused in [caldav, link, browser] {
                assert_eq!(
                    refused.unwrap_err().why,
                    Some(Unusable::Sample),
                    "nothing of hers gets into the sample"
                );
            }
            let at = desk.overview().schedule.busy[0].start;
            assert!(!desk.explain(&at.to_string()).unwrap().because.is_empty());
            assert!(!desk.run_story("latest").unwrap().steps.is_empty());
            desk.leave_sample().await.unwrap();
            let left = overviews.wait_for(|shown| !shown.sample).await.unwrap().clone();
            assert_eq!(left.vendor, None);
            assert_eq!(desk.overview().language, Some(Language::French));
            desk.shut_down().await;
        });
    }

    #[test]
    fn offered_files_show_what_they_would_do_and_are_taken_in_only_on_her_word() {
        tauri::async_runtime::block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let profile = Profile::at(Some(&dir.path().join("profile"))).unwrap();
            let desk = Desk::new(profile, Language::English, None);
            desk.explore_sample().await.unwrap();
            let mut overviews = desk.overviews();
            overviews.wait_for(|shown| shown.last_sync_at.is_some() && !shown.syncing).await.unwrap();
            let given = dir.path().join("given");
            std::fs::create_dir(&given).unwrap();
            let day =
                (SystemClock.now() + jiff::SignedDuration::from_hours(48)).strftime("%Y%m%d").to_string();
            let event = format!(
                "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20260101T000000Z\r\n\
                 DTSTART:{day}T030000Z\r\nDTEND:{day}T040000Z\r\nSUMMARY:night\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
            );
            std::fs::write(given.join("a.ics"), event).unwrap();
            std::fs::write(given.join("b.ics"), "<html>").unwrap();

            assert_eq!(desk.offered(), None);
            desk.offer_files(vec![given.clone()]);
            let offer = desk.offered().unwrap();
            assert_eq!(offer.names, ["given"]);
            let form = |offer| ImportForm { offer, on_conflict: None, choices: Vec::new() };
            let told = |view: &ImportView| -> Vec<(String, u32, bool)> {
                let files = view.files.iter();
                files.map(|file| (file.name.clone(), file.new, file.refusal.is_some())).collect()
            };
            let expected = [("a.ics".to_owned(), 1, false), ("b.ics".to_owned(), 0, true)];
            for _ in 0..2 {
                let view = desk.import_offer(form(offer.number), true).await.unwrap();
                assert_eq!(told(&view), expected, "looking takes nothing in");
            }
            assert!(desk.import_offer(form(offer.number + 1), false).await.is_err());
            let taken = desk.import_offer(form(offer.number), false).await.unwrap();
            assert_eq!(told(&taken), expected);
            assert_eq!(desk.offered(), None);
            let shown = overviews.wait_for(|shown| shown.files.len() == 2).await.unwrap().clone();
            assert!(shown.schedule.busy.iter().any(|busy| busy.title == "night"));

            desk.offer_files(vec![given.join("a.ics")]);
            let next = desk.offered().unwrap();
            assert_ne!(next.number, offer.number);
            desk.put_away_offer(offer.number);
            assert_eq!(desk.offered().as_ref(), Some(&next), "an old word is not about a new offer");
            desk.put_away_offer(next.number);
            assert_eq!(desk.offered(), None);
            desk.shut_down().await;
        });
    }
}
