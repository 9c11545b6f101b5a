//! Asks for the lease, remembers what was answered, and stands before every write of this process: it goes out only
//! while this computer may write, or while there are no leases.

use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{AGAIN, Fencing, Installation, Lease, LeaseRecord, Moment, Right, Standing, StandingBy, TERM};
use crate::error::{MirrorError, ServiceError};
use crate::policy::Retry;
use crate::ports::{Clock, Mirror, Platform};
use crate::report::{ErrorReport, Report};
use crate::retry::with_retry;
use crate::run::Parts;

/// One installation, as one process knows it.
#[derive(Debug)]
pub struct Writer {
    /// Nobody asks for those that only read.
    me: Option<Installation>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    standing: Standing,
    record: LeaseRecord,
    /// What of the record the mirror has.
    stored: LeaseRecord,
    /// Another computer may have written since what the mirror holds was true.
    in_doubt: bool,
    /// Another computer has had the lease since this one last asked.
    passed: bool,
    /// Nothing more is written in this run: it was planned before another computer wrote.
    stopped: bool,
    /// Why nobody could say who writes. Told once.
    trouble: Option<ServiceError>,
    /// When asking last failed.
    failed: Option<Moment>,
    /// It became the writer, and what it did not write while it stood by is still to be written.
    gained: bool,
}

/// What a run may do that has something to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Write,
    /// Another computer wrote meanwhile: plan again, and then write.
    PlanAgain,
    StandBy,
}

impl Writer {
    #[must_use]
    pub fn new(me: Installation, record: LeaseRecord) -> Self {
        let known = Known { stored: record.clone(), record, ..Known::default() };
        Self { me: Some(me), known: Mutex::new(known) }
    }

    /// For what only reads, and for where two computers need not be told apart.
    #[must_use]
    pub fn unnamed() -> Self {
        Self { me: None, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A run begins.
    pub fn begin(&self) {
        let known = &mut *self.known();
        (known.stopped, known.gained, known.trouble) = (false, false, None);
    }

    /// A run has read: if the platform told a number that is news here, another computer has written.
    ///
    /// # Errors
    /// When the mirror cannot be written.
    pub fn heed(&self, platform: &dyn Platform, mirror: &dyn Mirror) -> Result<(), MirrorError> {
        if let Some(seen) = platform.fencing_seen() {
            self.known().see(seen, false);
        }
        self.note(mirror)
    }

    /// Whether the run may begin to write.
    ///
    /// # Errors
    /// When the mirror cannot be written. That nobody could say it is in [`Writer::end`].
    pub async fn turn(&self, parts: &Parts<'_>) -> Result<Turn, MirrorError> {
        if self.me.is_none() {
            return Ok(Turn::Write);
        }
        if self.known().stopped {
            return Ok(Turn::StandBy);
        }
        let now = Moment::of(parts.clock);
        let right = self.known().standing.right_to_begin(now);
        if right == Right::Ask
            && let Err(error) = self.ask(parts.platform, parts.clock, &parts.policy.retry).await
        {
            self.known().stop(Some(error));
            return Ok(Turn::StandBy);
        }
        let in_doubt = self.known().in_doubt;
        self.note(parts.mirror)?;
        let may = matches!(self.known().standing.right(Moment::of(parts.clock)), Right::Write(_));
        Ok(match (may, in_doubt) {
            (false, _) => Turn::StandBy,
            (true, true) => Turn::PlanAgain,
            (true, false) => Turn::Write,
        })
    }

    /// Whether one write may go out now. What was planned is not written any more once another computer has had its
    /// turn in between.
    ///
    /// # Errors
    /// [`ServiceError::Fenced`] when not.
    pub async fn admit(&self, parts: &Parts<'_>) -> Result<(), ServiceError> {
        if self.me.is_none() {
            return Ok(());
        }
        if self.known().stopped {
            return Err(fenced());
        }
        let mut right = self.known().standing.right(Moment::of(parts.clock));
        if right == Right::Ask {
            if let Err(error) = self.ask(parts.platform, parts.clock, &parts.policy.retry).await {
                self.known().stop(Some(error));
                return Err(fenced());
            }
            let known = &mut *self.known();
            right = known.standing.right(Moment::of(parts.clock));
            if known.in_doubt {
                right = Right::StandBy;
            }
        }
        match right {
            Right::Write(fencing) => {
                parts.platform.fence(fencing);
                Ok(())
            }
            Right::Ask | Right::StandBy => {
                self.known().stop(None);
                Err(fenced())
            }
        }
    }

    /// Whether no other computer can have been writing at the same time: nobody else has asked for the lease lately, and
    /// ours has not ended meanwhile.
    #[must_use]
    pub fn is_alone(&self, clock: &dyn Clock) -> bool {
        let known = self.known();
        match known.standing {
            Standing::NotOffered { .. } => false,
            Standing::Held { others, .. } => {
                !others && matches!(known.standing.right(Moment::of(clock)), Right::Write(_))
            }
            Standing::Unknown | Standing::Other { .. } => self.me.is_none(),
        }
    }

    /// Whether another computer has asked for the lease lately, and so may have written before this one got it.
    #[must_use]
    pub fn has_company(&self) -> bool {
        matches!(self.known().standing, Standing::Held { others: true, .. })
    }

    /// Whether this run writes nothing more.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.known().stopped
    }

    /// Sends one write to the platform, under our number and as often as helps.
    ///
    /// # Errors
    /// The last error. After [`ServiceError::Fenced`] this run writes nothing more.
    pub async fn send<T, F, A>(&self, parts: &Parts<'_>, mut attempt: A) -> Result<T, ServiceError>
    where
        A: FnMut() -> F,
        F: Future<Output = Result<T, ServiceError>>,
    {
        let open: Mutex<Option<ServiceError>> = Mutex::default();
        let sent = with_retry(parts.clock, &parts.policy.retry, || {
            let (sending, open) = (attempt(), &open);
            async move {
                self.admit(parts).await?;
                let sent = sending.await;
                if let Err(error) = &sent
                    && error.outcome_unknown()
                {
                    *open.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
                }
                sent
            }
        });
        let sent = sent.await;
        let Err(error) = sent else { return sent };
        if error.is_fenced() {
            let known = &mut *self.known();
            if !known.stopped {
                known.standing = Standing::Unknown;
                known.stop(None);
            }
        }
        // An earlier try may have been done, whatever kept the last one from it.
        let open = open.into_inner().unwrap_or_else(PoisonError::into_inner);
        Err(open.filter(|_| !error.says_what_stands()).unwrap_or(error))
    }

    /// A run ends: its report says who writes instead, if anybody does, and what kept us from knowing. That stands for all
    /// the writes that were refused because of it.
    ///
    /// # Errors
    /// When the mirror cannot be written.
    pub async fn end(&self, parts: &Parts<'_>, report: &mut Report) -> Result<(), MirrorError> {
        let must_learn = {
            let known = self.known();
            known.stopped && known.trouble.is_none() && known.standing == Standing::Unknown
        };
        // Refused in the middle: whose turn it is, the platform says once more.
        if must_learn && let Err(error) = self.ask(parts.platform, parts.clock, &parts.policy.retry).await {
            self.known().trouble = Some(error);
        }
        self.note(parts.mirror)?;
        let known = &mut *self.known();
        report.standing_by = known.record.standing_by.clone();
        report.errors.retain(|error| !error.fenced);
        report.errors.extend(match known.trouble.take() {
            Some(error) => Some(ErrorReport::of(&error, "bookiji")),
            // The other has already ended its turn: what is left is this computer's, with the next run.
            None if known.stopped && report.standing_by.is_none() => {
                Some(ErrorReport { fenced: false, ..ErrorReport::of(&fenced(), "bookiji") })
            }
            None => None,
        });
        Ok(())
    }

    /// How long until somebody should ask although nothing is to be written.
    #[must_use]
    pub fn wait(&self, clock: &dyn Clock) -> Option<Duration> {
        self.me.as_ref()?;
        let now = Moment::of(clock);
        let known = self.known();
        let wait = known.standing.wait(now);
        // Whoever stood by when the process began, was refused, or reads that another computer has written, asks at
        // once: it may be standing by, and is to say so.
        let wait = wait.or_else(|| {
            let doubtful = known.passed || known.record.standing_by.is_some();
            (known.standing == Standing::Unknown && doubtful).then_some(Duration::ZERO)
        });
        let rest = known.failed.and_then(|failed| failed.age(now)).map(|age| AGAIN.saturating_sub(age));
        wait.map(|wait| wait.max(rest.unwrap_or_default()))
    }

    /// Asks without a run, because it is time to.
    ///
    /// # Errors
    /// What the platform said, or the mirror.
    pub async fn keep(
        &self,
        platform: &dyn Platform,
        clock: &dyn Clock,
        mirror: &dyn Mirror,
    ) -> Result<Result<(), ServiceError>, MirrorError> {
        // One try: it is asked again soon.
        let once = Retry { tries: 1, ..Retry::default() };
        let asked = self.ask(platform, clock, &once).await;
        self.note(mirror)?;
        Ok(asked)
    }

    /// Whether this computer has become the writer since the last run began.
    #[must_use]
    pub fn has_gained(&self) -> bool {
        self.known().gained
    }

    /// Who writes instead of this computer.
    #[must_use]
    pub fn standing_by(&self) -> Option<StandingBy> {
        self.known().record.standing_by.clone()
    }

    /// Gives the lease back, if it is ours: the next computer need not wait for its end.
    ///
    /// # Errors
    /// What the platform said. The lease then ends by itself.
    pub async fn release(&self, platform: &dyn Platform) -> Result<(), ServiceError> {
        let held = match std::mem::take(&mut self.known().standing) {
            Standing::Held { fencing, .. } => Some(fencing),
            Standing::Unknown | Standing::Other { .. } | Standing::NotOffered { .. } => None,
        };
        match (&self.me, held) {
            (Some(me), Some(fencing)) => platform.release_lease(me, fencing).await,
            (Some(_) | None, _) => Ok(()),
        }
    }

    async fn ask(
        &self,
        platform: &dyn Platform,
        clock: &dyn Clock,
        retry: &Retry,
    ) -> Result<(), ServiceError> {
        let Some(me) = &self.me else { return Ok(()) };
        let answered = with_retry(clock, retry, || async {
            let asked = Moment::of(clock);
            platform.lease(me, TERM).await.map(|lease| (lease, asked))
        });
        match answered.await {
            Ok((lease, asked)) => {
                self.known().hear(lease, asked, clock);
                Ok(())
            }
            Err(error) => {
                self.known().failed = Some(Moment::of(clock));
                Err(error)
            }
        }
    }

    fn note(&self, mirror: &dyn Mirror) -> Result<(), MirrorError> {
        let known = &mut *self.known();
        if known.in_doubt || known.record != known.stored {
            mirror.note_lease(&known.record, known.in_doubt)?;
            known.stored = known.record.clone();
            known.in_doubt = false;
        }
        Ok(())
    }
}

impl Known {
    fn hear(&mut self, lease: Lease, asked: Moment, clock: &dyn Clock) {
        self.failed = None;
        match &lease {
            Lease::Held { fencing, .. } => {
                self.see(*fencing, true);
                self.gained |= self.in_doubt || self.stopped || self.record.standing_by.is_some();
                self.record.standing_by = None;
            }
            Lease::HeldByOther { name, fencing, .. } => {
                self.see(*fencing, false);
                let since = self.record.standing_by.as_ref().map_or_else(|| clock.now(), |told| told.since);
                self.record.standing_by = Some(StandingBy { holder: name.clone(), since });
            }
            Lease::NotOffered => {
                self.gained |= self.record.standing_by.is_some();
                self.record.standing_by = None;
            }
        }
        self.passed = false;
        self.standing = Standing::heard(lease, asked, Moment::of(clock));
    }

    /// A number was told. Every one between the last we knew and our own was another computer's, and what it wrote,
    /// nobody here knows.
    fn see(&mut self, number: Fencing, ours: bool) {
        let last = self.record.last.unwrap_or(Fencing(0));
        let unknown = if ours { number.0.saturating_sub(1) } else { number.0 };
        self.in_doubt |= unknown > last.0;
        self.passed |= unknown > last.0;
        self.record.last = Some(last.max(number));
        if let Standing::Held { fencing, .. } = self.standing
            && fencing < number
        {
            self.standing = Standing::Unknown;
        }
    }

    fn stop(&mut self, trouble: Option<ServiceError>) {
        self.stopped = true;
        self.trouble = self.trouble.take().or(trouble);
    }
}

fn fenced() -> ServiceError {
    ServiceError::Fenced { service: "bookiji".to_owned() }
}

#[cfg(test)]
mod tests;
