//! Her calendars: her own, with everything that makes free and busy hard, the family's, and the public holidays.

use std::collections::BTreeMap;

use calendar::interval::Interval;
use jiff::{Timestamp, ToSpan};
use serde_json::{Map, Value, json};

use super::{Plan, Week};
use crate::google::event::Moment;
use crate::google::series;
use crate::google::world::{Account, Calendar, Google, Role};
use crate::google::write::Condition;
use crate::names::{Names, pick};
use crate::time::after;
use crate::world::Vendor;

pub const FAMILY: &str = "family00studiolumiere@group.calendar.google.com";
pub const HOLIDAYS: &str = "en.canadian#holiday@group.v.calendar.google.com";

const EXTRAS: [&str; 12] = [
    "Dentist",
    "Lunch with Karine",
    "Order shampoo",
    "Pick up Léo",
    "Bank",
    "Vet: Pistache",
    "Choir practice",
    "Stock take",
    "Call mum",
    "Window cleaner",
    "Parents' evening",
    "Training: balayage",
];

pub fn account(names: &mut Names, vendor: &Vendor, week: &Week, plan: &Plan) -> Google {
    let mut google = Google::default();
    let calendars = [
        calendar(&vendor.email, &vendor.email, plan, Role::Owner, "#9fe1e7"),
        calendar(FAMILY, "Family", plan, Role::Owner, "#f691b2"),
        calendar(HOLIDAYS, "Holidays in Canada", plan, Role::Reader, "#16a765"),
    ];
    let account = Account {
        time_zone: plan.zone.clone(),
        calendars: calendars.into_iter().map(|calendar| (calendar.id.clone(), calendar)).collect(),
    };
    google.accounts.insert(vendor.email.clone(), account);
    let mut writer = Writer { google: &mut google, names, account: &vendor.email, week, zone: &plan.zone };
    writer.own();
    writer.family();
    writer.holidays();
    google
}

fn calendar(id: &str, summary: &str, plan: &Plan, role: Role, color: &str) -> Calendar {
    Calendar {
        id: id.to_owned(),
        summary: summary.to_owned(),
        description: None,
        location: None,
        time_zone: plan.zone.clone(),
        role,
        primary: id == summary,
        made_by_app: false,
        public: role == Role::Reader,
        deleted: false,
        changed: 0,
        color: color.to_owned(),
        events: BTreeMap::new(),
    }
}

/// What her plans take up around now, so that bookings can be put beside them.
pub fn busy(google: &Google, week: &Week) -> Vec<Interval> {
    let window = Interval::new(week.at(-5, 0, 0, 0), week.at(60, 0, 0, 0));
    let calendars = google.accounts.values().flat_map(|account| account.calendars.values());
    window.map_or_else(Vec::new, |window| {
        calendar::interval::union(calendars.flat_map(|calendar| series::busy(calendar, window)).collect())
    })
}

/// Single events that leave her bookings alone.
pub fn extra_events(google: &mut Google, names: &mut Names, week: &Week, plan: &Plan, booked: &[Interval]) {
    let Some(account) = google.accounts.keys().next().cloned() else { return };
    let mut writer = Writer { google, names, account: &account, week, zone: &plan.zone };
    for number in 0..plan.events {
        let draw = |what: &str, bound: usize| pick(plan.seed, &format!("extra|{number}|{what}"), bound);
        let free = (0..8).find_map(|attempt| {
            let day = i64::try_from(draw(&format!("day{attempt}"), 77)).unwrap_or(0) - 28;
            let hour = i8::try_from(7 + draw(&format!("hour{attempt}"), 14)).unwrap_or(9);
            let minute = i8::try_from(draw(&format!("minute{attempt}"), 4) * 15).unwrap_or(0);
            let start = week.at(0, day, hour, minute);
            let end = after(start, (2 + i64::try_from(draw("length", 5)).unwrap_or(0)) * 900);
            let span = Interval::new(start, end)?;
            booked.iter().all(|other| !other.overlaps(&span)).then_some((start, end))
        });
        let Some((start, end)) = free else { continue };
        let title = EXTRAS[draw("title", EXTRAS.len())];
        let mut event = writer.timed(title, start, end);
        if draw("free", 10) == 0 {
            event.insert("transparency".to_owned(), json!("transparent"));
        }
        writer.put("primary", event);
    }
}

struct Writer<'a> {
    google: &'a mut Google,
    names: &'a mut Names,
    account: &'a str,
    week: &'a Week,
    zone: &'a str,
}

impl Writer<'_> {
    fn own(&mut self) {
        let week = self.week;
        let yoga = self.weekly("Yoga", week.at(-8, 2, 19, 0), 60, "RRULE:FREQ=WEEKLY;BYDAY=WE");
        self.move_instance(&yoga, week.at(1, 2, 19, 0), week.at(1, 3, 19, 30), 60);
        self.cancel_instance(&yoga, week.at(2, 2, 19, 0));
        let physio = self.weekly(
            "Léo's physiotherapy",
            week.at(-3, 3, 14, 0),
            60,
            "RRULE:FREQ=WEEKLY;COUNT=20;BYDAY=TH",
        );
        self.move_instance(&physio, week.at(1, 3, 14, 0), week.at(1, 4, 15, 0), 60);
        self.cancel_instance(&physio, week.at(3, 3, 14, 0));
        let monday = self.first_monday();
        self.weekly("Accountant", monday, 60, "RRULE:FREQ=MONTHLY;BYDAY=1MO");
        let until = week.at(6, 6, 23, 59).strftime("%Y%m%dT%H%M%SZ").to_string();
        self.weekly("Walk Pistache", week.at(-6, 0, 7, 15), 30, &format!("RRULE:FREQ=DAILY;UNTIL={until}"));

        self.all_day("Charlevoix", week.day(3, 6), 3, json!({}));
        self.all_day("Mum's birthday", week.day(1, 1), 1, json!({"transparency": "transparent"}));
        self.all_day("Hair show (maybe)", week.day(5, 5), 2, json!({"status": "tentative"}));

        let own = self.account.to_owned();
        let supplier =
            json!({"email": "luc@fournisseur.example", "responseStatus": "accepted", "organizer": true});
        let invited =
            |answer: &str| json!({"attendees": [supplier.clone(), {"email": own, "responseStatus": answer}]});
        self.special("Supplier breakfast", week.at(0, 4, 10, 0), 60, invited("declined"));
        self.special("Supplier breakfast", week.at(1, 1, 11, 0), 60, invited("declined"));
        self.special("Product evening", week.at(1, 4, 17, 0), 60, invited("needsAction"));
        self.special("Colour class", week.at(2, 1, 9, 0), 120, invited("accepted"));
        self.special("Maybe: lunch with Karine", week.at(1, 5, 12, 0), 60, json!({"status": "tentative"}));
        self.special(
            "Gym, if there is room",
            week.at(1, 4, 9, 0),
            60,
            json!({"transparency": "transparent"}),
        );
        self.special("Key for the plumber", week.at(2, 2, 13, 0), 45, json!({"visibility": "private", "description": "Spare key is in the drawer.", "location": "Studio"}));
        self.special(
            "Away",
            week.at(2, 4, 16, 0),
            120,
            json!({"eventType": "outOfOffice", "outOfOfficeProperties": {"autoDeclineMode": "declineNone"}}),
        );
        // From evening to the next day, and over the night the clocks change.
        self.special("Night at the cabin", week.at(2, 5, 20, 0), 15 * 60, json!({}));
        if let Some(change) = week.zone.following(week.now).next() {
            self.special("Night train", after(change.timestamp(), -3 * 3600), 6 * 60, json!({}));
        }
        self.in_paris("Call with Lyon", week.at(-4, 1, 9, 0), "RRULE:FREQ=WEEKLY;INTERVAL=2");
        let gone = self.timed("Cancelled meeting", week.at(1, 3, 10, 0), week.at(1, 3, 11, 0));
        if let Some(id) = self.put("primary", gone) {
            self.delete(&id);
        }
    }

    fn family(&mut self) {
        let week = self.week;
        let school = self.series("School run", week.at(-8, 0, 15, 15), 30, "RRULE:FREQ=WEEKLY;BYDAY=MO,FR");
        self.put(FAMILY, school);
        let swim =
            self.series("Zoé's swimming", week.at(-6, 5, 10, 0), 60, "RRULE:FREQ=WEEKLY;BYDAY=SA;INTERVAL=2");
        self.put(FAMILY, swim);
        let day = week.day(2, 3);
        let mut pedagogical = self.days("Pedagogical day", day, 1);
        pedagogical.insert("transparency".to_owned(), json!("transparent"));
        self.put(FAMILY, pedagogical);
        let dinner = self.timed("Dinner at grandma's", week.at(1, 6, 17, 30), week.at(1, 6, 21, 0));
        self.put(FAMILY, dinner);
    }

    fn holidays(&mut self) {
        let year = i64::from(self.week.day(0, 0).year());
        for (name, month, day) in [
            ("New Year's Day", 1, 1),
            ("Saint-Jean-Baptiste Day", 6, 24),
            ("Canada Day", 7, 1),
            ("Christmas Day", 12, 25),
            ("Boxing Day", 12, 26),
        ] {
            for year in [year, year + 1] {
                let Ok(year) = i16::try_from(year) else { continue };
                let mut holiday = self.days(name, jiff::civil::date(year, month, day), 1);
                holiday.insert("transparency".to_owned(), json!("transparent"));
                holiday.insert("visibility".to_owned(), json!("public"));
                self.put(HOLIDAYS, holiday);
            }
        }
    }

    fn first_monday(&self) -> Timestamp {
        let first = self.week.day(-8, 0).first_of_month();
        let monday = first.nth_weekday_of_month(1, jiff::civil::Weekday::Monday).unwrap_or(first);
        self.week.on(monday, 9, 30)
    }

    fn timed(&self, title: &str, start: Timestamp, end: Timestamp) -> Map<String, Value> {
        let mut event = Map::new();
        event.insert("summary".to_owned(), json!(title));
        event
            .insert("start".to_owned(), json!({"dateTime": crate::time::zulu(start), "timeZone": self.zone}));
        event.insert("end".to_owned(), json!({"dateTime": crate::time::zulu(end), "timeZone": self.zone}));
        event
    }

    fn days(&self, title: &str, from: jiff::civil::Date, count: i64) -> Map<String, Value> {
        let to = from.checked_add(count.days()).unwrap_or(from);
        let mut event = Map::new();
        event.insert("summary".to_owned(), json!(title));
        event.insert("start".to_owned(), json!({"date": from.to_string()}));
        event.insert("end".to_owned(), json!({"date": to.to_string()}));
        event
    }

    fn series(&self, title: &str, start: Timestamp, minutes: i64, rule: &str) -> Map<String, Value> {
        let mut event = self.timed(title, start, after(start, minutes * 60));
        event.insert("recurrence".to_owned(), json!([rule]));
        event
    }

    fn weekly(&mut self, title: &str, start: Timestamp, minutes: i64, rule: &str) -> String {
        let event = self.series(title, start, minutes, rule);
        self.put("primary", event).unwrap_or_default()
    }

    /// Kept in another zone than hers, so that its hour moves when only one of the two changes its clocks.
    fn in_paris(&mut self, title: &str, start: Timestamp, rule: &str) {
        let mut event = self.series(title, start, 45, rule);
        for name in ["start", "end"] {
            if let Some(time) = event.get_mut(name) {
                time["timeZone"] = json!("Europe/Paris");
            }
        }
        self.put("primary", event);
    }

    fn special(&mut self, title: &str, start: Timestamp, minutes: i64, more: Value) {
        let mut event = self.timed(title, start, after(start, minutes * 60));
        if let Value::Object(more) = more {
            event.extend(more);
        }
        self.put("primary", event);
    }

    fn all_day(&mut self, title: &str, from: jiff::civil::Date, count: i64, more: Value) {
        let mut event = self.days(title, from, count);
        if let Value::Object(more) = more {
            event.extend(more);
        }
        self.put("primary", event);
    }

    /// Writes past permissions: a calendar she can only read has events all the same.
    fn put(&mut self, calendar: &str, event: Map<String, Value>) -> Option<String> {
        let past = after(self.week.now, -9 * 24 * 3600);
        let mut desk = self.google.desk(self.names, self.account, calendar, past).ok()?;
        let role = std::mem::replace(&mut desk.calendar.role, Role::Owner);
        let made = desk.insert(&event);
        desk.calendar.role = role;
        made.ok().map(|record| record.text("id").to_owned())
    }

    fn delete(&mut self, id: &str) {
        let past = after(self.week.now, -8 * 24 * 3600);
        if let Ok(mut desk) = self.google.desk(self.names, self.account, "primary", past) {
            desk.delete(id, &Condition::None).ok();
        }
    }

    fn move_instance(&mut self, master: &str, original: Timestamp, start: Timestamp, minutes: i64) {
        let (start, end) = (crate::time::zulu(start), crate::time::zulu(after(start, minutes * 60)));
        let patch = json!({"start": {"dateTime": start}, "end": {"dateTime": end}});
        let id = series::instance_id(master, &Moment::At { at: original, zone: None });
        let past = after(self.week.now, -8 * 24 * 3600);
        if let (Ok(mut desk), Value::Object(patch)) =
            (self.google.desk(self.names, self.account, "primary", past), patch)
        {
            desk.patch(&id, &patch, &Condition::None).ok();
        }
    }

    fn cancel_instance(&mut self, master: &str, original: Timestamp) {
        self.delete(&series::instance_id(master, &Moment::At { at: original, zone: None }));
    }
}
