//! What the web dashboard shows of the vendor's calendars: connections without tokens, and how their syncs went.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::busy::PROVIDERS;
use super::platform::{Connection, Platform};
use super::problem::Problem;
use super::request::{answer, data, instant, nullable_text, optional_text, text, whole, write};
use crate::app::App;
use crate::wire::Call;

const SYNC_STATUSES: [&str; 3] = ["success", "partial", "error"];

pub async fn put(State(app): State<App>, call: Call) -> Response {
    write(&app, &call, |world, body, _| {
        let provider = call.param("provider");
        if !PROVIDERS.contains(&provider) {
            return Err(Problem::validation(format!("provider is one of {}", PROVIDERS.join(", "))));
        }
        if let Some(secret) = body.keys().find(|key| key.contains("token")) {
            return Err(Problem::validation(format!(
                "{secret} is not accepted: tokens stay on the computer"
            )));
        }
        let calendar = text(body, "provider_calendar_id")?.to_owned();
        let frequency = match body.get("sync_frequency_minutes") {
            None => 5,
            Some(value) => whole(value)
                .filter(|minutes| (1..=1440).contains(minutes))
                .ok_or_else(|| Problem::validation("sync_frequency_minutes is between 1 and 1440"))?,
        };
        let id = match optional_text(body, "connection_id")? {
            Some(id) => id.to_owned(),
            None => world
                .platform
                .connections
                .values()
                .find(|old| old.provider == provider && old.calendar == calendar)
                .map_or_else(|| world.names.uuid(), |old| old.id.clone()),
        };
        let fresh = Connection {
            id: id.clone(),
            provider: provider.to_owned(),
            calendar,
            email: nullable_text(body, "provider_email")?.map(str::to_owned),
            frequency_minutes: frequency,
            last_synced_at: None,
            next_sync_at: None,
            status: None,
            last_error: Value::Null,
            error_count: 0,
            sync_needed: false,
        };
        let connection = world.platform.connections.entry(id).or_insert(fresh.clone());
        connection.calendar = fresh.calendar;
        connection.email = fresh.email;
        connection.frequency_minutes = fresh.frequency_minutes;
        Ok(data(json!({"connection": row(connection)})))
    })
}

/// `GET status` and `GET sync-status` tell the same.
pub async fn list(State(app): State<App>, call: Call) -> Response {
    answer(&app, &call, |world, _| {
        let rows: Vec<Value> = world.platform.connections.values().map(row).collect();
        Ok(json!({"connections": rows}))
    })
}

pub async fn heartbeat(State(app): State<App>, call: Call) -> Response {
    write(&app, &call, |world, body, _| {
        let connection = find(&mut world.platform, text(body, "connection_id")?)?;
        let status = text(body, "status")?;
        if !SYNC_STATUSES.contains(&status) {
            return Err(Problem::validation(format!("status is one of {}", SYNC_STATUSES.join(", "))));
        }
        let at = text(body, "last_synced_at")?;
        instant(at, "last_synced_at")?;
        if let Some(next) = optional_text(body, "next_sync_at")? {
            instant(next, "next_sync_at")?;
            connection.next_sync_at = Some(next.to_owned());
        }
        connection.last_synced_at = Some(at.to_owned());
        connection.status = Some(status.to_owned());
        connection.last_error = body.get("error").cloned().unwrap_or(Value::Null);
        connection.error_count = if status == "error" { connection.error_count + 1 } else { 0 };
        connection.sync_needed = false;
        Ok(data(json!({"connection": row(connection)})))
    })
}

/// The vendor asks for a sync on the web page; the desktop app sees `sync_needed`.
pub async fn request_sync(State(app): State<App>, call: Call) -> Response {
    write(&app, &call, |world, body, now| {
        if let Some(direction) = optional_text(body, "direction")?
            && !["bidirectional", "to_calendar", "from_calendar"].contains(&direction)
        {
            return Err(Problem::validation("direction is bidirectional, to_calendar or from_calendar"));
        }
        match optional_text(body, "connectionId")? {
            Some(id) => find(&mut world.platform, id)?.sync_needed = true,
            None if body.contains_key("direction") => {
                world.platform.connections.values_mut().for_each(|one| one.sync_needed = true);
            }
            None => return Err(Problem::validation("Connection ID is required")),
        }
        world.platform.note("sync_requested", now);
        Ok(json!({"success": true, "message": "Sync triggered"}))
    })
}

pub async fn disconnect(State(app): State<App>, call: Call) -> Response {
    write(&app, &call, |world, body, now| {
        let gone: Vec<String> = match (call.query("id"), optional_text(body, "calendar_type")?) {
            (Some(id), _) => vec![find(&mut world.platform, id)?.id.clone()],
            (None, Some(kind)) => ids_of(&world.platform, kind)?,
            (None, None) => return Err(Problem::validation("Connection ID is required")),
        };
        for id in &gone {
            world.platform.connections.remove(id);
            world.platform.busy.remove(id);
        }
        world.platform.settle_slots(now);
        Ok(json!({"success": true, "message": "Disconnected"}))
    })
}

fn ids_of(platform: &Platform, kind: &str) -> Result<Vec<String>, Problem> {
    let provider = if kind == "outlook" { "microsoft" } else { kind };
    if !PROVIDERS.contains(&provider) {
        return Err(Problem::validation("calendar_type is google, outlook, ics or caldav"));
    }
    Ok(platform
        .connections
        .values()
        .filter(|one| one.provider == provider)
        .map(|one| one.id.clone())
        .collect())
}

fn find<'a>(platform: &'a mut Platform, id: &str) -> Result<&'a mut Connection, Problem> {
    platform.connections.get_mut(id).ok_or_else(|| Problem::not_found("Connection"))
}

fn row(connection: &Connection) -> Value {
    let mut row = Map::new();
    for (name, value) in [
        ("id", json!(connection.id)),
        ("provider", json!(connection.provider)),
        ("provider_calendar_id", json!(connection.calendar)),
        ("provider_email", json!(connection.email)),
        // The server's own jobs skip what the desktop app looks after.
        ("sync_enabled", json!(false)),
        ("managed_by", json!("desktop")),
        ("sync_frequency_minutes", json!(connection.frequency_minutes)),
        ("sync_needed", json!(connection.sync_needed)),
        ("last_synced_at", json!(connection.last_synced_at)),
        ("next_sync_at", json!(connection.next_sync_at)),
        ("last_sync_status", json!(connection.status)),
        ("error_count", json!(connection.error_count)),
        ("last_error", connection.last_error.clone()),
        ("backoff_until", Value::Null),
    ] {
        row.insert(name.to_owned(), value);
    }
    Value::Object(row)
}
