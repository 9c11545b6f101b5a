//! What is intended is written down, what happened follows from it in one transaction, and history has an end.

use sync::error::MirrorError;
use sync::ports::Mirror;
use sync::world::{Mapping, MappingState, Operation, OperationId, RunRecord, Settled};

use super::rows::{anas, google_columns};
use super::scene::*;
use crate::{EntryState, JournalEntry, Sqlite};

const MINUTES_A_DAY: i64 = 24 * 60;

fn entry(mirror: &Sqlite, id: OperationId) -> JournalEntry {
    mirror.journal(&run_id()).unwrap().into_iter().find(|entry| entry.id == id).unwrap()
}

fn every_operation() -> [Operation; 4] {
    let draft = draft(&booking("b1", 0));
    let before = Box::new(stored(&draft, "1"));
    let (calendar, event) = (target().id, draft.id.clone());
    [
        create(&draft),
        Operation::UpdateEvent {
            calendar: calendar.clone(),
            event: event.clone(),
            base: "1".into(),
            draft,
            before: before.clone(),
        },
        Operation::RemoveEvent {
            calendar,
            booking: "b1".into(),
            event,
            base: "1".into(),
            before,
            remember: None,
        },
        Operation::PublishBusy { set: busy_set(&private().id, 30), before: Some(busy_set(&private().id, 0)) },
    ]
}

#[test]
fn what_was_intended_and_not_settled_is_in_the_world_in_its_order() {
    let mirror = anas();
    let intended: Vec<_> = every_operation()
        .into_iter()
        .map(|operation| (mirror.intend(&run_id(), &operation, at(1)).unwrap(), operation))
        .collect();
    assert_eq!(mirror.world().unwrap().unsettled, intended);
    assert!(intended.is_sorted_by_key(|(id, _)| *id));
}

#[test]
fn an_entry_tells_the_whole_story() {
    let mirror = anas();
    let draft = draft(&booking("b1", 0));
    let id = mirror.intend(&run_id(), &create(&draft), at(1)).unwrap();
    let mut told = JournalEntry {
        id,
        run: run_id(),
        operation: create(&draft),
        state: EntryState::Intended,
        attempts: 0,
        echo: None,
        problem: None,
        intended_at: at(1),
        attempted_at: None,
        settled_at: None,
    };
    assert_eq!(entry(&mirror, id), told);

    mirror.attempted(id, at(2)).unwrap();
    mirror.attempted(id, at(3)).unwrap();
    told = JournalEntry { state: EntryState::Attempted, attempts: 2, attempted_at: Some(at(3)), ..told };
    assert_eq!(entry(&mirror, id), told);

    mirror.settle(id, &was_stored(&draft, "7", 4), at(4)).unwrap();
    told = JournalEntry {
        state: EntryState::Stored,
        echo: Some(serde_json::to_value(stored(&draft, "7")).unwrap()),
        settled_at: Some(at(4)),
        ..told
    };
    assert_eq!(entry(&mirror, id), told);
}

#[test]
fn the_journal_can_be_searched_by_key_and_precondition() {
    let mirror = anas();
    for operation in every_operation() {
        mirror.intend(&run_id(), &operation, at(1)).unwrap();
    }
    let db = mirror.db();
    let mut statement =
        db.prepare("SELECT kind, booking_id, key, precondition FROM operations ORDER BY id").unwrap();
    let rows: Vec<(String, Option<String>, String, Option<String>)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let (event, source) = (draft(&booking("b1", 0)).id.0, private().id.0);
    let row = |kind: &str, booking: Option<&str>, key: &str, precondition: Option<&str>| {
        (kind.into(), booking.map(Into::into), key.into(), precondition.map(Into::into))
    };
    assert_eq!(
        rows,
        [
            row("create_event", Some("b1"), &event, None),
            row("update_event", Some("b1"), &event, Some("1")),
            row("remove_event", Some("b1"), &event, Some("1")),
            row("publish_busy", None, &source, Some("sum-0")),
        ]
    );
}

#[test]
fn a_stored_event_settles_its_mapping_its_row_and_its_booking() {
    let mirror = anas();
    mirror.take_bookings(&everything(&[booking("b1", 0)], None)).unwrap();
    let draft = draft(&booking("b1", 0));
    let id = mirror.intend(&run_id(), &create(&draft), at(1)).unwrap();
    mirror.settle(id, &was_stored(&draft, "7", 2), at(2)).unwrap();

    let world = mirror.world().unwrap();
    assert!(world.unsettled.is_empty());
    assert_eq!(world.events[&target().id][&draft.id], stored(&draft, "7"));
    let expected = mapping(&draft, "7", MappingState::Synced, 2);
    assert_eq!(world.mappings[&(draft.booking.clone(), target().id)], expected);
    assert_eq!(google_columns(&mirror, "b1"), (Some(draft.id.0), Some(at(2).as_microsecond())));
}

#[test]
fn a_removed_event_leaves_its_mapping_and_no_row() {
    let mirror = anas();
    let draft = draft(&booking("b1", 0));
    let id = mirror.intend(&run_id(), &create(&draft), at(1)).unwrap();
    mirror.settle(id, &was_stored(&draft, "7", 2), at(2)).unwrap();

    let [.., remove, _] = every_operation();
    let id = mirror.intend(&run_id(), &remove, at(3)).unwrap();
    let gone = mapping(&draft, "7", MappingState::Removed, 3);
    mirror.settle(id, &Settled::Removed { mapping: Box::new(gone.clone()) }, at(3)).unwrap();

    let world = mirror.world().unwrap();
    assert!(world.events.is_empty());
    assert_eq!(world.mappings.into_values().collect::<Vec<_>>(), [gone]);
    assert_eq!(entry(&mirror, id).state, EntryState::Removed);
}

#[test]
fn a_failure_keeps_its_words_and_what_remains() {
    let mirror = anas();
    let draft = draft(&booking("b1", 0));
    let without = mirror.intend(&run_id(), &create(&draft), at(1)).unwrap();
    mirror.settle(without, &Settled::Failed { problem: problem(), mapping: None }, at(2)).unwrap();
    assert!(mirror.world().unwrap().mappings.is_empty());
    assert_eq!(entry(&mirror, without).problem, Some(problem()));

    let with = mirror.intend(&run_id(), &create(&draft), at(3)).unwrap();
    let mut waiting = mapping(&draft, "7", MappingState::Error, 3);
    waiting.error = Some(problem());
    let failed = Settled::Failed { problem: problem(), mapping: Some(Box::new(waiting.clone())) };
    mirror.settle(with, &failed, at(4)).unwrap();
    let world = mirror.world().unwrap();
    assert_eq!(world.mappings.into_values().collect::<Vec<_>>(), [waiting]);
    assert!(world.unsettled.is_empty());
    assert_eq!(entry(&mirror, with).state, EntryState::Failed);
}

#[test]
fn what_was_published_is_remembered_until_it_is_withdrawn() {
    let mirror = anas();
    for (start, sources) in [(0, [&private().id, &target().id]), (30, [&private().id, &private().id])] {
        for source in sources {
            let operation = Operation::PublishBusy { set: busy_set(source, start), before: None };
            let id = mirror.intend(&run_id(), &operation, at(1)).unwrap();
            mirror.settle(id, &Settled::Published(Box::new(published(source, start))), at(2)).unwrap();
        }
    }
    let known = mirror.published().unwrap();
    assert_eq!(known, mirror.world().unwrap().published);
    assert_eq!(known[&private().id], published(&private().id, 30));
    assert_eq!(known[&target().id], published(&target().id, 0));

    let operation = Operation::PublishBusy { set: busy_set(&target().id, 0), before: None };
    let id = mirror.intend(&run_id(), &operation, at(3)).unwrap();
    mirror.settle(id, &Settled::Withdrawn { source: target().id }, at(3)).unwrap();
    assert_eq!(mirror.published().unwrap().into_keys().collect::<Vec<_>>(), [private().id]);
    assert_eq!(entry(&mirror, id).state, EntryState::Withdrawn);
}

#[test]
fn an_operation_is_settled_once() {
    let mirror = anas();
    let draft = draft(&booking("b1", 0));
    let id = mirror.intend(&run_id(), &create(&draft), at(1)).unwrap();
    mirror.settle(id, &Settled::Failed { problem: problem(), mapping: None }, at(2)).unwrap();
    for again in [
        mirror.settle(id, &was_stored(&draft, "7", 3), at(3)),
        mirror.attempted(id, at(3)),
        mirror.settle(OperationId(99), &was_stored(&draft, "7", 3), at(3)),
        mirror.attempted(OperationId(99), at(3)),
    ] {
        assert!(matches!(again, Err(MirrorError::Failed { .. })), "{again:?}");
    }
    let world = mirror.world().unwrap();
    assert!(world.mappings.is_empty() && world.events.is_empty(), "a refused settlement must leave no rows");
}

#[test]
fn unlinking_an_account_closes_what_was_open_on_it_alone() {
    let mirror = anas();
    mirror.put_connection(&connection("salon@example.com")).unwrap();
    let other = calendar("salon@example.com", "bookiji", sync::world::Role::Target);
    mirror.put_calendar(&other).unwrap();
    let draft = draft(&booking("b1", 0));
    let hers = mirror.intend(&run_id(), &create(&draft), at(1)).unwrap();
    let elsewhere = Operation::CreateEvent { calendar: other.id, draft };
    let elsewhere = mirror.intend(&run_id(), &elsewhere, at(1)).unwrap();
    let publish = Operation::PublishBusy { set: busy_set(&target().id, 0), before: None };
    let publish = mirror.intend(&run_id(), &publish, at(1)).unwrap();

    mirror.remove_connection(&connection(ACCOUNT).id).unwrap();
    let open: Vec<_> = mirror.world().unwrap().unsettled.into_iter().map(|(id, _)| id).collect();
    assert_eq!(open, [elsewhere, publish]);
    let closed = entry(&mirror, hers);
    assert_eq!((closed.state, closed.settled_at), (EntryState::Abandoned, Some(at(1))));
}

#[test]
fn runs_come_newest_first_whatever_the_clock_said() {
    let mirror = anas();
    mirror.begin_run(&began("first", 500)).unwrap();
    mirror.begin_run(&began("second", 100)).unwrap();
    mirror.end_run(&ended("first", 500)).unwrap();
    assert_eq!(mirror.runs(9).unwrap(), [began("second", 100), ended("first", 500)]);
    assert_eq!(mirror.runs(1).unwrap(), [began("second", 100)]);
    assert!(mirror.runs(0).unwrap().is_empty());
}

/// What each of these runs wrote, in the order they ran: minutes after `at(0)`, and whether its outcome is known.
fn with_runs(runs: &[(&str, i64, bool)]) -> Sqlite {
    let mirror = anas();
    for (run, minutes, settled) in runs {
        mirror.begin_run(&began(run, *minutes)).unwrap();
        let id = mirror.intend(&(*run).into(), &create(&draft(&booking(run, 0))), at(*minutes)).unwrap();
        if *settled {
            let failed = Settled::Failed { problem: problem(), mapping: None };
            mirror.settle(id, &failed, at(*minutes)).unwrap();
        }
    }
    mirror
}

/// A hundred runs that wrote something, one a minute from `minutes` on: enough for older ones to go.
fn then_a_hundred(mirror: &Sqlite, minutes: i64) {
    let failed = Settled::Failed { problem: problem(), mapping: None };
    for n in 0..100 {
        let run = format!("later-{n}");
        mirror.begin_run(&began(&run, minutes + n)).unwrap();
        let id = mirror.intend(&run.as_str().into(), &create(&draft(&booking(&run, 0))), at(0)).unwrap();
        mirror.settle(id, &failed, at(minutes + n)).unwrap();
    }
}

/// Which of `runs` can still be looked at, with what they wrote, once another run ended at `minutes`.
fn left_after(mirror: &Sqlite, runs: &[(&str, i64, bool)], minutes: i64) -> Vec<String> {
    mirror.begin_run(&began("now", minutes)).unwrap();
    mirror.end_run(&ended("now", minutes)).unwrap();
    let known: Vec<String> = mirror.runs(9_999).unwrap().into_iter().map(|run| run.id.0).collect();
    let names = runs.iter().map(|(run, _, _)| (*run).to_owned());
    let (with, without): (Vec<_>, Vec<_>) =
        names.partition(|run| !mirror.journal(&run.as_str().into()).unwrap().is_empty());
    assert!(with.iter().all(|run| known.contains(run)), "{known:?}");
    assert!(without.iter().all(|run| !known.contains(run)), "{known:?}");
    with
}

#[test]
fn history_ends_after_thirty_days_but_for_what_is_open_and_the_newest_hundred_runs() {
    const DAY: i64 = MINUTES_A_DAY;
    let runs = [("old", 0, true), ("old and open", 2, false), ("young", DAY, true)];
    for (now, more, left) in [
        (DAY, true, vec!["old", "old and open", "young"]),
        (30 * DAY - 1, true, vec!["old", "old and open", "young"]),
        (30 * DAY + 10, true, vec!["old and open", "young"]),
        (31 * DAY + 10, true, vec!["old and open"]),
        // A clock that is years ahead takes nothing that is new.
        (9_000 * DAY, false, vec!["old", "old and open", "young"]),
        // And one that is years behind keeps what it cannot date.
        (-9_000 * DAY, true, vec!["old", "old and open", "young"]),
    ] {
        let mirror = with_runs(&runs);
        if more {
            then_a_hundred(&mirror, now.max(0) - 100);
        }
        assert_eq!(left_after(&mirror, &runs, now), left, "{now}");
    }
}

#[test]
fn a_run_counts_as_old_by_when_it_ended() {
    let mirror = anas();
    mirror.begin_run(&began("long", 0)).unwrap();
    mirror.end_run(&ended("long", MINUTES_A_DAY)).unwrap();
    then_a_hundred(&mirror, 2 * MINUTES_A_DAY);
    let left = |minutes| {
        mirror.begin_run(&began("now", minutes)).unwrap();
        mirror.end_run(&ended("now", minutes)).unwrap();
        mirror.runs(9_999).unwrap().iter().any(|run| run.id.as_str() == "long")
    };
    assert!(left(30 * MINUTES_A_DAY + 1));
    assert!(!left(31 * MINUTES_A_DAY + 1));
}

#[test]
fn what_a_booking_is_held_by_stays_until_the_hold_ends() {
    let mirror = anas();
    let draft = draft(&booking("b1", 0));
    let remove = Operation::RemoveEvent {
        calendar: target().id,
        booking: "b1".into(),
        event: draft.id.clone(),
        base: "1".into(),
        before: Box::new(stored(&draft, "1")),
        remember: Some("held:sum".into()),
    };
    mirror.begin_run(&began("sync", 0)).unwrap();
    let id = mirror.intend(&"sync".into(), &create(&draft), at(0)).unwrap();
    mirror.settle(id, &was_stored(&draft, "1", 0), at(0)).unwrap();
    mirror.begin_run(&began("undo", 1)).unwrap();
    let id = mirror.intend(&"undo".into(), &remove, at(1)).unwrap();
    let mut held = mapping(&draft, "1", MappingState::Removed, 1);
    held.written = Some("held:sum".into());
    mirror.settle(id, &Settled::Removed { mapping: Box::new(held.clone()) }, at(1)).unwrap();
    then_a_hundred(&mirror, 2);

    let now = 40 * MINUTES_A_DAY;
    mirror.end_run(&ended("now", now)).unwrap();
    assert!(mirror.journal(&"sync".into()).unwrap().is_empty());
    assert_eq!(mirror.journal(&"undo".into()).unwrap().len(), 1);
    mirror.put_mapping(&Mapping { written: None, ..held }).unwrap();
    mirror.end_run(&ended("now", now)).unwrap();
    assert!(mirror.journal(&"undo".into()).unwrap().is_empty());
}

#[test]
fn a_journal_of_any_size_is_cut_to_sixty_four_million_characters() {
    let mirror = anas();
    let open = mirror.intend(&run_id(), &create(&draft(&booking("b1", 0))), at(0)).unwrap();
    mirror
        .db()
        .execute_batch(&format!(
            "WITH RECURSIVE count (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < 40)
             INSERT INTO operations (run_id, kind, calendar_id, key, intent, intended_at, settled_at)
             SELECT 'last', 'create_event', 'c', 'k', hex(zeroblob(1048576)), {moment}, {moment} FROM count",
            moment = at(1).as_microsecond()
        ))
        .unwrap();
    mirror.end_run(&ended("last", 3)).unwrap();
    let left: i64 = mirror
        .db()
        .query_row("SELECT count(*) FROM operations WHERE run_id = 'last'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 32);
    assert_eq!(mirror.world().unwrap().unsettled[0].0, open);
}

#[test]
fn a_run_remembers_which_one_it_took_back() {
    let mirror = anas();
    let undo = RunRecord { undoes: Some("first".into()), ..began("second", 1) };
    mirror.begin_run(&undo).unwrap();
    assert_eq!(mirror.runs(1).unwrap(), [undo]);
}

#[test]
fn of_runs_that_wrote_nothing_the_last_two_thousand_are_kept() {
    let mirror = anas();
    mirror.begin_run(&began("wrote", 0)).unwrap();
    let id = mirror.intend(&"wrote".into(), &create(&draft(&booking("b1", 0))), at(0)).unwrap();
    mirror.settle(id, &Settled::Failed { problem: problem(), mapping: None }, at(1)).unwrap();
    mirror
        .db()
        .execute_batch(&format!(
            "WITH RECURSIVE count (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < 2500)
             INSERT INTO runs (id, direction, started_at)
             SELECT 'idle-' || n, 'bidirectional', {} FROM count",
            at(2).as_microsecond()
        ))
        .unwrap();
    mirror.end_run(&ended("last", 3)).unwrap();

    let runs = mirror.runs(9_999).unwrap();
    assert_eq!(runs.len(), 2_001);
    assert_eq!((runs[0].id.as_str(), runs[1999].id.as_str()), ("last", "idle-502"));
    assert_eq!(runs[2000].id.as_str(), "wrote", "a run that wrote something can be undone for longer");
}

#[test]
fn a_journal_of_any_length_is_cut_to_twenty_thousand_settled_entries() {
    let mirror = anas();
    let open = mirror.intend(&run_id(), &create(&draft(&booking("b1", 0))), at(0)).unwrap();
    mirror
        .db()
        .execute_batch(&format!(
            "WITH RECURSIVE count (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < 20005)
             INSERT INTO operations (run_id, kind, calendar_id, key, intent, intended_at, settled_at)
             SELECT 'bulk', 'create_event', 'c', 'k', '{{}}', {moment}, {moment} FROM count",
            moment = at(1).as_microsecond()
        ))
        .unwrap();
    mirror.end_run(&ended("last", 3)).unwrap();
    let left: i64 = mirror.db().query_row("SELECT count(*) FROM operations", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 20_001);
    assert_eq!(mirror.world().unwrap().unsettled[0].0, open);
}
