//! An account on a real server: linked by our connector, and with a hand in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use companion::profile::Profile;
use companion::wiring::Wiring;
use connectors::caldav::{self, CaldavAccount, Dealings, Entry, FindError, NoNames, SignIn};
use connectors::http::{Counters, Gate, Http, Timeouts};
use connectors::vault::{Memory, SecretName, Vault};
use jiff::Timestamp;
use sandbox::Running;
use secrecy::SecretString;
use sync::booking::{Booking, BookingStatus, Draft};
use sync::ids::{Cursor, RemoteCalendarId, RemoteId, Service, VendorId};
use sync::ports::{Account, Calendar, Reading, RemoteEvent};
use tests::servers::{Cyrus, Hand, Lacking, PASSWORD, Radicale, USER, or_say};

pub enum Server {
    Radicale(Radicale),
    Cyrus(Cyrus),
}

impl Server {
    pub fn url(&self) -> &str {
        match self {
            Self::Radicale(server) => &server.url,
            Self::Cyrus(server) => &server.url,
        }
    }

    pub fn home(&self) -> String {
        match self {
            Self::Radicale(server) => server.home(),
            Self::Cyrus(server) => server.home(),
        }
    }
}

pub struct Stage {
    pub server: Server,
    pub hand: Hand,
    pub http: Http,
    pub account: CaldavAccount,
}

pub fn vendor() -> VendorId {
    VendorId::from("vendor-1")
}

impl Stage {
    /// One account on each kind of server that can be had here.
    pub async fn each() -> Vec<Self> {
        let started: [Result<Server, Lacking>; 2] =
            [Radicale::start().map(Server::Radicale), Cyrus::start().map(Server::Cyrus)];
        let mut stages = Vec::new();
        for server in started.into_iter().filter_map(or_say) {
            stages.push(Self::on(server).await);
        }
        stages
    }

    pub async fn radicale() -> Option<Self> {
        Some(Self::on(or_say(Radicale::start().map(Server::Radicale))?).await)
    }

    async fn on(server: Server) -> Self {
        let http = http();
        let account = opened(&http, server.url()).await.unwrap();
        Self { hand: Hand::at(server.url()), http, account, server }
    }

    /// A calendar that an app of hers made.
    pub async fn calendar(&self, name: &str) -> (String, Box<dyn Calendar>) {
        let path = format!("{}{name}/", self.server.home());
        self.hand.make_calendar(&path, name).await;
        let calendar = self.account.calendar(&RemoteCalendarId(path.clone()));
        (path, calendar)
    }
}

/// A sandbox of Bookiji, and the profile of its vendor, who has signed in there.
pub async fn signed_in(folder: &Path) -> (Running, Wiring) {
    let settings = Some(folder.join("settings.toml"));
    let options = sandbox::Options { write_settings: settings, ..sandbox::Options::default() };
    let sandbox = sandbox::serve(options).await.unwrap();
    let profile = Profile::at(Some(folder)).unwrap();
    let wiring = Wiring::open_with(&profile, Arc::new(Memory::default())).await.unwrap();
    let password = SecretString::from(sandbox.password.as_str());
    companion::sign_in::login(&wiring, &sandbox.email, &password).await.unwrap();
    (sandbox, wiring)
}

pub fn http() -> Http {
    // A server that shares this computer with many tests may think for long.
    let long = Duration::from_mins(5);
    Http::new(Counters::default(), Timeouts { silence: long, whole: long, ..Timeouts::default() }).unwrap()
}

pub fn sign_in(url: &str, password: &str) -> SignIn {
    let entry = Entry::parse(url, true).unwrap();
    SignIn { entry, username: USER.to_owned(), password: password.into() }
}

/// The account at `url`, as she would link it.
pub async fn opened(http: &Http, url: &str) -> Result<CaldavAccount, FindError> {
    let secret = caldav::find(http, &NoNames, &sign_in(url, PASSWORD)).await?;
    let (vault, name) = (Memory::default(), SecretName::bookiji());
    vault.put(&name, &secret).await.unwrap();
    let dealings = Dealings::at_the_pace_of(Gate::of(600_000, 4));
    let account = CaldavAccount::new(http.clone(), Arc::new(vault), name, true).with_dealings(dealings);
    Ok(account.for_vendor(&vendor(), "owner@example.com"))
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn since() -> Timestamp {
    at("2026-11-26T00:00:00Z")
}

pub fn draft(booking: &str, hour: u8, calendar: &str) -> Draft {
    let booking = Booking {
        id: booking.into(),
        vendor: vendor(),
        status: BookingStatus::Confirmed,
        start: at(&format!("2026-12-01T{hour:02}:00:00Z")),
        end: at(&format!("2026-12-01T{hour:02}:45:00Z")),
        service_name: Some("Coupe, brushing; \"été\" \u{1f33b}".into()),
        customer_name: None,
        customer_email: None,
        notes: Some("a long note, folded inside a character: ééééééééééééééééééééééééééééééééé".into()),
        proposal: sync::proposal::Proposal::NotOffered,
        updated_at: String::new(),
    };
    Draft::of(&booking, Service::Caldav, &calendar.into(), 0)
}

/// What a calendar holds to one who follows it from the beginning.
#[derive(Default)]
pub struct Follower {
    pub cursor: Option<Cursor>,
    pub events: BTreeMap<RemoteId, RemoteEvent>,
}

impl Follower {
    /// Reads on, and answers how many events came and went.
    pub async fn follow(&mut self, calendar: &dyn Calendar) -> (usize, usize) {
        match calendar.read(self.cursor.as_ref(), since()).await {
            Reading::Snapshot { items, cursor, .. } => {
                self.events = items.into_iter().map(|event| (event.id.clone(), event)).collect();
                self.cursor = cursor;
                (self.events.len(), 0)
            }
            Reading::Delta { changed, removed, cursor } => {
                let told = (changed.len(), removed.len());
                self.events.extend(changed.into_iter().map(|event| (event.id.clone(), event)));
                for id in removed {
                    self.events.remove(&id);
                }
                self.cursor = Some(cursor);
                told
            }
            other @ (Reading::Partial { .. } | Reading::CursorLost | Reading::Failed(_)) => {
                panic!("not read: {other:?}")
            }
        }
    }

    /// The names, in their order.
    pub fn names(&self) -> Vec<&str> {
        self.events.keys().map(RemoteId::as_str).collect()
    }
}
