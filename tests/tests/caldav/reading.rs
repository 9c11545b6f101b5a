//! Following a calendar: changes, deletions, series, lost places, and many events.

use sync::ids::Cursor;
use sync::ports::Reading;
use tests::servers::hand::event;

use crate::stage::{Follower, Server, Stage, draft, since};

const START: &str = "20261201T100000Z";
const END: &str = "20261201T110000Z";

#[tokio::test]
async fn a_follower_sees_what_came_changed_and_went_and_an_idle_look_is_one_request() {
    for stage in Stage::each().await {
        let (path, calendar) = stage.calendar("hers").await;
        let mut follower = Follower::default();
        assert_eq!(follower.follow(calendar.as_ref()).await, (0, 0));
        for name in ["a", "b", "c d"] {
            let href = format!("{path}{}.ics", name.replace(' ', "%20"));
            stage.hand.put(&href, &event(name, START, END, "")).await;
        }
        assert_eq!(follower.follow(calendar.as_ref()).await, (3, 0));
        assert_eq!(follower.names(), ["a", "b", "c%20d"]);

        let before = stage.http.counters().snapshot()["caldav"];
        let cursor = follower.cursor.clone();
        assert_eq!(follower.follow(calendar.as_ref()).await, (0, 0));
        assert_eq!(stage.http.counters().snapshot()["caldav"] - before, 1);
        assert_eq!(follower.cursor, cursor);

        stage.hand.put(&format!("{path}a.ics"), &event("a", START, "20261201T123000Z", "")).await;
        stage.hand.delete(&format!("{path}b.ics")).await;
        assert_eq!(follower.follow(calendar.as_ref()).await, (1, 1));
        assert_eq!(follower.names(), ["a", "c%20d"]);
        let mut anew = Follower::default();
        anew.follow(calendar.as_ref()).await;
        assert_eq!(anew.events, follower.events, "who begins now knows the same");
    }
}

#[tokio::test]
async fn a_series_and_its_exceptions_come_and_go_together() {
    let exception = |day: &str| {
        format!(
            "BEGIN:VEVENT\r\nUID:s\r\nDTSTAMP:20261101T000000Z\r\nRECURRENCE-ID:202612{day}T100000Z\r\nDTSTART:202612{day}T150000Z\r\n\
             DTEND:202612{day}T160000Z\r\nSUMMARY:Later\r\nEND:VEVENT\r\n"
        )
    };
    let series = |days: &[&str]| {
        let exceptions: String = days.iter().map(|day| exception(day)).collect();
        event("s", START, END, "RRULE:FREQ=WEEKLY;COUNT=5\n")
            .replace("END:VCALENDAR", &format!("{exceptions}END:VCALENDAR"))
    };
    for stage in Stage::each().await {
        let (path, calendar) = stage.calendar("hers").await;
        let file = format!("{path}s.ics");
        stage.hand.put(&file, &series(&["08", "15"])).await;
        let mut follower = Follower::default();
        assert_eq!(follower.follow(calendar.as_ref()).await, (3, 0));
        assert!(follower.events.values().all(|event| event.event.series_key() == "s"));

        stage.hand.put(&file, &series(&["15", "22"])).await;
        assert_eq!(follower.follow(calendar.as_ref()).await, (3, 1), "one exception is one no more");
        let mut anew = Follower::default();
        anew.follow(calendar.as_ref()).await;
        assert_eq!(anew.events, follower.events);
        stage.hand.put(&file, &series(&[])).await;
        assert_eq!(follower.follow(calendar.as_ref()).await, (1, 2));
        stage.hand.put(&file, &series(&["08"])).await;
        follower.follow(calendar.as_ref()).await;
        stage.hand.delete(&file).await;
        assert_eq!(follower.follow(calendar.as_ref()).await, (0, 2), "and its exception with it");
        assert!(follower.events.is_empty());
    }
}

#[tokio::test]
async fn a_place_that_the_server_does_not_know_is_lost_and_leads_to_a_whole_reading() {
    for stage in Stage::each().await {
        let (path, calendar) = stage.calendar("hers").await;
        stage.hand.put(&format!("{path}a.ics"), &event("a", START, END, "")).await;
        let mut follower = Follower::default();
        follower.follow(calendar.as_ref()).await;
        let known = follower.cursor.clone().unwrap();
        let mut place: serde_json::Value = serde_json::from_str(known.as_str()).unwrap();
        let token = place["at"]["token"].as_str().unwrap().to_owned();
        let unknown = match &stage.server {
            Server::Radicale(_) => format!("http://radicale.org/ns/sync/{}", "0".repeat(64)),
            Server::Cyrus(_) => format!("{}-9999999", token.rsplit_once('-').unwrap().0),
        };
        for token in [unknown.as_str(), "nonsense", "data:,<&>\""] {
            place["at"]["token"] = token.into();
            let read = calendar.read(Some(&Cursor(place.to_string())), since()).await;
            assert_eq!(read, Reading::CursorLost, "{token}");
        }
        for nonsense in ["", "a sync token", "{\"reader\":\"0\"}"] {
            assert_eq!(calendar.read(Some(&nonsense.into()), since()).await, Reading::CursorLost);
        }
    }
}

#[tokio::test]
async fn what_is_no_event_is_passed_over_and_what_cannot_be_read_stops_nothing_else() {
    for stage in Stage::each().await {
        let (path, calendar) = stage.calendar("hers").await;
        let todo = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//App//EN\r\nBEGIN:VTODO\r\nUID:t\r\nDTSTAMP:20261101T000000Z\r\nSUMMARY:Buy\r\n\
                    END:VTODO\r\nEND:VCALENDAR\r\n";
        // Whether it takes one depends on the server; neither must trouble the reading.
        stage.hand.send("PUT", &format!("{path}t.ics"), &[("Content-Type", "text/calendar")], todo).await;
        let odd = event("odd", START, END, "X-ODD:\u{1}\u{7}\nX-ATTACH:]]>&<![CDATA[\n");
        stage.hand.send("PUT", &format!("{path}odd.ics"), &[("Content-Type", "text/calendar")], &odd).await;
        stage.hand.put(&format!("{path}a.ics"), &event("a", START, END, "")).await;
        let mut follower = Follower::default();
        follower.follow(calendar.as_ref()).await;
        assert!(follower.names().contains(&"a"));
        assert!(!follower.names().contains(&"t"));
        assert_eq!(follower.follow(calendar.as_ref()).await, (0, 0));
    }
}

#[tokio::test]
async fn an_invitation_she_declined_says_so() {
    for stage in Stage::each().await {
        let (path, calendar) = stage.calendar("hers").await;
        let invited =
            "ORGANIZER:mailto:boss@example.org\nATTENDEE;PARTSTAT=DECLINED:mailto:owner@example.com\n";
        stage.hand.put(&format!("{path}i.ics"), &event("i", START, END, invited)).await;
        let mut follower = Follower::default();
        follower.follow(calendar.as_ref()).await;
        let event = follower.events.values().next().unwrap();
        assert_eq!(event.event.answer, Some(calendar::event::Answer::Declined));
    }
}

#[tokio::test]
async fn a_thousand_events_are_read_in_as_few_requests_as_there_are_heaps() {
    let events: Vec<(String, String)> = (0..1000)
        .map(|n| {
            let day = 1 + n % 28;
            let (start, end) = (format!("202612{day:02}T100000Z"), format!("202612{day:02}T110000Z"));
            (format!("many-{n:04}"), event(&format!("many-{n:04}"), &start, &end, ""))
        })
        .collect();
    for stage in Stage::each().await {
        let (path, calendar) = stage.calendar("many").await;
        match &stage.server {
            // Each file sent makes it read all the others, so they are put where it keeps them.
            Server::Radicale(radicale) => {
                let folder = radicale.kept().join("many");
                for (name, text) in &events {
                    std::fs::write(folder.join(format!("{name}.ics")), text).unwrap();
                }
            }
            Server::Cyrus(_) => {
                for (name, text) in &events {
                    stage.hand.put(&format!("{path}{name}.ics"), text).await;
                }
            }
        }
        let before = stage.http.counters().snapshot()["caldav"];
        let mut follower = Follower::default();
        let began = std::time::Instant::now();
        assert_eq!(follower.follow(calendar.as_ref()).await, (1000, 0));
        let asked = stage.http.counters().snapshot()["caldav"] - before;
        println!("{}: {asked} requests, {:?}", stage.server.home(), began.elapsed());
        assert_eq!(asked, 1 + 1000 / 50, "one list and twenty heaps of fifty");
        let cursor = follower.cursor.clone().unwrap();
        assert!(
            cursor.as_str().len() < 1000,
            "what is usual needs no remembering: {}",
            cursor.as_str().len()
        );

        calendar.create(&draft("booking-1", 10, &path)).await.unwrap();
        assert_eq!(follower.follow(calendar.as_ref()).await, (1, 0));
    }
}
