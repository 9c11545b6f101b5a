//! A linked CalDAV account: its sign-in, asked of the vault when it is first needed, and its calendars.

use std::sync::Arc;

use async_trait::async_trait;
use data_encoding::HEXLOWER;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sync::error::ServiceError;
use sync::ids::{RemoteCalendarId, VendorId};
use sync::ports::{Account, Calendar, CalendarEntry};
use tokio::sync::Mutex;
use url::Url;

use super::address::Entry;
use super::calendar::DavCalendar;
use super::dav::{Call, Dav, SPACES, rejected};
use super::dealings::{Dealings, Seal};
use super::discovery::{self, Place};
use super::href;
use super::multistatus::{Kind, Response, escaped, escaped_text};
use super::names::Names;
use super::{body, refusal};
use crate::http::{Gate, Http, Peer, garbled, now};
use crate::vault::{SecretName, Vault, VaultError};

/// What she gives to be signed in.
#[derive(Clone, Debug)]
pub struct SignIn {
    pub entry: Entry,
    pub username: String,
    pub password: SecretString,
}

/// Looks for the calendars of an account that is not linked yet, and answers with the secret by which it is opened
/// again.
///
/// # Errors
/// [`FindError::WrongPassword`] when the server refuses it, and whatever keeps it from telling where they are.
pub async fn find(http: &Http, names: &dyn Names, sign_in: &SignIn) -> Result<SecretString, FindError> {
    let SignIn { entry, username, password } = sign_in.clone();
    let dav = Dav { http: http.clone(), gate: Gate::default(), entry, username, password };
    let asks_first = dav.entry.is_of_mail();
    if asks_first && let Some(place) = discovery::by_names(&dav, names).await? {
        return Ok(Stored::of(&dav, &place).secret());
    }
    let place = match discovery::discover(&dav).await.map_err(FindError::from) {
        Ok(place) => place,
        Err(error @ (FindError::WrongPassword | FindError::Elsewhere { .. })) => return Err(error),
        Err(error @ FindError::Service(_)) if asks_first => return Err(error),
        Err(error @ FindError::Service(_)) => discovery::by_names(&dav, names).await?.ok_or(error)?,
    };
    Ok(Stored::of(&dav, &place).secret())
}

/// Why no calendars were found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    #[error("the calendar server does not accept this user name with this password")]
    WrongPassword,
    /// Names say that the domain's calendars are at a host that has nothing to do with it. That may well be so, and
    /// names are not signed: only her own word sends the password there.
    #[error("{domain} says that its calendars are at {host}")]
    Elsewhere { domain: String, host: String },
    #[error(transparent)]
    Service(ServiceError),
}

impl From<ServiceError> for FindError {
    fn from(error: ServiceError) -> Self {
        let refused = matches!(error, ServiceError::SignInExpired { .. });
        if refused { Self::WrongPassword } else { Self::Service(error) }
    }
}

/// A sign-in as the vault keeps it: one secret, so that none of its parts is ever without the others.
#[derive(Serialize, Deserialize)]
struct Stored {
    entry: Url,
    homes: Vec<Url>,
    #[serde(default)]
    addresses: Vec<String>,
    username: String,
    password: String,
}

impl Stored {
    fn of(dav: &Dav, place: &Place) -> Self {
        Self {
            entry: dav.entry.url().clone(),
            homes: place.homes.clone(),
            addresses: place.addresses.clone(),
            username: dav.username.clone(),
            password: dav.password.expose_secret().to_owned(),
        }
    }

    fn secret(&self) -> SecretString {
        SecretString::from(serde_json::json!(self).to_string())
    }
}

/// An account opened: who asks, and where its calendars are.
pub(super) struct Session {
    pub dav: Dav,
    place: Place,
    sign_in: Seal,
}

impl Session {
    /// The host that calendars are named by.
    pub fn home(&self) -> &Url {
        &self.place.homes[0]
    }

    pub fn calendar_url(&self, remote: &RemoteCalendarId) -> Result<Url, ServiceError> {
        let url = href::calendar_url(self.home(), remote);
        url.ok_or_else(|| rejected("the calendar's address makes no sense"))
    }

    pub fn addresses(&self) -> Vec<&str> {
        self.place.addresses.iter().map(String::as_str).collect()
    }
}

/// A linked CalDAV account.
#[derive(Clone)]
pub struct CaldavAccount {
    http: Http,
    vault: Arc<dyn Vault>,
    secret: SecretName,
    plain_http: bool,
    vendor: Option<VendorId>,
    address: Option<String>,
    session: Arc<Mutex<Option<Arc<Session>>>>,
    dealings: Dealings,
}

impl CaldavAccount {
    /// `plain_http` says that her password may travel where others can read it.
    #[must_use]
    pub fn new(http: Http, vault: Arc<dyn Vault>, secret: SecretName, plain_http: bool) -> Self {
        let (session, dealings) = (Arc::default(), Dealings::default());
        Self { http, vault, secret, plain_http, vendor: None, address: None, session, dealings }
    }

    /// Knows what was learnt of the account before, and keeps to the pace of all who ask it.
    #[must_use]
    pub fn with_dealings(self, dealings: Dealings) -> Self {
        Self { dealings, ..self }
    }

    /// Says for whom [`CalendarEntry::ours`] is asked, without which no calendar is ours, and by which mail address
    /// invitations know her.
    #[must_use]
    pub fn for_vendor(mut self, vendor: &VendorId, address: &str) -> Self {
        self.vendor = Some(vendor.clone());
        self.address = Some(address.to_owned());
        self
    }

    /// Does something with the account open. Where it is not any more, or its host refuses her, it is looked for once
    /// more: providers move accounts between their hosts.
    pub(super) async fn with<T, F, A>(&self, mut attempt: A) -> Result<T, ServiceError>
    where
        A: FnMut(Arc<Session>) -> F,
        F: Future<Output = Result<T, ServiceError>>,
    {
        let session = self.session().await?;
        if let Some(refused) = self.dealings.refusal(session.sign_in) {
            return Err(refused);
        }
        let error = match attempt(session.clone()).await {
            Err(error @ (ServiceError::Gone { .. } | ServiceError::SignInExpired { .. })) => error,
            answer => return answer,
        };
        let answer = match self.moved(&session).await {
            Some(session) => attempt(session).await,
            None => Err(error),
        };
        if let Err(error @ ServiceError::SignInExpired { .. }) = &answer {
            self.dealings.was_refused(session.sign_in, error);
        }
        answer
    }

    async fn session(&self) -> Result<Arc<Session>, ServiceError> {
        let mut opened = self.session.lock().await;
        if let Some(session) = &*opened {
            return Ok(session.clone());
        }
        let lost = |reason: &str| ServiceError::SignInExpired {
            service: Peer::Caldav.name().to_owned(),
            reason: reason.to_owned(),
        };
        let secret = match self.vault.get(&self.secret).await {
            Ok(Some(secret)) => secret,
            Ok(None) => return Err(lost("no sign-in is stored on this computer")),
            Err(error @ VaultError::Lost) => return Err(lost(&error.to_string())),
            Err(error) => return Err(error.into()),
        };
        let stored: Stored = serde_json::from_str(secret.expose_secret())
            .map_err(|_| lost("the stored sign-in makes no sense"))?;
        let entry = Entry::parse(stored.entry.as_str(), self.plain_http)
            .map_err(|error| super::dav::not_there(&error))?;
        if stored.homes.is_empty() {
            return Err(lost("the stored sign-in makes no sense"));
        }
        let mut place = Place { homes: stored.homes, addresses: stored.addresses };
        place.addresses.extend(self.address.clone());
        let (username, password) = (stored.username, SecretString::from(stored.password));
        let (http, gate) = (self.http.clone(), self.dealings.gate.clone());
        let dav = Dav { http, gate, entry, username, password };
        Ok(opened.insert(Arc::new(Session { dav, place, sign_in: Seal::of(&secret) })).clone())
    }

    /// The account where it is now, if that is another host than `before` had.
    async fn moved(&self, before: &Arc<Session>) -> Option<Arc<Session>> {
        if before.home().origin() == before.dav.entry.url().origin() {
            return None;
        }
        let mut opened = self.session.lock().await;
        let now = opened.clone().filter(|now| now.home() != before.home());
        if now.is_some() || !self.dealings.may_look() {
            return now;
        }
        let mut place = discovery::discover(&before.dav).await.ok()?;
        if place.homes[0].origin() == before.home().origin() {
            return None;
        }
        let secret = Stored::of(&before.dav, &place).secret();
        // Not stored, it is only looked for again.
        if self.vault.put(&self.secret, &secret).await.is_err() {
            tracing::info!("where the account moved to could not be stored");
        }
        place.addresses.extend(self.address.clone());
        tracing::info!(service = Peer::Caldav.key(), "the account has moved to another host");
        let (dav, sign_in) = (before.dav.clone(), Seal::of(&secret));
        Some(opened.insert(Arc::new(Session { dav, place, sign_in })).clone())
    }

    async fn listed(&self, session: &Session) -> Result<Vec<CalendarEntry>, ServiceError> {
        let mut entries: Vec<CalendarEntry> = Vec::new();
        for home in &session.place.homes {
            let (found, from) = session.dav.properties(home, "1", "{home}", WANTED).await?;
            for response in found.responses {
                let Some(url) = href::folder(&from, &response.href) else { continue };
                if session.dav.entry.admits(&url, &from).is_err() {
                    tracing::warn!("a calendar lies on another host and is left out");
                    continue;
                }
                let entry = self.entry(session, &url, response);
                entries
                    .extend(entry.filter(|entry| entries.iter().all(|known| known.remote != entry.remote)));
            }
        }
        Ok(entries)
    }

    fn entry(&self, session: &Session, url: &Url, response: Response) -> Option<CalendarEntry> {
        let found = response.found;
        let is_calendar = found.kinds.contains(&Kind::Calendar) && !found.kinds.contains(&Kind::NotHers);
        let holds_events =
            found.components.as_ref().is_none_or(|names| names.iter().any(|name| name == "VEVENT"));
        if !is_calendar || !holds_events {
            return None;
        }
        let last = url.path().trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
        let ours = self.vendor.as_ref().is_some_and(|vendor| {
            found.vendor.as_deref() == Some(vendor.as_str())
                || last.starts_with(&format!("{}-", stem(vendor)))
        });
        Some(CalendarEntry {
            remote: href::calendar_id(session.home(), url),
            name: found.name.unwrap_or(last),
            time_zone: found.time_zone.as_deref().and_then(zone),
            writable: found.privileges.as_deref().is_none_or(may_write),
            // The protocol knows no calendar that stands before the others.
            primary: false,
            ours,
        })
    }

    async fn made(
        &self,
        session: &Session,
        name: &str,
        time_zone: &str,
        vendor: &VendorId,
    ) -> Result<CalendarEntry, ServiceError> {
        // A name that was never used: of a calendar that was deleted, some servers keep the name in their bin.
        let random = uuid::Uuid::new_v4().simple().to_string();
        let url = href::folder(session.home(), &format!("{}-{}", stem(vendor), &random[..8]))
            .ok_or_else(|| rejected("the calendars' address makes no sense"))?;
        let name = escaped(name);
        let set = |more: &str| {
            format!(
                "<c:mkcalendar {SPACES}><d:set><d:prop><d:displayname>{name}</d:displayname>{more}</d:prop></d:set></c:mkcalendar>"
            )
        };
        let zone = body::zone_file(time_zone, now()).map_or_else(String::new, |file| {
            format!("<c:calendar-timezone>{}</c:calendar-timezone>", escaped_text(&file))
        });
        let only_events = "<c:supported-calendar-component-set><c:comp name=\"VEVENT\"/></c:supported-calendar-component-set>";
        let make = |body: String| async move {
            session.dav.send(&url, &Call::new("MKCALENDAR", "{home}/{calendar}").xml(&body)).await
        };
        let (mut answer, mut url) = make.clone()(set(&format!("{only_events}{zone}"))).await?;
        if matches!(answer.status.as_u16(), 400 | 403 | 409 | 415 | 422) {
            // Some know one kind of calendar only, and do not like to be told which; or no zones.
            (answer, url) = make(set("")).await?;
        }
        if !answer.status.is_success() {
            return Err(refusal::error(&answer));
        }
        let mark = format!(
            "<d:propertyupdate {SPACES}><d:set><d:prop><b:vendor>{}</b:vendor></d:prop></d:set></d:propertyupdate>",
            escaped(vendor.as_str())
        );
        // Where the server keeps no such note, the calendar is known by its address.
        let marked = session.dav.send(&url, &Call::new("PROPPATCH", "{home}/{calendar}").xml(&mark)).await;
        if !marked.is_ok_and(|(answer, _)| answer.status.is_success()) {
            tracing::debug!(service = Peer::Caldav.key(), "the new calendar could not be marked");
        }
        let (found, from) = session.dav.properties(&url, "0", "{home}/{calendar}", WANTED).await?;
        let response = found.responses.into_iter().next();
        let entry = response.and_then(|response| self.entry(session, &from, response));
        entry
            .map(|entry| CalendarEntry { ours: true, ..entry })
            .ok_or_else(|| garbled(Peer::Caldav, "the calendar that it made is none"))
    }
}

const WANTED: &str = "<d:resourcetype/><d:displayname/><d:current-user-privilege-set/>\
                      <c:supported-calendar-component-set/><c:calendar-timezone/><b:vendor/>";

/// What the address of every calendar that we make for this vendor begins with.
fn stem(vendor: &VendorId) -> String {
    let digest = HEXLOWER.encode(&Sha256::digest(vendor.as_str()));
    format!("bookiji-{}", &digest[..16])
}

/// RFC 3744 §3: new files need `bind`, changed ones `write-content`.
fn may_write(privileges: &[String]) -> bool {
    let has = |name: &str| privileges.iter().any(|one| one == name);
    has("all") || has("write") || (has("write-content") && has("bind"))
}

/// The name in a VTIMEZONE.
fn zone(text: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.trim().strip_prefix("TZID:"))?;
    Some(line.trim().chars().take(64).collect())
}

#[async_trait]
impl Account for CaldavAccount {
    async fn calendars(&self) -> Result<Vec<CalendarEntry>, ServiceError> {
        self.with(|session| async move { self.listed(&session).await }).await
    }

    async fn create_calendar(
        &self,
        name: &str,
        time_zone: &str,
        vendor: &VendorId,
    ) -> Result<CalendarEntry, ServiceError> {
        self.with(|session| async move { self.made(&session, name, time_zone, vendor).await }).await
    }

    fn calendar(&self, remote: &RemoteCalendarId) -> Box<dyn Calendar> {
        Box::new(DavCalendar { account: self.clone(), remote: remote.clone() })
    }

    async fn delete_calendar(&self, remote: &RemoteCalendarId) -> Result<(), ServiceError> {
        self.with(|session| async move {
            let url = session.calendar_url(remote)?;
            let (answer, _) = session.dav.send(&url, &Call::new("DELETE", "{calendar}")).await?;
            super::calendar::done(&answer)
        })
        .await
    }
}
