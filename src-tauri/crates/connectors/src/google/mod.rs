//! Google Calendar v3: one account's calendars and events, translated. Facts and their sources: provider notes A.

mod batch;
mod calendar;
mod read;
mod recurrence;
mod refusal;
mod times;
mod translate;
mod wire;

use std::collections::BTreeSet;

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::json;
use sync::error::ServiceError;
use sync::ids::{RemoteCalendarId, VendorId};
use sync::ports::{Account, Calendar, CalendarEntry};
use url::Url;

use crate::http::{Answer, Base, Budget, Http, Method, Peer, Request, garbled};
use crate::oauth;
use crate::tokens::{Signed, Tokens};
use calendar::GoogleCalendar;
pub use times::RecentTimes;

/// What the app asks of an account by default: a calendar of its own to write into, and to read the rest. Where no more
/// than busy times are shown, to her or to us, those are read.
pub const SCOPES: &[&str] = &[
    "https://www.googleapis.com/auth/calendar.app.created",
    "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
    "https://www.googleapis.com/auth/calendar.events.readonly",
    "https://www.googleapis.com/auth/calendar.freebusy",
    "openid",
    "email",
];

/// What the app asks when she wants bookings in a calendar that she made herself.
pub const SCOPES_FOR_HER_OWN_CALENDAR: &[&str] = &[
    "https://www.googleapis.com/auth/calendar.app.created",
    "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
    "https://www.googleapis.com/auth/calendar.events",
    "https://www.googleapis.com/auth/calendar.freebusy",
    "openid",
    "email",
];

/// What the app asks when she shows it no more than when she is busy.
pub const SCOPES_FOR_TIMES_ONLY: &[&str] = &[
    "https://www.googleapis.com/auth/calendar.app.created",
    "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
    "https://www.googleapis.com/auth/calendar.freebusy",
    "openid",
    "email",
];

const FREE_BUSY: &str = "/calendar/v3/freeBusy";

/// The sign-in that Google asks of a desktop app. Google sends a refresh token to those anyway; asking for consent
/// again makes it send one after a reinstallation too.
#[must_use]
pub fn sign_in(
    authorize: Base,
    token: Base,
    client_id: &str,
    client_secret: Option<SecretString>,
    scopes: &[&str],
) -> oauth::Config {
    oauth::Config {
        peer: Peer::GoogleAuth,
        authorize,
        token,
        client_id: client_id.to_owned(),
        client_secret,
        scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
        extra: vec![("access_type".into(), "offline".into()), ("prompt".into(), "consent".into())],
        redirect: oauth::Redirect::Address,
    }
}

/// What this computer may ask for one account in a minute. Google allows six hundred, and another computer of hers may
/// ask too.
pub const CALLS_A_MINUTE: u32 = 300;

/// More pages than this are no list but a loop.
const PAGES: usize = 200;

/// The API with somebody signed in.
#[derive(Clone)]
struct Api {
    signed: Signed,
    base: Base,
    budget: Option<Budget>,
    recent: RecentTimes,
}

impl Api {
    fn request(&self, method: Method, route: &'static str, parts: &[&str]) -> Request {
        Request::new(Peer::Google, method, route, self.url(parts))
    }

    fn url(&self, parts: &[&str]) -> Url {
        self.base.at(&[&["calendar", "v3"], parts].concat())
    }

    /// Sends within the account's budget. Writes that its own quota forbids are not sent before it may have ended.
    async fn send(&self, request: Request) -> Result<Answer, ServiceError> {
        let Some(budget) = &self.budget else { return self.signed.send(request).await };
        let writes = *request.method() != Method::GET && request.route() != FREE_BUSY;
        if let Some(wait) = budget.held_for().filter(|_| writes) {
            let service = Peer::Google.name().to_owned();
            return Err(ServiceError::RateLimited { service, retry_after: Some(wait) });
        }
        budget.draw_all(request.calls()).await;
        let answer = self.signed.send(request).await?;
        if let Some(wait) = refusal::account_pause(&answer).filter(|_| writes) {
            budget.hold(wait);
        }
        Ok(answer)
    }
}

/// A linked Google account.
#[derive(Clone)]
pub struct GoogleAccount {
    api: Api,
    vendor: Option<VendorId>,
    ahead: u16,
}

impl GoogleAccount {
    /// `base` is the API's address without `/calendar/v3`.
    #[must_use]
    pub fn new(http: Http, base: Base, tokens: Tokens) -> Self {
        Self {
            api: Api { signed: Signed { http, tokens }, base, budget: None, recent: RecentTimes::default() },
            vendor: None,
            ahead: 366,
        }
    }

    /// Says for whom [`CalendarEntry::ours`] is asked. Without, no calendar is ours.
    #[must_use]
    pub fn for_vendor(mut self, vendor: &VendorId) -> Self {
        self.vendor = Some(vendor.clone());
        self
    }

    /// Keeps calls for this account within a budget: Google allows each of its users so many a minute.
    #[must_use]
    pub fn within(mut self, budget: Budget) -> Self {
        self.api.budget = Some(budget);
        self
    }

    /// Shares what was told of busy times within the last minute with other accounts of the same sign-in.
    #[must_use]
    pub fn remembering(mut self, recent: RecentTimes) -> Self {
        self.api.recent = recent;
        self
    }

    /// Says how many days ahead must be known. Only where no more than busy times may be seen, that is more to ask.
    #[must_use]
    pub fn days_ahead(mut self, days: u16) -> Self {
        self.ahead = days;
        self
    }

    fn entry(&self, entry: wire::CalendarListEntry) -> CalendarEntry {
        let mark = self.vendor.as_ref().map(mark);
        CalendarEntry {
            ours: mark.is_some_and(|mark| entry.description.lines().any(|line| line.trim() == mark)),
            name: entry.summary_override.or(entry.summary).unwrap_or_else(|| entry.id.clone()),
            remote: RemoteCalendarId(entry.id),
            time_zone: entry.time_zone,
            writable: matches!(entry.access_role.as_str(), "owner" | "writer" | "writerWithoutPrivateAccess"),
            primary: entry.primary,
        }
    }
}

/// The line in a calendar's description by which it is known again.
fn mark(vendor: &VendorId) -> String {
    format!("bookiji-companion:{vendor}")
}

#[async_trait]
impl Account for GoogleAccount {
    async fn calendars(&self) -> Result<Vec<CalendarEntry>, ServiceError> {
        let mut entries: Vec<CalendarEntry> = Vec::new();
        let mut page_token: Option<String> = None;
        let mut seen = BTreeSet::new();
        for _ in 0..PAGES {
            // Hidden ones too: our own calendar, hidden, would otherwise be made a second time.
            let mut request = self
                .api
                .request(Method::GET, "/calendar/v3/users/me/calendarList", &["users", "me", "calendarList"])
                .query("maxResults", "250")
                .query("showHidden", "true");
            if let Some(token) = &page_token {
                request = request.query("pageToken", token);
            }
            let answer = self.api.send(request).await?;
            if !answer.status.is_success() {
                return Err(refusal::error(&answer));
            }
            let page: wire::CalendarList = answer.json()?;
            for item in page.items {
                let entry = match serde_json::from_value::<wire::CalendarListEntry>(item) {
                    Ok(entry) if entry.deleted => continue,
                    Ok(entry) => self.entry(entry),
                    Err(_) => {
                        tracing::warn!("a calendar of the list cannot be read and is left out");
                        continue;
                    }
                };
                if entries.iter().all(|known| known.remote != entry.remote) {
                    entries.push(entry);
                }
            }
            match page.next_page_token {
                None => return Ok(entries),
                Some(token) if seen.insert(token.clone()) => page_token = Some(token),
                Some(_) => return Err(garbled(Peer::Google, "its list of calendars goes round in circles")),
            }
        }
        Err(garbled(Peer::Google, "its list of calendars does not end"))
    }

    async fn create_calendar(
        &self,
        name: &str,
        time_zone: &str,
        vendor: &VendorId,
    ) -> Result<CalendarEntry, ServiceError> {
        let description = format!(
            "Your Bookiji bookings. Bookiji Companion keeps this calendar up to date.\n{}",
            mark(vendor)
        );
        let request = self
            .api
            .request(Method::POST, "/calendar/v3/calendars", &["calendars"])
            .json(&json!({"summary": name, "timeZone": time_zone, "description": description}));
        let answer = self.api.send(request).await?;
        if !answer.status.is_success() {
            return Err(refusal::error(&answer));
        }
        let made: wire::CalendarResource = answer.json()?;
        Ok(CalendarEntry {
            remote: RemoteCalendarId(made.id),
            name: made.summary.unwrap_or_else(|| name.to_owned()),
            time_zone: made.time_zone.or_else(|| Some(time_zone.to_owned())),
            writable: true,
            primary: false,
            ours: true,
        })
    }

    fn calendar(&self, remote: &RemoteCalendarId) -> Box<dyn Calendar> {
        Box::new(GoogleCalendar { api: self.api.clone(), remote: remote.clone(), ahead: self.ahead })
    }

    async fn delete_calendar(&self, remote: &RemoteCalendarId) -> Result<(), ServiceError> {
        let route = "/calendar/v3/calendars/{calendar}";
        let answer =
            self.api.send(self.api.request(Method::DELETE, route, &["calendars", remote.as_str()])).await?;
        if answer.status.is_success() { Ok(()) } else { Err(refusal::error(&answer)) }
    }
}
