//! One vendor's afternoon: what the people do, and what must have come of it on both sides. Knows the sandbox's state
//! and the command's documents, nothing of how the sync works.

use super::cast::{Companion, Sandbox, customer, vendor};
use super::files;
use super::ledger::Ledger;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub struct Story<'a> {
    sandbox: &'a Sandbox,
    companion: &'a Companion<'a>,
    ledger: Ledger,
    /// Her own calendar, by the service's id.
    personal: String,
}

/// What the sandbox holds at one moment.
struct Moment(Value);

impl<'a> Story<'a> {
    pub fn begin(sandbox: &'a Sandbox, companion: &'a Companion<'a>) -> Result<Self> {
        Ok(Self { sandbox, companion, ledger: Ledger::default(), personal: String::new() })
    }

    pub fn end(self) -> Ledger {
        self.ledger
    }

    pub fn tell(&mut self) -> Result<()> {
        self.she_connects()?;
        self.everything_is_synced()?;
        self.nothing_is_new()?;
        self.a_customer_reschedules()?;
        self.a_customer_books_and_cancels()?;
        self.she_blocks_time_in_her_calendar()?;
        files::travel(self.companion, self.sandbox, &mut self.ledger)?;
        self.she_moves_an_event_of_ours()?;
        Ok(())
    }

    fn she_connects(&mut self) -> Result<()> {
        self.ledger.scene("She signs in to Bookiji and links her Google account.");
        let now = self.now()?;
        let (email, password) = (text(&now.0["vendor"]["email"]), text(&now.0["vendor"]["password"]));
        let wrong = self.companion.says(&["login", "--email", &email], "not her password")?;
        let code = error_code(&wrong.errors);
        self.ledger.check(
            wrong.status == Some(1) && !code.is_empty(),
            &format!("a wrong password is refused: {code}"),
        );
        let login = self.companion.types(&["login", "--email", &email], &password)?;
        self.ledger.check(
            login["vendor"]["id"].is_string(),
            &format!("signed in as {}", text(&login["vendor"]["name"])),
        );

        self.companion.connects_google()?;
        let calendars = self.companion.types(&["calendars"], "")?;
        let calendars = list(&calendars["calendars"]);
        self.ledger.check(!calendars.is_empty(), &format!("{} calendars found", calendars.len()));
        for calendar in &calendars {
            self.ledger.tell(&format!("{:<8} {}", text(&calendar["role"]), text(&calendar["name"])));
        }
        let personal = calendars.iter().find(|calendar| calendar["role"] == "busy");
        self.personal = text(&personal.context("no calendar blocks time")?["remote_id"]);
        Ok(())
    }

    fn everything_is_synced(&mut self) -> Result<()> {
        self.ledger.scene("The first sync, first as a preview.");
        let preview = self.sync(&["--dry-run"])?;
        let planned = preview["bookings"]["created"].as_u64();
        let untouched = self.now()?;
        self.ledger
            .check(untouched.our_events().is_empty() && untouched.busy() == 0, "the preview wrote nothing");

        let report = self.sync(&[])?;
        let now = self.now()?;
        let (bookings, events) = (now.bookings(), now.our_events());
        let created = report["bookings"]["created"].as_u64();
        self.ledger.check(
            !bookings.is_empty() && now.agrees(),
            &format!("{} bookings -> {} events", bookings.len(), events.len()),
        );
        self.ledger.check(created == planned, &format!("as previewed: {} to create", shown(planned)));
        for source in list(&report["busy"]["sources"]) {
            let (name, intervals) = (text(&source["name"]), source["intervals"].as_u64());
            match intervals {
                Some(0) => self.ledger.tell(&format!("{name}: nothing that blocks time")),
                _ => self.ledger.check(
                    source["published"] == true,
                    &format!("{name}: {} busy intervals published", shown(intervals)),
                ),
            }
        }
        self.ledger.check(now.busy() > 0, &format!("Bookiji holds {} busy intervals", now.busy()));
        self.ledger.tell(&format!("{} of {} slots can be booked", now.open_slots().len(), now.slots().len()));
        self.ledger.tell(&costs(&report));
        Ok(())
    }

    fn nothing_is_new(&mut self) -> Result<()> {
        self.ledger.scene("The second sync, with nothing new.");
        self.sandbox.reset_requests()?;
        let before = self.now()?;
        let report = self.sync(&[])?;
        let now = self.now()?;
        let writes = self.writes()?;
        self.ledger.check(
            writes.is_empty() && before.0["busy"] == now.0["busy"],
            &format!("{} writes {writes:?}", writes.len()),
        );
        let calendars = list(&report["busy"]["sources"]).len() as u64;
        let google = report["requests"]["google"].as_u64().unwrap_or_default();
        let bookiji = report["requests"]["bookiji"].as_u64().unwrap_or_default();
        self.ledger
            .check(google == calendars, &format!("{google} requests to Google for {calendars} calendars"));
        self.ledger.check(bookiji == 1, &format!("{bookiji} request to Bookiji"));
        self.ledger.tell(&costs(&report));
        Ok(())
    }

    fn a_customer_reschedules(&mut self) -> Result<()> {
        self.ledger.scene("A customer reschedules a booking on Bookiji.");
        let before = self.now()?;
        let booking = before.bookings().into_iter().last().context("no booking to move")?;
        let id = text(&booking["id"]);
        let slot = before.open_slots().into_iter().next().context("no open slot to move it to")?;
        let event = before.event_of(&id).context("the booking has no event")?;
        self.sandbox.edit(&customer("reschedule", json!({ "booking": id, "slot": slot["id"] })))?;
        let report = self.sync(&[])?;
        let now = self.now()?;
        let moved = now.event_of(&id).context("the booking lost its event")?;
        let same =
            moved["id"] == event["id"] && moved["start"] == slot["start"] && moved["end"] == slot["end"];
        self.ledger.check(
            same && report["bookings"]["updated"] == 1 && now.agrees(),
            &format!("its event moved from {} to {}", text(&event["start"]), text(&moved["start"])),
        );
        Ok(())
    }

    fn a_customer_books_and_cancels(&mut self) -> Result<()> {
        self.ledger.scene("A customer books, and cancels again.");
        let slot = self.now()?.open_slots().into_iter().next().context("no open slot to book")?;
        let booked = self.sandbox.edit(&customer("book", json!({ "slot": slot["id"] })))?;
        let before = self.now()?;
        let id = before.live_booking_at(&slot).with_context(|| format!("not booked: {booked}"))?;
        let report = self.sync(&[])?;
        let event = self.now()?.event_of(&id);
        self.ledger.check(
            report["bookings"]["created"] == 1 && event.is_some_and(|event| event["start"] == slot["start"]),
            &format!("the booking at {} became an event", text(&slot["start"])),
        );
        self.sandbox.edit(&customer("cancel", json!({ "booking": id })))?;
        let report = self.sync(&[])?;
        let now = self.now()?;
        self.ledger.check(
            report["bookings"]["removed"] == 1 && now.event_of(&id).is_none() && now.agrees(),
            "cancelled, its event is gone",
        );
        Ok(())
    }

    fn she_blocks_time_in_her_calendar(&mut self) -> Result<()> {
        self.ledger.scene("She puts an event into her own calendar, and takes it out again.");
        let before = self.now()?;
        let open = before.open_slots();
        let slot = open.first().context("no open slot to block")?;
        let event = json!({ "calendar": self.personal, "summary": "Dentist", "start": slot["start"], "end": slot["end"] });
        let created = self.sandbox.edit(&vendor("create_event", event))?;
        self.sync(&[])?;
        let now = self.now()?;
        let closed: Vec<&Value> = open.iter().filter(|slot| !now.is_open(slot)).collect();
        let overlapping = open.iter().filter(|other| overlap(other, slot)).count();
        self.ledger.check(
            !now.is_open(slot) && closed.len() == overlapping,
            &format!("{} slot(s) closed at {}", closed.len(), text(&slot["start"])),
        );
        let id = &created["event"]["id"];
        self.sandbox.edit(&vendor("delete_event", json!({ "calendar": self.personal, "event": id })))?;
        self.sync(&[])?;
        let now = self.now()?;
        self.ledger.check(now.open_slots().len() == open.len(), "deleted, the same slots are open again");
        Ok(())
    }

    fn she_moves_an_event_of_ours(&mut self) -> Result<()> {
        self.ledger.scene("She drags the event of a booking to another time, in her calendar.");
        let before = self.now()?;
        let booking = before.bookings().into_iter().next().context("no booking")?;
        let id = text(&booking["id"]);
        let event = before.event_of(&id).context("the booking has no event")?;
        let slot = before.open_slots().into_iter().nth(2).context("no open slot")?;
        let calendar = before.calendar_of(&event).context("the event is in no calendar")?;
        let to =
            json!({ "calendar": calendar, "event": event["id"], "start": slot["start"], "end": slot["end"] });
        self.sandbox.edit(&vendor("move_event", to))?;
        let said = self.companion.says(&["sync"], "")?;
        let now = self.now()?;
        let kept = now.event_of(&id).is_some_and(|event| event["start"] == slot["start"]);
        let booked = now
            .bookings()
            .iter()
            .any(|other| other["id"] == booking["id"] && other["start"] == booking["start"]);
        let asked = list(&said.document["decisions"]);
        self.ledger.check(kept && booked, "neither side was overwritten");
        let question = asked.first().map(|asked| text(&asked["summary"])).unwrap_or_default();
        self.ledger.check(said.status == Some(3) && asked.len() == 1, &format!("she is asked: {question}"));
        self.ledger.check(!now.is_open(&slot), "and both times stay blocked");
        Ok(())
    }

    fn now(&self) -> Result<Moment> {
        Ok(Moment(self.sandbox.state()?))
    }

    fn sync(&self, words: &[&str]) -> Result<Value> {
        let mut all = vec!["sync"];
        all.extend(words);
        let report = self.companion.types(&all, "")?;
        if !list(&report["errors"]).is_empty() {
            bail!("the sync reported {}", report["errors"]);
        }
        Ok(report)
    }

    /// Every route by which a client changed something since the last reset; reading and signing in are no writes.
    fn writes(&self) -> Result<Vec<String>> {
        let requests = self.sandbox.requests()?;
        let mut writes = Vec::new();
        for service in ["google", "bookiji"] {
            for (route, count) in requests[service]["routes"].as_object().into_iter().flatten() {
                if !route.starts_with("GET ") && !route.contains("oauth") && !route.contains("token") {
                    writes.push(format!("{count} x {service} {route}"));
                }
            }
        }
        Ok(writes)
    }
}

impl Moment {
    fn bookings(&self) -> Vec<Value> {
        let live = |booking: &Value| booking["status"] == "confirmed" || booking["status"] == "pending";
        let mut live: Vec<Value> = list(&self.0["bookings"]).into_iter().filter(live).collect();
        live.retain(|booking| text(&booking["end"]) > text(&self.0["now"]));
        live.sort_by_key(|booking| text(&booking["start"]));
        live
    }

    fn live_booking_at(&self, slot: &Value) -> Option<String> {
        let booking = self.bookings().into_iter().find(|booking| booking["start"] == slot["start"])?;
        Some(text(&booking["id"]))
    }

    /// Events that stand for a booking and were not deleted, by booking.
    fn our_events(&self) -> Vec<Value> {
        let calendars = list(&self.0["calendars"]);
        let events = calendars.iter().flat_map(|calendar| list(&calendar["events"]));
        events.filter(|event| event["booking_id"].is_string() && event["status"] != "cancelled").collect()
    }

    fn event_of(&self, booking: &str) -> Option<Value> {
        self.our_events().into_iter().find(|event| event["booking_id"] == booking)
    }

    fn calendar_of(&self, event: &Value) -> Option<Value> {
        let calendars = list(&self.0["calendars"]);
        let holds =
            |calendar: &&Value| list(&calendar["events"]).iter().any(|other| other["id"] == event["id"]);
        calendars.iter().find(holds).map(|calendar| calendar["id"].clone())
    }

    /// One event for each booking, at its time, and none besides.
    fn agrees(&self) -> bool {
        let times = |all: Vec<Value>, id: &str| {
            let one = |value: &Value| (text(&value[id]), (text(&value["start"]), text(&value["end"])));
            all.iter().map(one).collect::<BTreeMap<_, _>>()
        };
        let events = self.our_events();
        let upcoming = times(self.bookings(), "id");
        let upcoming_events: Vec<Value> =
            events.iter().filter(|event| text(&event["end"]) > text(&self.0["now"])).cloned().collect();
        upcoming_events.len() == upcoming.len() && times(upcoming_events, "booking_id") == upcoming
    }

    fn slots(&self) -> Vec<Value> {
        let mut slots = list(&self.0["slots"]);
        slots.sort_by_key(|slot| text(&slot["start"]));
        slots
    }

    fn open_slots(&self) -> Vec<Value> {
        let upcoming = |slot: &Value| text(&slot["start"]) > text(&self.0["now"]);
        self.slots().into_iter().filter(|slot| slot["is_available"] == true && upcoming(slot)).collect()
    }

    fn is_open(&self, slot: &Value) -> bool {
        self.open_slots().iter().any(|open| open["id"] == slot["id"])
    }

    fn busy(&self) -> usize {
        list(&self.0["busy"]).iter().map(|source| source["intervals"].as_array().map_or(1, Vec::len)).sum()
    }
}

/// Both are instants in UTC, written alike, so that their text sorts as they do.
fn overlap(one: &Value, other: &Value) -> bool {
    text(&one["start"]) < text(&other["end"]) && text(&other["start"]) < text(&one["end"])
}

fn costs(report: &Value) -> String {
    let requests: Vec<String> = report["requests"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(service, count)| format!("{count} {service}"))
        .collect();
    format!("{} ms; requests: {}", report["duration_ms"], requests.join(", "))
}

fn error_code(errors: &str) -> String {
    let documents = errors.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    documents
        .map(|document| text(&document["error"]["code"]))
        .find(|code| !code.is_empty())
        .unwrap_or_default()
}

fn shown(count: Option<u64>) -> String {
    count.map_or_else(|| "?".to_owned(), |count| count.to_string())
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
