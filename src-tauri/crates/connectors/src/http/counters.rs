//! How many requests went to whom. API calls and sign-in servers are counted apart.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A server that requests go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    Google,
    GoogleAuth,
    Outlook,
    OutlookAuth,
    Bookiji,
    BookijiAuth,
    /// Whatever server she named.
    Caldav,
    /// Whoever publishes a calendar link.
    Feeds,
}

impl Peer {
    /// The word for logs and counts.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::GoogleAuth => "google_auth",
            Self::Outlook => "outlook",
            Self::OutlookAuth => "outlook_auth",
            Self::Bookiji => "bookiji",
            Self::BookijiAuth => "bookiji_auth",
            Self::Caldav => "caldav",
            Self::Feeds => "feeds",
        }
    }

    /// The name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Google | Self::GoogleAuth => "Google",
            Self::Outlook | Self::OutlookAuth => "Microsoft",
            Self::Bookiji | Self::BookijiAuth => "Bookiji",
            Self::Caldav => "the calendar server",
            Self::Feeds => "the calendar link",
        }
    }
}

/// Counts requests per [`Peer`], every try included. Cloning shares the counts.
#[derive(Clone, Debug, Default)]
pub struct Counters(Arc<Mutex<BTreeMap<Peer, Count>>>);

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    requests: u64,
    /// As its service counts: a request may hold several.
    calls: u64,
}

impl Counters {
    pub(crate) fn count(&self, peer: Peer, calls: u32) {
        let mut counts = self.lock();
        let count = counts.entry(peer).or_default();
        count.requests += 1;
        count.calls += u64::from(calls);
    }

    /// Calls so far, as their services count them.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.lock().iter().map(|(peer, count)| (peer.key().to_owned(), count.calls)).collect()
    }

    /// Requests so far, by [`Peer::key`]; who was not asked is not listed.
    #[must_use]
    pub fn snapshot(&self) -> BTreeMap<String, u64> {
        self.lock().iter().map(|(peer, count)| (peer.key().to_owned(), count.requests)).collect()
    }

    /// Starts again from nothing, and answers what there was.
    pub fn reset(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut *self.lock())
            .into_iter()
            .map(|(peer, count)| (peer.key().to_owned(), count.requests))
            .collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Peer, Count>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
