//! Several vendors on one computer: all are kept, the tray says who needs somebody, and the window turns to whoever is
//! wanted.

use fantoccini::Client;
use fantoccini::key::Key;
use serde_json::json;

use crate::page::{invoke, presses, presses_in, sees};
use crate::salon::Salon;
use crate::stage::{Furniture, Stage, until, until_async};

/// Two vendors with everything in place, the second one called Zoe.
async fn both(stage: &Stage) -> (Salon<'_>, Salon<'_>) {
    let first = Salon::connected(stage).await;
    first.types(&["sync"]).await;
    let zoe = Salon::colleague(stage, "zoe").await;
    zoe.types(&["sync"]).await;
    (first, zoe)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tray_says_whose_decision_waits_and_opens_the_window_at_hers() {
    let stage = Stage::set(Furniture::PanelAndKeychain).await;
    let (_first, zoe) = both(&stage).await;
    let page = &stage.open(&[]).await;
    sees(page, "//nav//button[@aria-haspopup='menu']").await;
    let overview = invoke(page, "overview").await["ok"].clone();
    let seats = overview["seats"].as_array().unwrap();
    assert_eq!(seats.len(), 2, "{overview}");
    assert_eq!(seats.iter().filter(|seat| seat["shown"] == true).count(), 1);
    let name = seats[1]["name"].as_str().unwrap();

    let event = zoe.state().await["calendars"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|calendar| calendar["events"].as_array().unwrap().clone())
        .find(|event| event["booking_id"].is_string() && event["status"] != "cancelled")
        .expect("an event of a booking");
    zoe.edit("vendor", "move_event", json!({"event": event["id"], "by_minutes": 45})).await;
    stage.panel.choose("Sync Now").await;
    stage.panel.says(&format!("{name}: Needs you")).await;
    let told = stage.panel.hears(&format!("{name} · A decision waits for you")).await;
    let before = invoke(page, "overview").await["ok"]["decisions"].clone();
    assert_eq!(before, 0, "nothing waits for the first");

    stage.panel.click(&told).await;
    sees(page, "//nav//button[@aria-current][contains(., 'Decisions')]").await;
    until_async("her decision is shown", async || invoke(page, "overview").await["ok"]["decisions"] == 1)
        .await;

    // Back to the first by the keys, as somebody does who sees no pointer.
    let opener = sees(page, "//nav//button[@aria-haspopup='menu']").await;
    opener.click().await.unwrap();
    sees(page, "//*[@role='menuitemradio'][@aria-checked='true']").await;
    let keys = format!("{}{}", char::from(Key::Home), char::from(Key::Enter));
    page.active_element().await.unwrap().send_keys(&keys).await.unwrap();
    until_async("the first is shown", async || {
        invoke(page, "overview").await["ok"]["seats"][0]["shown"] == true
    })
    .await;
    stage.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seat_for_one_more_is_made_and_given_up_where_nobody_signs_in() {
    let stage = Stage::set(Furniture::PanelAndKeychain).await;
    let first = Salon::connected(&stage).await;
    first.types(&["sync"]).await;
    let page = &stage.open(&["bookiji-companion://open/settings"]).await;
    presses(page, "Add…").await;
    sees(page, "//button[starts-with(normalize-space(.), 'Back to')]").await;
    let made = stage.profile().join("vendors/vendor-2");
    until("she has a profile", || made.join("companion.db").exists()).await;
    stage.panel.says("Up to date").await;

    presses(page, "Back to").await;
    sees(page, "//nav").await;
    until("nothing is left of it", || !made.exists()).await;
    let overview = invoke(page, "overview").await["ok"].clone();
    assert_eq!(overview["seats"].as_array().unwrap().len(), 0, "{overview}");
    stage.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_one_who_leaves_is_shown_no_more_and_the_others_stay() {
    let stage = Stage::set(Furniture::PanelAndKeychain).await;
    let (first, zoe) = both(&stage).await;
    let shown = async |page: &Client| {
        let overview = invoke(page, "overview").await["ok"].clone();
        (overview["vendor"]["email"].clone(), overview["seats"].as_array().map(Vec::len))
    };
    let page = &stage.open(&["bookiji-companion://open/settings"]).await;
    sees(page, "//nav//button[@aria-haspopup='menu']").await;
    assert_eq!(shown(page).await, (json!(first.sandbox.email), Some(2)));

    presses(page, "Erase…").await;
    presses_in(page, "*[@aria-labelledby='erase-title']", "Erase now").await;
    until_async("the other is shown", async || shown(page).await == (json!(zoe.sandbox.email), Some(0)))
        .await;
    page.clone().close().await.unwrap();
    until("the app has ended", || !stage.app_runs()).await;

    let page = &stage.open(&[]).await;
    sees(page, "//nav").await;
    assert_eq!(shown(page).await, (json!(zoe.sandbox.email), Some(0)), "nobody is welcomed in her place");
    stage.quit().await;
}
