//! Which engine stands behind the window: hers, the sample's, or none because hers could not start. Whichever it is,
//! its overviews come out of one channel.

use companion::clock::SystemClock;
use companion::controller::{Controller, Errands, Handle, Options};
use companion::errand::Errand;
use companion::problem::Problem;
use companion::profile::Profile;
use companion::view::{self, Activity, Overview, PauseForm, UndoneView};
use companion::wiring::Wiring;
use companion::words::Language;
use jiff::tz::TimeZone;
use sync::error::Code;
use sync::ports::Clock;
use sync::world::{SyncProblem, World};
use tauri::async_runtime::{JoinHandle, spawn};
use tokio::sync::{Mutex, watch};

use crate::sample::Sample;

/// The engine of one profile, and the sample in its place.
pub struct Desk {
    profile: Profile,
    language: Language,
    shown: watch::Sender<Overview>,
    engine: Mutex<Option<Running>>,
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

impl Desk {
    /// Nothing runs yet.
    #[must_use]
    pub fn new(profile: Profile, language: Language) -> Self {
        Self { profile, language, shown: watch::Sender::new(nothing(None)), engine: Mutex::new(None) }
    }

    #[must_use]
    pub fn overview(&self) -> Overview {
        Overview { language: Some(self.language), ..self.shown.borrow().clone() }
    }

    /// Every overview from now on, whichever engine it comes from.
    #[must_use]
    pub fn overviews(&self) -> watch::Receiver<Overview> {
        self.shown.subscribe()
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
        let vendor = self.shown.borrow().vendor.clone();
        let zone = vendor.and_then(|vendor| TimeZone::get(&vendor.time_zone).ok()).unwrap_or(TimeZone::UTC);
        self.perform(form.errand(SystemClock.now(), &zone)).await
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
        if matches!(engine.as_ref(), Some(Running { engine: Engine::Sample(_), .. })) {
            return Ok(());
        }
        let sample = Sample::open().await?;
        stop(&mut engine).await;
        self.install(&mut engine, Engine::Sample(Box::new(sample)));
        Ok(())
    }

    /// Erases the sample and starts her engine again.
    pub async fn leave_sample(&self) -> Result<(), Problem> {
        let mut engine = self.engine.lock().await;
        stop(&mut engine).await;
        self.begin(&mut engine).await
    }

    /// Stops whatever runs, after the sync under way if it ends soon.
    pub async fn shut_down(&self) {
        stop(&mut *self.engine.lock().await).await;
    }

    async fn begin(&self, engine: &mut Option<Running>) -> Result<(), Problem> {
        match Wiring::open(&self.profile).await {
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
        let mut overviews = engine.handle().overview();
        let shown = self.shown.clone();
        let passing = spawn(async move {
            loop {
                let next = overviews.borrow_and_update().clone();
                shown.send_replace(next);
                if overviews.changed().await.is_err() {
                    return;
                }
            }
        });
        *place = Some(Running { engine, passing });
    }
}

async fn stop(place: &mut Option<Running>) {
    if let Some(Running { engine, passing }) = place.take() {
        passing.abort();
        engine.stop().await;
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

    #[test]
    fn a_profile_that_does_not_open_says_why_and_gets_another_chance() {
        tauri::async_runtime::block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let profile = Profile::at(Some(dir.path())).unwrap();
            std::fs::write(profile.settings_file(), "[no such thing]").unwrap();
            let desk = Desk::new(profile.clone(), Language::English);
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
            let desk = Desk::new(Profile::at(Some(dir.path())).unwrap(), Language::French);
            desk.start().await.unwrap();
            let mut overviews = desk.overviews();
            desk.explore_sample().await.unwrap();
            overviews.wait_for(|shown| shown.sample && !shown.schedule.bookings.is_empty()).await.unwrap();
            desk.leave_sample().await.unwrap();
            let left = overviews.wait_for(|shown| !shown.sample).await.unwrap().clone();
            assert_eq!(left.vendor, None);
            assert_eq!(desk.overview().language, Some(Language::French));
            desk.shut_down().await;
        });
    }
}
