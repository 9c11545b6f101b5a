//! A server that answers as told, byte for byte if need be, and remembers what it was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connectors::http::{Base, Counters, Http, Timeouts};
use connectors::tokens::{Grant, Tokens};
use connectors::vault::{Memory, SecretName};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Asked {
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }

    pub fn one(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// What to answer.
pub enum Reply {
    Json(u16, Value),
    /// Status line, headers and body, as they are.
    Raw(String),
    /// The same where it is no text.
    Bytes(Vec<u8>),
    /// A head, and then this piece again and again, never to an end.
    Drip(String, &'static str, Duration),
    /// The connection breaks without a word.
    Reset,
    /// Nothing, for ever.
    Silence,
}

impl Reply {
    pub fn html(status: u16) -> Self {
        Self::with(status, "Content-Type: text/html\r\n", "<html>Welcome to the hotel</html>")
    }

    pub fn with(status: u16, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self::Raw(format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{headers}\r\n{body}"))
    }

    pub fn half() -> Self {
        Self::Raw(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"ite".into(),
        )
    }
}

pub struct Server {
    pub url: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Answers the n-th request, counted from 0, with `answer`.
    pub async fn start(answer: impl Fn(usize, &Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (answer, seen) = (Arc::new(answer), asked.clone());
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (answer, seen) = (answer.clone(), seen.clone());
                tokio::spawn(async move { serve(stream, &*answer, &seen).await });
            }
        });
        Self { url, asked, task }
    }

    pub fn base(&self) -> Base {
        Base::new(self.url.clone()).unwrap()
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: &(impl Fn(usize, &Asked) -> Reply + Send + Sync),
    seen: &Mutex<Vec<Asked>>,
) -> Option<()> {
    let mut bytes = Vec::new();
    let (head, rest) = loop {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.ok().filter(|&read| read > 0)?;
        bytes.extend_from_slice(&piece[..read]);
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break (String::from_utf8(bytes[..at].to_vec()).ok()?, bytes[at + 4..].to_vec());
        }
    };
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = rest;
    while body.len() < length {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.ok().filter(|&read| read > 0)?;
        body.extend_from_slice(&piece[..read]);
    }
    let url = Url::parse("http://x").unwrap().join(&target).ok()?;
    let asked = Asked {
        method,
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        headers,
        body: String::from_utf8(body).ok()?,
    };
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(asked.clone());
        seen.len() - 1
    };
    let bytes = match answer(number, &asked) {
        Reply::Json(status, body) => {
            let Reply::Raw(text) =
                Reply::with(status, "Content-Type: application/json; charset=UTF-8\r\n", &body.to_string())
            else {
                unreachable!()
            };
            text.into_bytes()
        }
        Reply::Raw(text) => text.into_bytes(),
        Reply::Bytes(bytes) => bytes,
        Reply::Drip(head, piece, every) => {
            stream.write_all(head.as_bytes()).await.ok()?;
            loop {
                stream.write_all(piece.as_bytes()).await.ok()?;
                tokio::time::sleep(every).await;
            }
        }
        Reply::Reset => {
            stream.set_zero_linger().ok()?;
            return None;
        }
        Reply::Silence => return std::future::pending().await,
    };
    stream.write_all(&bytes).await.ok()?;
    stream.shutdown().await.ok()
}

pub fn stack() -> Http {
    Http::new(Counters::default(), Timeouts::default()).unwrap()
}

/// A sign-in that needs no server: the access token is `token`.
pub async fn signed_in() -> Tokens {
    let tokens =
        Tokens::new(Arc::new(super::tokens::Nobody), Arc::new(Memory::default()), SecretName::bookiji());
    tokens
        .adopt(Grant {
            access: "token".into(),
            expires_in: Duration::from_secs(3600),
            refresh: Some("refresh".into()),
        })
        .await
        .unwrap();
    tokens
}
