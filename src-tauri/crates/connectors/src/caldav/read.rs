//! Reads a calendar from its cursor and says honestly how far it got: by its sync token (RFC 6578), or where the server
//! gives none, by comparing what is listed now with what was listed before.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sync::error::ServiceError;
use sync::ids::{Cursor, RemoteId};
use sync::ports::{Coverage, Reading, RemoteEvent};
use url::Url;

use super::account::Session;
use super::body;
use super::calendar::{DavCalendar, listed_tag};
use super::cursor::{At, Place};
use super::dav::{Call, DEPTH, SPACES, multistatus};
use super::fetch::{self, Files};
use super::href;
use super::multistatus::{Kind, Multistatus, escaped};
use super::refusal;
use crate::http::{Peer, garbled, is_too_large};

/// More pages than this are no list but a loop.
const PAGES: usize = 1_000;
/// How many files are asked for at once, and how large they may be together.
const CHUNK: usize = 50;
const CHUNK_BYTES: u64 = 4 * 1024 * 1024;
/// A file larger than this is no event.
const FILE_BYTES: u64 = 8 * 1024 * 1024;

type Parts = BTreeMap<String, Vec<String>>;

/// What a calendar lists.
#[derive(Default)]
struct Listed {
    /// With how large it is, where the server says.
    there: BTreeMap<String, Member>,
    gone: BTreeSet<String>,
    /// Why it is not all.
    cut: Option<ServiceError>,
}

#[derive(Clone, Default)]
struct Member {
    etag: String,
    length: u64,
}

/// Why there is no list.
enum Stop {
    CursorLost,
    NoSuchReport,
    Failed(ServiceError),
}

impl From<ServiceError> for Stop {
    fn from(error: ServiceError) -> Self {
        Self::Failed(error)
    }
}

impl DavCalendar {
    pub(super) async fn read_from(
        &self,
        session: &Session,
        cursor: Option<&Cursor>,
    ) -> Result<Reading<RemoteEvent, RemoteId>, ServiceError> {
        let calendar = session.calendar_url(&self.remote)?;
        let place = match cursor.map(Place::parse) {
            None => None,
            Some(Some(place)) => Some(place),
            Some(None) => return Ok(Reading::CursorLost),
        };
        let by_token = match &place {
            None => changes(session, &calendar, "").await,
            Some(Place { at: At::Token(token), .. }) => changes(session, &calendar, token).await,
            Some(Place { at: At::Listed { ctag, etags }, parts, .. }) => {
                let known = Known { ctag: ctag.as_deref(), etags, parts };
                return compared(session, &calendar, Some(known)).await;
            }
        };
        match by_token {
            Ok((listed, token)) => {
                let parts = place.map(|place| place.parts);
                let at = token.map(At::Token);
                taken(session, &calendar, listed, at, parts.as_ref()).await
            }
            Err(Stop::CursorLost) => Ok(Reading::CursorLost),
            Err(Stop::NoSuchReport) => compared(session, &calendar, None).await,
            Err(Stop::Failed(error)) => Err(error),
        }
    }
}

/// What changed since `token`; without one, what there is.
async fn changes(session: &Session, calendar: &Url, token: &str) -> Result<(Listed, Option<String>), Stop> {
    let first = token.is_empty();
    let mut token = token.to_owned();
    let mut seen = BTreeSet::from([token.clone()]);
    let mut listed = Listed::default();
    for page in 0..PAGES {
        let (found, from) = match sync_collection(session, calendar, &token, first).await {
            Ok(found) => found,
            Err(Stop::Failed(error)) if page > 0 => return Ok((cut(listed, error), None)),
            Err(stop) => return Err(stop),
        };
        let next = found.sync_token.clone();
        if next.is_none() && first && page == 0 {
            return Err(Stop::NoSuchReport);
        }
        let truncated = listed.take(calendar, &from, found, first);
        let Some(next) = next else {
            return Ok((cut(listed, nonsense("its list of changes ends without saying so")), None));
        };
        if !truncated {
            return Ok((listed, Some(next)));
        }
        if !seen.insert(next.clone()) {
            return Ok((cut(listed, nonsense("its pages go round in circles")), None));
        }
        token = next;
    }
    Ok((cut(listed, nonsense("its pages do not end")), None))
}

fn cut(listed: Listed, reason: ServiceError) -> Listed {
    Listed { cut: Some(reason), ..listed }
}

async fn sync_collection(
    session: &Session,
    calendar: &Url,
    token: &str,
    first: bool,
) -> Result<(Multistatus, Url), Stop> {
    let body = format!(
        "<d:sync-collection {SPACES}><d:sync-token>{}</d:sync-token><d:sync-level>1</d:sync-level>\
         <d:prop><d:getetag/><d:getcontentlength/></d:prop></d:sync-collection>",
        escaped(token)
    );
    let call = Call::new("REPORT", "{calendar} sync-collection").header(DEPTH, "0").xml(&body);
    let (answer, from) = session.dav.send(calendar, &call).await?;
    if first && token.is_empty() && refusal::is_no_such_report(&answer) {
        return Err(Stop::NoSuchReport);
    }
    if !token.is_empty() && refusal::is_about_the_token(&answer) {
        return Err(Stop::CursorLost);
    }
    Ok((multistatus(&answer)?, from))
}

impl Listed {
    /// Takes one page; answers whether there is more. What was deleted is no news to who knew nothing.
    fn take(&mut self, calendar: &Url, from: &Url, page: Multistatus, first: bool) -> bool {
        let mut truncated = false;
        for response in page.responses {
            truncated |= response.status == Some(507);
            let Some(url) = href::resolve(from, &response.href) else { continue };
            if is_the_calendar(calendar, &url) || response.found.kinds.contains(&Kind::Collection) {
                continue;
            }
            let name = href::event_id(calendar, &url).0;
            match response.status {
                Some(404 | 410) => {
                    self.there.remove(&name);
                    if !first {
                        self.gone.insert(name);
                    }
                }
                Some(300..) => {}
                _ => {
                    self.gone.remove(&name);
                    let etag =
                        response.found.etag.as_deref().map(|tag| listed_tag(tag).0).unwrap_or_default();
                    self.there
                        .insert(name, Member { etag, length: response.found.length.unwrap_or_default() });
                }
            }
        }
        truncated
    }
}

/// Some servers list the calendar itself, or folders in it.
fn is_the_calendar(calendar: &Url, url: &Url) -> bool {
    url.path().ends_with('/') || calendar.path().strip_suffix('/') == Some(url.path())
}

/// What an earlier listing found.
struct Known<'a> {
    ctag: Option<&'a str>,
    etags: &'a BTreeMap<String, String>,
    parts: &'a Parts,
}

/// Lists all there is. The tag of the whole calendar, where it has one, saves even that.
async fn compared(
    session: &Session,
    calendar: &Url,
    known: Option<Known<'_>>,
) -> Result<Reading<RemoteEvent, RemoteId>, ServiceError> {
    if let Some(Known { ctag: Some(ctag), etags, parts }) = &known {
        let (found, _) = session.dav.properties(calendar, "0", "{calendar}", "<s:getctag/>").await?;
        let now = found.responses.into_iter().next().and_then(|response| response.found.ctag);
        if now.as_deref() == Some(*ctag) {
            let at = At::Listed { ctag: Some((*ctag).to_owned()), etags: (*etags).clone() };
            let cursor = Place::new(at, (*parts).clone()).cursor();
            return Ok(Reading::Delta { changed: Vec::new(), removed: Vec::new(), cursor });
        }
    }
    let wanted = "<d:getetag/><d:getcontentlength/><d:resourcetype/><s:getctag/>";
    let (found, from) = session.dav.properties(calendar, "1", "{calendar}", wanted).await?;
    let itself = found.responses.iter().find(|response| {
        href::resolve(&from, &response.href).is_some_and(|url| is_the_calendar(calendar, &url))
    });
    let is_named = itself.is_some();
    let ctag = itself.and_then(|response| response.found.ctag.clone());
    let mut listed = Listed::default();
    if listed.take(calendar, &from, found, true) {
        listed.cut = Some(nonsense("its list is longer than it sends"));
    } else if !is_named {
        // A whole list of a folder names the folder (RFC 4918 §9.1).
        listed.cut = Some(nonsense("its list does not name the calendar itself"));
    }
    let etags = listed.there.iter().map(|(name, member)| (name.clone(), member.etag.clone())).collect();
    let at = At::Listed { ctag, etags };
    let Some(known) = known else { return taken(session, calendar, listed, Some(at), None).await };
    if listed.cut.is_none() {
        listed.gone = known.etags.keys().filter(|name| !listed.there.contains_key(*name)).cloned().collect();
    }
    listed.there.retain(|name, member| member.etag.is_empty() || known.etags.get(name) != Some(&member.etag));
    taken(session, calendar, listed, Some(at), Some(known.parts)).await
}

/// Fetches what is listed. `before` are the parts of files known until now; without, this is the first reading.
async fn taken(
    session: &Session,
    calendar: &Url,
    listed: Listed,
    at: Option<At>,
    before: Option<&Parts>,
) -> Result<Reading<RemoteEvent, RemoteId>, ServiceError> {
    let mut cut = listed.cut;
    let mut found = Files::default();
    let mut chunks = VecDeque::from(chunks(&listed.there));
    while let Some(mut chunk) = chunks.pop_front() {
        match fetch::files(session, calendar, &chunk).await {
            Ok(some) => {
                if cut.is_none() && chunk.iter().any(|name| !some.tells_of(name)) {
                    cut = Some(nonsense("it does not say what it was asked about some events"));
                }
                found.files.extend(some.files);
                found.gone.extend(some.gone);
            }
            // Not every server says how large its files are.
            Err(error) if is_too_large(&error) && chunk.len() > 1 => {
                let rest = chunk.split_off(chunk.len() / 2);
                chunks.push_front(rest);
                chunks.push_front(chunk);
            }
            // Nothing was read at all: the reading failed, and whoever asked may have something to do about it.
            Err(error) if found.files.is_empty() && found.gone.is_empty() => return Err(error),
            Err(error) => {
                cut = Some(error);
                break;
            }
        }
    }
    let own = session.addresses();
    let mut items = Vec::new();
    let mut parts = before.cloned().unwrap_or_default();
    let mut removed = Vec::new();
    let names_of =
        |parts: &Parts, name: &String| parts.get(name).cloned().unwrap_or_else(|| vec![String::new()]);
    let mut is_gone = |parts: &mut Parts, name: &String| {
        removed.extend(names_of(parts, name).iter().map(|which| RemoteId(href::part(name, which))));
        parts.remove(name);
    };
    for name in listed.gone.iter().chain(&found.gone) {
        is_gone(&mut parts, name);
    }
    for (name, file) in &found.files {
        let events = if before.is_none() {
            body::events(name, &file.etag, &file.text, &own)
        } else if let Some(events) = body::readable(name, &file.etag, &file.text, &own) {
            events
        } else {
            // What it blocked stays blocked until somebody can say what it blocks now.
            tracing::warn!("an event's file cannot be read any more; it stays as it was");
            continue;
        };
        let now: Vec<String> = events
            .iter()
            .map(|event| event.id.0.split_once('#').map(|(_, which)| which.to_owned()).unwrap_or_default())
            .collect();
        let before = names_of(&parts, name);
        removed.extend(
            before.iter().filter(|which| !now.contains(which)).map(|which| RemoteId(href::part(name, which))),
        );
        if now == [String::new()] {
            parts.remove(name);
        } else {
            parts.insert(name.clone(), now);
        }
        items.extend(events);
    }
    let cursor = at.map(|at| Place::new(at, parts).cursor());
    Ok(match (cut, before, cursor) {
        (Some(reason), _, _) => Reading::Partial { items, reason },
        (None, None, cursor) => Reading::Snapshot { items, coverage: Coverage::Everything, cursor },
        (None, Some(_), Some(cursor)) => Reading::Delta { changed: items, removed, cursor },
        (None, Some(_), None) => {
            Reading::Partial { items, reason: nonsense("its list of changes has no end") }
        }
    })
}

fn chunks(there: &BTreeMap<String, Member>) -> Vec<Vec<String>> {
    let mut chunks: Vec<Vec<String>> = Vec::new();
    let mut room = 0;
    for (name, member) in there {
        if member.length > FILE_BYTES {
            tracing::warn!(bytes = member.length, "a file is larger than any event, and is left out");
            continue;
        }
        let fits = chunks.last().is_some_and(|chunk| chunk.len() < CHUNK) && member.length <= room;
        if !fits {
            chunks.push(Vec::new());
            room = CHUNK_BYTES;
        }
        room = room.saturating_sub(member.length);
        chunks.last_mut().expect("one was just pushed").push(name.clone());
    }
    chunks
}

fn nonsense(reason: &str) -> ServiceError {
    garbled(Peer::Caldav, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_asked_for_in_bounded_heaps_and_a_huge_one_not_at_all() {
        let there = |lengths: &[u64]| {
            let member = |length: &u64| Member { etag: String::new(), length: *length };
            lengths.iter().enumerate().map(|(n, length)| (format!("{n:04}"), member(length))).collect()
        };
        let heaps = |lengths: &[u64]| chunks(&there(lengths)).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(heaps(&[]), Vec::<usize>::new());
        assert_eq!(heaps(&[0; 101]), [50, 50, 1]);
        assert_eq!(heaps(&[3 * 1024 * 1024; 3]), [1, 1, 1]);
        assert_eq!(heaps(&[10, FILE_BYTES + 1, 10]), [2]);
        assert_eq!(heaps(&[FILE_BYTES, 10]), [1, 1]);
    }
}
