//! The one window: made when somebody wants to see it, and let go with its webview when she closes it.

use crate::commands;
use crate::commands::files::FilesOver;
use crate::commands::settings::frame;
use crate::desk::Desk;

use tauri::{AppHandle, DragDropEvent, Manager, WebviewUrl, WebviewWindowBuilder, WindowEvent};

const LABEL: &str = "main";

/// Brings the window to the front, making it if there is none.
pub fn open(app: &AppHandle) {
    if let Err(error) = bring(app) {
        tracing::error!(%error, "the window does not open");
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
        .theme(frame(app.state::<Desk>().preferences().unwrap_or_default().theme))
        .build()?;
    look(app, true);
    let app = app.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::DragDrop(drag) = event {
            dragged(&app, drag);
        } else if matches!(event, WindowEvent::Destroyed) {
            look(&app, false);
        }
    });
    Ok(())
}

/// Files are dropped here and not in the page: a page could claim that anything was.
fn dragged(app: &AppHandle, drag: &DragDropEvent) {
    let over = match drag {
        DragDropEvent::Enter { .. } => true,
        DragDropEvent::Leave => false,
        DragDropEvent::Drop { paths, .. } => {
            app.state::<Desk>().offer_files(paths.clone());
            false
        }
        // Where exactly they are makes no difference.
        _ => return,
    };
    commands::announce(app, FilesOver { over });
}

/// While she looks, her calendars are read more often.
fn look(app: &AppHandle, is_open: bool) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move { app.state::<Desk>().look(is_open).await });
}
