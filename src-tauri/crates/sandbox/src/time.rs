//! How moments are written on each service's wire, and small steps in time.

use jiff::{SignedDuration, Timestamp};

#[must_use]
pub fn after(at: Timestamp, seconds: i64) -> Timestamp {
    at.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(at)
}

/// `2026-01-02T10:00:00Z`: whole seconds.
#[must_use]
pub fn zulu(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2026-01-02T10:00:00.000Z`: as JavaScript and Google's `updated` write it.
#[must_use]
pub fn zulu_ms(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// `2026-01-02T10:00:00.307335+00:00`: as PostgreSQL writes `timestamptz`; whole seconds without a fraction.
#[must_use]
pub fn postgres(at: Timestamp) -> String {
    let pattern =
        if at.subsec_nanosecond() == 0 { "%Y-%m-%dT%H:%M:%S+00:00" } else { "%Y-%m-%dT%H:%M:%S.%6f+00:00" };
    at.strftime(pattern).to_string()
}

/// `Fri, 02 Jan 2026 10:00:00 GMT`: as headers have it.
#[must_use]
pub fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
