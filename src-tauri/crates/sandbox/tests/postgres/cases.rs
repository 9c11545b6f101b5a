//! Every rule of today's database that a vendor's client meets, and every defect, as a short story with its end.

use serde_json::{Value, json};

use crate::both::{Both, Step};

fn slot(name: &'static str, from: i64, to: i64) -> Step {
    Step::Slot { name, from, to, open: true, kind: "regular" }
}

fn closed(name: &'static str, from: i64, to: i64) -> Step {
    Step::Slot { name, from, to, open: false, kind: "regular" }
}

fn set(name: &'static str, set: Value) -> Step {
    Step::Set { name, set }
}

fn switch(name: &'static str, open: bool) -> Step {
    Step::SetSlot { name, set: json!({ "is_available": open }) }
}

fn book(name: &'static str, slot: &'static str) -> Step {
    Step::Book { name, slot }
}

fn cancelled() -> Value {
    json!({"status": "cancelled", "cancellation_reason": "r"})
}

#[tokio::test]
async fn the_sandbox_does_with_slots_what_a_real_database_does() {
    let Some(mut both) = Both::start(false).await else { return };
    let mut cases: Vec<(&str, Vec<Step>, &str)> = Vec::new();
    let mut case = |name, steps, expected| cases.push((name, steps, expected));
    case("a slot is made", vec![slot("a", 0, 60)], "1");
    case("the same times twice", vec![slot("a", 0, 60), slot("b", 0, 60)], "23505");
    case("the same times twice, closed", vec![closed("a", 0, 60), slot("b", 0, 60)], "23505");
    case("open over open", vec![slot("a", 0, 60), slot("b", 30, 90)], "23P01");
    case("touching", vec![slot("a", 0, 60), slot("b", 60, 90)], "1");
    case("closed over open", vec![slot("a", 0, 60), closed("b", 30, 90)], "1");
    case("open over closed", vec![closed("a", 0, 60), slot("b", 30, 90)], "1");
    case("opened over open", vec![slot("a", 0, 60), closed("b", 30, 90), switch("b", true)], "23P01");
    case("closed and opened", vec![slot("a", 0, 60), switch("a", false), switch("a", true)], "1");
    case("closed twice", vec![slot("a", 0, 60), switch("a", false), switch("a", false)], "1");
    let kind = |kind| Step::Slot { name: "a", from: 0, to: 60, open: true, kind };
    case("a type that is none", vec![kind("available")], "23514");
    case("blocked, and bookable all the same", vec![kind("blocked"), book("x", "a")], "1");
    case("backwards and open", vec![slot("a", 60, 0)], "22000");
    case("backwards and closed", vec![closed("a", 60, 0)], "1");
    case("backwards and opened", vec![closed("a", 60, 0), switch("a", true)], "22000");
    case("for somebody else", vec![Step::SlotForOther { from: 0, to: 60 }], "42501");
    case("somebody else's", vec![switch("theirs", false)], "0");
    case("somebody else's, removed", vec![Step::RemoveSlot { name: "theirs" }], "0");
    case("removed", vec![slot("a", 0, 60), Step::RemoveSlot { name: "a" }], "1");
    let later = Step::SetSlot { name: "a", set: json!({"start_time": 60, "end_time": 120}) };
    case("moved", vec![slot("a", 0, 60), later.clone()], "1");
    case("moved over another", vec![slot("a", 0, 60), slot("b", 90, 150), later], "23P01");
    let typed = Step::SetSlot { name: "a", set: json!({"slot_type": "available"}) };
    case("changed to a type that is none", vec![slot("a", 0, 60), typed], "23514");
    for (name, steps, expected) in cases {
        both.case(name, steps, expected).await;
    }
    assert!(both.compared > 30);
}

#[tokio::test]
async fn the_sandbox_does_with_bookings_what_a_real_database_does() {
    let Some(mut both) = Both::start(false).await else { return };
    let booked = || vec![slot("a", 0, 60), book("x", "a")];
    let with = |steps: Vec<Step>, more: Vec<Step>| [steps, more].concat();
    let directly = |from, to| Step::BookDirectly { name: "x", from, to };
    let mut cases: Vec<(&str, Vec<Step>, &str)> = Vec::new();
    let mut case = |name, steps, expected| cases.push((name, steps, expected));
    case("a customer books", booked(), "1");
    case("a closed slot", vec![closed("a", 0, 60), book("x", "a")], "Slot is not available");
    case("twice", with(booked(), vec![book("y", "a")]), "Slot is not available");
    case("every change flips the slot", with(booked(), vec![set("x", json!({"notes": "n"}))]), "1");
    case("cancelled", with(booked(), vec![set("x", cancelled())]), "1");
    case("cancelled twice", with(booked(), vec![set("x", cancelled()), set("x", cancelled())]), "1");
    case("not come", with(booked(), vec![set("x", json!({"status": "no_show"}))]), "1");
    case("completed", with(booked(), vec![set("x", json!({"status": "completed"}))]), "1");
    case("booked again", with(booked(), vec![set("x", cancelled()), book("y", "a")]), "1");
    // The row of a booking that is over still opens the slot, whoever has it by now.
    let over = vec![set("x", cancelled()), book("y", "a"), set("x", json!({"notes": "n"}))];
    case("a cancelled one opens another's slot", with(booked(), over), "1");
    case("a status that is none", with(booked(), vec![set("x", json!({"status": "moved"}))]), "23514");
    case("a state that is none", with(booked(), vec![set("x", json!({"state": "confirmed"}))]), "22P02");
    case("another state", with(booked(), vec![set("x", json!({"state": "cancelled"}))]), "42703");
    case("the same state", with(booked(), vec![set("x", json!({"state": "quoted"}))]), "1");
    case("confirmed unpaid", vec![directly(0, 60), set("x", json!({"status": "confirmed"}))], "P0001");
    let unpaid = json!({"confirmed_at": 0});
    case("confirmed at some time, unpaid", vec![directly(0, 60), set("x", unpaid)], "23514");
    let paid = json!({"status": "confirmed", "stripe_payment_intent_id": "pi", "confirmed_at": 0});
    case("confirmed and paid at once", vec![directly(0, 60), set("x", paid)], "1");
    case("no slot is claimed", vec![slot("a", 0, 60), directly(0, 60)], "1");
    let noted = set("x", json!({"notes": "n"}));
    case("and closed by the first change", vec![slot("a", 0, 60), directly(0, 60), noted], "1");
    let message = "conflicting key value violates exclusion constraint \"bookings_no_overlap_provider_time\"";
    let other = |from, to| Step::BookDirectly { name: "y", from, to };
    case("over another", with(booked(), vec![other(30, 90)]), message);
    case("over the same times", with(booked(), vec![other(0, 60)]), message);
    case("next to another", with(booked(), vec![other(60, 90)]), "1");
    case("over a cancelled one", with(booked(), vec![set("x", cancelled()), other(30, 90)]), "1");
    let back = set("x", json!({"status": "pending"}));
    let revived = vec![set("x", cancelled()), other(30, 90), back];
    case("revived under another", with(booked(), revived), "23P01");
    case(
        "backwards",
        vec![directly(60, 0)],
        "range lower bound must be less than or equal to range upper bound",
    );
    case("she may make none", vec![Step::Insert { from: 0, to: 60 }], "42501");
    case("she may delete none", with(booked(), vec![Step::Delete { name: "x" }]), "0");
    case("the site deletes", with(booked(), vec![Step::Purge { name: "x" }]), "1");
    case("moved by hand", with(booked(), vec![set("x", json!({"start_time": 60, "end_time": 120}))]), "1");
    case("one that is not there", vec![set("x", cancelled())], "0");
    for (name, steps, expected) in cases {
        both.case(name, steps, expected).await;
    }
    assert!(both.compared > 70);
}

#[tokio::test]
async fn an_open_slot_over_a_booked_one_keeps_it_from_ever_being_changed_on_both() {
    let Some(mut both) = Both::start(false).await else { return };
    let poisoned = || vec![slot("a", 0, 60), book("x", "a"), slot("b", 30, 90)];
    let then = |more: Vec<Step>| [poisoned(), more].concat();
    let mut cases: Vec<(&str, Vec<Step>, &str)> = vec![
        ("it can be made", poisoned(), "1"),
        ("cancelled", then(vec![set("x", cancelled())]), "23P01"),
        ("noted", then(vec![set("x", json!({"notes": "n"}))]), "23P01"),
        ("completed", then(vec![set("x", json!({"status": "completed"}))]), "23P01"),
        (
            "booked too",
            then(vec![book("y", "b")]),
            "conflicting key value violates exclusion constraint \"bookings_no_overlap_provider_time\"",
        ),
        ("closed again", then(vec![switch("b", false), set("x", cancelled())]), "1"),
        ("removed again", then(vec![Step::RemoveSlot { name: "b" }, set("x", cancelled())]), "1"),
        ("without its own slot", then(vec![Step::RemoveSlot { name: "a" }, set("x", cancelled())]), "1"),
        ("moved away", then(vec![slot("c", 120, 180), Step::Move { name: "x", to: "c" }]), "23P01"),
    ];
    let message = "conflicting key value violates exclusion constraint \"availability_slots_no_overlap\"";
    cases.push(("deleted by the site", then(vec![Step::Purge { name: "x" }]), message));
    for (name, steps, expected) in cases {
        both.case(name, steps, expected).await;
    }
}

#[tokio::test]
async fn a_booking_is_moved_as_a_real_database_moves_it() {
    let Some(mut both) = Both::start(false).await else { return };
    let booked = || vec![slot("a", 0, 60), book("x", "a")];
    let then = |more: Vec<Step>| [booked(), more].concat();
    let moved = |to| Step::Move { name: "x", to };
    let cases: Vec<(&str, Vec<Step>, &str)> = vec![
        ("to an open slot", then(vec![slot("b", 120, 180), moved("b")]), "moved"),
        ("and back", then(vec![slot("b", 120, 180), moved("b"), moved("a")]), "moved"),
        ("to a longer one", then(vec![slot("b", 120, 240), moved("b")]), "moved"),
        ("to a closed slot", then(vec![closed("b", 120, 180), moved("b")]), "New slot is not available"),
        ("to its own slot", then(vec![moved("a")]), "New slot is not available"),
        ("to a slot that is not there", then(vec![moved("b")]), "New slot is not available"),
        ("to somebody else's", then(vec![moved("theirs")]), "Slot provider mismatch"),
        ("a cancelled one", then(vec![set("x", cancelled()), moved("a")]), "Booking is cancelled"),
        ("one that is not there", vec![slot("a", 0, 60), moved("a")], "Booking not found"),
        ("to a slot over its own", then(vec![slot("b", 30, 90), moved("b")]), "23P01"),
        (
            "to a slot over another booking",
            then(vec![Step::BookDirectly { name: "y", from: 150, to: 170 }, slot("b", 120, 180), moved("b")]),
            "23P01",
        ),
    ];
    for (name, steps, expected) in cases {
        both.case(name, steps, expected).await;
    }
}

#[tokio::test]
async fn a_profile_with_another_id_than_its_sign_in_reaches_nothing_on_either() {
    let Some(mut both) = Both::start(true).await else { return };
    let cases: Vec<(&str, Vec<Step>, &str)> = vec![
        ("she makes a slot", vec![slot("a", 0, 60)], "42501"),
        ("her booking", vec![Step::BookDirectly { name: "x", from: 0, to: 60 }, set("x", cancelled())], "0"),
        (
            "her booking, moved",
            vec![Step::BookDirectly { name: "x", from: 0, to: 60 }, Step::Move { name: "x", to: "theirs" }],
            "Booking not found",
        ),
    ];
    for (name, steps, expected) in cases {
        both.case(name, steps, expected).await;
    }
}
