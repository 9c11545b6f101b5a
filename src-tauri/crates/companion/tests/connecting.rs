//! Signing in from the running app: the window begins it, her browser or her clipboard answers, and the engine takes it in
//! between two of its runs.

#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use companion::connecting::{Connecting, Provider};
use companion::controller::{Controller, Handle, Options};
use companion::profile::Profile;
use companion::sign_in;
use companion::view::{Missing, SignInTo, SignInView};
use companion::wiring::Wiring;
use connectors::vault::Memory;
use sandbox::Running;
use secrecy::SecretString;
use serde_json::{Value, json};
use sync::error::Code;
use tempfile::TempDir;
use url::Url;

const PATIENCE: Duration = Duration::from_secs(60);

/// With neither, nothing is worth connecting.
const TOO_LITTLE: &[&str] = &[
    "https://www.googleapis.com/auth/calendar.events.readonly",
    "https://www.googleapis.com/auth/calendar.app.created",
];

/// A running engine beside a sandbox.
struct App {
    sandbox: Running,
    handle: Handle,
    folder: TempDir,
}

impl App {
    /// Nobody is signed in.
    async fn empty() -> Self {
        Self::start(false).await
    }

    async fn of_a_vendor() -> Self {
        Self::start(true).await
    }

    async fn start(signed_in: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("settings.toml");
        let options = sandbox::Options { write_settings: Some(settings), ..sandbox::Options::default() };
        let sandbox = sandbox::serve(options).await.unwrap();
        let wiring = Wiring::open_with(&profile(folder.path()), Arc::new(Memory::default())).await.unwrap();
        if signed_in {
            let password = SecretString::from(sandbox.password.as_str());
            sign_in::login(&wiring, &sandbox.email, &password).await.unwrap();
        }
        let handle = Controller::start(wiring, Options { preview: true, ..Options::default() });
        Self { sandbox, handle, folder }
    }

    fn connecting(&self, browser: impl Fn(&Url) -> bool + Send + Sync + 'static) -> Connecting {
        Connecting::with_browser(profile(self.folder.path()), browser)
    }

    async fn begin(&self, connecting: &Connecting, to: SignInTo) {
        connecting.begin(provider(to), self.handle.errands()).await;
    }

    /// Begins it and waits for what comes of it.
    async fn ends(&self, connecting: &Connecting, to: SignInTo) -> SignInView {
        self.begin(connecting, to).await;
        ended(connecting).await
    }

    async fn edit(&self, edit: Value) {
        let url = format!("{}/_sandbox/edit", self.sandbox.base_url);
        client().post(url).json(&edit).send().await.unwrap().error_for_status().unwrap();
    }

    fn connections(&self) -> usize {
        self.handle.overview().borrow().connections.len()
    }
}

fn profile(folder: &Path) -> Profile {
    Profile::at(Some(folder)).unwrap()
}

/// A Nextcloud is signed in to in `tests/tests/caldav/nextcloud.rs`, where there is one.
fn provider(to: SignInTo) -> Provider {
    match to {
        SignInTo::Bookiji => Provider::Bookiji,
        SignInTo::Google => Provider::Google,
        SignInTo::Outlook => Provider::Outlook,
        SignInTo::Nextcloud => Provider::Nextcloud("cloud.example.org".to_owned()),
    }
}

async fn ended(connecting: &Connecting) -> SignInView {
    let mut views = connecting.views();
    let ended = views.wait_for(|view| !matches!(view, SignInView::Waiting { .. }));
    tokio::time::timeout(PATIENCE, ended).await.expect("it ends").unwrap().clone()
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// Goes where it is told, as a browser whose owner allows everything.
fn visits(page: &Url) -> bool {
    tokio::spawn(client().get(page.clone()).send());
    true
}

/// Leaves these boxes empty.
fn unticks(scopes: &'static [&'static str]) -> impl Fn(&Url) -> bool + Send + Sync {
    move |page| {
        let mut page = page.clone();
        for scope in scopes {
            page.query_pairs_mut().append_pair("sandbox_untick", scope);
        }
        visits(&page)
    }
}

/// Its owner says no.
fn denies(page: &Url) -> bool {
    let mut back: Option<Url> = None;
    let mut state = None;
    for (name, value) in page.query_pairs() {
        match name.as_ref() {
            "redirect_uri" | "redirect_to" => back = Some(value.parse().unwrap()),
            "state" => state = Some(value.into_owned()),
            _ => {}
        }
    }
    let mut back = back.unwrap();
    if let Some(state) = state {
        back.query_pairs_mut().append_pair("state", &state);
    }
    back.query_pairs_mut().append_pair("error", "access_denied");
    visits(&back)
}

/// Its owner does nothing.
fn waits(_: &Url) -> bool {
    true
}

/// Where a browser would be sent that answers the page.
async fn answer_to(address: &str) -> String {
    let far =
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = far.get(address).send().await.unwrap();
    answer.headers()["location"].to_str().unwrap().to_owned()
}

fn waiting(connecting: &Connecting) -> String {
    let SignInView::Waiting { address, .. } = connecting.view() else { panic!("{:?}", connecting.view()) };
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn bookiji_google_and_outlook_are_signed_in_to_from_the_running_app() {
    let app = App::empty().await;
    let connecting = app.connecting(visits);
    for to in [SignInTo::Bookiji, SignInTo::Google, SignInTo::Outlook] {
        assert_eq!(app.ends(&connecting, to).await, SignInView::Done { to, missing: Vec::new() });
    }
    let mut overview = app.handle.overview();
    let all = overview
        .wait_for(|shown| shown.connections.len() == 2 && shown.preview.is_some() && shown.vendor.is_some());
    let shown = tokio::time::timeout(PATIENCE, all).await.expect("the engine goes on by itself").unwrap();
    assert_eq!(shown.vendor.as_ref().unwrap().email, app.sandbox.email);
    drop(shown);
    app.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_she_does_not_allow_is_told_and_costs_what_it_must() {
    let app = App::of_a_vendor().await;
    let to = SignInTo::Google;
    let refused = |to, code, missing| SignInView::Refused { to, code, missing, administrator: None };

    let denied = app.ends(&app.connecting(denies), to).await;
    assert_eq!(denied, refused(to, Code::SignInCancelled, Vec::new()));
    let too_little = app.ends(&app.connecting(unticks(TOO_LITTLE)), to).await;
    let lacks = vec![Missing::ReadEvents, Missing::WriteBookings];
    assert_eq!(too_little, refused(to, Code::PermissionDenied, lacks));
    assert_eq!(app.connections(), 0);

    let partly = app.ends(&app.connecting(unticks(&TOO_LITTLE[..1])), to).await;
    assert_eq!(partly, SignInView::Done { to, missing: vec![Missing::ReadEvents] });

    let to = SignInTo::Outlook;
    let denied = app.ends(&app.connecting(denies), to).await;
    assert_eq!(denied, refused(to, Code::SignInCancelled, Vec::new()));
    app.edit(json!({"as": "administrator", "do": "require_approval"})).await;
    let walled = app.ends(&app.connecting(visits), to).await;
    let SignInView::Refused { code: Code::PermissionDenied, administrator: Some(address), .. } = walled
    else {
        panic!("{walled:?}");
    };
    assert!(address.contains("/organizations/adminconsent?client_id="), "{address}");
    app.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_waits_is_opened_again_given_up_or_answered_by_hand() {
    for to in [SignInTo::Bookiji, SignInTo::Google, SignInTo::Outlook] {
        let app = App::of_a_vendor().await;
        let opened = Arc::new(AtomicUsize::new(0));
        let count = opened.clone();
        let connecting = app.connecting(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            true
        });
        assert_eq!(connecting.open().unwrap_err().code, Code::InvalidInput, "nothing waits yet");
        app.begin(&connecting, to).await;
        connecting.open().unwrap();
        assert_eq!(opened.load(Ordering::SeqCst), 2);
        let given_up = answer_to(&waiting(&connecting)).await;
        connecting.cancel();
        assert_eq!(connecting.view(), SignInView::Idle);
        let nobody_listens = async {
            while client().get(&given_up).send().await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, nobody_listens).await.expect("the port is closed");
        assert_eq!(connecting.paste(&given_up).unwrap_err().code, Code::InvalidInput);

        app.begin(&connecting, to).await;
        assert_eq!(connecting.paste(&given_up).unwrap_err().code, Code::InvalidInput, "another sign-in's");
        let answer = answer_to(&waiting(&connecting)).await;
        connecting.paste(&answer).unwrap();
        assert_eq!(ended(&connecting).await, SignInView::Done { to, missing: Vec::new() });
        app.handle.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_sign_ins_the_later_one_counts() {
    let app = App::of_a_vendor().await;
    let connecting = app.connecting(waits);
    app.begin(&connecting, SignInTo::Google).await;
    let earlier = waiting(&connecting);
    app.begin(&connecting, SignInTo::Outlook).await;
    let later = waiting(&connecting);
    let early = answer_to(&earlier).await;
    let _ = client().get(&early).send().await;
    assert_eq!(waiting(&connecting), later, "what came of the earlier one is not told");
    client().get(&later).send().await.unwrap();
    let to = SignInTo::Outlook;
    assert_eq!(ended(&connecting).await, SignInView::Done { to, missing: Vec::new() });
    let mut overview = app.handle.overview();
    overview.wait_for(|shown| shown.connections.len() == 1).await.unwrap();
    app.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_a_sign_in_from_beginning_or_ending_is_told() {
    let app = App::empty().await;
    let to = SignInTo::Google;
    let refused = |code| SignInView::Refused { to, code, missing: Vec::new(), administrator: None };
    assert_eq!(app.ends(&app.connecting(visits), to).await, refused(Code::NotSignedIn));

    let slow = app.connecting(waits).waiting_at_most(Duration::from_millis(50));
    let timed_out = app.ends(&slow, SignInTo::Bookiji).await;
    assert_eq!(timed_out, SignInView::TimedOut { to: SignInTo::Bookiji });

    let signed_in = app.ends(&app.connecting(visits), SignInTo::Bookiji).await;
    assert_eq!(signed_in, SignInView::Done { to: SignInTo::Bookiji, missing: Vec::new() });
    let other = App::of_a_vendor().await;
    let elsewhere = other.connecting(visits);
    elsewhere.begin(provider(to), app.handle.errands()).await;
    assert_eq!(
        ended(&elsewhere).await,
        refused(Code::InvalidInput),
        "another profile's engine takes nothing in"
    );
    assert_eq!((app.connections(), other.connections()), (0, 0));

    let settings = app.folder.path().join("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("google_client_id", "# google_client_id")).unwrap();
    assert_eq!(app.ends(&app.connecting(visits), to).await, refused(Code::SettingsInvalid));
    other.handle.shutdown().await;
    app.handle.shutdown().await;
}
