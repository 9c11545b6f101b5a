//! Puts notifications on the screen, and opens what a click on one asks for. What is told, `companion::notification`
//! decides.

use std::collections::BTreeMap;

use companion::clock::SystemClock;
use companion::notification::{Notification, notifications};
use companion::view::Overview;
use sync::ports::Clock;
use tauri::{AppHandle, Manager};
use tokio::sync::{mpsc, watch};
use tokio::time::interval;

use crate::salon::Salon;
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
    /// Starts telling what changes from one overview to the next, of everybody on this computer.
    pub fn start(app: &AppHandle, news: watch::Receiver<()>) -> Self {
        let (tell, told) = mpsc::unbounded_channel();
        tauri::async_runtime::spawn(keep(app.clone(), news, told));
        Self(tell)
    }

    pub fn tell(&self, notification: Notification) {
        // It ends with the app, and then nobody is to be told.
        let _ = self.0.send(notification);
    }
}

/// What one vendor was last told of, and her bubbles.
struct Told {
    before: Overview,
    bubbles: Bubbles,
}

async fn keep(
    app: AppHandle,
    mut news: watch::Receiver<()>,
    mut told: mpsc::UnboundedReceiver<Notification>,
) {
    let salon = app.state::<Salon>();
    let mut general = Bubbles::new(&app, None);
    // Quiet hours end without anything changing.
    let mut ticks = interval(LOOK_AGAIN);
    let mut of: BTreeMap<u32, Told> = BTreeMap::new();
    loop {
        let all = salon.all();
        of.retain(|id, _| all.iter().any(|(seat, _)| seat == id));
        let is_shared = !salon.seats().is_empty();
        for (id, desk) in all {
            let after = desk.overview();
            let new = || Told { before: after.clone(), bubbles: Bubbles::new(&app, Some(id)) };
            let told = of.entry(id).or_insert_with(new);
            if after == told.before {
                continue;
            }
            // A settings file that cannot be read says nothing of silence.
            let settings = desk.settings().map(|settings| settings.notifications).unwrap_or_default();
            let new = notifications(&told.before, &after, &settings, SystemClock.now(), desk.language());
            let Some(new) = new else { continue };
            let whose = after.vendor.as_ref().filter(|_| is_shared).map(|vendor| vendor.name.clone());
            told.before = after;
            for one in new {
                told.bubbles.show(&one.of(whose.as_deref())).await;
            }
        }
        tokio::select! {
            changed = news.changed() => if changed.is_err() { return },
            Some(one) = told.recv() => general.show(&one).await,
            _ = ticks.tick() => {}
        }
    }
}
