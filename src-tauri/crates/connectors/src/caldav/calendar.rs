//! One CalDAV calendar: its events created, changed and deleted, each under its precondition, and read back as the server
//! keeps them.

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use sync::booking::Draft;
use sync::decide::times;
use sync::error::ServiceError;
use sync::ids::{Cursor, ETag, RemoteCalendarId, RemoteId};
use sync::ports::{Calendar, Probe, Reading, RemoteEvent};
use url::Url;

use super::account::{CaldavAccount, Session};
use super::dav::{Call, multistatus, rejected};
use super::fetch::{self, File};
use super::{body, href, refusal};
use crate::http::{Answer, Peer, garbled, now};

pub(super) struct DavCalendar {
    pub(super) account: CaldavAccount,
    pub(super) remote: RemoteCalendarId,
}

const EVENT: &str = "{calendar}/{event}";
const ICALENDAR: &str = "text/calendar; charset=utf-8";

/// The tag that a listing says of a file. RFC 4791 §5.3.4 has it strong, and If-Match compares strongly (RFC 9110 §13.1.1):
/// a weak one would never match again. Where one is marked weak all the same, somebody on the way did it, and the server
/// knows it without the mark; if not, it refuses, and nothing is lost.
pub(super) fn listed_tag(tag: &str) -> ETag {
    let tag = tag.trim();
    ETag(tag.strip_prefix("W/").unwrap_or(tag).to_owned())
}

/// The tag in the answer to a write, if it can stand in a precondition. What packs an answer on its way makes its tag
/// weak, or another one, since a packed file is another one (RFC 9110 §8.8.3): so none is asked for, and what is weak is
/// taken for no tag, after which the file is looked at.
fn said_tag(answer: &Answer) -> Option<ETag> {
    let tag = answer.header(ETAG.as_str())?.trim();
    (tag.starts_with('"') && tag.len() > 1 && tag.ends_with('"')).then(|| ETag(tag.to_owned()))
}

/// A write without a precondition could undo what somebody else did.
fn guard(base: &ETag) -> Result<&str, ServiceError> {
    let text = base.as_str();
    // A star would stand for any version at all.
    if matches!(text, "" | "*") || !text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Err(stale());
    }
    Ok(text)
}

fn stale() -> ServiceError {
    ServiceError::Stale { service: Peer::Caldav.name().to_owned() }
}

fn gone() -> ServiceError {
    ServiceError::Gone { service: Peer::Caldav.name().to_owned() }
}

/// Whether a write was done. Some servers say 207 and mean what stands in it.
pub(super) fn done(answer: &Answer) -> Result<(), ServiceError> {
    if answer.status.as_u16() == 207 {
        let refused =
            multistatus(answer)?.responses.iter().find_map(|one| one.status.filter(|code| *code >= 400));
        return match refused {
            None => Ok(()),
            Some(404 | 410) => Err(gone()),
            Some(412) => Err(stale()),
            Some(code) => Err(rejected(&format!("HTTP {code}"))),
        };
    }
    if answer.status.is_success() { answer.is_no_page() } else { Err(refusal::of_write(answer)) }
}

impl DavCalendar {
    /// The one file, as it is now; nothing if there is none.
    async fn file(
        &self,
        session: &Session,
        calendar: &Url,
        id: &RemoteId,
    ) -> Result<Option<File>, ServiceError> {
        let name = href::file(id.as_str()).to_owned();
        let mut found = fetch::files(session, calendar, std::slice::from_ref(&name)).await?;
        if found.gone.contains(&name) {
            return Ok(None);
        }
        match found.files.remove(&name) {
            Some(file) => Ok(Some(file)),
            None => Err(garbled(Peer::Caldav, "it does not say what it was asked about an event")),
        }
    }

    fn event(session: &Session, id: &RemoteId, file: &File) -> Option<RemoteEvent> {
        let events = body::events(href::file(id.as_str()), &file.etag, &file.text, &session.addresses());
        events.into_iter().find(|event| event.id == *id)
    }

    async fn put(
        &self,
        session: &Session,
        calendar: &Url,
        draft: &Draft,
        id: &RemoteId,
        text: &str,
        base: Option<&ETag>,
    ) -> Result<Written, ServiceError> {
        let mut url = calendar.clone();
        url.set_path(&href::event_path(calendar, id));
        let mut call =
            Call::new("PUT", EVENT).header(CONTENT_TYPE, ICALENDAR).header(ACCEPT_ENCODING, "identity");
        call = match base {
            Some(base) => call.header(IF_MATCH, guard(base)?),
            None => call.header(IF_NONE_MATCH, "*"),
        };
        call.body = text.to_owned();
        let (answer, _) = session.dav.send(&url, &call).await?;
        if refusal::has_other_of_this_uid(&answer) {
            return Ok(Written::UidIsTaken);
        }
        match (answer.status.as_u16(), base) {
            (412, None) => return Err(ServiceError::Exists { service: Peer::Caldav.name().to_owned() }),
            (412, Some(_)) => return Err(stale()),
            _ => done(&answer)?,
        }
        self.echo(session, calendar, draft, id, text, said_tag(&answer))
            .await
            .map(|event| Written::Stored(Box::new(event)))
    }

    /// What the server made of it. Many keep something else than they were sent, and some of those say so by no tag.
    async fn echo(
        &self,
        session: &Session,
        calendar: &Url,
        draft: &Draft,
        id: &RemoteId,
        text: &str,
        said: Option<ETag>,
    ) -> Result<RemoteEvent, ServiceError> {
        let sent = |etag: &ETag| {
            let file = File { etag: etag.clone(), text: text.to_owned() };
            Self::event(session, id, &file).ok_or_else(|| rejected("the event cannot be written"))
        };
        let (found, said) = match (self.file(session, calendar, id).await, said) {
            (Ok(Some(file)), said) => (file, said),
            // It was written, and the server said as what.
            (Ok(None) | Err(_), Some(said)) => return sent(&said),
            (Ok(None), None) => return Err(gone()),
            (Err(error), None) => return Err(error),
        };
        match said {
            // Somebody was quicker than our look: the next reading shows what she did.
            Some(said) if said != found.etag => sent(&said),
            Some(_) => Self::event(session, id, &found).ok_or_else(gone),
            None => match Self::event(session, id, &found) {
                Some(event) if times(&event) == Some((draft.start, draft.end)) => Ok(event),
                Some(_) | None => sent(&found.etag),
            },
        }
    }

    async fn created(&self, session: &Session, draft: &Draft) -> Result<RemoteEvent, ServiceError> {
        let calendar = session.calendar_url(&self.remote)?;
        for uid in [draft.uid.0.clone(), body::other_uid(draft)] {
            let text = body::fresh(draft, &uid, now());
            match self.put(session, &calendar, draft, &draft.id, &text, None).await? {
                Written::Stored(event) => return Ok(*event),
                Written::UidIsTaken => {}
            }
        }
        Err(rejected("it has another event of this identity, perhaps in its bin"))
    }

    async fn updated(
        &self,
        session: &Session,
        id: &RemoteId,
        base: &ETag,
        draft: &Draft,
    ) -> Result<RemoteEvent, ServiceError> {
        guard(base)?;
        let calendar = session.calendar_url(&self.remote)?;
        let stored = self.file(session, &calendar, id).await?.ok_or_else(gone)?;
        if stored.etag != *base {
            return Err(stale());
        }
        let text =
            body::patched(&stored.text, draft, now()).ok_or_else(|| rejected("its file holds no event"))?;
        match self.put(session, &calendar, draft, id, &text, Some(base)).await? {
            Written::Stored(event) => Ok(*event),
            Written::UidIsTaken => Err(rejected("it has another event of this identity")),
        }
    }
}

enum Written {
    Stored(Box<RemoteEvent>),
    UidIsTaken,
}

#[async_trait]
impl Calendar for DavCalendar {
    async fn read(&self, cursor: Option<&Cursor>, _since: Timestamp) -> Reading<RemoteEvent, RemoteId> {
        let read = self.account.with(|session| async move { self.read_from(&session, cursor).await }).await;
        read.unwrap_or_else(Reading::Failed)
    }

    async fn create(&self, draft: &Draft) -> Result<RemoteEvent, ServiceError> {
        self.account.with(|session| async move { self.created(&session, draft).await }).await
    }

    async fn update(&self, id: &RemoteId, base: &ETag, draft: &Draft) -> Result<RemoteEvent, ServiceError> {
        self.account.with(|session| async move { self.updated(&session, id, base, draft).await }).await
    }

    async fn delete(&self, id: &RemoteId, base: &ETag) -> Result<(), ServiceError> {
        self.account
            .with(|session| async move {
                let calendar = session.calendar_url(&self.remote)?;
                let mut url = calendar.clone();
                url.set_path(&href::event_path(&calendar, id));
                let call = Call::new("DELETE", EVENT).header(IF_MATCH, guard(base)?);
                let (answer, _) = session.dav.send(&url, &call).await?;
                done(&answer)
            })
            .await
    }

    async fn probe(&self, id: &RemoteId) -> Result<Probe, ServiceError> {
        self.account
            .with(|session| async move {
                let calendar = session.calendar_url(&self.remote)?;
                let file = self.file(&session, &calendar, id).await?;
                let event = file.and_then(|file| Self::event(&session, id, &file));
                Ok(event.map_or(Probe::Absent, Probe::Live))
            })
            .await
    }
}
