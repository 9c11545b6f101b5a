//! Values as PostgreSQL types them: reading one from text, comparing two, and writing one into an error.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use uuid::Uuid;

use super::refusal::Refusal;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Id,
    Instant,
    Flag,
    Number,
    Text,
    Json,
}

/// One value. Two of the same kind compare as PostgreSQL compares them; nothing compares with `Null`.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub enum Cell {
    Null,
    Id(Uuid),
    Instant(Timestamp),
    Flag(bool),
    Number(f64),
    Text(String),
}

impl Kind {
    /// # Errors
    /// When the text is no value of this type.
    pub fn read(self, text: &str) -> Result<Cell, Refusal> {
        match self {
            Self::Id => uuid(text).map(Cell::Id).ok_or_else(|| invalid("22P02", "uuid", text)),
            Self::Instant => instant(text)
                .map(Cell::Instant)
                .ok_or_else(|| invalid("22007", "timestamp with time zone", text)),
            Self::Flag => flag(text).map(Cell::Flag).ok_or_else(|| invalid("22P02", "boolean", text)),
            Self::Number => {
                text.trim().parse().map(Cell::Number).map_err(|_| invalid("22P02", "numeric", text))
            }
            Self::Text => Ok(Cell::Text(text.to_owned())),
            Self::Json => Err(Refusal::new(404, "42883", "operator does not exist: jsonb = unknown")),
        }
    }
}

fn invalid(code: &'static str, kind: &str, text: &str) -> Refusal {
    Refusal::new(400, code, format!("invalid input syntax for type {kind}: \"{text}\""))
}

/// Any case, with hyphens or without, in braces or not; never as a URN.
fn uuid(text: &str) -> Option<Uuid> {
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    if inner.starts_with(['u', '{']) { None } else { Uuid::parse_str(inner).ok() }
}

/// Rounded to the microsecond. Without an offset it is UTC, as the database is set.
fn instant(text: &str) -> Option<Timestamp> {
    let at = text.parse::<Timestamp>().ok().or_else(|| {
        let civil = text.parse::<DateTime>().ok().filter(|_| !text.contains('['))?;
        Offset::UTC.to_timestamp(civil).ok()
    })?;
    at.round(jiff::Unit::Microsecond).ok()
}

fn flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// `2030-01-02 10:00:00+00`: as PostgreSQL itself writes an instant into its messages.
#[must_use]
pub fn plain(at: Timestamp) -> String {
    let pattern =
        if at.subsec_nanosecond() == 0 { "%Y-%m-%d %H:%M:%S+00" } else { "%Y-%m-%d %H:%M:%S.%6f+00" };
    at.strftime(pattern).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_as_the_database_reads_it() {
        let id = Kind::Id.read("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11").unwrap();
        assert_eq!(id, Kind::Id.read("{a0eebc999c0b4ef8bb6d6bb9bd380a11}").unwrap());
        let at = Kind::Instant.read("2030-01-02T11:00:00+01:00").unwrap();
        assert_eq!(at, Kind::Instant.read("2030-01-02T10:00:00Z").unwrap());
        assert_eq!(at, Kind::Instant.read("2030-01-02 10:00:00").unwrap());
        assert_eq!(Kind::Flag.read("T").unwrap(), Cell::Flag(true));
        for (kind, text, code) in [
            (Kind::Id, "slot-1", "22P02"),
            (Kind::Instant, "2030-01-02T10:00:00 00:00", "22007"),
            (Kind::Flag, "maybe", "22P02"),
            (Kind::Number, "ten", "22P02"),
        ] {
            assert_eq!(kind.read(text).unwrap_err().code(), code, "{text}");
        }
    }
}
