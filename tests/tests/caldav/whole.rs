//! The whole way, with the platform's sandbox on one side and a real calendar server on the other.

use std::collections::BTreeMap;

use companion::caldav;
use companion::cli::output::{Exit, Outcome};
use companion::errand::{self, Errand};
use companion::wiring::Wiring;
use jiff::{SignedDuration, Timestamp};
use sandbox::Running;
use secrecy::SecretString;
use serde_json::{Value, json};
use sync::error::Code;
use sync::world::Direction;
use tests::servers::{Hand, PASSWORD, Radicale, USER, hand, or_say};

use crate::stage::signed_in;

struct Whole {
    sandbox: Running,
    radicale: Radicale,
    hand: Hand,
    wiring: Wiring,
    _folder: tempfile::TempDir,
}

impl Whole {
    /// A vendor who has signed in, a server with a calendar of hers, and nothing linked yet.
    async fn start() -> Option<Self> {
        let radicale = or_say(Radicale::start())?;
        let folder = tempfile::tempdir().unwrap();
        let (sandbox, wiring) = signed_in(folder.path()).await;
        let hand = Hand::at(&radicale.url);
        hand.make_calendar(&format!("/{USER}/hers/"), "Private").await;
        Some(Self { sandbox, radicale, hand, wiring, _folder: folder })
    }

    async fn link(&self, password: &str) -> Result<String, companion::problem::Problem> {
        let entry = caldav::entry(&self.wiring.settings, &self.radicale.url)?;
        let id = caldav::connect(&self.wiring, entry, USER, SecretString::from(password)).await?;
        Ok(id.0)
    }

    async fn sync(&self) -> Outcome {
        self.done(&Errand::Sync { direction: Direction::Bidirectional, dry_run: false }).await
    }

    async fn done(&self, errand: &Errand) -> Outcome {
        errand::perform(&self.wiring, errand)
            .await
            .unwrap_or_else(|problem| panic!("{errand:?}: {problem:?}"))
    }

    async fn state(&self) -> Value {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(format!("{}/_sandbox/state", self.sandbox.base_url)).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// The events of bookings that the server keeps, by booking, with their files.
    fn kept(&self) -> BTreeMap<String, String> {
        let mut kept = BTreeMap::new();
        let Ok(folders) = std::fs::read_dir(self.radicale.kept()) else { return kept };
        for folder in folders.map(|folder| folder.unwrap().path()) {
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            for file in std::fs::read_dir(&folder).into_iter().flatten().map(|file| file.unwrap().path()) {
                let Ok(text) = std::fs::read_to_string(&file) else { continue };
                if let Some(booking) = text.lines().find_map(|line| line.strip_prefix("X-BOOKIJI-BOOKING:")) {
                    let file = file.file_name().unwrap().to_string_lossy();
                    kept.insert(booking.trim().to_owned(), format!("/{USER}/{name}/{file}"));
                }
            }
        }
        kept
    }
}

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

fn compact(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn row<'a>(state: &'a Value, list: &str, id: &Value) -> &'a Value {
    state[list].as_array().unwrap().iter().find(|row| row["id"] == *id).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_becomes_an_event_she_moves_it_and_her_answer_acts_on_both_sides() {
    let Some(whole) = Whole::start().await else { return };
    let state = whole.state().await;
    let soon = time(&state["now"]) + SignedDuration::from_hours(48);
    let slots = state["slots"].as_array().unwrap();
    let open = slots
        .iter()
        .find(|slot| slot["is_available"] == true && time(&slot["start"]) > soon)
        .unwrap()
        .clone();
    let (start, end) = (compact(time(&open["start"])), compact(time(&open["end"])));
    whole.hand.put(&format!("/{USER}/hers/dentist.ics"), &hand::event("dentist", &start, &end, "")).await;

    let wrong = whole.link("another").await.unwrap_err();
    assert_eq!(wrong.code, Code::InvalidCredentials, "{wrong:?}");
    let connection = whole.link(PASSWORD).await.unwrap();
    let first = whole.sync().await;
    assert_eq!(first.exit, Exit::Done, "{:?}", first.document);
    let created = first.document["bookings"]["created"].as_u64().unwrap();
    let kept = whole.kept();
    assert!(created > 0 && kept.len() as u64 == created, "{:?}", first.document);
    let state = whole.state().await;
    assert_eq!(
        row(&state, "slots", &open["id"])["is_available"],
        false,
        "what fills her calendar cannot be booked"
    );
    assert!(!state["busy"].to_string().contains("Hers"), "and nobody is told what it is");

    // The second looks at what the first wrote; after that there is nothing to look at.
    let second = whole.sync().await;
    let writes = ["created", "updated", "removed"].map(|what| second.document["bookings"][what].clone());
    assert_eq!(writes, [0, 0, 0], "{:?}", second.document);
    let idle = whole.sync().await;
    assert_eq!(idle.document["requests"]["caldav"], 2, "one for each calendar: {:?}", idle.document);

    let bookings = state["bookings"].as_array().unwrap();
    let booking = bookings
        .iter()
        .find(|row| row["status"] == "confirmed" && time(&row["start"]) > soon)
        .map(|row| row["id"].clone())
        .unwrap();
    let file = &kept[booking.as_str().unwrap()];
    let event = whole.hand.get(file).await.body;
    let was = time(&row(&state, "bookings", &booking)["start"]);
    let length = time(&row(&state, "bookings", &booking)["end"]).duration_since(was);
    let night = was + SignedDuration::from_hours(13);
    let moved: String = event
        .lines()
        .map(|line| match line.split_once(':').map(|(head, _)| head.split(';').next().unwrap_or_default()) {
            Some("DTSTART") => format!("DTSTART:{}\r\n", compact(night)),
            Some("DTEND") => format!("DTEND:{}\r\n", compact(night + length)),
            _ => format!("{line}\r\n"),
        })
        .collect();
    whole.hand.put(file, &moved).await;

    let asked = whole.sync().await;
    assert_eq!(asked.exit, Exit::Decide, "{:?}", asked.document);
    let card = asked.document["decisions"][0].clone();
    assert_eq!(card["kind"], "moved", "{card}");
    assert_eq!(
        time(&row(&whole.state().await, "bookings", &booking)["start"]),
        was,
        "nothing before she says so"
    );
    let id = card["id"].as_str().unwrap().to_owned();
    whole.done(&Errand::Decide { id, option: "move".to_owned(), always: false }).await;
    assert_eq!(time(&row(&whole.state().await, "bookings", &booking)["start"]), night);
    assert!(whole.hand.get(file).await.body.contains(&format!("DTSTART:{}", compact(night))));
    let settled = whole.sync().await;
    let writes = ["created", "updated", "removed"].map(|what| settled.document["bookings"][what].clone());
    assert_eq!((writes, settled.exit), ([0, 0, 0].map(Value::from), Exit::Done), "{:?}", settled.document);

    whole.hand.delete(&format!("/{USER}/hers/dentist.ics")).await;
    whole.sync().await;
    assert_eq!(
        row(&whole.state().await, "slots", &open["id"])["is_available"],
        true,
        "it can be booked again"
    );

    let left = whole.done(&Errand::Disconnect { connection, remove_events: true }).await;
    assert_eq!(left.exit, Exit::Done, "{:?}", left.document);
    assert!(whole.kept().is_empty(), "{:?}", left.document);
    assert!(whole.radicale.kept().join("hers").exists(), "what is hers stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_no_longer_counts_asks_her_to_connect_again_once_and_keeps_her_time_blocked() {
    let Some(whole) = Whole::start().await else { return };
    let state = whole.state().await;
    let soon = time(&state["now"]) + SignedDuration::from_hours(48);
    let slots = state["slots"].as_array().unwrap();
    let open = slots
        .iter()
        .find(|slot| slot["is_available"] == true && time(&slot["start"]) > soon)
        .unwrap()
        .clone();
    let (start, end) = (compact(time(&open["start"])), compact(time(&open["end"])));
    whole.hand.put(&format!("/{USER}/hers/dentist.ics"), &hand::event("dentist", &start, &end, "")).await;
    whole.link(PASSWORD).await.unwrap();
    whole.sync().await;

    whole.radicale.set_password("changed elsewhere");
    let refused = whole.sync().await;
    assert_eq!(refused.document["errors"][0]["code"], "OAUTH_TOKEN_EXPIRED", "{:?}", refused.document);
    assert_eq!(refused.document["requests"]["caldav"], 1, "no second try: {:?}", refused.document);
    assert_eq!(
        row(&whole.state().await, "slots", &open["id"])["is_available"],
        false,
        "the last that was known stands"
    );

    whole.link("changed elsewhere").await.unwrap();
    let again = whole.sync().await;
    assert_eq!((again.exit, &again.document["errors"]), (Exit::Done, &json!([])), "{:?}", again.document);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_her_word_no_password_goes_over_plain_http() {
    let Some(whole) = Whole::start().await else { return };
    let mut wiring = whole.wiring;
    wiring.settings.endpoints.caldav_allow_http = false;
    let refused = caldav::entry(&wiring.settings, &whole.radicale.url).unwrap_err();
    assert_eq!(refused.code, Code::InvalidInput);
    assert!(refused.message.contains("plain http"), "{refused:?}");
    assert!(
        refused.next_step(companion::words::Language::English).contains("caldav_allow_http"),
        "{refused:?}"
    );
}
