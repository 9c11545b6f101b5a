//! Everything the sandbox knows, as plain data: one vendor, her salon on the platform, her sign-ins and her calendars.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bookiji::platform::Platform;
use crate::feeds::Feed;
use crate::google::world::Google;
use crate::gotrue::Sessions;
use crate::graph::world::Outlook;
use crate::names::Names;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct World {
    pub names: Names,
    pub vendor: Vendor,
    pub platform: Platform,
    pub sessions: Sessions,
    pub google: Google,
    #[serde(default)]
    pub outlook: Outlook,
    /// The calendar feeds, by file name.
    pub feeds: BTreeMap<String, Feed>,
    /// How far the clock has been moved on purpose.
    pub advanced_s: i64,
}

impl World {
    /// Whether row-level security takes her for the vendor whose rows these are: it compares her sign-in with her profile.
    /// What the contract asks for has no such defect.
    #[must_use]
    pub fn is_linked(&self) -> bool {
        !self.platform.faithful || self.vendor.id == self.vendor.auth_id
    }

    /// Whether a call that carries this word is about her: a token or a code of hers, or an address.
    #[must_use]
    pub fn knows(&self, word: &str) -> bool {
        self.vendor.email.eq_ignore_ascii_case(word)
            || self.sessions.handed_out(word)
            || self.google.grants.handed_out(word)
            || self.google.accounts.contains_key(word)
            || self.outlook.grants.handed_out(word)
            || self.outlook.accounts.contains_key(word)
    }
}

/// The person whose life this is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Vendor {
    /// Her profile: every `provider_id` is this.
    pub id: String,
    /// Her sign-in. The platform does not promise that the two are the same, and here they are not.
    pub auth_id: String,
    pub name: String,
    pub email: String,
    /// In the clear, because whoever starts a sandbox must be able to sign in to it.
    pub password: String,
    pub time_zone: String,
}
