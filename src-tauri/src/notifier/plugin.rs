//! Bubbles where the system has its own way to draw them.

use companion::notification::Notification;
use tauri::AppHandle;
use tauri_plugin_notification::NotificationExt;

pub struct Bubbles {
    app: AppHandle,
}

impl Bubbles {
    /// A click on one opens the app, and nobody hears which it was.
    pub fn new(app: &AppHandle, _seat: Option<u32>) -> Self {
        Self { app: app.clone() }
    }

    #[expect(clippy::unused_async, reason = "elsewhere a bubble takes its time")]
    pub async fn show(&mut self, notification: &Notification) {
        let Notification { title, body, .. } = notification;
        if let Err(error) = self.app.notification().builder().title(title).body(body).show() {
            tracing::debug!(%error, "nobody draws notifications");
        }
    }
}
