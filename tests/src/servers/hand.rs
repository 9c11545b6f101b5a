//! A hand on a CalDAV server: does what a vendor's other calendar apps do, with none of our code in between.

use reqwest::{Client, Method};

use super::{PASSWORD, USER};

/// Somebody signed in at a server, with another app than ours.
#[derive(Clone)]
pub struct Hand {
    client: Client,
    origin: String,
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub status: u16,
    pub etag: Option<String>,
    pub body: String,
}

impl Hand {
    /// # Panics
    /// Where no HTTP client can be built at all.
    #[must_use]
    pub fn at(url: &str) -> Self {
        let counters = connectors::http::Counters::default();
        // It brings the cryptography that any HTTP client here needs to be built.
        connectors::http::Http::new(counters, connectors::http::Timeouts::default()).expect("a stack");
        let client = Client::builder().no_proxy().build().expect("a client");
        Self { client, origin: url.trim_end_matches('/').to_owned() }
    }

    /// Sends one request.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Told {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.client.request(method, format!("{}{path}", self.origin));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.basic_auth(USER, Some(PASSWORD)).body(body.to_owned());
        let answer = request.send().await.expect("an answer");
        let etag = answer.headers().get("etag").and_then(|value| value.to_str().ok()).map(str::to_owned);
        Told { status: answer.status().as_u16(), etag, body: answer.text().await.unwrap_or_default() }
    }

    /// Makes a calendar.
    pub async fn make_calendar(&self, path: &str, name: &str) {
        let body = format!(
            "<C:mkcalendar xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><D:set><D:prop>\
             <D:displayname>{name}</D:displayname></D:prop></D:set></C:mkcalendar>"
        );
        let told = self.send("MKCALENDAR", path, &[("Content-Type", "application/xml")], &body).await;
        assert_eq!(told.status, 201, "{told:?}");
    }

    /// Puts an event's file there, whatever was there before.
    pub async fn put(&self, path: &str, text: &str) {
        let told = self.send("PUT", path, &[("Content-Type", "text/calendar; charset=utf-8")], text).await;
        assert!((200..300).contains(&told.status), "{path}: {told:?}");
    }

    pub async fn get(&self, path: &str) -> Told {
        self.send("GET", path, &[], "").await
    }

    pub async fn delete(&self, path: &str) {
        let told = self.send("DELETE", path, &[], "").await;
        assert!((200..300).contains(&told.status), "{path}: {told:?}");
    }
}

/// A plain event, as an app would write it.
#[must_use]
pub fn event(uid: &str, start: &str, end: &str, more: &str) -> String {
    let more = more.replace('\n', "\r\n");
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Another App//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\n\
         DTSTAMP:20261101T000000Z\r\nDTSTART:{start}\r\nDTEND:{end}\r\nSUMMARY:Hers\r\n{more}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}
