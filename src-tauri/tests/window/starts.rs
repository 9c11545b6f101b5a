//! How the app is started: once, by a file, by a link, in the tray, and where there is no tray.

use crate::page::{invoke, presses, sees};
use crate::salon::Salon;
use crate::stage::{Furniture, Stage, until, until_async};

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_hands_its_link_over_and_a_link_only_opens_a_place() {
    let stage = Stage::set(Furniture::PanelAndKeychain).await;
    let salon = Salon::connected(&stage).await;
    salon.types(&["sync"]).await;
    let page = &stage.open(&[]).await;
    sees(page, "//nav").await;

    assert!(stage.second_start(&["bookiji-companion://open/sync"]).await.success());
    sees(page, "//nav//button[@aria-current][contains(., 'Calendar Sync')]").await;
    let runs = invoke(page, "overview").await["ok"]["runs"].as_array().unwrap().len();
    for nowhere in
        ["bookiji-companion://open/settings?forget=yes", "bookiji-companion://forget", "https://example.com"]
    {
        assert!(stage.second_start(&[nowhere]).await.success());
    }
    sees(page, "//nav//button[@aria-current][contains(., 'Calendar Sync')]").await;
    let overview = invoke(page, "overview").await["ok"].clone();
    assert_eq!(overview["runs"].as_array().unwrap().len(), runs, "and nothing was done");

    stage.close_window().await;
    assert!(stage.second_start(&[]).await.success());
    stage.window_comes_back().await;
    stage.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_at_login_in_the_tray_alone_once_she_wants_that() {
    let stage = Stage::set(Furniture::PanelAndKeychain).await;
    let page = &stage.open(&[]).await;
    sees(page, "//button[contains(., 'Explore with sample data')]").await;
    assert_eq!(invoke(page, "starts_at_login").await["ok"], false);
    let set = |on: bool| async move {
        let script = "const done = arguments[1];
            window.__TAURI_INTERNALS__.invoke('set_start_at_login', {on: arguments[0]}).then(ok => done({ok}), err => done({err}))";
        page.execute_async(script, vec![serde_json::json!(on)]).await.unwrap()
    };
    assert!(set(true).await.get("err").is_none());
    assert_eq!(invoke(page, "starts_at_login").await["ok"], true);
    let entries = std::fs::read_dir(stage.home().join(".config/autostart")).unwrap();
    let entry = entries.map(|entry| entry.unwrap().path()).next().expect("an entry");
    let text = std::fs::read_to_string(entry).unwrap();
    assert!(text.contains("--hidden"), "{text}");
    assert!(set(false).await.get("err").is_none());
    assert_eq!(invoke(page, "starts_at_login").await["ok"], false);
    stage.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_tray_is_shown_the_window_stays_in_the_task_bar() {
    let stage = Stage::set(Furniture::Bare).await;
    let page = &stage.open(&[]).await;
    sees(page, "//button[contains(., 'Explore with sample data')]").await;
    // Until then a panel may still be starting.
    let told = stage.profile().join(".told-no-tray");
    until_async("closing puts it into the task bar", async || {
        if stage.windows().is_empty() {
            stage.second_start(&[]).await;
        }
        let window = stage.windows().pop().unwrap_or_default();
        stage.tool("xdotool", &["windowactivate", "--sync", &window, "key", "alt+F4"]);
        told.exists()
    })
    .await;
    until("it is out of the way", || stage.windows().is_empty()).await;
    let all = stage.tool("xdotool", &["search", "--name", "^Bookiji Companion$"]);
    assert!(!all.trim().is_empty(), "and still there");
    assert!(stage.second_start(&[]).await.success());
    stage.window_comes_back().await;
    let window = stage.windows().pop().expect("a window");
    until("a key ends it", || {
        stage.tool("xdotool", &["windowactivate", "--sync", &window, "key", "ctrl+q"]);
        !stage.app_runs()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_tray_is_shown_that_is_said_once_and_the_window_offers_to_quit() {
    let stage = Stage::set(Furniture::Bare).await;
    let page = &stage.open(&["--sandbox"]).await;
    sees(page, "//*[@role='status'][contains(., 'This desktop shows no tray icons')]").await;
    presses(page, "All right").await;
    until("it is kept that she knows", || stage.profile().join(".told-no-tray").exists()).await;
    assert_eq!(invoke(page, "tray").await["ok"], serde_json::json!({"shown": false, "is_news": false}));
    presses(page, "Settings").await;
    sees(page, "//p[contains(., 'This desktop has no tray')]").await;
    presses(page, "Quit").await;
    until("the app has ended", || !stage.app_runs()).await;
}
