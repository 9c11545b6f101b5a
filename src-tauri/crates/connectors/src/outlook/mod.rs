//! Outlook by Microsoft Graph v1.0: one account's calendars and events, translated. Personal and work accounts alike.
//! Facts and their sources: provider notes B.

mod batch;
mod calendar;
mod here;
mod marker;
mod place;
mod read;
mod refusal;
mod round;
mod series;
mod translate;
mod wire;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::header::HeaderName;
use secrecy::SecretString;
use serde_json::{Value, json};
use sync::error::ServiceError;
use sync::ids::{RemoteCalendarId, VendorId};
use sync::ports::{Account, Calendar, CalendarEntry};
use tokio::sync::Semaphore;
use url::Url;

pub use calendar::OutlookCalendar;

use crate::http::{Answer, Base, Gate, Http, Method, Peer, Request, garbled};
use crate::oauth::{self, Redirect};
use crate::tokens::{Signed, Tokens};

/// The permission for all that is in her calendars.
pub const ALL_CALENDARS: &str = "Calendars.ReadWrite";
/// What the app asks of an account: its calendars, for longer than an hour, and whose account it is. Microsoft has
/// no smaller permission to write.
const SCOPES: [&str; 2] = [ALL_CALENDARS, "User.Read"];
const SCOPES_OF_THE_SIGN_IN: [&str; 3] = ["offline_access", "openid", "email"];

/// Wanted of every answer: ids that stay, times in UTC, texts as text.
const PREFER: &str = "IdType=\"ImmutableId\", outlook.timezone=\"UTC\", outlook.body-content-type=\"text\"";
/// No mailbox serves more of one app at once.
const IN_FLIGHT: usize = 4;
/// More pages than this are no list but a loop.
const PAGES: usize = 400;
/// Names of calendars are unique in a mailbox: this many are tried.
const NAMES: usize = 5;

/// Where Microsoft's sign-in is, and who may use it: `common` for every account there is, `consumers` and
/// `organizations` for one sort, or one organisation's own id or name.
#[derive(Clone, Debug)]
pub struct Authority {
    /// May carry a query, which goes to the sign-in page.
    pub login: Base,
    pub tenant: String,
    /// Whose permissions are asked for: in a national cloud they are named by the address of its Graph.
    pub graph: Base,
}

/// The sign-in that Microsoft asks of a desktop app: no secret, and `http://localhost` registered under "Mobile
/// and desktop applications".
#[must_use]
pub fn sign_in(authority: &Authority, client_id: &str) -> oauth::Config {
    let at = |what: &str| authority.login.at(&[authority.tenant.as_str(), "oauth2", "v2.0", what]);
    let mut authorize = at("authorize");
    authorize.set_query(authority.login.as_url().query());
    let of_graph = SCOPES.iter().map(|scope| authority.scope(scope));
    oauth::Config {
        peer: Peer::OutlookAuth,
        authorize: authority.login.beside(authorize),
        token: authority.login.beside(at("token")),
        client_id: client_id.to_owned(),
        client_secret: None,
        scopes: of_graph.chain(SCOPES_OF_THE_SIGN_IN.map(str::to_owned)).collect(),
        extra: vec![("prompt".into(), "select_account".into())],
        redirect: Redirect::Localhost,
    }
}

impl Authority {
    /// Where an administrator allows the app for a whole organisation.
    #[must_use]
    pub fn admin_consent(&self, client_id: &str) -> Url {
        // Personal accounts have no administrator.
        let tenant = if self.tenant == "common" { "organizations" } else { self.tenant.as_str() };
        let mut url = self.login.at(&[tenant, "adminconsent"]);
        url.query_pairs_mut().append_pair("client_id", client_id);
        url
    }

    /// A scope without an address means the worldwide Graph.
    fn scope(&self, scope: &str) -> String {
        match self.graph.as_url().host_str() {
            Some(host) if host != "graph.microsoft.com" && self.graph.as_url().scheme() == "https" => {
                format!("https://{host}/{scope}")
            }
            _ => scope.to_owned(),
        }
    }
}

/// The permissions she withheld that the app cannot do without. What a server writes before their names does not matter, and
/// those of the sign-in itself are not told back.
#[must_use]
pub fn missing(granted: &oauth::Granted) -> Vec<&'static str> {
    let has = |wanted: &str| {
        let mut given = granted.scopes.iter().map(|scope| scope.rsplit('/').next().unwrap_or(scope));
        given.any(|scope| scope.eq_ignore_ascii_case(wanted))
    };
    SCOPES.into_iter().filter(|scope| !has(scope)).collect()
}

/// How fast an account may be asked: Graph gives it 10,000 calls in ten minutes and answers four at once (provider notes
/// B6). So many a minute are never more than 9,806 in ten, those that go at once counted in.
#[must_use]
pub fn pace() -> Gate {
    Gate::of(1_400, 4)
}

/// The address of whoever has just signed in.
///
/// # Errors
/// Whatever keeps Graph from answering.
pub async fn address(http: &Http, base: &Base, access: &SecretString) -> Result<String, ServiceError> {
    let mut url = base.at(&["v1.0", "me"]);
    query(&mut url, &[("$select", "mail,userPrincipalName")]);
    let request = Request::new(Peer::Outlook, Method::GET, "/v1.0/me", url).bearer(access);
    let answer = http.send(request).await?;
    if let Some(error) = refusal::of(&answer) {
        return Err(error);
    }
    let me: Value = answer.json()?;
    let said = |name: &str| me[name].as_str().filter(|address| !address.is_empty()).map(str::to_owned);
    let address = said("mail").or_else(|| said("userPrincipalName"));
    address.ok_or_else(|| garbled(Peer::Outlook, "it does not say whose account this is"))
}

/// The API with somebody signed in.
#[derive(Clone)]
struct Api {
    signed: Signed,
    base: Base,
    in_flight: Arc<Semaphore>,
}

impl Api {
    fn request(&self, method: Method, route: &'static str, url: Url) -> Request {
        Request::new(Peer::Outlook, method, route, url).header(PREFERENCE, PREFER)
    }

    fn request_of_a_page(&self, method: Method, route: &'static str, url: Url) -> Request {
        let prefer = format!("{PREFER}, odata.maxpagesize={}", read::PAGE);
        Request::new(Peer::Outlook, method, route, url).header(PREFERENCE, &prefer)
    }

    fn url(&self, parts: &[&str]) -> Url {
        self.base.at(&[&["v1.0"], parts].concat())
    }

    /// A link that Graph gave, if it leads to Graph: she is signed in with everything that is sent there.
    fn own(&self, link: &str) -> Option<Url> {
        let url = Url::parse(link).ok()?;
        let root = self.url(&[]);
        let plain = url.username().is_empty() && url.password().is_none();
        (plain && url.origin() == root.origin() && url.path().starts_with(root.path())).then_some(url)
    }

    async fn send(&self, request: Request) -> Result<Answer, ServiceError> {
        // It is closed by nobody.
        let _place = self.in_flight.acquire().await;
        self.signed.send(request).await
    }
}

const PREFERENCE: HeaderName = HeaderName::from_static("prefer");

/// Adds what OData wants escaped in its own way: a plus is no space to it.
fn query(url: &mut Url, pairs: &[(&str, &str)]) {
    let escaped = |text: &str| {
        url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
    };
    let text: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    url.set_query(Some(&text.join("&")));
}

/// A linked Microsoft account.
#[derive(Clone)]
pub struct OutlookAccount {
    api: Api,
    vendor: Option<VendorId>,
    ahead: u16,
}

impl OutlookAccount {
    /// `base` is the API's address without `/v1.0`.
    #[must_use]
    pub fn new(http: Http, base: Base, tokens: Tokens) -> Self {
        let in_flight = Arc::new(Semaphore::new(IN_FLIGHT));
        Self { api: Api { signed: Signed { http, tokens }, base, in_flight }, vendor: None, ahead: 366 }
    }

    /// Says for whom [`CalendarEntry::ours`] is asked. Without, no calendar is ours.
    #[must_use]
    pub fn for_vendor(mut self, vendor: &VendorId) -> Self {
        self.vendor = Some(vendor.clone());
        self
    }

    /// Says how many days ahead must be known. Series are told occurrence by occurrence, so more days are more to read.
    #[must_use]
    pub fn days_ahead(mut self, days: u16) -> Self {
        self.ahead = days;
        self
    }

    /// As [`Account::calendar`], for who creates many events at once.
    #[must_use]
    pub fn outlook_calendar(&self, remote: &RemoteCalendarId) -> OutlookCalendar {
        OutlookCalendar { api: self.api.clone(), remote: remote.clone(), ahead: self.ahead }
    }

    fn entry(&self, calendar: &Value) -> Option<CalendarEntry> {
        let id = calendar["id"].as_str().filter(|id| !id.is_empty())?;
        let properties: Vec<(String, String)> = calendar["singleValueExtendedProperties"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|property| {
                Some((property["id"].as_str()?.to_owned(), property["value"].as_str()?.to_owned()))
            })
            .collect();
        Some(CalendarEntry {
            remote: RemoteCalendarId(id.to_owned()),
            name: calendar["name"].as_str().unwrap_or(id).to_owned(),
            // It has none: every event has its own.
            time_zone: None,
            writable: calendar["canEdit"] == true,
            primary: calendar["isDefaultCalendar"] == true,
            ours: self.vendor.as_ref().is_some_and(|vendor| marker::is_of(&properties, vendor)),
        })
    }
}

#[async_trait]
impl Account for OutlookAccount {
    async fn calendars(&self) -> Result<Vec<CalendarEntry>, ServiceError> {
        let mut url = self.api.url(&["me", "calendars"]);
        query(&mut url, &[("$top", "100"), ("$expand", &marker::expand(marker::VENDOR))]);
        let mut entries: Vec<CalendarEntry> = Vec::new();
        let mut seen = BTreeSet::new();
        for _ in 0..PAGES {
            let answer = self.api.send(self.api.request(Method::GET, CALENDARS, url)).await?;
            if let Some(error) = refusal::of(&answer) {
                return Err(error);
            }
            let body: Value = answer.json()?;
            let Some(items) = body["value"].as_array() else {
                return Err(garbled(Peer::Outlook, "it is no list of calendars"));
            };
            for item in items {
                match self.entry(item) {
                    Some(entry) if entries.iter().all(|known| known.remote != entry.remote) => {
                        entries.push(entry);
                    }
                    Some(_) => {}
                    None => tracing::warn!("a calendar of the list has no id and is left out"),
                }
            }
            match body["@odata.nextLink"].as_str() {
                None => return Ok(entries),
                Some(next) if seen.insert(next.to_owned()) => {
                    let elsewhere = || garbled(Peer::Outlook, "its next page is somewhere else");
                    url = self.api.own(next).ok_or_else(elsewhere)?;
                }
                Some(_) => return Err(garbled(Peer::Outlook, "its list of calendars goes round in circles")),
            }
        }
        Err(garbled(Peer::Outlook, "its list of calendars does not end"))
    }

    async fn create_calendar(
        &self,
        name: &str,
        _time_zone: &str,
        vendor: &VendorId,
    ) -> Result<CalendarEntry, ServiceError> {
        let mut refused = None;
        for number in 1..=NAMES {
            let name = if number == 1 { name.to_owned() } else { format!("{name} {number}") };
            let body = json!({
                "name": name,
                "singleValueExtendedProperties": [{"id": marker::VENDOR, "value": vendor.as_str()}],
            });
            let request = self.api.request(Method::POST, CALENDARS, self.api.url(&["me", "calendars"]));
            let answer = self.api.send(request.json(&body)).await?;
            match refusal::of(&answer) {
                // She has a calendar of that name, unless another computer of hers has made ours a moment ago.
                Some(error @ ServiceError::Exists { .. }) => {
                    let listed = self.calendars().await?;
                    if let Some(ours) = listed.into_iter().find(|entry| entry.ours && entry.writable) {
                        return Ok(ours);
                    }
                    refused = Some(error);
                }
                Some(error) => return Err(error),
                None => {
                    let made = self.entry(&answer.json()?);
                    let made = made.ok_or_else(|| garbled(Peer::Outlook, "it is no calendar"))?;
                    return Ok(CalendarEntry { ours: true, writable: true, primary: false, ..made });
                }
            }
        }
        Err(refused.unwrap_or_else(|| garbled(Peer::Outlook, "no name for a calendar was tried")))
    }

    fn calendar(&self, remote: &RemoteCalendarId) -> Box<dyn Calendar> {
        Box::new(self.outlook_calendar(remote))
    }

    async fn delete_calendar(&self, remote: &RemoteCalendarId) -> Result<(), ServiceError> {
        let url = self.api.url(&["me", "calendars", remote.as_str()]);
        let answer = self.api.send(self.api.request(Method::DELETE, CALENDAR, url)).await?;
        refusal::of(&answer).map_or_else(|| answer.is_no_page(), Err)
    }
}

const CALENDARS: &str = "/v1.0/me/calendars";
const CALENDAR: &str = "/v1.0/me/calendars/{calendar}";
