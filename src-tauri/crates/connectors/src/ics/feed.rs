//! A calendar link behind the engine's ports: one calendar that is read and never written.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use calendar::ics::Calendar as Ics;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use sync::booking::Draft;
use sync::error::ServiceError;
use sync::ids::{Cursor, ETag, RemoteCalendarId, RemoteId, VendorId};
use sync::ports::{self, Calendar, CalendarEntry, Coverage, Probe, Reading, RemoteEvent};

use super::address::FeedAddress;
use super::cursor::{Place, Validators};
use super::fetch::{Body, Fetched, Fetcher, garbled};
use super::{body, rhythm};
use crate::vault::{SecretName, Vault, VaultError};

/// The one calendar that a link has.
pub const REMOTE: &str = "feed";

/// A linked calendar feed. The link is asked of the vault with every reading, so that a keychain that is locked now is
/// a reason to wait.
#[derive(Clone)]
pub struct Account {
    fetcher: Fetcher,
    vault: Arc<dyn Vault>,
    secret: SecretName,
    /// What the feed is called before its link is known: the host.
    host: String,
    own: Vec<String>,
}

impl Account {
    /// `own` are her addresses: an invitation in the feed that she declined does not block her time.
    #[must_use]
    pub fn new(
        fetcher: Fetcher,
        vault: Arc<dyn Vault>,
        secret: SecretName,
        host: &str,
        own: &[&str],
    ) -> Self {
        let own = own.iter().map(|&address| address.to_owned()).collect();
        Self { fetcher, vault, secret, host: host.to_owned(), own }
    }

    /// The link, as the vault has it.
    ///
    /// # Errors
    /// [`ServiceError::VaultUnavailable`] when the vault cannot be asked now, [`ServiceError::SignInExpired`] when it
    /// has no link for this connection.
    pub async fn address(&self) -> Result<FeedAddress, ServiceError> {
        let lost = |reason: &str| ServiceError::SignInExpired {
            service: self.host.clone(),
            reason: format!("{reason}; connect the calendar link again"),
        };
        let link = match self.vault.get(&self.secret).await {
            Ok(Some(link)) => link,
            Ok(None) => return Err(lost("its link is not in the keychain")),
            Err(VaultError::Lost) => return Err(lost("its stored link is damaged")),
            Err(error) => return Err(error.into()),
        };
        FeedAddress::parse(link.expose_secret()).map_err(|error| lost(&error.to_string()))
    }

    async fn read(&self, cursor: Option<&Cursor>) -> Result<Reading<RemoteEvent, RemoteId>, ServiceError> {
        let address = self.address().await?;
        let known = cursor.and_then(|cursor| Some((cursor, Place::parse(cursor)?)));
        let validators = known.as_ref().map(|(_, place)| &place.validators);
        let body = match (self.fetcher.fetch(&address, validators).await?, &known) {
            (Fetched::Body(body), _) => body,
            (Fetched::NotModified, Some((cursor, _))) => return Ok(unchanged((*cursor).clone())),
            (Fetched::NotModified, None) => {
                return Err(garbled(&address, "it says that nothing changed, and nothing was known"));
            }
        };
        let digest = HEXLOWER.encode(&Sha256::digest(&body.bytes));
        if let Some((_, place)) = known.filter(|(_, place)| !body.cut && place.body == digest) {
            return Ok(unchanged(Place::new(digest, body.validators, place.refresh_s).cursor()));
        }
        let validators = body.validators.clone();
        let seen = understand(&address, body, self.own.clone()).await?;
        let items = body::events(&seen.calendar);
        Ok(match seen.cut {
            Some(reason) => Reading::Partial { items, reason },
            None => Reading::Snapshot {
                items,
                coverage: Coverage::Everything,
                cursor: Some(Place::new(digest, validators, seen.calendar.refresh_seconds).cursor()),
            },
        })
    }
}

fn unchanged(cursor: Cursor) -> Reading<RemoteEvent, RemoteId> {
    Reading::Delta { changed: Vec::new(), removed: Vec::new(), cursor }
}

/// A feed seen once, before it is linked.
#[derive(Clone, Debug)]
pub struct Look {
    pub calendar: Ics,
    pub refresh: Option<Duration>,
}

/// Reads the feed once and keeps nothing.
///
/// # Errors
/// When it cannot be reached, is no calendar, or breaks off before its end.
pub async fn look(fetcher: &Fetcher, address: &FeedAddress, own: &[&str]) -> Result<Look, ServiceError> {
    let Fetched::Body(body) = fetcher.fetch(address, None::<&Validators>).await? else {
        return Err(garbled(address, "it says that nothing changed, and nothing was known"));
    };
    let own = own.iter().map(|&address| address.to_owned()).collect();
    let seen = understand(address, body, own).await?;
    match seen.cut {
        Some(reason) => Err(reason),
        None => {
            let refresh = seen.calendar.refresh_seconds.map(Duration::from_secs);
            Ok(Look { calendar: seen.calendar, refresh })
        }
    }
}

struct Seen {
    calendar: Ics,
    /// Why it is not all of it.
    cut: Option<ServiceError>,
}

/// Reads the file away from the tasks that wait for the network: a large one takes a moment.
async fn understand(address: &FeedAddress, fetched: Body, own: Vec<String>) -> Result<Seen, ServiceError> {
    let read = tokio::task::spawn_blocking(move || {
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        let whole = !fetched.cut && body::is_whole(&fetched.bytes);
        (whole, fetched.cut, body::read(&fetched.bytes, !whole, &own))
    });
    let service = address.host();
    let Ok((whole, broken, read)) = read.await else {
        return Err(garbled(address, "it could not be read"));
    };
    match read {
        Ok(calendar) if whole => Ok(Seen { calendar, cut: None }),
        Ok(calendar) => Ok(Seen { calendar, cut: Some(garbled(address, BREAKS_OFF)) }),
        // What was not sent may have been the calendar.
        Err(_) if broken => Err(garbled(address, BREAKS_OFF)),
        Err(what) => Err(ServiceError::NotACalendar { service, what }),
    }
}

const BREAKS_OFF: &str = "its calendar breaks off before its end";

fn read_only(host: &str) -> ServiceError {
    ServiceError::Rejected { service: host.to_owned(), reason: "a calendar link can only be read".to_owned() }
}

#[async_trait]
impl ports::Account for Account {
    async fn calendars(&self) -> Result<Vec<CalendarEntry>, ServiceError> {
        let address = self.address().await?;
        let own: Vec<&str> = self.own.iter().map(String::as_str).collect();
        let look = look(&self.fetcher, &address, &own).await?;
        Ok(vec![CalendarEntry {
            remote: RemoteCalendarId(REMOTE.to_owned()),
            name: look.calendar.name.unwrap_or_else(|| address.host()),
            time_zone: None,
            writable: false,
            primary: true,
            ours: false,
        }])
    }

    async fn create_calendar(&self, _: &str, _: &str, _: &VendorId) -> Result<CalendarEntry, ServiceError> {
        Err(read_only(&self.host))
    }

    fn calendar(&self, _: &RemoteCalendarId) -> Box<dyn Calendar> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Calendar for Account {
    async fn read(&self, cursor: Option<&Cursor>, _since: Timestamp) -> Reading<RemoteEvent, RemoteId> {
        self.read(cursor).await.unwrap_or_else(Reading::Failed)
    }

    async fn create(&self, _: &Draft) -> Result<RemoteEvent, ServiceError> {
        Err(read_only(&self.host))
    }

    async fn update(&self, _: &RemoteId, _: &ETag, _: &Draft) -> Result<RemoteEvent, ServiceError> {
        Err(read_only(&self.host))
    }

    async fn delete(&self, _: &RemoteId, _: &ETag) -> Result<(), ServiceError> {
        Err(read_only(&self.host))
    }

    async fn probe(&self, _: &RemoteId) -> Result<Probe, ServiceError> {
        Err(read_only(&self.host))
    }

    fn rhythm(&self, cursor: Option<&Cursor>) -> Option<Duration> {
        rhythm(cursor?)
    }
}
