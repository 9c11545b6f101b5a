//! Many requests in one (`$batch`, provider notes B6): at most twenty at a time, each with an answer of its own.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use sync::error::ServiceError;
use url::Url;

use super::{Api, PREFER, refusal};
use crate::http::{Answer, Method, Peer, StatusCode, garbled};

pub(super) const AT_ONCE: usize = 20;

/// One of the requests.
pub(super) struct Ask {
    pub method: Method,
    pub url: Url,
    pub body: Option<Value>,
}

impl Ask {
    pub(super) fn get(url: Url) -> Self {
        Self { method: Method::GET, url, body: None }
    }
}

impl Api {
    /// Sends them in order, twenty at a time. The answers are in the order of the questions; where a whole lot was not
    /// answered, nothing more is sent, and each that is left has the same error.
    pub(super) async fn batch(&self, asks: Vec<Ask>) -> Vec<Result<Answer, ServiceError>> {
        let mut answers = Vec::with_capacity(asks.len());
        let mut lots = asks.chunks(AT_ONCE);
        for lot in &mut lots {
            match self.lot(lot).await {
                Ok(parts) => answers.extend(parts),
                Err(error) => {
                    answers.resize_with(asks.len(), || Err(error.clone()));
                    break;
                }
            }
        }
        answers
    }

    async fn lot(&self, asks: &[Ask]) -> Result<Vec<Result<Answer, ServiceError>>, ServiceError> {
        let requests: Vec<Value> =
            asks.iter().enumerate().map(|(number, ask)| self.inner(number, ask)).collect();
        let request = self
            .request(Method::POST, "/v1.0/$batch", self.url(&["$batch"]))
            .json(&json!({"requests": requests}))
            .standing_for(asks.len());
        // Graph counts what is inside (provider notes B6).
        let gate = self.signed.tokens.gate();
        gate.draw(asks.len().saturating_sub(1)).await;
        let whole = self.send(request).await?;
        if !whole.status.is_success() {
            return Err(refusal::error(&whole));
        }
        let mut body: Value = whole.json()?;
        let Some(responses) = body["responses"].as_array_mut() else {
            return Err(garbled(Peer::Outlook, "its answer to many requests holds no answers"));
        };
        // They come in any order.
        let mut parts: Vec<Option<Answer>> = asks.iter().map(|_| None).collect();
        for response in responses {
            let number = response["id"].as_str().and_then(|id| id.parse::<usize>().ok());
            if let Some(place) = number.and_then(|number| parts.get_mut(number)) {
                *place = part(&whole, response.take());
                place.iter().for_each(|answer| gate.heed(answer));
            }
        }
        let missing = || garbled(Peer::Outlook, "its answer to many requests leaves one out");
        Ok(parts.into_iter().map(|part| part.ok_or_else(missing)).collect())
    }

    fn inner(&self, number: usize, ask: &Ask) -> Value {
        let mut headers = Map::from_iter([("Prefer".to_owned(), json!(PREFER))]);
        if ask.body.is_some() {
            headers.insert("Content-Type".to_owned(), json!("application/json"));
        }
        let mut inner = json!({
            "id": number.to_string(),
            "method": ask.method.as_str(),
            "url": self.relative(&ask.url),
            "headers": headers,
        });
        if let Some(body) = &ask.body {
            inner["body"] = body.clone();
        }
        inner
    }

    /// The address as it is named inside of a batch: under the version.
    fn relative(&self, url: &Url) -> String {
        let root = self.url(&[]);
        let path = url.path().strip_prefix(root.path().trim_end_matches('/')).unwrap_or_else(|| url.path());
        match url.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        }
    }
}

/// Nothing for what has no status.
fn part(whole: &Answer, mut response: Value) -> Option<Answer> {
    let status = response["status"].as_u64().and_then(|status| u16::try_from(status).ok())?;
    let mut headers = HeaderMap::new();
    for (name, value) in response["headers"].as_object().into_iter().flatten() {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = value.as_str().map(HeaderValue::from_str);
        if let (Ok(name), Some(Ok(value))) = (name, value) {
            headers.insert(name, value);
        }
    }
    let body = response["body"].take();
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    Some(Answer::part(whole, StatusCode::from_u16(status).ok()?, headers, body))
}
