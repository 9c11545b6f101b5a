//! What can be odd about a calendar file, by its kind and with what a sentence about it needs; and that sentence in
//! English. Whoever speaks to her in another language has words of their own for each kind.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// Something in the file that could not be read as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Counted from 1.
    pub line: usize,
    pub kind: ProblemKind,
}

/// What is odd there, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum ProblemKind {
    #[error("this line is no property and is passed over")]
    NoProperty,
    #[error("this {property} is too long; its rest is passed over")]
    LongLine {
        #[cfg_attr(feature = "bindings", specta(type = String))]
        property: Excerpt,
    },
    #[error("the file ends before its calendar does")]
    EndsEarly,
    #[error("components lie deeper in each other than any real ones")]
    TooDeep,
    #[error("a calendar begins before the last one ended")]
    CalendarInCalendar,
    #[error("an {component} ends that never began")]
    NeverBegan {
        #[cfg_attr(feature = "bindings", specta(type = String))]
        component: Excerpt,
    },
    #[error("the component before this one has no END")]
    NoEnd,
    #[error("more than {most} events; all time from the first of the rest on is blocked")]
    ManyEvents { most: u32 },
    #[error("an event without a readable DTSTART takes up no time and is left out")]
    NoStart,
    #[error("the {part} cannot be read: {text:?}")]
    Unreadable {
        part: Part,
        #[cfg_attr(feature = "bindings", specta(type = String))]
        text: Excerpt,
    },
    #[error("a busy period cannot be read: {text:?}")]
    UnreadablePeriod {
        #[cfg_attr(feature = "bindings", specta(type = String))]
        text: Excerpt,
    },
    #[error("more busy periods than are kept; all time from the first of them on is blocked")]
    ManyPeriods,
    #[error("the file gives the zone {zone:?} rules of its own; they are used")]
    OwnZone {
        #[cfg_attr(feature = "bindings", specta(type = String))]
        zone: Excerpt,
    },
    #[error("the zone {zone:?} is unknown; the calendar's own zone is used")]
    ReplacedZone {
        #[cfg_attr(feature = "bindings", specta(type = String))]
        zone: Excerpt,
    },
    #[error("the zone {zone:?} is unknown; its events block wherever they may be")]
    UnknownZone {
        #[cfg_attr(feature = "bindings", specta(type = String))]
        zone: Excerpt,
    },
    #[error("the zone {zone:?} is one of too many; its events block wherever they may be")]
    ManyZones {
        #[cfg_attr(feature = "bindings", specta(type = String))]
        zone: Excerpt,
    },
    #[error("the zone {zone:?} has more rules than can be kept; its events block wherever they may be")]
    LargeZone {
        #[cfg_attr(feature = "bindings", specta(type = String))]
        zone: Excerpt,
    },
}

/// The part of an event that could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Part {
    Start,
    SecondStart,
    End,
    Duration,
    Instance,
    /// Of a rule that is one too many.
    Rule,
    ExceptDates,
    ExtraDates,
    Sequence,
    Stamp,
}

/// A few words of the file.
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt(String);

/// Zones of Outlook's are called by half a dozen towns.
const MAX_NAME: usize = 256;
const MAX_VALUE: usize = 60;

impl Problem {
    /// In plain English, without its line.
    #[must_use]
    pub fn message(&self) -> String {
        self.kind.to_string()
    }
}

/// Its kind is for programs that have words of their own; everybody else reads the sentence.
impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut told = to.serialize_struct("Problem", 2)?;
        told.serialize_field("line", &self.line)?;
        told.serialize_field("message", &self.message())?;
        told.end()
    }
}

impl Part {
    pub const ALL: [Self; 10] = [
        Self::Start,
        Self::SecondStart,
        Self::End,
        Self::Duration,
        Self::Instance,
        Self::Rule,
        Self::ExceptDates,
        Self::ExtraDates,
        Self::Sequence,
        Self::Stamp,
    ];

    fn words(self) -> &'static str {
        match self {
            Self::Start => "DTSTART",
            Self::SecondStart => "second DTSTART",
            Self::End => "DTEND",
            Self::Duration => "DURATION",
            Self::Instance => "RECURRENCE-ID",
            Self::Rule => "rule",
            Self::ExceptDates => "EXDATE",
            Self::ExtraDates => "RDATE",
            Self::Sequence => "SEQUENCE",
            Self::Stamp => "DTSTAMP",
        }
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.words())
    }
}

impl Excerpt {
    /// Of what something is called.
    pub(super) fn name(text: &str) -> Self {
        Self(text.chars().take(MAX_NAME).collect())
    }

    /// Of what something says.
    pub(super) fn value(text: &str) -> Self {
        Self(text.chars().take(MAX_VALUE).collect())
    }
}

impl std::fmt::Display for Excerpt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// In quotes, and whatever cannot be seen by its number.
impl std::fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Without what cannot be seen: it is put between words that it must not turn round.
impl Serialize for Excerpt {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0.chars().filter(|c| !is_unseen(*c)).collect::<String>())
    }
}

/// Control characters, those that turn the direction of writing, and blanks without a width.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each kind, with the sentence that scripts and logs have always read.
    fn each() -> Vec<(ProblemKind, &'static str)> {
        use ProblemKind as Kind;
        let zone = || Excerpt::name("Middle \"Earth\"");
        let mut all = vec![
            (Kind::NoProperty, "this line is no property and is passed over"),
            (
                Kind::LongLine { property: Excerpt::name("DESCRIPTION") },
                "this DESCRIPTION is too long; its rest is passed over",
            ),
            (Kind::EndsEarly, "the file ends before its calendar does"),
            (Kind::TooDeep, "components lie deeper in each other than any real ones"),
            (Kind::CalendarInCalendar, "a calendar begins before the last one ended"),
            (Kind::NeverBegan { component: Excerpt::name("VEVENT") }, "an VEVENT ends that never began"),
            (Kind::NoEnd, "the component before this one has no END"),
            (
                Kind::ManyEvents { most: 131_000 },
                "more than 131000 events; all time from the first of the rest on is blocked",
            ),
            (Kind::NoStart, "an event without a readable DTSTART takes up no time and is left out"),
            (
                Kind::UnreadablePeriod { text: Excerpt::value("noon/PT") },
                "a busy period cannot be read: \"noon/PT\"",
            ),
            (
                Kind::ManyPeriods,
                "more busy periods than are kept; all time from the first of them on is blocked",
            ),
            (
                Kind::OwnZone { zone: zone() },
                "the file gives the zone \"Middle \\\"Earth\\\"\" rules of its own; they are used",
            ),
            (
                Kind::ReplacedZone { zone: zone() },
                "the zone \"Middle \\\"Earth\\\"\" is unknown; the calendar's own zone is used",
            ),
            (
                Kind::UnknownZone { zone: zone() },
                "the zone \"Middle \\\"Earth\\\"\" is unknown; its events block wherever they may be",
            ),
            (
                Kind::ManyZones { zone: zone() },
                "the zone \"Middle \\\"Earth\\\"\" is one of too many; its events block wherever they may be",
            ),
            (
                Kind::LargeZone { zone: zone() },
                "the zone \"Middle \\\"Earth\\\"\" has more rules than can be kept; its events block wherever \
                 they may be",
            ),
        ];
        let parts = [
            "the DTSTART cannot be read: \"soon\"",
            "the second DTSTART cannot be read: \"soon\"",
            "the DTEND cannot be read: \"soon\"",
            "the DURATION cannot be read: \"soon\"",
            "the RECURRENCE-ID cannot be read: \"soon\"",
            "the rule cannot be read: \"soon\"",
            "the EXDATE cannot be read: \"soon\"",
            "the RDATE cannot be read: \"soon\"",
            "the SEQUENCE cannot be read: \"soon\"",
            "the DTSTAMP cannot be read: \"soon\"",
        ];
        let text = || Excerpt::value("soon");
        let parts = Part::ALL.into_iter().zip(parts);
        all.extend(parts.map(|(part, said)| (Kind::Unreadable { part, text: text() }, said)));
        all
    }

    #[test]
    fn every_kind_has_its_sentence() {
        for (kind, said) in each() {
            let problem = Problem { line: 12, kind };
            assert_eq!(problem.message(), said);
            let told = serde_json::to_value(&problem).unwrap();
            assert_eq!(told, serde_json::json!({ "line": 12, "message": said }));
        }
    }

    #[test]
    fn a_kind_is_handed_on_by_its_word_and_with_what_it_is_about() {
        let told = |kind: &ProblemKind| serde_json::to_value(kind).unwrap();
        let soon = ProblemKind::Unreadable { part: Part::SecondStart, text: Excerpt::value("soon") };
        assert_eq!(
            told(&soon),
            serde_json::json!({ "kind": "unreadable", "part": "second_start", "text": "soon" })
        );
        assert_eq!(told(&ProblemKind::NoEnd), serde_json::json!({ "kind": "no_end" }));
    }

    #[test]
    fn an_excerpt_is_short_and_turns_no_words_round() {
        let told = |excerpt: Excerpt| serde_json::to_value(excerpt).unwrap().as_str().unwrap().to_owned();
        assert_eq!(told(Excerpt::value("\u{202e}Cafe\u{301} \u{200b}\u{7}\"noir\"")), "Cafe\u{301} \"noir\"");
        assert_eq!(format!("{:?}", Excerpt::value("a\u{202e}")), "\"a\\u{202e}\"");
        assert_eq!(told(Excerpt::value(&"é".repeat(1_000))).chars().count(), MAX_VALUE);
        assert_eq!(told(Excerpt::name(&"é".repeat(1_000))).chars().count(), MAX_NAME);
    }
}
