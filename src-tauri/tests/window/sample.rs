//! The window on sample data, which leaves nothing behind.

use fantoccini::Locator;

use crate::page::invoke;
use crate::stage::{Furniture, PATIENCE, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_window_on_sample_data_shows_the_week_syncs_and_leaves_nothing_behind() {
    let stage = Stage::set(Furniture::PanelAndKeychain).await;
    let page = &stage.open(&["--sandbox"]).await;
    let wait = || page.wait().at_most(PATIENCE);

    wait().for_element(Locator::Css(".booking button")).await.expect("her bookings are drawn");
    wait().for_element(Locator::Css(".busy button")).await.expect("her busy time is drawn");
    let strip = page.find(Locator::Css(".strip")).await.unwrap().text().await.unwrap();
    assert!(strip.contains("Sample data"), "{strip}");

    let runs = || async { invoke(page, "overview").await["ok"]["runs"].as_array().map_or(0, Vec::len) };
    let before = runs().await;
    page.find(Locator::XPath("//button[contains(., 'Sync Now')]")).await.unwrap().click().await.unwrap();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while runs().await <= before {
        assert!(tokio::time::Instant::now() < deadline, "Sync Now made no run");
        tokio::task::yield_now().await;
    }
    page.find(Locator::XPath("//nav//button[contains(., 'Calendar Sync')]"))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
    wait()
        .for_element(Locator::XPath("//h1[contains(., 'Everything is up to date')]"))
        .await
        .expect("the answer is on top");
    wait()
        .for_element(Locator::XPath("//aside//li[contains(., 'Nothing to change')]"))
        .await
        .expect("the second run");

    let refused = invoke(page, "plugin:app|version").await;
    assert!(refused["err"].as_str().is_some_and(|why| why.contains("not allowed")), "{refused}");

    assert!(stage.erasable().count() > 0, "the sample has a folder");
    stage.close_window().await;
    assert!(stage.app_runs(), "closing the window keeps the tray");

    assert!(stage.second_start(&[]).await.success(), "a second start hands over and ends");
    stage.window_comes_back().await;

    stage.quit().await;
    assert_eq!(stage.erasable().collect::<Vec<_>>(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_without_an_account_offers_sample_data_and_takes_it_away_again() {
    let stage = Stage::set(Furniture::PanelAndKeychain).await;
    let page = &stage.open(&[]).await;
    let wait = || page.wait().at_most(PATIENCE);

    let explore = Locator::XPath("//button[contains(., 'Explore with sample data')]");
    wait().for_element(explore).await.expect("there is a way in").click().await.unwrap();
    wait().for_element(Locator::Css(".booking button")).await.expect("her bookings are drawn");
    page.find(Locator::XPath("//button[contains(., 'Leave and erase')]"))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
    wait().for_element(explore).await.expect("back where it began");
    assert_eq!(stage.erasable().count(), 0);
    stage.quit().await;
}
