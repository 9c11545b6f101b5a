//! When she works, as her profile on Bookiji says it. It has said so in two shapes (platform notes §1.4): by long names of
//! weekdays with several stretches each, and by any name with one.

use calendar::hours::{Hours, Stretch};
use jiff::civil::{Time, Weekday};
use serde::Deserialize;
use serde_json::{Map, Value};
use sync::error::ServiceError;

use super::database::{Database, error};
use crate::http::{Http, Method, Request};
use crate::tokens::{Signed, Tokens};

/// Nobody's day has more breaks than this.
const STRETCHES: usize = 24;
const DAYS: [(Weekday, &str); 7] = [
    (Weekday::Monday, "mon"),
    (Weekday::Tuesday, "tue"),
    (Weekday::Wednesday, "wed"),
    (Weekday::Thursday, "thu"),
    (Weekday::Friday, "fri"),
    (Weekday::Saturday, "sat"),
    (Weekday::Sunday, "sun"),
];

#[derive(Deserialize)]
struct Row {
    business_hours: Option<Map<String, Value>>,
}

impl Database {
    fn profile(&self) -> Request {
        self.rows(Method::GET, "/rest/v1/profiles", &["profiles"], "")
            .query("id", &format!("eq.{}", self.vendor))
            .query("select", "business_hours")
    }

    /// When she works; nothing where her profile does not say so, or says it in a way that nobody here knows.
    ///
    /// # Errors
    /// Why the database did not answer.
    pub async fn hours(&self, http: Http, tokens: Tokens) -> Result<Option<Hours>, ServiceError> {
        let answer = Signed { http, tokens }.send(self.profile()).await?;
        if !answer.status.is_success() {
            return Err(error(&answer));
        }
        let row = answer.json::<Vec<Row>>()?.into_iter().next();
        Ok(row.and_then(|row| read(&row.business_hours?)))
    }
}

/// One day that cannot be read leaves all of them unsaid: half of the truth would be drawn as days off.
fn read(said: &Map<String, Value>) -> Option<Hours> {
    let mut hours = Hours::default();
    for (name, value) in said {
        let name = name.trim().to_ascii_lowercase();
        let (day, _) = DAYS.into_iter().find(|(_, short)| name.starts_with(short))?;
        hours.set(day, stretches(value)?);
    }
    (!said.is_empty()).then_some(hours)
}

fn stretches(day: &Value) -> Option<Vec<Stretch>> {
    if day.is_null() {
        return Some(Vec::new());
    }
    let open = day.get("isEnabled").or_else(|| day.get("open"))?.as_bool()?;
    if !open {
        return Some(Vec::new());
    }
    match day.get("timeRanges") {
        Some(ranges) => {
            let ranges = ranges.as_array().filter(|ranges| ranges.len() <= STRETCHES)?;
            ranges.iter().map(|range| stretch(&range["start"], &range["end"])).collect()
        }
        None => stretch(&day["start_time"], &day["end_time"]).map(|one| vec![one]),
    }
}

/// Midnight is the end of a day where something ends.
fn stretch(start: &Value, end: &Value) -> Option<Stretch> {
    let (from, until) = (minute(start)?, minute(end)?);
    Stretch::new(from, if until == 0 { 24 * 60 } else { until })
}

fn minute(value: &Value) -> Option<u16> {
    let text = value.as_str()?;
    if text == "24:00" {
        return Some(24 * 60);
    }
    let time: Time = text.parse().ok()?;
    u16::try_from(i32::from(time.hour()) * 60 + i32::from(time.minute())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Each day that has some, as `0: 540-720 780-1080` from Monday on.
    #[track_caller]
    fn check(said: Value, expected: Option<&[&str]>) {
        let told = read(said.as_object().unwrap()).map(|hours| {
            let days = hours.days().enumerate().filter(|(_, day)| !day.is_empty());
            let line = |(at, day): (usize, &[Stretch])| {
                let all: Vec<String> = day.iter().map(|one| format!("{}-{}", one.from, one.until)).collect();
                format!("{at}: {}", all.join(" "))
            };
            days.map(line).collect::<Vec<_>>()
        });
        let expected = expected.map(|lines| lines.iter().map(|&line| line.to_owned()).collect());
        assert_eq!(told, expected, "{said}");
    }

    #[test]
    fn both_shapes_are_read() {
        let open = json!({"isEnabled": true, "timeRanges": [{"start": "09:00", "end": "12:00"}, {"start": "13:00", "end": "18:00"}]});
        let off = json!({"isEnabled": false, "timeRanges": []});
        check(json!({"Monday": off, "Tuesday": open, "Sunday": off}), Some(&["1: 540-720 780-1080"]));
        check(
            json!({"monday": {"open": true, "start_time": "09:30", "end_time": "17:00:00"}, "sun": {"open": false}}),
            Some(&["0: 570-1020"]),
        );
        check(
            json!({"Friday": {"open": true, "start_time": "20:00", "end_time": "00:00"}}),
            Some(&["4: 1200-1440"]),
        );
        check(
            json!({"Friday": {"open": true, "start_time": "00:00", "end_time": "24:00"}}),
            Some(&["4: 0-1440"]),
        );
        check(json!({"Monday": null, "Tuesday": off}), Some(&[]));
    }

    #[test]
    fn what_nobody_can_read_is_not_said_at_all() {
        let open = json!({"open": true, "start_time": "09:00", "end_time": "12:00"});
        let many: Vec<Value> = (0..25).map(|_| json!({"start": "09:00", "end": "12:00"})).collect();
        for wrong in [
            json!({}),
            json!({"Monday": open, "lundi": open}),
            json!({"Monday": open, "Tuesday": "9-12"}),
            json!({"Monday": {"open": "yes"}}),
            json!({"Monday": {"open": true, "start_time": "12:00", "end_time": "09:00"}}),
            json!({"Monday": {"open": true, "start_time": "25:00", "end_time": "26:00"}}),
            json!({"Monday": {"open": true}}),
            json!({"Monday": {"isEnabled": true, "timeRanges": "all"}}),
            json!({"Monday": {"isEnabled": true, "timeRanges": many}}),
        ] {
            check(wrong, None);
        }
    }
}
