//! Vendors beside one sandbox, each signed in and connected in a profile of her own under one folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use companion::desk::door::{Door, Place};
use companion::desk::limits::Limits;
use companion::desk::{Desk, News, Opener, Pace, Told};
use companion::problem::Problem;
use companion::profile::Profile;
use companion::sign_in;
use companion::wiring::Wiring;
use connectors::vault::{Memory, PassphraseFile, Vault};
use sandbox::{Options, Running, Seat};
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;

/// What is not told by then never is.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Crowd {
    pub sandbox: Running,
    pub folder: TempDir,
    pub vaults: Arc<Vaults>,
    browser: reqwest::Client,
}

/// A vault in memory for each profile, by its folder's name.
pub struct Vaults(BTreeMap<String, Arc<dyn Vault>>);

#[async_trait::async_trait]
impl Opener for Vaults {
    async fn open(&self, profile: &Profile, place: Place) -> Result<Wiring, Problem> {
        let name = profile.root().file_name().unwrap().to_str().unwrap();
        Wiring::open_with_at(profile, self.0[name].clone(), place).await
    }
}

impl Crowd {
    /// With the `[desk]` and the `[sync]` table given.
    pub async fn connected(vendors: usize, desk: &str, sync: &str) -> Self {
        Self::with_vaults(vendors, desk, sync, |_| Arc::new(Memory::default())).await
    }

    /// As the real command finds it: secrets in files that a passphrase opens.
    pub async fn connected_in_files(vendors: usize, desk: &str, sync: &str, passphrase: &str) -> Self {
        let sync = format!("{sync}\n[vault]\nkind = \"passphrase-file\"");
        let file = |folder: &Path| -> Arc<dyn Vault> {
            Arc::new(PassphraseFile::new(folder.join("vault"), passphrase.into()))
        };
        Self::with_vaults(vendors, desk, &sync, file).await
    }

    async fn with_vaults(
        vendors: usize,
        desk: &str,
        sync: &str,
        vault: impl Fn(&Path) -> Arc<dyn Vault>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            vendors,
            bookings: 5,
            events: 5,
            write_profiles: Some(folder.path().to_owned()),
            ..Options::default()
        };
        let sandbox = sandbox::serve(options).await.unwrap();
        for seat in &sandbox.vendors {
            let text = format!("{}\n[sync]\n{sync}\n", seat.settings);
            std::fs::write(folder.path().join(seat.folder()).join("settings.toml"), text).unwrap();
        }
        std::fs::write(folder.path().join("settings.toml"), format!("[desk]\n{desk}\n")).unwrap();
        let limits = Limits { bookiji_calls_a_minute: 60_000, ..Limits::default() };
        let door = Door::new(limits).unwrap();
        let browser = reqwest::Client::builder().no_proxy().build().unwrap();
        let vault = |seat: &Seat| (seat.folder().to_owned(), vault(&folder.path().join(seat.folder())));
        let vaults = Arc::new(Vaults(sandbox.vendors.iter().map(vault).collect()));
        let mut sign_ins = JoinSet::new();
        for seat in &sandbox.vendors {
            if sign_ins.len() == 8 {
                sign_ins.join_next().await.unwrap().unwrap();
            }
            let profile = Profile::at(Some(&folder.path().join(seat.folder()))).unwrap();
            let (vaults, place) = (vaults.clone(), door.place(seat.folder()));
            let (seat, browser) = (seat.clone(), browser.clone());
            sign_ins.spawn(async move {
                let wiring = vaults.open(&profile, place).await.unwrap();
                connect(&wiring, &seat, &browser).await;
            });
        }
        while let Some(done) = sign_ins.join_next().await {
            done.unwrap();
        }
        Self { sandbox, folder, vaults, browser }
    }

    pub fn open(&self) -> Desk {
        let pace = Pace { look: Duration::from_millis(100), retry: Duration::from_millis(200) };
        Desk::open(self.folder.path(), self.vaults.clone(), pace).unwrap()
    }

    pub fn seat(&self, place: usize) -> &Seat {
        &self.sandbox.vendors[place]
    }

    pub fn profile(&self, place: usize) -> std::path::PathBuf {
        self.folder.path().join(self.seat(place).folder())
    }

    pub async fn control(&self, method: &str, what: &str, body: Option<Value>) -> Value {
        let url = format!("{}/_sandbox/{what}", self.sandbox.base_url);
        let mut request = self.browser.request(method.parse().unwrap(), url);
        if let Some(body) = &body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{method} {what} {body:?}: {}", answer.text().await.unwrap());
        serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default()
    }

    /// As a customer of hers does.
    pub async fn book(&self, seat: &Seat) {
        let edit = json!({"as": "customer", "do": "book"});
        self.control("POST", &format!("edit?vendor={}", seat.email), Some(edit)).await;
    }

    pub async fn state(&self, seat: &Seat) -> Value {
        self.control("GET", &format!("state?vendor={}", seat.email), None).await
    }
}

async fn connect(wiring: &Wiring, seat: &Seat, browser: &reqwest::Client) {
    sign_in::login(wiring, &seat.email, &SecretString::from(seat.password.as_str())).await.unwrap();
    let (vendor, pending) = sign_in::begin_google(wiring, false).await.unwrap();
    let consent = browser.get(pending.url().clone()).send();
    let (consented, linked) = tokio::join!(consent, sign_in::finish_google(wiring, &vendor, pending));
    consented.unwrap();
    linked.unwrap();
}

/// The next thing that is told.
pub async fn next(desk: &mut Desk) -> Told {
    tokio::time::timeout(PATIENCE, desk.told.recv()).await.expect("something is told").unwrap()
}

/// Hears until something of this kind is told of a profile.
pub async fn until(desk: &mut Desk, profile: &str, is_it: impl Fn(&News) -> bool) -> News {
    loop {
        let told = next(desk).await;
        if told.profile == profile && is_it(&told.what) {
            return told.what;
        }
    }
}

pub fn move_folder(from: &Path, to: &Path) {
    std::fs::rename(from, to).unwrap();
}
