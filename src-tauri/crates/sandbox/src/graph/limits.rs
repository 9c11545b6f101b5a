//! Outlook's limits for one app in one mailbox: four requests at a time, ten thousand in ten minutes.

use super::refusal::Refusal;
use crate::app::App;
use std::sync::atomic::Ordering;

const AT_A_TIME: usize = 4;
const IN_A_WINDOW: u32 = 10_000;
const WINDOW_S: i64 = 600;

/// One of the places that there are, taken until it is dropped.
pub struct Turn(App);

/// # Errors
/// 429 when all places are taken.
pub fn enter(app: &App) -> Result<Turn, Refusal> {
    let turn = Turn(app.clone());
    if app.outlook_open().fetch_add(1, Ordering::SeqCst) < AT_A_TIME {
        Ok(turn)
    } else {
        Err(Refusal::throttled("Application is over its MailboxConcurrency limit."))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.outlook_open().fetch_sub(1, Ordering::SeqCst);
    }
}

/// # Errors
/// 429 when the mailbox was asked too often.
pub fn count(app: &App, account: &str) -> Result<(), Refusal> {
    let now = app.clock().now().as_second();
    let mut asked = app.outlook_asked();
    let (since, times) = asked.entry(account.to_owned()).or_insert((now, 0));
    if now - *since >= WINDOW_S {
        (*since, *times) = (now, 0);
    }
    *times += 1;
    if *times > IN_A_WINDOW {
        return Err(Refusal::throttled("Application is over its request limit for this mailbox."));
    }
    Ok(())
}
