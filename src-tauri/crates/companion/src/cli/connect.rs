//! `companion connect`: link an account through the browser or by its password, or a calendar by its link.

use std::io::{BufRead, Read};

use serde_json::json;
use sync::busy_set::vendor_zone;
use sync::error::Code;
use sync::ids::ConnectionId;
use sync::ports::Clock;

use super::args::{ConnectService, Preset};
use super::browser;
use super::login::password;
use super::output::{Outcome, Voice};
use crate::errand::{self, Errand, Link};
use crate::grants::{self, Lack};
use crate::problem::Problem;
use crate::profile::Profile;
use crate::status;
use crate::view::{self, Activity};
use crate::wiring::Wiring;
use crate::{caldav, feeds, sign_in};

pub async fn run(profile: &Profile, service: &ConnectService, voice: Voice) -> Result<Outcome, Problem> {
    match service {
        ConnectService::Google { no_browser, own_calendar } => {
            google(profile, *no_browser, *own_calendar).await
        }
        ConnectService::Outlook { no_browser } => outlook(profile, *no_browser).await,
        ConnectService::Caldav { url, username, preset, no_browser } => {
            let named = url.as_deref().unwrap_or(match preset {
                Some(Preset::Icloud) => "icloud",
                Some(Preset::Fastmail) => "fastmail",
                Some(Preset::Nextcloud) => "",
                None => username.as_deref().filter(|name| name.contains('@')).unwrap_or_default(),
            });
            match (username, preset) {
                (Some(username), _) => by_password(profile, named, username).await,
                (None, Some(Preset::Nextcloud)) => nextcloud(profile, named, *no_browser).await,
                (None, Some(Preset::Icloud | Preset::Fastmail) | None) => Err(no_username()),
            }
        }
        ConnectService::IcsFeed { url, name } => feed(profile, url, name.as_deref(), voice).await,
    }
}

async fn feed(profile: &Profile, link: &str, name: Option<&str>, voice: Voice) -> Result<Outcome, Problem> {
    let link = Link(if link == "-" { typed_link()? } else { link.to_owned() });
    errand::run(profile, voice, &Errand::ConnectFeed { link, name: name.map(str::to_owned) }).await
}

/// Links the calendar behind a link.
pub async fn link_feed(wiring: &Wiring, link: &str, name: Option<&str>) -> Result<Outcome, Problem> {
    let (id, found) = feeds::connect(wiring, link, name).await?;
    let world = wiring.world()?;
    let zone = vendor_zone(world.vendor.as_ref());
    let mut outcome = connected(wiring, &id)?;
    outcome.document["feed"] = found.document();
    let next: Vec<String> = found.next_busy.iter().map(|span| feeds::told(*span, &zone)).collect();
    let next = if next.is_empty() {
        "It blocks no time in the days ahead.".to_owned()
    } else {
        format!("It blocks {}.", next.join("; "))
    };
    outcome.text = format!(
        "Found \"{}\" with {} {}. {next}\n{}",
        found.name,
        found.events,
        if found.events == 1 { "event" } else { "events" },
        outcome.text
    );
    Ok(outcome)
}

/// What stands in a command line is seen by everybody on this computer; what comes on stdin is not.
fn typed_link() -> Result<String, Problem> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .take(MAX_LINK)
        .read_line(&mut line)
        .map_err(|_| Problem::new(Code::InvalidInput, "No link came on stdin."))?;
    Ok(line)
}

const MAX_LINK: u64 = 64 * 1024;

fn no_username() -> Problem {
    Problem::new(Code::InvalidInput, "The user name of the account is missing.").then(
        "Give it with --username; Nextcloud can also sign in with the browser, with --preset nextcloud.",
    )
}

async fn by_password(profile: &Profile, named: &str, username: &str) -> Result<Outcome, Problem> {
    let wiring = Wiring::open(profile).await?;
    let entry = caldav::entry(&wiring.settings, named)?;
    let password = password("Password, best one made for this app alone: ").await?;
    let id = caldav::connect(&wiring, entry, username, password).await?;
    connected(&wiring, &id)
}

async fn nextcloud(profile: &Profile, named: &str, no_browser: bool) -> Result<Outcome, Problem> {
    let wiring = Wiring::open(profile).await?;
    let pending = caldav::begin_nextcloud(&wiring, &caldav::entry(&wiring.settings, named)?).await?;
    browser::show(pending.url(), no_browser);
    let id = caldav::finish_nextcloud(&wiring, pending).await?;
    connected(&wiring, &id)
}

async fn google(profile: &Profile, no_browser: bool, own_calendar: bool) -> Result<Outcome, Problem> {
    let wiring = Wiring::open(profile).await?;
    let (vendor, pending) = sign_in::begin_google(&wiring, own_calendar).await?;
    browser::send_to(pending.url(), no_browser, pending.pasted_link());
    let (id, lacks) = sign_in::link_google(&wiring, &vendor, pending).await?;
    let mut outcome = connected(&wiring, &id)?;
    if !lacks.is_empty() {
        let told = |lack: &Lack| json!({ "feature": lack.key(), "message": lack.words() });
        outcome.document["missing"] = lacks.iter().map(told).collect();
        let words: Vec<&str> = lacks.iter().map(|lack| lack.words()).collect();
        outcome.text = format!("{}\n{}\n{}", outcome.text, words.join("\n"), grants::NEXT_STEP);
    }
    Ok(outcome)
}

async fn outlook(profile: &Profile, no_browser: bool) -> Result<Outcome, Problem> {
    let wiring = Wiring::open(profile).await?;
    let (vendor, pending) = sign_in::begin_outlook(&wiring).await?;
    browser::send_to(pending.url(), no_browser, pending.pasted_link());
    let id = sign_in::finish_outlook(&wiring, &vendor, pending).await?;
    connected(&wiring, &id)
}

fn connected(wiring: &Wiring, id: &ConnectionId) -> Result<Outcome, Problem> {
    let overview = view::overview(&wiring.world()?, &[], wiring.clock.now(), &Activity::default());
    let connection = overview.connections.iter().find(|connection| connection.id == id.as_str());
    let text = connection.map(|connection| status::connection_text(connection, overview.now));
    Ok(Outcome::done(
        json!({ "connection": connection.map(status::connection) }),
        format!(
            "Connected.\n{}\nChange what each is for with `companion calendars`; then `companion sync`.",
            text.unwrap_or_default()
        ),
    ))
}
