//! A Nextcloud, signed in to from the running app through the browser, with no password typed.

use std::path::Path;
use std::time::Duration;

use companion::connecting::{Connecting, Provider};
use companion::controller::{Controller, Handle, Options};
use companion::profile::Profile;
use companion::view::{SignInTo, SignInView};
use sync::error::Code;
use tests::servers::{Nextcloud, or_say};
use url::Url;

use crate::stage::signed_in;

const PATIENCE: Duration = Duration::from_secs(60);

fn profile(folder: &Path) -> Profile {
    Profile::at(Some(folder)).unwrap()
}

async fn running(folder: &Path) -> (sandbox::Running, Handle) {
    let (sandbox, wiring) = signed_in(folder).await;
    (sandbox, Controller::start(wiring, Options { preview: true, ..Options::default() }))
}

async fn ended(connecting: &Connecting) -> SignInView {
    let mut views = connecting.views();
    let ended = views.wait_for(|view| !matches!(view, SignInView::Waiting { .. }));
    tokio::time::timeout(PATIENCE, ended).await.expect("it ends").unwrap().clone()
}

fn visits(page: &Url) -> bool {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    tokio::spawn(client.get(page.clone()).send());
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nextcloud_is_signed_in_to_from_the_running_app_through_the_browser() {
    let Some(nextcloud) = or_say(Nextcloud::start().await) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (_sandbox, app) = running(folder.path()).await;
    let to = SignInTo::Nextcloud;
    let provider = || Provider::Nextcloud(nextcloud.url.clone());

    // Nobody opens the page: it waits, no pasted address ends it, and it can be given up or run out.
    let connecting = Connecting::with_browser(profile(folder.path()), |_| true);
    connecting.begin(provider(), app.errands()).await;
    let SignInView::Waiting { address, .. } = connecting.view() else { panic!("{:?}", connecting.view()) };
    assert_eq!(address, format!("{}/login/v2/flow/x", nextcloud.url));
    assert_eq!(connecting.paste(&address).unwrap_err().code, Code::InvalidInput);
    connecting.cancel();
    assert_eq!(connecting.view(), SignInView::Idle);
    let slow = Connecting::with_browser(profile(folder.path()), |_| true);
    let slow = slow.waiting_at_most(Duration::from_millis(50));
    slow.begin(provider(), app.errands()).await;
    assert_eq!(ended(&slow).await, SignInView::TimedOut { to });
    assert!(app.overview().borrow().connections.is_empty());

    let connecting = Connecting::with_browser(profile(folder.path()), visits);
    connecting.begin(provider(), app.errands()).await;
    assert_eq!(ended(&connecting).await, SignInView::Done { to, missing: Vec::new() });
    let mut overview = app.overview();
    let linked = overview.wait_for(|shown| !shown.connections.is_empty());
    let shown = tokio::time::timeout(PATIENCE, linked).await.expect("it is told").unwrap().clone();
    assert_eq!(shown.connections.len(), 1);
    assert!(
        shown.connections[0].account.starts_with("owner (127.0.0.1"),
        "{:?}",
        shown.connections[0].account
    );
    app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_nextcloud_or_no_address_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, app) = running(folder.path()).await;
    let to = SignInTo::Nextcloud;
    let refused = |code| SignInView::Refused { to, code, missing: Vec::new(), administrator: None };
    let unreachable = "http://127.0.0.1:1/".to_owned();
    for (server, code) in [
        (sandbox.base_url.clone(), Code::InvalidInput),
        ("what is this".to_owned(), Code::InvalidInput),
        (unreachable, Code::NetworkError),
    ] {
        let connecting = Connecting::with_browser(profile(folder.path()), visits);
        connecting.begin(Provider::Nextcloud(server.clone()), app.errands()).await;
        assert_eq!(ended(&connecting).await, refused(code), "{server}");
    }
    app.shutdown().await;
}
