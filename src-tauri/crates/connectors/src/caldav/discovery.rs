//! Finds the calendars' home from whatever address she typed (RFC 6764 §6): that address, then the well-known one of its
//! host, then its root; and where a domain alone is known, what names say of it.

use sync::error::ServiceError;
use url::Url;

use super::account::FindError;
use super::address::shown;
use super::dav::{Dav, rejected};
use super::href;
use super::multistatus::{Kind, Response};
use super::names::Names;
use crate::http::Peer;

/// Where an account's calendars are, and which mail addresses are hers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// At least one. The first names the account's own host.
    pub homes: Vec<Url>,
    pub addresses: Vec<String>,
}

/// More homes, or addresses, than an account has.
const MANY: usize = 20;

const WANTED: &str =
    "<d:current-user-principal/><d:resourcetype/><c:calendar-home-set/><c:calendar-user-address-set/>";

/// Looks for the account.
pub(super) async fn discover(dav: &Dav) -> Result<Place, ServiceError> {
    let typed = dav.entry.url();
    let mut candidates = vec![typed.clone()];
    for path in ["/.well-known/caldav", "/"] {
        let mut url = typed.clone();
        url.set_path(path);
        if !candidates.contains(&url) {
            candidates.push(url);
        }
    }
    let mut refusal: Option<ServiceError> = None;
    for candidate in candidates {
        match at(dav, &candidate).await {
            Ok(Some(place)) => return Ok(place),
            Ok(None) => {}
            // That something was found and is not used says more than a page where nothing is.
            Err(error @ ServiceError::Rejected { .. }) => refusal = Some(error),
            Err(error) if goes_on(&error) => {
                refusal.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    match refusal {
        // Where nothing is, something was typed wrong.
        None | Some(ServiceError::Gone { .. }) => Err(rejected("no calendars are found there")),
        Some(ServiceError::Garbled { reason, .. }) => {
            Err(rejected(&format!("no calendars are found there: {reason}")))
        }
        Some(error) => Err(error),
    }
}

/// Looks where names say that the domain's calendars are.
pub(super) async fn by_names(dav: &Dav, names: &dyn Names) -> Result<Option<Place>, FindError> {
    let Some(domain) = dav.entry.domain() else { return Ok(None) };
    let mut elsewhere = None;
    for url in names.calendars_of(domain).await {
        if dav.entry.admits(&url, dav.entry.url()).is_err() {
            elsewhere.get_or_insert_with(|| shown(&url));
            continue;
        }
        let mut root = url.clone();
        root.set_path("/");
        for candidate in [url, root] {
            match at(dav, &candidate).await {
                Ok(Some(place)) => return Ok(Some(place)),
                Err(error @ ServiceError::SignInExpired { .. }) => return Err(error.into()),
                Ok(None) | Err(_) => {}
            }
        }
    }
    match elsewhere {
        None => Ok(None),
        Some(host) => Err(FindError::Elsewhere { domain: domain.to_owned(), host }),
    }
}

/// Whether another address of the same server may say more. A password that was refused is sent nowhere else.
fn goes_on(error: &ServiceError) -> bool {
    match error {
        ServiceError::Gone { .. }
        | ServiceError::Garbled { .. }
        | ServiceError::Rejected { .. }
        | ServiceError::Forbidden { .. }
        | ServiceError::Exists { .. }
        | ServiceError::Stale { .. }
        | ServiceError::Failing { .. } => true,
        ServiceError::SignInExpired { .. }
        | ServiceError::NotLinked { .. }
        | ServiceError::SwitchedOff { .. }
        | ServiceError::OtherContract { .. }
        | ServiceError::RateLimited { .. }
        | ServiceError::NotACalendar { .. }
        | ServiceError::Fenced { .. }
        | ServiceError::Unreachable { .. }
        | ServiceError::VaultUnavailable { .. } => false,
    }
}

async fn at(dav: &Dav, url: &Url) -> Result<Option<Place>, ServiceError> {
    let (found, from) = dav.properties(url, "0", "{address}", WANTED).await?;
    let Some(here) = found.responses.into_iter().next() else { return Ok(None) };
    let principal = here.found.principal.as_deref().and_then(|href| href::folder(&from, href));
    // Some servers know the home of whoever asks and name no principal.
    let Some(principal) = principal.filter(|principal| *principal != from) else {
        return place(dav, &from, here);
    };
    let (found, from) = dav.properties(&principal, "0", "{principal}", WANTED).await?;
    match found.responses.into_iter().next() {
        Some(response) => place(dav, &from, response),
        None => Ok(None),
    }
}

fn place(dav: &Dav, from: &Url, response: Response) -> Result<Option<Place>, ServiceError> {
    let found = response.found;
    let mut homes: Vec<Url> =
        found.homes.iter().take(MANY).filter_map(|href| href::folder(from, href)).collect();
    if homes.is_empty() && found.kinds.contains(&Kind::Calendar) {
        // She typed the address of one calendar.
        homes.extend(href::folder(from, from.path()));
    }
    for home in &homes {
        dav.entry.admits(home, from).map_err(|error| super::dav::not_there(&error))?;
    }
    let mailto = |address: &String| address.strip_prefix("mailto:").map(str::to_owned);
    let addresses = found.addresses.iter().take(MANY).filter_map(mailto).collect();
    tracing::debug!(service = Peer::Caldav.key(), homes = homes.len(), "looked for calendars");
    Ok((!homes.is_empty()).then_some(Place { homes, addresses }))
}
