//! The one window: made when somebody wants to see it, and let go with its webview when she closes it. Where nothing else
//! would show that the app is there, it is put into the task bar instead.

use std::sync::{Mutex, PoisonError};

use companion::arrival::Arrival;
use companion::notification;
use companion::place::Place;
use tauri::{
    AppHandle, DragDropEvent, Manager, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent,
};
use tokio::sync::watch;

use crate::commands::files::FilesOver;
use crate::commands::settings::frame;
use crate::commands::{self, place::PlaceWanted};
use crate::notifier::Notifier;
use crate::salon::Salon;

const LABEL: &str = "main";
/// Under this it is remembered that she was told so.
pub const NO_TRAY: &str = "no-tray";

/// The place that somebody asked for and the window has not turned to yet.
#[derive(Default)]
pub struct Wanted(Mutex<Option<Place>>);

/// Whether anybody shows tray icons.
pub struct TrayHost(pub watch::Receiver<bool>);

impl Wanted {
    pub fn set(&self, place: Place) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }

    /// Answers once.
    pub fn take(&self) -> Option<Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Brings the window to the front, making it if there is none.
pub fn open(app: &AppHandle) {
    if let Err(error) = bring(app) {
        tracing::error!(%error, "the window does not open");
    }
}

/// The same, and turns it to a place.
pub fn open_at(app: &AppHandle, place: Place) {
    app.state::<Wanted>().set(place);
    commands::announce(app, PlaceWanted);
    open(app);
}

/// The same, about one vendor of several.
pub fn open_for(app: &AppHandle, seat: u32, place: Place) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        // Where she is not any more, there is nothing of hers to show.
        if app.state::<Salon>().show(seat).await.is_ok() {
            open_at(&app, place);
        }
    });
}

/// Shows what a start of the app, or a second one, brought along.
pub fn receive(app: &AppHandle, arrival: Arrival) {
    let place = if arrival.files.is_empty() { arrival.place } else { Some(Place::Files) };
    app.state::<Salon>().shown().offer_files(arrival.files);
    match place {
        Some(place) => open_at(app, place),
        None => open(app),
    }
}

fn bring(app: &AppHandle) -> tauri::Result<()> {
    if let Some(window) = app.get_webview_window(LABEL) {
        window.unminimize()?;
        window.show()?;
        return window.set_focus();
    }
    let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::default())
        .title("Bookiji Companion")
        .inner_size(1200.0, 800.0)
        .min_inner_size(900.0, 600.0)
        .center()
        .theme(frame(app.state::<Salon>().shown().preferences().unwrap_or_default().theme))
        .build()?;
    look(app, true);
    let app = app.clone();
    let itself = window.clone();
    window.on_window_event(move |event| {
        if matches!(event, WindowEvent::Destroyed) {
            look(&app, false);
        }
        if let WindowEvent::DragDrop(drag) = event {
            dragged(&app, drag);
        }
        if let WindowEvent::CloseRequested { api, .. } = event
            && !*app.state::<TrayHost>().0.borrow()
        {
            api.prevent_close();
            put_into_task_bar(&app, &itself);
        }
    });
    Ok(())
}

/// While she looks, her calendars are read more often.
fn look(app: &AppHandle, is_open: bool) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move { app.state::<Salon>().look(is_open).await });
}

/// Files are dropped here and not in the page: a page could claim that anything was.
fn dragged(app: &AppHandle, drag: &DragDropEvent) {
    let over = match drag {
        DragDropEvent::Enter { .. } => true,
        DragDropEvent::Leave => false,
        DragDropEvent::Drop { paths, .. } => {
            app.state::<Salon>().shown().offer_files(paths.clone());
            false
        }
        // Where exactly they are makes no difference.
        DragDropEvent::Over { .. } | _ => return,
    };
    commands::announce(app, FilesOver { over });
}

fn put_into_task_bar(app: &AppHandle, window: &WebviewWindow) {
    if let Err(error) = window.minimize() {
        tracing::warn!(%error, "the window does not go to the task bar");
    }
    let desk = app.state::<Salon>().shown();
    if desk.says_once(NO_TRAY) {
        app.state::<Notifier>().tell(notification::no_tray(desk.language()));
    }
}

/// Where nobody shows a tray icon, an app that was started hidden is in the task bar.
pub async fn be_somewhere(app: AppHandle) {
    let mut host = app.state::<TrayHost>().0.clone();
    if host.wait_for(|there| !there).await.is_err() || app.get_webview_window(LABEL).is_some() {
        return;
    }
    open(&app);
    if let Some(window) = app.get_webview_window(LABEL) {
        put_into_task_bar(&app, &window);
    }
}
