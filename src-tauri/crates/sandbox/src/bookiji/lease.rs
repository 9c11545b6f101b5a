//! `/api/vendor/calendar/lease`: which of a vendor's computers writes. Every lease has a number greater than all before
//! it, and a write that carries an older one is refused in the same breath in which it would have been done.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::problem::Problem;
use super::request::{data, text, whole, write};
use crate::app::App;
use crate::time::{after, zulu, zulu_ms};
use crate::wire::Call;

pub const FENCING_TOKEN: &str = "fencing-token";

const LONGEST_S: i64 = 300;
const LONGEST_NAME: usize = 100;

/// A computer that asked within this time may ask again.
const REMEMBERED_S: i64 = 24 * 3600;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Leases {
    /// Of the last lease there was; 0 before the first.
    fencing: u64,
    held: Option<Held>,
    /// When each installation last asked.
    asked: BTreeMap<String, Timestamp>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Held {
    installation: String,
    name: String,
    granted_at: Timestamp,
    expires_at: Timestamp,
}

/// Whose route it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Only desktop clients use it: while one holds the lease, a write without a number is not the holder's.
    Desktop,
    /// The website uses it too, and she may always act there herself: a write without a number is let through.
    Website,
}

/// Why a write is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fenced(pub &'static str);

impl From<Fenced> for Problem {
    fn from(fenced: Fenced) -> Self {
        Self::new(409, "FENCED", fenced.0)
    }
}

impl Leases {
    fn holder(&self, now: Timestamp) -> Option<&Held> {
        self.held.as_ref().filter(|held| now < held.expires_at)
    }

    /// Grants what is free or over, and more to who has it.
    fn ask(&mut self, installation: &str, name: &str, ttl_s: i64, now: Timestamp) -> Value {
        self.asked.retain(|_, at| after(*at, REMEMBERED_S) > now);
        self.asked.insert(installation.to_owned(), now);
        let expires_at = after(now, ttl_s);
        let granted_at = match self.holder(now) {
            Some(held) if held.installation == installation => Some(held.granted_at),
            Some(_) => None,
            None => {
                self.fencing += 1;
                Some(now)
            }
        };
        if let Some(granted_at) = granted_at {
            let (installation, name) = (installation.to_owned(), name.to_owned());
            self.held = Some(Held { installation, name, granted_at, expires_at });
        }
        let others = self.asked.keys().filter(|other| *other != installation).count();
        let holder = self.held.as_ref();
        json!({
            "granted": granted_at.is_some(),
            "holder": {"installation_id": holder.map(|held| &held.installation),
                "name": holder.map(|held| &held.name)},
            "fencing": self.fencing,
            "expires_at": holder.map(|held| zulu_ms(held.expires_at)),
            "server_time": zulu_ms(now),
            "others": others,
        })
    }

    /// # Errors
    /// When it is not the holder's, or no longer.
    fn release(&mut self, installation: &str, number: u64) -> Result<(), Fenced> {
        match &self.held {
            Some(held) if held.installation == installation && self.fencing == number => {
                self.held = None;
                Ok(())
            }
            Some(_) | None => Err(Fenced("This lease has ended or is another computer's")),
        }
    }

    /// Whether a write may be done now. The last number stays good until there is a greater one, even if its time is
    /// over: nobody else can have written since.
    ///
    /// # Errors
    /// When another computer's turn has come.
    pub fn admit(&self, call: &Call, door: Door, now: Timestamp) -> Result<(), Fenced> {
        let Some(told) = call.headers.get(FENCING_TOKEN) else {
            let refused = door == Door::Desktop && self.holder(now).is_some();
            return if refused { Err(Fenced("Another computer holds the lease")) } else { Ok(()) };
        };
        let number = told.to_str().ok().and_then(|text| text.parse().ok());
        if number == Some(self.fencing) {
            Ok(())
        } else {
            Err(Fenced("Fencing-Token is not the number of the last lease"))
        }
    }

    /// Lets an answer tell the last number, so that whoever reads learns that another computer has written.
    pub fn tell(&self, response: &mut Response) {
        if self.fencing > 0 {
            response.headers_mut().insert(FENCING_TOKEN, HeaderValue::from(self.fencing));
        }
    }

    /// For `/_sandbox/state`: the last lease, also after its end.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> Vec<Value> {
        let told = |held: &Held| {
            json!({"installation_id": held.installation, "name": held.name, "fencing": self.fencing,
                "granted_at": zulu(held.granted_at), "expires_at": zulu_ms(held.expires_at),
                "live": now < held.expires_at})
        };
        self.held.iter().map(told).collect()
    }
}

pub async fn put(State(app): State<App>, call: Call) -> Response {
    write(&app, &call, |world, body, now| {
        let installation = text(body, "installation_id")?;
        if !(8..=100).contains(&installation.len()) || !installation.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Problem::validation("installation_id has 8 to 100 visible ASCII characters"));
        }
        let name = text(body, "name")?;
        if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(Problem::validation(format!(
                "name has at most {LONGEST_NAME} characters, on one line"
            )));
        }
        let ttl_s = body.get("ttl_s").and_then(whole).and_then(|ttl| i64::try_from(ttl).ok());
        let ttl_s = ttl_s.filter(|ttl| (1..=LONGEST_S).contains(ttl));
        let ttl_s =
            ttl_s.ok_or_else(|| Problem::validation(format!("ttl_s is between 1 and {LONGEST_S}")))?;
        Ok(data(world.platform.leases.ask(installation, name, ttl_s, now)))
    })
}

pub async fn delete(State(app): State<App>, call: Call) -> Response {
    write(&app, &call, |world, _, _| {
        let installation = call
            .query("installation_id")
            .ok_or_else(|| Problem::validation("installation_id is required"))?;
        let number = call.header(FENCING_TOKEN).and_then(|text| text.parse().ok());
        let number = number.ok_or_else(|| Problem::validation("Fencing-Token is required"))?;
        world.platform.leases.release(installation, number)?;
        Ok(data(json!({"released": true})))
    })
}
