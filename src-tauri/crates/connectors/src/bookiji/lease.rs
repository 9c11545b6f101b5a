//! The platform's lease: asked for, given back, and carried by every write as its number. A platform that does not know
//! the route has none.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderName;
use serde::Deserialize;
use serde_json::json;
use sync::error::ServiceError;
use sync::lease::{Fencing, Installation, Lease};

use super::{Bookiji, refusal, wire};
use crate::http::{Answer, Method, Peer, Request, garbled, line};

const ROUTE: &str = "/api/vendor/calendar/lease";
/// On a write: the lease that it is made under. On an answer: the last that was given out.
pub(super) const FENCING_TOKEN: HeaderName = HeaderName::from_static("fencing-token");
/// A name is only shown.
const NAME_SHOWN: usize = 60;

/// The numbers of one signed-in vendor: what writes carry, and what was seen. Nothing is 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Fence {
    carried: Arc<AtomicU64>,
    seen: Arc<AtomicU64>,
}

impl Fence {
    pub(super) fn carry(&self, fencing: Option<Fencing>) {
        self.carried.store(fencing.map_or(0, |fencing| fencing.0), Ordering::SeqCst);
    }

    /// Lets a write be told from one that an earlier writer sends late.
    pub(super) fn on(&self, request: Request) -> Request {
        match self.carried.load(Ordering::SeqCst) {
            0 => request,
            number => request.header(FENCING_TOKEN, &number.to_string()),
        }
    }

    pub(super) fn note(&self, answer: &Answer) {
        if let Some(number) = answer.header(FENCING_TOKEN.as_str()).and_then(|text| text.parse().ok()) {
            self.seen.fetch_max(number, Ordering::SeqCst);
        }
    }

    pub(super) fn seen(&self) -> Option<Fencing> {
        Some(self.seen.load(Ordering::SeqCst)).filter(|number| *number > 0).map(Fencing)
    }
}

#[derive(Deserialize)]
struct Told {
    granted: bool,
    holder: Holder,
    fencing: u64,
    expires_at: Timestamp,
    server_time: Timestamp,
    /// Missing where the platform does not count them: then there may be some.
    others: Option<u64>,
}

#[derive(Deserialize)]
struct Holder {
    #[serde(default)]
    name: String,
}

impl From<Told> for Lease {
    fn from(told: Told) -> Self {
        // Both are the platform's own clock.
        let left = told.expires_at.duration_since(told.server_time);
        let left = Duration::try_from(left).unwrap_or_default();
        let fencing = Fencing(told.fencing);
        if told.granted {
            Self::Held { fencing, lives: left, others: told.others != Some(0) }
        } else {
            let name: String = line(&told.holder.name).chars().take(NAME_SHOWN).collect();
            Self::HeldByOther { name, fencing, ends_in: left }
        }
    }
}

pub(super) async fn ask(bookiji: &Bookiji, me: &Installation, term: Duration) -> Result<Lease, ServiceError> {
    let url = bookiji.base.at(&["api", "vendor", "calendar", "lease"]);
    let name: String = line(&me.name).chars().take(NAME_SHOWN).collect();
    let body = json!({"installation_id": me.id, "name": name, "ttl_s": term.as_secs()});
    let answer = bookiji.send(Request::new(Peer::Bookiji, Method::PUT, ROUTE, url).json(&body)).await?;
    // Today's platform answers any unknown route so, by a page or in JSON.
    if matches!(answer.status.as_u16(), 404 | 405 | 501) {
        return Ok(Lease::NotOffered);
    }
    if !answer.status.is_success() {
        return Err(refusal::error(&answer));
    }
    let told = answer.json::<wire::Envelope<Told>>()?.data;
    if told.fencing == 0 {
        return Err(garbled(Peer::Bookiji, "its lease has no number"));
    }
    Ok(told.into())
}

pub(super) async fn release(
    bookiji: &Bookiji,
    me: &Installation,
    fencing: Fencing,
) -> Result<(), ServiceError> {
    let url = bookiji.base.at(&["api", "vendor", "calendar", "lease"]);
    let request = Request::new(Peer::Bookiji, Method::DELETE, ROUTE, url)
        .query("installation_id", me.id.as_str())
        .header(FENCING_TOKEN, &fencing.0.to_string());
    let answer = bookiji.send(request).await?;
    match answer.status.as_u16() {
        // It is another's by now, or nobody's.
        404 | 409 => Ok(()),
        _ if answer.status.is_success() => Ok(()),
        _ => Err(refusal::error(&answer)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: &Lease) {
        let told: Told = serde_json::from_str(body).unwrap();
        assert_eq!(Lease::from(told), *expected, "{body}");
    }

    #[test]
    fn a_lease_is_told_as_what_is_left_of_it_by_the_platforms_own_clock() {
        let body = |granted, more: &str| {
            format!(
                r#"{{"granted":{granted},"holder":{{"installation_id":"i","name":"desk\n{}"}},"fencing":7,
                    "expires_at":"2001-01-01T00:00:40Z","server_time":"2001-01-01T00:00:10Z"{more}}}"#,
                "x".repeat(99)
            )
        };
        let lives = Duration::from_secs(30);
        let held = |others| Lease::Held { fencing: Fencing(7), lives, others };
        check(&body(true, r#","others":0"#), &held(false));
        check(&body(true, r#","others":2"#), &held(true));
        check(&body(true, ""), &held(true));
        let name = format!("desk {}", "x".repeat(55));
        check(&body(false, ""), &Lease::HeldByOther { name, fencing: Fencing(7), ends_in: lives });
    }
}
