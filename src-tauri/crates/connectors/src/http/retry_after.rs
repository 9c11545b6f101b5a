//! How long a service asks us to wait, in the forms in which services say it.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// No longer than this is believed: a service that says "next year" is wrong.
pub(super) const LONGEST: Duration = Duration::from_hours(1);

/// Reads `Retry-After` (seconds or a date) and `X-RateLimit-Reset` (an instant, seconds since 1970, or seconds from now).
///
/// Dates are compared with the service's own clock where it sent one, so that ours may be wrong.
pub(crate) fn retry_after(headers: &HeaderMap, received_at: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let now = text(DATE.as_str()).and_then(http_date).unwrap_or(received_at);
    let until = |then: Timestamp| Duration::try_from(then.duration_since(now)).unwrap_or(Duration::ZERO);
    let asked = text(RETRY_AFTER.as_str()).and_then(|value| match value.parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => http_date(value).map(until),
    });
    asked
        .or_else(|| text("x-ratelimit-reset").and_then(|value| reset(value, until)))
        .map(|wait| wait.min(LONGEST))
}

/// A number that is larger than a year is no wait.
const LONGEST_WAIT: u64 = 366 * 24 * 3600;

fn reset(value: &str, until: impl Fn(Timestamp) -> Duration) -> Option<Duration> {
    match value.parse::<u64>() {
        Ok(seconds) if seconds <= LONGEST_WAIT => Some(Duration::from_secs(seconds)),
        Ok(seconds) => Timestamp::from_second(i64::try_from(seconds).ok()?).ok().map(until),
        Err(_) => value.parse().ok().map(until),
    }
}

pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    let since = httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Timestamp::from_second(i64::try_from(since.as_secs()).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderName;

    #[track_caller]
    fn check(headers: &[(&'static str, &str)], expected: Option<u64>) {
        let received_at = "2026-11-22T12:00:00Z".parse().unwrap();
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        assert_eq!(retry_after(&headers, received_at), expected.map(Duration::from_secs), "{headers:?}");
    }

    #[test]
    fn a_wait_is_read_in_every_form_and_never_longer_than_an_hour() {
        check(&[], None);
        check(&[("retry-after", "7")], Some(7));
        check(&[("retry-after", "Sun, 22 Nov 2026 12:00:30 GMT")], Some(30));
        check(&[("retry-after", "Sun, 22 Nov 2026 11:00:00 GMT")], Some(0));
        check(&[("x-ratelimit-reset", "2026-11-22T12:01:00.000Z")], Some(60));
        check(&[("x-ratelimit-reset", "1795348860")], Some(60));
        check(&[("x-ratelimit-reset", "45")], Some(45));
        check(&[("x-ratelimit-reset", "tomorrow")], None);
        check(&[("retry-after", "3"), ("x-ratelimit-reset", "2026-11-22T12:01:00Z")], Some(3));
        check(&[("retry-after", "99999999999")], Some(3600));
        check(&[("retry-after", "soon")], None);
        check(&[("retry-after", "-5")], None);
    }

    #[test]
    fn a_date_is_measured_by_the_clock_of_who_sent_it() {
        check(
            &[("date", "Sun, 22 Nov 2026 10:00:00 GMT"), ("retry-after", "Sun, 22 Nov 2026 10:00:20 GMT")],
            Some(20),
        );
    }
}
