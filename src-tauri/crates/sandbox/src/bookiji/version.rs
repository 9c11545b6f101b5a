//! Which version of its contract the platform says it keeps: the document's own, unless somebody plays a platform of
//! another time.

use std::sync::LazyLock;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::response::Response;
use serde_json::Value;

use super::vendor::OPENAPI;
use crate::app::App;
use crate::world::World;

pub const CONTRACT_VERSION: &str = "contract-version";

/// As the document has it.
static DOCUMENTED: LazyLock<String> = LazyLock::new(|| {
    let document: Value = serde_json::from_str(OPENAPI).unwrap_or_default();
    document["info"]["version"].as_str().unwrap_or_default().to_owned()
});

/// Nothing where the platform keeps no contract, or is older than the word.
pub fn of(world: &World) -> Option<&str> {
    if world.platform.faithful {
        return None;
    }
    let version = world.platform.contract.as_deref().unwrap_or(&DOCUMENTED);
    Some(version).filter(|version| !version.is_empty())
}

/// Every answer tells it, so that no client need ask.
pub async fn told(State(app): State<App>, mut response: Response) -> Response {
    let version = of(&app.world()).and_then(|version| HeaderValue::from_str(version).ok());
    if let Some(version) = version {
        response.headers_mut().insert(CONTRACT_VERSION, version);
    }
    response
}
