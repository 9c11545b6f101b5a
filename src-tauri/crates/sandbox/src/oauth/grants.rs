//! Who let the app do what: grants, the codes that become them, and the tokens that stand for them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::request::Challenge;
use crate::names::{Names, hashed};
use crate::time::after;

pub const ACCESS_SECONDS: i64 = 3600;
const CODE_SECONDS: i64 = 600;
/// Google drops the oldest refresh token of an account and client beyond this, and says nothing.
const LIVE_REFRESH_TOKENS: usize = 100;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Grants {
    codes: BTreeMap<String, Code>,
    refresh: BTreeMap<String, Refresh>,
    access: BTreeMap<String, Access>,
    issued: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Code {
    pub account: String,
    pub scopes: Vec<String>,
    pub redirect: String,
    pub challenge: Option<Challenge>,
    pub expires_at: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Refresh {
    account: String,
    scopes: Vec<String>,
    number: u64,
}

/// What a live access token stands for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Access {
    pub account: String,
    pub scopes: Vec<String>,
    expires_at: Timestamp,
}

impl Grants {
    pub fn code(
        &mut self,
        names: &mut Names,
        account: &str,
        scopes: Vec<String>,
        redirect: &str,
        challenge: Option<Challenge>,
        now: Timestamp,
    ) -> String {
        let word = names.token("4/0");
        let expires_at = after(now, CODE_SECONDS);
        let code = Code {
            account: account.to_owned(),
            scopes,
            redirect: redirect.to_owned(),
            challenge,
            expires_at,
        };
        self.codes.retain(|_, code| code.expires_at > now);
        self.codes.insert(word.clone(), code);
        word
    }

    /// A code is good for one try, whatever comes of it.
    pub fn take_code(&mut self, word: &str, now: Timestamp) -> Option<Code> {
        self.codes.remove(word).filter(|code| code.expires_at > now)
    }

    pub fn begin(&mut self, names: &mut Names, code: &Code) -> String {
        let word = names.token("1//0");
        self.issued += 1;
        let grant =
            Refresh { account: code.account.clone(), scopes: code.scopes.clone(), number: self.issued };
        self.refresh.insert(word.clone(), grant);
        let of_account = self.refresh.iter().filter(|(_, grant)| grant.account == code.account);
        if of_account.clone().count() > LIVE_REFRESH_TOKENS {
            let oldest = of_account.min_by_key(|(_, grant)| grant.number).map(|(word, _)| word.clone());
            self.refresh.retain(|word, _| Some(word) != oldest.as_ref());
        }
        word
    }

    /// A new access token for a refresh token that still counts, with the scopes it stands for.
    pub fn access_for(
        &mut self,
        names: &mut Names,
        refresh: &str,
        now: Timestamp,
    ) -> Option<(String, Access)> {
        let grant = self.refresh.get(refresh)?;
        let access = Access {
            account: grant.account.clone(),
            scopes: grant.scopes.clone(),
            expires_at: after(now, ACCESS_SECONDS),
        };
        let word = names.token("ya29.");
        self.access.retain(|_, token| token.expires_at > now);
        self.access.insert(word.clone(), access.clone());
        Some((word, access))
    }

    #[must_use]
    pub fn access(&self, word: &str, now: Timestamp) -> Option<&Access> {
        self.access.get(word).filter(|token| token.expires_at > now)
    }

    /// Whether this word was handed out here and still counts.
    #[must_use]
    pub fn handed_out(&self, word: &str) -> bool {
        self.refresh.contains_key(word) || self.access.contains_key(word) || self.codes.contains_key(word)
    }

    /// Withdraws all that the account ever granted to the project, whichever of its tokens was named.
    pub fn revoke(&mut self, word: &str) -> bool {
        let account = self
            .refresh
            .get(word)
            .map(|grant| grant.account.clone())
            .or_else(|| self.access.get(word).map(|token| token.account.clone()));
        let Some(account) = account else { return false };
        self.refresh.retain(|_, grant| grant.account != account);
        self.access.retain(|_, token| token.account != account);
        true
    }

    pub fn revoke_all(&mut self) {
        self.refresh.clear();
        self.access.clear();
    }

    /// For `/_sandbox/state`.
    #[must_use]
    pub fn hashed(&self) -> Value {
        let refresh = self.refresh.iter().map(|(word, grant)| {
            json!({"service": "google", "kind": "refresh", "hash": hashed(word), "account": grant.account,
                "scopes": grant.scopes})
        });
        let access = self.access.iter().map(|(word, token)| {
            json!({"service": "google", "kind": "access", "hash": hashed(word), "account": token.account,
                "expires_at": crate::time::zulu(token.expires_at)})
        });
        refresh.chain(access).collect()
    }
}
