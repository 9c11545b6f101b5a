//! `PUT /api/vendor/calendar/busy`: the vendor's busy time from one source, whole, replacing what that source said.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use calendar::interval::Interval;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::lease::Door;
use super::platform::{BusyInterval, BusySource, Platform};
use super::problem::Problem;
use super::request::{data, instant, optional_text, text, write};
use crate::app::App;
use crate::time::postgres;
use crate::wire::Call;

pub const PROVIDERS: [&str; 4] = ["google", "microsoft", "ics", "caldav"];
const MOST_INTERVALS: usize = 20_000;

pub async fn put(State(app): State<App>, call: Call) -> Response {
    write(&app, &call, |world, body, now| {
        let (source, set) = read(body, now)?;
        world.platform.leases.admit(&call, Door::Desktop, now)?;
        Ok(data(replace(&mut world.platform, source, set, now)))
    })
}

fn read(body: &Map<String, Value>, now: Timestamp) -> Result<(String, BusySource), Problem> {
    let provider = text(body, "provider")?;
    if !PROVIDERS.contains(&provider) {
        return Err(Problem::validation(format!("provider is one of {}", PROVIDERS.join(", "))));
    }
    let source = optional_text(body, "connection_id")?.unwrap_or(provider);
    if source.is_empty() || source.len() > 200 {
        return Err(Problem::validation("connection_id has 1 to 200 characters"));
    }
    let window = body.get("window").and_then(Value::as_object);
    let window = window.ok_or_else(|| Problem::validation("window is required"))?;
    let from = instant(text(window, "start")?, "window.start")?;
    let to = instant(text(window, "end")?, "window.end")?;
    let window =
        Interval::new(from, to).ok_or_else(|| Problem::unprocessable("window.end is after window.start"))?;
    let listed = body.get("intervals").and_then(Value::as_array);
    let listed = listed.ok_or_else(|| Problem::validation("intervals is required"))?;
    if listed.len() > MOST_INTERVALS {
        return Err(Problem::new(413, "TOO_MANY_INTERVALS", format!("at most {MOST_INTERVALS} intervals")));
    }
    let mut intervals = Vec::with_capacity(listed.len());
    for one in listed {
        let one = one.as_object().ok_or_else(|| Problem::validation("an interval is an object"))?;
        let start = instant(text(one, "start")?, "intervals.start")?;
        let end = instant(text(one, "end")?, "intervals.end")?;
        let span = Interval::new(start, end)
            .ok_or_else(|| Problem::unprocessable("an interval ends after it starts"))?;
        if !span.overlaps(&window) {
            return Err(Problem::unprocessable("an interval lies outside the window"));
        }
        intervals.push(BusyInterval { external_id: text(one, "external_id")?.to_owned(), start, end });
    }
    let checksum = text(body, "checksum")?;
    if checksum.len() != 64 || !checksum.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Err(Problem::validation("checksum is 64 hexadecimal digits in lower case"));
    }
    if checksum != self::checksum(&intervals) {
        let message = "checksum is not that of the intervals";
        return Err(Problem::new(422, "CHECKSUM_MISMATCH", message)
            .with_details(json!({"expected": self::checksum(&intervals)})));
    }
    let set = BusySource {
        provider: provider.to_owned(),
        window: (from, to),
        checksum: checksum.to_owned(),
        intervals,
        received_at: now,
    };
    Ok((source.to_owned(), set))
}

/// Of an interval set: sorted `startMs-endMs`, joined by `|`; the word `empty` for none.
#[must_use]
pub fn checksum(intervals: &[BusyInterval]) -> String {
    let mut pairs: Vec<_> =
        intervals.iter().map(|one| (one.start.as_millisecond(), one.end.as_millisecond())).collect();
    pairs.sort_unstable();
    let text = pairs.iter().map(|(start, end)| format!("{start}-{end}")).collect::<Vec<_>>().join("|");
    HEXLOWER.encode(&Sha256::digest(if text.is_empty() { "empty" } else { &text }))
}

fn replace(platform: &mut Platform, source: String, set: BusySource, now: Timestamp) -> Value {
    let old = platform.busy.get(&source);
    let same = old.is_some_and(|old| old.checksum == set.checksum && old.window == set.window);
    let before: BTreeMap<&str, &BusyInterval> =
        old.into_iter().flat_map(|old| &old.intervals).map(|one| (one.external_id.as_str(), one)).collect();
    let after: BTreeMap<&str, &BusyInterval> =
        set.intervals.iter().map(|one| (one.external_id.as_str(), one)).collect();
    let ingested = after.keys().filter(|id| !before.contains_key(*id)).count();
    let deleted = before.keys().filter(|id| !after.contains_key(*id)).count();
    let updated = after.iter().filter(|(id, one)| before.get(*id).is_some_and(|old| old != *one)).count();
    let skipped = after.len() - ingested - updated;
    let conflicts: Vec<Value> = platform
        .bookings
        .values()
        .filter(|booking| booking.is_live() && booking.end > now)
        .filter(|booking| set.intervals.iter().any(|one| one.start < booking.end && booking.start < one.end))
        .map(|booking| {
            json!({"booking_id": booking.id, "start_time": postgres(booking.start),
                "end_time": postgres(booking.end)})
        })
        .collect();
    let checksum = set.checksum.clone();
    let (closed, reopened) = if same {
        (Vec::new(), Vec::new())
    } else {
        platform.busy.insert(source, set);
        platform.settle_slots(now)
    };
    json!({"ingested": ingested, "updated": updated, "deleted": deleted, "skipped": skipped,
        "slots_closed": closed, "slots_reopened": reopened, "conflicts": conflicts, "checksum": checksum})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(start: &str, end: &str) -> BusyInterval {
        BusyInterval {
            external_id: start.to_owned(),
            start: start.parse().unwrap(),
            end: end.parse().unwrap(),
        }
    }

    #[test]
    fn the_set_checksum_is_the_platforms_own() {
        let set = [
            interval("2026-01-20T12:00:00Z", "2026-01-20T13:00:00Z"),
            interval("2026-01-20T10:00:00Z", "2026-01-20T11:00:00Z"),
        ];
        assert_eq!(checksum(&set), "c389d6297f608e50c2d416ce53bd0272c516856ded9a7033e6abca335711fbc2");
        assert_eq!(checksum(&[]), "2e1cfa82b035c26cbbbdae632cea070514eb8b773f616aaeaf668e2f0be8f10d");
    }
}
