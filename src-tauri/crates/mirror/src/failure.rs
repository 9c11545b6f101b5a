//! Turns SQLite's errors into a sentence with a cause and one next step. Rows' contents never get into it.

use rusqlite::ErrorCode;
use sync::error::MirrorError;

/// Why a transaction was given up.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{}", sentence(.0))]
    Sql(#[from] rusqlite::Error),
    /// The rows are fine and the call makes no sense with them.
    #[error("{0}")]
    Refused(String),
}

impl From<Failure> for MirrorError {
    fn from(failure: Failure) -> Self {
        Self::Failed { reason: failure.to_string() }
    }
}

const SENTENCES: &[(ErrorCode, &str)] = &[
    (ErrorCode::DiskFull, "the disk is full; free some space and try again"),
    (ErrorCode::ReadOnly, "the file may only be read; check the rights on the profile's folder"),
    (ErrorCode::CannotOpen, "the file cannot be opened; check the rights on the profile's folder"),
    (ErrorCode::PermissionDenied, "the file cannot be opened; check the rights on the profile's folder"),
    (ErrorCode::NotADatabase, "the file is no database; move it away and sign in again"),
    (ErrorCode::DatabaseCorrupt, "the file is damaged; move it away and sign in again"),
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
        None => error.to_string(),
    }
}
