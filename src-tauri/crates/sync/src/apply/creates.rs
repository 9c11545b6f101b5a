//! Creates several events with one request, where their service takes several: all are intended, then sent, then each
//! is settled by its own answer. What holds for one write holds for each of them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Ended, GENERATIONS, Judged, Sender, Way, Writing, used_up};
use crate::booking::Draft;
use crate::error::{MirrorError, ServiceError};
use crate::ids::CalendarId;
use crate::world::{Operation, OperationId};

/// The writes in their order, except that a calendar's creations come together where the first of them stands, as many
/// at once as `at_once` says.
pub(super) fn together<'p>(
    writes: &'p [Operation],
    at_once: impl Fn(&CalendarId) -> usize,
) -> Vec<Vec<&'p Operation>> {
    let mut steps: Vec<Vec<&'p Operation>> = Vec::new();
    // Where the step is that the calendar's next creation joins.
    let mut open: BTreeMap<&CalendarId, usize> = BTreeMap::new();
    for operation in writes {
        let Operation::CreateEvent { calendar, .. } = operation else {
            steps.push(vec![operation]);
            continue;
        };
        match open.get(calendar) {
            Some(&at) if steps[at].len() < at_once(calendar) => steps[at].push(operation),
            Some(_) | None => {
                open.insert(calendar, steps.len());
                steps.push(vec![operation]);
            }
        }
    }
    steps
}

/// One of them, until it is settled.
struct One<'p, 'a> {
    operation: &'p Operation,
    way: Way<'a>,
    id: OperationId,
    draft: Draft,
    failed: u32,
    /// How many ids it was sent under.
    lives: u32,
}

/// What an answer means for one of them.
enum Next {
    Ended(Ended),
    /// To be sent again, after that long.
    Again(Duration),
}

impl Writing<'_, '_> {
    pub(super) fn creates_at_once(&self, calendar: &CalendarId) -> usize {
        let linked = self.world.calendars.get(calendar);
        let account = linked.and_then(|linked| Some((linked, self.parts.accounts.get(&linked.connection)?)));
        account.map_or(1, |(linked, account)| account.calendar(&linked.remote).creates_at_once())
    }

    /// Creates events of one calendar. Answers whether something must be planned again.
    pub(super) async fn create_together(&mut self, operations: &[&Operation]) -> Result<bool, MirrorError> {
        let parts = self.parts;
        let mut waiting = Vec::new();
        for &operation in operations {
            let (Some(way), Operation::CreateEvent { draft, .. }) = (self.way_to(operation), operation)
            else {
                continue;
            };
            let id = parts.mirror.intend(self.run, operation, parts.clock.now())?;
            waiting.push(One { operation, way, id, draft: draft.clone(), failed: 0, lives: 1 });
        }
        let Some(first) = waiting.first() else { return Ok(false) };
        let calendar = first.way.account.calendar(&first.way.linked.remote);
        let mut again = false;
        while !waiting.is_empty() {
            if let Err(error) = parts.writer.admit(parts).await {
                for one in waiting {
                    let ended = Ended::Failed { error: error.clone() };
                    again |= self.conclude(one.operation, &one.way, one.id, ended)?;
                }
                break;
            }
            for one in &waiting {
                parts.mirror.attempted(one.id, parts.clock.now())?;
            }
            let drafts: Vec<Draft> = waiting.iter().map(|one| one.draft.clone()).collect();
            let mut answers = calendar.create_all(&drafts).await.into_iter();
            let mut left = Vec::new();
            let mut pause = Duration::ZERO;
            let mut in_the_dark = false;
            for mut one in waiting {
                let sender = Sender {
                    parts,
                    operation: one.id,
                    calendar: calendar.as_ref(),
                    linked: one.way.linked,
                    mapping: one.way.mapping,
                };
                let next = match answers.next().unwrap_or_else(|| Err(unanswered())) {
                    Ok(event) => Next::Ended(Ended::Done(sender.stored(&one.draft, &event))),
                    // Asking failed for the one before, after as many tries as are reasonable.
                    Err(error) if in_the_dark && error.outcome_unknown() => {
                        Next::Ended(Ended::Open { error })
                    }
                    Err(error) => sender.after(&mut one, error).await,
                };
                match next {
                    Next::Ended(ended) => {
                        in_the_dark |= matches!(ended, Ended::Open { .. });
                        again |= self.conclude(one.operation, &one.way, one.id, ended)?;
                    }
                    Next::Again(wait) => {
                        pause = pause.max(wait);
                        left.push(one);
                    }
                }
            }
            waiting = left;
            if !pause.is_zero() {
                parts.clock.wait(pause).await;
            }
        }
        Ok(again)
    }
}

impl Sender<'_> {
    async fn after(&self, one: &mut One<'_, '_>, error: ServiceError) -> Next {
        one.failed += 1;
        match self.judge(error, || self.calendar.find(&one.draft)).await {
            Judged::Found(event) => Next::Ended(self.found(&one.draft, event)),
            Judged::NotThere(error) if self.is_used_up(&one.draft, &error) => self.next_life(one),
            Judged::NotThere(error) | Judged::Failed(error) => Next::Ended(Ended::Failed { error }),
            Judged::Open(error) => Next::Ended(Ended::Open { error }),
            Judged::Burnt => self.next_life(one),
            Judged::Again(error) => {
                let retry = &self.parts.policy.retry;
                match retry.wait_after(one.failed, error.retry_after(), self.parts.clock.jitter()) {
                    Some(wait) => Next::Again(wait),
                    None => Next::Ended(Ended::Failed { error }),
                }
            }
        }
    }

    fn next_life(&self, one: &mut One<'_, '_>) -> Next {
        if one.lives >= GENERATIONS {
            return Next::Ended(Ended::Failed { error: used_up() });
        }
        self.live_again(&mut one.draft);
        (one.lives, one.failed) = (one.lives + 1, 0);
        Next::Again(Duration::ZERO)
    }
}

fn unanswered() -> ServiceError {
    let reason = "its answer leaves out some of what was asked".to_owned();
    ServiceError::Garbled { service: "the calendar".to_owned(), reason }
}
