//! The first four minutes: from a window that knows nobody to the first sync, by what the window itself offers.

use std::time::Duration;

use tokio::time::Instant;

use crate::page::{fills, presses, sees};
use crate::salon::Salon;
use crate::stage::{Furniture, PATIENCE, Stage, until_async};

/// What she is promised.
const FOUR_MINUTES: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn from_welcome_to_the_first_sync_it_takes_less_than_four_minutes_and_nothing_but_the_window() {
    let stage = Stage::set(Furniture::PanelAndKeychain).await;
    let salon = Salon::begin(&stage).await;
    let page = &stage.open(&[]).await;
    let begun = Instant::now();

    fills(page, "#email", &salon.sandbox.email).await;
    fills(page, "#password", "not hers").await;
    presses(page, "Sign in to Bookiji").await;
    sees(page, "//*[contains(., 'does not accept this e-mail address')]").await;
    fills(page, "#password", &salon.sandbox.password).await;
    presses(page, "Sign in to Bookiji").await;

    sees(page, "//h1[.='Which calendar do you use?']").await;
    presses(page, "Google Calendar").await;
    presses(page, "Open my browser").await;
    salon.answers_in_her_browser().await;
    sees(page, "//h1[.='It is connected']").await;
    presses(page, "Choose what they do").await;
    sees(page, "//h1[.='What your calendars do']").await;
    presses(page, "Show what would happen").await;
    sees(page, "//button[normalize-space(.)='Start']").await;
    assert!(salon.placed().await.is_empty(), "nothing is written before she says so");

    presses(page, "Start").await;
    until_async("her bookings are in her calendar", async || !salon.placed().await.is_empty()).await;
    stage.panel.hears("The first sync is done").await;
    let took = begun.elapsed();

    assert!(took < FOUR_MINUTES.min(PATIENCE * 4), "{took:?}");
    stage.quit().await;
}
