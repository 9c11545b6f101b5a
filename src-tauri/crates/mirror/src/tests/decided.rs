//! What she decided is kept by what it is about, and goes when that goes.

use rusqlite::Connection as Db;
use rusqlite_migration::Migrations;
use sync::decide::{Question, with_her_words};
use sync::ports::Mirror;
use sync::world::{Answer, Choice, Given, MappingState, Settled};
use tempfile::TempDir;

use super::scene::*;
use crate::Sqlite;
use crate::open::STEPS;

fn answer(topic: &str, card: &str, choice: Choice) -> Answer {
    Answer {
        booking: Some(booking_id("b1")),
        calendar: target().id,
        topic: topic.to_owned(),
        card: card.to_owned(),
        choice,
        given: Given::ByHer,
        at: at(1),
    }
}

fn linked() -> Sqlite {
    let mirror = Sqlite::in_memory().unwrap();
    mirror.set_vendor(&vendor()).unwrap();
    mirror.put_connection(&connection(ACCOUNT)).unwrap();
    mirror.put_calendar(&target()).unwrap();
    mirror
}

fn answers(mirror: &Sqlite) -> Vec<Answer> {
    mirror.world().unwrap().answers.into_values().collect()
}

#[test]
fn an_answer_takes_the_place_of_one_about_the_same_and_of_no_other() {
    let mirror = linked();
    let about_it_all = Answer { booking: None, ..answer("target", "c", Choice::Create) };
    let words = answer("words", "w", Choice::Leave);
    mirror.put_answers(&[answer("event", "a", Choice::Move), words.clone(), about_it_all.clone()]).unwrap();
    mirror.put_answers(&[answer("event", "b", Choice::PutBack)]).unwrap();
    assert_eq!(answers(&mirror), [answer("event", "b", Choice::PutBack), about_it_all, words]);

    mirror.take_back_answer("b").unwrap();
    let taken_back = &mirror.world().unwrap().answers["b"];
    assert_eq!((taken_back.choice, taken_back.given), (Choice::PutBack, Given::TakenBack));
}

#[test]
fn an_answer_about_her_words_is_spent_once_ours_are_stored_and_not_while_only_times_are() {
    let mirror = linked();
    let row = booking("b1", 0);
    let draft = draft(&row);
    mirror.begin_run(&began("run-1", 0)).unwrap();
    mirror
        .put_answers(&[answer("words", "w", Choice::PutBack), answer("overlap", "o", Choice::Leave)])
        .unwrap();
    let store = |written: String| {
        let id = mirror.intend(&run_id(), &create(&draft), at(1)).unwrap();
        let mapping =
            sync::world::Mapping { written: Some(written), ..mapping(&draft, "1", MappingState::Synced, 1) };
        let settled = Settled::Stored { mapping: Box::new(mapping), event: Box::new(stored(&draft, "1")) };
        mirror.settle(id, &settled, at(2)).unwrap();
    };
    store(with_her_words(&draft.checksum));
    assert_eq!(answers(&mirror).len(), 2);
    store(draft.checksum.clone());
    assert_eq!(answers(&mirror), [answer("overlap", "o", Choice::Leave)]);
}

#[test]
fn a_second_event_that_is_removed_leaves_the_mapping_of_the_first() {
    let mirror = linked();
    let draft = draft(&booking("b1", 0));
    mirror.begin_run(&began("run-1", 0)).unwrap();
    let id = mirror.intend(&run_id(), &create(&draft), at(1)).unwrap();
    mirror.settle(id, &was_stored(&draft, "1", 1), at(1)).unwrap();
    mirror.take_events(&target().id, &sync::news::News::Half { items: &[event("second", 0)] }).unwrap();
    let before = mirror.world().unwrap();
    let id = mirror.intend(&run_id(), &create(&draft), at(2)).unwrap();
    let gone = Settled::SecondRemoved { calendar: target().id, event: remote_id("second") };
    mirror.settle(id, &gone, at(2)).unwrap();
    let after = mirror.world().unwrap();
    assert_eq!(after.mappings, before.mappings);
    assert_eq!((before.events[&target().id].len(), after.events[&target().id].len()), (2, 1));
}

#[test]
fn what_stands_for_a_kind_and_which_calendars_are_gone_is_kept_until_it_ends() {
    let mirror = linked();
    mirror.set_standing(Question::Moved, Some(Choice::Move)).unwrap();
    mirror.set_standing(Question::Moved, Some(Choice::Leave)).unwrap();
    mirror.set_standing(Question::Held, Some(Choice::Remove)).unwrap();
    mirror.set_standing(Question::Held, None).unwrap();
    mirror.set_gone(&target().id, Some(at(5))).unwrap();
    let world = mirror.world().unwrap();
    assert_eq!(world.standing, [(Question::Moved, Choice::Leave)].into());
    assert_eq!(world.gone, [(target().id, at(5))].into());
    mirror.set_gone(&target().id, None).unwrap();
    assert!(mirror.world().unwrap().gone.is_empty());
}

#[test]
fn answers_of_the_former_shape_are_kept() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("companion.db");
    let mut db = Db::open(&path).unwrap();
    Migrations::from_slice(&STEPS[..6]).to_latest(&mut db).unwrap();
    drop(db);
    let former = Db::open(&path).unwrap();
    let calendar = target().id;
    former
        .execute_batch(&format!(
            "INSERT INTO connections (id, service, account, state, created_at)
             VALUES ('c', 'google', 'a', 'connected', 0);
             INSERT INTO calendar_sync_status (id, connection_id, external_calendar_id, name, writable, role,
                 all_day_rule, tentative_blocks, created_at, updated_at)
             VALUES ('{calendar}', 'c', 'r', 'n', 1, 'target', 'block_if_busy', 1, 0, 0);
             INSERT INTO answers (booking_id, calendar_id, card, choice, answered_at)
             VALUES ('b1', '{calendar}', 'moved-b1-0', 'leave', {});",
            at(1).as_microsecond()
        ))
        .unwrap();
    drop(former);
    let mirror = Sqlite::open(&path).unwrap();
    assert_eq!(answers(&mirror), [answer("event", "moved-b1-0", Choice::Leave)]);
}
