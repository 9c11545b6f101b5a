//! Checks, layer by layer, everything that a sync needs, and says of each what is wrong and what to do. Changes nothing.

use std::sync::Arc;
use std::time::Duration;

use connectors::bookiji;
use connectors::http::{Base, Http, Method, Peer, Request};
use connectors::ics;
use connectors::vault::{SecretName, Vault};
use jiff::{SignedDuration, Timestamp};
use mirror::Sqlite;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sync::error::{Code, ServiceError};
use sync::ids::{ConnectionId, Service};
use sync::ports::{Account as _, Clock, Mirror};
use sync::world::World;
use url::Url;

use crate::allowance::{RUNS_OF_A_DAY, spent};
use crate::clock::SystemClock;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::secrets::Passphrase;
use crate::settings::{NetworkSettings, Settings, VaultKind};
use crate::words::Language;
use crate::{secrets, wiring};

/// Google refuses sign-ins from a clock that is further off than a few minutes. Told before the engine puts it right.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(60);
/// A check that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub ok: bool,
    pub detail: String,
    pub next_step: Option<String>,
    /// What kind of trouble it is, where it is one.
    pub code: Option<Code>,
}

impl Check {
    fn of(name: &'static str, result: Result<String, Problem>) -> Self {
        match result {
            Ok(detail) => Self { name, ok: true, detail, next_step: None, code: None },
            Err(problem) => Self {
                name,
                ok: false,
                next_step: Some(problem.next_step(Language::English)),
                code: Some(problem.code),
                detail: problem.message,
            },
        }
    }
}

/// A check as a line of text.
#[must_use]
pub fn line(name: &str, ok: bool, detail: &str, code: Option<Code>) -> String {
    let code = code.map(|code| format!(" [{code}]")).unwrap_or_default();
    format!("{} {name:<16} {detail}{code}", if ok { "ok  " } else { "FAIL" })
}

/// Runs every check there is; one that fails keeps none of the others from running.
pub async fn examine(profile: &Profile) -> Vec<Check> {
    let mut checks = vec![Check::of("profile", folder(profile))];
    let settings = profile.settings();
    checks.push(Check::of(
        "settings",
        settings.as_ref().map(|_| settings_detail(profile)).map_err(Clone::clone),
    ));
    let locked = profile.is_locked();
    let lock = if locked { "another Companion is running with this profile" } else { "free" };
    checks.push(Check::of("lock", Ok(lock.to_owned())));
    checks.push(Check::of("database", database(profile)));
    let Ok(settings) = settings else { return checks };
    checks.push(Check::of("google_calls", allowance(profile, &settings, SystemClock.now())));
    let vault = open(profile, &settings).await;
    checks.push(Check::of("keychain", keychain(&vault, locked).await));
    checks.push(Check::of("proxy", Ok(proxy(&settings.network).to_owned())));
    match wiring::http(&settings.network) {
        Ok(http) => {
            checks.extend(network(&settings, &http).await);
            if let Some(world) = known(profile) {
                if world.connections.values().any(|connection| connection.service == Service::Outlook) {
                    checks.extend(outlook(&settings, &http).await);
                }
                if let Ok(Some(vault)) = vault {
                    checks.extend(feeds(&world, &settings.network, &vault, &http).await);
                    checks.extend(caldav(&world, &settings, &vault, &http).await);
                }
            }
        }
        Err(problem) => checks.push(Check::of("tls", Err(problem))),
    }
    checks
}

fn folder(profile: &Profile) -> Result<String, Problem> {
    let root = profile.root();
    match std::fs::metadata(root) {
        Ok(found) if found.is_dir() && !found.permissions().readonly() => Ok(root.display().to_string()),
        Ok(found) if found.is_dir() => {
            Err(Problem::new(Code::InvalidInput, format!("{} is read-only.", root.display())))
        }
        Ok(_) => Err(Problem::new(Code::InvalidInput, format!("{} is not a folder.", root.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok(format!("{} will be made with the first sign-in", root.display()))
        }
        Err(error) => Err(Problem::new(Code::InvalidInput, format!("{}: {error}.", root.display()))),
    }
}

fn settings_detail(profile: &Profile) -> String {
    if profile.settings_file().exists() { "read" } else { "none, so the defaults stand" }.to_owned()
}

fn database(profile: &Profile) -> Result<String, Problem> {
    if !profile.database().exists() {
        return Ok("none yet".to_owned());
    }
    let mirror = Sqlite::open_read_only(&profile.database())?;
    mirror.check()?;
    let world = mirror.world()?;
    let rebuilt = mirror.rebuilt()?.map(|rebuilt| {
        format!(
            "; it was built anew on {}, and the damaged file is kept as {}",
            rebuilt.at.strftime("%F"),
            rebuilt.kept_as
        )
    });
    Ok(format!(
        "whole: {} bookings, {} calendars, {} open operations{}",
        world.bookings.len(),
        world.calendars.len(),
        world.unsettled.len(),
        rebuilt.unwrap_or_default()
    ))
}

/// What the day's runs asked of Google, against what she lets them.
fn allowance(profile: &Profile, settings: &Settings, now: Timestamp) -> Result<String, Problem> {
    if !profile.database().exists() {
        return Ok("none yet".to_owned());
    }
    let runs = Sqlite::open_read_only(&profile.database())?.runs(RUNS_OF_A_DAY)?;
    let spent = spent(&runs, "google", now);
    let most = settings.sync.google_calls_a_day;
    let uncounted = match spent.uncounted {
        0 => String::new(),
        1 => ", and those of a run that did not end".to_owned(),
        n => format!(", and those of {n} runs that did not end"),
    };
    let detail = format!("{} of {most} in the last 24 hours{uncounted}", spent.calls);
    if spent.calls < u64::from(most) {
        return Ok(detail);
    }
    Err(Problem::new(Code::RateLimitExceeded, format!("{detail}: her calendars are read hourly."))
        .then("Wait, or raise google_calls_a_day under [sync] in settings.toml."))
}

async fn open(profile: &Profile, settings: &Settings) -> Result<Option<Arc<dyn Vault>>, Problem> {
    if !is_there(profile, settings.vault) {
        return Ok(None);
    }
    secrets::open(profile, settings.vault, &Passphrase::default()).await.map(Some)
}

/// Puts a secret in and takes it out again; only asks for one while somebody else may be writing.
async fn keychain(vault: &Result<Option<Arc<dyn Vault>>, Problem>, locked: bool) -> Result<String, Problem> {
    let Some(vault) = vault.as_ref().map_err(Clone::clone)? else { return Ok("none yet".to_owned()) };
    let result = tokio::time::timeout(PATIENCE, round_trip(vault.as_ref(), locked)).await;
    result.unwrap_or_else(|_| Err(Problem::new(Code::KeychainUnavailable, "The keychain does not answer.")))
}

/// A folder that is only looked at is not made for it.
fn is_there(profile: &Profile, kind: VaultKind) -> bool {
    match kind {
        VaultKind::Keychain => true,
        VaultKind::PassphraseFile => profile.root().is_dir(),
    }
}

async fn round_trip(vault: &dyn Vault, locked: bool) -> Result<String, Problem> {
    if locked {
        vault.get(&SecretName::bookiji()).await.map_err(secrets::problem)?;
        return Ok("can be read".to_owned());
    }
    let account = SecretName::connection(&ConnectionId::from("doctor"));
    let secret = SecretString::from("a test that may be deleted");
    vault.put(&account, &secret).await.map_err(secrets::problem)?;
    let back = vault.get(&account).await.map_err(secrets::problem)?;
    vault.delete(&account).await.map_err(secrets::problem)?;
    if back.is_some_and(|back| back.expose_secret() == secret.expose_secret()) {
        Ok("a secret went in and came out".to_owned())
    } else {
        Err(Problem::new(Code::KeychainUnavailable, "What was put into the keychain did not come out of it."))
    }
}

/// Only whether there is one: its address may hold a password.
fn proxy(network: &NetworkSettings) -> &'static str {
    let named = |names: &[&str]| {
        names.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
    };
    if network.proxy.is_some() {
        "named in settings.toml"
    } else if named(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]) {
        "named in the environment, for all but calendar links: for those too, name it under [network] in settings.toml"
    } else if cfg!(any(target_os = "macos", windows)) {
        "the system's own, if any; a proxy script (PAC) is not run: name its proxy under [network] in settings.toml"
    } else {
        // Desktops keep one in settings of their own, which no two of them share.
        "none in the environment; one that only the desktop's settings name, or a script (PAC), is not used: name it \
         under [network] in settings.toml"
    }
}

async fn network(settings: &Settings, http: &Http) -> Vec<Check> {
    let endpoints = &settings.endpoints;
    let mut checks = Vec::new();
    let time = wiring::base(&endpoints.bookiji).map(|base| base.at(&["api", "system", "time"]));
    let (reached, clock) = match time {
        Ok(url) => platform(http, url).await,
        Err(problem) => (Err(problem.clone()), Err(problem)),
    };
    checks.push(Check::of("bookiji_contract", contract(http, &endpoints.bookiji, reached.is_ok()).await));
    checks.push(Check::of("bookiji", reached));
    checks.push(Check::of("clock", clock));
    checks.push(Check::of(
        "bookiji_sign_in",
        match &endpoints.supabase {
            None => wiring::gotrue(settings, http).map(|_| String::new()),
            Some(url) => at(http, Peer::BookijiAuth, "/auth/v1/health", url, &["auth", "v1", "health"]).await,
        },
    ));
    checks.push(Check::of(
        "google",
        at(
            http,
            Peer::Google,
            "/calendar/v3/users/me/calendarList",
            &endpoints.google_api,
            &["calendar", "v3", "users", "me", "calendarList"],
        )
        .await,
    ));
    checks.push(Check::of(
        "google_sign_in",
        at(http, Peer::GoogleAuth, "/token", &endpoints.google_token, &[]).await,
    ));
    checks
}

/// What the profile knows. The database has a check of its own.
fn known(profile: &Profile) -> Option<World> {
    let world = Sqlite::open_read_only(&profile.database()).and_then(|mirror| mirror.world()).ok();
    world.filter(|_| profile.database().exists())
}

/// Only whoever has an account there needs Microsoft.
async fn outlook(settings: &Settings, http: &Http) -> Vec<Check> {
    let endpoints = &settings.endpoints;
    let tenant = settings.oauth.microsoft_tenant.as_deref().unwrap_or("common");
    let told = [tenant, "v2.0", ".well-known", "openid-configuration"];
    let route = "/{tenant}/v2.0/.well-known/openid-configuration";
    vec![
        Check::of("outlook", at(http, Peer::Outlook, "/v1.0/me", &endpoints.graph, &["v1.0", "me"]).await),
        Check::of(
            "outlook_sign_in",
            at(http, Peer::OutlookAuth, route, &endpoints.microsoft_login, &told).await,
        ),
    ]
}

/// Asks for every calendar link once, whatever was known of it.
async fn feeds(world: &World, network: &NetworkSettings, vault: &Arc<dyn Vault>, http: &Http) -> Vec<Check> {
    let Some(vendor) = &world.vendor else { return Vec::new() };
    let linked = world.connections.values().filter(|connection| {
        connection.service == Service::Ics && connection.id != sync::import::connection_id()
    });
    let mut checks = Vec::new();
    for connection in linked {
        let read = async {
            let fetcher = wiring::fetcher(network, http.counters().clone())?;
            let account = wiring::feed(fetcher.clone(), vault.clone(), connection, vendor);
            let look = ics::look(&fetcher, &account.address().await?, &[&vendor.email]).await?;
            let events = look.calendar.events.len();
            Ok(format!("{} gives a whole calendar ({events} events)", connection.account))
        };
        checks.push(Check::of("feed", read.await));
    }
    checks
}

/// Asks every CalDAV server for its calendars, as a sync would.
async fn caldav(world: &World, settings: &Settings, vault: &Arc<dyn Vault>, http: &Http) -> Vec<Check> {
    let Some(vendor) = &world.vendor else { return Vec::new() };
    let mut checks = Vec::new();
    for connection in world.connections.values().filter(|one| one.service == Service::Caldav) {
        let account = wiring::caldav(settings, http.clone(), vault.clone(), &connection.id, vendor);
        let unreachable = || ServiceError::Unreachable {
            service: Peer::Caldav.name().to_owned(),
            reason: format!("no answer in {} s", PATIENCE.as_secs()),
        };
        let asked = tokio::time::timeout(PATIENCE, account.calendars()).await;
        let listed = asked.unwrap_or_else(|_| Err(unreachable()));
        let told = listed.map(|listed| format!("{} has {} calendars", connection.account, listed.len()));
        checks.push(Check::of("caldav", told.map_err(Problem::from)));
    }
    checks
}

async fn at(
    http: &Http,
    peer: Peer,
    route: &'static str,
    base: &Url,
    parts: &[&str],
) -> Result<String, Problem> {
    let base: Base = wiring::base(base)?;
    reach(http, peer, route, base.at(parts)).await.map(|(detail, _)| detail)
}

/// Whatever the service says, it was reached; only its own failure counts as one.
async fn reach(
    http: &Http,
    peer: Peer,
    route: &'static str,
    url: Url,
) -> Result<(String, connectors::http::Answer), Problem> {
    let request = Request::new(peer, Method::GET, route, url.clone());
    let answered = tokio::time::timeout(PATIENCE, http.send(request)).await.unwrap_or_else(|_| {
        Err(ServiceError::Unreachable {
            service: peer.name().to_owned(),
            reason: format!("no answer in {} s", PATIENCE.as_secs()),
        })
    });
    let answer = match answered {
        Ok(answer) => answer,
        Err(error @ ServiceError::Unreachable { .. }) => return Err(because(error.into(), &url).await),
        Err(error) => return Err(error.into()),
    };
    if answer.status.is_server_error() {
        return Err(answer.refused(&connectors::http::Refusal::default()).into());
    }
    Ok((format!("reached (HTTP {})", answer.status.as_u16()), answer))
}

/// A name that nobody knows is why, most of the time. Behind a proxy it need not be known here, so nobody asks before.
async fn because(problem: Problem, url: &Url) -> Problem {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let found = tokio::time::timeout(PATIENCE, tokio::net::lookup_host((host.as_str(), port))).await;
    match found {
        Ok(Ok(_)) => problem,
        Ok(Err(_)) | Err(_) => {
            let said =
                format!("{} The name {host} could not be looked up on this computer.", problem.message);
            Problem::new(problem.code, said)
        }
    }
}

#[derive(Deserialize)]
struct ServerTime {
    server_now: i64,
}

/// Asks Bookiji for the time: whether it is there, and whether this computer's clock agrees.
async fn platform(http: &Http, url: Url) -> (Result<String, Problem>, Result<String, Problem>) {
    let before = SystemClock.now();
    let (detail, answer) = match reach(http, Peer::Bookiji, "/api/system/time", url).await {
        Ok(found) => found,
        Err(problem) => return (Err(problem), Ok("not compared: Bookiji was not reached".to_owned())),
    };
    let after = SystemClock.now();
    let clock = match answer.json::<ServerTime>() {
        Ok(told) => skew(told.server_now, before, after),
        Err(_) => Ok("not compared: Bookiji did not tell its time".to_owned()),
    };
    (Ok(detail), clock)
}

/// Which version of its contract Bookiji keeps. Today's has none to tell.
async fn contract(http: &Http, base: &Url, reached: bool) -> Result<String, Problem> {
    if !reached {
        return Ok("not asked: Bookiji was not reached".to_owned());
    }
    let base = wiring::base(base)?;
    match tokio::time::timeout(PATIENCE, bookiji::contract_version(http, &base)).await {
        Ok(Ok(Some(version))) => Ok(format!("version {version}")),
        Ok(Err(strange @ ServiceError::OtherContract { .. })) => Err(strange.into()),
        Ok(Ok(None) | Err(_)) | Err(_) => Ok("no version is told".to_owned()),
    }
}

fn skew(server_ms: i64, before: Timestamp, after: Timestamp) -> Result<String, Problem> {
    let Ok(server) = Timestamp::from_millisecond(server_ms) else {
        return Ok("not compared: Bookiji's time makes no sense".to_owned());
    };
    let off = if server < before {
        before.duration_since(server)
    } else if server > after {
        server.duration_since(after)
    } else {
        SignedDuration::ZERO
    };
    if off <= TOLERANCE {
        return Ok(format!("right within {} s", off.as_secs() + 1));
    }
    let direction = if server < before { "ahead" } else { "behind" };
    Err(Problem::new(Code::ClockWrong, format!("This computer's clock is {} s {direction}.", off.as_secs())))
}

#[cfg(test)]
mod tests {
    use connectors::http::{Counters, Network, Timeouts};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A proxy that answers everything by itself, and its address.
    async fn proxy() -> Url {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                if stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {
                    let answer =
                        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                    stream.write_all(answer.as_bytes()).await.ok();
                }
            }
        });
        url
    }

    #[tokio::test]
    async fn a_name_that_only_the_proxy_can_look_up_is_reached_through_it_and_missed_without() {
        let behind = Network::default().behind(&proxy().await).unwrap();
        let ask = async |network: &Network| {
            let http = Http::through(network, Counters::default(), Timeouts::default()).unwrap();
            // No name server knows this one (RFC 6761).
            let url = "http://calendars.invalid/".parse().unwrap();
            reach(&http, Peer::Google, "/", url).await.map(|(detail, _)| detail)
        };
        assert_eq!(ask(&behind).await, Ok("reached (HTTP 401)".to_owned()));
        let missed = ask(&Network::default()).await.unwrap_err();
        assert_eq!(missed.code, Code::NetworkError);
        assert!(missed.message.contains("The name calendars.invalid could not be looked up"), "{missed}");
    }

    #[test]
    fn a_clock_that_is_off_by_more_than_a_minute_is_told_which_way() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(skew(100_500, at(100), at(101)).is_ok());
        assert!(skew(160_000, at(99), at(100)).is_ok());
        let behind = skew(400_000, at(99), at(100)).unwrap_err();
        assert!(behind.message.contains("300 s behind"), "{behind}");
        assert!(skew(0, at(300), at(301)).unwrap_err().message.contains("300 s ahead"));
    }
}
