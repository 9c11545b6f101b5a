//! Which of her computers writes, for one open profile: what this one is called, when the schedule asks, and when the
//! lease is given back. What it means to hold it, `sync::lease` decides.

use std::time::Duration;

use mirror::Sqlite;
use sync::ids::InstallationId;
use sync::lease::{Installation, Writer};
use sync::ports::Mirror;

use crate::problem::Problem;
use crate::syncing;
use crate::wiring::Wiring;

/// A name is only shown.
const NAME_SHOWN: usize = 60;

/// Who goes does not wait long for the platform.
const GOODBYE: Duration = Duration::from_secs(3);

/// This installation, as its profile knows it.
///
/// # Errors
/// When the database cannot be read or written.
pub fn writer(mirror: &Sqlite) -> Result<Writer, Problem> {
    let computer = computer();
    let fresh = InstallationId(uuid::Uuid::new_v4().to_string());
    let id = mirror.installation(&computer, &fresh)?;
    let record = mirror.world()?.lease;
    Ok(Writer::new(Installation { id, name: computer }, record))
}

/// What this computer is called on its network.
fn computer() -> String {
    #[cfg(unix)]
    let called = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let called = std::env::var("COMPUTERNAME").unwrap_or_default();
    name(&called)
}

fn name(called: &str) -> String {
    let plain: String = called.chars().filter(|sign| !sign.is_control()).take(NAME_SHOWN).collect();
    let plain = plain.trim().trim_end_matches(".local");
    if plain.is_empty() { "computer".to_owned() } else { plain.to_owned() }
}

/// How long the schedule may wait before somebody must ask; nothing while nobody need.
#[must_use]
pub fn wait(wiring: &Wiring) -> Option<Duration> {
    let wait = wiring.writer.wait(&wiring.clock)?;
    let ready = wiring.mirror.world().is_ok_and(|world| syncing::ready(&world).is_ok());
    ready.then_some(wait)
}

/// Asks, because it is time to. Answers whether this computer has become the writer, and so has something to do.
pub async fn keep(wiring: &Wiring) -> bool {
    let asked = match wiring.platform() {
        Ok(platform) => wiring.writer.keep(&platform, &wiring.clock, &wiring.mirror).await,
        // It is said by the next run.
        Err(problem) => {
            tracing::warn!(code = %problem.code, "nobody could be asked for the lease");
            return false;
        }
    };
    match asked {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(code = %error.code(), "the lease was not answered for"),
        Err(error) => tracing::error!(code = %Problem::from(error).code, "the lease was not written down"),
    }
    wiring.writer.has_gained()
}

/// Gives the lease back, so that another computer need not wait for its end.
pub async fn release(wiring: &Wiring) {
    let Ok(platform) = wiring.platform() else { return };
    match tokio::time::timeout(GOODBYE, wiring.writer.release(&platform)).await {
        Ok(Ok(())) => {}
        Ok(Err(_)) | Err(_) => tracing::debug!("the lease was not given back and ends by itself"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_computer_is_called_as_on_its_network_in_one_short_line() {
        for (called, expected) in [
            ("studio-mac.local", "studio-mac"),
            ("  front\ndesk ", "frontdesk"),
            ("", "computer"),
            (&"x".repeat(200), &"x".repeat(60)),
        ] {
            assert_eq!(name(called), expected);
        }
    }

    #[test]
    fn a_profile_keeps_its_installation() {
        let mirror = Sqlite::in_memory().unwrap();
        let mine = computer();
        let fresh = InstallationId("fresh".to_owned());
        writer(&mirror).unwrap();
        let kept = mirror.installation(&mine, &fresh).unwrap();
        assert_ne!(kept, fresh);
        writer(&mirror).unwrap();
        assert_eq!(mirror.installation(&mine, &fresh).unwrap(), kept);
    }
}
