//! One question at a time, and no waiting for one that nobody will answer: a keychain that went away while it waited for
//! her password took the prompt along, and whoever asked hears nothing of that.

use std::sync::{Arc, Mutex};

use tokio::sync::OwnedMutexGuard;

use super::keychain::{Store, lock};

/// Whose turn it is. The last one keeps it as long as its question is under way, even when nobody waits for the answer.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Mutex<Turn>>);

#[derive(Clone, Default)]
pub(super) struct Turn {
    free: Arc<tokio::sync::Mutex<()>>,
    /// Which run of the keychain has the question, by its unique name on the bus.
    asked: Arc<Mutex<Option<String>>>,
    /// Opened by the first question. One that was opened with a run that is gone is of no use with the next.
    pub(super) store: Store,
}

impl Turns {
    pub(super) async fn next(&self) -> (Turn, OwnedMutexGuard<()>) {
        loop {
            let turn = lock(&self.0).clone();
            tokio::select! {
                held = turn.free.clone().lock_owned() => return (turn, held),
                () = turn.is_orphaned() => self.give_up(&turn),
            }
        }
    }

    /// Waits for this turn's question no longer.
    pub(super) fn give_up(&self, turn: &Turn) {
        let mut current = lock(&self.0);
        if Arc::ptr_eq(&current.free, &turn.free) {
            *current = Turn::default();
        }
    }
}

#[cfg(target_os = "linux")]
impl Turn {
    /// To be called just before the question. Blocks.
    pub(super) fn asks(&self) {
        let owner = zbus::blocking::Connection::session().and_then(|bus| {
            let bus = zbus::blocking::fdo::DBusProxy::new(&bus)?;
            Ok(bus.get_name_owner(super::locked::DAEMON.try_into()?)?)
        });
        // One that only starts for this question is asked nothing yet.
        *lock(&self.asked) = owner.ok().map(|owner| owner.to_string());
    }

    /// Comes back once the keychain that was asked runs no more.
    pub(super) async fn is_orphaned(&self) {
        const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_secs(1);
        loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            let asked = lock(&self.asked).clone();
            if let Some(asked) = asked
                && is_gone(asked).await.unwrap_or(false)
            {
                return;
            }
        }
    }
}

#[cfg(target_os = "linux")]
async fn is_gone(asked: String) -> zbus::Result<bool> {
    let bus = zbus::Connection::session().await?;
    let bus = zbus::fdo::DBusProxy::new(&bus).await?;
    Ok(!bus.name_has_owner(asked.try_into()?).await?)
}

/// Elsewhere the keychain is a part of the system, and stays.
#[cfg(not(target_os = "linux"))]
impl Turn {
    pub(super) fn asks(&self) {}

    pub(super) async fn is_orphaned(&self) {
        std::future::pending().await
    }
}
