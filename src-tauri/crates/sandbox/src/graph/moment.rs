//! `dateTimeTimeZone`: wall time without an offset, beside a zone by its Windows name or one of the IANA names that
//! Graph documents. Any other IANA name is refused.

use calendar::zone::Zone;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::refusal::Refusal;

/// The names beside Windows' own that Microsoft's page on `dateTimeTimeZone` lists.
const DOCUMENTED: [&str; 95] = [
    "Etc/GMT+12",
    "Etc/GMT+11",
    "Pacific/Honolulu",
    "America/Anchorage",
    "America/Santa_Isabel",
    "America/Los_Angeles",
    "America/Phoenix",
    "America/Chihuahua",
    "America/Denver",
    "America/Guatemala",
    "America/Chicago",
    "America/Mexico_City",
    "America/Regina",
    "America/Bogota",
    "America/New_York",
    "America/Indiana/Indianapolis",
    "America/Caracas",
    "America/Asuncion",
    "America/Halifax",
    "America/Cuiaba",
    "America/La_Paz",
    "America/Santiago",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Argentina/Buenos_Aires",
    "America/Cayenne",
    "America/Godthab",
    "America/Montevideo",
    "America/Bahia",
    "Etc/GMT+2",
    "Atlantic/Azores",
    "Atlantic/Cape_Verde",
    "Africa/Casablanca",
    "Etc/GMT",
    "Europe/London",
    "Atlantic/Reykjavik",
    "Europe/Berlin",
    "Europe/Budapest",
    "Europe/Paris",
    "Europe/Warsaw",
    "Africa/Lagos",
    "Africa/Windhoek",
    "Europe/Bucharest",
    "Asia/Beirut",
    "Africa/Cairo",
    "Asia/Damascus",
    "Africa/Johannesburg",
    "Europe/Kiev",
    "Europe/Istanbul",
    "Asia/Jerusalem",
    "Asia/Amman",
    "Asia/Baghdad",
    "Europe/Kaliningrad",
    "Asia/Riyadh",
    "Africa/Nairobi",
    "Asia/Tehran",
    "Asia/Dubai",
    "Asia/Baku",
    "Europe/Moscow",
    "Indian/Mauritius",
    "Asia/Tbilisi",
    "Asia/Yerevan",
    "Asia/Kabul",
    "Asia/Tashkent",
    "Asia/Karachi",
    "Asia/Kolkata",
    "Asia/Colombo",
    "Asia/Kathmandu",
    "Asia/Almaty",
    "Asia/Dhaka",
    "Asia/Yekaterinburg",
    "Asia/Rangoon",
    "Asia/Bangkok",
    "Asia/Novosibirsk",
    "Asia/Shanghai",
    "Asia/Krasnoyarsk",
    "Asia/Singapore",
    "Australia/Perth",
    "Asia/Taipei",
    "Asia/Ulaanbaatar",
    "Asia/Irkutsk",
    "Asia/Tokyo",
    "Asia/Seoul",
    "Australia/Adelaide",
    "Australia/Darwin",
    "Australia/Brisbane",
    "Australia/Sydney",
    "Pacific/Port_Moresby",
    "Australia/Hobart",
    "Asia/Yakutsk",
    "Pacific/Guadalcanal",
    "Asia/Vladivostok",
    "Pacific/Auckland",
    "Etc/GMT-12",
    "Pacific/Fiji",
];

/// A zone by a name that Graph takes.
#[derive(Clone, Debug)]
pub struct GraphZone {
    name: String,
    zone: TimeZone,
}

impl GraphZone {
    #[must_use]
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), zone: TimeZone::UTC }
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let zone = match name {
            "UTC" => TimeZone::UTC,
            _ if DOCUMENTED.contains(&name) => TimeZone::get(name).ok()?,
            // A Windows name, and not an IANA one in another spelling.
            _ if name.contains('/') || Zone::iana(name).is_some() => return None,
            _ => Zone::alias(name)?.time_zone()?,
        };
        Some(Self { name: name.to_owned(), zone })
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }
}

/// `start` or `end` as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    pub wall: DateTime,
    /// By the name that was written.
    pub zone: String,
}

impl Moment {
    #[must_use]
    pub fn at(at: Timestamp, zone: &GraphZone) -> Self {
        Self { wall: at.to_zoned(zone.zone.clone()).datetime(), zone: zone.name.clone() }
    }

    /// # Errors
    /// When it is not wall time, or the zone is not one that Graph takes.
    pub fn read(value: &Value) -> Result<Self, Refusal> {
        let text = value.get("dateTime").and_then(Value::as_str).ok_or_else(Refusal::validation)?;
        let zone = match value.get("timeZone") {
            None | Some(Value::Null) => "UTC",
            Some(Value::String(name)) => name,
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                return Err(Refusal::body_read(
                    "Cannot convert the literal to the expected type 'Edm.String'.",
                ));
            }
        };
        let known = GraphZone::named(zone).ok_or_else(|| {
            Refusal::new(400, "TimeZoneNotSupportedException", format!("A valid TimeZone value must be specified. The following TimeZone value is not supported: '{zone}'."))
        })?;
        // An offset is no part of it; a Z is borne where it says what the zone says.
        let bare = match text.strip_suffix('Z') {
            Some(bare) if known.name == "UTC" => bare,
            Some(_) | None => text,
        };
        let clock = bare.split_once('T').map_or("", |(_, clock)| clock);
        let is_plain = bare.len() >= 10 && clock.bytes().all(|b| b.is_ascii_digit() || b":.".contains(&b));
        let wall: Option<DateTime> = if is_plain { bare.parse().ok() } else { None };
        let wall = wall.ok_or_else(|| {
            Refusal::new(
                400,
                "ErrorInvalidRequest",
                format!("The value '{text}' of parameter 'DateTimeTimeZone.DateTime' is invalid."),
            )
        })?;
        Ok(Self { wall, zone: zone.to_owned() })
    }

    #[must_use]
    pub fn graph_zone(&self) -> GraphZone {
        GraphZone::named(&self.zone).unwrap_or_else(GraphZone::utc)
    }

    #[must_use]
    pub fn instant(&self) -> Timestamp {
        let zoned = self.wall.to_zoned(self.graph_zone().zone);
        zoned.map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
    }

    /// As seen in `zone`; a day begins at midnight wherever one looks from.
    #[must_use]
    pub fn told(&self, all_day: bool, zone: &GraphZone) -> Value {
        let wall = if all_day { self.wall } else { Self::at(self.instant(), zone).wall };
        json!({"dateTime": written(wall), "timeZone": zone.name})
    }

    #[must_use]
    pub fn days_later(&self, days: i64) -> Self {
        Self { wall: self.wall.checked_add(days.days()).unwrap_or(self.wall), zone: self.zone.clone() }
    }
}

/// Seven digits of a second, and no offset.
#[must_use]
pub fn written(wall: DateTime) -> String {
    wall.strftime("%Y-%m-%dT%H:%M:%S.%7f").to_string()
}

/// Seven digits of a second, and a Z.
#[must_use]
pub fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%7fZ").to_string()
}

/// `startDateTime` and its like: with an offset, or in UTC without one.
#[must_use]
pub fn parameter(text: &str) -> Option<Timestamp> {
    // In a query a plus that nobody escaped has become a space.
    let text = text.replace(' ', "+");
    text.parse::<Timestamp>().ok().or_else(|| {
        let wall: DateTime = text.parse().ok()?;
        wall.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_names_and_documented_iana_names_are_known_and_no_others() {
        for name in
            ["UTC", "Eastern Standard Time", "W. Europe Standard Time", "America/New_York", "Etc/GMT+2"]
        {
            assert!(GraphZone::named(name).is_some(), "{name}");
        }
        for name in
            ["America/Toronto", "EST5EDT", "europe/berlin", "Mars Standard Time", "", "Europe/Amsterdam"]
        {
            assert!(GraphZone::named(name).is_none(), "{name}");
        }
        assert!(DOCUMENTED.iter().all(|name| GraphZone::named(name).is_some()));
    }

    #[test]
    fn a_moment_has_no_offset() {
        let read = |text: &str, zone: &str| Moment::read(&json!({"dateTime": text, "timeZone": zone}));
        assert!(read("2026-12-01T10:00:00", "Eastern Standard Time").is_ok());
        assert!(read("2026-12-01T10:00:00.0000000", "UTC").is_ok());
        assert!(read("2026-12-01T10:00:00-05:00", "UTC").is_err());
        assert!(read("2026-12-01T10:00:00Z", "Eastern Standard Time").is_err());
        assert!(read("2026-12-01T10:00:00", "America/Toronto").is_err());
        let moment = read("2026-12-01T10:00:00", "Eastern Standard Time").unwrap();
        assert_eq!(moment.told(false, &GraphZone::utc())["dateTime"], "2026-12-01T15:00:00.0000000");
        assert_eq!(moment.told(true, &GraphZone::utc())["dateTime"], "2026-12-01T10:00:00.0000000");
    }
}
