//! What one run learns of an account for the next ones of the same process: how fast it may be asked, when it was last
//! looked for, and which sign-in its server refused. Nothing of it is stored.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use sync::error::ServiceError;
use tokio::time::Instant;

use crate::http::Gate;

/// Shared by everybody who asks one account. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Dealings {
    pub(super) gate: Gate,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Debug, Default)]
struct Memory {
    looked: Option<Instant>,
    refused: Option<Refused>,
}

#[derive(Debug)]
struct Refused {
    sign_in: Seal,
    at: Instant,
    error: ServiceError,
}

/// Which sign-in it was, without what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seal([u8; 32]);

impl Seal {
    pub fn of(secret: &SecretString) -> Self {
        Self(Sha256::digest(secret.expose_secret()).into())
    }
}

/// An account that may have moved is looked for no more often.
const LOOK_AGAIN: Duration = Duration::from_hours(1);

/// A password that was refused is tried no more often: providers lock accounts for a few wrong ones. It is tried again at
/// all because some refuse the right one while they are in trouble.
const TRY_AGAIN: Duration = Duration::from_hours(1);

impl Dealings {
    /// Of an account that bears another pace than most.
    #[must_use]
    pub fn at_the_pace_of(gate: Gate) -> Self {
        Self { gate, ..Self::default() }
    }

    /// Whether the account may be looked for now, which is then done.
    pub(super) fn may_look(&self) -> bool {
        let mut memory = self.memory();
        let may = memory.looked.is_none_or(|at| at.elapsed() >= LOOK_AGAIN);
        if may {
            memory.looked = Some(Instant::now());
        }
        may
    }

    pub(super) fn was_refused(&self, sign_in: Seal, error: &ServiceError) {
        self.memory().refused = Some(Refused { sign_in, at: Instant::now(), error: error.clone() });
    }

    /// What the server said to this very sign-in not long ago.
    pub(super) fn refusal(&self, sign_in: Seal) -> Option<ServiceError> {
        let memory = self.memory();
        let refused = memory.refused.as_ref()?;
        let holds = refused.sign_in == sign_in && refused.at.elapsed() < TRY_AGAIN;
        holds.then(|| refused.error.clone())
    }

    /// She has signed in anew: whatever was refused before is tried again.
    pub fn forgive(&self) {
        self.memory().refused = None;
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_refused_is_not_tried_for_an_hour_unless_it_is_another_sign_in_or_she_says_so() {
        let dealings = Dealings::default();
        let error = ServiceError::SignInExpired { service: "caldav".to_owned(), reason: "no".to_owned() };
        let [old, new] = ["old", "new"].map(|text| Seal::of(&SecretString::from(text)));
        assert_eq!(dealings.refusal(old), None);
        dealings.was_refused(old, &error);
        assert_eq!((dealings.clone().refusal(old), dealings.refusal(new)), (Some(error.clone()), None));
        tokio::time::advance(Duration::from_mins(59)).await;
        assert_eq!(dealings.refusal(old), Some(error.clone()));
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(dealings.refusal(old), None);
        dealings.was_refused(old, &error);
        dealings.forgive();
        assert_eq!(dealings.refusal(old), None);
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_is_looked_for_once_an_hour() {
        let dealings = Dealings::default();
        assert!(dealings.may_look() && !dealings.clone().may_look());
        tokio::time::advance(LOOK_AGAIN).await;
        assert!(dealings.may_look());
    }
}
