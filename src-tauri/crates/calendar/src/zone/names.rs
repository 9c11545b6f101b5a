//! What the names mean that programs write instead of IANA's: Windows names and labels, names with a vendor's path
//! before them, bare offsets.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use strum::IntoEnumIterator;
use windows_timezones::WindowsTimezone;

use super::{GivenZone, Zone};

/// Windows names and labels, folded, to IANA names: CLDR's table.
static WINDOWS: LazyLock<BTreeMap<String, &'static str>> = LazyLock::new(|| {
    let mut table = BTreeMap::new();
    for zone in WindowsTimezone::iter() {
        // Labels are not all unique; the name is what decides.
        table.entry(folded(unlabelled(zone.description()).1)).or_insert(zone.tzdb_id());
        table.entry(folded(zone.description())).or_insert(zone.tzdb_id());
    }
    table.extend(WindowsTimezone::iter().map(|zone| (folded(zone.name()), zone.tzdb_id())));
    table
});

/// The last part of every IANA name, folded.
static CITIES: LazyLock<BTreeMap<String, Vec<String>>> = LazyLock::new(|| {
    let mut cities: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in jiff::tz::db().available() {
        let name = name.as_str();
        if let Some((_, city)) = name.rsplit_once('/') {
            cities.entry(folded(&city.replace('_', " "))).or_default().push(name.to_owned());
        }
    }
    cities
});

/// An IANA name, in whatever case, alone or after a vendor's path such as `/example.org/Olson_1/Europe/Berlin`.
pub fn iana(name: &str) -> Option<Zone> {
    let name = name.trim().trim_matches('"');
    if name.len() > 256 {
        return None;
    }
    let exact = |name: &str| {
        let zone = TimeZone::get(name).ok().filter(|zone| !zone.is_unknown())?;
        Some(Zone::Iana(zone.iana_name()?.to_owned()))
    };
    exact(name).or_else(|| {
        let parts = name.match_indices('/').map(|(at, _)| &name[at + 1..]).filter(|rest| !rest.is_empty());
        // A path's own last part alone ("…/EST") is no evidence; two parts are, and UTC is.
        let mut named = parts.filter(|rest| rest.contains('/') || rest.eq_ignore_ascii_case("UTC"));
        named.find_map(exact)
    })
}

/// A Windows name or label, or an IANA name with other separators.
pub fn alias(name: &str) -> Option<Zone> {
    let name = name.trim_end_matches("\\0").replace('\\', "");
    let name = name.trim().trim_matches('"');
    if name.len() > 256 {
        return None;
    }
    let windows = |name: &str| WINDOWS.get(&folded(name)).and_then(|iana| self::iana(iana));
    windows(name)
        .or_else(|| {
            let (offset, label) = unlabelled(name);
            let offset = offset?;
            // A label may be a Windows one from another year, under another offset: the offset decides.
            windows(label).filter(|zone| shows(zone, offset)).or_else(|| by_city(label, offset))
        })
        .or_else(|| by_cities(name))
        .or_else(|| iana(&name.replace(' ', "_")))
        .or_else(
            || if name.contains('/') { None } else { iana(&name.replacen('-', "/", 1).replace(' ', "_")) },
        )
}

/// `GMT+0100`, `UTC-5`, `+02:00`: east is positive, as everyone but POSIX writes it.
pub fn fixed(name: &str) -> Option<Zone> {
    let upper = name.trim().to_ascii_uppercase();
    let digits = ["GMT", "UTC"].iter().find_map(|prefix| upper.strip_prefix(prefix)).unwrap_or(&upper).trim();
    if upper == "Z" || digits.is_empty() && !upper.is_empty() {
        return Some(Zone::Iana("UTC".to_owned()));
    }
    let offset = signed_offset(digits).or_else(|| match unlabelled(name) {
        (offset, "") => offset,
        _ => None,
    })?;
    if offset == 0 {
        return Some(Zone::Iana("UTC".to_owned()));
    }
    Some(Zone::Given(Box::new(GivenZone::fixed(name.trim(), offset))))
}

/// Takes `(UTC+01:00) ` or `(GMT-05.00) ` off a label.
fn unlabelled(label: &str) -> (Option<i32>, &str) {
    let Some((inside, rest)) = label.trim().strip_prefix('(').and_then(|label| label.split_once(')')) else {
        return (None, label);
    };
    let upper = inside.to_ascii_uppercase();
    let Some(digits) = upper.strip_prefix("UTC").or_else(|| upper.strip_prefix("GMT")) else {
        return (None, label);
    };
    let offset = if digits.trim().is_empty() { Some(0) } else { signed_offset(digits.trim()) };
    (offset, rest.trim())
}

fn signed_offset(digits: &str) -> Option<i32> {
    let (sign, digits) = match digits.as_bytes().first()? {
        b'+' => (1, &digits[1..]),
        b'-' => (-1, &digits[1..]),
        _ => return None,
    };
    let digits = digits.trim().replace([':', '.'], "");
    if digits.len() > 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i32 = digits.parse().ok()?;
    let (hours, minutes) = if digits.len() <= 2 { (number, 0) } else { (number / 100, number % 100) };
    (hours <= 15 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// The first city of the label that is known and keeps this time.
fn by_city(label: &str, offset: i32) -> Option<Zone> {
    label.split([',', '/', ';']).find_map(|city| {
        let names = CITIES.get(&folded(city))?;
        names.iter().filter_map(|name| iana(name)).find(|zone| shows(zone, offset))
    })
}

/// A list of cities that all keep the same time.
fn by_cities(label: &str) -> Option<Zone> {
    let known: Vec<Zone> = label
        .split(',')
        .filter_map(|city| CITIES.get(&folded(city)).and_then(|names| iana(names.first()?)))
        .collect();
    let (first, others) = known.split_first()?;
    let same = |a: &Zone, b: &Zone| (0..54).all(|half| offset_in(a, half) == offset_in(b, half));
    (!others.is_empty() && others.iter().all(|other| same(first, other))).then(|| first.clone())
}

/// Whether the zone's standard time, now or of late, is this far east of UTC.
fn shows(zone: &Zone, offset: i32) -> bool {
    // A label keeps its offset when a country changes its mind.
    (0..54).any(|half| offset_in(zone, half) == Some(offset))
}

/// Seconds east of UTC in the half-years since January 2000.
fn offset_in(zone: &Zone, half: i64) -> Option<i32> {
    let instant = Timestamp::from_second(946_684_800 + half * 15_768_000).ok()?;
    Some(zone.time_zone()?.to_offset(instant).seconds())
}

fn folded(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for word in name.replace(" / ", ", ").replace('&', "and").split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&word.to_lowercase());
    }
    out
}
