//! Two computers at the same time, on one thread: each stops before every request, and the dice say who goes on. While one
//! sleeps, time passes, and the other has the world for itself.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use sync::error::MirrorError;
use sync::report::Report;

use super::device::Ended;
use super::stage::{Shared, on};

pub type Running<'a> = Pin<Box<dyn Future<Output = Result<Report, MirrorError>> + 'a>>;

/// Where two run, ends when it is this one's turn again.
pub async fn turn(stage: &Shared) {
    if on(stage).together {
        let mut had = false;
        std::future::poll_fn(
            |_| if std::mem::replace(&mut had, true) { Poll::Ready(()) } else { Poll::Pending },
        )
        .await;
    }
}

/// Goes on with the run of one device, up to its next request if two are under way, and says how it ended, if it did.
pub fn go_on(stage: &Shared, device: usize, running: &mut Running<'_>) -> Option<Ended> {
    let polled =
        catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(&mut Context::from_waker(Waker::noop()))));
    let (killed, together) = {
        let stage = on(stage);
        (stage.runs[device].dead, stage.together)
    };
    match polled {
        Err(panic) => Some(Ended::Broken(format!("a panic: {}", words(panic.as_ref())))),
        Ok(_) if killed => Some(Ended::Killed),
        Ok(Poll::Ready(Ok(report))) => Some(Ended::Reported(Box::new(report))),
        Ok(Poll::Ready(Err(error))) => Some(Ended::Broken(format!("the mirror failed: {error}"))),
        Ok(Poll::Pending) if together => None,
        // Nothing else waits: all that answers, answers at once.
        Ok(Poll::Pending) => Some(Ended::Broken("the run waits for ever".to_owned())),
    }
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
