//! What the app is for, from the first sync on: bookings become events, events block time, and what she moves is asked
//! about.

use fantoccini::Locator;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::page::{presses, presses_in, sees};
use crate::salon::Salon;
use crate::stage::{Furniture, Stage, until_async};

#[tokio::test(flavor = "multi_thread")]
async fn she_sees_the_plan_starts_and_her_week_is_kept_in_step_both_ways() {
    let stage = Stage::set(Furniture::PanelAndKeychain).await;
    let salon = Salon::connected(&stage).await;
    let page = &stage.open(&[]).await;
    let panel = &stage.panel;

    // Preview, then start.
    sees(page, "//button[normalize-space(.)='Start']").await;
    panel.says("Needs you").await;
    assert_eq!(salon.placed().await, Vec::<String>::new(), "nothing is written before she says so");
    presses(page, "Start").await;
    panel.hears("The first sync is done").await;
    panel.says("Up to date · ").await;
    assert!(!salon.placed().await.is_empty(), "her bookings are in her calendar");
    until_async("a week with a booking in it is drawn", async || {
        let drawn = page.find(Locator::Css(".booking button")).await.is_ok();
        // On a Friday night this week's are over.
        if !drawn {
            let _ = page.find(Locator::Css("[aria-label='Next week']")).await.unwrap().click().await;
        }
        drawn
    })
    .await;

    // A booking creates an event.
    let booked = salon.edit("customer", "book", json!({})).await;
    let booking = booked["booking"]["id"].as_str().unwrap().to_owned();
    until_async("the booking has its event", async || salon.placed().await.contains(&booking)).await;

    // A calendar event blocks availability, and the page says why.
    let start = at_three_in_the_night(&salon.state().await, 1);
    let end = start.checked_add(SignedDuration::from_hours(1)).unwrap();
    salon.edit("vendor", "create_event", json!({"summary": "Night train", "start": start, "end": end})).await;
    panel.choose("Sync Now").await;
    salon.is_busy_on_bookiji(&start.to_string()).await;
    let explained = salon.types(&["explain", &start.to_string()]).await;
    assert_eq!(explained["bookable"], false, "{explained}");
    let why = Locator::XPath("//aside//h2[starts-with(normalize-space(.), 'Why is')]");
    until_async("the page says why", async || {
        // The week may be drawn anew under the finger.
        if let Ok(busy) = page.find(Locator::Css(".busy button")).await {
            let _ = busy.click().await;
        }
        page.find(why).await.is_ok()
    })
    .await;

    // A moved event is answered on its card, which the tray leads to.
    let starts =
        async || -> Timestamp { salon.booking(&booking).await["start"].as_str().unwrap().parse().unwrap() };
    let state = salon.state().await;
    let elsewhere = at_three_in_the_night(&state, 2);
    let by_minutes = elsewhere.duration_since(starts().await).as_mins();
    salon
        .edit(
            "vendor",
            "move_event",
            json!({"calendar": bookiji(&state), "booking": booking, "by_minutes": by_minutes}),
        )
        .await;
    panel.choose("Sync Now").await;
    let bubble = panel.hears("A decision waits for you").await;
    panel.says("Needs you").await;
    assert!(
        !bubble.body.contains("Night train"),
        "no title leaves for a screen that may be locked: {bubble:?}"
    );
    panel.click(&bubble).await;
    sees(page, "//h2[starts-with(., 'Did you mean to move')]").await;
    presses(page, "Move").await;
    until_async("the booking was moved too", async || starts().await == elsewhere).await;
    panel.says("Up to date · ").await;

    // Time is blocked from the tray.
    panel.choose("Next 30 minutes").await;
    panel.hears("Time blocked").await;
    salon.is_busy_on_bookiji(&salon_now(&salon.state().await).to_string()).await;
    stage.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tray_pauses_and_resumes_and_says_so() {
    let stage = Stage::set(Furniture::PanelAndKeychain).await;
    let salon = Salon::connected(&stage).await;
    salon.types(&["sync"]).await;
    stage.start_hidden();
    let panel = &stage.panel;
    panel.says("Up to date").await;
    assert!(stage.windows().is_empty(), "it starts in the tray alone");
    let calm = panel.picture().await;

    panel.choose("For 1 hour").await;
    panel.says("Paused · until ").await;
    assert_ne!(panel.picture().await, calm);
    let status = salon.types(&["status"]).await;
    assert_eq!(status["state"], "paused", "{status}");
    let booked = salon.edit("customer", "book", json!({})).await;
    let booking = booked["booking"]["id"].as_str().unwrap().to_owned();

    panel.choose("Resume").await;
    panel.says("Up to date").await;
    until_async("what was booked meanwhile has its event", async || salon.placed().await.contains(&booking))
        .await;
    panel.choose("Open Bookiji Companion").await;
    stage.window_comes_back().await;
    stage.close_window().await;
    panel.choose("Quit").await;
    until_async("the app has ended", async || !stage.app_runs()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn held_deletions_wait_for_her_and_are_restored_on_their_card() {
    let stage = Stage::set(Furniture::PanelAndKeychain).await;
    let salon = Salon::connected(&stage).await;
    salon.types(&["sync"]).await;
    let placed = salon.placed().await;
    let state = salon.state().await;
    let standing = |booking: &&Value| {
        placed.iter().any(|id| booking["id"] == id.as_str()) && booking["status"] != "cancelled"
    };
    let standing: Vec<Value> =
        state["bookings"].as_array().unwrap().iter().filter(standing).cloned().collect();
    assert!(standing.len() > 8, "{}", standing.len());
    for booking in standing.iter().take(8) {
        salon.edit("customer", "cancel", json!({"booking": booking["id"]})).await;
    }
    let page = &stage.open(&[]).await;
    stage.panel.says("Needs you").await;
    assert_eq!(salon.placed().await, placed, "nothing is taken away before she has decided");
    stage
        .panel
        .has("the decisions are counted", |lines| {
            lines.iter().any(|line| line.enabled && line.label.ends_with("waiting"))
        })
        .await;
    let decisions =
        stage.panel.menu().await.into_iter().find(|line| line.label.ends_with("waiting")).unwrap();
    stage.panel.choose(&decisions.label).await;
    let first = "ul[contains(@class, 'single')]/li[1]";
    presses_in(page, first, "Remove the event").await;
    until_async("the one that she let go is gone", async || salon.placed().await.len() == placed.len() - 1)
        .await;
    presses_in(page, first, "Keep it").await;
    sees(page, "//button[starts-with(normalize-space(.), 'Keep all 6')]").await;
    presses(page, "Keep all").await;
    stage.panel.says("Up to date").await;
    let kept = salon.placed().await;
    assert_eq!(kept.len(), placed.len() - 1, "all the others stay");
    assert!(kept.iter().all(|id| placed.contains(id)), "as they were");
    stage.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_folder_takes_calendars_in_and_tells_what_it_refused() {
    let stage = Stage::set(Furniture::PanelAndKeychain).await;
    let salon = Salon::connected(&stage).await;
    salon.types(&["sync"]).await;
    stage.start_hidden();
    stage.panel.says("Up to date").await;
    let inbox = stage.profile().join("inbox");
    until_async("there is a watched folder", async || inbox.is_dir()).await;

    let start = at_three_in_the_night(&salon.state().await, 2);
    let end = start.checked_add(SignedDuration::from_hours(1)).unwrap();
    let slots = open_slots(&salon.state().await);
    std::fs::write(inbox.join("fair.ics"), free_time(start, end)).unwrap();
    until_async("its free time became a slot", async || open_slots(&salon.state().await) > slots).await;
    assert!(stage.panel.heard().is_empty(), "what went well is no news: {:?}", stage.panel.heard());

    std::fs::write(inbox.join("holiday.ics"), "Dear Amélie, here are my holidays.").unwrap();
    let bubble = stage.panel.hears("A calendar file was not taken in").await;
    assert_eq!(bubble.body, "holiday.ics");
    stage.panel.click(&bubble).await;
    stage.window_comes_back().await;
    stage.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_dropped_or_opened_are_shown_first_and_taken_in_on_her_word() {
    let stage = Stage::set(Furniture::PanelAndKeychain).await;
    let salon = Salon::connected(&stage).await;
    salon.types(&["sync"]).await;
    let page = &stage.open(&[]).await;
    sees(page, "//nav").await;
    let start = at_three_in_the_night(&salon.state().await, 3);
    let end = start.checked_add(SignedDuration::from_hours(1)).unwrap();
    let slots = open_slots(&salon.state().await);
    let offers = stage.home().join("offers");
    std::fs::create_dir(&offers).unwrap();
    let file = offers.join("fair.ics");
    std::fs::write(&file, free_time(start, end)).unwrap();

    stage.drag_in(&file).await;
    sees(page, "//main//li[contains(., 'fair.ics')]").await;
    assert_eq!(open_slots(&salon.state().await), slots, "nothing is taken in before she says so");
    presses(page, "Import 1 event").await;
    until_async("its free time became a slot", async || open_slots(&salon.state().await) > slots).await;

    let other = offers.join("other.ics");
    let day = SignedDuration::from_hours(24);
    std::fs::write(&other, free_time(start.checked_add(day).unwrap(), end.checked_add(day).unwrap()))
        .unwrap();
    assert!(stage.second_start(&[other.to_str().unwrap()]).await.success());
    sees(page, "//main//li[contains(., 'other.ics')]").await;
    sees(page, "//main//button[normalize-space(.)='Import 1 event']").await;
    stage.quit().await;
}

fn salon_now(state: &Value) -> Timestamp {
    state["now"].as_str().unwrap().parse().unwrap()
}

/// In her night, so many days from now: nobody has an appointment then.
fn at_three_in_the_night(state: &Value, days: i64) -> Timestamp {
    let zone = jiff::tz::TimeZone::get(state["vendor"]["time_zone"].as_str().unwrap()).unwrap();
    let today = salon_now(state).to_zoned(zone.clone()).date();
    let day = today.checked_add(jiff::Span::new().days(days)).unwrap();
    day.at(3, 0, 0, 0).to_zoned(zone).unwrap().timestamp()
}

/// The calendar that her bookings are put into.
fn bookiji(state: &Value) -> Value {
    let calendars = state["calendars"].as_array().unwrap();
    calendars.iter().find(|calendar| calendar["name"] == "Bookiji").expect("her calendar")["id"].clone()
}

fn open_slots(state: &Value) -> usize {
    state["slots"].as_array().unwrap().iter().filter(|slot| slot["is_available"] == true).count()
}

fn free_time(start: Timestamp, end: Timestamp) -> String {
    let at = |at: Timestamp| at.strftime("%Y%m%dT%H%M%SZ").to_string();
    [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//tests//EN",
        "BEGIN:VEVENT",
        &format!("UID:free-{}", at(start)),
        "DTSTAMP:20260101T000000Z",
        &format!("DTSTART:{}", at(start)),
        &format!("DTEND:{}", at(end)),
        "SUMMARY:Open for walk-ins",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    .join("\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_stick_that_is_pulled_out_is_named_stops_nothing_and_is_read_once_it_is_back() {
    let stage = Stage::set(Furniture::PanelAndKeychain).await;
    let salon = Salon::connected(&stage).await;
    salon.types(&["sync"]).await;
    let room = tempfile::tempdir().unwrap();
    let stick = room.path().join("stick");
    std::fs::create_dir(&stick).unwrap();
    let settings = stage.profile().join("settings.toml");
    let mut lines = std::fs::read_to_string(&settings).unwrap();
    lines.push_str(&format!("\n[import]\nfolders = [{:?}]\n", stick.to_str().unwrap()));
    std::fs::write(&settings, lines).unwrap();
    let page = &stage.open(&[]).await;
    stage.panel.says("Up to date").await;

    std::fs::remove_dir_all(&stick).unwrap();
    stage.panel.says("Needs you").await;
    presses(page, "Import & export").await;
    sees(page, "//*[contains(., 'stick')]/following::*[contains(., 'It is not there, or cannot be read.')]")
        .await;
    let booked = salon.edit("customer", "book", json!({})).await;
    let booked = booked["booking"]["id"].as_str().unwrap().to_owned();
    until_async("bookings go on", async || salon.placed().await.contains(&booked)).await;

    let start = at_three_in_the_night(&salon.state().await, 2);
    let end = start.checked_add(SignedDuration::from_hours(1)).unwrap();
    let slots = open_slots(&salon.state().await);
    std::fs::create_dir(&stick).unwrap();
    std::fs::write(stick.join("fair.ics"), free_time(start, end)).unwrap();
    until_async("its free time became a slot", async || open_slots(&salon.state().await) > slots).await;
    stage.panel.says("Up to date").await;
    stage.quit().await;
}
