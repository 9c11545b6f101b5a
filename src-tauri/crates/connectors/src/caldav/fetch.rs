//! Fetches calendar files by name, many at a time (RFC 4791 §7.9), and says of each whether it came, is gone, or was not
//! told of.

use std::collections::{BTreeMap, BTreeSet};

use sync::error::ServiceError;
use sync::ids::{ETag, RemoteId};
use url::Url;

use super::account::Session;
use super::calendar::strong;
use super::dav::{Call, SPACES, multistatus};
use super::href;
use super::multistatus::escaped;

/// One event's file, as the server has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    pub etag: ETag,
    pub text: String,
}

/// What became of the files that were asked for.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub files: BTreeMap<String, File>,
    pub gone: BTreeSet<String>,
    /// The server keeps them to itself.
    pub withheld: BTreeSet<String>,
}

impl Files {
    pub fn tells_of(&self, name: &str) -> bool {
        self.files.contains_key(name) || self.gone.contains(name) || self.withheld.contains(name)
    }
}

/// Asks for all of `names` at once.
pub(super) async fn files(
    session: &Session,
    calendar: &Url,
    names: &[String],
) -> Result<Files, ServiceError> {
    let path = |name: &String| escaped(&href::event_path(calendar, &RemoteId(name.clone())));
    let hrefs: String = names.iter().map(|name| format!("<d:href>{}</d:href>", path(name))).collect();
    let body = format!(
        "<c:calendar-multiget {SPACES}><d:prop><d:getetag/><c:calendar-data/></d:prop>{hrefs}</c:calendar-multiget>"
    );
    let call = Call::new("REPORT", "{calendar} calendar-multiget").xml(&body);
    let (answer, from) = session.dav.send(calendar, &call).await?;
    let mut found = Files::default();
    for response in multistatus(&answer)?.responses {
        let Some(url) = href::resolve(&from, &response.href) else { continue };
        let name = href::event_id(calendar, &url).0;
        match (response.status, response.found.data) {
            (Some(404 | 410), _) => {
                found.gone.insert(name);
            }
            (Some(400..=499), _) => {
                tracing::warn!(event = %name, "an event is withheld by its server");
                found.withheld.insert(name);
            }
            (Some(500..), _) | (_, None) => {}
            (_, Some(text)) => {
                let etag = response.found.etag.as_deref().map_or(ETag(String::new()), strong);
                found.files.insert(name, File { etag, text });
            }
        }
    }
    Ok(found)
}
