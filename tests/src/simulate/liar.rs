//! The services as a device meets them: they keep the contract, lie when the weather says so, and watch what is asked
//! of them. A promise that is broken by a request is seen here, at the moment of it.

mod calendar;
mod events;
mod lie;
mod platform;
mod slots;
mod watch;
mod watch_answers;

use std::fmt::Write as _;

use sync::error::ServiceError;
use sync::ports::Reading;

use self::lie::{Bent, bent, refusal, takes_its_time};
pub use self::watch::ANY;
use super::stage::{Place, Shared, Stage, on};
use super::turns::turn;
use super::weather::{Call, Lie, Turn};
use crate::crash::Moment;

/// Both services, as one device reaches them.
#[derive(Clone)]
pub struct Liar {
    pub stage: Shared,
    pub device: usize,
}

/// What a service may answer with.
trait Answer {
    fn refused(error: ServiceError) -> Self;
    fn told(&self) -> String;
}

impl<T> Answer for Result<T, ServiceError> {
    fn refused(error: ServiceError) -> Self {
        Err(error)
    }

    fn told(&self) -> String {
        match self {
            Ok(_) => "done".to_owned(),
            Err(error) => error.to_string(),
        }
    }
}

impl<I, K> Answer for Reading<I, K> {
    fn refused(error: ServiceError) -> Self {
        Self::Failed(error)
    }

    fn told(&self) -> String {
        match self {
            Self::Snapshot { items, .. } => format!("all {}", items.len()),
            Self::Delta { changed, removed, .. } => {
                format!("{} changed, {} gone", changed.len(), removed.len())
            }
            Self::Partial { items, .. } => format!("{} and then no more", items.len()),
            Self::CursorLost => "cursor lost".to_owned(),
            Self::Failed(error) => error.to_string(),
        }
    }
}

impl Liar {
    /// Serves one request, or lies, or never answers because the process that asked is no more. She may lay her hand on
    /// the event that it is about.
    async fn serve<A: Answer>(
        &self,
        call: Call,
        place: Option<&Place>,
        about: String,
        done: impl FnOnce(&mut Stage, Option<Lie>) -> A + Send,
    ) -> A {
        on(&self.stage).runs[self.device].about_to = Some(call);
        turn(&self.stage).await;
        let answer = {
            let stage = &mut *on(&self.stage);
            stage.device = self.device;
            answered(stage, call, place, about, done)
        };
        match answer {
            Some(answer) => answer,
            // What a process that was killed waits for.
            None => std::future::pending().await,
        }
    }
}

fn answered<A: Answer>(
    stage: &mut Stage,
    call: Call,
    place: Option<&Place>,
    about: String,
    done: impl FnOnce(&mut Stage, Option<Lie>) -> A,
) -> Option<A> {
    let mut line = format!("{call:?} {about}: ");
    let turn = stage.arrive(call, place);
    if call.changes_something() && !matches!(turn, Turn::Dead | Turn::Dies(Moment::Before)) {
        stage.watch_right(&line);
    }
    let answer = match turn {
        Turn::Dead => return None,
        Turn::Dies(Moment::Before) => {
            line.push_str("the process dies before it is sent");
            None
        }
        Turn::Dies(Moment::After) => {
            let told = unheard(stage, done);
            let _ = write!(line, "{}, and the process dies", told.told());
            None
        }
        Turn::Lying(lie) => {
            watch_answers::asks_again(stage, call);
            let answer = match bent(lie) {
                Bent::NotDone => A::refused(refusal(lie)),
                Bent::Unanswered => {
                    line.push_str(&unheard(stage, done).told());
                    A::refused(refusal(lie))
                }
                Bent::Answered => {
                    takes_its_time(stage, lie);
                    let told = done(stage, Some(lie));
                    line.push_str(&told.told());
                    told
                }
            };
            let _ = write!(line, " ({})", lie.words());
            Some(answer)
        }
        Turn::Honest => {
            let told = done(stage, None);
            line.push_str(&told.told());
            Some(told)
        }
    };
    stage.say_within(line);
    answer
}

/// Does what is asked, and tells the device nothing about it.
fn unheard<A>(stage: &mut Stage, done: impl FnOnce(&mut Stage, Option<Lie>) -> A) -> A {
    let known = stage.told().clone();
    let answer = done(stage, None);
    *stage.told() = known;
    answer
}
