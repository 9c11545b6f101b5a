//! One file from disk into the model of one side; what it came to is its number of events.

use std::fs;

use calcard::icalendar::{ICalendar, ICalendarComponentType};
use icalendar::Component;

use crate::Done;

pub fn read(side: &str, path: &str) -> Done {
    let events = match side {
        "ours" => calendar::ics::read(&fs::read(path)?)?.0.events.len(),
        "calcard" => calcard(&fs::read_to_string(path)?)?,
        "icalendar" => {
            let calendar: icalendar::Calendar = fs::read_to_string(path)?.parse()?;
            calendar
                .components
                .iter()
                .filter(|part| part.as_event().is_some_and(|event| event.get_uid().is_some()))
                .count()
        }
        // What all of them pay before they begin.
        "disk" => {
            return Ok(fs::read(path)?.windows(12).filter(|part| part == b"BEGIN:VEVENT").count().to_string());
        }
        _ => return Err(format!("no side {side}").into()),
    };
    Ok(events.to_string())
}

fn calcard(text: &str) -> Result<usize, String> {
    let calendar = ICalendar::parse(text).map_err(|entry| format!("{entry:?}"))?;
    let is_event = |kind: &ICalendarComponentType| matches!(kind, ICalendarComponentType::VEvent);
    Ok(calendar.components.iter().filter(|part| is_event(&part.component_type)).count())
}
