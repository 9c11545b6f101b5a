//! Whether anybody shows tray icons here, and how that changes.

use tokio::sync::watch;

/// Follows it, from a first guess that somebody does.
#[cfg(not(target_os = "linux"))]
pub fn follow() -> watch::Receiver<bool> {
    watch::channel(true).1
}

/// Follows it on the session bus. A panel may start after the app.
#[cfg(target_os = "linux")]
pub fn follow() -> watch::Receiver<bool> {
    let (there, seen) = watch::channel(true);
    tauri::async_runtime::spawn(async move {
        if let Err(error) = bus::look(&there).await {
            tracing::debug!(%error, "no session bus, so nobody shows tray icons");
            there.send_replace(false);
        }
        // Nothing is said of it any more, and what was said last stands.
        there.closed().await;
    });
    seen
}

#[cfg(target_os = "linux")]
mod bus {
    use std::time::Duration;

    use futures_util::StreamExt;
    use tokio::sync::watch;
    use zbus::fdo::DBusProxy;
    use zbus::names::BusName;

    const HOST: &str = "org.kde.StatusNotifierWatcher";
    /// A desktop that is just starting has its panel a little later than its programs.
    const STARTING: Duration = Duration::from_secs(10);

    pub async fn look(there: &watch::Sender<bool>) -> zbus::Result<()> {
        let connection = zbus::Connection::session().await?;
        let bus = DBusProxy::new(&connection).await?;
        let mut changes = bus.receive_name_owner_changed_with_args(&[(0, HOST)]).await?;
        if !bus.name_has_owner(BusName::try_from(HOST)?).await? {
            let soon = tokio::time::timeout(STARTING, changes.next()).await;
            there.send_replace(soon.is_ok());
        }
        while let Some(change) = changes.next().await {
            there.send_replace(change.args()?.new_owner().is_some());
        }
        Ok(())
    }
}
