//! The table of slots over its REST door: who may read and write, what a query means, and what the constraints refuse.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, Call, World};

const SLOTS: &str = "/supabase/rest/v1/availability_slots";
const KEY: &str = "sb_publishable_sandbox";
/// A week that the seeded life does not reach.
const QUIET: &str = "2028-03-06T10:00:00Z";

/// Her, signed in, with the slots' door open.
struct Door {
    world: World,
    token: String,
    vendor: String,
}

impl Door {
    async fn new() -> Self {
        let world = World::new().await;
        let token = world.bookiji().await;
        let vendor = world.state().await["vendor"]["id"].as_str().unwrap().to_owned();
        Self { world, token, vendor }
    }

    fn call(&self, prefer: &str) -> Call<'_> {
        Call::by(&self.token).header("apikey", KEY).header("prefer", prefer)
    }

    async fn get(&self, query: &str) -> Answer {
        self.world.call(Method::GET, &format!("{SLOTS}?{query}"), self.call("count=exact")).await
    }

    async fn rows(&self, query: &str) -> Vec<Value> {
        self.get(query).await.ok().as_array().unwrap().clone()
    }

    async fn post(&self, body: Value) -> Answer {
        self.send(Method::POST, "", "return=representation", Some(body)).await
    }

    async fn send(&self, method: Method, query: &str, prefer: &str, body: Option<Value>) -> Answer {
        let call = body.into_iter().fold(self.call(prefer), Call::body);
        self.world.call(method, &format!("{SLOTS}?{query}"), call).await
    }

    /// A slot `hour` hours into the quiet week, an hour long.
    fn slot(&self, hour: i64) -> Value {
        json!({"provider_id": self.vendor, "start_time": quiet(hour * 60), "end_time": quiet(hour * 60 + 60)})
    }

    async fn slots(&self) -> Value {
        self.world.state().await["slots"].clone()
    }
}

fn quiet(minutes: i64) -> String {
    (QUIET.parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes)).to_string()
}

fn with(mut slot: Value, column: &str, value: Value) -> Value {
    slot[column] = value;
    slot
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) -> String {
    assert_eq!((answer.status, answer.body["code"].as_str()), (status, Some(code)), "{}", answer.text);
    let keys: Vec<&String> = answer.body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["code", "details", "hint", "message"], "{}", answer.text);
    answer.body["message"].as_str().unwrap().to_owned()
}

fn booked(state: &Value) -> Value {
    let mut bookings = state["bookings"].as_array().unwrap().iter();
    let coming = |b: &&Value| b["status"] == "confirmed" && b["start"].as_str() > state["now"].as_str();
    bookings.rfind(coming).unwrap().clone()
}

#[tokio::test]
async fn everybody_reads_every_vendors_slots_and_nobody_without_a_key() {
    let door = Door::new().await;
    let nobody = door.world.call(Method::GET, SLOTS, Call::default()).await;
    assert_eq!(nobody.status, 401);
    let anybody = door.world.call(Method::GET, SLOTS, Call::default().header("apikey", KEY)).await.ok();
    let providers: std::collections::BTreeSet<_> =
        anybody.as_array().unwrap().iter().map(|row| row["provider_id"].as_str().unwrap()).collect();
    assert_eq!(providers.len(), 2, "hers and a neighbour's");
    let row = &door.rows(&format!("provider_id=eq.{}&limit=1", door.vendor)).await[0];
    let columns: Vec<&String> = row.as_object().unwrap().keys().collect();
    let expected = [
        "created_at",
        "end_time",
        "id",
        "is_available",
        "provider_id",
        "recurring_rule_id",
        "slot_type",
        "start_time",
        "updated_at",
        "version",
    ];
    assert_eq!(columns, expected);
    assert!(row["start_time"].as_str().unwrap().ends_with("+00:00"));
    assert_eq!((&row["version"], &row["slot_type"]), (&json!(1), &json!("regular")));
}

#[tokio::test]
async fn writing_needs_her_own_sign_in_that_still_counts() {
    let door = Door::new().await;
    let before = door.slots().await;
    let anonymous = Call::default().header("apikey", KEY).body(door.slot(0));
    refused(&door.world.call(Method::POST, SLOTS, anonymous).await, 401, "42501");
    let key_as_bearer = Call::by(KEY).header("apikey", KEY).body(door.slot(0));
    refused(&door.world.call(Method::POST, SLOTS, key_as_bearer).await, 401, "42501");
    door.world.advance(3601).await;
    assert_eq!(refused(&door.post(door.slot(0)).await, 401, "PGRST301"), "JWT expired");
    refused(&door.get("limit=1").await, 401, "PGRST301");
    assert_eq!(door.slots().await, before);
}

#[tokio::test]
async fn a_slot_is_made_under_the_id_that_it_brings_and_can_be_booked() {
    let door = Door::new().await;
    let id = "A0EEBC99-9C0B-5EF8-BB6D-6BB9BD380A11";
    let made = door.post(with(door.slot(0), "id", json!(id))).await;
    assert_eq!(made.status, 201);
    let row = &made.ok()[0];
    assert_eq!(row["id"], id.to_lowercase(), "ids come back in lower case");
    assert_eq!(row["start_time"], "2028-03-06T10:00:00+00:00");
    assert_eq!((&row["is_available"], &row["recurring_rule_id"]), (&json!(true), &Value::Null));
    assert!(row["created_at"].as_str().unwrap().starts_with("2026-11-22T15:00"));
    let shown = door.slots().await;
    assert!(shown.as_array().unwrap().iter().any(|slot| slot["id"] == row["id"]));
    let book = json!({"as": "customer", "do": "book", "slot": row["id"]});
    assert_eq!(door.world.edit(book).await["booking"]["start"], "2028-03-06T10:00:00Z");
    let minimal = door.send(Method::POST, "", "return=minimal", Some(door.slot(2))).await;
    assert_eq!((minimal.status, minimal.text.as_str()), (201, ""));
    assert_eq!(door.post(json!([])).await.ok(), json!([]));
}

#[tokio::test]
async fn a_body_of_many_is_one_statement() {
    let door = Door::new().await;
    let before = door.slots().await;
    let bad = json!([door.slot(0), door.slot(1), door.slot(1)]);
    refused(&door.post(bad).await, 409, "23505");
    assert_eq!(door.slots().await, before, "one bad row fails all");
    let overlapping = json!([door.slot(0), with(door.slot(1), "start_time", json!(quiet(59)))]);
    refused(&door.post(overlapping).await, 409, "23P01");
    assert_eq!(door.slots().await, before);
    let good = json!([door.slot(0), door.slot(1), door.slot(2)]);
    assert_eq!(door.post(good).await.ok().as_array().unwrap().len(), 3, "touching is not overlapping");
}

#[tokio::test]
async fn the_constraints_refuse_in_the_databases_words() {
    let door = Door::new().await;
    let stands = door.post(door.slot(0)).await.ok()[0].clone();
    let same_time = door.post(door.slot(0)).await;
    assert_eq!(
        refused(&same_time, 409, "23505"),
        "duplicate key value violates unique constraint \"availability_slots_provider_time_key\""
    );
    assert_eq!(
        same_time.body["details"],
        format!(
            "Key (provider_id, start_time, end_time)=({}, 2028-03-06 10:00:00+00, 2028-03-06 11:00:00+00) already exists.",
            door.vendor
        )
    );
    let same_id = door.post(with(door.slot(5), "id", stands["id"].clone())).await;
    assert!(refused(&same_id, 409, "23505").contains("availability_slots_pkey"));
    let over = door.post(with(door.slot(0), "end_time", json!(quiet(30)))).await;
    assert_eq!(
        refused(&over, 409, "23P01"),
        "conflicting key value violates exclusion constraint \"availability_slots_no_overlap\""
    );
    assert!(over.body["details"].as_str().unwrap().contains("conflicts with existing key"));
    let typed = door.post(with(door.slot(6), "slot_type", json!("available"))).await;
    assert!(refused(&typed, 400, "23514").contains("availability_slots_slot_type_check"));
    let reversed = with(door.slot(8), "end_time", json!(quiet(7 * 60)));
    refused(&door.post(reversed.clone()).await, 400, "22000");
    let closed = with(reversed, "is_available", json!(false));
    door.post(closed).await.ok();
    let author = door.post(with(door.slot(9), "created_by", json!(door.vendor))).await;
    assert_eq!(
        refused(&author, 400, "PGRST204"),
        "Could not find the 'created_by' column of 'availability_slots' in the schema cache"
    );
    refused(&door.post(with(door.slot(9), "start_time", Value::Null)).await, 400, "23502");
    refused(&door.post(json!({"provider_id": door.vendor, "start_time": quiet(0)})).await, 400, "23502");
    refused(&door.post(with(door.slot(9), "id", json!("slot-9"))).await, 400, "22P02");
    refused(&door.post(with(door.slot(9), "start_time", json!("noon"))).await, 400, "22007");
    let ruled = door.post(with(door.slot(9), "recurring_rule_id", stands["id"].clone())).await;
    refused(&ruled, 409, "23503");
    let unlike = json!([door.slot(9), with(door.slot(10), "slot_type", json!("regular"))]);
    assert_eq!(refused(&door.post(unlike).await, 400, "PGRST102"), "All object keys must match");
    refused(&door.post(json!("slot")).await, 400, "PGRST102");
}

#[tokio::test]
async fn another_vendors_rows_are_out_of_reach() {
    let door = Door::new().await;
    let neighbour = door.world.state().await["neighbour"].clone();
    let theirs = &neighbour["slots"][0];
    let posing = with(door.slot(0), "provider_id", neighbour["id"].clone());
    let answer = door.post(posing).await;
    assert_eq!(
        refused(&answer, 403, "42501"),
        "new row violates row-level security policy for table \"availability_slots\""
    );
    let query = format!("id=eq.{}", theirs["id"].as_str().unwrap());
    for (method, body) in [(Method::PATCH, Some(json!({"is_available": false}))), (Method::DELETE, None)] {
        let answer = door.send(method, &query, "return=representation", body).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "[]"), "their rows are not seen");
    }
    let given_away = door.post(door.slot(0)).await.ok()[0]["id"].clone();
    let query = format!("id=eq.{}", given_away.as_str().unwrap());
    let gift = json!({"provider_id": neighbour["id"]});
    refused(&door.send(Method::PATCH, &query, "", Some(gift)).await, 403, "42501");
    let squat = with(door.slot(3), "id", theirs["id"].clone());
    refused(&door.post(squat.clone()).await, 409, "23505");
    let merge = "resolution=merge-duplicates";
    refused(&door.send(Method::POST, "", merge, Some(squat)).await, 403, "42501");
    assert_eq!(door.world.state().await["neighbour"], neighbour);
}

#[tokio::test]
async fn a_duplicate_is_passed_over_or_merged_when_asked() {
    let door = Door::new().await;
    let id = json!("a0eebc99-9c0b-5ef8-bb6d-6bb9bd380a11");
    let slot = with(door.slot(0), "id", id.clone());
    door.post(slot.clone()).await.ok();
    let ignore = "return=representation,resolution=ignore-duplicates";
    let other = with(door.slot(1), "id", json!("b0eebc99-9c0b-5ef8-bb6d-6bb9bd380a11"));
    let again = door.send(Method::POST, "on_conflict=id", ignore, Some(json!([slot, other]))).await.ok();
    assert_eq!(again.as_array().unwrap().len(), 1, "only what was made comes back");
    // An ignored duplicate of one key does not excuse another.
    let same_time = with(door.slot(0), "id", json!("c0eebc99-9c0b-5ef8-bb6d-6bb9bd380a11"));
    refused(&door.send(Method::POST, "on_conflict=id", ignore, Some(same_time.clone())).await, 409, "23505");
    let times = "on_conflict=provider_id,start_time,end_time";
    assert_eq!(door.send(Method::POST, times, ignore, Some(same_time.clone())).await.ok(), json!([]));
    let merge = "return=representation,resolution=merge-duplicates";
    let longer = with(slot.clone(), "is_available", json!(false));
    let merged = door.send(Method::POST, "", merge, Some(longer)).await.ok();
    assert_eq!((&merged[0]["id"], &merged[0]["is_available"]), (&id, &json!(false)));
    refused(&door.send(Method::POST, "", merge, Some(json!([slot, slot]))).await, 500, "21000");
    refused(&door.send(Method::POST, "on_conflict=start_time", merge, Some(slot)).await, 400, "42P10");
}

#[tokio::test]
async fn a_query_is_filtered_ordered_paged_and_counted() {
    let door = Door::new().await;
    door.post(json!([door.slot(0), door.slot(1), door.slot(2), door.slot(3)])).await.ok();
    let hers = format!("provider_id=eq.{}&start_time=gte.{QUIET}", door.vendor);
    let starts = async |query: &str| -> Vec<String> {
        let rows = door.rows(&format!("{hers}&{query}")).await;
        rows.iter().map(|row| row["start_time"].as_str().unwrap()[11..13].to_owned()).collect()
    };
    assert_eq!(starts("order=start_time.desc").await, ["13", "12", "11", "10"]);
    assert_eq!(starts("order=start_time&limit=2&offset=1").await, ["11", "12"]);
    let second = quiet(60);
    assert_eq!(starts(&format!("start_time=eq.{second}")).await, ["11"]);
    assert_eq!(starts(&format!("end_time=lte.{second}")).await, ["10"]);
    assert_eq!(starts(&format!("start_time=lt.{second}")).await, ["10"]);
    assert_eq!(starts(&format!("start_time=gt.{second}&order=start_time")).await, ["12", "13"]);
    assert_eq!(starts(&format!("start_time=neq.{second}&order=start_time.asc")).await, ["10", "12", "13"]);
    assert_eq!(starts(&format!("start_time=in.({second},{})", quiet(180))).await.len(), 2);
    assert_eq!(starts("is_available=is.false").await, [""; 0]);
    assert_eq!(starts("recurring_rule_id=is.null&is_available=eq.true").await.len(), 4);

    let page = door.get(&format!("{hers}&limit=2&offset=2&select=id,begins:start_time")).await;
    assert_eq!((page.status, &page.headers["content-range"]), (206, &"2-3/4".parse().unwrap()));
    assert_eq!(page.body[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["begins", "id"]);
    let none = door.get(&format!("{hers}&id=eq.{}", door.vendor)).await;
    assert_eq!((none.status, none.text.as_str()), (200, "[]"));
    assert_eq!(none.headers["content-range"], "*/0");
    refused(&door.get(&format!("{hers}&offset=5")).await, 416, "PGRST103");
    let uncounted = door.world.call(Method::GET, &format!("{SLOTS}?{hers}&limit=1"), door.call("")).await;
    assert_eq!((uncounted.status, &uncounted.headers["content-range"]), (200, &"0-0/*".parse().unwrap()));
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_refused() {
    let door = Door::new().await;
    for (query, status, code) in [
        ("colour=eq.red", 400, "42703"),
        ("select=id,colour", 400, "42703"),
        ("order=colour", 400, "42703"),
        ("order=start_time.up", 400, "PGRST100"),
        ("id=eq.slot-1", 400, "22P02"),
        ("start_time=eq.noon", 400, "22007"),
        // A plus that was not escaped is a space.
        ("start_time=gt.2028-03-06T10:00:00+00:00", 400, "22007"),
        ("start_time=2028-03-06T10:00:00Z", 400, "PGRST100"),
        ("start_time=after.2028-03-06T10:00:00Z", 400, "PGRST100"),
        ("limit=many", 400, "PGRST100"),
        ("select=*,vendor:profiles(*)", 400, "PGRST200"),
    ] {
        refused(&door.get(query).await, status, code);
    }
    let all = door.slots().await;
    let closed = Some(json!({"is_available": false}));
    let unfiltered = door.send(Method::PATCH, "", "", closed).await;
    assert_eq!(refused(&unfiltered, 400, "21000"), "UPDATE requires a WHERE clause");
    let unfiltered = door.send(Method::DELETE, "", "", None).await;
    assert_eq!(refused(&unfiltered, 400, "21000"), "DELETE requires a WHERE clause");
    assert_eq!(door.slots().await, all);
}

#[tokio::test]
async fn a_thousand_slots_are_made_and_read_in_an_instant_and_an_answer_holds_no_more() {
    let door = Door::new().await;
    let rows: Vec<Value> = (0..1000).map(|at| door.slot(at)).collect();
    let began = Instant::now();
    let made = door.send(Method::POST, "", "return=minimal", Some(json!(rows))).await;
    let took = began.elapsed();
    assert_eq!(made.status, 201);
    assert!(took < Duration::from_secs(2), "{took:?}");
    let more: Vec<Value> = (1000..1200).map(|at| door.slot(at)).collect();
    door.post(json!(more)).await.ok();
    let query = format!("provider_id=eq.{}&start_time=gte.{QUIET}&limit=5000", door.vendor);
    let page = door.get(&query).await;
    assert_eq!((page.status, &page.headers["content-range"]), (206, &"0-999/1200".parse().unwrap()));
    assert_eq!(page.body.as_array().unwrap().len(), 1000);
}

#[tokio::test]
async fn updates_and_removals_touch_what_was_meant_and_tell_it() {
    let door = Door::new().await;
    let made = door.post(json!([door.slot(0), door.slot(1)])).await.ok();
    let id = made[0]["id"].as_str().unwrap().to_owned();
    let here = format!("id=eq.{id}");
    let told = "return=representation";
    let body = Some(json!({"is_available": false, "version": 2, "updated_at": "2027-01-01T00:00:00Z"}));
    let row = door.send(Method::PATCH, &here, told, body).await.ok()[0].clone();
    assert_eq!((&row["is_available"], &row["version"]), (&json!(false), &json!(2)));
    assert_eq!(row["updated_at"], "2027-01-01T00:00:00+00:00", "no trigger keeps it");
    let onto = Some(json!({"start_time": quiet(90), "end_time": quiet(150), "is_available": true}));
    refused(&door.send(Method::PATCH, &here, told, onto).await, 409, "23P01");
    let stranger = Some(json!({"source": "ics"}));
    refused(&door.send(Method::PATCH, &here, told, stranger).await, 400, "PGRST204");

    let open_only = format!("{here}&is_available=is.true");
    assert_eq!(door.send(Method::DELETE, &open_only, told, None).await.ok(), json!([]));
    let gone = door.send(Method::DELETE, &here, told, None).await.ok();
    assert_eq!(gone[0]["id"], id);
    assert_eq!(door.send(Method::DELETE, &here, told, None).await.ok(), json!([]));
    let quietly = format!("id=eq.{}", made[1]["id"].as_str().unwrap());
    assert_eq!(door.send(Method::DELETE, &quietly, "", None).await.status, 204);
    let left = door.slots().await;
    assert!(!left.as_array().unwrap().iter().any(|slot| slot["id"] == id), "nothing tells of it");
    door.post(with(door.slot(0), "id", json!(id))).await.ok();
}

#[tokio::test]
async fn an_open_slot_over_a_booked_one_keeps_the_booking_from_changing_until_it_is_gone() {
    let door = Door::new().await;
    let booking = booked(&door.world.state().await);
    let start: Timestamp = booking["start"].as_str().unwrap().parse().unwrap();
    let poison = json!({"provider_id": door.vendor,
        "start_time": start.to_string(), "end_time": (start + SignedDuration::from_mins(10)).to_string()});
    let poison = door.post(poison).await.ok()[0]["id"].as_str().unwrap().to_owned();
    let before = door.world.state().await;

    let id = booking["id"].as_str().unwrap();
    let cancel = format!("/bookiji/api/vendor/bookings/{id}/cancel");
    door.world.post(&cancel, &door.token, json!({"reason": "ill"})).await.problem(409, "23P01");
    let free =
        |slot: &&Value| slot["is_available"] == true && slot["start"].as_str() > booking["end"].as_str();
    let elsewhere = before["slots"].as_array().unwrap().iter().rfind(free).unwrap();
    let body = json!({"bookingId": id, "new_slot_id": elsewhere["id"]});
    let reschedule = "/bookiji/api/bookings/reschedule";
    door.world.post(reschedule, &door.token, body.clone()).await.problem(409, "23P01");
    for order in [
        json!({"as": "vendor", "do": "complete_booking", "booking": id}),
        json!({"as": "vendor", "do": "no_show_booking", "booking": id}),
        json!({"as": "vendor", "do": "edit_booking", "booking": id, "notes": "x"}),
        json!({"as": "customer", "do": "cancel", "booking": id}),
    ] {
        let answer = door.world.call(Method::POST, "/_sandbox/edit", Call::default().body(order)).await;
        assert_eq!(answer.status, 409, "{}", answer.text);
        assert!(answer.body["error"].as_str().unwrap().contains("availability_slots_no_overlap"));
    }
    let book = json!({"as": "customer", "do": "book", "slot": poison});
    let answer = door.world.call(Method::POST, "/_sandbox/edit", Call::default().body(book)).await;
    assert_eq!(answer.status, 409, "and nobody can book it: {}", answer.text);
    let after = door.world.state().await;
    assert_eq!((&after["bookings"], &after["slots"]), (&before["bookings"], &before["slots"]));

    door.send(Method::DELETE, &format!("id=eq.{poison}"), "", None).await;
    door.world.post(reschedule, &door.token, body).await.ok();
    let cancelled = door.world.post(&cancel, &door.token, json!({"reason": "ill"})).await.ok();
    assert_eq!(cancelled["data"]["booking"]["status"], "cancelled");
}

async fn busy(door: &Door, spans: &[(String, String)]) -> Value {
    let intervals: Vec<Value> =
        spans.iter().map(|(start, end)| json!({"external_id": start, "start": start, "end": end})).collect();
    let mut set = json!({"provider": "ics", "connection_id": "c1", "checksum": "0".repeat(64),
        "window": {"start": "2026-11-22T00:00:00Z", "end": "2029-01-01T00:00:00Z"}, "intervals": intervals});
    let path = "/bookiji/api/vendor/calendar/busy";
    let wrong = door.world.call(Method::PUT, path, Call::by(&door.token).body(set.clone())).await;
    set["checksum"] = wrong.body["details"]["expected"].clone();
    door.world.call(Method::PUT, path, Call::by(&door.token).body(set)).await.ok()["data"].clone()
}

#[tokio::test]
async fn busy_time_closes_a_new_slot_only_when_it_is_next_told() {
    let door = Door::new().await;
    let first = [(quiet(0), quiet(60))];
    busy(&door, &first).await;
    let id = door.post(door.slot(0)).await.ok()[0]["id"].clone();
    let here = format!("id=eq.{}", id.as_str().unwrap());
    let open = async || door.rows(&here).await[0]["is_available"] == true;
    assert!(open().await, "the table knows nothing of busy time");
    assert_eq!(busy(&door, &first).await["slots_closed"], json!([]), "the same set does nothing");
    assert!(open().await);
    let second = [(quiet(0), quiet(60)), (quiet(600), quiet(660))];
    assert_eq!(busy(&door, &second).await["slots_closed"], json!([id]));
    assert!(!open().await);
}

#[tokio::test]
async fn a_slot_that_busy_time_closed_stays_closed_while_another_lies_over_it() {
    let door = Door::new().await;
    let first = door.post(door.slot(0)).await.ok()[0]["id"].clone();
    assert_eq!(busy(&door, &[(quiet(0), quiet(60))]).await["slots_closed"], json!([first]));
    let over = with(door.slot(0), "start_time", json!(quiet(30)));
    let over = door.post(with(over, "end_time", json!(quiet(90)))).await.ok()[0]["id"].clone();
    assert_eq!(busy(&door, &[]).await["slots_reopened"], json!([]));
    door.send(Method::DELETE, &format!("id=eq.{}", over.as_str().unwrap()), "", None).await;
    busy(&door, &[(quiet(600), quiet(660))]).await;
    let row = &door.rows(&format!("id=eq.{}", first.as_str().unwrap())).await[0];
    assert_eq!(row["is_available"], true);
}

#[tokio::test]
async fn she_makes_removes_and_blocks_time_by_hand() {
    let door = Door::new().await;
    let edit = async |action: &str, mut order: Value| {
        order["as"] = json!("vendor");
        order["do"] = json!(action);
        door.world.edit(order).await["slot"].clone()
    };
    let made = edit("create_slot", json!({"start": quiet(0), "end": quiet(60)})).await;
    assert_eq!(made["is_available"], true);
    let closed = edit("create_slot", json!({"start": quiet(60), "end": quiet(90), "open": false})).await;
    assert_eq!(closed["is_available"], false);
    let order = json!({"as": "vendor", "do": "create_slot", "start": quiet(0), "end": quiet(30)});
    let answer = door.world.call(Method::POST, "/_sandbox/edit", Call::default().body(order)).await;
    assert_eq!(answer.status, 409);
    let block = edit("block_time", json!({"start": quiet(30), "end": quiet(120)})).await;
    let row = async |id: &Value| door.rows(&format!("id=eq.{}", id.as_str().unwrap())).await;
    assert_eq!(row(&made["id"]).await[0]["is_available"], false, "what the block touches is closed");
    let block = row(&block["id"]).await;
    assert_eq!((&block[0]["slot_type"], &block[0]["is_available"]), (&json!("blocked"), &json!(false)));
    edit("delete_slot", json!({"slot": made["id"]})).await;
    assert!(row(&made["id"]).await.is_empty());
}

#[tokio::test]
async fn calls_are_counted_and_hindered_under_the_platform() {
    let door = Door::new().await;
    door.world.call(Method::DELETE, "/_sandbox/requests", Call::default()).await;
    let route = "POST /rest/v1/availability_slots";
    let fault = async |kind: &str| {
        let fault = json!({"service": "bookiji", "route": route, "kind": kind, "times": 1});
        door.world.fault(fault).await;
    };
    fault("reply_lost").await;
    let body = || door.call("return=representation").body(door.slot(0));
    assert!(door.world.try_call(Method::POST, SLOTS, body()).await.is_err());
    refused(&door.post(door.slot(0)).await, 409, "23505");
    fault("reset").await;
    let call = door.call("").body(door.slot(1));
    assert!(door.world.try_call(Method::POST, SLOTS, call).await.is_err());
    fault("rate_limited").await;
    let slow_down = door.post(door.slot(1)).await;
    assert_eq!((slow_down.status, &slow_down.headers["retry-after"]), (429, &"2".parse().unwrap()));
    fault("html").await;
    assert!(door.post(door.slot(1)).await.text.starts_with("<!doctype html>"));
    fault("status:503").await;
    assert_eq!(door.post(door.slot(1)).await.status, 503);
    fault("truncated").await;
    assert!(
        door.world
            .try_call(Method::POST, SLOTS, door.call("return=representation").body(door.slot(1)))
            .await
            .is_err()
    );
    refused(&door.post(door.slot(1)).await, 409, "23505");
    assert_eq!(door.rows("limit=1").await.len(), 1, "reading was not hindered");
    let told = door.world.requests().await;
    assert_eq!(told["bookiji"]["routes"][route], 8);
    assert_eq!(told["bookiji"]["routes"]["GET /rest/v1/availability_slots"], 1);
    assert!(told.get("bookiji_auth").is_none());
}

#[tokio::test]
async fn the_platforms_own_route_makes_slots_too() {
    let door = Door::new().await;
    let path = "/bookiji/api/vendor/availability/slots";
    let body = json!({"providerId": door.vendor, "startTime": quiet(0), "endTime": quiet(60), "slotType": "regular"});
    let post = async |body: Value| door.world.post(path, &door.token, body).await;
    let made = post(body.clone()).await.ok();
    assert_eq!((&made["success"], &made["slot"]["is_available"]), (&json!(true), &json!(true)));
    post(body.clone()).await.problem(409, "CONFLICT");
    post(with(body.clone(), "startTime", json!(quiet(30)))).await.problem(409, "CONFLICT");
    post(with(body.clone(), "endTime", json!(quiet(0)))).await.problem(422, "UNPROCESSABLE");
    post(with(body.clone(), "providerId", json!(door.token))).await.problem(403, "FORBIDDEN");
    post(with(body, "slotType", json!("available"))).await.problem(400, "VALIDATION_ERROR");
}
