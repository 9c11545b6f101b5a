//! Finding the account, its calendars, and the one that is ours.

use connectors::caldav::{FindError, NoNames};
use sync::error::ServiceError;
use sync::ports::{Account, CalendarEntry};
use tests::servers::hand::event;

use crate::stage::{Stage, opened, sign_in, vendor};

fn called<'a>(listed: &'a [CalendarEntry], name: &str) -> &'a CalendarEntry {
    listed.iter().find(|entry| entry.name == name).unwrap_or_else(|| panic!("{name}: {listed:?}"))
}

#[tokio::test]
async fn whatever_address_of_the_server_is_typed_the_same_calendars_are_found() {
    for stage in Stage::each().await {
        let (path, _) = stage.calendar("hers").await;
        let origin = stage.server.url().trim_end_matches('/').to_owned();
        let home = stage.server.home();
        for typed in ["", "/", "/.well-known/caldav", home.as_str(), path.as_str(), "/no/such/place"] {
            let account = opened(&stage.http, &format!("{origin}{typed}")).await;
            let listed =
                account.unwrap_or_else(|error| panic!("{typed}: {error}")).calendars().await.unwrap();
            let hers = called(&listed, "hers");
            assert_eq!(hers.remote.as_str(), path, "{typed}");
            assert!(hers.writable && !hers.ours);
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_said_at_once_and_asked_with_no_second_time() {
    for stage in Stage::each().await {
        let before = stage.http.counters().snapshot()["caldav"];
        let refused =
            connectors::caldav::find(&stage.http, &NoNames, &sign_in(stage.server.url(), "wrong")).await;
        assert!(matches!(refused, Err(FindError::WrongPassword)), "nothing has expired: {refused:?}");
        assert_eq!(stage.http.counters().snapshot()["caldav"] - before, 1);
    }
}

#[tokio::test]
async fn the_calendar_made_for_a_vendor_is_known_again_by_her_and_by_nobody_else_and_can_be_deleted() {
    for stage in Stage::each().await {
        let made =
            stage.account.create_calendar("Bookiji & <sons>", "Europe/Paris", &vendor()).await.unwrap();
        assert!(made.ours && made.writable, "{made:?}");
        assert_eq!(made.name, "Bookiji & <sons>");
        let (_, _) = stage.calendar("hers").await;
        let listed = stage.account.calendars().await.unwrap();
        assert_eq!(called(&listed, "Bookiji & <sons>"), &made);
        assert!(!called(&listed, "hers").ours);

        let another = stage.account.clone().for_vendor(&"vendor-2".into(), "x@example.com");
        assert!(another.calendars().await.unwrap().iter().all(|entry| !entry.ours));
        let second = stage.account.create_calendar("Bookiji", "Europe/Paris", &vendor()).await.unwrap();
        assert_ne!(
            second.remote, made.remote,
            "a calendar that was deleted does not come back under its name"
        );

        stage.account.delete_calendar(&made.remote).await.unwrap();
        assert!(stage.account.calendars().await.unwrap().iter().all(|entry| entry.remote != made.remote));
        let gone = stage.account.delete_calendar(&made.remote).await;
        assert!(matches!(gone, Err(ServiceError::Gone { .. })), "{gone:?}");
    }
}

#[tokio::test]
async fn what_holds_no_events_is_no_calendar_of_hers() {
    for stage in Stage::each().await {
        let body = "<C:mkcalendar xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><D:set><D:prop><D:displayname>todo</D:displayname>\
                    <C:supported-calendar-component-set><C:comp name=\"VTODO\"/></C:supported-calendar-component-set></D:prop></D:set></C:mkcalendar>";
        let path = format!("{}todo/", stage.server.home());
        let told = stage.hand.send("MKCALENDAR", &path, &[("Content-Type", "application/xml")], body).await;
        assert_eq!(told.status, 201, "{told:?}");
        let (hers, _) = stage.calendar("hers").await;
        stage
            .hand
            .put(&format!("{hers}x.ics"), &event("x", "20261201T100000Z", "20261201T110000Z", ""))
            .await;
        let listed = stage.account.calendars().await.unwrap();
        assert!(listed.iter().all(|entry| entry.name != "todo"), "{listed:?}");
        assert!(
            listed.iter().all(|entry| !entry.name.eq_ignore_ascii_case("inbox")
                && !entry.name.eq_ignore_ascii_case("outbox")),
            "{listed:?}"
        );
    }
}
