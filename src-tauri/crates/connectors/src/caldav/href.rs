//! Which resource an href names, however it is written: absolute or relative, escaped much or little. Pure.

use sync::ids::{RemoteCalendarId, RemoteId};
use url::Url;

/// The path with every byte escaped that must be, and no other, so that two spellings of one path are equal.
#[must_use]
pub(super) fn normal(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let bytes = path.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| path.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok()))
            .flatten();
        let (byte, is_separator) = match escaped {
            Some(byte) => (byte, false),
            None => (bytes[at], bytes[at] == b'/'),
        };
        at += if escaped.is_some() { 3 } else { 1 };
        if is_separator || is_plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// What RFC 3986 lets stand in a segment as it is.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}

/// The address that `href` means in an answer from `base`.
pub(super) fn resolve(base: &Url, href: &str) -> Option<Url> {
    let mut url = base.join(href.trim()).ok()?;
    url.set_fragment(None);
    url.set_query(None);
    let path = normal(url.path());
    url.set_path(&path);
    url.host().is_some().then_some(url)
}

/// As [`resolve`], of a folder.
pub(super) fn folder(base: &Url, href: &str) -> Option<Url> {
    let mut url = resolve(base, href)?;
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Some(url)
}

/// A calendar's name: its path where it lies on the account's own host, so that a provider may move the account to
/// another of its hosts; else its whole address.
pub(super) fn calendar_id(home: &Url, calendar: &Url) -> RemoteCalendarId {
    if home.origin() == calendar.origin() {
        RemoteCalendarId(calendar.path().to_owned())
    } else {
        RemoteCalendarId(calendar.to_string())
    }
}

pub(super) fn calendar_url(home: &Url, id: &RemoteCalendarId) -> Option<Url> {
    folder(home, id.as_str())
}

const SUFFIX: &str = ".ics";

/// An event's name: that of its file without `.ics`, which is the one we choose for ours. `/` before it says that the
/// file ends otherwise, `//` that it lies elsewhere.
pub(super) fn event_id(calendar: &Url, event: &Url) -> RemoteId {
    let path = event.path();
    RemoteId(match path.strip_prefix(calendar.path()) {
        Some(name) if !name.is_empty() && !name.contains('/') => match name.strip_suffix(SUFFIX) {
            Some(stem) if !stem.is_empty() => stem.to_owned(),
            _ => format!("/{name}"),
        },
        _ => format!("/{path}"),
    })
}

/// Where the event lies; the name of an exception leads to its series.
pub(super) fn event_path(calendar: &Url, id: &RemoteId) -> String {
    let file = file(id.as_str());
    if let Some(path) = file.strip_prefix('/').filter(|path| path.starts_with('/')) {
        return path.to_owned();
    }
    match file.strip_prefix('/') {
        Some(name) => format!("{}{}", calendar.path(), normal(name)),
        None => format!("{}{}{SUFFIX}", calendar.path(), normal(file)),
    }
}

/// The name of the file that holds this event.
pub(super) fn file(id: &str) -> &str {
    id.split_once('#').map_or(id, |(file, _)| file)
}

/// The name of one exception of a series. No file's name holds a `#` that is not escaped.
pub(super) fn part(file: &str, which: &str) -> String {
    if which.is_empty() { file.to_owned() } else { format!("{file}#{which}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[track_caller]
    fn same(one: &str, other: &str) {
        let calendar = url("https://h.example/dav/a@b/cal/");
        let [one, other] = [one, other].map(|href| event_id(&calendar, &resolve(&calendar, href).unwrap()));
        assert_eq!(one, other);
    }

    #[test]
    fn every_spelling_of_a_path_is_one() {
        assert_eq!(normal("/a%40b/%7ex/%c3%a9 é/%2F%25"), "/a@b/~x/%C3%A9%20%C3%A9/%2F%25");
        assert_eq!(normal("/%zz/%"), "/%25zz/%25");
        same("/dav/a%40b/cal/x.ics", "/dav/a@b/cal/x.ics");
        same("x%20y.ics", "https://h.example:443/dav/a@b/cal/x y.ics");
        same("/dav/a@b/cal/%C3%A9.ics", "/dav/a@b/cal/%c3%a9.ics");
        same("/dav/a@b/cal/a%3Ab.ics", "/dav/a@b/cal/a:b.ics");
    }

    #[test]
    fn an_event_s_name_leads_back_to_it() {
        let calendar = url("https://h.example/cal/");
        for path in [
            "/cal/bookijiabc.ics",
            "/cal/x",
            "/cal/.ics",
            "/cal/x.ics.ics",
            "/cal/a%23b%2Fc.ics",
            "/cal/sub/x.ics",
            "/other/x.ics",
            "/cal/%2Fx",
        ] {
            let id = event_id(&calendar, &resolve(&calendar, path).unwrap());
            assert_eq!(event_path(&calendar, &id), path, "{id}");
            let exception = RemoteId(part(id.as_str(), "0123"));
            assert_eq!(event_path(&calendar, &exception), path, "{exception}");
        }
        let ours = event_id(&calendar, &resolve(&calendar, "/cal/bookijiabc.ics").unwrap());
        assert_eq!(ours.as_str(), "bookijiabc", "the name that was chosen for it");
    }

    #[test]
    fn a_calendar_keeps_its_name_when_the_provider_moves_the_account() {
        let (before, after) =
            (url("https://p07.icloud.com/1/calendars/"), url("https://p99.icloud.com/1/c/"));
        let id = calendar_id(&before, &url("https://p07.icloud.com/1/calendars/home/"));
        assert_eq!(id.as_str(), "/1/calendars/home/");
        assert_eq!(calendar_url(&after, &id).unwrap().as_str(), "https://p99.icloud.com/1/calendars/home/");
        let elsewhere = calendar_id(&before, &url("https://shared.icloud.com/x/"));
        assert_eq!(calendar_url(&after, &elsewhere).unwrap().as_str(), "https://shared.icloud.com/x/");
    }

    #[test]
    fn a_folder_ends_with_a_slash_and_what_is_no_web_address_is_none() {
        let base = url("https://h.example/a/b");
        assert_eq!(folder(&base, "c").unwrap().as_str(), "https://h.example/a/c/");
        assert_eq!(folder(&base, " /c/ ").unwrap().as_str(), "https://h.example/c/");
        assert!(resolve(&base, "mailto:a@b.c").is_none());
        assert!(resolve(&base, "data:x").is_none());
    }
}
