//! The `settings.toml` that points a profile of the app at this sandbox.

use crate::gotrue::API_KEY;
use crate::microsoft;
use crate::oauth::{CLIENT_ID, CLIENT_SECRET};

/// Sign-in endpoints carry `sandbox_auto_consent=1`, so that a plain GET completes a sign-in; with an account, as hers.
#[must_use]
pub fn text(base: &str, account: Option<&str>) -> String {
    let hint = account.map_or_else(String::new, |email| {
        let pair =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("login_hint", email).finish();
        format!("&{pair}")
    });
    format!(
        "# Written by bookiji-sandbox: this profile talks to a local stand-in, not to the real services.\n\
         [endpoints]\n\
         bookiji = \"{base}/bookiji\"\n\
         supabase = \"{base}/supabase\"\n\
         supabase_key = \"{API_KEY}\"\n\
         supabase_auth = \"{base}/supabase/auth/v1/authorize?sandbox_auto_consent=1{hint}\"\n\
         google_api = \"{base}/google\"\n\
         google_auth = \"{base}/google/o/oauth2/v2/auth?sandbox_auto_consent=1{hint}\"\n\
         google_token = \"{base}/google/token\"\n\
         google_revoke = \"{base}/google/revoke\"\n\
         graph = \"{base}/graph\"\n\
         microsoft_login = \"{base}/microsoft?sandbox_auto_consent=1{hint}\"\n\
         caldav_allow_http = true\n\
         \n\
         [oauth]\n\
         google_client_id = \"{CLIENT_ID}\"\n\
         google_client_secret = \"{CLIENT_SECRET}\"\n\
         microsoft_client_id = \"{}\"\n",
        microsoft::CLIENT_ID
    )
}
