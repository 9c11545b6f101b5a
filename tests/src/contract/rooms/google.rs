//! Google, as the sandbox plays it over sockets.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use calendar::event::{Answer, End, Event, Kind, Status, Transparency, When};
use connectors::google::{self, GoogleAccount};
use connectors::http::Gate;
use connectors::oauth::Client;
use connectors::tokens::Tokens;
use connectors::vault::{Memory, SecretName};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sync::ids::{RemoteCalendarId, RemoteId, Service, VendorId};
use sync::ports::Account;

use super::ics::rule_lines;
use super::sandbox::Sandbox;
use crate::contract::reading::now;
use crate::contract::room::{Cannot, Done, Edit, Keepsake, Room, Traits, VENDOR};

pub struct GoogleRoom {
    sandbox: Sandbox,
    client: Arc<Client>,
    tokens: Tokens,
    account: GoogleAccount,
    hers: RemoteCalendarId,
    /// Her address, as invitations name her.
    address: String,
    /// What her own page is signed in with.
    token: String,
}

impl GoogleRoom {
    /// # Panics
    /// When the sandbox does not start, or nobody can sign in to it.
    pub async fn open() -> Self {
        let sandbox = Sandbox::start(now()).await;
        let client = |scopes: &[&str]| {
            let secret = sandbox.setting("google_client_secret").into();
            let id = sandbox.setting("google_client_id");
            let (authorize, token) = (sandbox.base("google_auth"), sandbox.base("google_token"));
            Client::new(sandbox.http.clone(), google::sign_in(authorize, token, id, Some(secret), scopes))
        };
        let ours = client(google::SCOPES);
        let ours = Arc::new(ours);
        let granted = sandbox.consent(&ours).await;
        let address = granted.account_email.clone().expect("an address");
        let owner = SecretName::connection(&"google-1".into());
        let tokens = Tokens::paced(ours.clone(), Arc::new(Memory::default()), owner, Gate::of(600_000, 4));
        tokens.adopt(granted.grant).await.expect("a grant");
        let account = GoogleAccount::new(sandbox.http.clone(), sandbox.base("google_api"), tokens.clone());
        let whole = ["https://www.googleapis.com/auth/calendar", "openid", "email"];
        let hers = sandbox.consent(&client(&whole)).await;
        let token = format!("Bearer {}", hers.grant.access.expose_secret());
        let made = sandbox.edit("vendor", "create_calendar", json!({"summary": "Privat"})).await;
        let hers = text(&made["calendar"]).into();
        Self {
            account: account.for_vendor(&VENDOR.into()),
            sandbox,
            client: ours,
            tokens,
            hers,
            address,
            token,
        }
    }

    async fn she(&self, action: &str, calendar: &RemoteCalendarId, mut order: Value) -> Value {
        order["calendar"] = json!(calendar.as_str());
        self.sandbox.edit("vendor", action, order).await
    }

    fn fields(&self, event: &Event) -> Done<Value> {
        if event.status == Status::Cancelled {
            return Err(Cannot("on Google, a cancelled event is a deleted one"));
        }
        let mut fields = json!({
            "summary": event.summary, "description": event.description, "location": event.location,
            "start": moment(&event.start), "end": end(event),
        });
        if event.repeats() {
            fields["recurrence"] = json!(rule_lines(event));
        }
        if event.status == Status::Tentative {
            fields["status"] = json!("tentative");
        }
        if event.transparency == Transparency::Transparent {
            fields["transparency"] = json!("transparent");
        }
        if event.kind == Kind::OutOfOffice {
            fields["eventType"] = json!("outOfOffice");
        }
        if let Some(answer) = event.answer {
            let word = match answer {
                Answer::NeedsAction => "needsAction",
                Answer::Accepted => "accepted",
                Answer::Declined => "declined",
                Answer::Tentative => "tentative",
            };
            fields["attendees"] = json!([{"email": self.address, "responseStatus": word},
                {"email": "host@example.com", "responseStatus": "accepted"}]);
        }
        Ok(fields)
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn moment(when: &When) -> Value {
    match when {
        When::Date(day) => json!({"date": day.to_string(), "dateTime": null, "timeZone": null}),
        When::Utc(at) => json!({"dateTime": at.to_string(), "timeZone": "UTC", "date": null}),
        When::Zoned { wall, zone } => {
            let name = zone.time_zone().and_then(|zone| zone.iana_name().map(str::to_owned));
            json!({"dateTime": wall.to_string(), "timeZone": name, "date": null})
        }
        When::Floating(wall) => json!({"dateTime": wall.to_string(), "date": null}),
    }
}

fn end(event: &Event) -> Value {
    match &event.end {
        End::At(end) => moment(end),
        End::Lasting { .. } | End::Unstated => moment(&event.start),
    }
}

/// What she gives an event, in Google's words.
fn keepsake(what: Keepsake) -> (&'static str, Value) {
    match what {
        Keepsake::Colour => ("colorId", json!("4")),
        Keepsake::Reminder => {
            ("reminders", json!({"useDefault": false, "overrides": [{"method": "popup", "minutes": 15}]}))
        }
        Keepsake::Guest => {
            ("attendees", json!([{"email": "guest@example.com", "responseStatus": "needsAction"}]))
        }
        Keepsake::Place => ("location", json!("Back room")),
        Keepsake::Privacy => ("visibility", json!("private")),
    }
}

#[async_trait]
impl Room for GoogleRoom {
    fn service(&self) -> Service {
        Service::Google
    }

    fn traits(&self) -> Traits {
        Traits { takes_our_ids: true, burns_ids: true, tells_of_deleted: true, copies_marker: true }
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
        let made = self.she("create_event", calendar, json!({"fields": self.fields(event)?})).await;
        Ok(text(&made["event"]["id"]).into())
    }

    async fn she_edits(&self, calendar: &RemoteCalendarId, id: &RemoteId, edit: &Edit) -> Done {
        let fields = match edit {
            Edit::Time { start, end } => json!({"start": moment(start), "end": moment(end)}),
            Edit::Title(title) => json!({"summary": title}),
            Edit::Notes(notes) => json!({"description": notes}),
            Edit::Rule(rule) => json!({"recurrence": [format!("RRULE:{rule}")]}),
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
        let made = self.sandbox.edit("vendor", "create_calendar", json!({"summary": name})).await;
        Ok(text(&made["calendar"]).into())
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
        let (name, value) = keepsake(what);
        let order = json!({"event": id.as_str(), "fields": {name: value}});
        self.she("edit_event", calendar, order).await;
        Ok(())
    }

    async fn she_sees(&self, calendar: &RemoteCalendarId, id: &RemoteId, what: Keepsake) -> Done<bool> {
        let (base, calendar) = (&self.sandbox.running.base_url, calendar.as_str());
        let url = format!("{base}/google/calendar/v3/calendars/{calendar}/events/{id}");
        let seen = self.sandbox.get(&url, &[("authorization", &self.token)]).await;
        assert_eq!(seen["id"], id.as_str(), "{seen}");
        let (name, value) = keepsake(what);
        Ok(seen[name] == value)
    }

    async fn goes_wrong(&self, route: Option<&str>, kind: &str) -> Done {
        let mut fault = json!({"service": "google", "kind": kind});
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
        self.sandbox.routes("google").await
    }

    async fn forgets_cursors(&self) -> Done {
        self.sandbox.fault(json!({"service": "google", "kind": "cursor_lost", "times": 1})).await;
        Ok(())
    }
}
