//! Calendar files in: documents, exit statuses, what Bookiji has of them afterwards, and the questions they raise.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::world::{Said, World};

/// Nights at the salon: nothing of hers is there.
fn night(day: i64, minutes: i64) -> Timestamp {
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap();
    let midnight = now.div_euclid(86_400) * 86_400;
    // Three in the morning in Toronto, or two.
    Timestamp::from_second(midnight + day * 86_400 + 7 * 3_600 + minutes * 60).unwrap()
}

fn event(uid: &str, start: Timestamp, end: Timestamp, more: &str) -> String {
    let at = |at: Timestamp| at.strftime("%Y%m%dT%H%M%SZ").to_string();
    format!(
        "BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:{}\r\nDTEND:{}\r\nSUMMARY:{uid}\r\n{more}END:VEVENT\r\n",
        at(start),
        at(end)
    )
}

fn busy(uid: &str, day: i64) -> String {
    event(uid, night(day, 0), night(day, 60), "")
}

fn free(uid: &str, day: i64) -> String {
    event(uid, night(day, 0), night(day, 60), "TRANSP:TRANSPARENT\r\n")
}

fn calendar(method: &str, events: &[String]) -> String {
    let method = if method.is_empty() { String::new() } else { format!("METHOD:{method}\r\n") };
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{method}{}END:VCALENDAR\r\n", events.concat())
}

impl World {
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.profile.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    async fn import(&self, name: &str, content: &str, more: &[&str]) -> Said {
        let path = self.file(name, content);
        self.run(&[&["import", path.to_str().unwrap()], more].concat()).await
    }
}

fn overlapping(list: &Value, start: Timestamp, end: Timestamp) -> Vec<Value> {
    let time = |value: &Value| value.as_str().unwrap().parse::<Timestamp>().unwrap();
    let list = list.as_array().unwrap().iter();
    list.filter(|item| time(&item["start"]) < end && start < time(&item["end"])).cloned().collect()
}

fn events(said: &Said) -> [u64; 5] {
    let events = &said.document["files"][0]["events"];
    ["new", "updated", "unchanged", "skipped", "cancelled"].map(|key| events[key].as_u64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_blocks_opens_and_is_nothing_new_the_second_time() {
    let world = World::signed_in().await;
    let text = calendar("", &[busy("exam", 2), free("extra hours", 3)]);
    let before = world.state().await;

    let plan = world.import("school.ics", &text, &["--dry-run"]).await;
    assert_eq!(plan.status, 0, "{plan:?}");
    assert_eq!((events(&plan), &plan.document["files"][0]["slots_created"]), ([2, 0, 0, 0, 0], &json!(1)));
    let after = world.state().await;
    assert_eq!((&after["slots"], &after["busy"]), (&before["slots"], &before["busy"]), "nothing is written");
    assert_eq!(world.run(&["status"]).await.document["connections"], json!([]));

    let first = world.import("school.ics", &text, &[]).await;
    assert_eq!(first.status, 0, "{first:?}");
    let file = &first.document["files"][0];
    assert!(file["path"].as_str().unwrap().ends_with("school.ics"));
    assert_eq!((&file["outcome"], events(&first)), (&json!("imported"), [2, 0, 0, 0, 0]));
    assert_eq!((&file["slots_created"], &file["busy_blocks"]), (&json!(1), &json!(1)));
    assert_eq!((&file["conflicts"], &file["problems"]), (&json!([]), &json!([])));
    let state = world.state().await;
    assert_eq!(overlapping(&state["busy"], night(2, 0), night(2, 60)).len(), 1, "{}", state["busy"]);
    let slots = overlapping(&state["slots"], night(3, 0), night(3, 60));
    assert_eq!(slots.len(), 1);

    let second = world.import("school.ics", &text, &[]).await;
    assert_eq!((second.status, events(&second)), (0, [0, 0, 2, 0, 0]), "{second:?}");
    let file = &second.document["files"][0];
    assert_eq!((&file["outcome"], &file["slots_created"]), (&json!("unchanged"), &json!(0)));
    assert_eq!(world.state().await["slots"], state["slots"]);
    let runs = world.run(&["history"]).await.document["runs"].as_array().unwrap().len();
    assert_eq!(runs, 1, "nothing new is nothing to tell");

    let busy = world.run(&["busy"]).await;
    assert!(busy.document["events"].as_array().unwrap().iter().any(|event| event["uid"] == "exam"));
    let calendars = world.run(&["calendars"]).await;
    assert_eq!(calendars.document["calendars"][0]["name"], "Imported files");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_version_moves_everything_and_a_cancellation_takes_it_away() {
    let world = World::signed_in().await;
    assert_eq!(world.import("a.ics", &calendar("", &[busy("m", 2), free("f", 3)]), &[]).await.status, 0);
    let later = |uid: &str, day, more: &str| event(uid, night(day, 0), night(day, 90), more);
    let moved = calendar(
        "",
        &[later("m", 4, "SEQUENCE:1\r\n"), later("f", 5, "SEQUENCE:1\r\nTRANSP:TRANSPARENT\r\n")],
    );
    let second = world.import("b.ics", &moved, &[]).await;
    assert_eq!((second.status, events(&second)), (0, [0, 2, 0, 0, 0]), "{second:?}");
    let state = world.state().await;
    assert_eq!(overlapping(&state["slots"], night(3, 0), night(3, 60)), [] as [Value; 0]);
    assert_eq!(overlapping(&state["slots"], night(5, 0), night(5, 90)).len(), 1);
    assert_eq!(overlapping(&state["busy"], night(2, 0), night(2, 60)), [] as [Value; 0]);

    let gone = calendar("CANCEL", &[later("m", 4, "SEQUENCE:2\r\n"), later("f", 5, "SEQUENCE:2\r\n")]);
    let third = world.import("c.ics", &gone, &[]).await;
    assert_eq!((third.status, events(&third)), (0, [0, 0, 0, 0, 2]), "{third:?}");
    let state = world.state().await;
    assert_eq!(overlapping(&state["slots"], night(5, 0), night(5, 90)), [] as [Value; 0]);
    assert_eq!(overlapping(&state["busy"], night(4, 0), night(4, 90)), [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_slot_in_the_way_is_listed_waits_and_is_decided_once() {
    let world = World::signed_in().await;
    let state = world.state().await;
    let time = |value: &Value| value.as_str().unwrap().parse::<Timestamp>().unwrap();
    let open = state["slots"].as_array().unwrap().iter().find(|slot| {
        slot["is_available"] == true && time(&slot["start"]) > night(2, 0) && {
            let (start, end) = (time(&slot["start"]), time(&slot["end"]));
            let (from, to) = (start - jiff::SignedDuration::from_mins(30), end);
            overlapping(&state["slots"], from, to).len() == 1
                && overlapping(&state["bookings"], from, to).is_empty()
        }
    });
    let open = open.unwrap_or_else(|| panic!("an open slot with room before it: {}", state["slots"])).clone();
    let (start, end) = (time(&open["start"]), time(&open["end"]));
    let from = start - jiff::SignedDuration::from_mins(30);
    let text = calendar("", &[event("more", from, end, "TRANSP:TRANSPARENT\r\n")]);

    let said = world.import("more.ics", &text, &[]).await;
    assert_eq!(said.status, 3, "{said:?}");
    let conflict = &said.document["files"][0]["conflicts"][0];
    assert_eq!((&conflict["kind"], &conflict["resolution"]), (&json!("slot"), &json!("waiting")), "{said:?}");
    assert_eq!((&conflict["uid"], &conflict["with"]["id"]), (&json!("more"), &open["id"]));
    assert_eq!(world.state().await["slots"], state["slots"]);

    let listed = world.run(&["decisions"]).await;
    let cards = listed.document["decisions"].as_array().unwrap();
    assert_eq!((cards.len(), &cards[0]["kind"]), (1, &json!("import_conflict")), "{listed:?}");
    let id = cards[0]["id"].as_str().unwrap();
    assert_eq!(world.run(&["status"]).await.document["decisions"], 1);
    let wrong = world.run(&["decide", id, "perhaps"]).await;
    assert_eq!((wrong.status, &wrong.error["code"]), (1, &json!("INVALID_INPUT")));
    assert!(wrong.error["next_step"].as_str().unwrap().contains("replace, merge, skip"), "{wrong:?}");

    let merged = world.run(&["decide", id, "merge"]).await;
    assert_eq!((merged.status, &merged.document["decisions"]), (0, &json!([])), "{merged:?}");
    let slots = world.state().await["slots"].clone();
    assert_eq!(overlapping(&slots, from, end).len(), 2, "hers, and the half hour before it");
    let again = world.run(&["decide", id, "replace"]).await;
    assert_eq!((again.status, &again.error["code"]), (1, &json!("INVALID_INPUT")));
    assert_eq!(world.state().await["slots"], slots);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_holds_its_time_until_it_is_answered() {
    let world = World::signed_in().await;
    let guest = format!(
        "ORGANIZER:mailto:boss@example.com\r\nATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:{}\r\n",
        world.sandbox.email
    );
    let text = calendar("REQUEST", &[event("talk", night(2, 0), night(2, 60), &guest)]);
    let said = world.import("invite.ics", &text, &[]).await;
    assert_eq!((said.status, events(&said)), (3, [1, 0, 0, 0, 0]), "{said:?}");
    let held = |state: &Value| overlapping(&state["busy"], night(2, 0), night(2, 60)).len();
    assert_eq!(held(&world.state().await), 1);
    let cards = world.run(&["decisions"]).await.document["decisions"].clone();
    assert_eq!(
        (&cards[0]["kind"], &cards[0]["options"]),
        (&json!("invitation"), &json!(["accept", "decline"]))
    );
    let declined = world.run(&["decide", cards[0]["id"].as_str().unwrap(), "decline"]).await;
    assert_eq!(declined.status, 0, "{declined:?}");
    assert_eq!(held(&world.state().await), 0);
    let again = world.import("invite.ics", &text, &[]).await;
    assert_eq!((again.status, events(&again)), (0, [0, 0, 1, 0, 0]), "her answer stands: {again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_calendar_is_refused_with_the_reason_and_keeps_no_other_out() {
    let world = World::signed_in().await;
    let bad = world.file("page.ics", "<!DOCTYPE html><html><body>Sign in</body></html>");
    let torn =
        world.file("torn.ics", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
    let good = world.file("good.ics", calendar("", &[busy("m", 2)]));
    let [bad, torn, good] = [&bad, &torn, &good].map(|path| path.to_str().unwrap());

    let refused = world.run(&["import", bad]).await;
    assert_eq!((refused.status, &refused.error["code"]), (1, &json!("INVALID_ICS_FORMAT")), "{refused:?}");
    assert_eq!(refused.document["files"][0]["outcome"], "rejected");
    assert!(refused.document["files"][0]["problems"][0]["message"].as_str().unwrap().contains("web page"));
    let torn = world.run(&["import", torn]).await;
    assert_eq!((torn.status, &torn.document["files"][0]["problems"][0]["line"]), (1, &json!(2)), "{torn:?}");
    assert!(torn.error["message"].as_str().unwrap().contains("line 2"), "{torn:?}");

    let both = world.run(&["import", bad, good]).await;
    assert_eq!(both.status, 4, "{both:?}");
    let outcomes = both.document["files"].as_array().unwrap().iter().map(|file| file["outcome"].clone());
    assert_eq!(outcomes.collect::<Vec<_>>(), ["rejected", "imported"]);
    let climbing = world.profile.path().join("x").join("..").join("good.ics");
    let climbing = world.run(&["import", climbing.to_str().unwrap()]).await;
    assert_eq!((climbing.status, &climbing.error["code"]), (1, &json!("INVALID_INPUT")), "{climbing:?}");
    let reply = world.import("reply.ics", &calendar("REPLY", &[busy("m", 2)]), &[]).await;
    assert_eq!((reply.status, &reply.document["files"][0]["outcome"]), (0, &json!("no_times")), "{reply:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_bookiji_the_file_is_kept_and_the_next_sync_tells_it() {
    let nobody = World::start().await;
    let refused = nobody.import("a.ics", &calendar("", &[busy("m", 2)]), &[]).await;
    assert_eq!((refused.status, &refused.error["code"]), (1, &json!("NOT_SIGNED_IN")), "{refused:?}");

    let world = World::signed_in().await;
    world.fault(json!({"service": "bookiji", "kind": "status:503", "probability": 1.0})).await;
    let text = calendar("", &[busy("m", 2), free("f", 3)]);
    let plan = world.import("a.ics", &text, &["--dry-run"]).await;
    assert_eq!((plan.status, events(&plan)), (4, [2, 0, 0, 0, 0]), "{plan:?}");
    let kept = world.import("a.ics", &text, &[]).await;
    assert_eq!((kept.status, events(&kept)), (4, [2, 0, 0, 0, 0]), "{kept:?}");
    assert!(kept.document["files"][0]["unsent"]["message"].is_string(), "{kept:?}");
    world.heal().await;
    let sync = world.run(&["sync"]).await;
    assert_eq!((sync.status, &sync.document["slots"]["created"]), (0, &json!(1)), "{sync:?}");
    let state = world.state().await;
    assert_eq!(overlapping(&state["busy"], night(2, 0), night(2, 60)).len(), 1);
    assert_eq!(overlapping(&state["slots"], night(3, 0), night(3, 60)).len(), 1);
    let settled = world.run(&["sync"]).await;
    assert_eq!(settled.document["requests"], json!({"bookiji": 1, "bookiji_auth": 1}), "{settled:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_bookiji_exported_itself_does_not_come_back_as_busy_time() {
    let world = World::signed_in().await;
    let state = world.state().await;
    let slot =
        &state["slots"].as_array().unwrap().iter().rev().find(|slot| slot["is_available"] == true).unwrap();
    let time = |key: &str| slot[key].as_str().unwrap().parse::<Timestamp>().unwrap();
    let text = calendar("", &[event(slot["id"].as_str().unwrap(), time("start"), time("end"), "")]);
    let said = world.import("export.ics", &text, &[]).await;
    assert_eq!((said.status, events(&said)), (0, [0, 0, 0, 1, 0]), "{said:?}");
    assert!(said.document["files"][0]["notes"][0]["reason"].as_str().unwrap().contains("Bookiji wrote it"));
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnecting_the_files_takes_their_slots_and_busy_time_back() {
    let world = World::signed_in().await;
    let before = world.state().await;
    assert_eq!(world.import("a.ics", &calendar("", &[busy("m", 2), free("f", 3)]), &[]).await.status, 0);
    let gone = world.run(&["disconnect", "Imported files"]).await;
    assert_eq!(gone.status, 0, "{gone:?}");
    let sync = world.run(&["sync"]).await;
    assert_eq!(sync.status, 0, "{sync:?}");
    let after = world.state().await;
    assert_eq!((&after["slots"], &after["busy"]), (&before["slots"], &before["busy"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_before_the_first_sync_says_what_the_import_then_does() {
    let world = World::signed_in().await;
    let state = world.state().await;
    let live = |booking: &&Value| booking["status"] == "confirmed" && lies_ahead(booking);
    let booking = state["bookings"].as_array().unwrap().iter().find(live).unwrap();
    let at = |key: &str| booking[key].as_str().unwrap().parse::<Timestamp>().unwrap();
    let text = calendar("", &[event("free", at("start"), at("end"), "TRANSP:TRANSPARENT\r\n")]);

    let plan = world.import("over.ics", &text, &["--dry-run"]).await;
    let done = world.import("over.ics", &text, &[]).await;
    assert_eq!((plan.status, done.status), (0, 0), "{plan:?}\n{done:?}");
    let conflicts = &done.document["files"][0]["conflicts"];
    assert_eq!(conflicts[0]["kind"], "booking", "{conflicts}");
    assert_eq!(&plan.document["files"][0]["conflicts"], conflicts);
}

fn lies_ahead(booking: &Value) -> bool {
    booking["start"].as_str().unwrap().parse::<Timestamp>().unwrap() > night(2, 0)
}
