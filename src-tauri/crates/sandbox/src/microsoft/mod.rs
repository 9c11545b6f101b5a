//! Microsoft's sign-in for public clients: consent page, admin's wall, code with PKCE, tokens that rotate.
//!
//! `sandbox_auto_consent=1` on an address of the authorize endpoint skips the page, `sandbox_untick=SCOPE` leaves a scope
//! out of what is granted. `POST /_sandbox/edit {as: "administrator", do: "require_approval"}` puts up the wall that
//! most work accounts meet; `do: "approve"`, or the admin-consent page, takes it down.

pub mod grants;
mod page;
mod refusal;
pub mod request;
mod tokens;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;

/// The one registered application: a public client for mobile and desktop, redirected to `http://localhost`.
pub const CLIENT_ID: &str = "5a4db0c1-0000-4000-8000-0000b0012011";
/// The tenant of every personal account.
pub const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
/// The tenant of the sandbox's work accounts.
pub const WORK: &str = "7f2f5d4e-0000-4000-8000-5a4db0c10365";

pub fn routes() -> Router<App> {
    Router::new()
        .route("/microsoft/{tenant}/oauth2/v2.0/authorize", get(page::ask))
        .route("/microsoft/{tenant}/oauth2/v2.0/consent", post(page::answer))
        .route("/microsoft/{tenant}/oauth2/v2.0/token", post(tokens::token))
        .route("/microsoft/{tenant}/v2.0/.well-known/openid-configuration", get(tokens::discovery))
        .route("/microsoft/{tenant}/adminconsent", get(page::ask_administrator))
        .route(
            "/microsoft/{tenant}/v2.0/adminconsent",
            get(page::ask_administrator).post(page::administrator),
        )
}

/// `status:NNN` in this service's words.
pub use refusal::Refusal;
