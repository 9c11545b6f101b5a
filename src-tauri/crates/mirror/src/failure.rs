//! Turns SQLite's errors into a sentence with a cause and one next step. Rows' contents never get into it.

use rusqlite::ErrorCode;
use sync::error::MirrorError;

/// Why a transaction was given up.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{}", sentence(.0))]
    Sql(#[from] rusqlite::Error),
    #[error("the file is damaged ({0}); the next sync sets it aside and builds a new one")]
    Damaged(String),
    /// The rows are fine and the call makes no sense with them.
    #[error("{0}")]
    Refused(String),
}

impl From<Failure> for MirrorError {
    fn from(failure: Failure) -> Self {
        let reason = failure.to_string();
        match failure.kind() {
            Kind::Full => Self::Full { reason },
            Kind::ReadOnly => Self::ReadOnly { reason },
            Kind::Damaged => Self::Damaged { reason },
            Kind::Other => Self::Failed { reason },
        }
    }
}

/// What can be done about a failure.
enum Kind {
    Full,
    ReadOnly,
    Damaged,
    Other,
}

impl Failure {
    fn kind(&self) -> Kind {
        let error = match self {
            Self::Sql(error) => error,
            Self::Damaged(_) => return Kind::Damaged,
            Self::Refused(_) => return Kind::Other,
        };
        if let Some(code) = error.sqlite_error_code() {
            return if code == ErrorCode::DiskFull {
                Kind::Full
            } else if code == ErrorCode::ReadOnly {
                Kind::ReadOnly
            } else if matches!(code, ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) {
                Kind::Damaged
            } else {
                Kind::Other
            };
        }
        if is_unreadable(error) { Kind::Damaged } else { Kind::Other }
    }
}

/// A value that nothing of ours ever wrote.
pub fn is_unreadable(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..)
    )
}

const SENTENCES: &[(ErrorCode, &str)] = &[
    (ErrorCode::DiskFull, "the disk is full; free some space and try again"),
    (ErrorCode::ReadOnly, "the file may only be read; check the rights on the profile's folder"),
    (ErrorCode::CannotOpen, "the file cannot be opened; check the rights on the profile's folder"),
    (ErrorCode::PermissionDenied, "the file cannot be opened; check the rights on the profile's folder"),
    (ErrorCode::NotADatabase, "the file is no database; the next sync sets it aside and builds a new one"),
    (ErrorCode::DatabaseCorrupt, "the file is damaged; the next sync sets it aside and builds a new one"),
    (ErrorCode::DatabaseBusy, "another process is writing to it; close that one, or try again"),
    (ErrorCode::DatabaseLocked, "another process is writing to it; close that one, or try again"),
    (ErrorCode::SystemIoFailure, "the disk failed; check it and try again"),
];

fn sentence(error: &rusqlite::Error) -> String {
    let known = error
        .sqlite_error_code()
        .and_then(|code| SENTENCES.iter().find(|(known, _)| *known == code))
        .map(|(_, sentence)| *sentence);
    match known {
        Some(sentence) => sentence.to_owned(),
        None if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            format!("what is to be written contradicts what is there ({error})")
        }
        None if is_unreadable(error) => {
            format!("the file is damaged ({error}); the next sync sets it aside and builds a new one")
        }
        None => error.to_string(),
    }
}
