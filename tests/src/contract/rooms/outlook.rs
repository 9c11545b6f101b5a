//! Outlook, as the sandbox plays Microsoft Graph over sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use calendar::event::{Answer, Event, Kind, Status, Transparency, When};
use connectors::http::Gate;
use connectors::oauth::Client;
use connectors::outlook::{self, Authority, OutlookAccount};
use connectors::tokens::Tokens;
use connectors::vault::{Memory, SecretName};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sync::ids::{RemoteCalendarId, RemoteId, Service, VendorId};
use sync::ports::Account;

use super::ics;
use super::sandbox::Sandbox;
use crate::contract::reading::now;
use crate::contract::room::{Cannot, Done, Edit, Keepsake, Room, Traits, VENDOR};

/// How far ahead a reading must reach.
const DAYS_AHEAD: u16 = 366;

pub struct OutlookRoom {
    sandbox: Sandbox,
    client: Arc<Client>,
    tokens: Tokens,
    account: OutlookAccount,
    hers: RemoteCalendarId,
    /// What her own page is signed in with.
    token: String,
}

impl OutlookRoom {
    /// # Panics
    /// When the sandbox does not start, or nobody can sign in to it.
    pub async fn open() -> Self {
        let sandbox = Sandbox::start(now()).await;
        let authority = Authority {
            login: sandbox.base("microsoft_login"),
            tenant: "common".to_owned(),
            graph: sandbox.base("graph"),
        };
        let config = outlook::sign_in(&authority, sandbox.setting("microsoft_client_id"));
        let client = Arc::new(Client::new(sandbox.http.clone(), config));
        let hers = sandbox.consent(&client).await;
        let token = format!("Bearer {}", hers.grant.access.expose_secret());
        let granted = sandbox.consent(&client).await;
        let owner = SecretName::connection(&"outlook-1".into());
        let tokens = Tokens::paced(client.clone(), Arc::new(Memory::default()), owner, Gate::of(600_000, 4));
        tokens.adopt(granted.grant).await.expect("a grant");
        let account = OutlookAccount::new(sandbox.http.clone(), sandbox.base("graph"), tokens.clone());
        let account = account.for_vendor(&VENDOR.into()).days_ahead(DAYS_AHEAD);
        let order = json!({"service": "outlook", "summary": "Privat"});
        let made = sandbox.edit("vendor", "create_calendar", order).await;
        let hers = text(&made["calendar"]).into();
        Self { sandbox, client, tokens, account, hers, token }
    }

    async fn she(&self, action: &str, calendar: &RemoteCalendarId, mut order: Value) -> Value {
        (order["calendar"], order["service"]) = (json!(calendar.as_str()), json!("outlook"));
        self.sandbox.edit("vendor", action, order).await
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// Zones by the names that Windows has for them.
fn zone(name: &str) -> &str {
    const WINDOWS: [(&str, &str); 7] = [
        ("America/Toronto", "Eastern Standard Time"),
        ("Europe/Berlin", "W. Europe Standard Time"),
        ("Europe/Paris", "Romance Standard Time"),
        ("Australia/Sydney", "AUS Eastern Standard Time"),
        ("Australia/Lord_Howe", "Lord Howe Standard Time"),
        ("Asia/Kathmandu", "Nepal Standard Time"),
        ("Pacific/Kiritimati", "Line Islands Standard Time"),
    ];
    WINDOWS.iter().find(|(iana, _)| *iana == name).map_or(name, |(_, windows)| windows)
}

/// A whole day begins at midnight in her own zone.
fn moment(when: &When) -> Value {
    match when {
        When::Date(day) => {
            json!({"dateTime": format!("{day}T00:00:00"), "timeZone": "Eastern Standard Time"})
        }
        When::Utc(at) => {
            json!({"dateTime": TimeZone::UTC.to_datetime(*at).to_string(), "timeZone": "UTC"})
        }
        When::Zoned { wall, zone } => {
            let name = zone.time_zone().and_then(|zone| zone.iana_name().map(str::to_owned));
            json!({"dateTime": wall.to_string(), "timeZone": self::zone(&name.unwrap_or_default())})
        }
        When::Floating(wall) => json!({"dateTime": wall.to_string(), "timeZone": "UTC"}),
    }
}

/// The rules that cases use, in Outlook's words.
fn recurrence(rule: &str, start: &When) -> Value {
    const DAYS: [(&str, &str); 7] = [
        ("MO", "monday"),
        ("TU", "tuesday"),
        ("WE", "wednesday"),
        ("TH", "thursday"),
        ("FR", "friday"),
        ("SA", "saturday"),
        ("SU", "sunday"),
    ];
    let parts: BTreeMap<&str, &str> = rule.split(';').filter_map(|part| part.split_once('=')).collect();
    let first = match start {
        When::Date(day) => *day,
        When::Zoned { wall, .. } | When::Floating(wall) => wall.date(),
        When::Utc(at) => TimeZone::UTC.to_datetime(*at).date(),
    };
    let interval: u32 = parts.get("INTERVAL").map_or(1, |text| text.parse().expect("a number"));
    let named = |word: &str| DAYS.iter().find(|(short, _)| *short == word).expect("a day").1;
    let own = DAYS[usize::try_from(first.weekday().to_monday_zero_offset()).unwrap_or(0)].1;
    let pattern = match (parts["FREQ"], parts.get("BYDAY")) {
        ("DAILY", _) => json!({"type": "daily", "interval": interval}),
        ("WEEKLY", day) => json!({"type": "weekly", "interval": interval,
            "daysOfWeek": [day.map_or(own, |day| named(day))], "firstDayOfWeek": "monday"}),
        ("MONTHLY", Some(day)) => json!({"type": "relativeMonthly", "interval": interval, "index": "last",
            "daysOfWeek": [named(day.trim_start_matches("-1"))]}),
        (other, _) => panic!("no case needs {other}"),
    };
    let mut range = json!({"type": "noEnd", "startDate": first.to_string()});
    if let Some(count) = parts.get("COUNT") {
        range["type"] = json!("numbered");
        range["numberOfOccurrences"] = json!(count.parse::<u32>().expect("a number"));
    }
    if let Some(until) = parts.get("UNTIL") {
        range["type"] = json!("endDate");
        range["endDate"] = json!(format!("{}-{}-{}", &until[..4], &until[4..6], &until[6..8]));
    }
    json!({"pattern": pattern, "range": range})
}

/// What became of an invitation, where the event is one: in Outlook only who invited her can cancel.
fn invitation(event: &Event) -> Option<Value> {
    let cancelled = event.status == Status::Cancelled;
    let response = match event.answer {
        None if !cancelled => return None,
        None | Some(Answer::Accepted) => "accepted",
        Some(Answer::NeedsAction) => "notResponded",
        Some(Answer::Declined) => "declined",
        Some(Answer::Tentative) => "tentativelyAccepted",
    };
    Some(json!({"response": response, "cancelled": cancelled}))
}

fn fields(event: &Event) -> Value {
    let show_as = match (event.kind, event.status, event.transparency) {
        (Kind::OutOfOffice, _, _) => "oof",
        (_, _, Transparency::Transparent) => "free",
        (_, Status::Tentative, _) => "tentative",
        (_, _, _) if matches!(event.answer, Some(Answer::NeedsAction | Answer::Tentative)) => "tentative",
        (_, _, _) => "busy",
    };
    let mut fields = json!({
        "subject": event.summary, "start": moment(&event.start), "end": moment(&ics::end(event)),
        "body": {"contentType": "text", "content": event.description},
        "location": {"displayName": event.location}, "showAs": show_as, "isAllDay": event.is_all_day(),
    });
    if let Some(rule) = event.recurrence.rules.first() {
        fields["recurrence"] = recurrence(rule, &event.start);
    }
    fields
}

/// What she gives an event, in Graph's words.
fn keepsake(what: Keepsake) -> Value {
    match what {
        Keepsake::Colour => json!({"categories": ["Red category"]}),
        Keepsake::Reminder => json!({"isReminderOn": true, "reminderMinutesBeforeStart": 45}),
        Keepsake::Guest => json!({"attendees": [{"emailAddress": {"address": "guest@example.com"}}]}),
        Keepsake::Place => json!({"location": {"displayName": "Back room"}}),
        Keepsake::Privacy => json!({"sensitivity": "private"}),
    }
}

/// Whether `there` holds all that `wanted` says.
fn holds(there: &Value, wanted: &Value) -> bool {
    match (there, wanted) {
        (Value::Object(there), Value::Object(wanted)) => {
            wanted.iter().all(|(name, value)| there.get(name).is_some_and(|there| holds(there, value)))
        }
        (Value::Array(there), Value::Array(wanted)) => {
            there.len() == wanted.len()
                && there.iter().zip(wanted).all(|(there, wanted)| holds(there, wanted))
        }
        (there, wanted) => there == wanted,
    }
}

#[async_trait]
impl Room for OutlookRoom {
    fn service(&self) -> Service {
        Service::Outlook
    }

    fn traits(&self) -> Traits {
        Traits { takes_our_ids: false, burns_ids: false, tells_of_deleted: true, copies_marker: true }
    }

    fn account(&self) -> &dyn Account {
        &self.account
    }

    fn account_for(&self, vendor: &VendorId) -> Done<Box<dyn Account>> {
        Ok(Box::new(self.account.clone().for_vendor(vendor)))
    }

    fn hers(&self) -> RemoteCalendarId {
        self.hers.clone()
    }

    async fn she_creates(&self, calendar: &RemoteCalendarId, event: &Event) -> Done<RemoteId> {
        let mut order = json!({"fields": fields(event)});
        if let Some(invitation) = invitation(event) {
            order["invitation"] = invitation;
        }
        let made = self.she("create_event", calendar, order).await;
        let id: RemoteId = text(&made["event"]["id"]).into();
        for day in &event.recurrence.except_dates {
            let When::Zoned { wall, zone } = day else { return Err(Cannot("no case needs another")) };
            let zone = zone.time_zone().expect("a zone");
            let original = zone.to_ambiguous_timestamp(*wall).compatible().expect("a time");
            self.she_cancels_occurrence(calendar, &id, original).await?;
        }
        Ok(id)
    }

    async fn she_edits(&self, calendar: &RemoteCalendarId, id: &RemoteId, edit: &Edit) -> Done {
        let fields = match edit {
            Edit::Time { start, end } => json!({"start": moment(start), "end": moment(end),
                "isAllDay": matches!(start, When::Date(_))}),
            Edit::Title(title) => json!({"subject": title}),
            Edit::Notes(notes) => json!({"body": {"contentType": "text", "content": notes}}),
            Edit::Rule(rule) => {
                let seen = self.seen(id).await;
                let day = text(&seen["recurrence"]["range"]["startDate"]).parse().expect("a day");
                json!({"recurrence": recurrence(rule, &When::Date(day))})
            }
        };
        self.she("edit_event", calendar, json!({"event": id.as_str(), "fields": fields})).await;
        Ok(())
    }

    async fn she_deletes(&self, calendar: &RemoteCalendarId, id: &RemoteId) -> Done {
        self.she("delete_event", calendar, json!({"event": id.as_str()})).await;
        Ok(())
    }

    async fn she_restores(&self, calendar: &RemoteCalendarId, id: &RemoteId) -> Done {
        self.she("restore_event", calendar, json!({"event": id.as_str()})).await;
        Ok(())
    }

    async fn she_copies(
        &self,
        calendar: &RemoteCalendarId,
        id: &RemoteId,
        start: Timestamp,
    ) -> Done<RemoteId> {
        let order = json!({"event": id.as_str(), "start": start.to_string()});
        Ok(text(&self.she("copy_event", calendar, order).await["event"]["id"]).into())
    }

    async fn she_moves_occurrence(
        &self,
        calendar: &RemoteCalendarId,
        series: &RemoteId,
        original: Timestamp,
        start: Timestamp,
    ) -> Done {
        let order = json!({"event": series.as_str(), "original": original.to_string(),
            "start": start.to_string()});
        self.she("move_occurrence", calendar, order).await;
        Ok(())
    }

    async fn she_cancels_occurrence(
        &self,
        calendar: &RemoteCalendarId,
        series: &RemoteId,
        original: Timestamp,
    ) -> Done {
        let order = json!({"event": series.as_str(), "original": original.to_string()});
        self.she("cancel_occurrence", calendar, order).await;
        Ok(())
    }

    async fn she_makes_a_calendar(&self, name: &str) -> Done<RemoteCalendarId> {
        let order = json!({"service": "outlook", "summary": name});
        Ok(text(&self.sandbox.edit("vendor", "create_calendar", order).await["calendar"]).into())
    }

    async fn she_renames_a_calendar(&self, calendar: &RemoteCalendarId, name: &str) -> Done {
        self.she("rename_calendar", calendar, json!({"summary": name})).await;
        Ok(())
    }

    async fn she_deletes_a_calendar(&self, calendar: &RemoteCalendarId) -> Done {
        self.she("delete_calendar", calendar, json!({})).await;
        Ok(())
    }

    async fn she_adds(&self, calendar: &RemoteCalendarId, id: &RemoteId, what: Keepsake) -> Done {
        let order = json!({"event": id.as_str(), "fields": keepsake(what)});
        self.she("edit_event", calendar, order).await;
        Ok(())
    }

    async fn she_sees(&self, _: &RemoteCalendarId, id: &RemoteId, what: Keepsake) -> Done<bool> {
        Ok(holds(&self.seen(id).await, &keepsake(what)))
    }

    /// The same but for one letter, far from where it says what kind of id it is.
    fn unknown(&self, like: &RemoteId) -> RemoteId {
        let mut letters: Vec<char> = like.as_str().chars().collect();
        let middle = letters.len() / 2;
        letters[middle] = if letters[middle] == 'B' { 'C' } else { 'B' };
        RemoteId(letters.into_iter().collect())
    }

    async fn goes_wrong(&self, route: Option<&str>, kind: &str) -> Done {
        let mut fault = json!({"service": "outlook", "kind": kind});
        if let Some(route) = route {
            fault["route"] = json!(route);
        }
        self.sandbox.fault(fault).await;
        Ok(())
    }

    async fn met(&self) -> u64 {
        self.sandbox.met().await
    }

    async fn heals(&self) {
        self.sandbox.heal().await;
        let granted = self.sandbox.consent(&self.client).await;
        self.tokens.adopt(granted.grant).await.expect("a grant");
    }

    async fn routes(&self) -> BTreeSet<String> {
        self.sandbox.routes("outlook").await
    }

    async fn forgets_cursors(&self) -> Done {
        self.sandbox.fault(json!({"service": "outlook", "kind": "cursor_lost", "times": 1})).await;
        Ok(())
    }
}

impl OutlookRoom {
    /// The event as her own page shows it.
    async fn seen(&self, id: &RemoteId) -> Value {
        let id = id.as_str().replace('/', "%2F").replace('+', "%2B");
        let url = format!("{}/graph/v1.0/me/events/{id}", self.sandbox.running.base_url);
        let headers = [("authorization", self.token.as_str()), ("prefer", "IdType=\"ImmutableId\"")];
        let seen = self.sandbox.get(&url, &headers).await;
        assert!(seen["id"].is_string(), "{seen}");
        seen
    }
}
