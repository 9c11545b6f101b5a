//! What goes wrong on purpose: which calls a fault meets, how often, and what it does to them.
//!
//! `POST /_sandbox/faults {service, vendor?, route?, kind, times?, probability?, seed?}`. With `vendor` (an address) it
//! meets her calls alone. A fault without `times` lasts until
//! `DELETE /_sandbox/faults`. `route` is a label of `/_sandbox/requests` (`"GET /calendar/v3/users/me/calendarList"`),
//! its path alone, or its method alone. Faults that bend an answer wait for a call that they can bend: `cursor_lost`
//! is not used up by a call without a cursor. Beside the kinds that every service knows, Outlook has `quiet_series`: its
//! delta sends a changed series again without saying which of its occurrences are no more.
//! `status:NNN` may name the refusal too: `status:503:SCHEDULING_DISABLED`.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::names::pick;
use crate::wire::Route;

/// What a fault does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Before the call is handled.
    Refuse(Refuse),
    /// While it is handled.
    Bend(Quirk),
    /// After it was handled.
    Spoil(Spoil),
    /// Waits this many milliseconds, then goes on.
    Slow(u64),
    /// Does the work, then waits this many milliseconds with the answer.
    SlowReply(u64),
    /// Ends every sign-in of the service, then goes on.
    TokenRevoked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refuse {
    Status(u16, Option<&'static str>),
    RateLimited,
    Reset,
    Html,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoil {
    ReplyLost,
    Truncated,
}

/// A wrong turn that only the handler can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    CursorLost,
    ShortPage,
    DuplicatePage,
    Reordered,
    IgnoresPrecondition,
    DropsMarker,
    CalendarGone,
    EmptyListing,
    /// A delta that does not say which occurrences of a series are no more, as people met it.
    QuietSeries,
}

/// Refusals that a client must tell from others with the same status.
const REASONS: [&str; 13] = [
    "SCHEDULING_DISABLED",
    "CALENDAR_SYNC_DISABLED",
    "userRateLimitExceeded",
    "rateLimitExceeded",
    "quotaExceeded",
    "forbiddenForNonOrganizer",
    "SyncStateNotFound",
    "syncStateNotFound",
    "resyncRequired",
    "ErrorIrresolvableConflict",
    "ErrorDuplicateTransactionId",
    "ErrorQuotaExceeded",
    "MailboxNotEnabledForRESTAPI",
];

impl Kind {
    /// Reads the word of the wire.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        if let Some(status) = word.strip_prefix("status:") {
            let (status, reason) = match status.split_once(':') {
                None => (status, None),
                Some((status, word)) => (status, Some(*REASONS.iter().find(|reason| **reason == word)?)),
            };
            let status: u16 = status.parse().ok().filter(|s| (400..600).contains(s))?;
            return Some(Self::Refuse(Refuse::Status(status, reason)));
        }
        if let Some(wait) = word.strip_prefix("slow_reply:") {
            return wait.parse().ok().filter(|ms| *ms <= 600_000).map(Self::SlowReply);
        }
        if let Some(wait) = word.strip_prefix("slow:") {
            return wait.parse().ok().filter(|ms| *ms <= 600_000).map(Self::Slow);
        }
        Some(match word {
            "rate_limited" => Self::Refuse(Refuse::RateLimited),
            "reset" => Self::Refuse(Refuse::Reset),
            "html" => Self::Refuse(Refuse::Html),
            "reply_lost" => Self::Spoil(Spoil::ReplyLost),
            "truncated" => Self::Spoil(Spoil::Truncated),
            "token_revoked" => Self::TokenRevoked,
            "cursor_lost" => Self::Bend(Quirk::CursorLost),
            "short_page" => Self::Bend(Quirk::ShortPage),
            "duplicate_page" => Self::Bend(Quirk::DuplicatePage),
            "reordered" => Self::Bend(Quirk::Reordered),
            "ignores_precondition" => Self::Bend(Quirk::IgnoresPrecondition),
            "drops_marker" => Self::Bend(Quirk::DropsMarker),
            "calendar_gone" => Self::Bend(Quirk::CalendarGone),
            "empty_listing" => Self::Bend(Quirk::EmptyListing),
            "quiet_series" => Self::Bend(Quirk::QuietSeries),
            _ => return None,
        })
    }
}

#[derive(Debug)]
struct Fault {
    vendor: Option<String>,
    service: String,
    route: Option<String>,
    word: String,
    kind: Kind,
    left: Option<u32>,
    probability: f64,
    seed: u64,
    asked: u64,
    hits: u32,
}

#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

/// A fault as a test asks for it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    #[serde(default)]
    vendor: Option<String>,
    service: String,
    #[serde(default)]
    route: Option<String>,
    kind: String,
    #[serde(default)]
    times: Option<u32>,
    #[serde(default)]
    probability: Option<f64>,
    #[serde(default)]
    seed: u64,
}

impl Faults {
    /// # Errors
    /// A sentence, when the service or kind is not known.
    pub fn add(&mut self, order: Order) -> Result<(), String> {
        let kind =
            Kind::parse(&order.kind).ok_or_else(|| format!("no such kind of fault: {}", order.kind))?;
        if !crate::wire::SERVICES.contains(&order.service.as_str()) {
            return Err(format!("no such service: {}; there are {:?}", order.service, crate::wire::SERVICES));
        }
        let probability = order.probability.unwrap_or(1.0);
        if !(0.0..=1.0).contains(&probability) {
            return Err("probability is between 0 and 1".to_owned());
        }
        self.0.push(Fault {
            vendor: order.vendor,
            service: order.service,
            route: order.route,
            word: order.kind,
            kind,
            left: order.times,
            probability,
            seed: order.seed,
            asked: 0,
            hits: 0,
        });
        Ok(())
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    #[must_use]
    pub fn as_json(&self) -> Value {
        json!(
            self.0
                .iter()
                .map(|fault| json!({"service": fault.service, "vendor": fault.vendor, "route": fault.route, "kind": fault.word,
                    "left": fault.left, "probability": fault.probability, "hits": fault.hits}))
                .collect::<Vec<_>>()
        )
    }

    /// The faults that meet this call whatever its handler does, in the order they were asked for.
    pub fn take(&mut self, route: &Route) -> Vec<Kind> {
        self.0
            .iter_mut()
            .filter(|fault| !matches!(fault.kind, Kind::Bend(_)))
            .filter_map(|fault| fault.strikes(route).then_some(fault.kind))
            .collect()
    }

    /// As [`Faults::take`], for a part of a call: only the faults that name a route.
    pub fn take_named(&mut self, route: &Route) -> Vec<Kind> {
        self.0
            .iter_mut()
            .filter(|fault| fault.route.is_some() && !matches!(fault.kind, Kind::Bend(_)))
            .filter_map(|fault| fault.strikes(route).then_some(fault.kind))
            .collect()
    }

    pub fn take_quirk(&mut self, route: &Route, quirk: Quirk) -> bool {
        self.0.iter_mut().any(|fault| fault.kind == Kind::Bend(quirk) && fault.strikes(route))
    }
}

impl Fault {
    fn strikes(&mut self, route: &Route) -> bool {
        let meets = self.service == route.service
            && self.vendor.as_deref().is_none_or(|vendor| vendor.eq_ignore_ascii_case(&route.vendor))
            && self.route.as_deref().is_none_or(|named| route.is_named(named))
            && self.left != Some(0);
        if !meets {
            return false;
        }
        self.asked += 1;
        let draw = pick(self.seed, &format!("fault|{}", self.asked), 1_000_000);
        if draw as f64 / 1_000_000.0 >= self.probability {
            return false;
        }
        self.left = self.left.map(|left| left - 1);
        self.hits += 1;
        true
    }
}
