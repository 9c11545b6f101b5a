//! Google's sign-in for installed apps: consent page, code with PKCE, tokens, revocation, and who she is.
//!
//! `sandbox_auto_consent=1` on the sign-in address skips the page and grants all that is asked.
//! `sandbox_untick=SCOPE` (repeatable) leaves a scope out, as she could on the page.

pub mod grants;
pub(crate) mod page;
pub mod request;
mod tokens;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;

/// The one registered client. A desktop client's secret is no secret, but Google asks for it.
pub const CLIENT_ID: &str = "000000000000-sandbox.apps.googleusercontent.com";
pub const CLIENT_SECRET: &str = "GOCSPX-sandbox-not-a-secret";

pub fn routes() -> Router<App> {
    Router::new()
        .route("/google/o/oauth2/v2/auth", get(page::ask))
        .route("/google/o/oauth2/v2/consent", post(page::answer))
        .route("/google/token", post(tokens::token))
        .route("/google/revoke", post(tokens::revoke))
        .route("/google/oauth2/v3/userinfo", get(tokens::userinfo))
}
