//! What Bookiji was sent, word for word, so that she can look it through. In memory alone, and bounded. Who asked, and
//! with which sign-in, is no part of it: headers are not kept, and what a sign-in sends is withheld.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::{Peer, Request};

/// How many messages are kept; of what came before them, nothing is.
const MESSAGES: usize = 200;
/// What is kept of one body, and of all of them together.
const BODY_BYTES: usize = 256 * 1024;
const ALL_BYTES: usize = 2 * 1024 * 1024;

/// The last messages to Bookiji. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct Sent(Arc<Mutex<Log>>);

#[derive(Debug, Default)]
struct Log {
    next: u64,
    /// Newest first.
    messages: VecDeque<Message>,
}

/// One message, or several of one wording.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Newer ones have higher numbers.
    pub number: u64,
    /// When it was last sent.
    pub at: Timestamp,
    /// How often it was sent since it was first kept.
    pub times: u32,
    pub method: String,
    /// The path with names instead of values: which kind of message it is.
    pub route: &'static str,
    /// Path and query.
    pub target: String,
    pub body: Body,
    /// How long the body was.
    pub bytes: usize,
    /// What came back last time; nothing if nothing did.
    pub status: Option<u16>,
}

#[derive(Clone, PartialEq, Eq)]
pub enum Body {
    None,
    Text(String),
    /// It is longer than what is kept of it.
    Beginning(String),
    /// It holds a password or a token.
    Withheld,
}

/// Shows nothing of what was sent: it is for her eyes.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({} bytes)", self.method, self.route, self.bytes)
    }
}

impl Sent {
    /// Every kept message, newest first.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.log().messages.iter().cloned().collect()
    }

    #[must_use]
    pub fn message(&self, number: u64) -> Option<Message> {
        self.log().messages.iter().find(|message| message.number == number).cloned()
    }

    /// Keeps a request that is about to go to Bookiji; others are none of its business. Answers its number.
    pub(super) fn keep(&self, request: &Request, at: Timestamp) -> Option<u64> {
        let url = &request.url;
        let (target, body) = match request.peer {
            Peer::Bookiji => {
                let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
                (format!("{}{query}", url.path()), kept(request.body()))
            }
            // What stands in its query, or after a token, belongs to the sign-in.
            Peer::BookijiAuth => {
                let body = if request.body().is_empty() { Body::None } else { Body::Withheld };
                (url.path().to_owned(), body)
            }
            Peer::Google
            | Peer::GoogleAuth
            | Peer::Outlook
            | Peer::OutlookAuth
            | Peer::Caldav
            | Peer::Feeds => return None,
        };
        let mut log = self.log();
        let (number, bytes) = (log.next, request.body().len());
        log.next += 1;
        // The same question, asked again, is one message: how far it was read the last time is all that differs.
        let is_same = |other: &Message| {
            other.route == request.route
                && other.method == request.method.as_str()
                && other.body == body
                && (body == Body::None || other.target == target)
        };
        let before = log.messages.iter().position(is_same).and_then(|place| log.messages.remove(place));
        log.messages.push_front(Message {
            number,
            at,
            times: before.map_or(0, |before| before.times).saturating_add(1),
            method: request.method.to_string(),
            route: request.route,
            target,
            body,
            bytes,
            status: None,
        });
        log.trim();
        Some(number)
    }

    /// Notes what came back.
    pub(super) fn answered(&self, number: Option<u64>, status: u16) {
        let mut log = self.log();
        let message = log.messages.iter_mut().find(|message| Some(message.number) == number);
        if let Some(message) = message {
            message.status = Some(status);
        }
    }

    fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn trim(&mut self) {
        self.messages.truncate(MESSAGES);
        let held = |message: &Message| match &message.body {
            Body::Text(text) | Body::Beginning(text) => text.len(),
            Body::None | Body::Withheld => 0,
        };
        let mut all: usize = self.messages.iter().map(held).sum();
        while all > ALL_BYTES
            && let Some(oldest) = self.messages.pop_back()
        {
            all -= held(&oldest);
        }
    }
}

fn kept(body: &[u8]) -> Body {
    if body.is_empty() {
        return Body::None;
    }
    match std::str::from_utf8(body) {
        Ok(text) if text.len() <= BODY_BYTES => Body::Text(text.to_owned()),
        Ok(text) => Body::Beginning(text[..text.floor_char_boundary(BODY_BYTES)].to_owned()),
        Err(_) => Body::Withheld,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Method;
    use serde_json::{Value, json};
    use url::Url;

    fn request(peer: Peer, method: Method, route: &'static str, query: &str) -> Request {
        Request::new(peer, method, route, Url::parse(&format!("https://bookiji.test{route}{query}")).unwrap())
    }

    fn put(body: &Value) -> Request {
        request(Peer::Bookiji, Method::PUT, "/busy", "").json(body)
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_bookiji_is_sent_is_kept_word_for_word_newest_first_with_what_came_back() {
        let sent = Sent::default();
        let first = sent.keep(&put(&json!({"start": "09:00"})), at(1));
        sent.keep(&put(&json!({"start": "10:00"})), at(2));
        sent.answered(first, 200);
        let messages = sent.messages();
        assert_eq!(messages.iter().map(|one| one.status).collect::<Vec<_>>(), [None, Some(200)]);
        assert!(messages[1].body == Body::Text(r#"{"start":"09:00"}"#.to_owned()));
        assert_eq!((messages[1].bytes, messages[1].times), (17, 1));
        assert_eq!(sent.message(first.unwrap()).as_ref(), Some(&messages[1]));
    }

    #[test]
    fn one_question_asked_again_is_one_message_and_other_words_are_another() {
        let sent = Sent::default();
        let ask = |cursor: &str| request(Peer::Bookiji, Method::GET, "/bookings", cursor);
        sent.keep(&ask("?cursor=1"), at(1));
        sent.keep(&put(&json!({"start": "09:00"})), at(2));
        sent.keep(&ask("?cursor=2"), at(3));
        sent.keep(&put(&json!({"start": "10:00"})), at(4));
        let told: Vec<_> = sent.messages().into_iter().map(|one| (one.target, one.times, one.at)).collect();
        assert_eq!(
            told,
            [
                ("/busy".to_owned(), 1, at(4)),
                ("/bookings?cursor=2".to_owned(), 2, at(3)),
                ("/busy".to_owned(), 1, at(2)),
            ]
        );
    }

    #[test]
    fn a_sign_in_shows_neither_password_nor_token_nor_code_and_others_are_no_business_of_bookijis() {
        let sent = Sent::default();
        let sign_in = request(Peer::BookijiAuth, Method::POST, "/auth/v1/token", "?code=secret");
        sent.keep(&sign_in.json(&json!({"password": "secret"})), at(1));
        sent.keep(&request(Peer::Google, Method::GET, "/calendars", ""), at(2));
        let messages = sent.messages();
        assert_eq!(messages.len(), 1);
        assert!(messages[0].body == Body::Withheld && messages[0].target == "/auth/v1/token");
        let bearer = request(Peer::Bookiji, Method::GET, "/bookings", "").bearer(&"secret".into());
        sent.keep(&bearer, at(3));
        assert!(!format!("{:?}", sent.messages()).contains("secret"));
    }

    #[test]
    fn however_much_is_sent_little_is_kept() {
        let sent = Sent::default();
        for number in 0..1000 {
            sent.keep(&put(&json!({ "number": number })), at(number));
        }
        assert_eq!(sent.messages().len(), MESSAGES);
        for number in 0..20 {
            sent.keep(&put(&json!({"number": number, "long": "é".repeat(BODY_BYTES)})), at(number));
        }
        let held: usize = sent
            .messages()
            .iter()
            .map(|one| match &one.body {
                Body::Beginning(text) | Body::Text(text) => text.len(),
                Body::None | Body::Withheld => 0,
            })
            .sum();
        assert!(held > 0 && held <= ALL_BYTES, "{held}");
        assert!(sent.messages()[0].bytes > BODY_BYTES, "how long it was is still known");
    }
}
