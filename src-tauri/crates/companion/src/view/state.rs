//! The six states, and which of two is worse.

use serde::Serialize;
use sync::error::Code;

/// From best to worst: the worst of many is the one that shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum State {
    UpToDate,
    Syncing,
    Paused,
    /// Somebody cannot be reached. It is tried again without her.
    Offline,
    /// Only she can go on.
    NeedsYou,
    Error,
}

impl State {
    pub const ALL: [Self; 6] =
        [Self::UpToDate, Self::Syncing, Self::Paused, Self::Offline, Self::NeedsYou, Self::Error];

    /// The word on the wire, as `serde` writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UpToDate => "up_to_date",
            Self::Syncing => "syncing",
            Self::Paused => "paused",
            Self::Offline => "offline",
            Self::NeedsYou => "needs_you",
            Self::Error => "error",
        }
    }

    /// What a problem with this code makes of whatever has it.
    #[must_use]
    pub fn of_code(code: Code) -> Self {
        match code {
            Code::NetworkError | Code::RateLimitExceeded => Self::Offline,
            Code::SyncSwitchedOff => Self::Paused,
            Code::OauthTokenExpired
            | Code::ConflictDetected
            | Code::InvalidCredentials
            | Code::NotSignedIn
            | Code::NotConnected
            | Code::PermissionDenied
            | Code::ProfileNotLinked
            | Code::KeychainUnavailable
            | Code::ClockWrong
            | Code::SignInCancelled => Self::NeedsYou,
            Code::Stopped => Self::UpToDate,
            Code::CalendarApiError
            | Code::InvalidIcsFormat
            | Code::SettingsInvalid
            | Code::DatabaseTooNew
            | Code::DatabaseError
            | Code::DatabaseDamaged
            | Code::DiskFull
            | Code::ProfileReadOnly
            | Code::AlreadyRunning
            | Code::InvalidInput
            | Code::Internal => Self::Error,
        }
    }
}
