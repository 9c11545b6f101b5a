//! Enough HTTP for a server of our own on this machine: one request a connection, and redirects followed.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);
const REDIRECTS: usize = 8;

/// Sends one request and returns the JSON of a good answer.
pub fn json(method: &str, url: &str, body: Option<&Value>) -> Result<Value> {
    let text = text(method, url, body)?;
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text).with_context(|| format!("{method} {url} answered no JSON"))
}

/// Sends one request, follows where it leads, and returns the body of a good answer.
pub fn text(method: &str, url: &str, body: Option<&Value>) -> Result<String> {
    let mut url = url.to_owned();
    for _ in 0..REDIRECTS {
        let (status, location, text) = exchange(method, &url, body)?;
        match (status, location) {
            (200..=299, _) => return Ok(text),
            (300..=399, Some(location)) if location.starts_with('/') => {
                let (host, _) = split(&url)?;
                url = format!("http://{host}{location}");
            }
            (300..=399, Some(location)) => url = location,
            (status, _) => bail!("{method} {url} answered {status}: {text}"),
        }
    }
    bail!("{method} {url} leads in circles")
}

/// HTTP/1.0, so that the body ends where the connection does.
fn exchange(method: &str, url: &str, body: Option<&Value>) -> Result<(u16, Option<String>, String)> {
    let (host, path) = split(url)?;
    if !host.starts_with("127.0.0.1:") {
        bail!("{url} is not on this machine's loopback");
    }
    let body = body.map(Value::to_string).unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(host).with_context(|| format!("connecting to {host}"))?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).with_context(|| format!("reading what {url} answers"))?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, text) = answer.split_once("\r\n\r\n").context("half an answer")?;
    let status =
        head.split(' ').nth(1).and_then(|word| word.parse().ok()).context("no status in the answer")?;
    let location = head.lines().skip(1).find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("location").then(|| value.trim().to_owned())
    });
    Ok((status, location, text.to_owned()))
}

/// Host with port, and the rest.
fn split(url: &str) -> Result<(&str, &str)> {
    let rest = url.strip_prefix("http://").with_context(|| format!("{url} is not http"))?;
    let rest = rest.split('#').next().unwrap_or(rest);
    Ok(match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    /// Answers one connection after the other with what is given, and says what was asked.
    fn serve(answers: Vec<String>) -> (String, thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = format!("http://{}", listener.local_addr().unwrap());
        let asked = thread::spawn(move || {
            let answer_one = |answer: String| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = vec![0; 4096];
                let length = stream.read(&mut request).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
                String::from_utf8_lossy(&request[..length]).lines().next().unwrap_or_default().to_owned()
            };
            answers.into_iter().map(answer_one).collect()
        });
        (host, asked)
    }

    #[test]
    fn a_redirect_is_followed_to_its_end() {
        let moved = "HTTP/1.0 302 Found\r\nlocation: /there?x=1\r\n\r\n".to_owned();
        let (host, asked) = serve(vec![moved, "HTTP/1.0 200 OK\r\n\r\nhere".to_owned()]);
        assert_eq!(text("GET", &format!("{host}/"), None).unwrap(), "here");
        assert_eq!(asked.join().unwrap(), ["GET / HTTP/1.0", "GET /there?x=1 HTTP/1.0"]);
    }

    #[test]
    fn a_refusal_says_its_status_and_words() {
        let (host, asked) = serve(vec!["HTTP/1.0 409 Conflict\r\n\r\ntaken".to_owned()]);
        let error = json("POST", &host, None).unwrap_err().to_string();
        assert!(error.contains("409: taken"), "{error}");
        asked.join().unwrap();
    }

    #[test]
    fn nothing_beyond_the_loopback_is_ever_asked() {
        for url in [
            "http://192.0.2.1:80/",
            "http://localhost.example/",
            "https://127.0.0.1:1/",
            "http://127.0.0.10:1/",
        ] {
            assert!(text("GET", url, None).is_err(), "{url}");
        }
    }
}
