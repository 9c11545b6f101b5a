//! One statement after the other, to the sandbox over its REST door and to PostgreSQL as SQL.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use sandbox::{Options, Running};
use serde_json::{Map, Value, json};

use crate::server::{Answer, Server};

const KEY: &str = "sb_publishable_sandbox";
/// Weeks that the seeded life does not reach; each case has a day of its own there.
const QUIET: &str = "2030-03-04T08:00:00Z";

/// What is done. Times are minutes of the case's own day, and rows are known by the names that the case gives them.
#[derive(Clone, Debug)]
pub enum Step {
    /// She makes a slot.
    Slot {
        name: &'static str,
        from: i64,
        to: i64,
        open: bool,
        kind: &'static str,
    },
    /// She makes a slot for somebody else.
    SlotForOther {
        from: i64,
        to: i64,
    },
    /// She changes slots.
    SetSlot {
        name: &'static str,
        set: Value,
    },
    RemoveSlot {
        name: &'static str,
    },
    /// She changes a booking.
    Set {
        name: &'static str,
        set: Value,
    },
    /// She deletes a booking, or would like to.
    Delete {
        name: &'static str,
    },
    /// She makes a booking, or would like to.
    Insert {
        from: i64,
        to: i64,
    },
    Move {
        name: &'static str,
        to: &'static str,
    },
    /// The site, with all rights: a customer's booking in a slot, up to its confirmation.
    Book {
        name: &'static str,
        slot: &'static str,
    },
    /// The site: a booking of the vendor's own making.
    BookDirectly {
        name: &'static str,
        from: i64,
        to: i64,
    },
    /// The site: a row is deleted.
    Purge {
        name: &'static str,
    },
}

/// What a step came to, on either side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// So many rows were written.
    Done(usize),
    Refused(String, String),
    /// A function's own words.
    Said(String),
}

pub struct Both {
    sandbox: Running,
    client: reqwest::Client,
    server: Server,
    token: String,
    vendor: String,
    neighbour: String,
    customer: String,
    service: String,
    sub: String,
    day: i64,
    names: BTreeMap<&'static str, String>,
    /// Events of the log that are of earlier cases.
    seen: usize,
    pub compared: usize,
}

impl Both {
    /// Nothing where there is no PostgreSQL.
    pub async fn start(unlinked: bool) -> Option<Self> {
        let server = Server::start().await?;
        rustls::crypto::ring::default_provider().install_default().ok();
        let options = Options { faithful: true, unlinked, bookings: 0, events: 0, ..Options::default() };
        let sandbox = sandbox::serve(options).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/supabase/auth/v1/token?grant_type=password", sandbox.base_url);
        let body = json!({"email": sandbox.email, "password": sandbox.password});
        let session = client.post(url).header("apikey", KEY).json(&body).send().await.unwrap();
        let session: Value = serde_json::from_str(&session.text().await.unwrap()).unwrap();
        let mut both = Self {
            token: session["access_token"].as_str().unwrap().to_owned(),
            sub: session["user"]["id"].as_str().unwrap().to_owned(),
            vendor: String::new(),
            neighbour: String::new(),
            customer: String::new(),
            service: String::new(),
            sandbox,
            client,
            server,
            day: 0,
            names: BTreeMap::new(),
            seen: 0,
            compared: 0,
        };
        let state = both.state().await;
        let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
        both.vendor = id(&state["vendor"]);
        both.neighbour = id(&state["neighbour"]);
        // Ids in order are what the sandbox takes where none is named.
        both.customer = state["customers"].as_array().unwrap().iter().map(id).min().unwrap();
        both.service = state["services"].as_array().unwrap().iter().map(id).min().unwrap();
        both.server.rows(include_str!("schema.sql"));
        both.server.rows(&format!(
            "INSERT INTO profiles VALUES ('{v}', '{sub}', 'v'), ('{n}', '{n}', 'n'), ('{c}', '{c}', 'c');
             INSERT INTO services VALUES ('{s}', '{v}', 's');",
            v = both.vendor,
            sub = both.sub,
            n = both.neighbour,
            c = both.customer,
            s = both.service,
        ));
        let theirs = &state["neighbour"]["slots"][0];
        both.server.rows(&format!(
            "INSERT INTO availability_slots (id, provider_id, start_time, end_time) VALUES ('{}', '{}', '{}', '{}');",
            id(theirs),
            both.neighbour,
            theirs["start"].as_str().unwrap(),
            theirs["end"].as_str().unwrap(),
        ));
        both.names.insert("theirs", id(theirs));
        Some(both)
    }

    /// Takes every step on both sides, and compares after each. `expected` is what the last step comes to.
    pub async fn case(&mut self, name: &str, steps: Vec<Step>, expected: &str) {
        self.day += 1;
        self.names.retain(|name, _| *name == "theirs");
        self.seen = rows(&self.state().await, "ops_events").len();
        self.server.rows("DELETE FROM ops_events");
        let mut last = String::new();
        for step in steps {
            let (came, theirs) = (self.on_sandbox(&step).await, self.on_postgres(&step));
            assert_eq!(came, theirs, "{name}: {step:?}");
            let (ours, theirs) = (self.sandbox_rows().await, self.postgres_rows());
            assert_eq!(ours, theirs, "{name}: after {step:?}");
            last = came.in_short();
            self.compared += 1;
        }
        assert_eq!(last, expected, "{name}");
    }

    fn at(&self, minute: i64) -> Timestamp {
        let quiet: Timestamp = QUIET.parse().unwrap();
        quiet + SignedDuration::from_hours(24 * self.day) + SignedDuration::from_mins(minute)
    }

    fn id(&self, name: &str) -> String {
        // One that nobody has.
        self.names.get(name).cloned().unwrap_or_else(|| "00000000-0000-4000-8000-ffffffffffff".to_owned())
    }

    /// An id of our own choice, for a row that gets this name.
    fn fresh(&mut self, name: &'static str) -> String {
        let number = self.day * 100 + i64::try_from(self.names.len()).unwrap();
        let id = format!("00000000-0000-4000-8000-{number:012x}");
        self.names.insert(name, id.clone());
        id
    }

    async fn on_sandbox(&mut self, step: &Step) -> Came {
        match step {
            Step::Slot { name, from, to, open, kind } => {
                let id = self.fresh(name);
                let row = json!({"id": id, "provider_id": self.vendor, "start_time": self.at(*from),
                    "end_time": self.at(*to), "is_available": open, "slot_type": kind});
                self.rest("POST", "availability_slots", Some(row)).await
            }
            Step::SlotForOther { from, to } => {
                let row = json!({"provider_id": self.neighbour, "start_time": self.at(*from),
                    "end_time": self.at(*to)});
                self.rest("POST", "availability_slots", Some(row)).await
            }
            Step::SetSlot { name, set } => {
                let path = format!("availability_slots?id=eq.{}", self.id(name));
                self.rest("PATCH", &path, Some(self.timed(set))).await
            }
            Step::RemoveSlot { name } => {
                let path = format!("availability_slots?id=eq.{}", self.id(name));
                self.rest("DELETE", &path, None).await
            }
            Step::Set { name, set } => {
                let path = format!("bookings?id=eq.{}", self.id(name));
                self.rest("PATCH", &path, Some(self.timed(set))).await
            }
            Step::Delete { name } => {
                let path = format!("bookings?id=eq.{}", self.id(name));
                self.rest("DELETE", &path, None).await
            }
            Step::Insert { from, to } => {
                let row = json!({"customer_id": self.customer, "provider_id": self.vendor,
                    "service_id": self.service, "start_time": self.at(*from), "end_time": self.at(*to),
                    "total_amount": 0});
                self.rest("POST", "bookings", Some(row)).await
            }
            Step::Move { name, to } => {
                let body = json!({"p_booking_id": self.id(name), "p_new_slot_id": self.id(to)});
                self.rest("POST", "rpc/reschedule_booking_atomically", Some(body)).await
            }
            Step::Book { name, slot } => {
                let order = json!({"as": "customer", "do": "book", "slot": self.id(slot)});
                self.edit(name, order).await
            }
            Step::BookDirectly { name, from, to } => {
                let (start, end) = (self.at(*from), self.at(*to));
                let order = json!({"as": "vendor", "do": "insert_booking", "start": start, "end": end});
                self.edit(name, order).await
            }
            Step::Purge { name } => {
                let order = json!({"as": "vendor", "do": "purge_booking", "booking": self.id(name)});
                self.edit(name, order).await
            }
        }
    }

    fn on_postgres(&self, step: &Step) -> Came {
        let (vendor, customer, service) = (&self.vendor, &self.customer, &self.service);
        let counted =
            |change: String| format!("WITH done AS ({change} RETURNING 1) SELECT count(*) FROM done");
        match step {
            Step::Slot { name, from, to, open, kind } => self.as_her(&counted(format!(
                "INSERT INTO availability_slots (id, provider_id, start_time, end_time, is_available, slot_type)
                 VALUES ('{}', '{vendor}', '{}', '{}', {open}, '{kind}')",
                self.id(name),
                self.at(*from),
                self.at(*to),
            ))),
            Step::SlotForOther { from, to } => self.as_her(&counted(format!(
                "INSERT INTO availability_slots (provider_id, start_time, end_time) VALUES ('{}', '{}', '{}')",
                self.neighbour,
                self.at(*from),
                self.at(*to),
            ))),
            Step::SetSlot { name, set } => self.as_her(&counted(format!(
                "UPDATE availability_slots SET {} WHERE id = '{}'",
                self.assigned(set),
                self.id(name),
            ))),
            Step::RemoveSlot { name } => {
                self.as_her(&counted(format!("DELETE FROM availability_slots WHERE id = '{}'", self.id(name))))
            }
            Step::Set { name, set } => self.as_her(&counted(format!(
                "UPDATE bookings SET {} WHERE id = '{}'",
                self.assigned(set),
                self.id(name),
            ))),
            Step::Delete { name } => {
                self.as_her(&counted(format!("DELETE FROM bookings WHERE id = '{}'", self.id(name))))
            }
            Step::Insert { from, to } => self.as_her(&counted(format!(
                "INSERT INTO bookings (customer_id, provider_id, service_id, start_time, end_time, total_amount)
                 VALUES ('{customer}', '{vendor}', '{service}', '{}', '{}', 0)",
                self.at(*from),
                self.at(*to),
            ))),
            Step::Move { name, to } => {
                let call = format!(
                    "SELECT CASE WHEN success THEN 'moved' ELSE error_message END
                     FROM reschedule_booking_atomically('{}', '{}')",
                    self.id(name),
                    self.id(to),
                );
                match self.as_her(&call) {
                    Came::Refused(code, message) => Came::Refused(code, message),
                    Came::Said(words) => Came::Said(words),
                    Came::Done(rows) => Came::Said(format!("{rows} rows")),
                }
            }
            Step::Book { name, slot } => {
                let id = self.id(name);
                self.as_site(&format!(
                    "SELECT claim_slot_and_create_booking('{id}', '{}', '{customer}', '{service}') IS NULL;
                     UPDATE bookings SET stripe_payment_intent_id = 'pi' WHERE id = '{id}';
                     UPDATE bookings SET status = 'confirmed', confirmed_at = now() WHERE id = '{id}';",
                    self.id(slot),
                ))
            }
            Step::BookDirectly { name, from, to } => self.as_site(&format!(
                "INSERT INTO bookings (id, customer_id, provider_id, service_id, start_time, end_time, total_amount,
                     vendor_created)
                 VALUES ('{}', '{customer}', '{vendor}', '{service}', '{}', '{}', 0, true);",
                self.id(name),
                self.at(*from),
                self.at(*to),
            )),
            Step::Purge { name } => self.as_site(&format!("DELETE FROM bookings WHERE id = '{}';", self.id(name))),
        }
    }

    async fn rest(&self, method: &str, path: &str, body: Option<Value>) -> Came {
        let url = format!("{}/supabase/rest/v1/{path}", self.sandbox.base_url);
        let mut request = self.client.request(method.parse().unwrap(), url);
        request = request.header("apikey", KEY).header("prefer", "return=representation");
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.bearer_auth(&self.token).send().await.unwrap();
        let succeeded = answer.status().is_success();
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let word = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        if !succeeded {
            return Came::Refused(word("code"), word("message"));
        }
        let written = body.as_array().unwrap();
        match written.first().filter(|first| first["success"].is_boolean()) {
            Some(told) => Came::Said(told["error_message"].as_str().unwrap_or("moved").to_owned()),
            None => Came::Done(written.len()),
        }
    }

    /// The site's own doing. Its refusals have words and no code.
    async fn edit(&mut self, name: &'static str, order: Value) -> Came {
        let url = format!("{}/_sandbox/edit", self.sandbox.base_url);
        let answer = self.client.post(url).json(&order).send().await.unwrap();
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        if let Some(message) = body["error"].as_str() {
            return Came::Refused(String::new(), message.to_owned());
        }
        self.names.insert(name, body["booking"]["id"].as_str().unwrap().to_owned());
        Came::Done(1)
    }

    fn as_her(&self, statement: &str) -> Came {
        let claims = json!({"sub": self.sub, "role": "authenticated"});
        let script = format!(
            "BEGIN; SET LOCAL ROLE authenticated; SET LOCAL request.jwt.claims = '{claims}';\n{statement};\nCOMMIT;"
        );
        match self.server.ask(&script) {
            Answer::Rows(rows) => rows.parse().map_or(Came::Said(rows), Came::Done),
            Answer::Refused { code, message } => Came::Refused(code, message),
        }
    }

    fn as_site(&self, script: &str) -> Came {
        match self.server.ask(script) {
            Answer::Rows(_) => Came::Done(1),
            Answer::Refused { message, .. } => Came::Refused(String::new(), message),
        }
    }

    /// Minutes of the day as instants.
    fn timed(&self, set: &Value) -> Value {
        let set = set.as_object().unwrap().iter().map(|(column, value)| {
            let value = match value.as_i64() {
                Some(minute) => json!(self.at(minute)),
                None => value.clone(),
            };
            (column.clone(), value)
        });
        Value::Object(set.collect::<Map<_, _>>())
    }

    fn assigned(&self, set: &Value) -> String {
        let set = self.timed(set);
        let one = |(column, value): (&String, &Value)| match value.as_str() {
            Some(text) => format!("{column} = '{text}'"),
            None => format!("{column} = {value}"),
        };
        set.as_object().unwrap().iter().map(one).collect::<Vec<_>>().join(", ")
    }

    async fn state(&self) -> Value {
        let url = format!("{}/_sandbox/state", self.sandbox.base_url);
        serde_json::from_str(&self.client.get(url).send().await.unwrap().text().await.unwrap()).unwrap()
    }

    /// The day's rows and the log, in words: names instead of ids, minutes instead of times.
    async fn sandbox_rows(&self) -> Vec<String> {
        let state = self.state().await;
        let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let mut told: Vec<String> = Vec::new();
        let slots = rows(&state, "slots").iter().chain(rows(&state["neighbour"], "slots"));
        told.extend(slots.filter_map(|row| {
            let (from, to) = self.minutes(&text(row, "start"), &text(row, "end"))?;
            Some(format!("slot {} {from}-{to} {}", self.name(&text(row, "id")), row["is_available"]))
        }));
        told.extend(rows(&state, "bookings").iter().filter_map(|row| {
            let (from, to) = self.minutes(&text(row, "start"), &text(row, "end"))?;
            Some(format!("booking {} {from}-{to} {}", self.name(&text(row, "id")), text(row, "status")))
        }));
        told.sort();
        let log = rows(&state, "ops_events").iter().skip(self.seen);
        told.extend(log.map(|event| {
            let id = ["booking_id", "slot_id"].iter().find_map(|key| event["payload"][*key].as_str());
            format!("{} {}", text(event, "type"), self.name(id.unwrap_or_default()))
        }));
        told
    }

    fn postgres_rows(&self) -> Vec<String> {
        let within = |row: &str| {
            let parts: Vec<&str> = row.split('|').collect();
            let (from, to) = self.minutes(parts[1], parts[2])?;
            Some(format!("{} {from}-{to} {}", self.name(parts[0]), parts[3]))
        };
        let columns = "start_time AT TIME ZONE 'UTC', end_time AT TIME ZONE 'UTC'";
        let slots = format!(
            "SELECT id, {columns}, CASE WHEN is_available THEN 'true' ELSE 'false' END FROM availability_slots"
        );
        let bookings = format!("SELECT id, {columns}, status FROM bookings");
        let slots = self.server.rows(&slots);
        let bookings = self.server.rows(&bookings);
        let mut told: Vec<String> =
            slots.iter().filter_map(|row| within(row)).map(|row| format!("slot {row}")).collect();
        told.extend(bookings.iter().filter_map(|row| within(row)).map(|row| format!("booking {row}")));
        told.sort();
        let log = "SELECT type, coalesce(payload ->> 'booking_id', payload ->> 'slot_id') FROM ops_events ORDER BY number";
        told.extend(self.server.rows(log).iter().map(|row| {
            let (kind, id) = row.split_once('|').unwrap();
            format!("{kind} {}", self.name(id))
        }));
        told
    }

    fn name(&self, id: &str) -> String {
        let known = self.names.iter().find(|(_, known)| *known == id);
        known.map_or_else(|| "somebody".to_owned(), |(name, _)| (*name).to_owned())
    }

    /// Minutes of the case's day; nothing for what lies elsewhere.
    fn minutes(&self, start: &str, end: &str) -> Option<(i64, i64)> {
        let at = |text: &str| -> Timestamp {
            let text = text.trim_end_matches('Z').replace(' ', "T");
            format!("{text}Z").parse().unwrap()
        };
        let minute = |text: &str| at(text).duration_since(self.at(0)).as_mins();
        let (from, to) = (minute(start), minute(end));
        ((-400..1000).contains(&from)).then_some((from, to))
    }
}

impl Came {
    fn in_short(&self) -> String {
        match self {
            Self::Done(rows) => rows.to_string(),
            Self::Refused(code, message) if code.is_empty() => message.clone(),
            Self::Refused(code, _) => code.clone(),
            Self::Said(words) => words.clone(),
        }
    }
}

fn rows<'a>(document: &'a Value, name: &str) -> &'a Vec<Value> {
    document[name].as_array().unwrap()
}
