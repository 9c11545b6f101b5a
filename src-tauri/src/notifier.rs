//! Puts notifications on the screen, and opens what a click on one asks for. What is told, `companion::notification`
//! decides.

use companion::clock::SystemClock;
use companion::notification::{Notification, notifications};
use companion::view::Overview;
use sync::ports::Clock;
use tauri::{AppHandle, Manager};
use tokio::sync::{mpsc, watch};
use tokio::time::interval;

use crate::desk::Desk;
use crate::tray::LOOK_AGAIN;

#[cfg(target_os = "linux")]
mod freedesktop;
#[cfg(target_os = "linux")]
use freedesktop::Bubbles;
#[cfg(not(target_os = "linux"))]
mod plugin;
#[cfg(not(target_os = "linux"))]
use plugin::Bubbles;

/// The way to tell her something beside what overviews tell.
pub struct Notifier(mpsc::UnboundedSender<Notification>);

impl Notifier {
    /// Starts telling what changes from one overview to the next.
    pub fn start(app: &AppHandle, overviews: watch::Receiver<Overview>) -> Self {
        let (tell, told) = mpsc::unbounded_channel();
        tauri::async_runtime::spawn(keep(app.clone(), overviews, told));
        Self(tell)
    }

    pub fn tell(&self, notification: Notification) {
        // It ends with the app, and then nobody is to be told.
        let _ = self.0.send(notification);
    }
}

async fn keep(
    app: AppHandle,
    mut overviews: watch::Receiver<Overview>,
    mut told: mpsc::UnboundedReceiver<Notification>,
) {
    let desk = app.state::<Desk>();
    let mut bubbles = Bubbles::new(&app);
    // Quiet hours end without anything changing.
    let mut ticks = interval(LOOK_AGAIN);
    let mut before = overviews.borrow_and_update().clone();
    loop {
        tokio::select! {
            changed = overviews.changed() => if changed.is_err() { return },
            Some(one) = told.recv() => bubbles.show(&one).await,
            _ = ticks.tick() => {}
        }
        let after = overviews.borrow_and_update().clone();
        if after == before {
            continue;
        }
        // A settings file that cannot be read says nothing of silence.
        let settings = desk.settings().map(|settings| settings.notifications).unwrap_or_default();
        let new = notifications(&before, &after, &settings, SystemClock.now(), desk.language());
        let Some(new) = new else { continue };
        before = after;
        for one in &new {
            bubbles.show(one).await;
        }
    }
}
