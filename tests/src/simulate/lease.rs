//! The platform's lease: one of her computers writes, under a number that only grows. Goes by the time that passes in
//! truth, not by anybody's clock.

use std::time::Duration;

use jiff::SignedDuration;
use sync::error::ServiceError;
use sync::lease::{Fencing, Lease};

use super::stage::{DEVICES, Stage};

#[derive(Clone, Debug, Default)]
pub struct PlatformLease {
    /// Today's platform has none.
    pub offered: bool,
    /// The last number that was given out.
    pub fencing: u64,
    pub holder: Option<(usize, SignedDuration)>,
    /// Which computers have ever asked.
    pub asked: [bool; 2],
    /// A calendar was made by one whose lease had ended while it sent that.
    pub made_late: bool,
}

impl Stage {
    pub fn give_lease(&mut self, term: Duration) -> Lease {
        if !self.lease.offered {
            return Lease::NotOffered;
        }
        let (me, now) = (self.device, self.passed);
        self.lease.asked[me] = true;
        let others = self.lease.asked[1 - me];
        let holder = self.lease.holder.filter(|(_, until)| now < *until);
        if let Some((other, until)) = holder.filter(|(other, _)| *other != me) {
            self.counts("the other computer writes");
            self.told().stands_by_until = Some(until);
            let ends_in = (until - now).try_into().unwrap_or_default();
            return Lease::HeldByOther {
                name: DEVICES[other].to_owned(),
                fencing: Fencing(self.lease.fencing),
                ends_in,
            };
        }
        if holder.is_none() {
            self.lease.fencing += 1;
        }
        self.told().stands_by_until = None;
        self.lease.holder = Some((me, now + SignedDuration::try_from(term).unwrap_or_default()));
        Lease::Held { fencing: Fencing(self.lease.fencing), lives: term, others }
    }

    pub fn release_lease(&mut self, fencing: Fencing) {
        if fencing.0 == self.lease.fencing {
            self.lease.holder = None;
        }
    }

    /// Whether it is the turn of the computer that is served.
    pub fn holds_lease(&self) -> bool {
        self.lease.holder.is_some_and(|(holder, until)| holder == self.device && self.passed < until)
    }

    /// A write arrives under a number, or under none: done if no other computer has had its turn since.
    pub fn admit(&mut self, carried: Option<Fencing>) -> Result<(), ServiceError> {
        let is_held = self.lease.holder.is_some_and(|(_, until)| self.passed < until);
        let may = match carried {
            Some(number) => number == Fencing(self.lease.fencing),
            None => !is_held,
        };
        if self.lease.offered && !may {
            self.counts("a write is fenced");
            return Err(ServiceError::Fenced { service: "fake".to_owned() });
        }
        Ok(())
    }

    /// Whoever was told that another computer writes keeps still.
    pub fn watch_right(&mut self, what: &str) {
        let now = self.passed;
        if self.told().stands_by_until.is_some_and(|until| now < until) {
            let name = DEVICES[self.device];
            self.breaks(format!("the {name} was told that the other computer writes, and sends {what}"));
        }
    }
}
