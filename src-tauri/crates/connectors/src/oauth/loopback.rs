//! Listens on this computer for the one request with which the browser brings her answer. Everything else that knocks
//! is turned away, and the wait goes on.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use url::Url;

use super::page::{Outcome, response};
use super::{ConnectError, Redirect};

const PATH: &str = "/signed-in";
/// Where a service registers a name without a path, the browser comes back to the root.
const ROOT: &str = "/";
/// A request head larger than this is no browser's.
const HEAD_CAP: usize = 16 * 1024;
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// Browsers open a few connections ahead; more are somebody else's.
const AT_ONCE: usize = 16;

/// How often another port is tried where one is free for one protocol only.
const PORTS: usize = 8;

/// The authorization code, or what the sign-in page refused with.
pub(crate) type Reply = Result<String, Refusal>;

/// In the sign-in page's own word, and its own words for people, which hold its codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub word: String,
    pub description: String,
}

/// Where a true answer comes, and by what it is known.
#[derive(Clone, Debug)]
struct Place {
    /// Name and port, as the browser names them.
    host: Arc<str>,
    path: &'static str,
    state: Arc<str>,
}

impl Place {
    fn judge(&self, head: &str) -> (Outcome, Option<Reply>) {
        judge(head, &self.host, self.path, &self.state)
    }
}

pub(crate) struct Loopback {
    listener: TcpListener,
    /// The same port of the other protocol: a name may mean either.
    other: Option<TcpListener>,
    place: Place,
    links: (mpsc::Sender<Reply>, mpsc::Receiver<Reply>),
}

/// The way in for an answer that does not come by itself: the browser is on another computer, or something keeps it from
/// coming back to this one.
#[derive(Clone, Debug)]
pub struct PastedLink {
    place: Place,
    answers: mpsc::Sender<Reply>,
}

impl PastedLink {
    /// Takes the address at which the browser ended; answers whether it is this sign-in's.
    #[must_use]
    pub fn take(&self, link: &str) -> bool {
        let Some(target) = self.target(link.trim()) else { return false };
        // The same eyes as for a request.
        let head = format!("GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", self.place.host);
        let (_, Some(reply)) = self.place.judge(&head) else { return false };
        // A full one has an answer already.
        self.answers.try_send(reply).is_ok()
    }

    fn target(&self, link: &str) -> Option<String> {
        if link.len() > HEAD_CAP {
            return None;
        }
        // Browsers like to leave out how an address begins.
        let whole = if link.contains("://") { link.to_owned() } else { format!("http://{link}") };
        let url = Url::parse(&whole).ok()?;
        let host = format!("{}:{}", url.host_str()?, url.port()?);
        let same = url.scheme() == "http" && host == *self.place.host;
        same.then(|| format!("{}?{}", url.path(), url.query().unwrap_or_default()))
    }
}

/// A listener that has its answer. It stays until the sign-in is through, so that her browser, asked again, shows a page
/// and no error.
pub(crate) struct Answered {
    loopback: Loopback,
    guests: JoinSet<Option<Reply>>,
}

impl Answered {
    /// Turns away whoever comes while `rest` is done, and then closes the port.
    pub(crate) async fn during<T>(mut self, rest: impl Future<Output = T>) -> T {
        tokio::select! {
            done = rest => done,
            never = self.loopback.turn_away(&mut self.guests) => never,
        }
    }
}

impl Loopback {
    /// Takes any free port of this computer. Answers are only believed with `state`.
    pub(crate) async fn bind(state: String, redirect: Redirect) -> Result<Self, ConnectError> {
        let failed = |error: std::io::Error| ConnectError::CannotListen { reason: error.to_string() };
        let mut tries = PORTS;
        loop {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
            let port = listener.local_addr().map_err(failed)?.port();
            let (name, path, other) = match redirect {
                Redirect::Address => ("127.0.0.1", PATH, None),
                Redirect::Localhost => match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
                    Ok(other) => ("localhost", ROOT, Some(other)),
                    // Somebody else would get half of the browser's answers.
                    Err(error) if error.kind() == ErrorKind::AddrInUse && tries > 0 => {
                        tries -= 1;
                        continue;
                    }
                    Err(error) if error.kind() == ErrorKind::AddrInUse => return Err(failed(error)),
                    // This computer has one protocol only.
                    Err(_) => ("localhost", ROOT, None),
                },
            };
            let host = format!("{name}:{port}").into();
            let place = Place { host, path, state: state.into() };
            return Ok(Self { listener, other, place, links: mpsc::channel(1) });
        }
    }

    /// As it is registered: the root goes without saying.
    pub(crate) fn address(&self) -> String {
        let Place { host, path, .. } = &self.place;
        format!("http://{host}{}", if *path == ROOT { "" } else { path })
    }

    pub(crate) fn pasted_link(&self) -> PastedLink {
        PastedLink { place: self.place.clone(), answers: self.links.0.clone() }
    }

    /// Waits for the browser, or for what it was to bring. One answer counts.
    pub(crate) async fn answer(mut self) -> (Reply, Answered) {
        let mut guests: JoinSet<Option<Reply>> = JoinSet::new();
        let answered = Arc::new(AtomicBool::new(false));
        let reply = loop {
            tokio::select! {
                guest = accept(&self.listener, self.other.as_ref()), if guests.len() < AT_ONCE => {
                    if let Ok(stream) = guest {
                        let (place, answered) = (self.place.clone(), answered.clone());
                        guests.spawn(async move { serve(stream, &place, &answered).await });
                    }
                }
                Some(said) = guests.join_next() => {
                    if let Ok(Some(reply)) = said {
                        break reply;
                    }
                }
                Some(reply) = self.links.1.recv() => {
                    if !answered.swap(true, Ordering::SeqCst) {
                        break reply;
                    }
                }
            }
        };
        (reply, Answered { loopback: self, guests })
    }

    async fn turn_away(&self, guests: &mut JoinSet<Option<Reply>>) -> ! {
        let answered = Arc::new(AtomicBool::new(true));
        loop {
            tokio::select! {
                guest = accept(&self.listener, self.other.as_ref()), if guests.len() < AT_ONCE => {
                    if let Ok(stream) = guest {
                        let (place, answered) = (self.place.clone(), answered.clone());
                        guests.spawn(async move { serve(stream, &place, &answered).await });
                    }
                }
                Some(_) = guests.join_next() => {}
            }
        }
    }
}

async fn accept(one: &TcpListener, other: Option<&TcpListener>) -> std::io::Result<TcpStream> {
    let other = async {
        match other {
            Some(other) => other.accept().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        guest = one.accept() => guest,
        guest = other => guest,
    }
    .map(|(stream, _)| stream)
}

/// Answers one connection. Only the true answer is handed on, and only the first.
async fn serve(mut stream: TcpStream, place: &Place, answered: &AtomicBool) -> Option<Reply> {
    let head = tokio::time::timeout(HEAD_PATIENCE, head(&mut stream)).await.ok()??;
    let (mut outcome, mut reply) = place.judge(&head);
    if reply.is_some() && answered.swap(true, Ordering::SeqCst) {
        (outcome, reply) = (Outcome::Already, None);
    }
    let language = header(&head, "accept-language").unwrap_or_default();
    let _ = stream.write_all(response(outcome, language).as_bytes()).await;
    let _ = stream.shutdown().await;
    reply
}

async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut piece = [0; 2048];
    while !bytes.windows(4).any(|four| four == b"\r\n\r\n") {
        let read = stream.read(&mut piece).await.ok().filter(|&read| read > 0)?;
        if bytes.len() + read > HEAD_CAP {
            return None;
        }
        bytes.extend_from_slice(&piece[..read]);
    }
    String::from_utf8(bytes).ok()
}

/// Decides what a request is worth. Pure.
fn judge(head: &str, host: &str, expected: &str, state: &str) -> (Outcome, Option<Reply>) {
    let mut first = head.lines().next().unwrap_or_default().split(' ');
    let (method, target) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    if header(head, "host") != Some(host) {
        // A page elsewhere that has this port looked up under its own name would come with that name.
        return (Outcome::Elsewhere, None);
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if method != "GET" || path != expected {
        return (Outcome::Elsewhere, None);
    }
    let values = |name: &str| {
        url::form_urlencoded::parse(query.as_bytes())
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .collect::<Vec<_>>()
    };
    if values("state") != [state] {
        return (Outcome::Stranger, None);
    }
    match (values("code").as_slice(), values("error").as_slice()) {
        ([code], []) if !code.is_empty() => (Outcome::Thanks, Some(Ok(code.clone()))),
        ([], [error]) => {
            let description = values("error_description").concat();
            (Outcome::Refused, Some(Err(Refusal { word: error.clone(), description })))
        }
        _ => (Outcome::Stranger, None),
    }
}

fn header<'head>(head: &'head str, name: &str) -> Option<&'head str> {
    let mut found = head
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':'))
        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim());
    let value = found.next();
    if found.next().is_some() { None } else { value }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[track_caller]
    fn check(head: &str, outcome: Outcome, reply: Option<Reply>) {
        assert_eq!(judge(head, "127.0.0.1:4000", PATH, "s3"), (outcome, reply), "{head}");
    }

    fn get(target: &str) -> String {
        format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:4000\r\nAccept: */*\r\n\r\n")
    }

    #[test]
    fn only_the_true_answer_at_the_true_address_is_believed() {
        check(&get("/signed-in?code=a%2Fb&state=s3&scope=x"), Outcome::Thanks, Some(Ok("a/b".into())));
        check(
            &get("/signed-in?error=access_denied&state=s3&error_description=AADSTS65004%3a+no"),
            Outcome::Refused,
            Some(Err(Refusal { word: "access_denied".into(), description: "AADSTS65004: no".into() })),
        );
        check(&get("/signed-in?code=a&state=other"), Outcome::Stranger, None);
        check(&get("/signed-in?code=a"), Outcome::Stranger, None);
        check(&get("/signed-in?code=a&code=b&state=s3"), Outcome::Stranger, None);
        check(&get("/signed-in?code=a&error=b&state=s3"), Outcome::Stranger, None);
        check(&get("/signed-in?state=s3"), Outcome::Stranger, None);
        check(&get("/signed-in?code=a&state=s3&state=s4"), Outcome::Stranger, None);
        check(&get("/signed-in/?code=a&state=s3"), Outcome::Elsewhere, None);
        check(&get("/favicon.ico"), Outcome::Elsewhere, None);
        let post = get("/signed-in?code=a&state=s3").replace("GET", "POST");
        check(&post, Outcome::Elsewhere, None);
        let elsewhere = get("/signed-in?code=a&state=s3").replace("Host: 127.0.0.1", "Host: evil.example");
        check(&elsewhere, Outcome::Elsewhere, None);
        let twice = get("/signed-in?code=a&state=s3").replace("Accept: */*", "Host: 127.0.0.1:4000");
        check(&twice, Outcome::Elsewhere, None);
        check("", Outcome::Elsewhere, None);
    }

    #[tokio::test]
    async fn a_pasted_link_is_looked_at_with_the_same_eyes() {
        let loopback = Loopback::bind("s3".to_owned(), Redirect::Address).await.unwrap();
        let (host, pasted) = (loopback.place.host.clone(), loopback.pasted_link());
        for link in [
            "",
            "code=a&state=s3",
            "http://127.0.0.1/signed-in?code=a&state=s3",
            "http://127.0.0.1:1/signed-in?code=a&state=s3",
            &format!("https://{host}/signed-in?code=a&state=s3"),
            &format!("http://{host}/?code=a&state=s3"),
            &format!("http://{host}/signed-in?code=a&state=s4"),
            &format!("http://{host}/signed-in?state=s3"),
            &format!("http://{host}/signed-in?code=a&state=s3&{}", "x".repeat(HEAD_CAP)),
        ] {
            assert!(!pasted.take(link), "{link}");
        }
        assert!(pasted.take(&format!(" {host}/signed-in?code=a%2Fb&state=s3&scope=x \r\n")));
        assert!(!pasted.take(&format!("http://{host}/signed-in?code=other&state=s3")), "one answer counts");
        let (reply, _) = loopback.answer().await;
        assert_eq!(reply, Ok("a/b".to_owned()));
    }

    #[tokio::test]
    async fn a_name_is_listened_to_for_both_protocols_at_one_port_that_nobody_else_can_take() {
        let loopback = Loopback::bind("s3".to_owned(), Redirect::Localhost).await.unwrap();
        let address = Url::parse(&loopback.address()).unwrap();
        assert_eq!((address.host_str(), address.path()), (Some("localhost"), "/"));
        let port = address.port().unwrap();
        let Some(other) = &loopback.other else { return };
        assert_eq!(other.local_addr().unwrap().port(), port);
        for taken in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
            assert!(TcpListener::bind((taken, port)).await.is_err());
        }
        let visitor = tokio::spawn(async move {
            let mut stream = TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await.unwrap();
            let request = format!("GET /?code=c&state=s3 HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut page = String::new();
            stream.read_to_string(&mut page).await.unwrap();
            page
        });
        let (reply, answered) = loopback.answer().await;
        assert_eq!(reply, Ok("c".to_owned()));
        let page = answered.during(async { visitor.await.unwrap() }).await;
        assert!(page.contains("Thank you"), "{page}");
    }
}
