//! The tables that a vendor's client reaches straight through the database's REST door, as PostgREST serves them: her
//! profile, her services and the slots. Decides who asks; what a query means is its own files' business.

mod bookings;
mod cell;
mod filter;
mod order;
mod prefer;
mod query;
pub mod refusal;
mod select;
mod slot_body;
mod slot_table;
mod slots;
mod table;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

pub use self::slot_body::Draft;
pub use self::slot_table::Statement;

use self::cell::Kind::{Flag, Id, Json, Number, Text};
use self::refusal::Refusal;
use self::table::Table;
use crate::app::App;
use crate::bookiji::platform::Service;
use crate::gotrue::{API_KEY, without_key};
use crate::wire::Call;
use crate::world::World;

const PROFILES: Table = Table {
    name: "profiles",
    columns: &[
        ("id", Id),
        ("auth_user_id", Id),
        ("full_name", Text),
        ("email", Text),
        ("phone", Text),
        ("role", Text),
        ("timezone", Text),
        ("availability_mode", Text),
        ("business_hours", Json),
    ],
    embeds: &[],
};

const SERVICES: Table = Table {
    name: "services",
    columns: &[
        ("id", Id),
        ("provider_id", Id),
        ("name", Text),
        ("description", Text),
        ("category", Text),
        ("price", Number),
        ("price_type", Text),
        ("duration_minutes", Number),
        ("is_active", Flag),
    ],
    embeds: &[],
};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/supabase/rest/v1/profiles", get(profiles))
        .route("/supabase/rest/v1/services", get(services))
        .route(
            "/supabase/rest/v1/availability_slots",
            get(slots::read).post(slots::insert).patch(slots::update).delete(slots::delete),
        )
}

/// What else today's database has behind the same door.
pub fn todays_routes() -> Router<App> {
    Router::new()
        .route(
            "/supabase/rest/v1/bookings",
            get(bookings::read).post(bookings::insert).patch(bookings::update).delete(bookings::delete),
        )
        .route("/supabase/rest/v1/rpc/reschedule_booking_atomically", post(bookings::reschedule))
        .route("/supabase/rest/v1/ops_events", get(bookings::ops_events))
}

async fn profiles(State(app): State<App>, call: Call) -> Response {
    read(&app, &call, &PROFILES, |world| {
        let vendor = &world.vendor;
        vec![json!({"id": vendor.id, "auth_user_id": vendor.auth_id, "full_name": vendor.name,
            "email": vendor.email, "phone": null, "role": "vendor", "timezone": world.platform.settings.time_zone,
            "availability_mode": "subtractive", "business_hours": world.platform.settings.business_hours})]
    })
}

async fn services(State(app): State<App>, call: Call) -> Response {
    read(&app, &call, &SERVICES, |world| {
        let row = |service: &Service| {
            json!({"id": service.id, "provider_id": world.vendor.id, "name": service.name, "description": null,
                "category": service.category, "price": service.price, "price_type": "fixed",
                "duration_minutes": service.duration_minutes, "is_active": true})
        };
        world.platform.services.values().map(row).collect()
    })
}

fn read(app: &App, call: &Call, table: &Table, rows: impl FnOnce(&World) -> Vec<Value>) -> Response {
    if let Err(refused) = admit(app, call) {
        return refused;
    }
    query::page(table, rows(&app.world()), call, query::MOST).unwrap_or_else(IntoResponse::into_response)
}

/// Who asks, as far as the door can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    /// The key alone.
    Anybody,
    Vendor,
}

#[expect(clippy::result_large_err, reason = "the refusal is the answer, once")]
fn admit(app: &App, call: &Call) -> Result<Caller, Response> {
    if let Some(refused) = without_key(call) {
        return Err(refused);
    }
    match call.bearer() {
        None | Some(API_KEY) => Ok(Caller::Anybody),
        Some(token) if app.world().sessions.accepts(token, app.clock().now()) => Ok(Caller::Vendor),
        Some(_) => Err(Refusal::new(401, "PGRST301", "JWT expired").into_response()),
    }
}
