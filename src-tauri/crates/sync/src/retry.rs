//! Sends a request again where that can help, and waits in between as the service asks.

use std::future::Future;

use crate::error::ServiceError;
use crate::policy::Retry;
use crate::ports::{Clock, Identified, Reading};

/// Repeats `attempt` while it fails in a way that may pass.
///
/// # Errors
/// The last error, once the tries are used up or another try cannot help.
pub async fn with_retry<T, F, A>(clock: &dyn Clock, retry: &Retry, mut attempt: A) -> Result<T, ServiceError>
where
    A: FnMut() -> F,
    F: Future<Output = Result<T, ServiceError>>,
{
    let mut failed = 0;
    loop {
        let error = match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        failed += 1;
        match wait(clock, retry, failed, &error) {
            Some(wait) => clock.wait(wait).await,
            None => return Err(error),
        }
    }
}

/// As [`with_retry`], for readings: one that ends half-way is worth another try from the start. What it told of changes
/// still holds where the next one, which may come from a copy that lags behind, does not speak of it.
pub async fn read_with_retry<Item, Key, F, A>(
    clock: &dyn Clock,
    retry: &Retry,
    mut attempt: A,
) -> Reading<Item, Key>
where
    Item: Identified<Key>,
    Key: PartialEq,
    A: FnMut() -> F,
    F: Future<Output = Reading<Item, Key>>,
{
    let mut failed = 0;
    let mut half = Vec::new();
    loop {
        let mut reading = attempt().await;
        if let Reading::Delta { changed, removed, .. } = &mut reading {
            half.retain(|told: &Item| {
                changed.iter().all(|item| item.id() != told.id()) && !removed.contains(told.id())
            });
            changed.append(&mut half);
        }
        let (Reading::Failed(error) | Reading::Partial { reason: error, .. }) = &reading else {
            return reading;
        };
        failed += 1;
        let Some(wait) = wait(clock, retry, failed, error) else { return reading };
        if let Reading::Partial { items, .. } = reading {
            half = items;
        }
        clock.wait(wait).await;
    }
}

fn wait(clock: &dyn Clock, retry: &Retry, failed: u32, error: &ServiceError) -> Option<std::time::Duration> {
    if !error.may_pass() {
        return None;
    }
    retry.wait_after(failed, error.retry_after(), clock.jitter())
}
