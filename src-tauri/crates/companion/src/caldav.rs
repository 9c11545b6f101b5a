//! Links a CalDAV account: finds its calendars with what she gave, and only then puts address, name and password into the
//! vault, as one secret, and rows into the mirror.

use connectors::caldav::nextcloud::{self, Pending};
use connectors::caldav::{self, AddressError, Entry, FindError, SignIn, SystemNames};
use connectors::http::Http;
use secrecy::SecretString;
use sync::error::{Code, ServiceError};
use sync::ids::{ConnectionId, Service};
use sync::ports::{Account, Clock, Mirror};
use sync::world::{Connection, ConnectionState};

use crate::problem::{Problem, sentence};
use crate::settings::Settings;
use crate::unusable::Unusable;
use crate::wiring::Wiring;
use crate::{roles, sign_in};

/// The server that she named.
pub fn entry(settings: &Settings, named: &str) -> Result<Entry, Problem> {
    Entry::parse(named, settings.endpoints.caldav_allow_http).map_err(unusable)
}

/// Links the account, or takes a new password for one that is linked already.
pub async fn connect(
    wiring: &Wiring,
    entry: Entry,
    username: &str,
    password: SecretString,
) -> Result<ConnectionId, Problem> {
    let username = username.trim().to_owned();
    if username.is_empty() || username.contains(':') || username.chars().any(char::is_control) {
        return Err(Problem::new(Code::InvalidInput, "This is no user name.").because(Unusable::NoUserName));
    }
    link(wiring, SignIn { entry, username, password }).await
}

/// A sign-in at Nextcloud that waits for the browser.
pub async fn begin_nextcloud(wiring: &Wiring, entry: &Entry) -> Result<Pending, Problem> {
    wiring.world()?.vendor.ok_or_else(sign_in::nobody)?;
    sign_in_at(&wiring.http, entry).await
}

/// As [`begin_nextcloud`], where no profile is open.
pub(crate) async fn sign_in_at(http: &Http, entry: &Entry) -> Result<Pending, Problem> {
    nextcloud::begin(http, entry).await.map_err(|error| {
        if !matches!(error, ServiceError::Rejected { .. }) {
            return error.into();
        }
        Problem::new(Code::InvalidInput, format!("No Nextcloud lets you sign in at {}.", entry.host()))
            .then("Give the address of the page where you sign in to it in your browser.")
    })
}

/// Links the account once she has signed in there.
pub async fn finish_nextcloud(wiring: &Wiring, pending: Pending) -> Result<ConnectionId, Problem> {
    let sign_in = pending.wait().await?;
    link(wiring, sign_in).await
}

/// Links the account that this opens.
pub(crate) async fn link(wiring: &Wiring, sign_in: SignIn) -> Result<ConnectionId, Problem> {
    let world = wiring.world()?;
    let vendor = world.vendor.clone().ok_or_else(sign_in::nobody)?;
    let secret = caldav::find(&wiring.http, &SystemNames, &sign_in)
        .await
        .map_err(|error| refused(error, &sign_in.entry))?;
    // The same name may have accounts in several places.
    let account = format!("{} ({})", sign_in.username, sign_in.entry.host());
    let id = ConnectionId::of(Service::Caldav, &account);
    let world = sign_in::staying(world, &id);
    let known = world.connections.get(&id);
    wiring.keep_secret(&id, &secret).await?;
    let listed = match wiring.caldav(&id, &vendor).calendars().await {
        Ok(listed) => listed,
        Err(error) => {
            if known.is_none() {
                wiring.forget_secret(&id).await?;
            }
            return Err(error.into());
        }
    };
    let now = wiring.clock.now();
    wiring.mirror.put_connection(&Connection {
        id: id.clone(),
        service: Service::Caldav,
        account,
        state: ConnectionState::Connected,
        created_at: known.map_or(now, |known| known.created_at),
        error: None,
        backoff_until: None,
        error_count: 0,
    })?;
    for calendar in roles::link(&world, &id, &listed, wiring.settings.sync.frequency_minutes, now) {
        wiring.mirror.put_calendar(&sign_in::healed(calendar))?;
    }
    tracing::info!(connection = %id, calendars = listed.len(), "connected");
    Ok(id)
}

fn unusable(error: AddressError) -> Problem {
    let step = match error {
        AddressError::PlainHttp(_) => {
            "Use the address that begins with https://. If you trust everything on the way, set caldav_allow_http = true \
             under [endpoints] in settings.toml."
        }
        AddressError::NotAnAddress | AddressError::SignInInside | AddressError::Elsewhere(_) => {
            "Give the address of the calendar server, such as https://cloud.example.org, or icloud or fastmail."
        }
    };
    let why = match error {
        AddressError::PlainHttp(_) => Unusable::PlainHttp,
        AddressError::SignInInside => Unusable::SignInInAddress,
        AddressError::NotAnAddress => Unusable::NoServer,
        AddressError::Elsewhere(_) => Unusable::OtherServer,
    };
    Problem::new(Code::InvalidInput, sentence(&error.to_string())).then(step).because(why)
}

/// Why an account is not linked, and what she can do about it.
fn refused(error: FindError, entry: &Entry) -> Problem {
    let told = error.to_string();
    let error = match error {
        FindError::Service(error) => return error.into(),
        FindError::Elsewhere { host, .. } => {
            let step = format!("If that is right, give it as the address: --url https://{host}");
            return Problem::new(Code::InvalidInput, sentence(&told))
                .then(step)
                .because(Unusable::OtherServer);
        }
        FindError::WrongPassword => error,
    };
    let host = entry.host();
    let step = if host.ends_with("icloud.com") {
        "iCloud takes an app-specific password alone: make one at account.apple.com, under Sign-In and Security. All of \
         them end when the Apple ID's own password changes."
    } else if host.ends_with("fastmail.com") {
        "Fastmail takes an app password alone: make one under Settings, Privacy & Security, with access to calendars."
    } else {
        "Check both. Where signing in takes a second step, make a password for this app in the account's settings; a \
         Nextcloud can also sign in with the browser: --preset nextcloud."
    };
    Problem::new(Code::InvalidCredentials, sentence(&error.to_string())).then(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_an_address_has_a_name() {
        let why = |address: &str| Entry::parse(address, false).map_err(unusable).unwrap_err().why;
        assert_eq!(why("http://example.com"), Some(Unusable::PlainHttp));
        assert_eq!(why("https://me:secret@example.com"), Some(Unusable::SignInInAddress));
        assert_eq!(why(""), Some(Unusable::NoServer));
    }
}
