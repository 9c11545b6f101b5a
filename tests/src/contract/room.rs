//! A room to test in: an account of one service through our connector, and what she does in it with her own hand, which
//! knows neither permission nor precondition. Nothing of a hand goes through a connector of ours.

use std::collections::BTreeSet;

use async_trait::async_trait;
use calendar::event::{Event, When};
use jiff::Timestamp;
use sync::ids::{RemoteCalendarId, RemoteId, Service, VendorId};
use sync::ports::Account;

/// For whom the room's account is opened.
pub const VENDOR: &str = "vendor-1";
/// Sunday, seven in the morning in Toronto. Where a service has a clock of its own that can be set, it says this.
pub const NOW: &str = "2026-11-22T12:00:00Z";
/// Where she lives.
pub const ZONE: &str = "America/Toronto";

/// The service, or her app on it, has no such thing. A case that meets it stands in `exceptions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cannot(pub &'static str);

pub type Done<T = ()> = Result<T, Cannot>;

/// What sets a service apart, where a promise has two shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    /// An event stands under the id that we chose. Otherwise our id is a key that is remembered.
    pub takes_our_ids: bool,
    /// What was created once under a key of ours and deleted is never created under it again.
    pub burns_ids: bool,
    /// Of an event that was deleted it is said that it was.
    pub tells_of_deleted: bool,
    /// Her app copies our marker along with the event.
    pub copies_marker: bool,
}

/// What she changes of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    Time {
        start: When,
        end: When,
    },
    Title(String),
    Notes(String),
    /// The RRULE value of a series.
    Rule(String),
}

/// What an event can have that no draft of ours speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keepsake {
    Colour,
    Reminder,
    Guest,
    Place,
    Privacy,
}

/// One account of one service. It holds [`Room::hers`], which is empty, and whatever else such an account begins with.
#[async_trait]
pub trait Room: Send + Sync {
    fn service(&self) -> Service;
    fn traits(&self) -> Traits;
    /// Through our connector, for [`VENDOR`].
    fn account(&self) -> &dyn Account;
    /// The same account, as the profile of another vendor reaches it.
    fn account_for(&self, vendor: &VendorId) -> Done<Box<dyn Account>>;
    /// An empty calendar that she made without us.
    fn hers(&self) -> RemoteCalendarId;

    /// Puts the event there and answers the id that our connector will know it by. Its UID is the service's to choose.
    async fn she_creates(&self, calendar: &RemoteCalendarId, event: &Event) -> Done<RemoteId>;
    async fn she_edits(&self, calendar: &RemoteCalendarId, event: &RemoteId, edit: &Edit) -> Done;
    async fn she_deletes(&self, calendar: &RemoteCalendarId, event: &RemoteId) -> Done;
    /// Out of the bin.
    async fn she_restores(&self, calendar: &RemoteCalendarId, event: &RemoteId) -> Done;
    /// Copies the event to another time of the same length, as her app does it.
    async fn she_copies(
        &self,
        calendar: &RemoteCalendarId,
        event: &RemoteId,
        start: Timestamp,
    ) -> Done<RemoteId>;
    /// Moves the occurrence of a series that was to begin at `original`.
    async fn she_moves_occurrence(
        &self,
        calendar: &RemoteCalendarId,
        series: &RemoteId,
        original: Timestamp,
        start: Timestamp,
    ) -> Done;
    async fn she_cancels_occurrence(
        &self,
        calendar: &RemoteCalendarId,
        series: &RemoteId,
        original: Timestamp,
    ) -> Done;

    async fn she_makes_a_calendar(&self, name: &str) -> Done<RemoteCalendarId>;
    async fn she_renames_a_calendar(&self, calendar: &RemoteCalendarId, name: &str) -> Done;
    async fn she_deletes_a_calendar(&self, calendar: &RemoteCalendarId) -> Done;

    /// Gives the event something that no draft speaks of.
    async fn she_adds(&self, calendar: &RemoteCalendarId, event: &RemoteId, what: Keepsake) -> Done;
    /// Whether the event still has exactly what [`Room::she_adds`] gave it, as she sees it.
    async fn she_sees(&self, calendar: &RemoteCalendarId, event: &RemoteId, what: Keepsake) -> Done<bool>;

    /// An id of the service's own shape that it never gave to anything.
    fn unknown(&self, like: &RemoteId) -> RemoteId {
        RemoteId(format!("{like}0"))
    }

    /// From now on the service goes wrong on this route, or on every one, in one of the words of the sandbox's faults. What
    /// she does with her own hand is done.
    async fn goes_wrong(&self, _route: Option<&str>, _kind: &str) -> Done {
        Err(Cannot("nothing goes wrong with it"))
    }

    /// How many requests met what goes wrong.
    async fn met(&self) -> u64 {
        0
    }

    /// From now on nothing goes wrong, and she has signed in again where that had come to an end.
    async fn heals(&self) {}

    /// Where our connector has been, in the words that [`Room::goes_wrong`] takes.
    async fn routes(&self) -> BTreeSet<String> {
        BTreeSet::new()
    }

    /// From now on no cursor that was given out counts.
    async fn forgets_cursors(&self) -> Done;

    /// Many at once; a room that has a faster way takes it.
    async fn she_creates_all(&self, calendar: &RemoteCalendarId, events: &[Event]) -> Done<Vec<RemoteId>> {
        let mut ids = Vec::new();
        for event in events {
            ids.push(self.she_creates(calendar, event).await?);
        }
        Ok(ids)
    }
}
