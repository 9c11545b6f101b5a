//! Which steps from one overview to the next are told.

use jiff::civil::Time;
use sync::error::Code;
use sync::ids::Service;
use sync::world::World;

use super::*;
use crate::import::Rejection;
use crate::view::{self, Activity, CardKind, CardView, FileView, Problem, VendorView};

const NOON: &str = "2026-11-26T11:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Somebody with one Google account, read an hour ago.
fn calm() -> Overview {
    let nothing = view::overview(&World::default(), &[], at(NOON), &Activity::default());
    Overview {
        state: State::UpToDate,
        vendor: Some(VendorView {
            name: "Studio Lumière".into(),
            email: "amelie@example.com".into(),
            time_zone: "Europe/Paris".into(),
        }),
        last_sync_at: Some(at("2026-11-26T10:00:00Z")),
        connections: vec![account(State::UpToDate, None)],
        ..nothing
    }
}

fn account(state: State, code: Option<Code>) -> ConnectionView {
    ConnectionView {
        id: "google-1".into(),
        service: Service::Google,
        account: "amelie@example.com".into(),
        files: false,
        state,
        problem: code.map(|code| Problem { code, message: String::new() }),
        instead: None,
        last_sync_at: None,
        next_sync_at: None,
        calendars: Vec::new(),
    }
}

fn with_cards(ids: &[&str]) -> Overview {
    let card = |id: &&str| CardView { id: (*id).to_owned(), presses: true, ..CardView::default() };
    Overview { decisions: u32::try_from(ids.len()).unwrap(), cards: ids.iter().map(card).collect(), ..calm() }
}

fn with_file(name: &str, outcome: FileState) -> Overview {
    let file = FileView {
        name: name.into(),
        outcome,
        at: at(NOON),
        refusal: Some(Rejection::NoEvents { line: 3 }),
        waiting: 0,
    };
    Overview { files: vec![file], ..calm() }
}

fn told(before: &Overview, after: &Overview) -> Vec<String> {
    let settings = NotificationSettings::default();
    let told = notifications(before, after, &settings, at(NOON), Language::English).expect("no quiet hour");
    told.into_iter().map(|one| format!("{} / {}", one.title, one.body)).collect()
}

#[test]
fn a_decision_is_told_once_and_with_how_many_wait() {
    let decision = |count: &str| vec![format!("{count} / Nothing changes until you decide.")];
    assert_eq!(told(&calm(), &with_cards(&["moved-1"])), decision("A decision waits for you"));
    assert_eq!(
        told(&with_cards(&["moved-1"]), &with_cards(&["moved-1", "moved-2"])),
        decision("2 decisions wait for you")
    );
    assert!(told(&with_cards(&["moved-1"]), &with_cards(&["moved-1"])).is_empty());
    assert!(told(&with_cards(&["moved-1", "moved-2"]), &with_cards(&["moved-2"])).is_empty(), "answered");
    let renamed =
        Overview { cards: vec![CardView { kind: CardKind::Renamed, ..CardView::default() }], ..calm() };
    assert!(told(&calm(), &renamed).is_empty(), "what does not press is not told");
}

#[test]
fn a_connection_that_needs_her_is_told_in_words_and_one_that_will_heal_is_not() {
    let signed_out =
        |code| Overview { connections: vec![account(State::of_code(code), Some(code))], ..calm() };
    let expired = signed_out(Code::OauthTokenExpired);
    assert_eq!(
        told(&calm(), &expired),
        ["Calendar Sync needs you / Google Calendar: The sign-in is no longer accepted."]
    );
    let settings = NotificationSettings::default();
    let french =
        notifications(&calm(), &expired, &settings, at(NOON), Language::French).expect("no quiet hour");
    assert_eq!(french[0].body, "Google Calendar\u{a0}: La connexion n’est plus acceptée.");
    assert!(told(&expired, &expired).is_empty());
    assert!(told(&calm(), &signed_out(Code::NetworkError)).is_empty());
    let locked = |code| Overview { problem: Some(Problem { code, message: String::new() }), ..calm() };
    assert_eq!(told(&calm(), &locked(Code::KeychainUnavailable)).len(), 1);
    assert!(told(&locked(Code::KeychainUnavailable), &locked(Code::KeychainUnavailable)).is_empty());
    assert!(told(&calm(), &locked(Code::NetworkError)).is_empty());
}

#[test]
fn a_refused_file_is_told_by_its_name_and_a_taken_one_is_not() {
    let refused = with_file("fair.ics", FileState::Rejected);
    assert_eq!(told(&calm(), &refused), ["A calendar file was not taken in / fair.ics"]);
    assert!(told(&refused, &refused).is_empty());
    let restarted = Overview { now: at("2026-11-26T23:00:00Z"), ..calm() };
    assert!(told(&restarted, &refused).is_empty(), "it was told before that");
    assert!(told(&calm(), &with_file("fair.ics", FileState::Imported)).is_empty());
}

#[test]
fn the_first_sync_is_told_when_it_is_done() {
    let before = Overview { last_sync_at: None, ..calm() };
    assert_eq!(told(&before, &calm()).len(), 1);
    assert!(told(&calm(), &calm()).is_empty());
}

#[test]
fn what_was_there_all_the_time_is_no_news_and_neither_is_a_sample() {
    let nothing = view::overview(&World::default(), &[], at(NOON), &Activity::default());
    let waiting = with_cards(&["moved-1"]);
    assert!(
        told(&nothing, &waiting).is_empty(),
        "the app has just started, or its database could not be read"
    );
    let sample = Overview { sample: true, ..waiting };
    assert!(told(&calm(), &sample).is_empty());
    assert!(told(&sample, &with_cards(&["moved-2"])).is_empty(), "nor is what comes back when it is left");
}

#[test]
fn in_quiet_hours_nothing_is_told_and_afterwards_all_of_it() {
    let settings = NotificationSettings {
        on: true,
        quiet_from: Some(Time::constant(20, 0, 0, 0)),
        quiet_until: Some(Time::constant(8, 0, 0, 0)),
    };
    let waiting = with_cards(&["moved-1"]);
    let told = |when: &str, settings: &NotificationSettings| {
        notifications(&calm(), &waiting, settings, at(when), Language::French)
    };
    assert_eq!(told("2026-11-26T19:00:00Z", &settings), None, "20:00 in Paris");
    assert_eq!(told("2026-11-27T06:59:00Z", &settings), None);
    assert_eq!(told("2026-11-27T07:00:00Z", &settings).unwrap()[0].title, "Une décision vous attend");
    let off = NotificationSettings { on: false, ..settings };
    assert_eq!(told(NOON, &off), Some(Vec::new()), "and switched off, never");
}

#[test]
fn no_bubble_names_a_customer() {
    let mut after = with_cards(&["moved-1"]);
    after.cards[0].customer = Some("Camille Roy".into());
    after.cards[0].title = Some("Dentist".into());
    let all = told(&calm(), &after).join("\n");
    assert!(!all.contains("Camille") && !all.contains("Dentist"), "{all}");
}
