//! What the window and the tray show, for worlds made by hand.

use calendar::busy::BusyRules;
use calendar::event::{End, Event, Uid, When};
use serde_json::json;
use sync::booking::{Booking, BookingStatus, event_id};
use sync::error::ServiceError;
use sync::ids::{ETag, RemoteCalendarId, RunId, VendorId};
use sync::ports::{Marker, RemoteEvent};
use sync::world::{Connection, ConnectionState, Mapping, MappingState, Vendor};

use super::*;

const NOW: &str = "2026-11-17T10:40:00Z";

#[test]
fn a_profile_nobody_signed_in_to_is_paused_and_empty() {
    let shown = overview(&World::default(), &[], at(NOW), &Activity::default());
    assert_eq!((shown.state, shown.vendor, shown.problem), (State::Paused, None, None));
    assert!(shown.connections.is_empty() && shown.schedule.bookings.is_empty());
}

#[test]
fn a_calendar_that_is_read_well_is_up_to_date() {
    let shown = overview(&salon(), &[], at(NOW), &Activity::default());
    assert_eq!(shown.state, State::UpToDate);
    assert_eq!(shown.last_sync_at, Some(at("2026-11-17T10:38:00Z")));
    assert_eq!(shown.next_sync_at, Some(at("2026-11-17T10:43:00Z")));
}

#[test]
fn the_worst_of_all_states_wins() {
    let check = |code: Code, expected: State| {
        let mut world = salon();
        let calendar = world.calendars.values_mut().next().unwrap();
        calendar.last_sync_status = Some(SyncOutcome::Error);
        calendar.last_sync_error = Some(SyncProblem { code, message: "why".into() });
        let syncing = Activity { syncing_since: Some(at(NOW)), ..Activity::default() };
        let shown = overview(&world, &[], at(NOW), &syncing);
        assert_eq!(shown.state, expected, "{code}");
        assert_eq!(shown.connections[0].state, expected, "{code}");
        assert_eq!(shown.problem.map(|problem| problem.code), Some(code));
    };
    check(Code::NetworkError, State::Offline);
    check(Code::RateLimitExceeded, State::Offline);
    check(Code::OauthTokenExpired, State::NeedsYou);
    check(Code::CalendarApiError, State::Error);
    check(Code::SyncSwitchedOff, State::Paused);
}

#[test]
fn what_came_instead_of_a_calendar_is_known_from_what_the_mirror_keeps_of_it() {
    let seen = |problem: SyncProblem| {
        let mut world = salon();
        let calendar = world.calendars.values_mut().next().unwrap();
        calendar.last_sync_status = Some(SyncOutcome::Error);
        calendar.last_sync_error = Some(problem);
        overview(&world, &[], at(NOW), &Activity::default()).connections[0].instead
    };
    for what in NotACalendar::ALL {
        let error = ServiceError::NotACalendar { service: "ecole.example".into(), what };
        let kept = SyncProblem::from(&error);
        assert_eq!(seen(kept.clone()), Some(what), "{kept:?}");
        assert_eq!(seen(SyncProblem { code: Code::CalendarApiError, ..kept }), None);
    }
    assert_eq!(seen(SyncProblem { code: Code::InvalidIcsFormat, message: "why".into() }), None);
}

#[test]
fn what_was_kept_of_a_run_that_is_taken_back_is_told_by_its_kinds_each_once() {
    let kept = |why: &str| json!({ "operation": {}, "reason": "in words", "why": why });
    let document =
        json!({ "undone": 4, "kept": [kept("touched"), kept("over"), kept("touched"), { "reason": "old" }] });
    let view = UndoneView::of(&document);
    assert_eq!((view.undone, view.kept, view.reasons), (4, 4, vec![Why::Touched, Why::Over]));
}

#[test]
fn a_problem_that_was_healed_is_not_shown() {
    let mut world = salon();
    world.calendars.values_mut().next().unwrap().last_sync_error =
        Some(SyncProblem { code: Code::NetworkError, message: "old".into() });
    assert_eq!(overview(&world, &[], at(NOW), &Activity::default()).state, State::UpToDate);
}

#[test]
fn a_revoked_sign_in_needs_her_even_when_nothing_else_is_said() {
    let mut world = salon();
    world.connections.values_mut().next().unwrap().state = ConnectionState::NeedsSignIn;
    let shown = overview(&world, &[], at(NOW), &Activity::default());
    assert_eq!(shown.state, State::NeedsYou);
    assert_eq!(shown.connections[0].problem.as_ref().map(|p| p.code), Some(Code::OauthTokenExpired));
}

#[test]
fn what_bookiji_itself_refused_is_known_from_the_last_run_alone() {
    let run = |code: &str| RunRecord {
        id: RunId::from("r"),
        direction: Direction::Bidirectional,
        started_at: at(NOW),
        ended_at: Some(at(NOW)),
        outcome: Some(SyncOutcome::Error),
        undoes: None,
        report: Some(json!({"errors": [{"code": code, "message": "bookiji cannot be reached"}]})),
    };
    let shown = overview(&salon(), &[run("NETWORK_ERROR")], at(NOW), &Activity::default());
    assert_eq!(shown.state, State::Offline);
    let shown = overview(&salon(), &[run("A_CODE_OF_TOMORROW")], at(NOW), &Activity::default());
    assert_eq!(shown.state, State::UpToDate);
}

#[test]
fn a_run_is_counted_from_its_report() {
    let run = RunRecord {
        id: RunId::from("r"),
        direction: Direction::Bidirectional,
        started_at: at(NOW),
        ended_at: Some(at(NOW)),
        outcome: Some(SyncOutcome::Success),
        undoes: None,
        report: Some(json!({
            "bookings": {"created": 3, "updated": 1, "removed": 0, "unchanged": 40, "held": 2},
            "busy": {"sources": [{"id": "a", "published": true}, {"id": "b", "published": false}],
                     "slots_closed": 5, "slots_reopened": 7},
            "slots": {"created": 2, "removed": 1},
            "decisions": [{}],
        })),
    };
    let shown = overview(&salon(), &[run], at(NOW), &Activity::default());
    let run = &shown.runs[0];
    assert_eq!((run.created, run.updated, run.unchanged, run.held, run.published), (3, 1, 40, 2, 1));
    assert_eq!((run.slots_opened, run.slots_closed), (9, 6));
    assert_eq!((shown.decisions, shown.state), (1, State::NeedsYou));
}

#[test]
fn a_run_without_a_report_still_shows() {
    let run = RunRecord {
        id: RunId::from("r"),
        direction: Direction::FromCalendar,
        started_at: at(NOW),
        ended_at: None,
        outcome: None,
        undoes: None,
        report: None,
    };
    assert_eq!(overview(&salon(), &[run], at(NOW), &Activity::default()).runs.len(), 1);
}

#[test]
fn a_folder_that_is_not_plugged_in_is_hers_to_see_to_and_nothing_else_is_wrong() {
    let folder_problem = SyncProblem { code: Code::InvalidInput, message: "it is not there".into() };
    let activity = Activity { folder_problem: Some(folder_problem.clone()), ..Activity::default() };
    let shown = overview(&salon(), &[], at(NOW), &activity);
    assert_eq!((shown.state, shown.problem), (State::NeedsYou, None));
    assert_eq!(shown.folder_problem, Some(Problem::from(&folder_problem)));
}

#[test]
fn no_folder_of_this_computer_is_in_a_message() {
    for (message, told) in [
        (
            "/hers/anna/.local/settings.toml cannot be used: unknown field `x`.",
            "settings.toml cannot be used: unknown field `x`.",
        ),
        ("The file (/srv/My Files/vault) is damaged.", "The file (My vault) is damaged."),
        ("C:\\Users\\Anna\\vault is damaged.", "vault is damaged."),
        ("https://cal.example/dav/ did not answer.", "https://cal.example/dav/ did not answer."),
        ("Google said 503.", "Google said 503."),
    ] {
        assert_eq!(without_folders(message), told);
    }
}

#[test]
fn a_pause_ends_by_itself() {
    let paused = |until| Activity { paused_until: Some(at(until)), ..Activity::default() };
    let state = |until| overview(&salon(), &[], at(NOW), &paused(until)).state;
    assert_eq!(state("2026-11-17T11:00:00Z"), State::Paused);
    assert_eq!(state("2026-11-17T10:40:00Z"), State::UpToDate);
}

#[test]
fn the_schedule_begins_on_a_monday_in_her_own_zone() {
    let mut world = salon();
    world.vendor.as_mut().unwrap().time_zone = "America/Montreal".into();
    // Monday 03:00 in Greenwich is still Sunday in Montréal.
    let shown = overview(&world, &[], at("2026-11-16T03:00:00Z"), &Activity::default());
    assert_eq!(shown.schedule.from, at("2026-10-26T04:00:00Z"), "two weeks back, before the clocks change");
    assert_eq!(shown.schedule.to, at("2027-01-11T05:00:00Z"));
}

#[test]
fn an_event_of_ours_is_a_booking_and_not_busy_time() {
    let mut world = salon();
    let id = book(&mut world, "b1", "2026-11-17T13:00:00Z", "2026-11-17T14:00:00Z");
    let shown = overview(&world, &[], at(NOW), &Activity::default()).schedule;
    assert_eq!((shown.bookings.len(), shown.busy.len()), (1, 0));
    assert_eq!(shown.bookings[0].placement, Placement::Synced);

    let calendar = world.calendars.keys().next().unwrap().clone();
    let events = world.events.get_mut(&calendar).unwrap();
    let mut copy = events[&id].clone();
    copy.id = "a-copy-she-made".into();
    events.insert(copy.id.clone(), copy);
    let shown = overview(&world, &[], at(NOW), &Activity::default()).schedule;
    assert_eq!(shown.busy.len(), 1, "a copy carries the marker, and is hers all the same");
}

#[test]
fn the_minutes_that_two_things_claim_are_a_clash() {
    let mut world = salon();
    book(&mut world, "b1", "2026-11-17T13:00:00Z", "2026-11-17T14:00:00Z");
    add_event(&mut world, "dentist", "2026-11-17T13:30:00Z", "2026-11-17T15:00:00Z", None);
    add_event(&mut world, "tea", "2026-11-17T12:00:00Z", "2026-11-17T13:00:00Z", None);
    let clashes = overview(&world, &[], at(NOW), &Activity::default()).schedule.clashes;
    assert_eq!(clashes.len(), 1, "touching is no clash");
    assert_eq!((clashes[0].start, clashes[0].end), (at("2026-11-17T13:30:00Z"), at("2026-11-17T14:00:00Z")));
}

#[test]
fn what_she_let_be_booked_is_shown_until_it_is_over_and_is_no_clash() {
    let mut world = salon();
    book(&mut world, "b1", "2026-11-17T13:00:00Z", "2026-11-17T14:00:00Z");
    add_event(&mut world, "dentist", "2026-11-17T13:30:00Z", "2026-11-17T15:00:00Z", None);
    let calendar = world.calendars.keys().next().unwrap().clone();
    let row = |from: &str, until: &str| sync::unblocked::Unblocked {
        span: calendar::interval::Interval::new(at(from), at(until)).unwrap(),
        calendar: calendar.clone(),
        at: at(NOW),
    };
    world.unblocked.insert(row("2026-11-17T08:00:00Z", "2026-11-17T09:00:00Z"));
    world.unblocked.insert(row("2026-11-17T13:00:00Z", "2026-11-17T14:00:00Z"));
    let shown = overview(&world, &[], at(NOW), &Activity::default()).schedule;
    assert_eq!(shown.clashes, []);
    assert_eq!(shown.busy.len(), 1, "the event is still there to be seen");
    let open: Vec<_> = shown.unblocked.iter().map(|open| (open.start, open.end)).collect();
    assert_eq!(open, [(at("2026-11-17T13:00:00Z"), at("2026-11-17T14:00:00Z"))]);
}

#[test]
fn a_cancelled_booking_takes_up_no_time() {
    let mut world = salon();
    book(&mut world, "b1", "2026-11-17T13:00:00Z", "2026-11-17T14:00:00Z");
    world.bookings.values_mut().next().unwrap().status = BookingStatus::Cancelled;
    assert!(overview(&world, &[], at(NOW), &Activity::default()).schedule.bookings.is_empty());
}

#[test]
fn a_calendar_that_is_left_alone_has_no_say() {
    let mut world = salon();
    add_event(&mut world, "dentist", "2026-11-17T13:30:00Z", "2026-11-17T15:00:00Z", None);
    let calendar = world.calendars.values_mut().next().unwrap();
    calendar.role = Role::Off;
    calendar.last_sync_status = Some(SyncOutcome::Error);
    calendar.last_sync_error = Some(SyncProblem { code: Code::Internal, message: String::new() });
    let shown = overview(&world, &[], at(NOW), &Activity::default());
    assert!(shown.schedule.busy.is_empty());
    assert_eq!(shown.state, State::Paused, "nothing is kept in step");
}

#[test]
fn her_all_day_events_show_what_each_answer_would_make_of_them() {
    use calendar::event::{Answer, Transparency};
    let mut world = salon();
    let day = |event: &mut Event, date: &str| {
        event.start = When::Date(date.parse().unwrap());
        event.end = End::default();
    };
    for (id, date) in [("closed", "2026-11-20"), ("shown-free", "2026-11-18"), ("turned-down", "2026-11-19")]
    {
        add_event(&mut world, id, "2026-11-17T09:00:00Z", "2026-11-17T10:00:00Z", None);
        let events = world.events.values_mut().next().unwrap();
        let event = &mut events.get_mut(&sync::ids::RemoteId::from(id)).unwrap().event;
        day(event, date);
        event.summary = id.to_owned();
        match id {
            "shown-free" => event.transparency = Transparency::Transparent,
            "turned-down" => event.answer = Some(Answer::Declined),
            _ => {}
        }
    }
    add_event(&mut world, "over", "2026-11-17T09:00:00Z", "2026-11-17T10:00:00Z", None);
    let events = world.events.values_mut().next().unwrap();
    day(&mut events.get_mut(&sync::ids::RemoteId::from("over")).unwrap().event, "2026-11-16");
    add_event(&mut world, "an-hour", "2026-11-18T09:00:00Z", "2026-11-18T10:00:00Z", None);

    let shown = choices(&world, at(NOW));
    let told: Vec<_> = shown
        .examples
        .iter()
        .map(|example| {
            (example.title.as_str(), example.shown, example.never, example.if_busy, example.always)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("shown-free", ShownAs::Free, false, false, true),
            ("turned-down", ShownAs::Declined, false, false, false),
            ("closed", ShownAs::Busy, false, true, true),
        ]
    );
    assert_eq!(shown.examples[2].start, at("2026-11-19T23:00:00Z"), "in her own zone");
    assert_eq!((shown.all_day, shown.tentative_blocks), (Some(AllDay::IfBusy), Some(true)));
}

#[test]
fn where_calendars_differ_no_rule_is_hers() {
    let mut world = salon();
    let first = world.calendars.values().next().unwrap().clone();
    let mut second = LinkedCalendar { role: Role::Busy, ..first };
    second.id = CalendarId::from("second");
    second.rules.all_day = calendar::busy::AllDayRule::Ignore;
    world.calendars.insert(second.id.clone(), second.clone());
    let shown = choices(&world, at(NOW));
    assert_eq!((shown.all_day, shown.tentative_blocks), (None, Some(true)));
    assert_eq!(shown.calendars.iter().map(|one| one.role).collect::<Vec<_>>(), [Role::Target, Role::Busy]);

    second.role = Role::Off;
    world.calendars.insert(second.id.clone(), second);
    assert_eq!(choices(&world, at(NOW)).all_day, Some(AllDay::IfBusy), "one that is left alone has no say");
}

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// One vendor with one Google calendar, read two minutes ago.
pub(super) fn salon() -> World {
    let mut world = World {
        vendor: Some(Vendor {
            id: VendorId::from("v1"),
            name: "Studio Lumière".into(),
            email: "amelie@example.com".into(),
            time_zone: "Europe/Paris".into(),
        }),
        ..World::default()
    };
    let connection = ConnectionId::of(Service::Google, "amelie@example.com");
    world.connections.insert(
        connection.clone(),
        Connection {
            id: connection.clone(),
            service: Service::Google,
            account: "amelie@example.com".into(),
            state: ConnectionState::Connected,
            created_at: at("2026-01-01T00:00:00Z"),
            error: None,
            backoff_until: None,
            error_count: 0,
        },
    );
    let remote = RemoteCalendarId::from("bookings@group");
    let id = CalendarId::of(&connection, &remote);
    world.calendars.insert(
        id.clone(),
        LinkedCalendar {
            id: id.clone(),
            connection,
            remote,
            name: "Bookiji".into(),
            time_zone: None,
            writable: true,
            role: Role::Target,
            rules: BusyRules::default(),
            sync_frequency_minutes: 5,
            auto_sync_enabled: true,
            cursor: None,
            known: true,
            last_sync_at: Some(at("2026-11-17T10:38:00Z")),
            last_sync_status: Some(SyncOutcome::Success),
            last_sync_error: None,
            next_sync_at: Some(at("2026-11-17T10:43:00Z")),
            created_at: at("2026-01-01T00:00:00Z"),
            updated_at: at("2026-01-01T00:00:00Z"),
        },
    );
    world.events.insert(id, std::collections::BTreeMap::new());
    world
}

/// A booking with its event where it should be.
pub(super) fn book(world: &mut World, id: &str, start: &str, end: &str) -> sync::ids::RemoteId {
    let calendar = world.calendars.values().next().unwrap().clone();
    let event = event_id(&id.into(), &calendar.remote, 0);
    world.bookings.insert(
        id.into(),
        Booking {
            id: id.into(),
            vendor: VendorId::from("v1"),
            status: BookingStatus::Confirmed,
            start: at(start),
            end: at(end),
            service_name: Some("Haircut".into()),
            customer_name: Some("Camille Roy".into()),
            customer_email: None,
            notes: None,
            proposal: sync::proposal::Proposal::NotOffered,
            updated_at: "2026-11-01T00:00:00.000000Z".into(),
        },
    );
    let marker = Marker { booking: id.into(), generation: 0 };
    add_event(world, event.as_str(), start, end, Some(marker));
    world.mappings.insert(
        (id.into(), calendar.id.clone()),
        Mapping {
            booking: id.into(),
            calendar: calendar.id,
            vendor: VendorId::from("v1"),
            event: event.clone(),
            generation: 0,
            state: MappingState::Synced,
            etag: None,
            written: None,
            echo: None,
            error: None,
            last_synced_at: None,
            created_at: at(NOW),
            updated_at: at(NOW),
        },
    );
    event
}

fn add_event(world: &mut World, id: &str, start: &str, end: &str, marker: Option<Marker>) {
    let event = Event::new(Uid(id.to_owned()), When::Utc(at(start)), End::At(When::Utc(at(end))));
    let remote = RemoteEvent { id: id.into(), etag: ETag::from("1"), event, marker, created_as: None };
    world.events.values_mut().next().unwrap().insert(id.into(), remote);
}
