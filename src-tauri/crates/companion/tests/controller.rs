//! The controller as the window has it: it syncs by itself and when asked, tells what there is to show, and stops.

#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

use std::sync::Arc;
use std::time::Duration;

use companion::cli::output::Voice;
use companion::controller::{Controller, Handle, Options};
use companion::errand::{self, Doing, Errand};
use companion::import::{self, FileOutcome};
use companion::profile::Profile;
use companion::roles::Choice;
use companion::sign_in;
use companion::story::run_story;
use companion::view::{Overview, ProgressView, State, StepEnd, StepKind};
use companion::wiring::Wiring;
use companion::words::Language;
use connectors::http::Body;
use connectors::vault::Memory;
use sandbox::Running;
use secrecy::SecretString;
use sync::error::Code;
use sync::ports::Mirror;
use sync::world::{Direction, SyncOutcome};

const VOICE: Voice = Voice { language: Language::English, json: false };

/// A vendor who has signed in and connected Google, in a profile that keeps no secret.
async fn connected(folder: &std::path::Path) -> (Running, Wiring) {
    let settings = folder.join("settings.toml");
    let options = sandbox::Options { write_settings: Some(settings), ..sandbox::Options::default() };
    let sandbox = sandbox::serve(options).await.unwrap();
    let profile = Profile::at(Some(folder)).unwrap();
    let wiring = Wiring::open_with(&profile, Arc::new(Memory::default())).await.unwrap();
    let password = SecretString::from(sandbox.password.as_str());
    sign_in::login(&wiring, &sandbox.email, &password).await.unwrap();
    connect_google(&wiring).await;
    (sandbox, wiring)
}

/// As her browser does, which says yes to everything.
async fn connect_google(wiring: &Wiring) {
    let (vendor, pending) = sign_in::begin_google(wiring, false).await.unwrap();
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    let consent = browser.get(pending.url().clone()).send();
    let (consented, linked) = tokio::join!(consent, sign_in::finish_google(wiring, &vendor, pending));
    consented.unwrap();
    linked.unwrap();
}

async fn next_report(handle: &mut Handle) -> Result<Arc<sync::report::Report>, companion::problem::Problem> {
    let changed = tokio::time::timeout(Duration::from_secs(60), handle.reports.changed());
    changed.await.expect("a run ends").unwrap();
    handle.reports.borrow_and_update().clone().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_syncs_at_once_and_when_asked_and_shows_what_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, wiring) = connected(folder.path()).await;
    let mut handle = Controller::start(wiring, Options { sample: true, ..Options::default() });
    let overview = handle.overview();

    let first = next_report(&mut handle).await.unwrap();
    assert!(first.bookings.created > 0);
    handle.sync_now();
    let second = next_report(&mut handle).await.unwrap();
    assert_eq!((second.bookings.created, second.bookings.updated), (0, 0));
    assert_eq!(second.requests.get("google_auth"), None, "the access token lives as long as the process");
    assert_eq!(second.requests["bookiji"], 1);

    let mut seen = overview.clone();
    let shown = seen.wait_for(|shown| !shown.syncing && shown.runs.len() == 2).await.unwrap().clone();
    assert_eq!(shown.state, State::UpToDate);
    assert!(shown.sample && shown.last_sync_at.is_some() && shown.next_sync_at.is_some());
    let working = shown.schedule.working.as_ref().expect("her profile says when she works");
    let weeks = shown.schedule.to.duration_since(shown.schedule.from).as_hours() / (7 * 24);
    assert_eq!(working.len() as i64, weeks * 5 * 2, "five days of two stretches: {working:?}");

    let profile = Profile::at(Some(folder.path())).unwrap();
    let told = run_story(&profile, "latest").unwrap();
    let made = told.steps.iter().filter(|step| step.kind == StepKind::CreateEvent);
    let done = made.filter(|step| step.end == StepEnd::Done && step.span.is_some());
    assert_eq!((done.count(), told.run.can_undo), (first.bookings.created, true), "{told:?}");
    assert_eq!(run_story(&profile, "nonesuch").err().unwrap().code, Code::InvalidInput);

    let refused =
        Wiring::open_with(&Profile::at(Some(folder.path())).unwrap(), Arc::new(Memory::default())).await;
    assert_eq!(refused.err().unwrap().code, Code::AlreadyRunning);
    handle.shutdown().await;
    Wiring::open_with(&Profile::at(Some(folder.path())).unwrap(), Arc::new(Memory::default())).await.unwrap();
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_sync_is_shown_as_a_plan_and_writes_nothing_until_she_starts_it() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, wiring) = connected(folder.path()).await;
    let mut handle = Controller::start(wiring, Options { preview: true, ..Options::default() });
    let mut overview = handle.overview();
    let shown = overview.wait_for(|shown| shown.preview.is_some() && !shown.syncing).await.unwrap().clone();
    let preview = shown.preview.unwrap();
    assert_eq!(shown.state, State::NeedsYou);
    assert!(preview.created > 0 && preview.busy_times > 0 && preview.problem.is_none(), "{preview:?}");
    assert!(!shown.schedule.busy.is_empty() && shown.runs.is_empty());

    let file = folder.path().join("dentist.ics");
    std::fs::write(&file, "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n").unwrap();
    let refused = handle.import(vec![file], import::Options::default()).await.unwrap_err();
    assert_eq!(refused.code, Code::InvalidInput);
    handle.sync_now();
    overview.wait_for(|shown| shown.syncing).await.unwrap();
    overview.wait_for(|shown| !shown.syncing).await.unwrap();
    let state = sandbox_state(&sandbox).await;
    assert_eq!(ours_in(&state), 0);
    assert_eq!(state["busy"].as_array().map(Vec::len), Some(0));

    handle.start();
    let report = next_report(&mut handle).await.unwrap();
    let told = report.busy.sources.iter().filter(|source| source.published);
    let busy: usize = told.filter_map(|source| source.intervals).sum();
    assert_eq!((report.bookings.created, busy), (preview.created as usize, preview.busy_times as usize));
    let shown = overview.wait_for(|shown| !shown.syncing && !shown.runs.is_empty()).await.unwrap().clone();
    assert_eq!((shown.preview, shown.state), (None, State::UpToDate));
    assert_eq!(ours_in(&sandbox_state(&sandbox).await), report.bookings.created);
    handle.shutdown().await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_was_taken_back_is_no_first_sync_and_what_is_asked_for_meanwhile_does_not_become_one()
{
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, wiring) = connected(folder.path()).await;
    let wrong = wiring.world().unwrap().connections.keys().next().unwrap().to_string();
    errand::perform(&wiring, &Errand::Disconnect { connection: wrong, remove_events: true }).await.unwrap();
    assert_eq!(wiring.mirror.runs(10).unwrap().len(), 1);
    connect_google(&wiring).await;

    let handle = Controller::start(wiring, Options { preview: true, ..Options::default() });
    let mut overview = handle.overview();
    let first =
        overview.wait_for(|shown| !shown.syncing && (shown.preview.is_some() || shown.runs.len() > 1));
    assert!(first.await.unwrap().preview.is_some());
    let [start, end] = ["2030-01-02T09:00:00Z", "2030-01-02T11:00:00Z"].map(|at| at.parse().unwrap());
    for asked in [
        Errand::Block { start, end },
        Errand::Sync { direction: Direction::Bidirectional, dry_run: false },
        Errand::Undo { run: "latest".to_owned() },
    ] {
        let refused = handle.errands().perform(asked.clone()).await;
        assert_eq!(refused.err().map(|problem| problem.code), Some(Code::InvalidInput), "{asked:?}");
    }
    handle
        .errands()
        .perform(Errand::Sync { direction: Direction::Bidirectional, dry_run: true })
        .await
        .unwrap();
    let state = sandbox_state(&sandbox).await;
    assert_eq!((ours_in(&state), state["busy"].as_array().map(Vec::len)), (0, Some(0)));
    handle.start();
    overview.wait_for(|shown| !shown.syncing && shown.runs.len() == 2).await.unwrap();
    assert!(ours_in(&sandbox_state(&sandbox).await) > 0);
    handle.errands().perform(Errand::Block { start, end }).await.unwrap();
    handle.shutdown().await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_calls_at_once_lead_to_one_more_sync() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, wiring) = connected(folder.path()).await;
    let mut handle = Controller::start(wiring, Options::default());
    next_report(&mut handle).await.unwrap();
    for _ in 0..100 {
        handle.sync_now();
    }
    let mut overview = handle.overview();
    overview.wait_for(|shown| !shown.syncing && shown.runs.len() > 1).await.unwrap();
    // One may have begun before the last call, and then that call is owed another.
    let more = overview.wait_for(|shown| shown.runs.len() > 3);
    assert!(tokio::time::timeout(Duration::from_secs(2), more).await.is_err());
    handle.shutdown().await;
    sandbox.stop().await;
}

async fn sandbox_state(sandbox: &Running) -> serde_json::Value {
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    let state = browser.get(format!("{}/_sandbox/state", sandbox.base_url)).send().await.unwrap();
    state.json().await.unwrap()
}

/// Live events that stand for bookings.
fn ours_in(state: &serde_json::Value) -> usize {
    let calendars = state["calendars"].as_array().into_iter().flatten();
    let events = calendars.flat_map(|calendar| calendar["events"].as_array().into_iter().flatten());
    events.filter(|event| !event["booking_id"].is_null() && event["status"] != "cancelled").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_goes_away_is_shown_and_its_return_heals() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, wiring) = connected(folder.path()).await;
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    let faults = format!("{}/_sandbox/faults", sandbox.base_url);
    let down = serde_json::json!({ "service": "google", "kind": "reset" });
    browser.post(&faults).json(&down).send().await.unwrap().error_for_status().unwrap();

    let mut handle = Controller::start(wiring, Options::default());
    let failed = next_report(&mut handle).await.unwrap();
    assert!(failed.errors.iter().all(|error| error.code == Code::NetworkError), "{:?}", failed.errors);
    let mut overview = handle.overview();
    let shown =
        overview.wait_for(|shown| !shown.syncing && shown.state == State::Offline).await.unwrap().clone();
    assert_eq!(shown.problem.unwrap().code, Code::NetworkError);

    browser.delete(&faults).send().await.unwrap().error_for_status().unwrap();
    handle.sync_now();
    let healed = next_report(&mut handle).await.unwrap();
    assert!(healed.errors.is_empty(), "{:?}", healed.errors);
    overview.wait_for(|shown| !shown.syncing && shown.state == State::UpToDate).await.unwrap();
    handle.shutdown().await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_takes_long_says_how_far_it_is_and_stops_when_she_says_so_and_the_next_one_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, wiring) = connected(folder.path()).await;
    slow_down(&sandbox, "google", "POST /batch/calendar/v3").await;

    let mut handle = Controller::start(wiring, Options::default());
    let mut overview = handle.overview();
    let is_far = |shown: &Overview| shown.progress.is_some_and(|progress| progress.to_write > 0);
    let shown = tokio::time::timeout(Duration::from_secs(60), overview.wait_for(is_far));
    let progress = shown.await.expect("it tells").unwrap().progress.unwrap();
    assert_eq!((progress.read, progress.written), (progress.to_read, 0), "{progress:?}");
    handle.stop_sync();
    let ended = |shown: &Overview| !shown.syncing && shown.progress.is_none() && !shown.runs.is_empty();
    let shown = tokio::time::timeout(Duration::from_secs(10), overview.wait_for(ended));
    let shown = shown.await.expect("it stops at once").unwrap().clone();
    assert_eq!(shown.runs[0].outcome, Some(SyncOutcome::Partial));
    assert!(shown.runs[0].ended_at.is_some() && shown.problem.is_none(), "{:?}", shown.problem);

    heal(&sandbox).await;
    handle.stop_sync();
    handle.sync_now();
    let done = next_report(&mut handle).await.unwrap();
    assert!(done.errors.is_empty(), "{:?}", done.errors);
    overview.wait_for(|shown| !shown.syncing && shown.state == State::UpToDate).await.unwrap();
    let state = sandbox_state(&sandbox).await;
    let upcoming = done.bookings.created + done.bookings.updated + done.bookings.unchanged;
    assert_eq!(ours_in(&state), upcoming, "one event for each booking, whatever was sent before");
    handle.shutdown().await;
    sandbox.stop().await;
}

/// Whatever she asks this route for takes longer than anybody waits.
async fn slow_down(sandbox: &Running, service: &str, route: &str) {
    let slow = serde_json::json!({ "service": service, "route": route, "kind": "slow_reply:100000" });
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    let faults = format!("{}/_sandbox/faults", sandbox.base_url);
    browser.post(faults).json(&slow).send().await.unwrap().error_for_status().unwrap();
}

async fn heal(sandbox: &Running) {
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    let faults = format!("{}/_sandbox/faults", sandbox.base_url);
    browser.delete(faults).send().await.unwrap().error_for_status().unwrap();
}

/// Stops what is under way once it tells that it does `doing` and is as far as `is_far`.
async fn stops(handle: &Handle, doing: Doing, is_far: impl Fn(&ProgressView) -> bool) {
    let mut overview = handle.overview();
    let is_there = |shown: &Overview| shown.progress.is_some_and(|told| told.doing == doing && is_far(&told));
    let told = tokio::time::timeout(Duration::from_secs(60), overview.wait_for(is_there));
    told.await.expect("it tells how far it is").unwrap();
    handle.stop_sync();
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_an_account_is_stopped_when_she_says_so_and_goes_on_when_asked_again() {
    let leave = |shown: &Overview| Errand::Disconnect {
        connection: shown.connections[0].id.clone(),
        remove_events: true,
    };
    let shown = is_stopped_and_goes_on(Doing::Leave, leave).await;
    assert!(shown.connections.is_empty(), "{:?}", shown.connections);
}

#[tokio::test(flavor = "multi_thread")]
async fn taking_a_run_back_is_stopped_when_she_says_so_and_goes_on_when_asked_again() {
    let undo = |shown: &Overview| Errand::Undo { run: shown.runs[0].id.clone() };
    let shown = is_stopped_and_goes_on(Doing::Undo, undo).await;
    assert_eq!(shown.connections.len(), 1);
}

/// What takes every event of hers out again, stopped before the first one is gone for sure.
async fn is_stopped_and_goes_on(doing: Doing, errand: impl Fn(&Overview) -> Errand) -> Overview {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, wiring) = connected(folder.path()).await;
    let mut handle = Controller::start(wiring, Options::default());
    let made = next_report(&mut handle).await.unwrap().bookings.created;
    let mut overview = handle.overview();
    let shown = overview.wait_for(|shown| !shown.syncing && !shown.runs.is_empty()).await.unwrap().clone();
    let errand = errand(&shown);

    slow_down(&sandbox, "google", "DELETE /calendar/v3/calendars/{calendarId}/events/{eventId}").await;
    let is_far = |told: &ProgressView| (told.to_write as usize, told.written) >= (made, 0);
    let errands = handle.errands();
    let (done, ()) = tokio::join!(errands.perform(errand.clone()), stops(&handle, doing, is_far));
    assert_eq!(done.err().map(|problem| problem.code), Some(Code::Stopped));
    assert!(ours_in(&sandbox_state(&sandbox).await) + 1 >= made, "the rest stands");

    heal(&sandbox).await;
    handle.errands().perform(errand).await.unwrap();
    assert_eq!(ours_in(&sandbox_state(&sandbox).await), 0, "it went on");
    handle.sync_now();
    let shown = overview.wait_for(|shown| !shown.syncing && shown.progress.is_none()).await.unwrap().clone();
    assert_eq!(ours_in(&sandbox_state(&sandbox).await), 0, "and nothing comes back");
    handle.shutdown().await;
    sandbox.stop().await;
    shown
}

/// An hour of a night that is still to come, and a calendar that takes it up.
fn a_night() -> (jiff::Timestamp, String) {
    let days = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() / 86_400 + 3;
    let night = jiff::Timestamp::from_second(i64::try_from(days * 86_400 + 2 * 3600).unwrap()).unwrap();
    let start = night.strftime("%Y%m%dT%H%M%SZ");
    let file = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:night\r\nDTSTART:{start}\r\nDURATION:PT1H\r\n\
         END:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    (night, file)
}

fn is_told(state: &serde_json::Value, busy: jiff::Timestamp) -> bool {
    let told = state["busy"].as_array().unwrap();
    told.iter().any(|one| one["start"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap() == busy)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_she_stops_is_told_to_bookiji_by_the_next_sync() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, wiring) = connected(folder.path()).await;
    let (night, contents) = a_night();
    let file = folder.path().join("night.ics");
    std::fs::write(&file, contents).unwrap();
    let mut handle = Controller::start(wiring, Options::default());
    next_report(&mut handle).await.unwrap();

    slow_down(&sandbox, "bookiji", "PUT /api/vendor/calendar/busy").await;
    let import = handle.import(vec![file], import::Options::default());
    let (done, ()) = tokio::join!(import, stops(&handle, Doing::Import, |_| true));
    assert_eq!(done.err().map(|problem| problem.code), Some(Code::Stopped));
    heal(&sandbox).await;
    handle.sync_now();
    next_report(&mut handle).await.unwrap();
    assert!(is_told(&sandbox_state(&sandbox).await, night), "what was taken in stays taken in");
    handle.shutdown().await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_watched_folder_holds_waits_for_her_next_sync_once_she_stopped_taking_it_in() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, wiring) = connected(folder.path()).await;
    let watched = wiring.profile.inbox();
    let mut handle = Controller::start(wiring, Options::default());
    next_report(&mut handle).await.unwrap();

    slow_down(&sandbox, "bookiji", "PUT /api/vendor/calendar/busy").await;
    let (night, contents) = a_night();
    let file = watched.path.join("night.ics");
    std::fs::write(&file, contents).unwrap();
    stops(&handle, Doing::Import, |_| true).await;
    heal(&sandbox).await;
    let mut overview = handle.overview();
    let shown = overview.wait_for(|shown| shown.progress.is_none()).await.unwrap().clone();
    assert!(file.exists() && shown.files.is_empty(), "it lies where she put it: {:?}", shown.files);
    assert_eq!(shown.folder_problem, None, "she stopped it, and nothing is wrong");

    handle.sync_now();
    let done =
        tokio::time::timeout(Duration::from_secs(60), overview.wait_for(|shown| shown.files.len() == 1));
    done.await.expect("it is taken in").unwrap();
    assert!(!file.exists() && watched.imported.join("night.ics").exists());
    assert!(is_told(&sandbox_state(&sandbox).await, night));
    handle.shutdown().await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nobody_signed_in_it_waits_and_stops_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let profile = Profile::at(Some(folder.path())).unwrap();
    let wiring = Wiring::open_with(&profile, Arc::new(Memory::default())).await.unwrap();
    let handle = Controller::start(wiring, Options::default());
    handle.sync_now();
    assert_eq!(handle.overview().borrow().vendor, None);
    tokio::time::timeout(Duration::from_secs(20), handle.shutdown()).await.expect("it stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_given_by_hand_are_taken_in_between_its_runs_and_told_to_who_gave_them() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, wiring) = connected(folder.path()).await;
    let (good, bad) = (folder.path().join("good.ics"), folder.path().join("bad.ics"));
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let day = |days: u64| {
        let at = jiff::Timestamp::from_second(i64::try_from(now + days * 86_400).unwrap()).unwrap();
        at.strftime("%Y%m%dT%H%M%SZ").to_string()
    };
    let lines = [
        format!("DTSTART:{}", day(2)),
        format!("DTEND:{}", day(3)),
        "END:VEVENT\r\nEND:VCALENDAR".to_owned(),
    ];
    let head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:given\r\n";
    std::fs::write(&good, format!("{head}{}\r\n", lines.join("\r\n"))).unwrap();
    std::fs::write(&bad, "<html>").unwrap();

    let handle = Controller::start(wiring, Options::default());
    let given = handle.import(vec![good.clone(), bad], import::Options::default()).await.unwrap();
    let outcomes: Vec<FileOutcome> = given.iter().map(|file| file.outcome).collect();
    assert_eq!(outcomes, [FileOutcome::Imported, FileOutcome::Rejected], "{given:?}");
    let again = handle.import(vec![good], import::Options::default()).await.unwrap();
    assert_eq!(again[0].outcome, FileOutcome::Unchanged);
    handle.shutdown().await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_she_paused_it_nothing_is_synced_by_itself_and_sync_now_still_works() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, wiring) = connected(folder.path()).await;
    let since = jiff::Timestamp::UNIX_EPOCH;
    wiring.mirror.set_pause(Some(&mirror::Pause { since, until: None })).unwrap();
    let mut handle = Controller::start(wiring, Options::default());
    let mut overview = handle.overview();
    // By the time it does an errand, it has looked at what is due.
    let profile = Profile::at(Some(folder.path())).unwrap();
    errand::run(&profile, VOICE, &Errand::Calendars(Choice::default())).await.unwrap();
    let shown = overview.wait_for(|shown| shown.vendor.is_some() && !shown.syncing).await.unwrap().clone();
    assert_eq!((shown.state, shown.runs.len(), shown.next_sync_at), (State::Paused, 0, None));
    handle.sync_now();
    assert!(next_report(&mut handle).await.unwrap().bookings.created > 0);
    let shown = overview.wait_for(|shown| !shown.syncing && shown.runs.len() == 1).await.unwrap().clone();
    assert_eq!(shown.state, State::Paused, "the pause goes on");
    handle.shutdown().await;
    sandbox.stop().await;
}

/// Another computer of hers, which has signed in and connected the same.
async fn second(sandbox: &Running, first: &std::path::Path, folder: &std::path::Path) -> Wiring {
    std::fs::copy(first.join("settings.toml"), folder.join("settings.toml")).unwrap();
    let profile = Profile::at(Some(folder)).unwrap();
    let wiring = Wiring::open_with(&profile, Arc::new(Memory::default())).await.unwrap();
    let password = SecretString::from(sandbox.password.as_str());
    sign_in::login(&wiring, &sandbox.email, &password).await.unwrap();
    connect_google(&wiring).await;
    wiring
}

#[tokio::test(flavor = "multi_thread")]
async fn a_computer_that_she_paused_leaves_the_writing_to_her_other_one_at_once() {
    let (studio, laptop) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (sandbox, wiring) = connected(studio.path()).await;
    let mut writes = Controller::start(wiring, Options::default());
    next_report(&mut writes).await.unwrap();
    let holder = async || {
        let state = sandbox_state(&sandbox).await;
        state["leases"][0]["installation_id"].as_str().map(str::to_owned)
    };
    let of_studio = holder().await;
    assert!(of_studio.is_some());
    let mut stands_by =
        Controller::start(second(&sandbox, studio.path(), laptop.path()).await, Options::default());
    next_report(&mut stands_by).await.unwrap();
    assert_eq!(holder().await, of_studio);

    writes.errands().perform(Errand::Pause { until: None }).await.unwrap();
    // By the time it does another errand, it has looked at the lease.
    writes.errands().perform(Errand::Calendars(Choice::default())).await.unwrap();
    assert_ne!(holder().await, of_studio);
    writes.shutdown().await;
    stands_by.shutdown().await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_is_switched_off_is_left_alone_for_a_while_and_not_asked_every_minute() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, wiring) = connected(folder.path()).await;
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    let faults = format!("{}/_sandbox/faults", sandbox.base_url);
    let off = serde_json::json!({ "service": "bookiji", "kind": "status:503:SCHEDULING_DISABLED" });
    browser.post(&faults).json(&off).send().await.unwrap().error_for_status().unwrap();
    let mut handle = Controller::start(wiring, Options::default());
    let report = next_report(&mut handle).await.unwrap();
    assert!(report.is_switched_off());
    // By the time it does an errand, it has looked at what is due.
    let profile = Profile::at(Some(folder.path())).unwrap();
    errand::run(&profile, VOICE, &Errand::Calendars(Choice::default())).await.unwrap();
    let mut overview = handle.overview();
    let shown =
        overview.wait_for(|shown| !shown.syncing && shown.next_sync_at.is_some()).await.unwrap().clone();
    assert_eq!((shown.state, shown.runs.len()), (State::Paused, 1));
    let wait = shown.next_sync_at.unwrap().duration_since(shown.now);
    assert!(wait > jiff::SignedDuration::from_mins(10), "{wait:?}");

    browser.delete(&faults).send().await.unwrap().error_for_status().unwrap();
    handle.sync_now();
    assert!(next_report(&mut handle).await.unwrap().errors.is_empty());
    overview.wait_for(|shown| !shown.syncing && shown.state == State::UpToDate).await.unwrap();
    handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn however_often_it_is_asked_no_run_begins_before_the_one_before_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, wiring) = connected(folder.path()).await;
    let file = folder.path().join("one.ics");
    std::fs::write(&file, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n").unwrap();
    let mut handle = Controller::start(wiring, Options::default());
    for _ in 0..6 {
        for _ in 0..20 {
            handle.sync_now();
        }
        let given = handle.import(vec![file.clone()], import::Options::default());
        given.await.unwrap();
        handle.sync_now();
        let _ = next_report(&mut handle).await;
    }
    handle.shutdown().await;
    let runs = {
        use sync::ports::Mirror;
        mirror::Sqlite::open_read_only(&folder.path().join("companion.db")).unwrap().runs(100).unwrap()
    };
    assert!(runs.len() >= 6, "{}", runs.len());
    for pair in runs.windows(2) {
        let [later, earlier] = pair else { unreachable!() };
        assert!(earlier.ended_at.unwrap() <= later.started_at, "{earlier:?} {later:?}");
    }
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_bookiji_was_sent_can_be_read_word_for_word_and_holds_no_title_of_hers() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, wiring) = connected(folder.path()).await;
    let mut handle = Controller::start(wiring, Options::default());
    next_report(&mut handle).await.unwrap();

    let database = Profile::at(Some(folder.path())).unwrap().database();
    let world = mirror::Sqlite::open_read_only(&database).unwrap().world().unwrap();
    let hers =
        world.events.values().flat_map(|events| events.values()).filter(|event| event.marker.is_none());
    let titles: Vec<&str> =
        hers.map(|event| event.event.summary.as_str()).filter(|title| title.len() > 3).collect();
    assert!(titles.len() > 5, "{titles:?}");

    let messages = handle.sent.messages();
    let said = |body: &Body| match body {
        Body::Text(text) | Body::Beginning(text) => text.clone(),
        Body::None | Body::Withheld => String::new(),
    };
    let all: Vec<String> = messages.iter().map(|one| format!("{} {}", one.target, said(&one.body))).collect();
    assert!(all.iter().any(|one| one.contains("/api/vendor/calendar/busy") && one.contains("intervals")));
    for one in &all {
        assert!(!one.contains(&sandbox.password), "a password can be read");
        for title in &titles {
            assert!(!one.contains(title), "{title} was sent: {one}");
        }
    }
    handle.shutdown().await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_has_the_open_profile_between_two_runs_and_is_told_when_there_is_none_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, wiring) = connected(folder.path()).await;
    let handle = Controller::start(wiring, Options::default());
    let errands = handle.errands();
    let whose = |wiring: &Wiring| wiring.world().map(|world| world.vendor.map(|vendor| vendor.email));
    let email = errands.visit(move |wiring| Box::pin(async move { whose(wiring) })).await.unwrap();
    assert_eq!(email.as_deref(), Some(sandbox.email.as_str()));

    let kept = errands.clone();
    handle.shutdown().await;
    let late = kept.visit(|wiring| Box::pin(async move { wiring.world().map(drop) })).await;
    assert_eq!(late.unwrap_err().code, Code::Internal);
    sandbox.stop().await;
}
