//! Has done what she chooses in the tray's menu.

use companion::errand::Errand;
use companion::notification;
use companion::place::Place;
use companion::problem::Problem;
use companion::tray::Choice;
use tauri::{AppHandle, Manager};
use tauri_plugin_dialog::DialogExt;

use crate::app;
use crate::notifier::Notifier;
use crate::salon::Salon;
use crate::window;

pub fn choose(app: &AppHandle, choice: Choice) {
    match choice {
        Choice::Decisions => window::open_for(app, app.state::<Salon>().deciding(), Place::Decisions),
        Choice::ImportFiles => import_files(app),
        Choice::Open => window::open(app),
        Choice::Quit => app::quit(app),
        Choice::SyncNow | Choice::Pause(_) | Choice::Resume | Choice::Block(_) => {
            tauri::async_runtime::spawn(perform(app.clone(), choice));
        }
    }
}

/// Whose time is blocked, the menu says. Everything else is everybody's.
async fn perform(app: AppHandle, choice: Choice) {
    let salon = app.state::<Salon>();
    if let Choice::Block(form) = choice {
        let desk = salon.shown();
        let done = desk.block(form).await;
        app.state::<Notifier>().tell(notification::blocked(done.is_ok(), desk.language()));
        return warn(done);
    }
    salon
        .each(move |_, desk| async move {
            warn(match choice {
                Choice::SyncNow => desk.sync_now().await,
                Choice::Pause(form) => desk.pause(form).await,
                Choice::Resume => desk.perform(Errand::Resume).await,
                Choice::Block(_) | Choice::Decisions | Choice::ImportFiles | Choice::Open | Choice::Quit => {
                    Ok(())
                }
            });
        })
        .await;
}

fn warn(done: Result<(), Problem>) {
    if let Err(problem) = done {
        tracing::warn!(code = %problem.code, "what was chosen in the tray was not done");
    }
}

/// Lets her choose files, and shows what they would do.
fn import_files(app: &AppHandle) {
    let dialog = app.dialog().file().add_filter("iCalendar", &["ics", "ical", "icalendar", "ifb", "vcs"]);
    let app = app.clone();
    dialog.pick_files(move |chosen| {
        let files: Vec<_> =
            chosen.unwrap_or_default().into_iter().filter_map(|file| file.into_path().ok()).collect();
        if !files.is_empty() {
            app.state::<Salon>().shown().offer_files(files);
            window::open_at(&app, Place::Files);
        }
    });
}
