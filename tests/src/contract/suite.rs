//! Runs every case in a room of its own, and says what held, what did not, and what was not asked.

use std::future::Future;

use super::{Cannot, Case, Room, cases, exceptions, lies};

/// How many cases held in a service, and how many it is excepted from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub held: usize,
    pub excepted: usize,
}

/// Some panics show whole calendars.
const LONGEST: usize = 600;

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
        match (outcome(&case, open().await).await, exceptions::of(service, case.name)) {
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

/// Lies to every case that is written down for one of the lies, each in a new room.
///
/// # Panics
/// When a case holds that was to find out, or one does not that was to survive.
pub async fn lied_to<F, R>(service: &str, open: impl Fn() -> F)
where
    F: Future<Output = R>,
    R: Room + 'static,
{
    let mut wrong = Vec::new();
    for lie in lies::LIES {
        for (name, found_out) in lie.cases {
            let case = cases::all().into_iter().find(|case| case.name == *name).expect("a case");
            let room = open().await;
            room.goes_wrong(None, lie.kind).await.expect("a lie that it knows");
            match (outcome(&case, room).await, found_out.contains(&service)) {
                (Ok(()), false) | (Err(_), true) => {}
                (Ok(()), true) => wrong.push(format!("{} was not found out by {name}", lie.kind)),
                (Err(why), false) => wrong.push(format!("{name} did not survive {}: {why}", lie.kind)),
            }
        }
    }
    assert!(wrong.is_empty(), "{service} lies otherwise than is written down:\n{}", wrong.join("\n"));
}

async fn outcome<R: Room + 'static>(case: &Case, room: R) -> Result<(), String> {
    let run = case.run;
    match tokio::spawn(async move { run(&room).await }).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(Cannot(why))) => Err(format!("it cannot: {why}")),
        Err(error) => Err(said(error)),
    }
}

/// What a panic said, as far as it helps.
fn said(error: tokio::task::JoinError) -> String {
    match error.try_into_panic() {
        Err(error) => error.to_string(),
        Ok(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked");
            text.chars().take(LONGEST).collect()
        }
    }
}
