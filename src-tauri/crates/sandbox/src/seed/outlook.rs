//! Her Outlook: an empty calendar, or one with everything that makes its busy time hard.

use jiff::civil::{Date, Weekday};
use jiff::{Timestamp, ToSpan};
use serde_json::{Map, Value, json};

use super::{Plan, Week};
use crate::graph::ids::EventId;
use crate::graph::moment::{GraphZone, Moment, written};
use crate::graph::recurrence::Recurrence;
use crate::graph::world::Outlook;
use crate::graph::write::Condition;
use crate::names::pick;
use crate::time::after;
use crate::world::Vendor;

const EXTRAS: [&str; 6] = ["Dentist", "Bank", "Call mum", "Stock take", "Choir practice", "Order shampoo"];

pub fn mailbox(vendor: &Vendor, week: &Week, plan: &Plan) -> Outlook {
    let mut outlook = Outlook::new(plan.seed);
    let zone = windows(&plan.zone);
    outlook.open_mailbox(&vendor.email, &vendor.name, zone, false);
    if plan.outlook {
        let mut writer = Writer { outlook: &mut outlook, account: &vendor.email, week, zone };
        writer.own();
        writer.others();
        writer.extras(plan);
    }
    outlook
}

/// The Windows zone that keeps the same clocks.
fn windows(iana: &str) -> &'static str {
    const ZONES: [(&str, &str); 8] = [
        ("America/Toronto", "Eastern Standard Time"),
        ("America/New_York", "Eastern Standard Time"),
        ("America/Vancouver", "Pacific Standard Time"),
        ("America/Los_Angeles", "Pacific Standard Time"),
        ("Europe/Paris", "Romance Standard Time"),
        ("Europe/Berlin", "W. Europe Standard Time"),
        ("Europe/London", "GMT Standard Time"),
        ("Australia/Sydney", "AUS Eastern Standard Time"),
    ];
    ZONES.iter().find(|(name, _)| *name == iana).map_or("UTC", |(_, windows)| windows)
}

struct Writer<'a> {
    outlook: &'a mut Outlook,
    account: &'a str,
    week: &'a Week,
    zone: &'a str,
}

impl Writer<'_> {
    fn own(&mut self) {
        let week = self.week;
        let pilates = self.weekly("Pilates", week.at(-8, 1, 18, 30), 60, Weekday::Tuesday);
        if let Some(pilates) = pilates {
            self.change(&pilates, week.at(1, 1, 18, 30), week.at(1, 2, 8, 0), 60);
            self.cancel(&pilates, week.at(2, 1, 18, 30));
        }
        self.weekly("Supplier call", week.at(-4, 3, 9, 0), 30, Weekday::Thursday);
        self.days("Trade fair", week.day(4, 4), 2, json!({"showAs": "oof"}));
        self.days("Mother's name day", week.day(1, 3), 1, json!({"showAs": "free"}));
        self.timed("Maybe: team lunch", week.at(1, 2, 12, 0), 60, json!({"showAs": "tentative"}));
        self.timed("Reading at home", week.at(1, 4, 14, 0), 120, json!({"showAs": "free"}));
        self.timed("From the other salon", week.at(2, 3, 10, 0), 120, json!({"showAs": "workingElsewhere"}));
        self.timed("Away", week.at(2, 4, 16, 0), 120, json!({"showAs": "oof"}));
        self.timed(
            "Doctor",
            week.at(0, 5, 9, 30),
            45,
            json!({"sensitivity": "private", "body": {"contentType": "text", "content": "Bring the card."}}),
        );
        let invited = |response: &str| {
            json!({"isOrganizer": false, "responseStatus": {"response": response, "time": "2026-01-01T00:00:00Z"},
                "organizer": {"emailAddress": {"name": "Luc", "address": "luc@fournisseur.example"}},
                "attendees": [{"type": "required", "status": {"response": response, "time": "2026-01-01T00:00:00Z"},
                    "emailAddress": {"name": "Amélie Tremblay", "address": "amelie@studiolumiere.example"}}]})
        };
        self.invitation("Colour launch", week.at(1, 0, 10, 0), invited("declined"));
        self.invitation("Product evening", week.at(1, 4, 17, 0), invited("notResponded"));
        let mut called_off = invited("accepted");
        called_off["isCancelled"] = json!(true);
        self.invitation("Canceled: price list", week.at(1, 3, 11, 0), called_off);
        if let Some(gone) = self.timed("Deleted meeting", week.at(1, 3, 13, 0), 60, json!({})) {
            let past = after(week.now, -8 * 86_400);
            if let Ok(mut desk) = self.outlook.desk(self.account, past) {
                desk.delete(&gone, Condition::None).ok();
            }
        }
    }

    /// The calendars that Outlook brings along, which nobody can write to.
    fn others(&mut self) {
        let past = after(self.week.now, -9 * 86_400);
        let year = self.week.day(0, 0).year();
        let Ok(mut desk) = self.outlook.desk(self.account, past) else { return };
        desk.own_hands = true;
        let Ok(holidays) = desk.create_calendar("Canada holidays", "auto") else { return };
        for (name, month, day) in [("Christmas Day", 12, 25), ("Boxing Day", 12, 26)] {
            let event = whole_days(
                name,
                jiff::civil::date(year, month, day),
                1,
                self.zone,
                json!({"showAs": "free"}),
            );
            desk.create(&holidays, &event, true).ok();
        }
        desk.change_calendar(&holidays, |calendar| calendar.can_edit = false).ok();
    }

    fn extras(&mut self, plan: &Plan) {
        for number in 0..plan.events {
            let draw = |what: &str, bound: usize| pick(plan.seed, &format!("outlook|{number}|{what}"), bound);
            let day = i64::try_from(draw("day", 77)).unwrap_or(0) - 28;
            let hour = i8::try_from(7 + draw("hour", 12)).unwrap_or(9);
            let minute = i8::try_from(draw("minute", 4) * 15).unwrap_or(0);
            let minutes = 30 + 15 * i64::try_from(draw("length", 5)).unwrap_or(0);
            let start = self.week.at(0, day, hour, minute);
            self.timed(EXTRAS[draw("title", EXTRAS.len())], start, minutes, json!({}));
        }
    }

    fn put(&mut self, event: &Map<String, Value>) -> Option<EventId> {
        let past = after(self.week.now, -9 * 86_400);
        self.outlook.desk(self.account, past).ok()?.create("", event, true).ok()
    }

    fn timed(&mut self, subject: &str, start: Timestamp, minutes: i64, more: Value) -> Option<EventId> {
        let mut event = object(more);
        event.insert("subject".to_owned(), json!(subject));
        event.insert("start".to_owned(), self.wall(start));
        event.insert("end".to_owned(), self.wall(after(start, minutes * 60)));
        self.put(&event)
    }

    fn days(&mut self, subject: &str, from: Date, count: i64, more: Value) {
        let event = whole_days(subject, from, count, self.zone, more);
        self.put(&event);
    }

    fn weekly(&mut self, subject: &str, start: Timestamp, minutes: i64, day: Weekday) -> Option<EventId> {
        let starts = Moment::at(start, &self.graph_zone()).wall.date();
        let recurrence = Recurrence::weekly(&[day], starts, self.zone).as_json();
        self.timed(subject, start, minutes, json!({"recurrence": recurrence}))
    }

    /// Somebody else's event: what only the organizer can say is written past the desk.
    fn invitation(&mut self, subject: &str, start: Timestamp, more: Value) {
        let Some(id) = self.timed(subject, start, 60, json!({})) else { return };
        let mailbox = self.outlook.accounts.get_mut(self.account);
        let calendars = mailbox.into_iter().flat_map(|mailbox| mailbox.calendars.values_mut());
        for item in calendars.filter_map(|calendar| calendar.events.get_mut(&id.item)) {
            item.fields.extend(object(more.clone()));
        }
    }

    fn change(&mut self, series: &EventId, original: Timestamp, start: Timestamp, minutes: i64) {
        let patch = object(json!({"start": self.wall(start), "end": self.wall(after(start, minutes * 60))}));
        let past = after(self.week.now, -8 * 86_400);
        let id = EventId { original: Some(original), ..series.clone() };
        if let Ok(mut desk) = self.outlook.desk(self.account, past) {
            desk.patch(&id, &patch, Condition::None).ok();
        }
    }

    fn cancel(&mut self, series: &EventId, original: Timestamp) {
        let past = after(self.week.now, -8 * 86_400);
        let id = EventId { original: Some(original), ..series.clone() };
        if let Ok(mut desk) = self.outlook.desk(self.account, past) {
            desk.delete(&id, Condition::None).ok();
        }
    }

    fn wall(&self, at: Timestamp) -> Value {
        let moment = Moment::at(at, &self.graph_zone());
        json!({"dateTime": written(moment.wall), "timeZone": moment.zone})
    }

    fn graph_zone(&self) -> GraphZone {
        GraphZone::named(self.zone).unwrap_or_else(GraphZone::utc)
    }
}

fn whole_days(subject: &str, from: Date, count: i64, zone: &str, more: Value) -> Map<String, Value> {
    let to = from.checked_add(count.days()).unwrap_or(from);
    let mut event = object(more);
    event.insert("subject".to_owned(), json!(subject));
    event.insert("isAllDay".to_owned(), json!(true));
    event.insert("start".to_owned(), json!({"dateTime": format!("{from}T00:00:00"), "timeZone": zone}));
    event.insert("end".to_owned(), json!({"dateTime": format!("{to}T00:00:00"), "timeZone": zone}));
    event
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}
