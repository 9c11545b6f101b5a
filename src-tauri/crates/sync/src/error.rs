//! What can go wrong between us and a service, named by what the caller does next.

use std::time::Duration;

use calendar::ics;
use serde::{Deserialize, Serialize};

/// Why a service did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum ServiceError {
    /// The sign-in no longer counts: she must connect again. Never retried.
    #[error("{service} no longer accepts this sign-in ({reason})")]
    SignInExpired { service: String, reason: String },
    /// Signed in, but not allowed to do this.
    #[error("{service} does not allow this ({reason})")]
    Forbidden { service: String, reason: String },
    /// The platform knows her profile under another id than her sign-in, and therefore shows and takes nothing as hers.
    #[error("{service} has not linked her profile with her sign-in, and so shows her none of her bookings")]
    NotLinked { service: String },
    /// A switch on the platform is off (`CALENDAR_SYNC_DISABLED`, `SCHEDULING_DISABLED`): stop quietly.
    #[error("{service} has switched this off ({reason})")]
    SwitchedOff { service: String, reason: String },
    /// The platform keeps a version of its contract that this app does not know: its words may mean something else by now.
    #[error(
        "{service} now works by version {version} of its contract, which this app does not know; nothing is written \
         until the app is updated"
    )]
    OtherContract { service: String, version: String },
    #[error("{service} asks us to slow down")]
    RateLimited { service: String, retry_after: Option<Duration> },
    /// The thing changed since we read it: read again.
    #[error("{service} has a newer version")]
    Stale { service: String },
    /// The thing is not there, or no longer there.
    #[error("{service} does not have it")]
    Gone { service: String },
    /// The id is taken, perhaps by an earlier try of our own: probe it.
    #[error("{service} already has it")]
    Exists { service: String },
    /// The service understood and refuses; asking again gives the same answer.
    #[error("{service} refuses it: {reason}")]
    Rejected { service: String, reason: String },
    /// The service failed on its side (5xx). Nothing says whether it was done; it may say when to come again.
    #[error("{service} failed on its side: {reason}")]
    Failing { service: String, reason: String, retry_after: Option<Duration> },
    /// The answer could not be read as what it should be: HTML, half a body, JSON of another shape.
    #[error("{service} gave an answer that makes no sense: {reason}")]
    Garbled { service: String, reason: String },
    /// What came is whole and no calendar: a sign-in page, another kind of file. Asking again soon brings the same.
    #[error("{service} sends no calendar: {what}")]
    NotACalendar { service: String, what: ics::NotACalendar },
    /// Another computer of hers writes: this one stands by, and she need do nothing.
    #[error("another computer writes for this vendor now")]
    Fenced { service: String },
    /// Nothing was reached, or the connection broke.
    #[error("{service} cannot be reached: {reason}")]
    Unreachable { service: String, reason: String },
    /// The keychain cannot be asked right now (locked, not running). Waiting may help; signing in again does not.
    #[error("the keychain cannot be opened: {reason}")]
    VaultUnavailable { reason: String },
}

impl ServiceError {
    /// Whether the same request may succeed if it is sent again soon.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::RateLimited { .. }
            | Self::Failing { .. }
            | Self::Garbled { .. }
            | Self::Unreachable { .. } => true,
            Self::SignInExpired { .. }
            | Self::Forbidden { .. }
            | Self::NotLinked { .. }
            | Self::SwitchedOff { .. }
            | Self::OtherContract { .. }
            | Self::Stale { .. }
            | Self::Gone { .. }
            | Self::Exists { .. }
            | Self::Rejected { .. }
            | Self::NotACalendar { .. }
            | Self::Fenced { .. }
            | Self::VaultUnavailable { .. } => false,
        }
    }

    /// Whether a write that ended like this may have been done all the same.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        matches!(self, Self::Failing { .. } | Self::Garbled { .. } | Self::Unreachable { .. })
    }

    /// Whether it tells what stands there now, and so what became of an earlier try too.
    #[must_use]
    pub fn says_what_stands(&self) -> bool {
        matches!(self, Self::Gone { .. } | Self::Stale { .. } | Self::Exists { .. })
    }

    /// Whether it was not done because another computer writes.
    #[must_use]
    pub fn is_fenced(&self) -> bool {
        matches!(self, Self::Fenced { .. })
    }

    /// How long the service wants to be left alone.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::RateLimited { retry_after, .. } | Self::Failing { retry_after, .. } = self {
            *retry_after
        } else {
            None
        }
    }

    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::SignInExpired { .. } => Code::OauthTokenExpired,
            Self::Forbidden { .. } => Code::PermissionDenied,
            Self::NotLinked { .. } => Code::ProfileNotLinked,
            Self::SwitchedOff { .. } => Code::SyncSwitchedOff,
            Self::RateLimited { .. } => Code::RateLimitExceeded,
            Self::Stale { .. } | Self::Exists { .. } | Self::Fenced { .. } => Code::ConflictDetected,
            Self::OtherContract { .. }
            | Self::Gone { .. }
            | Self::Rejected { .. }
            | Self::Failing { .. }
            | Self::Garbled { .. } => Code::CalendarApiError,
            Self::NotACalendar { .. } => Code::InvalidIcsFormat,
            Self::Unreachable { .. } => Code::NetworkError,
            Self::VaultUnavailable { .. } => Code::KeychainUnavailable,
        }
    }
}

/// The closed set of codes a person or a script meets: the design's six first, then those the app adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Code {
    OauthTokenExpired,
    CalendarApiError,
    RateLimitExceeded,
    NetworkError,
    InvalidIcsFormat,
    ConflictDetected,
    /// E-mail or password refused.
    InvalidCredentials,
    /// Nobody is signed in to Bookiji in this profile.
    NotSignedIn,
    /// No calendar is connected, or the one named does not exist.
    NotConnected,
    PermissionDenied,
    /// Bookiji has her profile under another id than her sign-in.
    ProfileNotLinked,
    SyncSwitchedOff,
    KeychainUnavailable,
    SettingsInvalid,
    DatabaseTooNew,
    DatabaseError,
    /// The file holds something else than was written to it.
    DatabaseDamaged,
    /// There is no space to write anything down.
    DiskFull,
    /// The profile may only be read.
    ProfileReadOnly,
    /// The clock of this computer is far from that of the services.
    ClockWrong,
    /// Another process is writing this profile.
    AlreadyRunning,
    InvalidInput,
    SignInCancelled,
    /// She stopped what was under way.
    Stopped,
    Internal,
}

impl Code {
    pub const ALL: [Self; 25] = [
        Self::OauthTokenExpired,
        Self::CalendarApiError,
        Self::RateLimitExceeded,
        Self::NetworkError,
        Self::InvalidIcsFormat,
        Self::ConflictDetected,
        Self::InvalidCredentials,
        Self::NotSignedIn,
        Self::NotConnected,
        Self::PermissionDenied,
        Self::ProfileNotLinked,
        Self::SyncSwitchedOff,
        Self::KeychainUnavailable,
        Self::SettingsInvalid,
        Self::DatabaseTooNew,
        Self::DatabaseError,
        Self::DatabaseDamaged,
        Self::DiskFull,
        Self::ProfileReadOnly,
        Self::ClockWrong,
        Self::AlreadyRunning,
        Self::InvalidInput,
        Self::SignInCancelled,
        Self::Stopped,
        Self::Internal,
    ];

    /// The word on the wire, as `serde` writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OauthTokenExpired => "OAUTH_TOKEN_EXPIRED",
            Self::CalendarApiError => "CALENDAR_API_ERROR",
            Self::RateLimitExceeded => "RATE_LIMIT_EXCEEDED",
            Self::NetworkError => "NETWORK_ERROR",
            Self::InvalidIcsFormat => "INVALID_ICS_FORMAT",
            Self::ConflictDetected => "CONFLICT_DETECTED",
            Self::InvalidCredentials => "INVALID_CREDENTIALS",
            Self::NotSignedIn => "NOT_SIGNED_IN",
            Self::NotConnected => "NOT_CONNECTED",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::ProfileNotLinked => "PROFILE_NOT_LINKED",
            Self::SyncSwitchedOff => "SYNC_SWITCHED_OFF",
            Self::KeychainUnavailable => "KEYCHAIN_UNAVAILABLE",
            Self::SettingsInvalid => "SETTINGS_INVALID",
            Self::DatabaseTooNew => "DATABASE_TOO_NEW",
            Self::DatabaseError => "DATABASE_ERROR",
            Self::DatabaseDamaged => "DATABASE_DAMAGED",
            Self::DiskFull => "DISK_FULL",
            Self::ProfileReadOnly => "PROFILE_READ_ONLY",
            Self::ClockWrong => "CLOCK_WRONG",
            Self::AlreadyRunning => "ALREADY_RUNNING",
            Self::InvalidInput => "INVALID_INPUT",
            Self::SignInCancelled => "SIGN_IN_CANCELLED",
            Self::Stopped => "STOPPED",
            Self::Internal => "INTERNAL",
        }
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The mirror could not read or write.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// The file was made by a newer version of the app.
    #[error("this profile was opened by a newer version of the app")]
    TooNew,
    /// Nothing more can be written down before there is space.
    #[error("the local database failed: {reason}")]
    Full { reason: String },
    /// The disk or the folder may only be read.
    #[error("the local database failed: {reason}")]
    ReadOnly { reason: String },
    /// What the file holds is not what was written to it.
    #[error("the local database failed: {reason}")]
    Damaged { reason: String },
    /// Anything else: the text says what.
    #[error("the local database failed: {reason}")]
    Failed { reason: String },
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn only_what_was_found_there_says_what_became_of_an_earlier_try() {
        let service = || "fake".to_owned();
        let reason = service;
        for (error, expected) in [
            (ServiceError::Gone { service: service() }, true),
            (ServiceError::Stale { service: service() }, true),
            (ServiceError::Exists { service: service() }, true),
            (ServiceError::Rejected { service: service(), reason: reason() }, false),
            (ServiceError::Unreachable { service: service(), reason: reason() }, false),
            (ServiceError::Fenced { service: service() }, false),
        ] {
            assert_eq!(error.says_what_stands(), expected, "{error:?}");
        }
    }

    #[test]
    fn every_code_is_one_word_and_the_same_everywhere() {
        let words: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).ok(), Some(code.as_str().into()));
            assert_eq!(code.to_string(), code.as_str());
        }
    }
}
