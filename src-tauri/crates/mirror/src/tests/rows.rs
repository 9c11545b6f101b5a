//! What is put is what is read, and what belongs together goes together.

use calendar::hours::{Hours, Stretch};
use jiff::Timestamp;
use jiff::civil::Weekday;
use sync::booking::BookingStatus;
use sync::error::{Code, MirrorError};
use sync::ids::{BookingId, CalendarId, ConnectionId, RemoteCalendarId, Service};
use sync::news::News;
use sync::ports::Mirror;
use sync::unblocked::Unblocked;
use sync::world::{ConnectionState, MappingState, Role, RunRecord, SyncOutcome, SyncProblem, World};

use super::scene::*;
use crate::overview::MappingCounts;
use crate::{Pause, Sqlite};

/// A mirror with Ana, one account and her two calendars.
pub fn anas() -> Sqlite {
    let mirror = Sqlite::in_memory().unwrap();
    mirror.set_vendor(&vendor()).unwrap();
    mirror.put_connection(&connection(ACCOUNT)).unwrap();
    mirror.put_calendar(&private()).unwrap();
    mirror.put_calendar(&target()).unwrap();
    mirror
}

pub fn google_columns(mirror: &Sqlite, booking: &str) -> (Option<String>, Option<i64>) {
    mirror
        .db()
        .query_row(
            "SELECT google_calendar_event_id, calendar_synced_at FROM bookings WHERE id = ?1",
            [booking],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap()
}

#[test]
fn when_she_works_is_remembered_with_when_that_was_asked_even_where_nobody_says_so() {
    let mirror = anas();
    assert_eq!(mirror.hours().unwrap(), None, "it was never asked");
    let mut hours = Hours::default();
    hours.set(Weekday::Tuesday, vec![Stretch::new(540, 720).unwrap()]);
    mirror.set_hours(Some(&hours), at(3)).unwrap();
    assert_eq!(mirror.hours().unwrap(), Some((Some(hours.clone()), at(3))));
    assert_eq!(mirror.world().unwrap().hours, Some(hours));
    mirror.set_hours(None, at(4)).unwrap();
    assert_eq!((mirror.hours().unwrap(), mirror.world().unwrap().hours), (Some((None, at(4))), None));
}

#[test]
fn a_new_mirror_knows_nothing() {
    assert_eq!(Sqlite::in_memory().unwrap().world().unwrap(), World::default());
}

#[test]
fn the_vendor_may_change_her_name_but_not_become_another() {
    let mirror = anas();
    let renamed = sync::world::Vendor { name: "Ana B. Roy".into(), time_zone: "UTC".into(), ..vendor() };
    mirror.set_vendor(&renamed).unwrap();
    assert_eq!(mirror.world().unwrap().vendor, Some(renamed.clone()));

    let error = mirror.set_vendor(&sync::world::Vendor { id: "ben".into(), ..vendor() }).unwrap_err();
    assert!(error.to_string().contains("belongs to ana@example.com"), "{error}");
    assert_eq!(mirror.world().unwrap().vendor, Some(renamed));
}

#[test]
fn a_connection_keeps_its_trouble_and_the_time_it_was_made() {
    let mirror = anas();
    let mut troubled = connection(ACCOUNT);
    troubled.state = ConnectionState::NeedsSignIn;
    troubled.error = Some(SyncProblem { code: Code::OauthTokenExpired, message: "invalid_grant".into() });
    troubled.backoff_until = Some(at(15));
    troubled.error_count = 3;
    troubled.created_at = at(999);
    mirror.put_connection(&troubled).unwrap();

    troubled.created_at = at(0);
    let world = mirror.world().unwrap();
    assert_eq!(world.connections[&troubled.id], troubled);
    assert_eq!(world.calendars.len(), 2, "writing a connection again must not take its calendars with it");
}

#[test]
fn every_code_a_person_may_meet_can_be_stored() {
    let mirror = anas();
    for code in Code::ALL {
        let mut troubled = connection(ACCOUNT);
        troubled.error = Some(SyncProblem { code, message: "words".into() });
        mirror.put_connection(&troubled).unwrap();
        assert_eq!(mirror.world().unwrap().connections[&troubled.id], troubled);
    }
}

#[test]
fn every_service_can_be_linked() {
    let mirror = Sqlite::in_memory().unwrap();
    for service in Service::ALL {
        let mut linked = connection(ACCOUNT);
        linked.id = ConnectionId::of(service, ACCOUNT);
        linked.service = service;
        mirror.put_connection(&linked).unwrap();
        assert_eq!(mirror.world().unwrap().connections[&linked.id], linked);
    }
}

#[test]
fn two_accounts_of_one_service_and_two_targets_in_one_account_are_allowed() {
    let mirror = anas();
    mirror.put_connection(&connection("salon@example.com")).unwrap();
    mirror.put_calendar(&calendar("salon@example.com", "bookiji", Role::Target)).unwrap();
    mirror.put_calendar(&calendar(ACCOUNT, "second", Role::Target)).unwrap();

    let world = mirror.world().unwrap();
    assert_eq!(world.connections.len(), 2);
    assert_eq!(world.calendars.values().filter(|calendar| calendar.role == Role::Target).count(), 3);
}

#[test]
fn a_calendar_keeps_every_field() {
    let mirror = anas();
    let mut full = calendar(ACCOUNT, "full", Role::Busy);
    full.name = "Été — «privé» 🗓".into();
    full.time_zone = None;
    full.writable = false;
    full.auto_sync_enabled = false;
    full.cursor = Some(cursor("CPDAlvWDx70CEPDAlvWDx70CGAU="));
    full.known = true;
    full.last_sync_at = Some(at(1));
    full.last_sync_status = Some(SyncOutcome::Partial);
    full.last_sync_error = Some(problem());
    full.next_sync_at = Some(at(6));
    mirror.put_calendar(&full).unwrap();
    assert_eq!(mirror.world().unwrap().calendars[&full.id], full);
}

#[test]
fn a_calendar_without_its_account_is_refused() {
    let mirror = Sqlite::in_memory().unwrap();
    let error = mirror.put_calendar(&private()).unwrap_err();
    assert!(matches!(error, MirrorError::Failed { .. }), "{error}");
    assert_eq!(mirror.world().unwrap(), World::default());
}

#[test]
fn putting_a_calendar_from_an_old_copy_does_not_rewind_its_reading() {
    let mirror = anas();
    let old_copy = private();
    mirror.take_events(&old_copy.id, &everything(&[event("e1", 0)], Some(&cursor("next")))).unwrap();
    mirror.put_calendar(&sync::world::LinkedCalendar { last_sync_at: Some(at(3)), ..old_copy }).unwrap();

    let now = &mirror.world().unwrap().calendars[&private().id];
    assert_eq!(
        (now.cursor.as_ref(), now.known, now.last_sync_at),
        (Some(&cursor("next")), true, Some(at(3)))
    );
}

#[test]
fn a_calendar_that_is_left_alone_is_forgotten_except_for_our_events() {
    let mirror = anas();
    let ours = draft(&booking("b1", 0));
    mirror
        .take_events(
            &target().id,
            &everything(&[event("hers", 0), stored(&ours, "1")], Some(&cursor("next"))),
        )
        .unwrap();
    mirror.put_mapping(&mapping(&ours, "1", MappingState::Synced, 1)).unwrap();
    mirror.put_calendar(&sync::world::LinkedCalendar { role: Role::Off, ..target() }).unwrap();

    let world = mirror.world().unwrap();
    let calendar = &world.calendars[&target().id];
    assert_eq!((calendar.cursor.as_ref(), calendar.known), (None, false));
    assert_eq!(world.events[&target().id].keys().collect::<Vec<_>>(), [&ours.id]);
    assert_eq!(world.mappings.len(), 1, "the proof that the event is ours must stay");
}

#[test]
fn a_booking_keeps_every_field_and_a_status_nobody_knows_yet() {
    let mirror = anas();
    let mut strange = booking("b1", 0);
    strange.status = BookingStatus::Other("on_hold".into());
    strange.service_name = None;
    strange.customer_name = None;
    strange.customer_email = None;
    strange.notes = Some("line one\nline two".into());
    mirror.take_bookings(&everything(&[strange.clone(), booking("b2", 60)], None)).unwrap();
    let world = mirror.world().unwrap();
    assert_eq!(world.bookings[&strange.id], strange);
    assert_eq!(world.bookings[&booking_id("b2")], booking("b2", 60));
}

#[test]
fn an_invitation_outlives_its_booking_and_its_sequence_never_falls() {
    let mirror = anas();
    let invitation = |sequence, checksum: &str| sync::invite::SentInvite {
        sequence,
        checksum: checksum.to_owned(),
        written_at: at(sequence.into()),
    };
    let id = booking_id("b1");
    assert_eq!(mirror.sent_invite(&id).unwrap(), None);
    mirror.take_bookings(&everything(&[booking("b1", 0)], None)).unwrap();
    for next in [invitation(0, "ten"), invitation(1, "eleven")] {
        mirror.put_sent_invite(&id, &next).unwrap();
        assert_eq!(mirror.sent_invite(&id).unwrap(), Some(next));
    }
    mirror.put_sent_invite(&id, &invitation(0, "late")).unwrap();
    mirror.take_bookings(&everything(&[], None)).unwrap();
    assert_eq!(mirror.sent_invite(&id).unwrap(), Some(invitation(1, "eleven")));
}

#[test]
fn a_mapping_keeps_every_field() {
    let mirror = anas();
    let draft = draft(&booking("b1", 0));
    for state in [MappingState::Synced, MappingState::Pending, MappingState::Error, MappingState::Removed] {
        let mut full = mapping(&draft, "\"e\"", state, 5);
        full.generation = u32::MAX;
        full.error = Some(problem());
        mirror.put_mapping(&full).unwrap();
        let bare = sync::world::Mapping {
            booking: "b2".into(),
            event: "other".into(),
            etag: None,
            written: None,
            echo: None,
            error: None,
            last_synced_at: None,
            ..full.clone()
        };
        mirror.put_mapping(&bare).unwrap();
        let world = mirror.world().unwrap();
        assert_eq!(world.mappings[&(full.booking.clone(), full.calendar.clone())], full);
        assert_eq!(world.mappings[&(bare.booking.clone(), bare.calendar.clone())], bare);
    }
}

#[test]
fn one_event_cannot_stand_for_two_bookings() {
    let mirror = anas();
    let first = mapping(&draft(&booking("b1", 0)), "1", MappingState::Synced, 1);
    mirror.put_mapping(&first).unwrap();
    let second = sync::world::Mapping { booking: "b2".into(), ..first };
    assert!(mirror.put_mapping(&second).is_err());
    assert_eq!(mirror.world().unwrap().mappings.len(), 1);
}

#[test]
fn the_bookings_calendar_columns_follow_its_mapping() {
    let mirror = anas();
    let draft = draft(&booking("b1", 0));
    let (event, synced) = (Some(draft.id.0.clone()), Some(at(5).as_microsecond()));
    mirror.put_mapping(&mapping(&draft, "1", MappingState::Synced, 5)).unwrap();
    mirror.take_bookings(&everything(&[booking("b1", 0)], None)).unwrap();
    assert_eq!(
        google_columns(&mirror, "b1"),
        (event.clone(), synced),
        "a booking may come after its mapping"
    );

    mirror.take_bookings(&News::Half { items: &[booking("b1", 90)] }).unwrap();
    assert_eq!(google_columns(&mirror, "b1"), (event.clone(), synced), "a new reading must not erase them");

    mirror.put_mapping(&mapping(&draft, "1", MappingState::Removed, 6)).unwrap();
    assert_eq!(google_columns(&mirror, "b1"), (None, None));

    mirror.put_mapping(&mapping(&draft, "1", MappingState::Synced, 7)).unwrap();
    mirror.remove_mapping(&draft.booking, &target().id).unwrap();
    assert_eq!(google_columns(&mirror, "b1"), (None, None));
    assert!(mirror.world().unwrap().mappings.is_empty());
}

#[test]
fn an_event_of_another_service_is_no_google_event() {
    let mirror = anas();
    let mut outlook = connection(ACCOUNT);
    outlook.service = Service::Outlook;
    mirror.put_connection(&outlook).unwrap();
    mirror.take_bookings(&everything(&[booking("b1", 0)], None)).unwrap();
    mirror.put_mapping(&mapping(&draft(&booking("b1", 0)), "1", MappingState::Synced, 5)).unwrap();
    assert_eq!(google_columns(&mirror, "b1"), (None, Some(at(5).as_microsecond())));
}

#[test]
fn removing_a_connection_takes_its_rows_and_leaves_what_must_still_be_withdrawn() {
    let mirror = anas();
    mirror.put_connection(&connection("salon@example.com")).unwrap();
    let other = calendar("salon@example.com", "private", Role::Busy);
    mirror.put_calendar(&other).unwrap();
    mirror.take_events(&other.id, &everything(&[event("e1", 0)], None)).unwrap();

    let draft = draft(&booking("b1", 0));
    mirror.take_bookings(&everything(&[booking("b1", 0)], None)).unwrap();
    mirror.take_events(&private().id, &everything(&[event("e1", 0)], None)).unwrap();
    mirror.begin_run(&began("run-1", 0)).unwrap();
    let create = mirror.intend(&run_id(), &create(&draft), at(1)).unwrap();
    mirror.settle(create, &was_stored(&draft, "1", 1), at(1)).unwrap();
    let set = sync::world::Operation::PublishBusy { set: busy_set(&private().id, 0), before: None };
    let publish = mirror.intend(&run_id(), &set, at(2)).unwrap();
    mirror
        .settle(publish, &sync::world::Settled::Published(Box::new(published(&private().id, 0))), at(2))
        .unwrap();

    mirror.remove_connection(&connection(ACCOUNT).id).unwrap();

    let world = mirror.world().unwrap();
    assert_eq!(world.connections.keys().collect::<Vec<_>>(), [&other.connection]);
    assert_eq!(world.calendars.keys().collect::<Vec<_>>(), [&other.id]);
    assert_eq!(world.events.keys().collect::<Vec<_>>(), [&other.id]);
    assert!(world.mappings.is_empty());
    assert_eq!(world.published.keys().collect::<Vec<_>>(), [&private().id]);
    assert_eq!(world.bookings.len(), 1);
    assert_eq!(google_columns(&mirror, "b1"), (None, None));
    assert_eq!(mirror.journal(&run_id()).unwrap().len(), 2);
}

#[test]
fn the_overview_counts_what_the_world_holds() {
    let mirror = anas();
    mirror.take_bookings(&everything(&[booking("b1", 0), booking("b2", 60)], None)).unwrap();
    mirror.take_events(&private().id, &everything(&[event("e1", 0), event("e2", 5)], None)).unwrap();
    mirror.put_mapping(&mapping(&draft(&booking("b1", 0)), "1", MappingState::Synced, 1)).unwrap();
    mirror.put_mapping(&mapping(&draft(&booking("b2", 0)), "1", MappingState::Error, 1)).unwrap();
    mirror.put_mapping(&mapping(&draft(&booking("b3", 0)), "1", MappingState::Removed, 1)).unwrap();
    mirror.begin_run(&began("run-1", 0)).unwrap();
    mirror.intend(&run_id(), &create(&draft(&booking("b2", 0))), at(1)).unwrap();

    let overview = mirror.overview().unwrap();
    let world = mirror.world().unwrap();
    assert_eq!(overview.vendor, world.vendor);
    assert_eq!(overview.connections, world.connections.into_values().collect::<Vec<_>>());
    assert_eq!(overview.calendars, world.calendars.into_values().collect::<Vec<_>>());
    assert_eq!(overview.bookings, 2);
    assert_eq!(overview.events.into_iter().collect::<Vec<_>>(), [(private().id, 2)]);
    assert_eq!(overview.mappings, MappingCounts { synced: 1, pending: 0, error: 1 });
    assert_eq!(overview.pending_operations, 1);
    assert_eq!(overview.last_run, Some(began("run-1", 0)));
}

#[test]
fn a_word_nobody_knows_is_an_error_and_no_guess() {
    let mirror = anas();
    mirror.db().execute("UPDATE calendar_sync_status SET role = 'sideways'", []).unwrap();
    let error = mirror.world().unwrap_err();
    assert!(error.to_string().contains("sideways"), "{error}");
}

#[test]
fn an_event_that_cannot_be_read_is_an_error_that_does_not_quote_it() {
    let mirror = anas();
    mirror.take_events(&private().id, &everything(&[event("e1", 0)], None)).unwrap();
    mirror.db().execute("UPDATE remote_events SET event = '{\"uid\":7,\"x\":\"Dentist\"}'", []).unwrap();
    let error = mirror.world().unwrap_err();
    assert!(!error.to_string().contains("Dentist"), "{error}");
}

#[test]
fn ids_of_another_world_do_no_harm() {
    let mirror = anas();
    mirror.remove_connection(&ConnectionId::from("nobody")).unwrap();
    mirror.remove_mapping(&BookingId::from("'; DROP TABLE bookings; --"), &private().id).unwrap();
    mirror.forget_cursor(Some(&CalendarId::from("nothing"))).unwrap();
    let hostile = RemoteCalendarId::from("'); DELETE FROM connections; --");
    let mut calendar = private();
    calendar.id = CalendarId::of(&calendar.connection, &hostile);
    calendar.remote = hostile;
    mirror.put_calendar(&calendar).unwrap();
    assert_eq!(mirror.world().unwrap().calendars[&calendar.id], calendar);
}

#[test]
fn a_pause_is_kept_replaced_and_taken_back() {
    let mirror = Sqlite::in_memory().unwrap();
    let at = |second| Timestamp::from_second(second).unwrap();
    assert_eq!(mirror.pause().unwrap(), None);
    for until in [None, Some(at(2000))] {
        let pause = Pause { since: at(1000), until };
        mirror.set_pause(Some(&pause)).unwrap();
        assert_eq!(mirror.pause().unwrap(), Some(pause));
        assert!(pause.holds(at(1999)));
        assert_eq!(pause.holds(at(2000)), until.is_none());
    }
    mirror.set_pause(None).unwrap();
    assert_eq!(mirror.pause().unwrap(), None);
}

#[test]
fn what_she_unblocked_is_kept_until_it_is_taken_back_or_some_days_past() {
    let mirror = anas();
    let moment = |hour: i64| Timestamp::from_second(hour * 3600).unwrap();
    let row = |from: i64, until: i64| Unblocked {
        span: calendar::interval::Interval::new(moment(from), moment(until)).unwrap(),
        calendar: private().id,
        at: moment(0),
    };
    mirror.put_unblocked(&[row(10, 11), row(20, 21), row(30, 31)]).unwrap();
    mirror.put_unblocked(&[row(20, 21)]).unwrap();
    let kept = || mirror.world().unwrap().unblocked.into_iter().collect::<Vec<_>>();
    assert_eq!(kept(), [row(10, 11), row(20, 21), row(30, 31)]);
    mirror.take_back_unblocked(row(11, 20).span).unwrap();
    assert_eq!(kept().len(), 3, "touching is not overlapping");
    mirror.take_back_unblocked(row(15, 25).span).unwrap();
    assert_eq!(kept(), [row(10, 11), row(30, 31)]);

    let run = RunRecord { ended_at: Some(moment(11 + 73)), ..began("run-1", 0) };
    mirror.end_run(&run).unwrap();
    assert_eq!(kept(), [row(30, 31)]);
    mirror.remove_connection(&private().connection).unwrap();
    assert_eq!(kept(), []);
}
