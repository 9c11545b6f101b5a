//! A sign-in that begins in the window and goes through her browser: one at a time, from the page that is opened to what
//! came of it. Waits beside the syncs and is taken in between two of them. What comes in by a password needs no waiting: see
//! [`crate::caldav`].

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use connectors::caldav::{SignIn, nextcloud};
use connectors::gotrue::{Browsing, Session};
use connectors::oauth::{self, ConnectError, Granted, PATIENCE, PastedLink};
use mirror::Sqlite;
use sync::error::Code;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tracing::Instrument as _;
use url::Url;

use crate::controller::Errands;
use crate::grants::{self, Lack};
use crate::problem::Problem;
use crate::profile::Profile;
use crate::servers::Servers;
use crate::view::{SignInTo, SignInView};
use crate::wiring::Wiring;
use crate::{browser, caldav, sign_in, wiring};

/// Who vouches for her at Bookiji, where she does not say.
const PROVIDER: &str = "google";

/// Opens a page; answers whether anything was started.
type Browser = Box<dyn Fn(&Url) -> bool + Send + Sync>;

/// Who signs her in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provider {
    Bookiji,
    Google,
    Outlook,
    /// A Nextcloud, by the address that she gave.
    Nextcloud(String),
}

impl Provider {
    #[must_use]
    pub fn to(&self) -> SignInTo {
        match self {
            Self::Bookiji => SignInTo::Bookiji,
            Self::Google => SignInTo::Google,
            Self::Outlook => SignInTo::Outlook,
            Self::Nextcloud(_) => SignInTo::Nextcloud,
        }
    }
}

/// The sign-in of one profile that is under way, or how the last one ended.
pub struct Connecting {
    profile: Profile,
    browser: Browser,
    patience: Duration,
    now: Arc<Now>,
}

struct Now {
    view: watch::Sender<SignInView>,
    turn: Mutex<Turn>,
}

/// Which sign-in counts. What an earlier one still comes to is nobody's business any more.
#[derive(Default)]
struct Turn {
    number: u64,
    waiting: Option<Waiting>,
}

struct Waiting {
    page: Url,
    /// Unless the answer is fetched, and comes back at no address.
    pasted: Option<PastedLink>,
    task: AbortHandle,
}

impl Connecting {
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        Self::with_browser(profile, browser::open)
    }

    /// As [`Connecting::new`], with another way to open a page.
    #[must_use]
    pub fn with_browser(profile: Profile, browser: impl Fn(&Url) -> bool + Send + Sync + 'static) -> Self {
        let now = Now { view: watch::Sender::new(SignInView::Idle), turn: Mutex::default() };
        Self { profile, browser: Box::new(browser), patience: PATIENCE, now: Arc::new(now) }
    }

    /// Waits for her browser this long.
    #[must_use]
    pub fn waiting_at_most(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    #[must_use]
    pub fn view(&self) -> SignInView {
        self.now.view.borrow().clone()
    }

    /// Every step from now on.
    #[must_use]
    pub fn views(&self) -> watch::Receiver<SignInView> {
        self.now.view.subscribe()
    }

    /// Opens her browser at the sign-in page and from then on waits for it, in place of whatever was waited for before. What
    /// keeps it from beginning is what [`Connecting::view`] says then. `errands` lead to the engine of this very profile.
    pub async fn begin(&self, provider: Provider, errands: Errands) {
        let to = provider.to();
        let turn = self.now.next(SignInView::Idle);
        let begun = async {
            let servers = servers(&self.profile, to)?;
            let pending = Pending::begin(&provider, &servers).await?;
            Ok::<_, Problem>((servers, pending))
        };
        let (servers, pending) = match begun.await {
            Ok(begun) => begun,
            Err(problem) => return self.now.end(turn, refused(to, &problem, &BTreeSet::new())),
        };
        let page = pending.url().clone();
        let follow = Follow {
            to,
            turn,
            patience: self.patience,
            profile: self.profile.clone(),
            servers,
            errands,
            now: self.now.clone(),
        };
        {
            let mut current = self.now.turn();
            if current.number != turn {
                return;
            }
            let pasted = pending.pasted_link();
            let task = tokio::spawn(
                async move {
                    let ended = follow.to_the_end(pending).await;
                    follow.now.end(turn, ended);
                }
                .in_current_span(),
            );
            current.waiting = Some(Waiting { page: page.clone(), pasted, task: task.abort_handle() });
            self.now.view.send_replace(SignInView::Waiting { to, address: page.to_string() });
        }
        (self.browser)(&page);
    }

    /// Opens the page once more.
    ///
    /// # Errors
    /// When no sign-in waits, or no browser can be started.
    pub fn open(&self) -> Result<(), Problem> {
        let page = self.now.turn().waiting.as_ref().map(|waiting| waiting.page.clone()).ok_or_else(none)?;
        if (self.browser)(&page) {
            return Ok(());
        }
        Err(Problem::new(Code::Internal, "No browser could be opened.")
            .then("Copy the address into your browser."))
    }

    /// Takes the address at which her browser ended, where it cannot come back by itself.
    ///
    /// # Errors
    /// When no sign-in waits, or this one does not end there.
    pub fn paste(&self, address: &str) -> Result<(), Problem> {
        let pasted =
            self.now.turn().waiting.as_ref().map(|waiting| waiting.pasted.clone()).ok_or_else(none)?;
        if pasted.is_some_and(|pasted| pasted.take(address)) {
            return Ok(());
        }
        Err(Problem::new(Code::InvalidInput, "That is not the address at which this sign-in ends.")
            .then("Paste the whole address of the page that could not be reached; it holds \"state=\"."))
    }

    /// Waits no longer, and shows nothing of the last sign-in either.
    pub fn cancel(&self) {
        self.now.next(SignInView::Idle);
    }
}

impl Drop for Connecting {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl Now {
    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends whatever waits, and shows this instead.
    fn next(&self, view: SignInView) -> u64 {
        let mut turn = self.turn();
        if let Some(waiting) = turn.waiting.take() {
            waiting.task.abort();
        }
        turn.number += 1;
        self.view.send_replace(view);
        turn.number
    }

    /// Shows how a sign-in ended, if it is still the one that counts.
    fn end(&self, number: u64, view: SignInView) {
        let mut turn = self.turn();
        if turn.number == number {
            turn.waiting = None;
            self.view.send_replace(view);
        }
    }

    fn counts(&self, number: u64) -> bool {
        self.turn().number == number
    }
}

/// A sign-in that waits for her browser.
enum Pending {
    Bookiji(Browsing),
    Google(oauth::Pending),
    Outlook(oauth::Pending),
    Nextcloud(nextcloud::Pending),
}

/// What she answered. It is kept nowhere yet.
enum Answer {
    Bookiji(Session),
    Google(Granted),
    Outlook(Granted),
    Nextcloud(SignIn),
}

impl Pending {
    async fn begin(provider: &Provider, servers: &Servers) -> Result<Self, Problem> {
        match provider {
            Provider::Bookiji => sign_in::browse(servers, PROVIDER).await.map(Self::Bookiji),
            Provider::Google => {
                Ok(Self::Google(servers.google(false)?.begin().await.map_err(sign_in::refused)?))
            }
            Provider::Outlook => {
                Ok(Self::Outlook(servers.outlook()?.begin().await.map_err(sign_in::refused)?))
            }
            Provider::Nextcloud(server) => {
                let entry = caldav::entry(&servers.settings, server)?;
                Ok(Self::Nextcloud(caldav::sign_in_at(&servers.http, &entry).await?))
            }
        }
    }

    fn url(&self) -> &Url {
        match self {
            Self::Bookiji(browsing) => browsing.url(),
            Self::Google(pending) | Self::Outlook(pending) => pending.url(),
            Self::Nextcloud(pending) => pending.url(),
        }
    }

    fn pasted_link(&self) -> Option<PastedLink> {
        match self {
            Self::Bookiji(browsing) => Some(browsing.pasted_link()),
            Self::Google(pending) | Self::Outlook(pending) => Some(pending.pasted_link()),
            Self::Nextcloud(_) => None,
        }
    }

    async fn wait(self, patience: Duration) -> Result<Answer, ConnectError> {
        match self {
            Self::Bookiji(browsing) => browsing.wait_at_most(patience).await.map(Answer::Bookiji),
            Self::Google(pending) => pending.wait_at_most(patience).await.map(Answer::Google),
            Self::Outlook(pending) => pending.wait_at_most(patience).await.map(Answer::Outlook),
            Self::Nextcloud(pending) => {
                let signed_in = pending.wait_at_most(patience).await?;
                signed_in.map(Answer::Nextcloud).ok_or(ConnectError::TimedOut)
            }
        }
    }
}

impl Answer {
    fn lacks(&self) -> BTreeSet<Lack> {
        match self {
            Self::Bookiji(_) | Self::Nextcloud(_) => BTreeSet::new(),
            Self::Google(granted) => grants::missing(&granted.missing),
            Self::Outlook(granted) => grants::missing_at_microsoft(granted),
        }
    }

    async fn take_in(self, wiring: &Wiring) -> Result<(), Problem> {
        match self {
            Self::Bookiji(session) => sign_in::welcome(wiring, session).await.map(drop),
            Self::Google(granted) => sign_in::take_google(wiring, granted).await.map(drop),
            Self::Outlook(granted) => sign_in::take_outlook(wiring, granted).await.map(drop),
            Self::Nextcloud(signed_in) => caldav::link(wiring, signed_in).await.map(drop),
        }
    }
}

/// What it takes to bring a sign-in to its end.
struct Follow {
    to: SignInTo,
    turn: u64,
    patience: Duration,
    profile: Profile,
    servers: Servers,
    errands: Errands,
    now: Arc<Now>,
}

impl Follow {
    /// From the open page to what came of it.
    async fn to_the_end(&self, pending: Pending) -> SignInView {
        let to = self.to;
        let answer = match pending.wait(self.patience).await {
            Ok(answer) => answer,
            Err(ConnectError::TimedOut) => return SignInView::TimedOut { to },
            // Google has no page on which an administrator allows one app.
            Err(ConnectError::NeedsAdministrator { .. }) if to == SignInTo::Outlook => {
                let administrator = self.servers.outlook_admin_consent().ok().map(|page| page.to_string());
                return SignInView::Refused {
                    to,
                    code: Code::PermissionDenied,
                    missing: Vec::new(),
                    administrator,
                };
            }
            Err(error) => return refused(to, &sign_in::refused(error), &BTreeSet::new()),
        };
        let lacks = answer.lacks();
        let (now, turn, profile) = (self.now.clone(), self.turn, self.profile.clone());
        let taken = self.errands.visit(move |wiring| {
            Box::pin(async move {
                if !now.counts(turn) {
                    return Err(none());
                }
                if wiring.profile.root() != profile.root() {
                    return Err(Problem::new(Code::InvalidInput, "This sign-in is for another profile."));
                }
                answer.take_in(wiring).await
            })
        });
        match taken.await {
            Ok(()) => SignInView::Done { to, missing: lacks.into_iter().map(Into::into).collect() },
            Err(problem) => refused(to, &problem, &lacks),
        }
    }
}

/// What she did not allow is told only where it is the reason.
fn refused(to: SignInTo, problem: &Problem, lacks: &BTreeSet<Lack>) -> SignInView {
    tracing::info!(code = %problem.code, "not signed in");
    let why = problem.code == Code::PermissionDenied;
    let missing = lacks.iter().filter(|_| why).map(|lack| (*lack).into()).collect();
    SignInView::Refused { to, code: problem.code, missing, administrator: None }
}

fn none() -> Problem {
    Problem::new(Code::InvalidInput, "No sign-in is waiting.")
}

/// Whom to ask, as the settings stand now.
fn servers(profile: &Profile, to: SignInTo) -> Result<Servers, Problem> {
    let settings = profile.settings()?;
    let is_somebodys = || {
        let file = profile.database();
        Ok::<_, Problem>(file.exists() && Sqlite::open_read_only(&file)?.overview()?.vendor.is_some())
    };
    match to {
        SignInTo::Bookiji => {}
        // A calendar is connected for a vendor.
        SignInTo::Google | SignInTo::Outlook | SignInTo::Nextcloud if is_somebodys()? => {}
        SignInTo::Google | SignInTo::Outlook | SignInTo::Nextcloud => return Err(sign_in::nobody()),
    }
    let http = wiring::http(&settings.network)?;
    Ok(Servers { settings, http, file: profile.settings_file() })
}
