//! A calendar link: connected, read, changed, broken and withdrawn, as the vendor meets it on the command line.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::world::{Said, World};

const LESSON: &str = "BEGIN:VEVENT\r\nUID:lesson-kita\r\nSUMMARY:Lesson\r\nDTSTART:@\r\nDURATION:PT1H\r\n\
                      END:VEVENT\r\n";

/// A feed with one lesson, the day after tomorrow at this hour (UTC).
fn lesson(hour: i8, more: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "the sandbox's feeds are of the computer's own days")]
    let day = Timestamp::now() + SignedDuration::from_hours(48);
    let start = format!("{}T{hour:02}0000Z", day.strftime("%Y%m%d"));
    let event = LESSON.replace('@', &start);
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-WR-CALNAME:Kita\r\n{more}{event}END:VCALENDAR\r\n")
}

impl World {
    /// Signed in, with no account at all.
    pub async fn signed_in() -> Self {
        let world = Self::start().await;
        assert_eq!(world.login().await.status, 0);
        world
    }

    fn link(&self, name: &str) -> String {
        format!("{}/feeds/{name}", self.sandbox.base_url)
    }

    async fn publish(&self, name: &str, text: &str) {
        let edit = json!({"as": "publisher", "do": "put_feed", "name": name, "text": text});
        assert!(self.try_edit(edit).await);
    }

    async fn connect_feed(&self, link: &str) -> Said {
        self.run(&["connect", "ics-feed", "--url", link]).await
    }

    /// The busy time of feeds that Bookiji has.
    async fn feed_busy(&self) -> Vec<(String, String)> {
        let state = self.state().await;
        let of_feeds = state["busy"].as_array().unwrap().iter().filter(|busy| busy["provider"] == "ics");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        of_feeds.map(|busy| (text(&busy["start"]), text(&busy["end"]))).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_looked_at_linked_read_and_then_asked_once_whether_it_changed() {
    let world = World::signed_in().await;
    let connect = world.connect_feed(&world.link("school.ics")).await;
    assert_eq!(connect.status, 0, "{connect:?}");
    let connection = &connect.document["connection"];
    assert_eq!(connection["service"], "ics");
    assert_eq!(connection["account"], world.sandbox.base_url.trim_start_matches("http://"));
    assert_eq!(connection["calendars"][0]["name"], "École des Érables");
    assert_eq!(connection["calendars"][0]["role"], "busy");
    let feed = &connect.document["feed"];
    assert_eq!((&feed["events"], &feed["read_every_minutes"]), (&json!(4), &json!(5)));
    assert!(!feed["next_busy"].as_array().unwrap().is_empty(), "{feed}");

    let first = world.run(&["sync"]).await;
    assert_eq!(first.status, 0, "{first:?}");
    let source = &first.document["busy"]["sources"][0];
    assert_eq!((&source["outcome"], &source["published"]), (&json!("snapshot"), &json!(true)), "{first:?}");
    assert_eq!(first.document["requests"]["feeds"], 1, "{first:?}");
    let busy = world.feed_busy().await;
    assert_eq!(source["intervals"], busy.len());
    assert!(!busy.is_empty());

    let second = world.run(&["sync"]).await;
    let source = &second.document["busy"]["sources"][0];
    assert_eq!(
        (&source["outcome"], &source["published"]),
        (&json!("unchanged"), &json!(false)),
        "{second:?}"
    );
    let requests = &second.document["requests"];
    assert_eq!((&requests["feeds"], &requests["bookiji"]), (&json!(1), &json!(1)), "no PUT: {second:?}");

    let calendars = world.run(&["calendars"]).await;
    let calendar = &calendars.document["calendars"][0];
    assert_eq!((&calendar["service"], &calendar["writable"]), (&json!("ics"), &json!(false)));
    let target = world.run(&["calendars", "--target", calendar["id"].as_str().unwrap()]).await;
    assert_eq!(target.error["code"], "PERMISSION_DENIED", "{target:?}");
    let status = world.run(&["status"]).await;
    assert_eq!(status.document["state"], "up_to_date", "{status:?}");
    let doctor = world.run(&["doctor"]).await;
    let checks = doctor.document["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == "feed").unwrap();
    assert_eq!(check["ok"], true, "{check}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_publisher_changes_changes_her_busy_time() {
    let world = World::signed_in().await;
    world.publish("kita.ics", &lesson(9, "")).await;
    assert_eq!(world.connect_feed(&world.link("kita.ics")).await.status, 0);
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let before = world.feed_busy().await;
    assert_eq!(before.len(), 1);
    world.publish("kita.ics", &lesson(15, "")).await;
    let changed = world.run(&["sync"]).await;
    assert_eq!(changed.document["busy"]["sources"][0]["published"], true, "{changed:?}");
    let after = world.feed_busy().await;
    assert!(after.len() == 1 && after != before, "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_breaks_keeps_its_last_busy_time_until_it_comes_back() {
    let world = World::signed_in().await;
    let text = lesson(9, "");
    world.publish("kita.ics", &text).await;
    assert_eq!(world.connect_feed(&world.link("kita.ics")).await.status, 0);
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let known = world.feed_busy().await;
    assert_eq!(known.len(), 1);

    let broken = |code: &'static str, state: &'static str| {
        let (world, known) = (&world, &known);
        async move {
            let sync = world.run(&["sync"]).await;
            assert_eq!((sync.status, &sync.error["code"]), (1, &json!(code)), "{sync:?}");
            assert_eq!(world.feed_busy().await, *known, "{code}");
            let status = world.run(&["status"]).await;
            let calendar = &status.document["connections"][0]["calendars"][0];
            assert_eq!(
                (&status.document["state"], &calendar["error"]["code"]),
                (&json!(state), &json!(code))
            );
            // It is tried again soon, whatever its rhythm.
            assert!(calendar["next_sync_at"].as_str() > calendar["last_sync_at"].as_str());
        }
    };
    world.publish("kita.ics", "<html><h1>Please sign in</h1></html>").await;
    broken("INVALID_ICS_FORMAT", "error").await;
    let doctor = world.run(&["doctor"]).await;
    assert_eq!((doctor.status, &doctor.error["code"]), (1, &json!("INVALID_ICS_FORMAT")), "{doctor:?}");
    world.publish("kita.ics", "").await;
    broken("INVALID_ICS_FORMAT", "error").await;
    assert!(world.try_edit(json!({"as": "publisher", "do": "delete_feed", "name": "kita.ics"})).await);
    broken("CALENDAR_API_ERROR", "error").await;
    world.publish("kita.ics", &text).await;
    for (kind, code, state) in [
        ("status:403", "PERMISSION_DENIED", "needs_you"),
        ("status:500", "CALENDAR_API_ERROR", "error"),
        ("rate_limited", "RATE_LIMIT_EXCEEDED", "offline"),
        ("reset", "NETWORK_ERROR", "offline"),
        ("html", "INVALID_ICS_FORMAT", "error"),
    ] {
        world.fault(json!({ "service": "feeds", "kind": kind })).await;
        broken(code, state).await;
        world.heal().await;
    }
    // Half of it: nothing is concluded from the other half.
    world.publish("kita.ics", &text.replace("END:VCALENDAR\r\n", "")).await;
    let half = world.run(&["sync"]).await;
    assert_eq!(half.document["busy"]["sources"][0]["outcome"], "partial", "{half:?}");
    assert_eq!(world.feed_busy().await, known);

    world.publish("kita.ics", &text).await;
    let healed = world.run(&["sync"]).await;
    assert_eq!(healed.status, 0, "{healed:?}");
    assert_eq!(healed.document["busy"]["sources"][0]["published"], false, "nothing was lost: {healed:?}");
    assert_eq!(world.feed_busy().await, known);
    assert_eq!(world.run(&["status"]).await.document["state"], "up_to_date");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_feed_and_one_behind_a_redirect_are_read() {
    let world = World::signed_in().await;
    world.fault(json!({ "service": "feeds", "kind": "slow:300" })).await;
    assert_eq!(world.connect_feed(&world.link("moved/school.ics")).await.status, 0);
    let sync = world.run(&["sync"]).await;
    assert_eq!((sync.status, &sync.document["requests"]["feeds"]), (0, &json!(2)), "{sync:?}");
    let again = world.run(&["sync"]).await;
    assert_eq!(again.document["busy"]["sources"][0]["outcome"], "unchanged", "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_link_is_the_same_connection_however_it_is_typed() {
    let world = World::signed_in().await;
    let link = world.link("school.ics");
    let webcal = link.replace("http://", "webcal://");
    let first = world.run(&["connect", "ics-feed", "--url", &webcal, "--name", "Kita"]).await;
    assert_eq!(first.status, 0, "{first:?}");
    let input = format!("{link}#top\n");
    let second = world.run_with(&["connect", "ics-feed", "--url", "-"], &input).await;
    assert_eq!(second.document["connection"]["id"], first.document["connection"]["id"], "{second:?}");
    let status = world.run(&["status"]).await;
    let connections = status.document["connections"].as_array().unwrap();
    assert_eq!((connections.len(), &connections[0]["calendars"][0]["name"]), (1, &json!("Kita")));
    let third = world.connect_feed(&world.link("moved/school.ics")).await;
    assert_ne!(third.document["connection"]["id"], first.document["connection"]["id"]);

    let host = connections[0]["account"].as_str().unwrap();
    let which = world.run(&["disconnect", host]).await;
    assert_eq!((which.status, &which.error["code"]), (1, &json!("INVALID_INPUT")), "{which:?}");
    assert_eq!(world.run(&["disconnect", "Kita"]).await.status, 0);
    assert_eq!(world.run(&["status"]).await.document["connections"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_not_linked_and_the_cause_is_said() {
    let world = World::start().await;
    let nobody = world.connect_feed(&world.link("school.ics")).await;
    assert_eq!((nobody.status, &nobody.error["code"]), (1, &json!("NOT_SIGNED_IN")), "{nobody:?}");
    assert_eq!(world.login().await.status, 0);
    world.publish("page.ics", "<html>Sign in</html>").await;
    world.publish("half.ics", &lesson(9, "").replace("END:VCALENDAR\r\n", "")).await;
    for (link, code, word) in [
        (world.link("page.ics"), "INVALID_ICS_FORMAT", "web page"),
        (world.link("half.ics"), "CALENDAR_API_ERROR", "breaks off"),
        (world.link("nowhere.ics"), "CALENDAR_API_ERROR", "does not have it"),
        ("http://school.example/a.ics".to_owned(), "INVALID_INPUT", "plain http"),
        ("https://me:pw@school.example/a.ics".to_owned(), "INVALID_INPUT", "password"),
        ("file:///etc/hostname".to_owned(), "INVALID_INPUT", "https://"),
        ("school.ics".to_owned(), "INVALID_INPUT", "https://"),
        ("http://127.0.0.1:1/a.ics".to_owned(), "NETWORK_ERROR", "127.0.0.1:1"),
    ] {
        let refused = world.connect_feed(&link).await;
        assert_eq!((refused.status, &refused.error["code"]), (1, &json!(code)), "{link}: {refused:?}");
        let message = refused.error["message"].as_str().unwrap();
        assert!(message.contains(word) && !message.contains("a.ics"), "{link}: {message}");
        assert!(refused.error["next_step"].is_string());
    }
    assert_eq!(world.run(&["status"]).await.document["connections"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_s_rhythm_is_told_and_kept_and_sync_now_asks_all_the_same() {
    let world = World::signed_in().await;
    world.publish("kita.ics", &lesson(9, "REFRESH-INTERVAL;VALUE=DURATION:PT6H\r\n")).await;
    let connect = world.connect_feed(&world.link("kita.ics")).await;
    assert_eq!(connect.document["feed"]["read_every_minutes"], 360, "{connect:?}");
    for _ in 0..2 {
        let sync = world.run(&["sync"]).await;
        assert_eq!(sync.document["requests"]["feeds"], 1, "{sync:?}");
        let status = world.run(&["status"]).await;
        let calendar = &status.document["connections"][0]["calendars"][0];
        let at = |key: &str| calendar[key].as_str().unwrap().parse::<Timestamp>().unwrap();
        assert_eq!(at("next_sync_at").duration_since(at("last_sync_at")), SignedDuration::from_hours(6));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnecting_the_only_feed_withdraws_its_busy_time() {
    let world = World::signed_in().await;
    let connect = world.connect_feed(&world.link("school.ics")).await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    assert!(!world.feed_busy().await.is_empty());
    let id = connect.document["connection"]["id"].as_str().unwrap();
    assert_eq!(world.run(&["disconnect", id]).await.status, 0);
    assert_eq!(world.feed_busy().await, []);
    let nothing = world.run(&["sync"]).await;
    assert_eq!((nothing.status, &nothing.error["code"]), (1, &json!("NOT_CONNECTED")), "{nothing:?}");
}
