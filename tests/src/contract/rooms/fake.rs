//! The in-memory fake, by which every scenario of the engine stands or falls.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use calendar::event::{End, Event, Status, When};
use jiff::{SignedDuration, Timestamp};
use sync::decide::times;
use sync::ids::{ETag, RemoteCalendarId, RemoteId, Service, VendorId};
use sync::ports::{Account, CalendarEntry, RemoteEvent};

use crate::contract::room::{Cannot, Done, Edit, Keepsake, Room, Traits};
use crate::service::{Fault, Services};

pub struct FakeRoom {
    services: Services,
    bin: Mutex<BTreeMap<RemoteId, RemoteEvent>>,
}

const HERS: &str = "personal";
const NO_BOOK: Cannot = Cannot("the fake keeps only what our own model of an event has");

impl FakeRoom {
    /// As Google is: events stand under our ids.
    #[must_use]
    pub fn open() -> Self {
        Self::with(false)
    }

    /// As Outlook is: the service gives the ids.
    #[must_use]
    pub fn that_gives_ids() -> Self {
        Self::with(true)
    }

    fn with(gives_ids: bool) -> Self {
        let room = Self { services: Services::default(), bin: Mutex::default() };
        room.services.state().gives_ids = gives_ids;
        room.list(HERS.into(), "Personal");
        room
    }

    fn list(&self, remote: RemoteCalendarId, name: &str) {
        let entry = CalendarEntry {
            remote: remote.clone(),
            name: name.to_owned(),
            time_zone: None,
            writable: true,
            primary: remote.as_str() == HERS,
            ours: false,
        };
        self.services.state().calendars.entry(remote).or_default().entry = Some(entry);
    }

    fn standing(&self, calendar: &RemoteCalendarId, id: &RemoteId) -> RemoteEvent {
        let live = self.services.state().live(calendar);
        live.into_iter().find(|event| event.id == *id).expect("an event that stands")
    }

    fn put(&self, calendar: &RemoteCalendarId, event: RemoteEvent) {
        self.services.state().put(calendar, event);
    }

    fn exception(&self, calendar: &RemoteCalendarId, series: &RemoteId, original: Timestamp) -> RemoteEvent {
        let master = self.standing(calendar, series);
        let mut one = master.clone();
        one.id = RemoteId(format!("{series}_{original}"));
        one.event.recurrence = calendar::event::Recurrence::default();
        one.event.instance = Some(When::Utc(original));
        one
    }
}

fn with_times(event: &mut Event, start: When, end: When) {
    (event.start, event.end) = (start, End::At(end));
}

#[async_trait]
impl Room for FakeRoom {
    fn service(&self) -> Service {
        Service::Google
    }

    fn traits(&self) -> Traits {
        let takes_our_ids = !self.services.state().gives_ids;
        Traits { takes_our_ids, burns_ids: true, tells_of_deleted: true, copies_marker: true }
    }

    fn account(&self) -> &dyn Account {
        &self.services
    }

    fn account_for(&self, _: &VendorId) -> Done<Box<dyn Account>> {
        Err(Cannot("the fake serves one vendor"))
    }

    fn hers(&self) -> RemoteCalendarId {
        HERS.into()
    }

    async fn she_creates(&self, calendar: &RemoteCalendarId, event: &Event) -> Done<RemoteId> {
        let mut event = event.clone();
        let id = RemoteId(format!("hers{}", self.services.state().clock));
        event.series = event.repeats().then(|| id.0.clone());
        let stored =
            RemoteEvent { id: id.clone(), etag: ETag(String::new()), event, marker: None, created_as: None };
        self.put(calendar, stored);
        Ok(id)
    }

    async fn she_edits(&self, calendar: &RemoteCalendarId, id: &RemoteId, edit: &Edit) -> Done {
        let mut stored = self.standing(calendar, id);
        match edit.clone() {
            Edit::Time { start, end } => with_times(&mut stored.event, start, end),
            Edit::Title(title) => stored.event.summary = title,
            Edit::Notes(notes) => stored.event.description = notes,
            Edit::Rule(rule) => stored.event.recurrence.rules = vec![rule],
        }
        self.put(calendar, stored);
        Ok(())
    }

    async fn she_deletes(&self, calendar: &RemoteCalendarId, id: &RemoteId) -> Done {
        let gone = self.standing(calendar, id);
        self.bin.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), gone);
        let series = Some(id.0.as_str());
        let live = self.services.state().live(calendar);
        let with_it = live.into_iter().filter(|one| one.id == *id || one.event.series.as_deref() == series);
        for one in with_it {
            self.services.state().delete(calendar, &one.id);
        }
        Ok(())
    }

    async fn she_restores(&self, calendar: &RemoteCalendarId, id: &RemoteId) -> Done {
        let back = self.bin.lock().unwrap_or_else(PoisonError::into_inner).remove(id).expect("in the bin");
        self.put(calendar, back);
        Ok(())
    }

    async fn she_copies(
        &self,
        calendar: &RemoteCalendarId,
        id: &RemoteId,
        start: Timestamp,
    ) -> Done<RemoteId> {
        let mut copy = self.standing(calendar, id);
        copy.id = RemoteId(format!("copy{}", self.services.state().clock));
        copy.created_as = None;
        let length = times(&copy).map_or(SignedDuration::ZERO, |(from, to)| to.duration_since(from));
        with_times(&mut copy.event, When::Utc(start), When::Utc(start + length));
        let id = copy.id.clone();
        self.put(calendar, copy);
        Ok(id)
    }

    async fn she_moves_occurrence(
        &self,
        calendar: &RemoteCalendarId,
        series: &RemoteId,
        original: Timestamp,
        start: Timestamp,
    ) -> Done {
        let mut one = self.exception(calendar, series, original);
        with_times(&mut one.event, When::Utc(start), When::Utc(start + SignedDuration::from_hours(1)));
        self.put(calendar, one);
        Ok(())
    }

    async fn she_cancels_occurrence(
        &self,
        calendar: &RemoteCalendarId,
        series: &RemoteId,
        original: Timestamp,
    ) -> Done {
        let mut one = self.exception(calendar, series, original);
        one.event.status = Status::Cancelled;
        self.put(calendar, one);
        Ok(())
    }

    async fn she_makes_a_calendar(&self, name: &str) -> Done<RemoteCalendarId> {
        let remote = RemoteCalendarId(format!("hers-{name}"));
        self.list(remote.clone(), name);
        Ok(remote)
    }

    async fn she_renames_a_calendar(&self, calendar: &RemoteCalendarId, name: &str) -> Done {
        let mut state = self.services.state();
        let entry = state.calendars.get_mut(calendar).and_then(|calendar| calendar.entry.as_mut());
        name.clone_into(&mut entry.expect("a calendar").name);
        Ok(())
    }

    async fn she_deletes_a_calendar(&self, calendar: &RemoteCalendarId) -> Done {
        self.services.state().calendars.remove(calendar);
        Ok(())
    }

    async fn she_adds(&self, calendar: &RemoteCalendarId, id: &RemoteId, what: Keepsake) -> Done {
        match what {
            Keepsake::Place => {
                let mut stored = self.standing(calendar, id);
                "Back room".clone_into(&mut stored.event.location);
                self.put(calendar, stored);
                Ok(())
            }
            Keepsake::Colour | Keepsake::Reminder | Keepsake::Guest | Keepsake::Privacy => Err(NO_BOOK),
        }
    }

    async fn she_sees(&self, calendar: &RemoteCalendarId, id: &RemoteId, what: Keepsake) -> Done<bool> {
        match what {
            Keepsake::Place => Ok(self.standing(calendar, id).event.location == "Back room"),
            Keepsake::Colour | Keepsake::Reminder | Keepsake::Guest | Keepsake::Privacy => Err(NO_BOOK),
        }
    }

    async fn forgets_cursors(&self) -> Done {
        self.services.state().faults.push_back(("read", Fault::CursorLost));
        Ok(())
    }
}
