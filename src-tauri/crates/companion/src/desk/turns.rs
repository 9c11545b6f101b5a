//! Decides whose sync runs next when several vendors share a computer: how many run at once, how many at one service,
//! and who comes first. Runs nothing, waits for nothing and reads no clock.
//!
//! Who was served longest ago comes first, so whoever has just run never comes before one who waits, and each vendor is
//! overtaken by each other one at most once. A sync that needs a service whose places are taken lets others pass, since
//! a service that hangs must not hold up those who do not need it. But of all those who wait, the first keeps a place
//! at each of its services that has one: else whoever needs two services could wait for ever for both to be free.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sync::ids::Service;

/// How many syncs may run at once. Bookiji is part of every sync, so the first number is its own, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub at_once: usize,
    /// At any one of the services.
    pub per_service: usize,
}

/// Stands for one wish to sync, from the moment it is said until its sync has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

/// When a vendor was last served; the least comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Served {
    /// Not by this process; before it, then, or never.
    Before(Option<Timestamp>),
    /// Counted in turns of this process: no clock that is set back can move it.
    Turn(u64),
}

#[derive(Clone, Debug)]
struct Wish {
    who: String,
    services: BTreeSet<Service>,
}

#[derive(Clone, Debug)]
pub struct Turns {
    bounds: Bounds,
    served: BTreeMap<String, Served>,
    waiting: BTreeMap<Ticket, Wish>,
    running: BTreeMap<Ticket, Wish>,
    tickets: u64,
    turns: u64,
}

impl Turns {
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds: Bounds { at_once: bounds.at_once.max(1), per_service: bounds.per_service.max(1) },
            served: BTreeMap::new(),
            waiting: BTreeMap::new(),
            running: BTreeMap::new(),
            tickets: 0,
            turns: 0,
        }
    }

    /// Says when a vendor was served before this process began, unless she was served since.
    pub fn introduce(&mut self, who: &str, before: Option<Timestamp>) {
        self.served.entry(who.to_owned()).or_insert(Served::Before(before));
    }

    /// Somebody wishes to sync with these services.
    pub fn ask(&mut self, who: &str, services: BTreeSet<Service>) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.waiting.insert(ticket, Wish { who: who.to_owned(), services });
        ticket
    }

    /// Her sync has ended, or she waits no longer.
    pub fn leave(&mut self, ticket: Ticket) {
        self.waiting.remove(&ticket);
        self.running.remove(&ticket);
    }

    /// Who may begin now, in order.
    #[must_use]
    pub fn admit(&mut self) -> Vec<Ticket> {
        let mut admitted = Vec::new();
        while let Some(ticket) = self.next() {
            let Some(wish) = self.waiting.remove(&ticket) else { break };
            self.turns += 1;
            self.served.insert(wish.who.clone(), Served::Turn(self.turns));
            self.running.insert(ticket, wish);
            admitted.push(ticket);
        }
        admitted
    }

    fn next(&self) -> Option<Ticket> {
        if self.running.len() >= self.bounds.at_once {
            return None;
        }
        let mut taken: BTreeMap<Service, usize> = BTreeMap::new();
        for service in self.running.values().flat_map(|wish| &wish.services) {
            *taken.entry(*service).or_default() += 1;
        }
        let mut in_order: Vec<(Served, &Wish, Ticket)> =
            self.waiting.iter().map(|(ticket, wish)| (self.served(&wish.who), wish, *ticket)).collect();
        in_order.sort_by(|(a, one, x), (b, two, y)| (a, &one.who, x).cmp(&(b, &two.who, y)));
        let mut is_first = true;
        for (_, wish, ticket) in in_order {
            if self.running.values().any(|other| other.who == wish.who) {
                continue;
            }
            let full = |service| taken.get(service).is_some_and(|taken| *taken >= self.bounds.per_service);
            if !wish.services.iter().any(full) {
                return Some(ticket);
            }
            if std::mem::take(&mut is_first) {
                for service in &wish.services {
                    *taken.entry(*service).or_default() += 1;
                }
            }
        }
        None
    }

    fn served(&self, who: &str) -> Served {
        self.served.get(who).copied().unwrap_or(Served::Before(None))
    }
}

#[cfg(test)]
mod tests;
