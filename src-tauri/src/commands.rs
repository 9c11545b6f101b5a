//! What the window may ask. Each command hands the question on and decides nothing; `capabilities/main.json` grants
//! them by name.

mod at_login;
pub mod choose;
pub mod connect;
pub mod files;
mod leaving;
pub mod place;
pub mod privacy;
mod seats;
pub mod settings;
pub mod sign_in;
pub mod telling;
mod updates;

use std::collections::BTreeMap;

use companion::errand::Errand;
use companion::problem::Problem;
use companion::unusable::Unusable;
use companion::view::{
    self, BlockTimeForm, BlockedView, DecideForm, Overview, PauseForm, SpanForm, TakeBackForm, UndoneView,
};
use companion::words::{self, Language};
use serde::{Deserialize, Serialize};
use specta::Type;
use sync::error::Code;
use tauri::{AppHandle, State, Wry};
use tauri_specta::{Builder, Event, collect_commands, collect_events};

use crate::salon::Salon;

/// Tells the window to ask for the overview again.
#[derive(Clone, Debug, Serialize, Deserialize, Type, Event)]
pub struct OverviewChanged;

/// Why a command was not done. The window has the words for every code.
#[derive(Clone, Debug, Serialize, Type)]
pub struct Refusal {
    pub code: Code,
    pub message: String,
    /// What cannot be used, where the code alone does not say.
    pub why: Option<Unusable>,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let message = view::without_folders(&problem.message);
        Self { code: problem.code, message, why: problem.why }
    }
}

#[tauri::command]
#[specta::specta]
pub fn overview(salon: State<'_, Salon>) -> Overview {
    salon.overview()
}

#[tauri::command]
#[specta::specta]
pub async fn sync_now(salon: State<'_, Salon>) -> Result<(), Refusal> {
    Ok(salon.shown().sync_now().await?)
}

/// Stops the sync that is under way. What it did is kept, and the next one goes on.
#[tauri::command]
#[specta::specta]
pub async fn stop_sync(salon: State<'_, Salon>) -> Result<(), Refusal> {
    salon.shown().stop_sync().await;
    Ok(())
}

/// She has seen what the first sync would do, and lets it.
#[tauri::command]
#[specta::specta]
pub async fn start_syncing(salon: State<'_, Salon>) -> Result<(), Refusal> {
    salon.shown().start_syncing().await;
    Ok(())
}

/// Carries her answer to a question out on both sides.
#[tauri::command]
#[specta::specta]
pub async fn decide(salon: State<'_, Salon>, form: DecideForm) -> Result<(), Refusal> {
    Ok(salon.shown().perform(form.errand()?).await?)
}

/// Takes back what a run wrote, where nobody touched it since.
#[tauri::command]
#[specta::specta]
pub async fn undo_run(salon: State<'_, Salon>, run: String) -> Result<UndoneView, Refusal> {
    Ok(salon.shown().undo(view::undo(run)?).await?)
}

/// Lets a time be booked just this once, whatever her calendars say.
#[tauri::command]
#[specta::specta]
pub async fn unblock(salon: State<'_, Salon>, form: SpanForm) -> Result<(), Refusal> {
    Ok(salon.shown().perform(form.unblock()).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn block_again(salon: State<'_, Salon>, form: SpanForm) -> Result<(), Refusal> {
    Ok(salon.shown().perform(form.block_again()).await?)
}

/// Lets nothing be synced by itself for a while.
#[tauri::command]
#[specta::specta]
pub async fn pause(salon: State<'_, Salon>, form: PauseForm) -> Result<(), Refusal> {
    Ok(salon.shown().pause(form).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn resume(salon: State<'_, Salon>) -> Result<(), Refusal> {
    Ok(salon.shown().perform(Errand::Resume).await?)
}

/// Lets nobody book her then, or says what is wrong with that time.
#[tauri::command]
#[specta::specta]
pub async fn block_time(salon: State<'_, Salon>, form: BlockTimeForm) -> Result<BlockedView, Refusal> {
    Ok(salon.shown().block_time(&form).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn take_back_block(salon: State<'_, Salon>, form: TakeBackForm) -> Result<(), Refusal> {
    Ok(salon.shown().perform(form.errand()?).await?)
}

/// Puts the sandbox in place of her accounts, which stay as they are.
#[tauri::command]
#[specta::specta]
pub async fn explore_sample(salon: State<'_, Salon>) -> Result<(), Refusal> {
    Ok(salon.shown().explore_sample().await?)
}

/// Erases the sandbox and goes back to her accounts.
#[tauri::command]
#[specta::specta]
pub async fn leave_sample(salon: State<'_, Salon>) -> Result<(), Refusal> {
    Ok(salon.shown().leave_sample().await?)
}

/// The commands and events as Tauri and TypeScript both know them.
pub fn bindings() -> Builder<Wry> {
    Builder::new()
        .commands(collect_commands![
            overview,
            sync_now,
            stop_sync,
            start_syncing,
            decide,
            undo_run,
            unblock,
            block_again,
            pause,
            resume,
            block_time,
            take_back_block,
            place::wanted_place,
            seats::add_vendor,
            seats::show_vendor,
            explore_sample,
            leave_sample,
            choose::choices,
            choose::choose,
            sign_in::sign_in,
            sign_in::begin_sign_in,
            sign_in::open_sign_in,
            sign_in::paste_sign_in,
            sign_in::cancel_sign_in,
            connect::log_in,
            connect::connect_caldav,
            connect::connect_link,
            connect::disconnect,
            telling::run_story,
            telling::explain,
            privacy::privacy,
            privacy::sent_words,
            settings::preferences,
            settings::set_preferences,
            settings::diagnose,
            settings::forget,
            settings::about,
            at_login::starts_at_login,
            at_login::set_start_at_login,
            updates::check_for_updates,
            updates::install_update,
            leaving::tray,
            leaving::tray_noticed,
            leaving::quit,
            files::offered,
            files::preview_offer,
            files::import_offer,
            files::put_away_offer,
            files::choose_files,
            files::folders,
            files::add_folder,
            files::remove_folder,
            files::export,
            files::invite
        ])
        .events(collect_events![OverviewChanged, files::FilesOver, files::OfferChanged, place::PlaceWanted])
        .constant("problemWords", problem_words())
        .disable_serde_phases()
}

/// The one table of what the codes mean, for the window to read too.
fn problem_words() -> BTreeMap<&'static str, BTreeMap<Code, ProblemWords>> {
    let table = |language| {
        let said = |code| {
            let words::Words { plain, cause, next_step } = words::words(code, language);
            (code, ProblemWords { plain, cause, next_step })
        };
        Code::ALL.into_iter().map(said).collect()
    };
    BTreeMap::from([("en", table(Language::English)), ("fr", table(Language::French))])
}

#[derive(Serialize)]
struct ProblemWords {
    plain: &'static str,
    cause: &'static str,
    next_step: &'static str,
}

/// Lets the window know, if it is open.
pub fn announce(app: &AppHandle, event: impl Event + Clone + Serialize) {
    if let Err(error) = event.emit(app) {
        tracing::debug!(%error, "nobody heard of a change");
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    /// `UPDATE_BINDINGS=1 cargo test -p bookiji-companion` writes them anew.
    #[test]
    fn the_committed_bindings_are_those_of_this_code() {
        let committed = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../ui/src/generated/bindings.ts");
        let folder = tempfile::tempdir().unwrap();
        let fresh = folder.path().join("bindings.ts");
        let typescript = specta_typescript::Typescript::default();
        super::bindings().export(typescript, &fresh).unwrap();
        let fresh = std::fs::read_to_string(fresh).unwrap();
        if std::env::var_os("UPDATE_BINDINGS").is_some() {
            std::fs::write(&committed, &fresh).unwrap();
        }
        let committed = std::fs::read_to_string(&committed).unwrap_or_default();
        assert!(committed == fresh, "run UPDATE_BINDINGS=1 cargo test -p bookiji-companion");
    }
}
