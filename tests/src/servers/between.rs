//! Stands between our connector and a real CalDAV server, and bends what passes as it is told: the faults that the sandbox
//! knows of its own services, for servers that have none to order. Knows HTTP and multistatus as text, and no calendar.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::{Client, StatusCode};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::door::{Asked, Door, Told, client, forwarded};

/// What happens to a request, in the words of the sandbox's faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bend {
    Status(u16),
    RateLimited,
    Html,
    Reset,
    Slow(Duration),
    /// Done, and the answer never comes.
    ReplyLost,
    Truncated,
    /// The password counts no more, for this request and all that follow.
    TokenRevoked,
    CursorLost,
    CalendarGone,
    /// The server does as if nobody had asked for a precondition.
    IgnoresPrecondition,
    /// Of what is written, nothing of ours but the event itself is kept.
    DropsMarker,
    /// A list comes in two pages.
    ShortPage,
    DuplicatePage,
    Reordered,
    /// A list with nothing in it, and a token that says this is all.
    EmptyListing,
}

impl Bend {
    /// In the words of the sandbox's faults.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        if let Some(status) = word.strip_prefix("status:") {
            return status.parse().ok().map(Self::Status);
        }
        if let Some(wait) = word.strip_prefix("slow:") {
            return wait.parse().ok().map(|ms| Self::Slow(Duration::from_millis(ms)));
        }
        Some(match word {
            "rate_limited" => Self::RateLimited,
            "html" => Self::Html,
            "reset" => Self::Reset,
            "reply_lost" => Self::ReplyLost,
            "truncated" => Self::Truncated,
            "token_revoked" => Self::TokenRevoked,
            "cursor_lost" => Self::CursorLost,
            "calendar_gone" => Self::CalendarGone,
            "ignores_precondition" => Self::IgnoresPrecondition,
            "drops_marker" => Self::DropsMarker,
            "short_page" => Self::ShortPage,
            "duplicate_page" => Self::DuplicatePage,
            "reordered" => Self::Reordered,
            "empty_listing" => Self::EmptyListing,
            _ => return None,
        })
    }
}

struct Order {
    route: Option<String>,
    bend: Bend,
    left: Option<u32>,
}

#[derive(Default)]
struct State {
    orders: Vec<Order>,
    routes: BTreeSet<String>,
    /// Second pages that wait to be asked for, by the token that was given for them.
    pages: BTreeMap<String, String>,
    revoked: bool,
    bent: u32,
}

/// A door before a server.
pub struct Between {
    /// The server's address, as our connector is to know it.
    pub url: String,
    state: Arc<Mutex<State>>,
    _door: Door,
}

impl Between {
    /// # Panics
    /// When nothing can listen on this computer.
    pub async fn before(server: &str) -> Self {
        let (client, server) = (client(), Arc::new(server.trim_end_matches('/').to_owned()));
        let state: Arc<Mutex<State>> = Arc::default();
        let known = state.clone();
        let door = Door::open(move |stream| {
            let (client, server, state) = (client.clone(), server.clone(), known.clone());
            async move { passed(stream, &client, &server, &state).await }
        })
        .await;
        Self { url: door.url.clone(), state, _door: door }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    /// From now on: on this route or on all of them, so many times or until [`Between::heal`].
    pub fn bend(&self, route: Option<&str>, bend: Bend, times: Option<u32>) {
        self.state().orders.push(Order { route: route.map(str::to_owned), bend, left: times });
    }

    /// From here on nothing is bent.
    pub fn heal(&self) {
        let mut state = self.state();
        state.orders.clear();
        state.revoked = false;
        state.bent = 0;
    }

    /// How many requests met a fault since the last [`Between::heal`].
    #[must_use]
    pub fn bent(&self) -> u32 {
        self.state().bent
    }

    /// The routes that were taken so far: a method, and of a report its name or of a PROPFIND its depth.
    #[must_use]
    pub fn routes(&self) -> BTreeSet<String> {
        self.state().routes.clone()
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Asked {
    fn route(&self) -> String {
        match self.method.as_str() {
            "REPORT" => {
                let named = ["sync-collection", "calendar-multiget"]
                    .into_iter()
                    .find(|name| self.body.contains(name));
                format!("REPORT {}", named.unwrap_or("another"))
            }
            "PROPFIND" => format!("PROPFIND {}", self.header("depth").unwrap_or_default()),
            method => method.to_owned(),
        }
    }

    /// The token of a sync-collection that has one.
    fn token(&self) -> Option<&str> {
        let rest = self.body.split_once("<d:sync-token>")?.1;
        rest.split_once("</").map(|(token, _)| token).filter(|token| !token.is_empty())
    }

    /// Whether this bend can be done to it at all.
    fn can(&self, bend: Bend) -> bool {
        let lists = self.body.contains("sync-collection") || self.header("depth") == Some("1");
        let writes = matches!(self.method.as_str(), "PUT" | "DELETE");
        match bend {
            Bend::Status(_)
            | Bend::RateLimited
            | Bend::Html
            | Bend::Reset
            | Bend::Slow(_)
            | Bend::ReplyLost
            | Bend::Truncated
            | Bend::TokenRevoked => true,
            Bend::CursorLost => self.token().is_some(),
            Bend::CalendarGone => writes || self.method == "REPORT",
            Bend::IgnoresPrecondition => writes,
            Bend::DropsMarker => self.method == "PUT",
            Bend::EmptyListing | Bend::ShortPage => lists,
            Bend::DuplicatePage | Bend::Reordered => lists || self.method == "REPORT",
        }
    }
}

async fn passed(mut stream: TcpStream, client: &Client, server: &str, state: &Mutex<State>) -> Option<()> {
    let mut asked = Asked::read(&mut stream).await?;
    let bends = ordered(&mut locked(state), &asked);
    if let Some(wait) =
        bends.iter().find_map(|bend| if let Bend::Slow(wait) = bend { Some(*wait) } else { None })
    {
        tokio::time::sleep(wait).await;
    }
    if bends.contains(&Bend::Reset) {
        return None;
    }
    let refused = if locked(state).revoked { Some(Told::unauthorized()) } else { refused(&bends) };
    if let Some(told) = refused {
        return stream.write_all(&told.bytes(false)).await.ok();
    }
    if bends.contains(&Bend::IgnoresPrecondition) {
        asked.headers.retain(|(name, _)| !matches!(name.as_str(), "if-match" | "if-none-match"));
    }
    if bends.contains(&Bend::DropsMarker) {
        let kept: Vec<&str> =
            asked.body.split("\r\n").filter(|line| !line.starts_with("X-BOOKIJI-")).collect();
        asked.body = kept.join("\r\n");
    }
    let later = asked.token().and_then(|token| locked(state).pages.get(token).cloned());
    let mut told = match later {
        Some(page) => Told::of(207, &[("Content-Type", "application/xml; charset=utf-8")], &page),
        None => forwarded(client, server, &asked).await?,
    };
    if bends.contains(&Bend::ReplyLost) {
        return None;
    }
    if told.status == StatusCode::MULTI_STATUS {
        let lists = asked.can(Bend::EmptyListing);
        let path = asked.target.trim_end_matches('/').to_owned();
        for bend in &bends {
            if let Some((body, second)) =
                Document::of(&told.body).map(|document| document.bent(*bend, lists, &path))
            {
                told.body = body;
                locked(state).pages.extend(second);
            }
        }
    }
    stream.write_all(&told.bytes(bends.contains(&Bend::Truncated))).await.ok()
}

/// The faults that meet this request, each counted.
fn ordered(state: &mut State, asked: &Asked) -> Vec<Bend> {
    let route = asked.route();
    state.routes.insert(route.clone());
    let mut met = Vec::new();
    for order in &mut state.orders {
        let named = order.route.as_ref().is_none_or(|named| *named == route);
        if named && order.left != Some(0) && asked.can(order.bend) {
            order.left = order.left.map(|left| left - 1);
            met.push(order.bend);
        }
    }
    state.revoked |= met.contains(&Bend::TokenRevoked);
    state.bent += u32::from(!met.is_empty() || state.revoked);
    met
}

fn refused(bends: &[Bend]) -> Option<Told> {
    const NO_TOKEN: &str = "<error xmlns=\"DAV:\"><valid-sync-token/></error>";
    bends.iter().find_map(|bend| match bend {
        Bend::Status(401) => Some(Told::unauthorized()),
        Bend::Status(status) => Some(Told::of(*status, &[], "")),
        Bend::RateLimited => Some(Told::of(429, &[("Retry-After", "2")], "")),
        Bend::Html => {
            Some(Told::of(200, &[("Content-Type", "text/html")], "<html>Welcome to the hotel</html>"))
        }
        Bend::CursorLost => Some(Told::of(403, &[("Content-Type", "application/xml")], NO_TOKEN)),
        Bend::CalendarGone => Some(Told::of(404, &[], "")),
        Bend::Reset
        | Bend::Slow(_)
        | Bend::ReplyLost
        | Bend::Truncated
        | Bend::TokenRevoked
        | Bend::IgnoresPrecondition
        | Bend::DropsMarker
        | Bend::ShortPage
        | Bend::DuplicatePage
        | Bend::Reordered
        | Bend::EmptyListing => None,
    })
}

/// A multistatus as text: what stands before its responses, they, and what stands after.
struct Document<'a> {
    head: &'a str,
    responses: Vec<&'a str>,
    tail: &'a str,
}

impl<'a> Document<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let is_response = |name: &str| name.rsplit(':').next() == Some("response");
        let opening = text.match_indices('<').find_map(|(at, _)| {
            let name = text[at + 1..].split(['>', ' ']).next().unwrap_or_default();
            is_response(name).then_some((at, name))
        });
        let Some((first, name)) = opening else {
            let end = text.find("<sync-token").or_else(|| text.rfind("</"))?;
            return Some(Self { head: &text[..end], responses: Vec::new(), tail: &text[end..] });
        };
        let closing = format!("</{name}>");
        let mut responses = Vec::new();
        let mut rest = &text[first..];
        while rest.trim_start().starts_with(&format!("<{name}")) {
            let end = rest.find(&closing)? + closing.len();
            responses.push(&rest[..end]);
            rest = &rest[end..];
        }
        Some(Self { head: &text[..first], responses, tail: rest })
    }

    /// The whole with this bend done to it, and a second page by its token, if that comes of it.
    fn bent(&self, bend: Bend, lists: bool, path: &str) -> (String, Option<(String, String)>) {
        let whole = |responses: &[&str], more: &str| {
            format!("{}{}{more}{}", self.head, responses.concat(), self.tail)
        };
        let responses = &self.responses;
        match bend {
            Bend::ShortPage if lists && self.tail.contains("sync-token") && responses.len() > 1 => {
                let (here, later) = responses.split_at(responses.len() / 2);
                let token = format!("data:,page-{}", later.len());
                let cut = format!(
                    "<response xmlns=\"DAV:\"><href>{path}/</href><status>HTTP/1.1 507 Insufficient Storage</status></response>"
                );
                let first = format!(
                    "{}{}{cut}<sync-token xmlns=\"DAV:\">{token}</sync-token>{}",
                    self.head,
                    here.concat(),
                    self.end()
                );
                (first, Some((token, whole(later, ""))))
            }
            Bend::DuplicatePage => (whole(responses, &responses.concat()), None),
            Bend::Reordered => {
                let turned: Vec<&str> = responses.iter().rev().copied().collect();
                (whole(&turned, ""), None)
            }
            Bend::EmptyListing => {
                let itself = format!("href>{path}/<");
                let kept: Vec<&str> = responses.iter().copied().filter(|one| one.contains(&itself)).collect();
                (whole(&kept, ""), None)
            }
            Bend::Status(_)
            | Bend::RateLimited
            | Bend::Html
            | Bend::Reset
            | Bend::Slow(_)
            | Bend::ReplyLost
            | Bend::Truncated
            | Bend::TokenRevoked
            | Bend::CursorLost
            | Bend::CalendarGone
            | Bend::IgnoresPrecondition
            | Bend::DropsMarker
            | Bend::ShortPage => (whole(responses, ""), None),
        }
    }

    /// The end tag of the whole.
    fn end(&self) -> &str {
        self.tail.rfind("</").map_or("", |at| &self.tail[at..])
    }
}
