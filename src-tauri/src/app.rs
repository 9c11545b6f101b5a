//! Puts the app together: one instance, one window, one tray, one engine; and decides what outlives what. The tray
//! outlives the window, the engine outlives both, and quitting ends all three.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use companion::arrival::Arrival;
use companion::log;
use companion::profile::Profile;
use companion::words::Language;
use serde::Serialize;
use tauri::{AppHandle, Manager, RunEvent};
use tauri_plugin_window_state::StateFlags;
use tauri_specta::Event;
use tokio::sync::watch;

use crate::args::Args;
use crate::commands::files::OfferChanged;
use crate::commands::{self, OverviewChanged};
use crate::notifier::Notifier;
use crate::salon::Salon;
use crate::tray::{self, Tray};
use crate::tray_host;
use crate::tray_icon::Panel;
use crate::updates::{self, Updates};
use crate::window::{self, TrayHost, Wanted};

/// How long quitting may wait for a sync under way.
const LAST_WORDS: Duration = Duration::from_secs(12);

pub fn run(args: &Args) -> anyhow::Result<()> {
    let profile = Profile::at(args.profile.as_deref())?;
    log::start(&profile, 0);
    log::install_panic_note(Some(&profile));
    let language = language(&profile);
    let (hidden, sample) = (args.hidden, args.sandbox);
    let arrival = Arrival::of(&args.open, &std::env::current_dir().unwrap_or_default());
    let bindings = commands::bindings();
    let app = tauri::Builder::default()
        // The first of all: a second start must end before it has done anything.
        .plugin(tauri_plugin_single_instance::init(|app, words, folder| {
            // What cannot be read is a start without anything.
            let open = Args::try_parse_from(words).map(|args| args.open).unwrap_or_default();
            window::receive(app, Arrival::of(&open, Path::new(&folder)));
        }))
        .plugin(tauri_plugin_autostart::Builder::new().arg("--hidden").build())
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_updater::Builder::new().build())
        .plugin(
            tauri_plugin_window_state::Builder::new()
                .with_state_flags(StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED)
                .build(),
        );
    #[cfg(not(target_os = "linux"))]
    let app = app.plugin(tauri_plugin_notification::init());
    let app = app
        .invoke_handler(bindings.invoke_handler())
        .setup(move |app| {
            bindings.mount_events(app);
            let salon = Salon::new(profile, language)?;
            let (news, offers) = (salon.news(), salon.offers());
            app.manage(salon);
            app.manage(Wanted::default());
            app.manage(Updates::default());
            let host = tray_host::follow();
            app.manage(TrayHost(host.clone()));
            app.manage(Notifier::start(app.handle(), news.clone()));
            let panel = Panel::usual(&std::env::var("XDG_CURRENT_DESKTOP").unwrap_or_default());
            let tray = Tray::new(app.handle(), panel)?;
            tauri::async_runtime::spawn(tray::keep(app.handle().clone(), tray, news.clone()));
            tauri::async_runtime::spawn(keep_window(app.handle().clone(), news, OverviewChanged));
            tauri::async_runtime::spawn(keep_window(app.handle().clone(), offers, OfferChanged));
            tauri::async_runtime::spawn(keep_window(app.handle().clone(), host, OverviewChanged));
            tauri::async_runtime::spawn(begin(app.handle().clone(), sample));
            tauri::async_runtime::spawn(updates::keep_looking(app.handle().clone()));
            tauri::async_runtime::spawn(quit_when_asked(app.handle().clone()));
            if hidden {
                tauri::async_runtime::spawn(window::be_somewhere(app.handle().clone()));
            } else {
                window::receive(app.handle(), arrival);
            }
            Ok(())
        })
        .build(context())
        .context("the desktop cannot be reached")?;
    app.run(|app, event| {
        #[cfg(target_os = "macos")]
        if let RunEvent::Opened { urls } = &event {
            let words: Vec<String> = urls.iter().map(ToString::to_string).collect();
            return window::receive(app, Arrival::of(&words, Path::new("/")));
        }
        if let RunEvent::ExitRequested { code: None, api, .. } = &event {
            // The last window has closed, and nobody asked to quit.
            api.prevent_exit();
        } else if let RunEvent::Exit = event {
            let salon = app.state::<Salon>();
            tauri::async_runtime::block_on(async {
                if tokio::time::timeout(LAST_WORDS, salon.shut_down()).await.is_err() {
                    tracing::warn!("a sync was still under way");
                }
            });
        }
    });
    Ok(())
}

#[expect(clippy::disallowed_types, reason = "Tauri's macro writes them")]
fn context() -> tauri::Context {
    tauri::generate_context!()
}

/// One for the tray and the window.
fn language(profile: &Profile) -> Language {
    let set = profile.settings().ok().and_then(|settings| settings.language);
    Language::pick(set, [sys_locale::get_locale().as_deref(), None, None])
}

/// Ends the app once the sync under way has, if that is soon.
pub fn quit(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if tokio::time::timeout(LAST_WORDS, app.state::<Salon>().shut_down()).await.is_err() {
            tracing::warn!("a sync was still under way");
        }
        app.exit(0);
    });
}

async fn begin(app: AppHandle, sample: bool) {
    app.state::<Salon>().start(sample).await;
}

/// Tells the window of every change; what there is now, it asks for itself.
async fn keep_window<T, E>(app: AppHandle, mut changes: watch::Receiver<T>, event: E)
where
    T: Send + Sync + 'static,
    E: Event + Clone + Serialize,
{
    while changes.changed().await.is_ok() {
        commands::announce(&app, event.clone());
    }
}

/// Ends like *Quit* when the session or a terminal asks, so that a sample is erased and a sync ends well.
async fn quit_when_asked(app: AppHandle) {
    #[cfg(unix)]
    {
        let Ok(mut end) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
            return;
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = end.recv() => {}
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        return;
    }
    quit(&app);
}
