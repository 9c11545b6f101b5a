//! A door on loopback before a real server: what comes in as text, what goes out as text, and the way between the two.

use reqwest::{Client, Method, StatusCode};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};

/// Stands open until it is dropped.
pub(super) struct Door {
    /// Ends with a slash.
    pub url: String,
    task: tokio::task::JoinHandle<()>,
}

impl Door {
    /// Whoever comes in is dealt with by `served`, each by itself.
    pub async fn open<F>(served: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Option<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(served(stream));
            }
        });
        Self { url, task }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Changes nothing of what it carries.
pub(super) fn client() -> Client {
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .no_gzip()
        .no_brotli()
        .build()
        .expect("a client")
}

pub(super) struct Asked {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Asked {
    pub async fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        let end = loop {
            let mut piece = [0; 4096];
            let read = stream.read(&mut piece).await.ok().filter(|&read| read > 0)?;
            bytes.extend_from_slice(&piece[..read]);
            if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
        };
        let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
        let mut lines = head.split("\r\n");
        let mut first = lines.next()?.split(' ');
        let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length: usize = length.map_or(Some(0), |(_, value)| value.parse().ok())?;
        let mut body = bytes.split_off(end + 4);
        while body.len() < length {
            let mut piece = [0; 4096];
            let read = stream.read(&mut piece).await.ok().filter(|&read| read > 0)?;
            body.extend_from_slice(&piece[..read]);
        }
        Some(Self { method, target, headers, body: String::from_utf8(body).ok()? })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What is sent back.
pub(super) struct Told {
    pub status: StatusCode,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Told {
    pub fn of(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, headers: headers.iter().map(owned).collect(), body: body.to_owned() }
    }

    pub fn unauthorized() -> Self {
        Self::of(401, &[("WWW-Authenticate", "Basic realm=\"x\"")], "")
    }

    /// As it goes over the wire; `cut` says more length than there comes.
    pub fn bytes(&self, cut: bool) -> Vec<u8> {
        let mut head = format!(
            "HTTP/1.1 {}\r\nConnection: close\r\nContent-Length: {}\r\n",
            self.status,
            self.body.len()
        );
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        let body = self.body.as_bytes();
        bytes.extend_from_slice(if cut { &body[..body.len() / 2] } else { body });
        if cut && body.is_empty() {
            // There is nothing to cut but the head.
            bytes.truncate(bytes.len() / 2);
        }
        bytes
    }
}

pub(super) async fn forwarded(client: &Client, server: &str, asked: &Asked) -> Option<Told> {
    let method = Method::from_bytes(asked.method.as_bytes()).ok()?;
    let mut request = client.request(method, format!("{server}{}", asked.target));
    for (name, value) in &asked.headers {
        // The host stays ours, so that whole addresses lead back here; nothing is packed, so that it can be bent.
        if !matches!(name.as_str(), "content-length" | "connection" | "accept-encoding") {
            request = request.header(name, value);
        }
    }
    let answer = request.body(asked.body.clone()).send().await.ok()?;
    let kept =
        |name: &str| !matches!(name, "content-length" | "connection" | "transfer-encoding" | "keep-alive");
    let headers = answer.headers().iter().filter(|(name, _)| kept(name.as_str()));
    let headers = headers
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let (status, headers) = (answer.status(), headers.collect());
    Some(Told { status, headers, body: answer.text().await.ok()? })
}
