//! What a person may set, read from `settings.toml`. Decides what a valid file is and what stands when it says nothing;
//! never writes, so a broken file stays as she left it.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use jiff::civil::Time;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sync::error::Code;
use sync::policy::{Deletions, Policy};
use url::{Host, Url};

use crate::import::OnConflict;
use crate::problem::Problem;
use crate::words::Language;

/// Larger than any file a person writes.
pub(crate) const MAX_BYTES: u64 = 256 * 1024;
pub const MAX_FOLDERS: usize = 16;

#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Nothing follows the system.
    pub language: Option<Language>,
    pub theme: Theme,
    pub notifications: NotificationSettings,
    pub updates: UpdateSettings,
    pub endpoints: Endpoints,
    pub oauth: Oauth,
    pub vault: VaultKind,
    pub network: NetworkSettings,
    pub sync: SyncSettings,
    pub import: ImportSettings,
}

/// What the system does not say of itself, or says wrongly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkSettings {
    /// Certificates in PEM form of authorities that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Instead of the system's. Connections to this computer go through none, and calendar links only through this one.
    pub proxy: Option<Url>,
}

/// How the window is lit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

/// Whether she is told of things while the window is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotificationSettings {
    pub on: bool,
    /// From then until then, on her own clock, nothing is told. Both, or neither.
    pub quiet_from: Option<Time>,
    pub quiet_until: Option<Time>,
}

impl Default for NotificationSettings {
    fn default() -> Self {
        Self { on: true, quiet_from: None, quiet_until: None }
    }
}

impl NotificationSettings {
    /// Whether she may be told something when her clock shows `time`. Quiet hours that end before they begin last over
    /// midnight; those that end as they begin are none.
    #[must_use]
    pub fn may_tell_at(&self, time: Time) -> bool {
        let (Some(from), Some(until)) = (self.quiet_from, self.quiet_until) else { return self.on };
        let quiet = if from <= until { from <= time && time < until } else { from <= time || time < until };
        self.on && !quiet
    }
}

/// Whether the app looks by itself for newer versions. It installs none by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateSettings {
    pub check: bool,
}

impl Default for UpdateSettings {
    fn default() -> Self {
        Self { check: true }
    }
}

/// Where the services are. The defaults are the real ones.
#[derive(Clone, Debug)]
pub struct Endpoints {
    pub bookiji: Url,
    /// Bookiji's sign-in server. It has no well-known address yet.
    pub supabase: Option<Url>,
    /// Bookiji's publishable key, which its sign-in server asks for. Not a secret.
    pub supabase_key: Option<String>,
    /// Its sign-in page for browsers, where that is not under the sign-in server's own address.
    pub supabase_auth: Option<Url>,
    pub google_api: Url,
    pub google_auth: Url,
    pub google_token: Url,
    pub google_revoke: Url,
    pub graph: Url,
    pub microsoft_login: Url,
    pub caldav_allow_http: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Oauth {
    pub google_client_id: Option<String>,
    pub google_client_secret: Option<SecretString>,
    pub microsoft_client_id: Option<String>,
    /// Whose accounts may sign in: `common` where nothing is set, `consumers`, `organizations`, or an organisation.
    pub microsoft_tenant: Option<String>,
}

/// Where secrets are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VaultKind {
    #[default]
    Keychain,
    PassphraseFile,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncSettings {
    /// How far ahead busy time is published.
    pub horizon_days: u16,
    pub frequency_minutes: u32,
    pub booking_poll_seconds: u32,
    /// Whether calendars are read less often while nothing changes, and more often while she looks.
    pub adaptive: bool,
    /// How many calls a day this profile makes of Google before it reads her calendars hourly.
    pub google_calls_a_day: u32,
    /// How many events a run removes by itself; above it and `deletions_percent` they are held for her.
    pub deletions_at_most: u16,
    pub deletions_percent: u8,
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self {
            horizon_days: 30,
            frequency_minutes: 5,
            booking_poll_seconds: 60,
            adaptive: true,
            google_calls_a_day: 1000,
            deletions_at_most: 5,
            deletions_percent: 10,
        }
    }
}

/// How files come in by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportSettings {
    /// Whether folders are watched at all.
    pub watch: bool,
    /// More folders, besides the profile's own `inbox/`.
    pub folders: Vec<PathBuf>,
    /// Nothing leaves conflicts to her.
    pub on_conflict: Option<OnConflict>,
}

impl Default for ImportSettings {
    fn default() -> Self {
        Self { watch: true, folders: Vec::new(), on_conflict: None }
    }
}

impl SyncSettings {
    #[must_use]
    pub fn policy(self) -> Policy {
        Policy {
            horizon_days: self.horizon_days,
            deletions: Deletions { at_most: self.deletions_at_most, percent: self.deletions_percent },
            ..Policy::default()
        }
    }
}

impl Default for Endpoints {
    fn default() -> Self {
        let known = |text: &str| Url::parse(text).expect("the built-in addresses are valid");
        Self {
            bookiji: known("https://www.bookiji.com"),
            supabase: None,
            supabase_key: None,
            supabase_auth: None,
            google_api: known("https://www.googleapis.com"),
            google_auth: known("https://accounts.google.com/o/oauth2/v2/auth"),
            google_token: known("https://oauth2.googleapis.com/token"),
            google_revoke: known("https://oauth2.googleapis.com/revoke"),
            graph: known("https://graph.microsoft.com"),
            microsoft_login: known("https://login.microsoftonline.com"),
            caldav_allow_http: false,
        }
    }
}

/// Reads a settings file; one that is not there means the defaults. What `parse` says reads on after the file's name.
///
/// # Errors
/// When the file cannot be read or makes no sense.
pub(crate) fn load<T: Default>(
    path: &Path,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, Problem> {
    let refuse =
        |reason: String| Problem::new(Code::SettingsInvalid, format!("{} {reason}.", path.display()));
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(T::default()),
        Err(error) => return Err(refuse(format!("cannot be read: {error}"))),
        Ok(found) if found.len() > MAX_BYTES => return Err(refuse("is far too large".to_owned())),
        Ok(_) => {}
    }
    let text = std::fs::read_to_string(path).map_err(|error| refuse(format!("cannot be read: {error}")))?;
    parse(&text).map_err(refuse)
}

impl Settings {
    /// Reads the file; a file that is not there means the defaults.
    pub fn load(path: &Path) -> Result<Self, Problem> {
        load(path, Self::parse)
    }

    /// The error reads on after the file's name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| {
            let line =
                error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            format!("cannot be used: line {line}: {}", error.message().trim())
        })?;
        let defaults = SyncSettings::default();
        Ok(Self {
            language: file.language,
            theme: file.theme,
            notifications: file.notifications.read()?,
            updates: UpdateSettings { check: file.updates.check.unwrap_or(UpdateSettings::default().check) },
            endpoints: file.endpoints.read()?,
            oauth: Oauth {
                google_client_id: not_blank(file.oauth.google_client_id),
                google_client_secret: not_blank(file.oauth.google_client_secret).map(SecretString::from),
                microsoft_client_id: not_blank(file.oauth.microsoft_client_id),
                microsoft_tenant: tenant(file.oauth.microsoft_tenant)?,
            },
            vault: file.vault.kind,
            network: file.network.read()?,
            sync: SyncSettings {
                horizon_days: within(
                    "sync.horizon_days",
                    file.sync.horizon_days,
                    1,
                    366,
                    defaults.horizon_days,
                )?,
                frequency_minutes: within(
                    "sync.frequency_minutes",
                    file.sync.frequency_minutes,
                    1,
                    1440,
                    defaults.frequency_minutes,
                )?,
                booking_poll_seconds: within(
                    "sync.booking_poll_seconds",
                    file.sync.booking_poll_seconds,
                    10,
                    3600,
                    defaults.booking_poll_seconds,
                )?,
                adaptive: file.sync.adaptive.unwrap_or(defaults.adaptive),
                google_calls_a_day: within(
                    "sync.google_calls_a_day",
                    file.sync.google_calls_a_day,
                    100,
                    1_000_000,
                    defaults.google_calls_a_day,
                )?,
                deletions_at_most: within(
                    "sync.deletions_at_most",
                    file.sync.deletions_at_most,
                    0,
                    10_000,
                    defaults.deletions_at_most,
                )?,
                deletions_percent: within(
                    "sync.deletions_percent",
                    file.sync.deletions_percent,
                    0,
                    100,
                    defaults.deletions_percent,
                )?,
            },
            import: ImportSettings {
                watch: file.import.watch.unwrap_or(ImportSettings::default().watch),
                folders: folders(&file.import.folders)?,
                on_conflict: file.import.on_conflict,
            },
        })
    }
}

/// The file as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    language: Option<Language>,
    theme: Theme,
    notifications: NotificationsTable,
    updates: UpdatesTable,
    endpoints: EndpointsTable,
    oauth: OauthTable,
    vault: VaultTable,
    network: NetworkTable,
    sync: SyncTable,
    import: ImportTable,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct UpdatesTable {
    check: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NotificationsTable {
    on: Option<bool>,
    quiet_from: Option<String>,
    quiet_until: Option<String>,
}

impl NotificationsTable {
    fn read(self) -> Result<NotificationSettings, String> {
        let (quiet_from, quiet_until) = match (self.quiet_from, self.quiet_until) {
            (None, None) => (None, None),
            (Some(from), Some(until)) => (
                Some(clock_time("notifications.quiet_from", &from)?),
                Some(clock_time("notifications.quiet_until", &until)?),
            ),
            (Some(_), None) | (None, Some(_)) => {
                return Err("cannot be used: notifications.quiet_from and quiet_until go together".to_owned());
            }
        };
        let on = self.on.unwrap_or(NotificationSettings::default().on);
        Ok(NotificationSettings { on, quiet_from, quiet_until })
    }
}

/// Reads 22:30.
///
/// # Errors
/// In words that read on after the file's name, when it is no time of day to the minute.
pub(crate) fn clock_time(name: &str, text: &str) -> Result<Time, String> {
    let read = || -> Option<Time> {
        let (hour, minute) = text.split_once(':')?;
        let number = |text: &str| {
            (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| text.parse::<i8>().ok())
                .flatten()
        };
        Time::new(number(hour)?, number(minute)?, 0, 0).ok()
    };
    read().ok_or_else(|| format!("cannot be used: {name} is no time such as \"22:30\""))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct EndpointsTable {
    bookiji: Option<String>,
    supabase: Option<String>,
    supabase_key: Option<String>,
    supabase_auth: Option<String>,
    google_api: Option<String>,
    google_auth: Option<String>,
    google_token: Option<String>,
    google_revoke: Option<String>,
    graph: Option<String>,
    microsoft_login: Option<String>,
    caldav_allow_http: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OauthTable {
    google_client_id: Option<String>,
    google_client_secret: Option<String>,
    microsoft_client_id: Option<String>,
    microsoft_tenant: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct VaultTable {
    kind: VaultKind,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NetworkTable {
    ca_file: Option<String>,
    proxy: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SyncTable {
    horizon_days: Option<i64>,
    deletions_at_most: Option<i64>,
    deletions_percent: Option<i64>,
    frequency_minutes: Option<i64>,
    booking_poll_seconds: Option<i64>,
    adaptive: Option<bool>,
    google_calls_a_day: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ImportTable {
    watch: Option<bool>,
    folders: Vec<String>,
    on_conflict: Option<OnConflict>,
}

impl EndpointsTable {
    fn read(self) -> Result<Endpoints, String> {
        let defaults = Endpoints::default();
        let or = |name, given: Option<String>, default: Url| match given {
            Some(text) => endpoint(name, &text),
            None => Ok(default),
        };
        Ok(Endpoints {
            bookiji: or("bookiji", self.bookiji, defaults.bookiji)?,
            supabase: self.supabase.map(|text| endpoint("supabase", &text)).transpose()?,
            supabase_key: not_blank(self.supabase_key),
            supabase_auth: self.supabase_auth.map(|text| endpoint("supabase_auth", &text)).transpose()?,
            google_api: or("google_api", self.google_api, defaults.google_api)?,
            google_auth: or("google_auth", self.google_auth, defaults.google_auth)?,
            google_token: or("google_token", self.google_token, defaults.google_token)?,
            google_revoke: or("google_revoke", self.google_revoke, defaults.google_revoke)?,
            graph: or("graph", self.graph, defaults.graph)?,
            microsoft_login: or("microsoft_login", self.microsoft_login, defaults.microsoft_login)?,
            caldav_allow_http: self.caldav_allow_http,
        })
    }
}

/// A word, a domain or an id: one part of an address.
fn tenant(given: Option<String>) -> Result<Option<String>, String> {
    let given = not_blank(given);
    let fits = |text: &str| {
        text.len() <= 253
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
    };
    match given {
        Some(text) if !fits(&text) || text.chars().all(|c| c == '.') => {
            Err("cannot be used: oauth.microsoft_tenant is no name or id of an organisation".to_owned())
        }
        given => Ok(given),
    }
}

impl NetworkTable {
    fn read(self) -> Result<NetworkSettings, String> {
        let ca_file = not_blank(self.ca_file).map(PathBuf::from);
        if ca_file.as_ref().is_some_and(|path| !path.is_absolute()) {
            return Err("cannot be used: network.ca_file must be the whole path of a file".to_owned());
        }
        let proxy = not_blank(self.proxy).map(|text| proxy(&text)).transpose()?;
        Ok(NetworkSettings { ca_file, proxy })
    }
}

/// A password in it would stand here for all to read.
fn proxy(text: &str) -> Result<Url, String> {
    let refuse = |reason: &str| Err(format!("cannot be used: network.proxy {reason}"));
    match Url::parse(text) {
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            refuse("must not hold a user name or password")
        }
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => Ok(url),
        Ok(_) | Err(_) => refuse("must be the address of a proxy, such as http://proxy.example:3128"),
    }
}

/// Sign-ins travel there, so it must be https; plain http only where nobody else can listen.
fn endpoint(name: &str, text: &str) -> Result<Url, String> {
    let refuse = |reason: &str| format!("cannot be used: endpoints.{name} {reason}");
    let url = Url::parse(text.trim()).map_err(|error| refuse(&format!("is not an address ({error})")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("must not hold a user name or password"));
    }
    let loopback = match url.host() {
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        "http" => Err(refuse("must start with https:// (plain http is only for this computer)")),
        _ => Err(refuse("must start with https://")),
    }
}

/// A folder means the same from wherever the app is started, and files are moved only inside those she named.
fn folders(given: &[String]) -> Result<Vec<PathBuf>, String> {
    if given.len() > MAX_FOLDERS {
        return Err(format!("cannot be used: import.folders names more than {MAX_FOLDERS} folders"));
    }
    let mut folders: Vec<PathBuf> = Vec::new();
    for text in given {
        let refuse = |reason: &str| Err(format!("cannot be used: import.folders: \"{text}\" {reason}"));
        let path = match (text.strip_prefix("~/"), etcetera::home_dir()) {
            (Some(rest), Ok(home)) => home.join(rest),
            (Some(_), Err(_)) | (None, _) => PathBuf::from(text),
        };
        if !path.is_absolute() {
            return refuse("must be the whole path of a folder");
        }
        if path.components().any(|part| part == std::path::Component::ParentDir) {
            return refuse("must not hold \"..\"");
        }
        if path.parent().is_none() {
            return refuse("is no folder for calendar files");
        }
        if let Some(other) = folders.iter().find(|other| path.starts_with(other) || other.starts_with(&path))
        {
            return refuse(&format!("lies inside, or around, \"{}\"", other.display()));
        }
        folders.push(path);
    }
    Ok(folders)
}

pub(crate) fn within<T: TryFrom<i64>>(
    name: &str,
    given: Option<i64>,
    min: i64,
    max: i64,
    default: T,
) -> Result<T, String> {
    match given {
        None => Ok(default),
        Some(number) if (min..=max).contains(&number) => {
            T::try_from(number).map_err(|_| format!("cannot be used: {name} is out of range"))
        }
        Some(number) => Err(format!("cannot be used: {name} is {number}; it can be {min} to {max}")),
    }
}

fn not_blank(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, because: &str) {
        let error = Settings::parse(text).expect_err("refused");
        assert!(error.contains(because), "{error}");
    }

    #[test]
    fn an_empty_file_means_the_real_services_and_the_usual_rhythm() {
        let settings = Settings::parse("").unwrap();
        assert_eq!(settings.endpoints.bookiji.as_str(), "https://www.bookiji.com/");
        assert_eq!(settings.endpoints.google_token.as_str(), "https://oauth2.googleapis.com/token");
        assert_eq!(settings.vault, VaultKind::Keychain);
        assert_eq!(
            settings.sync,
            SyncSettings {
                horizon_days: 30,
                frequency_minutes: 5,
                booking_poll_seconds: 60,
                adaptive: true,
                google_calls_a_day: 1000,
                deletions_at_most: 5,
                deletions_percent: 10,
            }
        );
        assert!(settings.oauth.google_client_id.is_none());
        assert_eq!(settings.import, ImportSettings { watch: true, folders: Vec::new(), on_conflict: None });
    }

    #[test]
    fn quiet_hours_may_last_over_midnight_and_are_whole() {
        let of = |text: &str| Settings::parse(text).unwrap().notifications;
        let hours = of("[notifications]\nquiet_from = \"21:30\"\nquiet_until = \"08:00\"");
        let told = |hour, minute| hours.may_tell_at(Time::constant(hour, minute, 0, 0));
        assert!(!told(21, 30) && !told(23, 59) && !told(0, 0) && !told(7, 59));
        assert!(told(8, 0) && told(21, 29));
        let noon = of("[notifications]\nquiet_from = \"12:00\"\nquiet_until = \"13:00\"");
        assert!(
            !noon.may_tell_at(Time::constant(12, 0, 0, 0)) && noon.may_tell_at(Time::constant(13, 0, 0, 0))
        );
        assert!(of("").may_tell_at(Time::midnight()));
        assert!(!of("[notifications]\non = false").may_tell_at(Time::constant(12, 0, 0, 0)));

        refused("[notifications]\nquiet_from = \"21:30\"", "go together");
        refused("[notifications]\nquiet_from = \"9:30\"\nquiet_until = \"08:00\"", "no time such as");
        refused("[notifications]\nquiet_from = \"24:00\"\nquiet_until = \"08:00\"", "quiet_from is no time");
        refused("theme = \"pink\"", "unknown variant `pink`");
    }

    #[test]
    fn a_watched_folder_is_named_in_full_and_lies_in_no_other() {
        refused("[import]\nfolders = [\"calendars\"]", "\"calendars\" must be the whole path");
        refused("[import]\nfolders = [\"~/../etc\"]", "must not hold \"..\"");
        #[cfg(unix)]
        refused("[import]\nfolders = [\"/\"]", "is no folder for calendar files");
        refused("[import]\nfolders = [\"~/a\", \"~/a/b\"]", "\"~/a/b\" lies inside, or around, \"");
        refused("[import]\non_conflict = \"ask\"", "unknown variant `ask`");
        refused("[import]\nfolder = \"/srv\"", "unknown field `folder`");
    }

    #[test]
    fn every_promised_key_is_taken() {
        let settings = Settings::parse(
            r#"
            language = "fr"
            [endpoints]
            bookiji = "http://127.0.0.1:4000/bookiji"
            supabase = "http://localhost:4000/supabase"
            supabase_key = "sb_publishable_x"
            supabase_auth = "http://127.0.0.1:4000/supabase/auth/v1/authorize?sandbox_auto_consent=1"
            google_api = "http://[::1]:4000/google"
            google_auth = "http://127.0.0.1:4000/google/auth?sandbox_auto_consent=1"
            google_token = "http://127.0.0.1:4000/google/token"
            google_revoke = "http://127.0.0.1:4000/google/revoke"
            graph = "https://graph.microsoft.us"
            microsoft_login = "https://login.microsoftonline.us"
            caldav_allow_http = true
            [oauth]
            google_client_id = "id"
            google_client_secret = "hush"
            microsoft_client_id = "id"
            [vault]
            kind = "passphrase-file"
            [network]
            ca_file = "/etc/ssl/salon.pem"
            proxy = "http://proxy.example:3128"
            [sync]
            horizon_days = 366
            deletions_at_most = 0
            deletions_percent = 100
            frequency_minutes = 15
            booking_poll_seconds = 30
            adaptive = false
            google_calls_a_day = 5000
            [import]
            watch = false
            folders = ["~/calendars", "~/Downloads/calendars"]
            on_conflict = "merge"
            "#,
        )
        .unwrap();
        assert_eq!(settings.language, Some(Language::French));
        assert_eq!(settings.vault, VaultKind::PassphraseFile);
        assert_eq!(settings.sync.horizon_days, 366);
        assert_eq!(settings.network.ca_file, Some(PathBuf::from("/etc/ssl/salon.pem")));
        assert_eq!(settings.network.proxy.as_ref().unwrap().as_str(), "http://proxy.example:3128/");
        assert_eq!((settings.import.watch, settings.import.on_conflict), (false, Some(OnConflict::Merge)));
        let home = etcetera::home_dir().unwrap();
        let folders = [home.join("calendars"), home.join("Downloads/calendars")];
        assert_eq!(settings.import.folders, folders);
        assert!(!format!("{settings:?}").contains("hush"));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        refused("[sync]\nhorizn_days = 3\n", "line 2: unknown field `horizn_days`");
        refused("[synch]\n", "unknown field `synch`");
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_reason() {
        refused("[sync]\nhorizon_days = 400", "sync.horizon_days is 400; it can be 1 to 366");
        refused("[sync]\nbooking_poll_seconds = 1", "it can be 10 to 3600");
        refused("[vault]\nkind = \"paper\"", "unknown variant `paper`");
        refused("[network]\nca_file = \"salon.pem\"", "network.ca_file must be the whole path");
        refused("[network]\nproxy = \"http://me:pw@proxy\"", "network.proxy must not hold a user name");
        refused("[network]\nproxy = \"proxy:3128\"", "network.proxy must be the address of a proxy");
        refused("[endpoints\n", "line 1");
        refused("[endpoints]\nbookiji = \"bookiji\"", "endpoints.bookiji is not an address");
    }

    #[test]
    fn plain_http_is_only_for_this_computer() {
        refused("[endpoints]\ngoogle_api = \"http://example.com\"", "must start with https://");
        refused("[endpoints]\ngoogle_api = \"http://127.0.0.1.example.com\"", "must start with https://");
        refused("[endpoints]\ngoogle_api = \"ftp://127.0.0.1\"", "must start with https://");
        refused("[oauth]\nmicrosoft_tenant = \"a/../b\"", "no name or id of an organisation");
        refused("[oauth]\nmicrosoft_tenant = \"..\"", "no name or id of an organisation");
        refused("[endpoints]\ngoogle_api = \"https://me:pw@example.com\"", "must not hold a user name");
    }

    #[test]
    fn a_missing_file_is_the_defaults_and_a_broken_one_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("settings.toml");
        assert!(Settings::load(&path).is_ok());
        std::fs::write(&path, "nonsense").unwrap();
        let problem = Settings::load(&path).unwrap_err();
        assert_eq!(problem.code, Code::SettingsInvalid);
        assert!(problem.message.contains("settings.toml cannot be used"), "{}", problem.message);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "nonsense");
    }
}
