//! Leaving: an account is unlinked once everything that has to go is gone, and a profile is erased once the platform
//! blocks nothing because of it any more. Decides the order, so that stopping in between loses track of nothing.

use sync::error::{Code, MirrorError};
use sync::ids::{ConnectionId, RunId};
use sync::leave::{Extent, LeaveReport, leave, withdraw_everything};
use sync::ports::Mirror;
use sync::report::Report;
use sync::run::Parts;
use sync::world::ConnectionState;

use crate::problem::Problem;
use crate::wiring::Wiring;
use crate::{sign_in, syncing};

/// What came of leaving an account.
pub struct Left {
    pub told: LeaveReport,
    /// It is no longer linked, and its secret is gone.
    pub unlinked: bool,
    /// What remains, the worst first.
    pub problems: Vec<Problem>,
}

/// Unlinks an account. With [`Extent::Everything`] it stays linked while anything of ours remains.
///
/// # Errors
/// When there is no such account, or the mirror or the vault cannot be written.
pub async fn disconnect(wiring: &Wiring, name: &str, extent: Extent) -> Result<Left, Problem> {
    let id = sign_in::find(&wiring.world()?, name)?;
    let left = take_back(wiring, &id, extent).await?;
    if left.unlinked {
        unlink(wiring, &id).await?;
    }
    Ok(left)
}

/// As [`disconnect`], and the account stays linked.
async fn take_back(wiring: &Wiring, id: &ConnectionId, extent: Extent) -> Result<Left, Problem> {
    if was_done(wiring, id).await? {
        let told = LeaveReport { complete: true, ..LeaveReport::new(id) };
        return Ok(Left { told, unlinked: true, problems: Vec::new() });
    }
    let report = with_parts(wiring, async |parts, run| leave(parts, run, id, extent).await).await?;
    let told = report.leave.clone().unwrap_or_else(|| LeaveReport::new(id));
    // Her busy time leaves the platform with the next sync, if it must.
    let unlinked = told.complete || extent == Extent::BusyTime;
    Ok(Left { told, unlinked, problems: syncing::problems(&report) })
}

/// The secret goes last of all, so where it is gone already, only the row was left to remove.
async fn was_done(wiring: &Wiring, id: &ConnectionId) -> Result<bool, Problem> {
    let is_leaving =
        wiring.world()?.connections.get(id).is_some_and(|row| row.state == ConnectionState::Leaving);
    let has_secret = *id != sync::import::connection_id();
    Ok(is_leaving && has_secret && !wiring.has_secret(id).await?)
}

async fn unlink(wiring: &Wiring, id: &ConnectionId) -> Result<(), Problem> {
    // Without asking Google to revoke: that would sign her other computers out too. Microsoft has no such door.
    wiring.forget_secret(id).await?;
    wiring.mirror.remove_connection(id)?;
    tracing::info!(connection = %id, "disconnected");
    Ok(())
}

/// Takes everything back, account by account, and has the platform drop what else it was told. Answers with what was
/// done and what remains.
///
/// # Errors
/// When the mirror or the vault cannot be used.
pub async fn everything(
    wiring: &Wiring,
    extent: Extent,
) -> Result<(Vec<LeaveReport>, Vec<Problem>), Problem> {
    let mut told = Vec::new();
    let mut problems: Vec<Problem> = Vec::new();
    if extent == Extent::Everything {
        let all: Vec<ConnectionId> = wiring.world()?.connections.into_keys().collect();
        for id in all {
            let left = take_back(wiring, &id, extent).await?;
            problems.extend(left.problems);
            told.push(left.told);
        }
    }
    let report = with_parts(wiring, withdraw).await?;
    problems.extend(syncing::problems(&report));
    Ok((told, problems))
}

async fn withdraw(parts: &Parts<'_>, run: &RunId) -> Result<Report, MirrorError> {
    withdraw_everything(parts, run).await
}

async fn with_parts(
    wiring: &Wiring,
    work: impl AsyncFnOnce(&Parts<'_>, &RunId) -> Result<Report, MirrorError>,
) -> Result<Report, Problem> {
    let world = wiring.world()?;
    if world.vendor.is_none() && world.connections.is_empty() {
        return Err(Problem::new(Code::NotSignedIn, "Nobody is signed in to Bookiji in this profile."));
    }
    let (_, report) = syncing::with_parts(wiring, &world, async |parts, run| {
        tracing::info!(run = %run, "leaving starts");
        work(parts, run).await
    })
    .await?;
    Ok(report)
}
