//! Profiles that come, go, break or hang while the others are kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use companion::desk::door::Place;
use companion::desk::{Desk, News, Opener, Pace};
use companion::problem::Problem;
use companion::profile::Profile;
use companion::wiring::Wiring;
use serde_json::json;
use sync::error::Code;

use crate::crowd::{Crowd, Vaults, move_folder, until};

const PLENTY: &str = "bookiji_calls_a_minute = 60000";
const QUICK: &str = "booking_poll_seconds = 10";

fn ran(news: &News) -> bool {
    matches!(news, News::Ran(Ok(_)))
}

#[track_caller]
fn shut(news: News, code: Code) {
    match news {
        News::Shut(problem) => assert_eq!(problem.code, code, "{}", problem.message),
        other @ (News::Opened | News::Ran(_) | News::File(_) | News::Left) => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_cannot_be_opened_is_told_by_name_and_stops_nobody() {
    let crowd = Crowd::connected(4, PLENTY, QUICK).await;
    let name = |place: usize| crowd.seat(place).folder().to_owned();
    std::fs::write(crowd.profile(0).join("settings.toml"), "nonsense").unwrap();
    std::fs::write(crowd.profile(1).join("companion.db"), "no database").unwrap();
    let elsewhere = Profile::at(Some(&crowd.profile(2))).unwrap();
    let lock = elsewhere.lock().await.unwrap();

    let mut desk = crowd.open();
    let mut told = std::collections::BTreeMap::new();
    while told.len() < 4 {
        let next = crate::crowd::next(&mut desk).await;
        match next.what {
            News::Shut(problem) => {
                assert_eq!(told.insert(next.profile, Some(problem.code)), None, "it is said once");
            }
            News::Ran(Ok(_)) => {
                told.insert(next.profile, None);
            }
            other @ (News::Opened | News::Ran(Err(_)) | News::File(_) | News::Left) => {
                assert!(matches!(other, News::Opened), "{other:?}");
            }
        }
    }
    assert_eq!(told[&name(0)], Some(Code::SettingsInvalid));
    assert!(told[&name(1)].is_some());
    assert_eq!(told[&name(2)], Some(Code::AlreadyRunning));
    assert_eq!(told[&name(3)], None, "the one that is well was synced");

    drop(lock);
    until(&mut desk, &name(2), ran).await;
    std::fs::write(crowd.profile(0).join("settings.toml"), &crowd.seat(0).settings).unwrap();
    until(&mut desk, &name(0), ran).await;
    desk.shutdown().await;
    crowd.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_comes_is_kept_and_one_that_goes_is_let_go() {
    let crowd = Crowd::connected(2, PLENTY, QUICK).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let (first, second) = (crowd.seat(0).folder().to_owned(), crowd.seat(1).folder().to_owned());
    let away = elsewhere.path().join(&second);
    move_folder(&crowd.profile(1), &away);

    let mut desk = crowd.open();
    until(&mut desk, &first, ran).await;
    move_folder(&away, &crowd.profile(1));
    until(&mut desk, &second, ran).await;
    assert!(Profile::at(Some(&crowd.profile(1))).unwrap().is_locked());
    move_folder(&crowd.profile(1), &away);
    until(&mut desk, &second, |news| matches!(news, News::Left)).await;
    assert!(!Profile::at(Some(&away)).unwrap().is_locked(), "whoever has it now may write it");
    until(&mut desk, &first, ran).await;
    desk.shutdown().await;
    crowd.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_hangs_is_ended_and_the_profile_goes_on_when_the_service_is_back() {
    let crowd =
        Crowd::connected(2, &format!("{PLENTY}\nruns_at_once = 1\nrun_at_most_seconds = 2"), QUICK).await;
    let (well, stalls) = (crowd.seat(0).folder().to_owned(), crowd.seat(1));
    let fault = json!({"service": "google", "vendor": stalls.email, "kind": "slow:600000", "times": 1});
    crowd.control("POST", "faults", Some(fault)).await;
    let mut desk = crowd.open();
    let ended = until(&mut desk, stalls.folder(), |news| matches!(news, News::Ran(_))).await;
    let News::Ran(Err(problem)) = ended else { panic!("{ended:?}") };
    assert_eq!(problem.code, Code::NetworkError);
    assert!(problem.message.contains("ended after 2 s"), "{}", problem.message);
    until(&mut desk, &well, ran).await;
    desk.shutdown().await;
    crowd.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_nobody_signed_in_to_is_told_and_left_to_who_signs_in() {
    let crowd = Crowd::connected(2, PLENTY, QUICK).await;
    let new = crowd.folder.path().join("new");
    std::fs::create_dir(&new).unwrap();
    std::fs::write(new.join("settings.toml"), &crowd.seat(0).settings).unwrap();
    let mut desk = crowd.open();
    shut(until(&mut desk, "new", |_| true).await, Code::NotSignedIn);
    Profile::at(Some(&new)).unwrap().lock().await.unwrap();
    desk.shutdown().await;
    crowd.sandbox.stop().await;
}

/// Breaks inside, once, with one profile.
struct Breaks {
    profile: String,
    broken: AtomicBool,
    well: Arc<Vaults>,
}

#[async_trait::async_trait]
impl Opener for Breaks {
    async fn open(&self, profile: &Profile, place: Place) -> Result<Wiring, Problem> {
        let is_it = profile.root().ends_with(&self.profile);
        assert!(!is_it || self.broken.swap(true, Ordering::SeqCst), "this is how a defect looks");
        self.well.open(profile, place).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_defect_that_ends_one_profiles_task_ends_no_other_and_hers_begins_anew() {
    let crowd = Crowd::connected(3, PLENTY, QUICK).await;
    let (broken, well) = (crowd.seat(1).folder(), crowd.seat(2).folder());
    let opener =
        Breaks { profile: broken.to_owned(), broken: AtomicBool::new(false), well: crowd.vaults.clone() };
    let pace = Pace { look: Duration::from_millis(100), ..Pace::default() };
    let mut desk = Desk::open(crowd.folder.path(), Arc::new(opener), pace).unwrap();
    let mut ran = std::collections::BTreeSet::new();
    while !(ran.contains(broken) && ran.contains(well)) {
        let told = crate::crowd::next(&mut desk).await;
        if matches!(told.what, News::Ran(Ok(_))) {
            ran.insert(told.profile);
        }
    }
    desk.shutdown().await;
    crowd.sandbox.stop().await;
}
