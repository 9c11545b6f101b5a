//! Her bookings as fresh as they can be had: asked of Bookiji where it answers, else as they were last read, and why.
//! For commands that show them; what follows for calendars is left to the next sync.

use std::collections::BTreeMap;

use mirror::Sqlite;
use sync::error::Code;
use sync::observe::{self, KnownBookings};
use sync::policy::Retry;
use sync::ports::Mirror;
use sync::report::Report;
use sync::run::Parts;
use sync::world::{Direction, Vendor, World};

use crate::problem::Problem;
use crate::profile::Profile;
use crate::wiring::Wiring;

/// Somebody waits for the answer: two tries, and then what is known.
const TRIES: u32 = 2;

pub struct Latest {
    pub vendor: Vendor,
    pub world: World,
    /// The profile opened for writing, unless another process has it or its secrets cannot be had.
    pub wiring: Option<Wiring>,
    /// Why the bookings are only as they were last read.
    pub stale: Option<Problem>,
}

/// Reads her bookings, and keeps what was read.
///
/// # Errors
/// When the profile cannot be used or nobody has signed in to it. A platform that does not answer is no error.
pub async fn bookings(profile: &Profile) -> Result<Latest, Problem> {
    let _: crate::settings::Settings = profile.settings()?;
    let known = Sqlite::open_read_only(&profile.database())?.world()?;
    let Some(vendor) = known.vendor.clone() else {
        return Err(Problem::new(Code::NotSignedIn, "Nobody is signed in to Bookiji in this profile."));
    };
    let wiring = match Wiring::open(profile).await {
        Ok(wiring) => wiring,
        Err(problem) => return Ok(Latest { vendor, world: known, wiring: None, stale: Some(problem) }),
    };
    let stale = match refresh(&wiring).await {
        Ok(stale) => stale,
        Err(problem) => Some(problem),
    };
    Ok(Latest { vendor, world: wiring.world()?, wiring: Some(wiring), stale })
}

/// As [`bookings`], in the process that has the profile open.
///
/// # Errors
/// When nobody is signed in, or the mirror cannot be read.
pub async fn of_wiring(wiring: &Wiring) -> Result<Latest, Problem> {
    let nobody = || Problem::new(Code::NotSignedIn, "Nobody is signed in to Bookiji in this profile.");
    let vendor = wiring.world()?.vendor.ok_or_else(nobody)?;
    let stale = refresh(wiring).await.unwrap_or_else(Some);
    Ok(Latest { vendor, world: wiring.world()?, wiring: None, stale })
}

/// Reads her bookings into the mirror. Answers why they are not all as Bookiji has them now, where they are not.
///
/// # Errors
/// When nobody is signed in, or the mirror cannot be written.
pub async fn refresh(wiring: &Wiring) -> Result<Option<Problem>, Problem> {
    wiring.check_session().await?;
    let platform = wiring.platform()?;
    let policy = wiring.policy();
    let parts = Parts {
        mirror: &wiring.mirror,
        platform: &platform,
        accounts: &BTreeMap::new(),
        clock: &wiring.clock,
        policy: sync::policy::Policy { retry: Retry { tries: TRIES, ..policy.retry }, ..policy },
        writer: &wiring.writer,
        progress: &wiring.progress,
    };
    let mut report = Report::new(Direction::ToCalendar, true);
    let read = observe::bookings(&parts, &mut report).await;
    wiring.keep_told()?;
    Ok(match read? {
        KnownBookings::All => None,
        KnownBookings::Only(_) | KnownBookings::None => Some(report.errors.first().map_or_else(
            || Problem::new(Code::CalendarApiError, "Bookiji did not tell all bookings."),
            |error| Problem::from(error.problem()),
        )),
    })
}
