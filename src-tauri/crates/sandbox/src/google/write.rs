//! What the four writes do to a calendar: insert, update, patch, delete, for clients and for the person herself.

use serde_json::{Map, Value, json};

use super::event::{self, Moment, merge, settle, writable};
use super::refusal::Refusal;
use super::series::{has_instance, instance_fields, split_instance_id};
use super::world::{Desk, Record, Role};

/// What an `If-Match` header asks.
pub enum Condition<'a> {
    None,
    IfMatch(&'a str),
}

impl Condition<'_> {
    fn check(&self, record: &Record) -> Result<(), Refusal> {
        match self {
            Self::None => Ok(()),
            Self::IfMatch(etag) if *etag == "*" || *etag == record.etag() => Ok(()),
            Self::IfMatch(_) => Err(Refusal::condition_not_met()),
        }
    }
}

impl Desk<'_> {
    /// # Errors
    /// As Google refuses.
    pub fn insert(&mut self, body: &Map<String, Value>) -> Result<Record, Refusal> {
        self.check_role()?;
        let mut fields = writable(body)?;
        let asked = body.get("id").and_then(Value::as_str);
        let uid = body.get("iCalUID").and_then(Value::as_str);
        if asked.is_some() && uid.is_some() {
            return Err(Refusal::invalid(
                "Only one of id and iCalUID may be supplied when an event is created.",
            ));
        }
        if asked.is_some_and(|id| !event::is_valid_id(id)) {
            return Err(Refusal::invalid("Invalid resource id value."));
        }
        if fields.get("status").and_then(Value::as_str) == Some("cancelled") {
            return Err(Refusal::invalid("Invalid value for: status"));
        }
        let id = asked.map_or_else(|| self.names.event_id(), str::to_owned);
        if self.calendar.events.contains_key(&id) {
            return Err(Refusal::duplicate());
        }
        fields.retain(|_, value| !value.is_null());
        settle(&mut fields, &self.calendar.zone())?;
        let created = crate::time::zulu(self.now);
        for (name, value) in [
            ("kind", json!("calendar#event")),
            ("id", json!(id)),
            ("iCalUID", json!(uid.map_or_else(|| format!("{id}@google.com"), str::to_owned))),
            ("created", json!(created)),
            ("htmlLink", json!(format!("https://calendar.example/event?eid={id}"))),
            ("creator", json!({"email": self.account, "self": true})),
            ("organizer", self.organizer()),
        ] {
            fields.insert(name.to_owned(), value);
        }
        defaults(&mut fields);
        self.mark_self(&mut fields);
        Ok(self.store(fields))
    }

    /// # Errors
    /// As Google refuses.
    pub fn update(
        &mut self,
        id: &str,
        body: &Map<String, Value>,
        if_match: &Condition,
    ) -> Result<Record, Refusal> {
        let old = self.for_change(id, if_match)?;
        let mut fields = writable(body)?;
        fields.retain(|_, value| !value.is_null());
        for name in KEPT {
            if let Some(value) = old.fields.get(name) {
                fields.insert(name.to_owned(), value.clone());
            }
        }
        if let Some(kind) = old.fields.get("eventType") {
            fields.entry("eventType").or_insert_with(|| kind.clone());
        }
        defaults(&mut fields);
        self.replace(&old, fields)
    }

    /// # Errors
    /// As Google refuses.
    pub fn patch(
        &mut self,
        id: &str,
        body: &Map<String, Value>,
        if_match: &Condition,
    ) -> Result<Record, Refusal> {
        let old = self.for_change(id, if_match)?;
        let mut fields = old.fields.clone();
        // A change between all-day and timed must null the old kind: both at once are refused when it settles.
        merge(&mut fields, &writable(body)?);
        defaults(&mut fields);
        self.replace(&old, fields)
    }

    /// # Errors
    /// As Google refuses: 410 when it is deleted already, 404 when it never was.
    pub fn delete(&mut self, id: &str, if_match: &Condition) -> Result<(), Refusal> {
        self.check_role()?;
        let old = self.find(id)?;
        if old.is_cancelled() {
            return Err(Refusal::deleted());
        }
        if_match.check(&old)?;
        self.cancel(&old);
        Ok(())
    }

    /// Brings a deleted event back, as the bin of Google's calendar page does.
    ///
    /// # Errors
    /// When there is none, or it is not deleted.
    pub fn restore(&mut self, id: &str) -> Result<Record, Refusal> {
        let old = self.calendar.events.get(id).ok_or_else(Refusal::not_found)?;
        if !old.is_cancelled() || !old.fields.contains_key("start") {
            return Err(Refusal::forbidden());
        }
        let mut fields = old.fields.clone();
        fields.insert("status".to_owned(), json!("confirmed"));
        Ok(self.store(fields))
    }

    /// The stored event, or the instance of a series that has no record of its own yet.
    ///
    /// # Errors
    /// `notFound`.
    pub fn find(&self, id: &str) -> Result<Record, Refusal> {
        find(self.calendar, id)
    }

    fn for_change(&self, id: &str, if_match: &Condition) -> Result<Record, Refusal> {
        self.check_role()?;
        let old = self.find(id)?;
        if old.is_cancelled() {
            return Err(Refusal::forbidden());
        }
        if_match.check(&old)?;
        Ok(old)
    }

    fn replace(&mut self, old: &Record, mut fields: Map<String, Value>) -> Result<Record, Refusal> {
        if fields.get("eventType") != old.fields.get("eventType") {
            return Err(Refusal::event_type());
        }
        if fields.get("status").and_then(Value::as_str) == Some("cancelled") {
            return Ok(self.cancel(old));
        }
        if old.series().is_some() && fields.contains_key("recurrence") {
            return Err(Refusal::invalid("Recurring event instances cannot be recurring themselves."));
        }
        settle(&mut fields, &self.calendar.zone())?;
        self.mark_self(&mut fields);
        let moved =
            ["start", "end", "recurrence"].iter().any(|name| fields.get(*name) != old.fields.get(*name));
        let asked = fields.get("sequence").and_then(Value::as_i64).unwrap_or(0);
        let had = old.fields.get("sequence").and_then(Value::as_i64).unwrap_or(0);
        if asked < had {
            return Err(Refusal::invalid(
                "Invalid sequence value. The specified sequence number is below the current sequence number of the resource. Re-fetch the resource and use its sequence number on the following request.",
            ));
        }
        fields.insert("sequence".to_owned(), json!(if moved && asked == had { had + 1 } else { asked }));
        Ok(self.store(fields))
    }

    fn cancel(&mut self, old: &Record) -> Record {
        let id = old.text("id").to_owned();
        if old.repeats() {
            // The series is told as one deletion; its exceptions go with it and are not told apart.
            for record in self.calendar.events.values_mut().filter(|record| record.series() == Some(&id)) {
                record.fields.insert("status".to_owned(), json!("cancelled"));
            }
        }
        let mut fields = old.fields.clone();
        fields.insert("status".to_owned(), json!("cancelled"));
        self.store(fields)
    }

    fn store(&mut self, mut fields: Map<String, Value>) -> Record {
        *self.changes += 1;
        fields.insert("updated".to_owned(), json!(crate::time::zulu_ms(self.now)));
        let id = fields.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let made = self.calendar.events.get(&id).map_or(*self.changes, |old| old.made);
        let record = Record { fields, made, changed: *self.changes };
        self.calendar.events.insert(id, record.clone());
        record
    }

    fn check_role(&self) -> Result<(), Refusal> {
        if self.calendar.role < Role::Writer {
            return Err(Refusal::read_only());
        }
        Ok(())
    }

    fn organizer(&self) -> Value {
        if self.calendar.primary {
            json!({"email": self.account, "self": true})
        } else {
            json!({"email": self.calendar.id, "displayName": self.calendar.summary, "self": true})
        }
    }

    /// `self` on an attendee is Google's to say.
    fn mark_self(&self, fields: &mut Map<String, Value>) {
        let Some(Value::Array(attendees)) = fields.get_mut("attendees") else { return };
        for attendee in attendees.iter_mut().filter_map(Value::as_object_mut) {
            let own =
                attendee.get("email").and_then(Value::as_str).is_some_and(|email| email == self.account);
            attendee.remove("self");
            if own {
                attendee.insert("self".to_owned(), json!(true));
            }
            attendee.entry("responseStatus").or_insert_with(|| json!("needsAction"));
        }
    }
}

/// See [`Desk::find`].
///
/// # Errors
/// `notFound`.
pub fn find(calendar: &super::world::Calendar, id: &str) -> Result<Record, Refusal> {
    if let Some(record) = calendar.events.get(id) {
        return Ok(record.clone());
    }
    let (master, original) = split_instance_id(id).ok_or_else(Refusal::not_found)?;
    let master = calendar.events.get(master).filter(|m| m.repeats()).ok_or_else(Refusal::not_found)?;
    if master.is_cancelled() || !has_instance(calendar, master, original.instant(&calendar.zone())) {
        return Err(Refusal::not_found());
    }
    let fields = instance_fields(calendar, master, &original).ok_or_else(Refusal::not_found)?;
    Ok(Record { fields, made: master.made, changed: master.changed })
}

/// What an update cannot change, whatever its body says.
const KEPT: [&str; 9] = [
    "kind",
    "id",
    "iCalUID",
    "created",
    "htmlLink",
    "creator",
    "organizer",
    "recurringEventId",
    "originalStartTime",
];

fn defaults(fields: &mut Map<String, Value>) {
    for (name, value) in [
        ("status", json!("confirmed")),
        ("eventType", json!("default")),
        ("sequence", json!(0)),
        ("reminders", json!({"useDefault": true})),
    ] {
        fields.entry(name).or_insert(value);
    }
    if fields.get("transparency").and_then(Value::as_str) == Some("opaque") {
        fields.remove("transparency");
    }
}

/// The start of an event, for those who must sort or filter by it.
#[must_use]
pub fn start_of(record: &Record, zone: &jiff::tz::TimeZone) -> Option<jiff::Timestamp> {
    let start = record.fields.get("start").or_else(|| record.fields.get("originalStartTime"));
    Moment::stored(start).map(|start| start.instant(zone))
}

#[must_use]
pub fn end_of(record: &Record, zone: &jiff::tz::TimeZone) -> Option<jiff::Timestamp> {
    let end = record.fields.get("end").or_else(|| record.fields.get("originalStartTime"));
    Moment::stored(end).map(|end| end.instant(zone))
}
