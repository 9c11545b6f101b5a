//! Signing in and linking accounts: the order in which servers, vault and mirror are told, so that stopping in between
//! leaves nothing half-connected.

use std::collections::BTreeSet;

use connectors::gotrue::{Browsing, Session, SignInError};
use connectors::oauth::{ConnectError, Granted, Pending};
use connectors::outlook;
use connectors::tokens::{Grant, Tokens};
use secrecy::SecretString;
use sync::error::Code;
use sync::ids::{ConnectionId, Service};
use sync::ports::{Account, Clock, Mirror};
use sync::world::{Connection, ConnectionState, LinkedCalendar, Role, Vendor, World};

use crate::grants::{self, Lack};
use crate::problem::Problem;
use crate::roles;
use crate::servers::Servers;
use crate::unusable::Unusable;
use crate::wiring::{self, Wiring};

/// Signs in to Bookiji with e-mail and password.
pub async fn login(wiring: &Wiring, email: &str, password: &SecretString) -> Result<Vendor, Problem> {
    let session = wiring.gotrue()?.sign_in(email.trim(), password).await.map_err(|error| match error {
        SignInError::WrongPassword => Problem::new(
            Code::InvalidCredentials,
            "Bookiji does not accept this e-mail address with this password.",
        ),
        SignInError::Service(error) => error.into(),
    })?;
    welcome(wiring, session).await
}

/// A sign-in to Bookiji that waits for the browser.
pub async fn begin_login(wiring: &Wiring, provider: &str) -> Result<Browsing, Problem> {
    browse(&wiring.servers(), provider).await
}

/// As [`begin_login`], where no profile is open.
pub(crate) async fn browse(servers: &Servers, provider: &str) -> Result<Browsing, Problem> {
    let page = servers.settings.endpoints.supabase_auth.as_ref().map(wiring::base).transpose()?;
    servers.gotrue()?.browse(page.as_ref(), provider).await.map_err(refused)
}

/// Signs in to Bookiji once she has answered in the browser.
pub async fn finish_login(wiring: &Wiring, browsing: Browsing) -> Result<Vendor, Problem> {
    welcome(wiring, browsing.wait().await.map_err(refused)?).await
}

/// A session goes into the vault only if it is of the vendor whose profile this is.
pub(crate) async fn welcome(wiring: &Wiring, session: Session) -> Result<Vendor, Problem> {
    let vendor = wiring.gotrue()?.vendor(&session).await?;
    if let Some(owner) = wiring.world()?.vendor.filter(|owner| owner.id != vendor.id) {
        return Err(Problem::new(
            Code::InvalidInput,
            format!("This profile belongs to {}, and somebody else has signed in.", owner.email),
        )
        .then("Give each vendor a profile of her own with --profile DIR.")
        .because(Unusable::OtherVendor));
    }
    wiring.bookiji_tokens()?.adopt(session.grant).await?;
    wiring.mirror.set_vendor(&vendor)?;
    tracing::info!(vendor = %vendor.id, "signed in");
    Ok(vendor)
}

/// Signs out of Bookiji. What is synced stays; the session ends here even if the server cannot be told.
pub async fn logout(wiring: &Wiring) -> Result<(), Problem> {
    let tokens = wiring.bookiji_tokens()?;
    let told = match tokens.access().await {
        Ok(access) => wiring.gotrue()?.sign_out(&access).await,
        Err(error) => Err(error),
    };
    tokens.forget().await?;
    if let Err(error) = told {
        tracing::info!(code = %error.code(), "signed out here without telling the server");
    }
    tracing::info!("signed out");
    Ok(())
}

pub(crate) fn nobody() -> Problem {
    Problem::new(Code::NotSignedIn, "Sign in to Bookiji first: a calendar is connected for a vendor.")
}

/// A Google sign-in that waits for the browser.
pub async fn begin_google(wiring: &Wiring, own_calendar: bool) -> Result<(Vendor, Pending), Problem> {
    let vendor = wiring.world()?.vendor.ok_or_else(nobody)?;
    let pending = wiring.google_oauth(own_calendar)?.begin().await.map_err(refused)?;
    Ok((vendor, pending))
}

/// Links the account once she has answered in the browser.
pub async fn finish_google(
    wiring: &Wiring,
    vendor: &Vendor,
    pending: Pending,
) -> Result<ConnectionId, Problem> {
    link_google(wiring, vendor, pending).await.map(|(id, _)| id)
}

/// As [`finish_google`]; also says what she did not allow.
pub async fn link_google(
    wiring: &Wiring,
    vendor: &Vendor,
    pending: Pending,
) -> Result<(ConnectionId, BTreeSet<Lack>), Problem> {
    let granted = pending.wait().await.map_err(refused)?;
    take_google_for(wiring, vendor, granted).await
}

/// As [`link_google`], once she has answered.
pub(crate) async fn take_google(
    wiring: &Wiring,
    granted: Granted,
) -> Result<(ConnectionId, BTreeSet<Lack>), Problem> {
    let vendor = wiring.world()?.vendor.ok_or_else(nobody)?;
    take_google_for(wiring, &vendor, granted).await
}

async fn take_google_for(
    wiring: &Wiring,
    vendor: &Vendor,
    granted: Granted,
) -> Result<(ConnectionId, BTreeSet<Lack>), Problem> {
    let (account, lacks) = whose(&granted)?;
    let id = ConnectionId::of(Service::Google, &account);
    let tokens = wiring.google_tokens(&id)?;
    let signed_in = SignedIn { service: Service::Google, id, account, tokens, grant: granted.grant };
    let calendars = wiring.google(&signed_in.id, &vendor.id)?;
    link(wiring, signed_in, &calendars, &lacks).await.map(|id| (id, lacks))
}

/// A Microsoft sign-in that waits for the browser.
pub async fn begin_outlook(wiring: &Wiring) -> Result<(Vendor, Pending), Problem> {
    let vendor = wiring.world()?.vendor.ok_or_else(nobody)?;
    let pending = wiring.outlook_oauth()?.begin().await.map_err(refused)?;
    Ok((vendor, pending))
}

/// As [`finish_google`].
pub async fn finish_outlook(
    wiring: &Wiring,
    vendor: &Vendor,
    pending: Pending,
) -> Result<ConnectionId, Problem> {
    let granted = match pending.wait().await {
        Ok(granted) => granted,
        Err(ConnectError::NeedsAdministrator { .. }) => return Err(needs_administrator(wiring)?),
        Err(error) => return Err(refused(error)),
    };
    take_outlook_for(wiring, vendor, granted).await
}

/// As [`finish_outlook`], once she has answered.
pub(crate) async fn take_outlook(wiring: &Wiring, granted: Granted) -> Result<ConnectionId, Problem> {
    let vendor = wiring.world()?.vendor.ok_or_else(nobody)?;
    take_outlook_for(wiring, &vendor, granted).await
}

async fn take_outlook_for(
    wiring: &Wiring,
    vendor: &Vendor,
    granted: Granted,
) -> Result<ConnectionId, Problem> {
    let missing = outlook::missing(&granted);
    if !missing.is_empty() {
        return Err(Problem::new(
            Code::PermissionDenied,
            format!("Microsoft was not allowed to share everything that is needed ({}).", missing.join(", ")),
        )
        .then("Connect again and accept what is asked: bookings are written into a calendar of our own."));
    }
    let account = match granted.account_email {
        Some(email) => email,
        // Work accounts need not have one in their sign-in.
        None => wiring.outlook_address(&granted.grant.access).await?,
    };
    let id = ConnectionId::of(Service::Outlook, &account);
    let tokens = wiring.outlook_tokens(&id)?;
    let signed_in = SignedIn { service: Service::Outlook, id, account, tokens, grant: granted.grant };
    let calendars = wiring.outlook(&signed_in.id, &vendor.id)?;
    link(wiring, signed_in, &calendars, &BTreeSet::new()).await
}

/// What many organisations have decided: their people cannot allow this by themselves.
fn needs_administrator(wiring: &Wiring) -> Result<Problem, Problem> {
    Ok(Problem::new(
        Code::PermissionDenied,
        "Your organisation wants an administrator to allow Bookiji Companion before it may see your calendar.",
    )
    .then(format!(
        "Send your administrator this address, and connect again once it is allowed: {} - until then, a published \
         calendar link of your Outlook calendar can be connected with `companion connect ics-feed`.",
        wiring.outlook_admin_consent()?
    )))
}

/// An account that has just let us in, under nobody's name yet.
struct SignedIn {
    service: Service,
    id: ConnectionId,
    account: String,
    tokens: Tokens,
    grant: Grant,
}

/// The sign-in goes into the vault first, then the account and its calendars into the mirror.
async fn link(
    wiring: &Wiring,
    signed_in: SignedIn,
    account: &dyn Account,
    lacks: &BTreeSet<Lack>,
) -> Result<ConnectionId, Problem> {
    let SignedIn { service, id, account: address, tokens, grant } = signed_in;
    let world = staying(wiring.world()?, &id);
    let known = world.connections.get(&id);
    tokens.adopt(grant).await?;
    let listed = match account.calendars().await {
        Ok(listed) => listed,
        Err(_) if lacks.contains(&Lack::List) => vec![grants::main_calendar(&address)],
        Err(error) => {
            if known.is_none() {
                tokens.forget().await?;
            }
            return Err(error.into());
        }
    };
    let now = wiring.clock.now();
    wiring.mirror.put_connection(&Connection {
        id: id.clone(),
        service,
        account: address,
        state: ConnectionState::Connected,
        created_at: known.map_or(now, |known| known.created_at),
        error: None,
        backoff_until: None,
        error_count: 0,
    })?;
    for calendar in roles::link(&world, &id, &listed, wiring.settings.sync.frequency_minutes, now) {
        wiring.mirror.put_calendar(&healed(seen(calendar, lacks)))?;
    }
    tracing::info!(connection = %id, calendars = listed.len(), "connected");
    Ok(id)
}

/// An account that she was leaving and connects again is as good as new: what its calendars were for is gone.
pub(crate) fn staying(mut world: World, id: &ConnectionId) -> World {
    if world.connections.get(id).is_some_and(|known| known.state == ConnectionState::Leaving) {
        world.calendars.retain(|_, calendar| calendar.connection != *id);
    }
    world
}

/// A calendar whose events may not be read is left alone: it would fail at every sync.
fn seen(calendar: LinkedCalendar, lacks: &BTreeSet<Lack>) -> LinkedCalendar {
    if calendar.role == Role::Busy && lacks.contains(&Lack::Events) {
        return LinkedCalendar { role: Role::Off, ..calendar };
    }
    calendar
}

/// A fresh sign-in answers whatever the calendar complained of.
pub(crate) fn healed(calendar: LinkedCalendar) -> LinkedCalendar {
    if calendar.last_sync_error.is_none() {
        return calendar;
    }
    LinkedCalendar { last_sync_error: None, last_sync_status: None, ..calendar }
}

/// The account's address, and what does not work with what she allowed.
fn whose(granted: &Granted) -> Result<(String, BTreeSet<Lack>), Problem> {
    let lacks = grants::lacks(&granted.missing).ok_or_else(|| {
        Problem::new(
            Code::PermissionDenied,
            "Google was allowed to share so little that nothing of this account can be synced.",
        )
        .then("Connect again and leave every box ticked: events are only read, and written in a calendar of our own.")
    })?;
    let account = granted.account_email.clone().ok_or_else(|| {
        Problem::new(Code::PermissionDenied, "Google did not say whose account this is.")
            .then("Connect again and let Google share your e-mail address.")
    })?;
    Ok((account, lacks))
}

pub(crate) fn refused(error: ConnectError) -> Problem {
    match error {
        ConnectError::Service(error) => error.into(),
        ConnectError::NeedsAdministrator { .. } => {
            Problem::new(error.code(), crate::problem::sentence(&error.to_string())).then(
                "Ask your administrator to allow Bookiji Companion, and connect again once it is allowed; until then, a \
                 published link of the calendar can be connected with `companion connect ics-feed`.",
            )
        }
        ConnectError::TimedOut
        | ConnectError::Cancelled
        | ConnectError::Refused { .. }
        | ConnectError::CannotListen { .. } => {
            Problem::new(error.code(), crate::problem::sentence(&error.to_string()))
        }
    }
}

/// The account that is meant: by its id, its address, or the name of its calendar.
pub(crate) fn find(world: &World, name: &str) -> Result<ConnectionId, Problem> {
    let name = name.trim();
    if let Some(exactly) = world.connections.keys().find(|id| id.as_str() == name) {
        return Ok(exactly.clone());
    }
    // A calendar link goes by its calendar's name: several may come from one host.
    let is_called = |connection: &&Connection| {
        connection.account.eq_ignore_ascii_case(name)
            || (connection.service == Service::Ics && names(world, connection).any(|own| own == name))
    };
    let found: Vec<&Connection> = world.connections.values().filter(is_called).collect();
    match found.as_slice() {
        [only] => Ok(only.id.clone()),
        [] => {
            let there = listed(world, world.connections.values());
            let there =
                if there.is_empty() { "there is none yet".to_owned() } else { format!("there are {there}") };
            Err(Problem::new(Code::NotConnected, format!("No connection is called \"{name}\"; {there}."))
                .then("See what is connected with `companion status`."))
        }
        several => {
            let there = listed(world, several.iter().copied());
            Err(Problem::new(Code::InvalidInput, format!("\"{name}\" is more than one connection: {there}."))
                .then("Name it by its id."))
        }
    }
}

fn names<'a>(world: &'a World, connection: &'a Connection) -> impl Iterator<Item = &'a str> {
    let own = world.calendars.values().filter(|calendar| calendar.connection == connection.id);
    own.map(|calendar| calendar.name.as_str())
}

fn listed<'a>(world: &World, connections: impl Iterator<Item = &'a Connection>) -> String {
    let line = |connection: &Connection| match connection.service {
        Service::Ics => {
            let names: Vec<&str> = names(world, connection).collect();
            format!("{} ({}, {})", connection.id, names.join(", "), connection.account)
        }
        Service::Google | Service::Outlook | Service::Caldav => {
            format!("{} ({})", connection.id, connection.account)
        }
    };
    connections.map(line).collect::<Vec<_>>().join(", ")
}
