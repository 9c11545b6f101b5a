//! Events written, changed and deleted, and what her apps do to them in between.

use calendar::event::When;
use sync::booking::Draft;
use sync::decide::{fingerprint, fingerprint_of_draft, says};
use sync::error::ServiceError;
use sync::ids::ETag;
use sync::ports::{Marker, Probe};
use tests::servers::hand::event;

use crate::stage::{Follower, Stage, at, draft};

#[tokio::test]
async fn a_booking_s_event_is_stored_as_meant_and_what_was_echoed_is_what_is_read() {
    for stage in Stage::each().await {
        let (path, calendar) = stage.calendar("ours").await;
        let draft = draft("booking-1", 10, &path);
        let stored = calendar.create(&draft).await.unwrap();
        assert_eq!(stored.id, draft.id);
        assert!(says(&stored, &draft), "{stored:?}");
        assert_eq!(fingerprint(&stored), fingerprint_of_draft(&draft));
        assert_eq!(stored.marker, Some(Marker { booking: "booking-1".into(), generation: 0 }));
        assert_eq!(stored.event.uid, draft.uid);

        let mut follower = Follower::default();
        follower.follow(calendar.as_ref()).await;
        assert_eq!(follower.events[&draft.id], stored, "nothing to write, nothing to ask");
        assert_eq!(calendar.probe(&draft.id).await, Ok(Probe::Live(stored.clone())));
        let kept = stage.hand.get(&format!("{path}{}.ics", draft.id)).await;
        let tag = kept.etag.as_deref().map(|tag| tag.trim_start_matches("W/"));
        assert_eq!(tag, Some(stored.etag.as_str()), "weak or not");
        for absent in ["ATTENDEE", "ORGANIZER", "METHOD"] {
            assert!(!kept.body.contains(absent), "{}", kept.body);
        }
    }
}

#[tokio::test]
async fn the_same_create_again_makes_no_second_event() {
    for stage in Stage::each().await {
        let (path, calendar) = stage.calendar("ours").await;
        let draft = draft("booking-1", 10, &path);
        calendar.create(&draft).await.unwrap();
        let again = calendar.create(&Draft { title: "Other".into(), ..draft.clone() }).await;
        assert!(matches!(again, Err(ServiceError::Exists { .. })), "{again:?}");
        let mut follower = Follower::default();
        assert_eq!(follower.follow(calendar.as_ref()).await, (1, 0));
        assert!(says(&follower.events[&draft.id], &draft));
    }
}

#[tokio::test]
async fn a_change_keeps_what_she_added_and_a_stale_one_changes_nothing() {
    for stage in Stage::each().await {
        let (path, calendar) = stage.calendar("ours").await;
        let first = draft("booking-1", 10, &path);
        let stored = calendar.create(&first).await.unwrap();
        let file = format!("{path}{}.ics", first.id);
        let hers = stage.hand.get(&file).await.body.replace(
            "END:VEVENT",
            "LOCATION:Back room\r\nCOLOR:tomato\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT30M\r\nDESCRIPTION:Soon\r\nEND:VALARM\r\nEND:VEVENT",
        );
        stage.hand.put(&file, &hers).await;

        let moved =
            Draft { start: at("2026-12-02T09:00:00Z"), end: at("2026-12-02T10:00:00Z"), ..first.clone() };
        let stale = calendar.update(&first.id, &stored.etag, &moved).await;
        assert!(matches!(stale, Err(ServiceError::Stale { .. })), "{stale:?}");
        let Ok(Probe::Live(now)) = calendar.probe(&first.id).await else { panic!("it stands") };
        assert_eq!(now.event.location, "Back room");
        let changed = calendar.update(&first.id, &now.etag, &moved).await.unwrap();
        assert!(says(&changed, &moved), "{changed:?}");
        assert_eq!(changed.marker, stored.marker);
        assert_ne!(changed.etag, now.etag);
        let kept = stage.hand.get(&file).await.body;
        for hers in ["LOCATION:Back room", "COLOR:tomato", "TRIGGER:-PT30M", "DESCRIPTION:Soon"] {
            assert!(kept.contains(hers), "{hers}: {kept}");
        }

        for nothing in ["", "\"another\"", "W/\"another\""] {
            let blind = calendar.delete(&first.id, &ETag(nothing.into())).await;
            assert!(matches!(blind, Err(ServiceError::Stale { .. })), "{nothing}: {blind:?}");
        }
        calendar.delete(&first.id, &changed.etag).await.unwrap();
        assert_eq!(calendar.probe(&first.id).await, Ok(Probe::Absent));
        let again = calendar.delete(&first.id, &changed.etag).await;
        assert!(matches!(again, Err(ServiceError::Gone { .. } | ServiceError::Stale { .. })), "{again:?}");
        let gone = calendar.update(&first.id, &changed.etag, &moved).await;
        assert!(matches!(gone, Err(ServiceError::Gone { .. })), "{gone:?}");
        assert!(calendar.create(&first).await.is_ok(), "a name that was deleted can be used again");
    }
}

#[tokio::test]
async fn an_event_she_moved_into_her_zone_or_made_a_day_s_is_written_back_to_its_booking_s_time() {
    for stage in Stage::each().await {
        let (path, calendar) = stage.calendar("ours").await;
        let draft = draft("booking-1", 10, &path);
        let stored = calendar.create(&draft).await.unwrap();
        let file = format!("{path}{}.ics", draft.id);
        let uid = &draft.uid.0;
        let in_paris = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//App//EN\r\nBEGIN:VTIMEZONE\r\nTZID:Europe/Paris\r\nBEGIN:STANDARD\r\n\
             DTSTART:19701025T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\n\
             UID:UID\r\nDTSTAMP:20261101T000000Z\r\nDTSTART;TZID=Europe/Paris:20261203T090000\r\nDURATION:PT1H\r\nSUMMARY:Moved\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        let all_day = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//App//EN\r\nBEGIN:VEVENT\r\nUID:UID\r\nDTSTAMP:20261101T000000Z\r\n\
             DTSTART;VALUE=DATE:20261203\r\nDTEND;VALUE=DATE:20261204\r\nSUMMARY:Moved\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        for hers in [in_paris, all_day] {
            stage.hand.put(&file, &hers.replace("UID:UID", &format!("UID:{uid}"))).await;
            let Ok(Probe::Live(now)) = calendar.probe(&draft.id).await else { panic!("it stands") };
            assert!(!matches!(now.event.start, When::Utc(_)) && now.marker.is_none(), "{now:?}");
            let back = calendar.update(&draft.id, &now.etag, &draft).await.unwrap();
            assert!(says(&back, &draft), "{back:?}");
            assert_eq!(back.marker, stored.marker);
        }
    }
}

#[tokio::test]
async fn an_identity_that_another_file_has_is_stepped_aside_from() {
    for stage in Stage::each().await {
        let (path, calendar) = stage.calendar("ours").await;
        let draft = draft("booking-1", 10, &path);
        let copy = event(&draft.uid.0, "20261205T100000Z", "20261205T110000Z", "");
        stage.hand.put(&format!("{path}a-copy.ics"), &copy).await;
        let stored = calendar.create(&draft).await.unwrap();
        assert!(says(&stored, &draft));
        assert_ne!(stored.event.uid, draft.uid);
        assert!(stored.event.uid.0.starts_with("bookiji-") && stored.event.uid.0.ends_with("@bookiji.app"));
        let mut follower = Follower::default();
        assert_eq!(follower.follow(calendar.as_ref()).await, (2, 0));
    }
}

#[tokio::test]
async fn a_calendar_that_is_gone_says_so_to_every_request() {
    for stage in Stage::each().await {
        let (path, calendar) = stage.calendar("ours").await;
        let draft = draft("booking-1", 10, &path);
        let stored = calendar.create(&draft).await.unwrap();
        let mut follower = Follower::default();
        follower.follow(calendar.as_ref()).await;
        stage.hand.delete(&path).await;
        for cursor in [None, follower.cursor.as_ref()] {
            let read = calendar.read(cursor, crate::stage::since()).await;
            assert!(matches!(read, sync::ports::Reading::Failed(ServiceError::Gone { .. })), "{read:?}");
        }
        let is_gone = |error: &ServiceError| matches!(error, ServiceError::Gone { .. });
        assert!(calendar.update(&draft.id, &stored.etag, &draft).await.is_err_and(|e| is_gone(&e)));
        // Cyrus says no more than that it is forbidden there.
        let created = calendar.create(&draft).await;
        assert!(created.is_err(), "{created:?}");
    }
}
