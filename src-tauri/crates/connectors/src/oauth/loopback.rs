//! Listens on this computer for the one request with which the browser brings her answer. Everything else that knocks
//! is turned away, and the wait goes on.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

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
pub(super) type Reply = Result<String, Refusal>;

/// In the sign-in page's own word, and its own words for people, which hold its codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub word: String,
    pub description: String,
}

pub(super) struct Loopback {
    listener: TcpListener,
    /// The same port of the other protocol: a name may mean either.
    other: Option<TcpListener>,
    /// Name and port, as the browser names them.
    host: Arc<str>,
    path: &'static str,
    state: Arc<str>,
}

impl Loopback {
    /// Takes any free port of this computer. Answers are only believed with `state`.
    pub(super) async fn bind(state: String, redirect: Redirect) -> Result<Self, ConnectError> {
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
            return Ok(Self { listener, other, host, path, state: state.into() });
        }
    }

    /// As it is registered: the root goes without saying.
    pub(super) fn address(&self) -> String {
        format!("http://{}{}", self.host, if self.path == ROOT { "" } else { self.path })
    }

    /// Waits for the browser, then closes the port.
    pub(super) async fn answer(self) -> Reply {
        let mut guests: JoinSet<Option<Reply>> = JoinSet::new();
        loop {
            tokio::select! {
                guest = accept(&self.listener, self.other.as_ref()), if guests.len() < AT_ONCE => {
                    if let Ok(stream) = guest {
                        let (host, state) = (self.host.clone(), self.state.clone());
                        let path = self.path;
                        guests.spawn(async move { serve(stream, &host, path, &state).await });
                    }
                }
                Some(said) = guests.join_next() => {
                    if let Ok(Some(reply)) = said {
                        return reply;
                    }
                }
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

/// Answers one connection. Only the true answer is handed on.
async fn serve(mut stream: TcpStream, host: &str, path: &str, state: &str) -> Option<Reply> {
    let head = tokio::time::timeout(HEAD_PATIENCE, head(&mut stream)).await.ok()??;
    let (outcome, reply) = judge(&head, host, path, state);
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
}
