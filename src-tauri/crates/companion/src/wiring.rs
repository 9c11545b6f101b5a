//! Puts the parts of one profile together: settings, secrets, the HTTP stack, services and the mirror. Decides nothing
//! but which part goes where.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use calendar::hours::Hours;
use connectors::bookiji::rest::Rest;
use connectors::bookiji::{Bookiji, Interface, Site, Told};
use connectors::caldav::{CaldavAccount, Dealings};
use connectors::google::{self, GoogleAccount, RecentTimes};
use connectors::gotrue::GoTrue;
use connectors::http::{Base, Budget, Counters, Gate, Http, Network, Timeouts};
use connectors::ics::{self, Fetcher, Limits};
use connectors::oauth::Client;
use connectors::outlook::{self, OutlookAccount};
use connectors::tokens::{Refresh, Tokens};
use connectors::vault::{SecretName, Vault};
use mirror::{Rebuilt, Sqlite};
use secrecy::SecretString;
use sync::error::{Code, ServiceError};
use sync::ids::{ConnectionId, RemoteCalendarId, Service, VendorId};
use sync::import;
use sync::lease::Writer;
use sync::policy::Policy;
use sync::ports::{Account, Clock, Mirror};
use sync::progress::Progress;
use sync::world::{Connection, Role, Vendor, World};
use url::Url;

use crate::clock::{CorrectedClock, SystemClock};
use crate::desk::door::Place;
use crate::desk::limits;
use crate::import::ImportedFiles;
use crate::problem::Problem;
use crate::profile::{Lock, Profile};
use crate::secrets::{self, Passphrase};
use crate::servers::Servers;
use crate::settings::{NetworkSettings, Settings};
use crate::{lease, sign_in};

/// One profile, open for writing.
pub struct Wiring {
    pub profile: Profile,
    pub settings: Settings,
    pub clock: CorrectedClock,
    /// The database was damaged, and this one was built in its place just now.
    pub rebuilt: Option<Rebuilt>,
    pub mirror: Sqlite,
    pub http: Http,
    /// Which of her computers writes. It outlives a run: so does a lease.
    pub writer: Writer,
    /// How far the run has come that is under way.
    pub progress: Progress,
    vault: Arc<dyn Vault>,
    /// Which interface Bookiji has, as it was last asked.
    told: Told,
    /// Made with the first calendar link: most profiles have none.
    fetcher: Mutex<Option<Fetcher>>,
    /// One per sign-in for as long as the process lives: access tokens are kept nowhere else, and two refreshes at once
    /// would spend the same rotating token twice.
    tokens: Mutex<BTreeMap<SecretName, Tokens>>,
    /// What each Google account may still be asked this minute.
    budgets: Mutex<BTreeMap<ConnectionId, Budget>>,
    recent_times: Mutex<BTreeMap<ConnectionId, RecentTimes>>,
    /// What was learnt of accounts without such tokens.
    dealings: Mutex<BTreeMap<ConnectionId, Dealings>>,
    /// Where its syncs wait for their turn, when several vendors share the process.
    pub place: Option<Place>,
    lock: Lock,
}

impl Wiring {
    /// Opens a profile for writing; no other process can until this one is dropped.
    pub async fn open(profile: &Profile) -> Result<Self, Problem> {
        let _: Settings = profile.settings()?;
        Self::open_locked(profile, profile.lock().await?).await
    }

    /// As [`Wiring::open`], with the right to write in hand.
    pub async fn open_locked(profile: &Profile, lock: Lock) -> Result<Self, Problem> {
        let settings = profile.settings()?;
        let vault = secrets::open(profile, settings.vault, &Passphrase::default()).await?;
        Self::assemble(profile, settings, vault, lock, None)
    }

    /// As [`Wiring::open`], with secrets kept elsewhere than the settings say: sample data leaves none behind.
    pub async fn open_with(profile: &Profile, vault: Arc<dyn Vault>) -> Result<Self, Problem> {
        let settings = profile.settings()?;
        let lock = profile.lock().await?;
        Self::assemble(profile, settings, vault, lock, None)
    }

    /// As [`Wiring::open`], beside other vendors' profiles in this process.
    pub async fn open_at(profile: &Profile, passphrase: &Passphrase, place: Place) -> Result<Self, Problem> {
        let settings = profile.settings()?;
        let lock = profile.lock().await?;
        let vault = secrets::open(profile, settings.vault, passphrase).await?;
        Self::assemble(profile, settings, vault, lock, Some(place))
    }

    /// As [`Wiring::open_at`], with secrets kept elsewhere than the settings say.
    pub async fn open_with_at(
        profile: &Profile,
        vault: Arc<dyn Vault>,
        place: Place,
    ) -> Result<Self, Problem> {
        let settings = profile.settings()?;
        let lock = profile.lock().await?;
        Self::assemble(profile, settings, vault, lock, Some(place))
    }

    fn assemble(
        profile: &Profile,
        settings: Settings,
        vault: Arc<dyn Vault>,
        lock: Lock,
        place: Option<Place>,
    ) -> Result<Self, Problem> {
        let http = match &place {
            Some(place) => place.http(&settings)?,
            None => http(&settings.network)?,
        };
        let (mirror, rebuilt) = Sqlite::open_kept(&profile.database(), SystemClock.now())?;
        if let Some(rebuilt) = &rebuilt {
            tracing::error!(
                kept_as = rebuilt.kept_as,
                reason = rebuilt.reason,
                "the database was damaged and is built anew"
            );
        }
        Ok(Self {
            writer: lease::writer(&mirror)?,
            progress: Progress::default(),
            told: told(&mirror)?,
            mirror,
            rebuilt,
            vault,
            profile: profile.clone(),
            settings,
            clock: CorrectedClock::new(http.skew().clone()),
            http,
            fetcher: Mutex::default(),
            tokens: Mutex::default(),
            budgets: Mutex::default(),
            recent_times: Mutex::default(),
            dealings: Mutex::default(),
            place,
            lock,
        })
    }

    /// Closes the database and gives back the right to write.
    #[must_use]
    pub fn close(self) -> Lock {
        let Self { lock, mirror, .. } = self;
        drop(mirror);
        lock
    }

    pub fn world(&self) -> Result<World, Problem> {
        Ok(self.mirror.world()?)
    }

    #[must_use]
    pub fn policy(&self) -> Policy {
        self.settings.sync.policy()
    }

    /// Whether somebody is signed in to Bookiji, as the vault says.
    pub async fn check_session(&self) -> Result<(), Problem> {
        let stored = self.vault.get(&SecretName::bookiji()).await.map_err(secrets::problem)?;
        stored
            .map(drop)
            .ok_or_else(|| Problem::new(Code::NotSignedIn, "Nobody is signed in to Bookiji in this profile."))
    }

    /// Every sign-in server of this profile.
    #[must_use]
    pub fn servers(&self) -> Servers {
        let (settings, http) = (self.settings.clone(), self.http.clone());
        Servers { settings, http, file: self.profile.settings_file() }
    }

    /// Bookiji's sign-in server.
    pub fn gotrue(&self) -> Result<GoTrue, Problem> {
        gotrue(&self.settings, &self.http)
    }

    pub fn bookiji_tokens(&self) -> Result<Tokens, Problem> {
        Ok(self.tokens(SecretName::bookiji(), Arc::new(self.gotrue()?), Gate::default()))
    }

    pub fn platform(&self) -> Result<Site, Problem> {
        self.site(&self.http)
    }

    /// As [`Wiring::platform`], for listening beside everything else: what it asks is in no run's counts.
    pub fn ear(&self) -> Result<Site, Problem> {
        self.site(&self.http.beside().telling(self.http.sent().clone()))
    }

    /// When she works, as her profile on Bookiji says it. What is asked for that is in no run's counts.
    pub async fn hours(&self) -> Result<Result<Option<Hours>, ServiceError>, Problem> {
        let vendor = self.mirror.overview()?.vendor.ok_or_else(sign_in::nobody)?;
        let http = self.http.beside().telling(self.http.sent().clone());
        Ok(self.gotrue()?.database(&vendor.id).hours(http, self.bookiji_tokens()?).await)
    }

    fn site(&self, http: &Http) -> Result<Site, Problem> {
        let vendor = self.mirror.overview()?.vendor.ok_or_else(sign_in::nobody)?;
        let base = base(&self.settings.endpoints.bookiji)?;
        let (database, tokens) = (self.gotrue()?.database(&vendor.id), self.bookiji_tokens()?);
        let contract = Bookiji::new(http.clone(), base.clone(), tokens.clone());
        let rest = Rest::new(http.clone(), base, tokens, database.clone());
        Ok(Site::new(contract.with_slots(database), rest, self.told.clone()))
    }

    /// Writes down which interface Bookiji has, if that is news.
    pub fn keep_told(&self) -> Result<(), Problem> {
        let Some((interface, asked_at)) = self.told.get() else { return Ok(()) };
        let word = interface.as_str();
        if self.mirror.interface()?.is_none_or(|known| known != (word.to_owned(), asked_at)) {
            self.mirror.set_interface(word, asked_at)?;
        }
        Ok(())
    }

    /// Google's sign-in server, as this app. By default it asks only for a calendar of its own to write into.
    pub fn google_oauth(&self, own_calendar: bool) -> Result<Client, Problem> {
        self.servers().google(own_calendar)
    }

    pub fn google_tokens(&self, connection: &ConnectionId) -> Result<Tokens, Problem> {
        let server = Arc::new(self.google_oauth(false)?);
        Ok(self.tokens(SecretName::connection(connection), server, Gate::default()))
    }

    pub fn google(&self, connection: &ConnectionId, vendor: &VendorId) -> Result<GoogleAccount, Problem> {
        let base = base(&self.settings.endpoints.google_api)?;
        let account = GoogleAccount::new(self.http.clone(), base, self.google_tokens(connection)?);
        let account = account.for_vendor(vendor).within(self.google_budget(connection));
        let account = account.holding(holding(&self.mirror.world()?, connection));
        let mut recent_times = self.recent_times.lock().unwrap_or_else(PoisonError::into_inner);
        let recent_times = recent_times.entry(connection.clone()).or_default().clone();
        Ok(account.remembering(recent_times).days_ahead(self.settings.sync.horizon_days))
    }

    fn google_budget(&self, connection: &ConnectionId) -> Budget {
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        let full = || Budget::a_minute(google::CALLS_A_MINUTE);
        budgets.entry(connection.clone()).or_insert_with(full).clone()
    }

    /// Microsoft's sign-in server, as this app.
    pub fn outlook_oauth(&self) -> Result<Client, Problem> {
        self.servers().outlook()
    }

    /// Where an administrator allows this app for everybody in her organisation.
    pub fn outlook_admin_consent(&self) -> Result<Url, Problem> {
        self.servers().outlook_admin_consent()
    }

    pub fn outlook_tokens(&self, connection: &ConnectionId) -> Result<Tokens, Problem> {
        let server = Arc::new(self.outlook_oauth()?);
        Ok(self.tokens(SecretName::connection(connection), server, outlook::pace()))
    }

    pub fn outlook(&self, connection: &ConnectionId, vendor: &VendorId) -> Result<OutlookAccount, Problem> {
        let base = base(&self.settings.endpoints.graph)?;
        let account = OutlookAccount::new(self.http.clone(), base, self.outlook_tokens(connection)?);
        Ok(account.for_vendor(vendor).days_ahead(self.settings.sync.horizon_days))
    }

    /// Whose account a sign-in is of that is stored nowhere yet.
    pub async fn outlook_address(&self, access: &SecretString) -> Result<String, Problem> {
        let base = base(&self.settings.endpoints.graph)?;
        Ok(outlook::address(&self.http, &base, access).await?)
    }

    /// What reads calendar links.
    pub fn fetcher(&self) -> Result<Fetcher, Problem> {
        let mut made = self.fetcher.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fetcher) = &*made {
            return Ok(fetcher.clone());
        }
        let fetcher = match &self.place {
            Some(place) => place.fetcher(&self.settings.network, &self.http)?,
            None => fetcher(&self.settings.network, self.http.counters().clone())?,
        };
        Ok(made.insert(fetcher).clone())
    }

    fn feed(&self, connection: &Connection, vendor: &Vendor) -> Result<ics::Account, Problem> {
        Ok(feed(self.fetcher()?, self.vault.clone(), connection, vendor))
    }

    pub fn caldav(&self, connection: &ConnectionId, vendor: &Vendor) -> CaldavAccount {
        let account = caldav(&self.settings, self.http.clone(), self.vault.clone(), connection, vendor);
        account.with_dealings(self.dealings(connection))
    }

    fn dealings(&self, connection: &ConnectionId) -> Dealings {
        let mut dealings = self.dealings.lock().unwrap_or_else(PoisonError::into_inner);
        dealings.entry(connection.clone()).or_default().clone()
    }

    /// Puts the secret of an account into the vault.
    pub async fn keep_secret(&self, connection: &ConnectionId, secret: &SecretString) -> Result<(), Problem> {
        self.vault.put(&SecretName::connection(connection), secret).await.map_err(secrets::problem)?;
        self.dealings(connection).forgive();
        Ok(())
    }

    /// Whether the vault has an account's sign-in.
    pub async fn has_secret(&self, connection: &ConnectionId) -> Result<bool, Problem> {
        let stored = self.vault.get(&SecretName::connection(connection)).await.map_err(secrets::problem)?;
        Ok(stored.is_some())
    }

    /// Deletes an account's sign-in from this computer.
    pub async fn forget_secret(&self, connection: &ConnectionId) -> Result<(), Problem> {
        self.vault.delete(&SecretName::connection(connection)).await.map_err(secrets::problem)
    }

    /// Every linked account of a service that this version speaks to.
    pub fn accounts(&self, world: &World) -> Result<BTreeMap<ConnectionId, Box<dyn Account>>, Problem> {
        let mut accounts: BTreeMap<ConnectionId, Box<dyn Account>> = BTreeMap::new();
        let Some(vendor) = &world.vendor else { return Ok(accounts) };
        for connection in world.connections.values() {
            match connection.service {
                Service::Google => {
                    let account = self.google(&connection.id, &vendor.id)?;
                    accounts.insert(connection.id.clone(), Box::new(account));
                }
                Service::Ics if connection.id == import::connection_id() => {
                    accounts.insert(connection.id.clone(), Box::new(ImportedFiles));
                }
                Service::Ics => {
                    let account = self.feed(connection, vendor)?;
                    accounts.insert(connection.id.clone(), Box::new(account));
                }
                Service::Outlook => {
                    let account = self.outlook(&connection.id, &vendor.id)?;
                    accounts.insert(connection.id.clone(), Box::new(account));
                }
                Service::Caldav => {
                    let account = self.caldav(&connection.id, vendor);
                    accounts.insert(connection.id.clone(), Box::new(account));
                }
            }
        }
        Ok(accounts)
    }

    fn tokens(&self, secret: SecretName, server: Arc<dyn Refresh>, pace: Gate) -> Tokens {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || Tokens::paced(server, self.vault.clone(), secret.clone(), pace);
        tokens.entry(secret.clone()).or_insert_with(made).clone()
    }
}

/// Certificates of a few authorities are never larger.
const MAX_CA_BYTES: u64 = 1024 * 1024;

/// What her settings say about the network.
///
/// # Errors
/// When a file of certificates cannot be used, or the proxy is none.
pub fn network(settings: &NetworkSettings) -> Result<Network, Problem> {
    let mut network = Network::default();
    if let Some(path) = &settings.ca_file {
        let refuse = |reason: String| {
            Problem::new(
                Code::SettingsInvalid,
                format!("The certificates in {} cannot be used: {reason}.", path.display()),
            )
            .then("Correct ca_file under [network] in settings.toml, or take it out.")
        };
        let mut pem = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(MAX_CA_BYTES).read_to_end(&mut pem))
            .map_err(|error| refuse(error.to_string()))?;
        network = network.trusting(&pem).map_err(|error| refuse(error.to_string()))?;
    }
    if let Some(proxy) = &settings.proxy {
        let refuse = |error| Problem::new(Code::SettingsInvalid, format!("network.proxy: {error}."));
        network = network.behind(proxy).map_err(refuse)?;
    }
    Ok(network)
}

/// The calendars of an account in which events of ours may stand.
fn holding(world: &World, connection: &ConnectionId) -> BTreeSet<RemoteCalendarId> {
    let mapped: BTreeSet<_> = world.mappings.values().map(|mapping| &mapping.calendar).collect();
    let calendars = world.calendars.values().filter(|calendar| calendar.connection == *connection);
    let holding = calendars.filter(|calendar| calendar.role == Role::Target || mapped.contains(&calendar.id));
    holding.map(|calendar| calendar.remote.clone()).collect()
}

fn told(mirror: &Sqlite) -> Result<Told, Problem> {
    let known = mirror.interface()?.and_then(|(word, at)| Some((Interface::parse(&word)?, at)));
    Ok(known.map_or_else(Told::default, |(interface, at)| Told::before(interface, at)))
}

/// The HTTP stack with counters of its own, and with a budget for Bookiji, which counts calls by the computer.
pub fn http(settings: &NetworkSettings) -> Result<Http, Problem> {
    let calls = limits::Limits::default().bookiji_calls_a_minute;
    Http::through(&network(settings)?, Counters::default(), Timeouts::default())
        .map(|http| http.with_bookiji_budget(Budget::any_minute(calls)))
        .map_err(|error| Problem::new(Code::Internal, format!("{error}.")))
}

pub fn fetcher(settings: &NetworkSettings, counters: Counters) -> Result<Fetcher, Problem> {
    Fetcher::through(&network(settings)?, counters, Limits::default(), ics::system_names())
        .map_err(|error| Problem::new(Code::Internal, format!("{error}.")))
}

/// A linked calendar feed; its link is asked of the vault when it is read.
pub fn feed(
    fetcher: Fetcher,
    vault: Arc<dyn Vault>,
    connection: &Connection,
    vendor: &Vendor,
) -> ics::Account {
    let secret = SecretName::connection(&connection.id);
    ics::Account::new(fetcher, vault, secret, &connection.account, &[&vendor.email])
}

/// A linked CalDAV account; its address and password are asked of the vault when they are needed.
pub fn caldav(
    settings: &Settings,
    http: Http,
    vault: Arc<dyn Vault>,
    connection: &ConnectionId,
    vendor: &Vendor,
) -> CaldavAccount {
    let secret = SecretName::connection(connection);
    let account = CaldavAccount::new(http, vault, secret, settings.endpoints.caldav_allow_http);
    account.for_vendor(&vendor.id, &vendor.email)
}

pub fn gotrue(settings: &Settings, http: &Http) -> Result<GoTrue, Problem> {
    let Some(supabase) = &settings.endpoints.supabase else {
        return Err(Problem::new(
            Code::SettingsInvalid,
            "The address of Bookiji's sign-in server is not set.",
        )
        .then("Set supabase and supabase_key under [endpoints] in settings.toml."));
    };
    let key = settings.endpoints.supabase_key.clone().unwrap_or_default();
    Ok(GoTrue::new(http.clone(), base(supabase)?, key))
}

pub fn base(url: &Url) -> Result<Base, Problem> {
    Base::new(url.clone()).map_err(|error| Problem::new(Code::SettingsInvalid, format!("{error}.")))
}
