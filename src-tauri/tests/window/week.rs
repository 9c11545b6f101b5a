//! Her week as she uses it: a time that she blocks by hand, and one that is explained and opened just this once.

use fantoccini::{Client, Locator};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::page::{fills, presses, presses_in, sees};
use crate::salon::Salon;
use crate::stage::{Furniture, Stage, until_async};

#[tokio::test(flavor = "multi_thread")]
async fn a_time_is_blocked_in_the_week_and_taken_back_where_it_was_said() {
    let stage = Stage::set(Furniture::PanelAndKeychain).await;
    let salon = Salon::connected(&stage).await;
    salon.types(&["sync"]).await;
    let page = &stage.open(&[]).await;
    sees(page, "//nav").await;
    let zone = zone(&salon.state().await);
    let day = now(&salon.state().await).to_zoned(zone.clone()).date();
    let day = day.checked_add(jiff::Span::new().days(2)).unwrap();
    let start = day.at(3, 0, 0, 0).to_zoned(zone).unwrap().timestamp();

    page.find(Locator::Css("main")).await.unwrap();
    page.active_element().await.unwrap().send_keys("b").await.unwrap();
    sees(page, "//aside//h2[.='Block Time']").await;
    let fill = async |field: &str, value: &str| {
        fills(page, &format!("aside [aria-label='{field}']"), value).await;
    };
    fill("First day", &day.to_string()).await;
    fill("From what time", "03:00").await;
    fill("Last day", &day.to_string()).await;
    fill("Until what time", "02:00").await;
    presses_in(page, "aside", "Block Time").await;
    sees(page, "//aside//*[@role='status'][contains(., 'It must end after it begins')]").await;
    assert!(!busy(&salon.state().await, start), "and nothing was done");

    fill("Until what time", "04:00").await;
    presses_in(page, "aside", "Block Time").await;
    sees(page, "//aside//*[@role='status'][contains(., 'Bookiji knows of it')]").await;
    assert!(busy(&salon.state().await, start));

    presses_in(page, "aside", "Take this block back").await;
    sees(page, "//aside//*[@role='status'][contains(., 'Taken back')]").await;
    assert!(!busy(&salon.state().await, start), "it can be booked again");
    stage.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_time_is_explained_opened_just_this_once_and_blocked_again() {
    let stage = Stage::set(Furniture::PanelAndKeychain).await;
    let salon = Salon::connected(&stage).await;
    salon.types(&["sync"]).await;
    let slot = free_slot(&salon.state().await);
    let id = slot["id"].as_str().unwrap().to_owned();
    let (start, end) = (at(&slot["start"]), at(&slot["end"]));
    salon
        .edit("vendor", "create_event", json!({"summary": "Maybe a fair", "start": start, "end": end}))
        .await;
    let page = &stage.open(&[]).await;
    turns_to(page, start, &zone(&salon.state().await)).await;
    until_async("her event closes the slot", async || !open(&salon.state().await, &id)).await;

    let event = "//main//button[contains(@aria-label, 'Maybe a fair')]";
    sees(page, event).await;
    // A click lands where the event is shown, and the page may just be drawing it anew.
    until_async("the page says why", async || {
        let there = page.find(Locator::XPath(event)).await;
        let clicked = match there {
            Ok(event) => event.send_keys("\u{e007}").await.is_ok(),
            Err(_) => false,
        };
        clicked && page.find(Locator::Css("aside #detail-heading")).await.is_ok()
    })
    .await;
    let said = page.find(Locator::Css("aside")).await.unwrap().text().await.unwrap();
    for part in [
        "not bookable?",
        "You are busy in Google",
        "Maybe a fair",
        "Busy events close slots",
        "Bookiji knows",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    presses_in(page, "aside", "Open ").await;
    until_async("the slot is open", async || open(&salon.state().await, &id)).await;
    sees(page, "//aside//h2[contains(., 'is open just this once')]").await;
    salon.types(&["sync"]).await;
    assert!(open(&salon.state().await, &id), "the next sync leaves it open");

    presses_in(page, "aside", "Block it again").await;
    until_async("the slot is closed", async || !open(&salon.state().await, &id)).await;
    sees(page, "//aside//h2[starts-with(normalize-space(.), 'Why is')]").await;
    stage.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_takes_long_is_stopped_where_it_was_begun_and_the_next_one_does_what_was_left() {
    let stage = Stage::set(Furniture::PanelAndKeychain).await;
    let salon = Salon::connected(&stage).await;
    salon.types(&["sync"]).await;
    let slot = free_slot(&salon.state().await);
    let id = slot["id"].as_str().unwrap().to_owned();
    let page = &stage.open(&[]).await;
    let free_to_sync = "//button[normalize-space(.) = 'Sync Now'][not(@aria-disabled='true')]";
    sees(page, free_to_sync).await;
    salon.fault(json!({"service": "google", "kind": "slow:100000"})).await;
    let event = json!({"summary": "Maybe a fair", "start": slot["start"], "end": slot["end"]});
    salon.edit("vendor", "create_event", event).await;
    // It may just have begun by itself.
    until_async("the sync can be stopped", async || {
        if let Ok(button) = page.find(Locator::XPath(free_to_sync)).await {
            let _ = button.click().await;
        }
        page.find(Locator::XPath("//button[normalize-space(.) = 'Stop']")).await.is_ok()
    })
    .await;
    presses(page, "Stop").await;
    sees(page, free_to_sync).await;
    assert!(open(&salon.state().await, &id), "it was stopped before it knew of the event");

    salon.heal().await;
    presses(page, "Sync Now").await;
    until_async("her event closes the slot", async || !open(&salon.state().await, &id)).await;
    stage.quit().await;
}

/// Turns the week to the one in which `at` lies.
async fn turns_to(page: &Client, at: Timestamp, zone: &TimeZone) {
    sees(page, "//main//ul[@aria-label]").await;
    let day = at.to_zoned(zone.clone()).date();
    let head = format!(
        "//main//ul[contains(@aria-label, '{}') and contains(@aria-label, '{}')]",
        day.strftime("%B"),
        day.strftime("%-d"),
    );
    for _ in 0..3 {
        if page.find(Locator::XPath(&head)).await.is_ok() {
            return;
        }
        page.find(Locator::Css("[aria-label='Next week']")).await.unwrap().click().await.unwrap();
    }
    sees(page, &head).await;
}

fn at(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

fn now(state: &Value) -> Timestamp {
    at(&state["now"])
}

fn zone(state: &Value) -> TimeZone {
    TimeZone::get(state["vendor"]["time_zone"].as_str().unwrap()).unwrap()
}

fn spans(list: &Value) -> Vec<(Timestamp, Timestamp)> {
    list.as_array().unwrap().iter().map(|one| (at(&one["start"]), at(&one["end"]))).collect()
}

/// What Bookiji was told of this moment.
fn busy(state: &Value, moment: Timestamp) -> bool {
    spans(&state["busy"]).iter().any(|(start, end)| *start <= moment && moment < *end)
}

fn open(state: &Value, id: &str) -> bool {
    state["slots"].as_array().unwrap().iter().any(|slot| slot["id"] == id && slot["is_available"] == true)
}

/// A slot that is open, and that no booking or busy time touches within the half-hour around it.
fn free_slot(state: &Value) -> Value {
    let around = SignedDuration::from_mins(30);
    let mut taken = spans(&state["bookings"]);
    taken.extend(spans(&state["busy"]));
    let mut free = state["slots"].as_array().unwrap().clone();
    free.retain(|slot| {
        let (start, end) = (at(&slot["start"]), at(&slot["end"]));
        slot["is_available"] == true
            && start > now(state) + SignedDuration::from_hours(2)
            && !taken.iter().any(|(from, to)| *from < end + around && start < *to + around)
    });
    free.sort_by_key(|slot| at(&slot["start"]));
    free.swap_remove(0)
}
