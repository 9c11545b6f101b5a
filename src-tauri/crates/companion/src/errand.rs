//! What a command asks to have changed, as a value: done here where nobody else writes the profile, and handed to the
//! running app otherwise. Whoever does it, the answer is the same.

use std::path::PathBuf;

use jiff::Timestamp;
use mirror::Sqlite;
use serde::{Deserialize, Serialize};
use sync::error::Code;
use sync::ids::CalendarId;
use sync::import::OnConflict;
use sync::ports::Clock;
use sync::world::Direction;

use crate::cli::output::{Outcome, Voice};
use crate::cli::{
    block, calendars, connect, decisions, disconnect, export as exports, import, invite, pause,
    sync as syncs, unblock, undo,
};
use crate::clock::SystemClock;
use crate::door::{self, Called};
use crate::export::{self, Days};
use crate::import::Options;
use crate::lease;
use crate::problem::Problem;
use crate::profile::{Lock, Profile};
use crate::roles::{Change, Choice};
use crate::settings::Settings;
use crate::wiring::Wiring;

/// The app may be starting, or stopping, just now.
const TRIES: u32 = 3;

/// One change. No password and no token is ever part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Errand {
    Sync {
        direction: Direction,
        dry_run: bool,
    },
    Decide {
        id: String,
        option: String,
        always: bool,
    },
    Standing {
        line: String,
    },
    Undo {
        run: String,
    },
    Import {
        /// Absolute: whoever does it stands in another folder.
        files: Vec<PathBuf>,
        on_conflict: Option<OnConflict>,
        dry_run: bool,
    },
    Calendars(Choice),
    Calendar {
        /// Nothing means all of them.
        calendar: Option<CalendarId>,
        change: Change,
    },
    ConnectFeed {
        link: Link,
        name: Option<String>,
    },
    Disconnect {
        connection: String,
        remove_events: bool,
    },
    Export {
        days: Days,
        options: export::Options,
        /// Absolute, as the files of an import are.
        to: PathBuf,
    },
    Invite {
        booking: String,
        cancel: bool,
        to: PathBuf,
    },
    /// Lets a time be booked just this once, whatever her calendars say.
    Unblock {
        from: Timestamp,
        /// Where she names a moment alone, the slot that stands there is meant.
        until: Option<Timestamp>,
    },
    /// Takes that back.
    BlockAgain {
        from: Timestamp,
        until: Timestamp,
    },
    Pause {
        /// Nothing until she takes it back.
        until: Option<Timestamp>,
    },
    Resume,
    /// Nobody can book her then.
    Block {
        start: Timestamp,
        end: Timestamp,
    },
    /// Takes such a block back.
    TakeBackBlock {
        block: String,
    },
}

impl Errand {
    /// Whether Bookiji or her calendars are written what a sync would write them.
    #[must_use]
    pub fn syncs(&self) -> bool {
        match self {
            Self::Sync { dry_run, .. } | Self::Import { dry_run, .. } => !dry_run,
            Self::Decide { .. }
            | Self::Undo { .. }
            | Self::Unblock { .. }
            | Self::BlockAgain { .. }
            | Self::Block { .. }
            | Self::TakeBackBlock { .. } => true,
            Self::Standing { .. }
            | Self::Calendars(_)
            | Self::Calendar { .. }
            | Self::ConnectFeed { .. }
            | Self::Disconnect { .. }
            | Self::Export { .. }
            | Self::Invite { .. }
            | Self::Pause { .. }
            | Self::Resume => false,
        }
    }

    /// What it is called where it takes long and can be stopped in between, as if the process had been killed.
    #[must_use]
    pub fn doing(&self) -> Option<Doing> {
        match self {
            Self::Undo { .. } => Some(Doing::Undo),
            Self::Import { .. } => Some(Doing::Import),
            Self::Disconnect { .. } => Some(Doing::Leave),
            Self::Sync { .. } | Self::Decide { .. } => Some(Doing::Sync),
            Self::Standing { .. }
            | Self::Calendars(_)
            | Self::Calendar { .. }
            | Self::ConnectFeed { .. }
            | Self::Export { .. }
            | Self::Invite { .. }
            | Self::Unblock { .. }
            | Self::BlockAgain { .. }
            | Self::Pause { .. }
            | Self::Resume
            | Self::Block { .. }
            | Self::TakeBackBlock { .. } => None,
        }
    }
}

/// What somebody who waits is told is done meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Doing {
    Sync,
    Import,
    Undo,
    Leave,
}

/// Who knows it can read the calendar, so it cannot be formatted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Link(pub String);

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Link")
    }
}

/// Does it, or has it done by the process that writes this profile.
///
/// # Errors
/// What the errand itself comes to, or why nobody can do it.
pub async fn run(profile: &Profile, voice: Voice, errand: &Errand) -> Result<Outcome, Problem> {
    let _: Settings = profile.settings()?;
    let mut tried = 0;
    loop {
        let refused = match profile.lock().await {
            Ok(lock) => return alone(profile, lock, voice, errand).await,
            Err(problem) if problem.code == Code::AlreadyRunning => problem,
            Err(problem) => return Err(problem),
        };
        match door::call(profile, errand).await {
            Called::Answered(answer) => return answer,
            Called::NobodyThere if tried < TRIES => tried += 1,
            // Another command, which listens to nobody.
            Called::NobodyThere => return Err(refused),
        }
    }
}

/// Where no secret is needed, nobody is asked for a passphrase.
async fn alone(profile: &Profile, lock: Lock, voice: Voice, errand: &Errand) -> Result<Outcome, Problem> {
    let open = || {
        let (mirror, rebuilt) = Sqlite::open_kept(&profile.database(), SystemClock.now())?;
        rebuilt.inspect(|rebuilt| syncs::tell(rebuilt, voice));
        Ok(mirror)
    };
    if let Some(outcome) = on_mirror(&open, errand) {
        return outcome;
    }
    let wiring = Wiring::open_locked(profile, lock).await?;
    if let Some(rebuilt) = &wiring.rebuilt {
        syncs::tell(rebuilt, voice);
    }
    let done = perform(&wiring, errand).await;
    // Nobody stays to renew it.
    lease::release(&wiring).await;
    done
}

/// Does it, in the process that writes the profile.
///
/// # Errors
/// What the errand itself comes to.
pub async fn perform(wiring: &Wiring, errand: &Errand) -> Result<Outcome, Problem> {
    match errand {
        Errand::Sync { direction, dry_run } => syncs::once(wiring, *direction, *dry_run).await,
        Errand::Decide { id, option, always } => decisions::decide(wiring, id, option, *always).await,
        Errand::Standing { line } => decisions::set_standing(&wiring.mirror, line),
        Errand::Undo { run } => undo::run(wiring, run).await,
        Errand::Import { files, on_conflict, dry_run } => {
            let options = Options { on_conflict: *on_conflict, dry_run: *dry_run, ..Options::default() };
            import::take(wiring, files, &options).await
        }
        Errand::ConnectFeed { link, name } => connect::link_feed(wiring, &link.0, name.as_deref()).await,
        Errand::Disconnect { connection, remove_events } => {
            disconnect::run(wiring, connection, *remove_events).await
        }
        Errand::Calendars(choice) => calendars::choose(&wiring.mirror, choice),
        Errand::Calendar { calendar, change } => calendars::change(&wiring.mirror, calendar.as_ref(), change),
        Errand::Export { days, options, to } => exports::of_wiring(wiring, days, to, options).await,
        Errand::Invite { booking, cancel, to } => invite::of_wiring(wiring, booking, *cancel, to).await,
        Errand::Unblock { from, until } => unblock::unblock(wiring, *from, *until).await,
        Errand::BlockAgain { from, until } => unblock::block_again(wiring, *from, *until).await,
        Errand::Pause { until } => pause::begin(&wiring.mirror, *until),
        Errand::Resume => pause::end(&wiring.mirror),
        Errand::Block { start, end } => block::take(wiring, *start, *end).await,
        Errand::TakeBackBlock { block } => block::take_back(wiring, block).await,
    }
}

fn on_mirror(
    open: &dyn Fn() -> Result<Sqlite, Problem>,
    errand: &Errand,
) -> Option<Result<Outcome, Problem>> {
    let done = |on: &dyn Fn(&Sqlite) -> Result<Outcome, Problem>| open().and_then(|mirror| on(&mirror));
    match errand {
        Errand::Calendars(choice) => Some(done(&|mirror| calendars::choose(mirror, choice))),
        Errand::Calendar { calendar, change } => {
            Some(done(&|mirror| calendars::change(mirror, calendar.as_ref(), change)))
        }
        Errand::Pause { until } => Some(done(&|mirror| pause::begin(mirror, *until))),
        Errand::Standing { line } => Some(done(&|mirror| decisions::set_standing(mirror, line))),
        Errand::Resume => Some(done(&pause::end)),
        Errand::Sync { .. }
        | Errand::Decide { .. }
        | Errand::Undo { .. }
        | Errand::Import { .. }
        | Errand::ConnectFeed { .. }
        | Errand::Disconnect { .. }
        | Errand::Unblock { .. }
        | Errand::Export { .. }
        | Errand::Invite { .. }
        | Errand::BlockAgain { .. }
        | Errand::Block { .. }
        | Errand::TakeBackBlock { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_link_cannot_be_formatted() {
        let link = Link("https://school.example/secret-0123.ics".to_owned());
        let errand = Errand::ConnectFeed { link, name: None };
        assert!(!format!("{errand:?}").contains("secret"), "{errand:?}");
    }

    #[test]
    fn what_is_no_errand_is_not_taken_for_one() {
        for line in [
            r#"{"do":"shell","line":"rm -rf /"}"#,
            r#"{"do":"sync","direction":"bidirectional","dry_run":false,"also":"this"}"#,
            r#"{"do":"sync","direction":"sideways","dry_run":false}"#,
            "{}",
        ] {
            assert!(serde_json::from_str::<Errand>(line).is_err(), "{line}");
        }
    }
}
