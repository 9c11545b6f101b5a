//! Where a vendor's sync waits for its turn and gives it back. [`Turns`] decides; this wakes whoever may begin, ends a
//! run that takes too long, and says how long whoever needed one is to be left alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use connectors::http::{Budget, Http};
use connectors::ics::Fetcher;
use jiff::Timestamp;
use sync::error::Code;
use sync::ids::Service;
use sync::policy::back_off;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::Instant;

use super::limits::Limits;
use super::turns::{Bounds, Ticket, Turns};
use crate::problem::Problem;
use crate::settings::{NetworkSettings, Settings};
use crate::wiring;

/// What all vendors of one computer share. Cloning shares it.
#[derive(Clone)]
pub struct Door(Arc<Shared>);

struct Shared {
    limits: Limits,
    http: Http,
    fetcher: Mutex<Option<Fetcher>>,
    /// One for each Bookiji: a profile may be another one's than its neighbour.
    budgets: Mutex<BTreeMap<String, Budget>>,
    queue: Mutex<Queue>,
    lines: Arc<Semaphore>,
}

/// So many vendors hear of Bookiji at once; the others ask each minute. Each holds a line open, and opening one is a call of
/// the few that a computer may make.
const LINES: usize = 8;

struct Queue {
    turns: Turns,
    asleep: BTreeMap<Ticket, oneshot::Sender<()>>,
    closed: bool,
}

impl Door {
    /// # Errors
    /// When secure connections cannot be set up on this computer.
    pub fn new(limits: Limits) -> Result<Self, Problem> {
        let bounds = Bounds { at_once: limits.runs_at_once, per_service: limits.runs_at_once_per_service };
        Ok(Self(Arc::new(Shared {
            limits,
            http: wiring::http(&NetworkSettings::default())?,
            fetcher: Mutex::default(),
            budgets: Mutex::default(),
            queue: Mutex::new(Queue { turns: Turns::new(bounds), asleep: BTreeMap::new(), closed: false }),
            lines: Arc::new(Semaphore::new(LINES)),
        })))
    }

    /// A vendor's place before the door.
    #[must_use]
    pub fn place(&self, who: &str) -> Place {
        Place { door: self.clone(), who: who.into(), overruns: Arc::default() }
    }

    /// Nobody begins any more. Who runs may end.
    pub fn close(&self) {
        let mut queue = self.queue();
        queue.closed = true;
        queue.asleep.clear();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        lock(&self.0.queue)
    }

    fn let_in(&self) {
        let queue = &mut *self.queue();
        for ticket in queue.turns.admit() {
            if let Some(sleeper) = queue.asleep.remove(&ticket) {
                // Who has just gone away gives the turn back by that.
                let _ = sleeper.send(());
            }
        }
    }
}

/// One vendor among those who share a computer.
#[derive(Clone)]
pub struct Place {
    door: Door,
    who: Arc<str>,
    overruns: Arc<Mutex<Overruns>>,
}

#[derive(Default)]
struct Overruns {
    /// Runs in a row that took too long.
    in_a_row: u32,
    until: Option<Instant>,
}

impl Place {
    /// The HTTP stack for a profile with these settings: shared connections unless her network is another, shared budget,
    /// counters of its own.
    pub fn http(&self, settings: &Settings) -> Result<Http, Problem> {
        let shared = &self.door.0;
        let budget = || Budget::any_minute(shared.limits.bookiji_calls_a_minute);
        let whose = settings.endpoints.bookiji.origin().ascii_serialization();
        let budget = lock(&shared.budgets).entry(whose).or_insert_with(budget).clone();
        let http = if settings.network == NetworkSettings::default() {
            shared.http.beside()
        } else {
            wiring::http(&settings.network)?
        };
        Ok(http.with_bookiji_budget(budget))
    }

    /// What reads calendar links: shared connections, counters of this profile.
    pub fn fetcher(&self, network: &NetworkSettings, http: &Http) -> Result<Fetcher, Problem> {
        if *network != NetworkSettings::default() {
            return wiring::fetcher(network, http.counters().clone());
        }
        let mut shared = lock(&self.door.0.fetcher);
        let fetcher = match &*shared {
            Some(fetcher) => fetcher.clone(),
            None => shared.insert(wiring::fetcher(network, http.counters().clone())?).clone(),
        };
        Ok(fetcher.beside(http.counters().clone()))
    }

    /// The right to hold a line to Bookiji open, if one is left. Dropping it gives it back.
    #[must_use]
    pub fn line(&self) -> Option<OwnedSemaphorePermit> {
        self.door.0.lines.clone().try_acquire_owned().ok()
    }

    /// Says when her last sync was, by what stands in her mirror.
    pub fn introduce(&self, last_sync: Option<Timestamp>) {
        self.door.queue().turns.introduce(&self.who, last_sync);
    }

    /// Waits for her turn, then does `work`, for as long as a turn may take.
    ///
    /// # Errors
    /// Those of the work; and when it takes too long, or nobody may begin any more.
    pub async fn in_turn<T>(
        &self,
        services: BTreeSet<Service>,
        work: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let _turn = self.enter(services).await?;
        let longest = self.door.0.limits.run_at_most;
        match tokio::time::timeout(longest, work).await {
            Ok(done) => {
                *lock(&self.overruns) = Overruns::default();
                done
            }
            Err(_) => {
                let mut overruns = lock(&self.overruns);
                overruns.in_a_row = overruns.in_a_row.saturating_add(1);
                overruns.until = Instant::now().checked_add(back_off(overruns.in_a_row, None));
                Err(too_long(longest))
            }
        }
    }

    /// For how long nothing is to be begun by itself, after runs that took too long. Else as many accounts that hang as there
    /// are places would hold them nearly all the time.
    #[must_use]
    pub fn rests(&self) -> Option<Duration> {
        let left = lock(&self.overruns).until?.checked_duration_since(Instant::now())?;
        (!left.is_zero()).then_some(left)
    }

    async fn enter(&self, services: BTreeSet<Service>) -> Result<Turn, Problem> {
        let (turn, begins) = {
            let mut queue = self.door.queue();
            if queue.closed {
                return Err(closing());
            }
            let ticket = queue.turns.ask(&self.who, services);
            let (wake, begins) = oneshot::channel();
            queue.asleep.insert(ticket, wake);
            (Turn { door: self.door.clone(), ticket }, begins)
        };
        self.door.let_in();
        begins.await.map_err(|_| closing())?;
        Ok(turn)
    }
}

/// A turn, or the wait for one; given back when dropped.
struct Turn {
    door: Door,
    ticket: Ticket,
}

impl Drop for Turn {
    fn drop(&mut self) {
        {
            let mut queue = self.door.queue();
            queue.turns.leave(self.ticket);
            queue.asleep.remove(&self.ticket);
        }
        self.door.let_in();
    }
}

fn too_long(longest: Duration) -> Problem {
    Problem::new(
        Code::NetworkError,
        format!("The sync was ended after {} s, so that others get their turn.", longest.as_secs()),
    )
    .then("Nothing is lost: the next sync carries on. A service that does not answer may be the reason.")
}

fn closing() -> Problem {
    Problem::new(Code::Internal, "The app is closing, so this sync did not begin.")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(at_once: usize) -> Door {
        let limits = Limits {
            runs_at_once: at_once,
            runs_at_once_per_service: at_once,
            run_at_most: Duration::from_secs(30),
            ..Limits::default()
        };
        Door::new(limits).unwrap()
    }

    async fn run(place: Place, seconds: u64) -> Result<(), Problem> {
        place
            .in_turn(BTreeSet::new(), async {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                Ok(())
            })
            .await
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_never_ends_is_ended_and_the_others_had_the_other_places_meanwhile() {
        let door = door(2);
        let started = Instant::now();
        let stuck = tokio::spawn(run(door.place("stuck"), 1_000_000));
        let others: Vec<_> =
            (0..20).map(|n| tokio::spawn(run(door.place(&format!("other-{n}")), 1))).collect();
        for other in others {
            other.await.unwrap().unwrap();
        }
        assert_eq!(
            started.elapsed(),
            Duration::from_secs(20),
            "one after the other in the place that is left"
        );
        let ended = stuck.await.unwrap().unwrap_err();
        assert_eq!((ended.code, started.elapsed()), (Code::NetworkError, Duration::from_secs(30)));
    }

    #[tokio::test(start_paused = true)]
    async fn who_took_too_long_is_left_alone_ever_longer_until_one_run_ends_well_and_heard_meanwhile() {
        let door = door(1);
        let place = door.place("slow");
        assert_eq!(place.rests(), None);
        for pause in [60, 120] {
            let started = Instant::now();
            run(place.clone(), 31).await.unwrap_err();
            assert_eq!(started.elapsed(), Duration::from_secs(30), "nothing sleeps in a turn");
            assert_eq!(place.rests(), Some(Duration::from_secs(pause)));
        }
        tokio::time::advance(Duration::from_secs(119)).await;
        assert_eq!(place.rests(), Some(Duration::from_secs(1)));
        run(place.clone(), 1).await.unwrap();
        assert_eq!(place.rests(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_in_the_queue_or_in_the_run_keeps_no_place() {
        let door = door(1);
        let first = tokio::spawn(run(door.place("first"), 20));
        tokio::task::yield_now().await;
        let waits = tokio::spawn(run(door.place("waits"), 1));
        tokio::task::yield_now().await;
        waits.abort();
        first.abort();
        let started = Instant::now();
        run(door.place("next"), 1).await.unwrap();
        assert_eq!(started.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn once_it_is_closed_nobody_begins_and_who_runs_may_end() {
        let door = door(1);
        let runs = tokio::spawn(run(door.place("runs"), 5));
        tokio::task::yield_now().await;
        let waits = tokio::spawn(run(door.place("waits"), 5));
        tokio::task::yield_now().await;
        door.close();
        assert!(waits.await.unwrap().is_err());
        assert!(run(door.place("late"), 1).await.is_err());
        runs.await.unwrap().unwrap();
    }
}
