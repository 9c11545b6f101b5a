//! Who she is, her mailbox's settings, ids translated, and whatever is not there.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::ids::EventId;
use super::refusal::Refusal;
use super::scopes::{Action, admit};
use super::view::context;
use crate::app::App;
use crate::wire::Call;

pub async fn me(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::ReadUser)?;
    let world = app.world();
    let mailbox = world.outlook.mailbox(&caller.account)?;
    let (given, family) = mailbox.name.split_once(' ').unwrap_or((&mailbox.name, ""));
    let mut told = json!({
        "@odata.context": context(&call, "users/$entity"),
        "businessPhones": [],
        "displayName": mailbox.name,
        "givenName": given,
        "jobTitle": null,
        "mail": caller.account,
        "mobilePhone": null,
        "officeLocation": null,
        "preferredLanguage": null,
        "surname": family,
        "userPrincipalName": caller.account,
        "id": object_id(&caller.account),
    });
    if let (Some(select), Some(told)) = (call.query("$select"), told.as_object_mut()) {
        let select: Vec<&str> = select.split(',').map(str::trim).collect();
        told.retain(|name, _| name.starts_with('@') || select.contains(&name.as_str()));
    }
    Ok(Json(told).into_response())
}

/// A person's id in her directory.
#[must_use]
pub fn object_id(account: &str) -> String {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, account.as_bytes()).to_string()
}

pub async fn settings(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::ReadSettings)?;
    let zone = app.world().outlook.mailbox(&caller.account)?.time_zone.clone();
    Ok(Json(json!({"@odata.context": context(&call, "users/mailboxSettings"), "timeZone": zone,
        "dateFormat": "yyyy-MM-dd", "timeFormat": "HH:mm", "language": {"locale": "en-CA", "displayName": "English (Canada)"}}))
    .into_response())
}

pub async fn time_zone(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::ReadSettings)?;
    let zone = app.world().outlook.mailbox(&caller.account)?.time_zone.clone();
    Ok(Json(json!({"@odata.context": context(&call, "users/mailboxSettings/timeZone"), "value": zone}))
        .into_response())
}

pub async fn supported_zones(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    admit(&app, &call, Action::ReadUser)?;
    let zone = |alias: &str| json!({"alias": alias, "displayName": alias});
    let zones: Vec<Value> =
        ["Eastern Standard Time", "Pacific Standard Time", "W. Europe Standard Time", "UTC"]
            .map(zone)
            .to_vec();
    Ok(Json(json!({"@odata.context": context(&call, "Collection(microsoft.graph.timeZoneInformation)"), "value": zones})).into_response())
}

pub async fn translate(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::ReadUser)?;
    let body = call.json().ok_or_else(Refusal::unreadable)?;
    let immutable = match body.get("targetIdType").and_then(Value::as_str) {
        Some("restImmutableEntryId") => true,
        Some("restId") => false,
        Some(_) | None => return Err(Refusal::invalid_request("The target id type is not supported.")),
    };
    let ids = body.get("inputIds").and_then(Value::as_array).ok_or_else(Refusal::unreadable)?;
    if ids.len() > 1000 {
        return Err(Refusal::invalid_request("At most 1000 ids can be translated at once."));
    }
    let world = app.world();
    let mailbox = world.outlook.mailbox(&caller.account)?;
    let translated = ids.iter().filter_map(Value::as_str).map(|id| {
        let found = EventId::read(id).and_then(|id| mailbox.find(&id).map(|(_, item)| item.id(id.original, immutable)));
        match found {
            Ok(target) => json!({"sourceId": id, "targetId": target}),
            Err(_) => json!({"sourceId": id, "errorDetails": {"code": "ErrorInvalidIdMalformed", "message": "Id is malformed."}}),
        }
    });
    Ok(Json(json!({"@odata.context": context(&call, "Collection(microsoft.graph.convertIdResult)"), "value": translated.collect::<Vec<_>>()})).into_response())
}

pub async fn nowhere(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    admit(&app, &call, Action::ReadUser)?;
    let segment = call.path.rsplit('/').next().unwrap_or_default();
    Err(Refusal::new(400, "BadRequest", format!("Resource not found for the segment '{segment}'.")))
}
