//! A WebDAV answer taken apart: what it says of each resource, and nothing of what it does not say well. Refuses document
//! types, and with them entities that expand; bounds size and depth. Pure.

use std::borrow::Cow;

use roxmltree::{Document, Node, ParsingOptions};

pub(super) const DAV: &str = "DAV:";
pub(super) const CALDAV: &str = "urn:ietf:params:xml:ns:caldav";
pub(super) const CALENDARSERVER: &str = "http://calendarserver.org/ns/";
/// Where what we note on a calendar of ours lives.
pub(super) const OURS: &str = "https://bookiji.com/ns/companion";
const NEXTCLOUD: &str = "http://nextcloud.com/ns";

/// More parts than any honest answer within the size limit has.
const MAX_NODES: u32 = 2_000_000;
/// Deeper than anything these protocols know.
const MAX_DEPTH: usize = 64;

/// Why an answer is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotAnAnswer {
    #[error("its XML declares a document type, which no calendar server needs to")]
    DocumentType,
    #[error("its XML is larger or deeper than any honest one")]
    TooMuch,
    #[error("its XML is broken or stops half-way")]
    Broken,
    #[error("it is no WebDAV answer")]
    Other,
}

/// What a whole 207 says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Multistatus {
    pub responses: Vec<Response>,
    pub sync_token: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Response {
    pub href: String,
    /// Of the resource as a whole, where one is given.
    pub status: Option<u16>,
    pub found: Found,
}

/// The properties that were there. What was refused or missing is not told apart: neither says anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub etag: Option<String>,
    pub data: Option<String>,
    pub length: Option<u64>,
    pub kinds: Vec<Kind>,
    pub name: Option<String>,
    pub principal: Option<String>,
    pub homes: Vec<String>,
    pub addresses: Vec<String>,
    /// Nothing where the server does not say.
    pub privileges: Option<Vec<String>>,
    /// Nothing where the server does not say, which means all.
    pub components: Option<Vec<String>>,
    pub sync_token: Option<String>,
    pub ctag: Option<String>,
    pub time_zone: Option<String>,
    pub vendor: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Collection,
    Calendar,
    Principal,
    /// A calendar of somebody else's that the server itself reads, or one that lies in its bin.
    NotHers,
}

/// Reads the body of a 207.
pub(super) fn read(body: &[u8]) -> Result<Multistatus, NotAnAnswer> {
    let text = cleaned(body);
    let document = parse(&text)?;
    let root = document.root_element();
    if !is(root, DAV, "multistatus") {
        return Err(NotAnAnswer::Other);
    }
    let responses = children(root, DAV, "response").filter_map(response).collect();
    Ok(Multistatus { responses, sync_token: text_of(root, DAV, "sync-token") })
}

/// The conditions that a refusal names (RFC 4918 §16), without their namespaces.
pub(super) fn conditions(body: &[u8]) -> Vec<String> {
    let text = cleaned(body);
    let Ok(document) = parse(&text) else { return Vec::new() };
    let errors = document.descendants().filter(|node| is(*node, DAV, "error"));
    errors
        .flat_map(|error| error.children().filter(Node::is_element))
        .map(|node| node.tag_name().name().to_owned())
        .collect()
}

fn parse(text: &str) -> Result<Document<'_>, NotAnAnswer> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| {
        if matches!(error, roxmltree::Error::DtdDetected) {
            NotAnAnswer::DocumentType
        } else if matches!(error, roxmltree::Error::NodesLimitReached) {
            NotAnAnswer::TooMuch
        } else {
            NotAnAnswer::Broken
        }
    })?;
    let mut depth = 0_usize;
    let mut node = document.root();
    // In document order, as far as the first that is too deep.
    loop {
        if let Some(child) = node.first_child() {
            (node, depth) = (child, depth + 1);
            if depth > MAX_DEPTH {
                return Err(NotAnAnswer::TooMuch);
            }
            continue;
        }
        loop {
            if let Some(next) = node.next_sibling() {
                node = next;
                break;
            }
            match node.parent() {
                Some(parent) => (node, depth) = (parent, depth - 1),
                None => return Ok(document),
            }
        }
    }
}

/// Without bytes that XML has no place for: some servers pass on what a calendar app once put into a title.
fn cleaned(body: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(body);
    let stray = |c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r');
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => Cow::Owned(rest.to_owned()),
        None => text,
    };
    if text.contains(stray) { Cow::Owned(text.replace(stray, "")) } else { text }
}

fn response(node: Node<'_, '_>) -> Option<Response> {
    let href = text_of(node, DAV, "href")?;
    let mut found = Found::default();
    for propstat in children(node, DAV, "propstat") {
        let status = text_of(propstat, DAV, "status").and_then(|line| status(&line));
        if status.is_none_or(|status| (200..300).contains(&status)) {
            children(propstat, DAV, "prop").for_each(|prop| take(prop, &mut found));
        }
    }
    let status = text_of(node, DAV, "status").and_then(|line| status(&line));
    Some(Response { href, status, found })
}

/// `HTTP/1.1 404 Not Found`
fn status(line: &str) -> Option<u16> {
    line.split_whitespace().nth(1)?.parse().ok()
}

fn take(prop: Node<'_, '_>, found: &mut Found) {
    for node in prop.children().filter(Node::is_element) {
        let space = node.tag_name().namespace().unwrap_or_default();
        let text = || text(node).filter(|text| !text.is_empty());
        let hrefs = || children(node, DAV, "href").filter_map(self::text).filter(|href| !href.is_empty());
        match (space, node.tag_name().name()) {
            (DAV, "getetag") => found.etag = text(),
            (DAV, "getcontentlength") => found.length = text().and_then(|text| text.parse().ok()),
            (DAV, "displayname") => found.name = text(),
            (DAV, "sync-token") => found.sync_token = text(),
            (DAV, "current-user-principal") => found.principal = hrefs().next(),
            (DAV, "resourcetype") => found.kinds = kinds(node),
            (DAV, "current-user-privilege-set") => {
                let names = children(node, DAV, "privilege").flat_map(|one| one.children());
                let names = names.filter(Node::is_element).map(|one| one.tag_name().name().to_owned());
                found.privileges = Some(names.collect());
            }
            (CALDAV, "calendar-home-set") => found.homes = hrefs().collect(),
            (CALDAV, "calendar-user-address-set") => found.addresses = hrefs().collect(),
            (CALDAV, "supported-calendar-component-set") => {
                let names = children(node, CALDAV, "comp").filter_map(|one| one.attribute("name"));
                found.components = Some(names.map(str::to_ascii_uppercase).collect());
            }
            (CALDAV, "calendar-data") => found.data = whole_text(node),
            (CALDAV, "calendar-timezone") => found.time_zone = text(),
            (CALENDARSERVER, "getctag") => found.ctag = text(),
            (OURS, "vendor") => found.vendor = text(),
            _ => {}
        }
    }
}

fn kinds(node: Node<'_, '_>) -> Vec<Kind> {
    let kind = |one: Node<'_, '_>| match (one.tag_name().namespace()?, one.tag_name().name()) {
        (DAV, "collection") => Some(Kind::Collection),
        (DAV, "principal") => Some(Kind::Principal),
        (CALDAV, "calendar") => Some(Kind::Calendar),
        (CALENDARSERVER, "subscribed") | (NEXTCLOUD, "deleted-calendar" | "trash-bin") => Some(Kind::NotHers),
        _ => None,
    };
    node.children().filter(Node::is_element).filter_map(kind).collect()
}

fn is(node: Node<'_, '_>, space: &str, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name && node.tag_name().namespace() == Some(space)
}

fn children<'a, 'i: 'a>(
    node: Node<'a, 'i>,
    space: &'static str,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| is(*child, space, name))
}

fn text_of(node: Node<'_, '_>, space: &'static str, name: &'static str) -> Option<String> {
    children(node, space, name).next().and_then(text).filter(|text| !text.is_empty())
}

fn text(node: Node<'_, '_>) -> Option<String> {
    whole_text(node).map(|text| text.trim().to_owned())
}

/// All of it: text and CDATA may stand side by side.
fn whole_text(node: Node<'_, '_>) -> Option<String> {
    let pieces: String = node.children().filter(Node::is_text).filter_map(|piece| piece.text()).collect();
    (!pieces.is_empty()).then_some(pieces)
}

/// As [`escaped`], of a text whose lines stay lines.
pub(super) fn escaped_text(text: &str) -> String {
    text.split_inclusive("\r\n").map(|line| format!("{}\r\n", escaped(line))).collect()
}

/// A text as it may stand in XML.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(inside: &str) -> Response {
        let text = format!(
            "<d:multistatus xmlns:d=\"DAV:\" xmlns:c=\"{CALDAV}\"><d:response>{inside}</d:response></d:multistatus>"
        );
        read(text.as_bytes()).unwrap().responses.remove(0)
    }

    #[test]
    fn a_property_counts_only_where_it_was_found() {
        let response = one("<d:href> /a/ </d:href>\
             <d:propstat><d:prop><d:getetag>\"1\"</d:getetag><d:displayname/></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>\
             <d:propstat><d:prop><c:calendar-data>x</c:calendar-data></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>");
        assert_eq!(response.href, "/a/");
        assert_eq!(response.found, Found { etag: Some("\"1\"".into()), ..Found::default() });
        assert_eq!(one("<d:href>/a</d:href><d:status>HTTP/1.1 404 Not Found</d:status>").status, Some(404));
    }

    #[test]
    fn any_prefix_names_the_same_and_a_calendar_s_text_is_kept_whole() {
        let text = "<multistatus xmlns=\"DAV:\"><response xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><href>/a</href><propstat><prop>\
             <C:calendar-data>BEGIN:VCALENDAR\r\nX:a&lt;b&amp;c&#13;\n<![CDATA[Y:<z>]]>\n</C:calendar-data></prop></propstat></response>\
             <sync-token>t</sync-token></multistatus>";
        let whole = read(text.as_bytes()).unwrap();
        assert_eq!(whole.sync_token.as_deref(), Some("t"));
        assert_eq!(whole.responses[0].found.data.as_deref(), Some("BEGIN:VCALENDAR\nX:a<b&c\r\nY:<z>\n"));
    }

    #[test]
    fn entities_are_refused_before_they_expand() {
        let bomb = "<?xml version=\"1.0\"?><!DOCTYPE m [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]>\
             <multistatus xmlns=\"DAV:\">&b;</multistatus>";
        assert_eq!(read(bomb.as_bytes()), Err(NotAnAnswer::DocumentType));
        let file = "<!DOCTYPE m [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><multistatus xmlns=\"DAV:\">&x;</multistatus>";
        assert_eq!(read(file.as_bytes()), Err(NotAnAnswer::DocumentType));
        assert_eq!(read(b"<multistatus xmlns=\"DAV:\">&x;</multistatus>"), Err(NotAnAnswer::Broken));
    }

    #[test]
    fn what_is_too_deep_cut_short_or_something_else_is_no_answer() {
        let deep = format!(
            "<multistatus xmlns=\"DAV:\">{}{}</multistatus>",
            "<a>".repeat(100_000),
            "</a>".repeat(100_000)
        );
        assert_eq!(read(deep.as_bytes()), Err(NotAnAnswer::TooMuch));
        let whole = "<multistatus xmlns=\"DAV:\"><response><href>/a</href></response></multistatus>";
        for cut in 0..whole.len() {
            assert_eq!(read(&whole.as_bytes()[..cut]), Err(NotAnAnswer::Broken), "{cut}");
        }
        assert_eq!(read(b"<html><body>Welcome</body></html>"), Err(NotAnAnswer::Other));
        assert_eq!(read(b"<multistatus/>"), Err(NotAnAnswer::Other), "of no namespace");
    }

    #[test]
    fn stray_control_characters_cost_nothing_but_themselves() {
        let text =
            "<multistatus xmlns=\"DAV:\"><response><href>/a\u{b}\u{0}b</href></response></multistatus>";
        assert_eq!(read(text.as_bytes()).unwrap().responses[0].href, "/ab");
    }

    #[test]
    fn a_refusal_says_its_conditions() {
        let body = "<?xml version='1.0'?><D:error xmlns:D='DAV:'><D:valid-sync-token/><x/></D:error>";
        assert_eq!(conditions(body.as_bytes()), ["valid-sync-token", "x"]);
        assert!(conditions(b"Precondition failed.").is_empty());
    }
}
