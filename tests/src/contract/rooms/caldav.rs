//! CalDAV, on real servers: Radicale and Cyrus. A server lives as long as its house; each room of it is its account,
//! emptied.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use calendar::event::{Event, Kind, ShownAs};
use connectors::caldav::{self, CaldavAccount, Dealings, Entry, NoNames, SignIn};
use connectors::http::{Counters, Gate, Http, Timeouts};
use connectors::vault::{Memory, SecretName, Vault};
use jiff::Timestamp;
use sync::ids::{RemoteCalendarId, RemoteId, Service, VendorId};
use sync::ports::Account;

use super::ics::File;
use crate::contract::reading::now;
use crate::contract::room::{Cannot, Done, Edit, Keepsake, Room, Traits, VENDOR};
use crate::servers::between::{Bend, Between};
use crate::servers::{Cyrus, Hand, Lacking, PASSWORD, Radicale, USER};

/// Her address, as invitations name her.
const ADDRESS: &str = "owner@example.com";

enum Server {
    Radicale(Radicale),
    Cyrus(Cyrus),
}

/// A server that rooms are opened on, one after the other.
#[derive(Clone)]
pub struct Servers(Arc<Server>);

impl Servers {
    /// # Errors
    /// When there is no Radicale to be had here.
    pub fn radicale() -> Result<Self, Lacking> {
        Ok(Self(Arc::new(Server::Radicale(Radicale::start()?))))
    }

    /// # Errors
    /// When there is no Cyrus to be had here.
    pub fn cyrus() -> Result<Self, Lacking> {
        Ok(Self(Arc::new(Server::Cyrus(Cyrus::start()?))))
    }

    fn url(&self) -> &str {
        match self.0.as_ref() {
            Server::Radicale(server) => &server.url,
            Server::Cyrus(server) => &server.url,
        }
    }

    fn home(&self) -> String {
        match self.0.as_ref() {
            Server::Radicale(server) => server.home(),
            Server::Cyrus(server) => server.home(),
        }
    }
}

pub struct CaldavRoom {
    servers: Servers,
    /// What our connector passes through, and her hand does not.
    between: Between,
    hand: Hand,
    account: CaldavAccount,
    dealings: Dealings,
    hers: RemoteCalendarId,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A name that nothing has had here.
fn fresh() -> String {
    format!("hers-{}", NUMBER.fetch_add(1, Ordering::SeqCst))
}

impl CaldavRoom {
    /// # Panics
    /// When the server does not let her in.
    pub async fn open(servers: &Servers) -> Self {
        // A server that shares this computer with many tests may think for long.
        let long = Duration::from_mins(5);
        let timeouts = Timeouts { silence: long, whole: long, ..Timeouts::default() };
        let http = Http::new(Counters::default(), timeouts).expect("a stack");
        let between = Between::before(servers.url()).await;
        let entry = Entry::parse(&between.url, true).expect("an address");
        let sign_in = SignIn { entry, username: USER.to_owned(), password: PASSWORD.into() };
        let secret = caldav::find(&http, &NoNames, &sign_in).await.expect("an account");
        let (vault, owner) = (Memory::default(), SecretName::connection(&"caldav-1".into()));
        vault.put(&owner, &secret).await.expect("a vault");
        let dealings = Dealings::at_the_pace_of(Gate::of(600_000, 4));
        let account = CaldavAccount::new(http, Arc::new(vault), owner, true).with_dealings(dealings.clone());
        let account = account.for_vendor(&VENDOR.into(), ADDRESS);
        let hand = Hand::at(servers.url());
        for left in account.calendars().await.expect("a list") {
            hand.send("DELETE", left.remote.as_str(), &[], "").await;
        }
        let hers = format!("{}{}/", servers.home(), fresh());
        hand.make_calendar(&hers, "Privat").await;
        Self { servers: servers.clone(), between, hand, account, dealings, hers: hers.as_str().into() }
    }

    fn path(calendar: &RemoteCalendarId, event: &RemoteId) -> String {
        format!("{calendar}{event}.ics")
    }

    async fn file(&self, calendar: &RemoteCalendarId, event: &RemoteId) -> File {
        let told = self.hand.get(&Self::path(calendar, event)).await;
        assert_eq!(told.status, 200, "{event}: {told:?}");
        File::read(&told.body)
    }

    async fn put(&self, calendar: &RemoteCalendarId, event: &RemoteId, file: &File) {
        self.hand.put(&Self::path(calendar, event), &file.text()).await;
    }
}

/// How many files are put at once.
const AT_ONCE: usize = 8;

fn new_file(event: &Event) -> (RemoteId, File) {
    let mut event = event.clone();
    if event.kind == Kind::OutOfOffice {
        event.shown_as = Some(ShownAs::OutOfOffice);
    }
    let id = RemoteId(fresh());
    let file = File::of(&event, &format!("{id}@app.example"), ADDRESS, now());
    (id, file)
}

/// What she gives an event: lines of iCalendar.
fn keepsake(what: Keepsake) -> &'static [&'static str] {
    match what {
        Keepsake::Colour => &["COLOR:turquoise"],
        Keepsake::Reminder => {
            &["BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Soon", "TRIGGER:-PT15M", "END:VALARM"]
        }
        Keepsake::Guest => &[
            "ORGANIZER;SCHEDULE-AGENT=CLIENT:mailto:owner@example.com",
            "ATTENDEE;SCHEDULE-AGENT=CLIENT:mailto:guest@example.com",
        ],
        Keepsake::Place => &["LOCATION:Back room"],
        Keepsake::Privacy => &["CLASS:PRIVATE"],
    }
}

#[async_trait]
impl Room for CaldavRoom {
    fn service(&self) -> Service {
        Service::Caldav
    }

    fn traits(&self) -> Traits {
        Traits { takes_our_ids: true, burns_ids: false, tells_of_deleted: false, copies_marker: true }
    }

    fn account(&self) -> &dyn Account {
        &self.account
    }

    fn account_for(&self, vendor: &VendorId) -> Done<Box<dyn Account>> {
        Ok(Box::new(self.account.clone().for_vendor(vendor, ADDRESS)))
    }

    fn hers(&self) -> RemoteCalendarId {
        self.hers.clone()
    }

    async fn she_creates(&self, calendar: &RemoteCalendarId, event: &Event) -> Done<RemoteId> {
        let (id, file) = new_file(event);
        self.put(calendar, &id, &file).await;
        Ok(id)
    }

    async fn she_creates_all(&self, calendar: &RemoteCalendarId, events: &[Event]) -> Done<Vec<RemoteId>> {
        let files: Vec<_> = events.iter().map(new_file).collect();
        let ids = files.iter().map(|(id, _)| id.clone()).collect();
        match self.servers.0.as_ref() {
            // Each file sent makes it read all the others, so they are put where it keeps them.
            Server::Radicale(server) => {
                let name = calendar.as_str().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
                let folder = server.kept().join(name);
                for (id, file) in files {
                    std::fs::write(folder.join(format!("{id}.ics")), file.text()).expect("a file");
                }
            }
            Server::Cyrus(_) => {
                let sent = |(id, file): (RemoteId, File)| {
                    let (hand, path) = (self.hand.clone(), Self::path(calendar, &id));
                    async move { hand.put(&path, &file.text()).await }
                };
                let mut under_way = tokio::task::JoinSet::new();
                for file in files {
                    if under_way.len() == AT_ONCE {
                        under_way.join_next().await.expect("one is under way").expect("it is put");
                    }
                    under_way.spawn(sent(file));
                }
                while let Some(done) = under_way.join_next().await {
                    done.expect("it is put");
                }
            }
        }
        Ok(ids)
    }

    async fn she_edits(&self, calendar: &RemoteCalendarId, id: &RemoteId, edit: &Edit) -> Done {
        let mut file = self.file(calendar, id).await;
        match edit {
            Edit::Time { start, end } => file.put_times(start, end),
            Edit::Title(title) => file.put_text("SUMMARY", title),
            Edit::Notes(notes) => file.put_text("DESCRIPTION", notes),
            Edit::Rule(rule) => file.put("RRULE", format!("RRULE:{rule}")),
        }
        self.put(calendar, id, &file).await;
        Ok(())
    }

    async fn she_deletes(&self, calendar: &RemoteCalendarId, id: &RemoteId) -> Done {
        self.hand.delete(&Self::path(calendar, id)).await;
        Ok(())
    }

    async fn she_restores(&self, _: &RemoteCalendarId, _: &RemoteId) -> Done {
        Err(Cannot("the protocol has no bin"))
    }

    async fn she_copies(
        &self,
        calendar: &RemoteCalendarId,
        id: &RemoteId,
        start: Timestamp,
    ) -> Done<RemoteId> {
        use calendar::event::When;
        let mut file = self.file(calendar, id).await;
        let copy = RemoteId(fresh());
        let end = start + file.length();
        file.put("UID", format!("UID:{copy}@app.example"));
        file.put_times(&When::Utc(start), &When::Utc(end));
        self.put(calendar, &copy, &file).await;
        Ok(copy)
    }

    async fn she_moves_occurrence(
        &self,
        calendar: &RemoteCalendarId,
        series: &RemoteId,
        original: Timestamp,
        start: Timestamp,
    ) -> Done {
        let mut file = self.file(calendar, series).await;
        file.except(original, start);
        self.put(calendar, series, &file).await;
        Ok(())
    }

    async fn she_cancels_occurrence(
        &self,
        calendar: &RemoteCalendarId,
        series: &RemoteId,
        original: Timestamp,
    ) -> Done {
        let mut file = self.file(calendar, series).await;
        let line = file.counted("EXDATE", original);
        file.add(&[&line]);
        self.put(calendar, series, &file).await;
        Ok(())
    }

    async fn she_makes_a_calendar(&self, name: &str) -> Done<RemoteCalendarId> {
        let path = format!("{}{}/", self.servers.home(), fresh());
        self.hand.make_calendar(&path, &escaped(name)).await;
        Ok(path.as_str().into())
    }

    async fn she_renames_a_calendar(&self, calendar: &RemoteCalendarId, name: &str) -> Done {
        let body = format!(
            "<d:propertyupdate xmlns:d=\"DAV:\"><d:set><d:prop><d:displayname>{}</d:displayname></d:prop></d:set>\
             </d:propertyupdate>",
            escaped(name)
        );
        let told = self
            .hand
            .send("PROPPATCH", calendar.as_str(), &[("Content-Type", "application/xml")], &body)
            .await;
        assert_eq!(told.status, 207, "{told:?}");
        Ok(())
    }

    async fn she_deletes_a_calendar(&self, calendar: &RemoteCalendarId) -> Done {
        self.hand.delete(calendar.as_str()).await;
        Ok(())
    }

    async fn she_adds(&self, calendar: &RemoteCalendarId, id: &RemoteId, what: Keepsake) -> Done {
        let mut file = self.file(calendar, id).await;
        file.add(keepsake(what));
        self.put(calendar, id, &file).await;
        Ok(())
    }

    async fn she_sees(&self, calendar: &RemoteCalendarId, id: &RemoteId, what: Keepsake) -> Done<bool> {
        let file = self.file(calendar, id).await;
        // Servers write down of a guest what came of asking him.
        let says = |line: &&str| match what {
            Keepsake::Guest => {
                file.line("ATTENDEE").is_some_and(|there| there.ends_with("guest@example.com"))
            }
            Keepsake::Colour | Keepsake::Reminder | Keepsake::Place | Keepsake::Privacy => file.has(line),
        };
        Ok(keepsake(what).iter().all(says))
    }

    async fn goes_wrong(&self, route: Option<&str>, kind: &str) -> Done {
        let bend = Bend::parse(kind).ok_or(Cannot("nobody has taught it this"))?;
        self.between.bend(route, bend, None);
        Ok(())
    }

    async fn met(&self) -> u64 {
        self.between.bent().into()
    }

    async fn heals(&self) {
        self.between.heal();
        // A password that was refused is left alone for an hour, or until she signs in again.
        self.dealings.forgive();
    }

    async fn routes(&self) -> BTreeSet<String> {
        self.between.routes()
    }

    async fn forgets_cursors(&self) -> Done {
        // No server can be made to from outside, so it is said for it.
        self.between.bend(None, Bend::CursorLost, Some(1));
        Ok(())
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
