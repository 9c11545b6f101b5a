//! What people at Microsoft granted: codes good for one try, refresh tokens that give a new one with every use.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::names::{Names, hashed};
use crate::time::after;

pub const ACCESS_SECONDS: i64 = 3600;
const CODE_SECONDS: i64 = 600;
const REFRESH_SECONDS: i64 = 90 * 86_400;
/// As long as Microsoft's: too long for a Windows credential in text.
const ACCESS_DRAWS: usize = 40;
const REFRESH_DRAWS: usize = 30;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Grants {
    codes: BTreeMap<String, Code>,
    refresh: BTreeMap<String, Refresh>,
    access: BTreeMap<String, Access>,
    /// Words that counted once, so that a refusal can say what became of them.
    spent: BTreeMap<String, Spent>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Code {
    pub account: String,
    pub scopes: Vec<String>,
    pub redirect: String,
    pub challenge: String,
    pub nonce: Option<String>,
    pub expires_at: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refresh {
    pub account: String,
    pub scopes: Vec<String>,
    expires_at: Timestamp,
}

/// What a live access token stands for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Access {
    pub account: String,
    pub scopes: Vec<String>,
    expires_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Spent {
    Redeemed,
    Expired,
    Revoked,
}

impl Grants {
    pub fn code(&mut self, names: &mut Names, code: Code) -> String {
        let word = names.long_token("0.AX", 12);
        self.codes.insert(word.clone(), code);
        word
    }

    #[must_use]
    pub fn code_expiry(now: Timestamp) -> Timestamp {
        after(now, CODE_SECONDS)
    }

    /// A code is good for one try, whatever comes of it.
    ///
    /// # Errors
    /// What became of it; nothing when it was never handed out.
    pub fn take_code(&mut self, word: &str, now: Timestamp) -> Result<Code, Option<Spent>> {
        let Some(code) = self.codes.remove(word) else { return Err(self.spent.get(word).copied()) };
        self.spent.insert(word.to_owned(), Spent::Redeemed);
        if code.expires_at <= now { Err(Some(Spent::Expired)) } else { Ok(code) }
    }

    pub fn begin(&mut self, names: &mut Names, account: &str, scopes: Vec<String>, now: Timestamp) -> String {
        let word = names.long_token("0.AV", REFRESH_DRAWS);
        let grant = Refresh { account: account.to_owned(), scopes, expires_at: after(now, REFRESH_SECONDS) };
        self.refresh.insert(word.clone(), grant);
        word
    }

    /// The grant behind a refresh token. The word stays good: using it does not end it.
    ///
    /// # Errors
    /// What became of it; nothing when it was never handed out.
    pub fn refresh(&self, word: &str, now: Timestamp) -> Result<Refresh, Option<Spent>> {
        let grant = self.refresh.get(word).ok_or_else(|| self.spent.get(word).copied())?;
        if grant.expires_at <= now { Err(Some(Spent::Expired)) } else { Ok(grant.clone()) }
    }

    pub fn access_for(
        &mut self,
        names: &mut Names,
        account: &str,
        scopes: Vec<String>,
        now: Timestamp,
    ) -> String {
        let word = names.long_token("EwB", ACCESS_DRAWS);
        self.access.retain(|_, token| token.expires_at > now);
        let access = Access { account: account.to_owned(), scopes, expires_at: after(now, ACCESS_SECONDS) };
        self.access.insert(word.clone(), access);
        word
    }

    #[must_use]
    pub fn access(&self, word: &str, now: Timestamp) -> Option<&Access> {
        self.access.get(word).filter(|token| token.expires_at > now)
    }

    /// Whether this word was handed out here.
    #[must_use]
    pub fn handed_out(&self, word: &str) -> bool {
        self.refresh.contains_key(word)
            || self.access.contains_key(word)
            || self.codes.contains_key(word)
            || self.spent.contains_key(word)
    }

    /// Ends every sign-in, as a changed password or a sign-out everywhere does.
    pub fn revoke_all(&mut self) {
        self.spent.extend(self.refresh.keys().map(|word| (word.clone(), Spent::Revoked)));
        self.spent.extend(self.access.keys().map(|word| (word.clone(), Spent::Revoked)));
        self.refresh.clear();
        self.access.clear();
    }

    /// For `/_sandbox/state`.
    #[must_use]
    pub fn hashed(&self) -> Value {
        let refresh = self.refresh.iter().map(|(word, grant)| {
            json!({"service": "outlook", "kind": "refresh", "hash": hashed(word), "account": grant.account,
                "scopes": grant.scopes})
        });
        let access = self.access.iter().map(|(word, token)| {
            json!({"service": "outlook", "kind": "access", "hash": hashed(word), "account": token.account,
                "expires_at": crate::time::zulu(token.expires_at)})
        });
        refresh.chain(access).collect()
    }
}
