//! Runs every case in a room of its own, and says what held, what did not, and what was not asked.

use std::future::Future;

use super::{Cannot, Room, cases, exceptions};

/// How many cases held in a service, and how many it is excepted from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub held: usize,
    pub excepted: usize,
}

/// Runs all cases, each in a new room. Those that the service is excepted from are run, too: an exception that holds by
/// now is one to strike out.
///
/// # Panics
/// When one does not hold, or an exception is none.
pub async fn hold<F, R>(service: &str, open: impl Fn() -> F) -> Tally
where
    F: Future<Output = R>,
    R: Room + 'static,
{
    let mut tally = Tally::default();
    let mut wrong = Vec::new();
    let only = std::env::var("CONTRACT_CASE").unwrap_or_default();
    for case in cases::all().into_iter().filter(|case| case.name.contains(&only)) {
        let room = open().await;
        let run = tokio::spawn(async move { (case.run)(&room).await }).await;
        let outcome = match run {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Cannot(why))) => Err(format!("it cannot: {why}")),
            Err(error) => Err(said(error)),
        };
        match (outcome, exceptions::of(service, case.name)) {
            (Ok(()), None) => tally.held += 1,
            (Err(_), Some(_)) => tally.excepted += 1,
            (Ok(()), Some(reason)) => {
                wrong.push(format!("{}: it holds by now, and is excepted ({reason})", case.name));
            }
            (Err(why), None) => wrong.push(format!("{}: {why}", case.name)),
        }
    }
    let count = wrong.len();
    assert!(wrong.is_empty(), "{service} breaks {count} promises:\n{}", wrong.join("\n"));
    eprintln!("{service}: {} cases held, {} excepted", tally.held, tally.excepted);
    tally
}

/// What a panic said.
fn said(error: tokio::task::JoinError) -> String {
    match error.try_into_panic() {
        Err(error) => error.to_string(),
        Ok(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked").to_owned()
        }
    }
}
