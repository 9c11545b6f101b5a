//! One VEVENT, property by property. Zones stay names until the whole calendar has been seen.

use std::borrow::Cow;

use super::lines::Line;
use super::problem::{Excerpt, Part, ProblemKind};
use super::property::Property;
use super::reader::Problems;
use super::{value, vcalendar1};
use crate::busy::Withheld;
use crate::event::{Answer, End, Event, ShownAs, Status, Transparency, Uid, When};
use crate::recurrence::civil::{self, DAY};

/// EXDATE or RDATE values that are kept for one event: one more than is honoured, so that the excess is noticed.
const MAX_DATES: usize = 50_001;
const MAX_RULES: usize = 50;
const MAX_TEXT: usize = 64 * 1024;
const MAX_SHORT_TEXT: usize = 4 * 1024;

/// A VEVENT being read.
pub struct Draft {
    /// Where it begins in the file.
    line: usize,
    event: Event,
    start: Option<When>,
    end: Option<End>,
    duration: Option<End>,
    marked_all_day: bool,
    lost_instance: bool,
    organised_by_own: bool,
}

impl Draft {
    pub fn new(line: usize) -> Self {
        let nowhere = When::Utc(jiff::Timestamp::UNIX_EPOCH);
        Self {
            line,
            event: Event::new(Uid::default(), nowhere, End::Unstated),
            start: None,
            end: None,
            duration: None,
            marked_all_day: false,
            lost_instance: false,
            organised_by_own: false,
        }
    }

    /// `room` is how many dates the file may still have.
    pub fn property(
        &mut self,
        line: &Line<'_>,
        property: &Property<'_>,
        own: &[&str],
        room: &mut usize,
        problems: &mut Problems,
    ) {
        let event = &mut self.event;
        let mut unread = |part: Part| {
            let text = Excerpt::value(&property.value());
            problems.add(line.number, ProblemKind::Unreadable { part, text });
        };
        match property.name.as_ref() {
            "UID" => event.uid = Uid(property.text(MAX_SHORT_TEXT).trim().to_owned()),
            "DTSTART" => match value::when(property) {
                Some(when) if self.start.is_none() => self.start = Some(when),
                Some(_) => unread(Part::SecondStart),
                None => unread(Part::Start),
            },
            "DTEND" => {
                let end = value::when(property);
                if end.is_none() {
                    unread(Part::End);
                }
                self.end = Some(end.map_or(AN_HOUR, End::At));
            }
            "DURATION" => {
                let duration = value::duration(&property.value());
                if duration.is_none() {
                    unread(Part::Duration);
                }
                self.duration =
                    Some(duration.map_or(AN_HOUR, |(days, seconds)| End::Lasting { days, seconds }));
            }
            "RECURRENCE-ID" => match value::when(property) {
                Some(when) => {
                    event.instance = Some(when);
                    event.and_future = property
                        .parameter("RANGE")
                        .is_some_and(|range| range.eq_ignore_ascii_case("THISANDFUTURE"));
                }
                None => {
                    self.lost_instance = true;
                    unread(Part::Instance);
                }
            },
            "RRULE" | "EXRULE" => {
                let text = property.value();
                let text = vcalendar1::rule(&text).map_or(text, Cow::Owned);
                let rules = if property.name == "RRULE" {
                    &mut event.recurrence.rules
                } else {
                    &mut event.recurrence.except_rules
                };
                if rules.len() >= MAX_RULES {
                    event.incomplete |= property.name == "RRULE";
                    unread(Part::Rule);
                } else if !text.is_empty() && !rules.iter().any(|rule| *rule == *text) {
                    rules.push(text.into_owned());
                }
            }
            "EXDATE" => {
                let kept = &mut event.recurrence.except_dates;
                let most = MAX_DATES.saturating_sub(kept.len()).min(*room);
                let (mut dates, lost) = value::whens(property, most);
                if line.cut && dates.len() + lost < most {
                    // Half a moment may read as a whole day.
                    dates.pop();
                }
                *room -= dates.len();
                kept.extend(dates);
                if lost > 0 || *room == 0 {
                    unread(Part::ExceptDates);
                }
            }
            "RDATE" => {
                let kept = &mut event.recurrence.dates;
                let most = MAX_DATES.saturating_sub(kept.len()).min(*room);
                let (dates, lost) = value::extra_dates(property, most);
                event.incomplete |= line.cut || dates.len() + lost >= most;
                *room -= dates.len();
                kept.extend(dates);
                if lost > 0 {
                    unread(Part::ExtraDates);
                }
            }
            "SUMMARY" => event.summary = property.text(MAX_SHORT_TEXT),
            "DESCRIPTION" => event.description = property.text(MAX_TEXT),
            "LOCATION" => event.location = property.text(MAX_SHORT_TEXT),
            "STATUS" => event.status = status(&property.value()),
            "TRANSP" => event.transparency = transparency(&property.value()),
            "X-MICROSOFT-CDO-BUSYSTATUS" => event.shown_as = shown_as(&property.value()),
            "X-MICROSOFT-CDO-ALLDAYEVENT" => {
                self.marked_all_day = property.value().eq_ignore_ascii_case("TRUE");
            }
            "X-APPLE-TRAVEL-DURATION" => {
                if let Some((days, seconds)) = value::duration(&property.value()) {
                    event.travel_seconds = u32::try_from(i64::from(days) * DAY + seconds).unwrap_or(0);
                }
            }
            "SEQUENCE" => match property.value().parse::<i64>() {
                Ok(sequence) => event.sequence = u32::try_from(sequence.max(0)).unwrap_or(u32::MAX),
                Err(_) => unread(Part::Sequence),
            },
            "DTSTAMP" => match value::when(property) {
                Some(When::Utc(stamp)) => event.stamp = Some(stamp),
                Some(when @ (When::Date(_) | When::Zoned { .. } | When::Floating(_))) => {
                    // Only its order matters, so a stamp without a zone is as good as one in UTC.
                    event.stamp = jiff::Timestamp::from_second(crate::series::wall(&when)).ok();
                }
                None => unread(Part::Stamp),
            },
            "ORGANIZER" if is_own(property, own) => self.organised_by_own = true,
            "ATTENDEE" if is_own(property, own) => {
                event.answer = property.parameter("PARTSTAT").and_then(|said| answer(&said)).or(event.answer);
            }
            _ => {}
        }
    }

    /// The event; or, where it says no time at all and was not cancelled, that it cannot be placed.
    pub fn finish(self, problems: &mut Problems) -> Result<Event, Option<Withheld>> {
        let mut event = self.event;
        // A cancellation may name no more than the instance it cancels.
        let Some(start) = self.start.or_else(|| event.instance.clone()) else {
            problems.add(self.line, ProblemKind::NoStart);
            let reason = "it says no time that can be read, so it blocks nothing".to_owned();
            let stands = event.status != Status::Cancelled;
            return Err(stands.then_some(Withheld { uid: event.uid, reason }));
        };
        event.start = start;
        event.end = self.end.or(self.duration).unwrap_or_default();
        if let (When::Floating(wall), End::At(When::Zoned { zone, .. })) = (&event.start, &event.end) {
            event.start = When::Zoned { wall: *wall, zone: zone.clone() };
        }
        if self.marked_all_day {
            mark_all_day(&mut event);
        }
        // Nobody asks her whether she comes to what she organises.
        if self.organised_by_own && matches!(event.answer, None | Some(Answer::NeedsAction)) {
            event.answer = Some(Answer::Accepted);
        }
        if self.lost_instance {
            // It is one instance of a series, though nobody knows which: it stands beside the series.
            event.series = Some(format!("{}#{}", event.uid.0, self.line));
        }
        Ok(event)
    }
}

/// What an end that cannot be read is taken to be: the event still takes up time.
const AN_HOUR: End = End::Lasting { days: 0, seconds: 3_600 };

/// Outlook's mark on an event that runs from midnight to midnight: it means days, whatever zone reads it.
fn mark_all_day(event: &mut Event) {
    let midnight = |when: &When| {
        let wall = crate::series::wall(when);
        (wall.rem_euclid(DAY) == 0).then(|| civil::to_date(wall.div_euclid(DAY))).flatten()
    };
    let End::At(end) = &event.end else { return };
    if let (Some(start), Some(end)) = (midnight(&event.start), midnight(end))
        && start < end
    {
        event.start = When::Date(start);
        event.end = End::At(When::Date(end));
    }
}

fn status(text: &str) -> Status {
    match text.to_ascii_uppercase().as_str() {
        "CANCELLED" | "CANCELED" => Status::Cancelled,
        "TENTATIVE" => Status::Tentative,
        _ => Status::Confirmed,
    }
}

/// vCalendar 1.0 writes a number; anything above 0 does not block.
fn transparency(text: &str) -> Transparency {
    let number = text.parse::<u32>().is_ok_and(|number| number > 0);
    if number || text.eq_ignore_ascii_case("TRANSPARENT") {
        Transparency::Transparent
    } else {
        Transparency::Opaque
    }
}

fn shown_as(text: &str) -> Option<ShownAs> {
    match text.to_ascii_uppercase().as_str() {
        "FREE" | "0" => Some(ShownAs::Free),
        "TENTATIVE" | "1" => Some(ShownAs::Tentative),
        "BUSY" | "2" => Some(ShownAs::Busy),
        "OOF" | "3" => Some(ShownAs::OutOfOffice),
        "WORKINGELSEWHERE" | "4" => Some(ShownAs::WorkingElsewhere),
        _ => None,
    }
}

fn answer(text: &str) -> Option<Answer> {
    match text.to_ascii_uppercase().as_str() {
        "NEEDS-ACTION" => Some(Answer::NeedsAction),
        "ACCEPTED" => Some(Answer::Accepted),
        "DECLINED" => Some(Answer::Declined),
        "TENTATIVE" => Some(Answer::Tentative),
        _ => None,
    }
}

fn is_own(property: &Property<'_>, own: &[&str]) -> bool {
    if own.is_empty() {
        return false;
    }
    let value = property.value().to_ascii_lowercase();
    let address = value.strip_prefix("mailto:").unwrap_or(&value).trim();
    let named = property.parameter("EMAIL");
    own.iter().any(|own| {
        own.eq_ignore_ascii_case(address)
            || named.as_deref().is_some_and(|named| own.eq_ignore_ascii_case(named))
    })
}
