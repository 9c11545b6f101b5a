//! A service that offers no more than the ports ask of every one: what else it is asked for is refused in words, or done
//! the plain way.

use std::sync::Mutex;

use async_trait::async_trait;
use calendar::interval::Interval;
use jiff::Timestamp;
use sync::booking::{Booking, Draft};
use sync::error::ServiceError;
use sync::ids::{BookingId, Cursor, ETag, RemoteCalendarId, RemoteId, Service, VendorId};
use sync::ports::{
    Account, BusyReceipt, BusySet, Calendar, CalendarEntry, Platform, Probe, Reading, RemoteEvent, Slot,
    SlotMade,
};
use tests::service::event_of;

/// Does nothing but take creates, and remembers their order.
#[derive(Default)]
struct Least(Mutex<Vec<BookingId>>);

fn nothing<T>() -> Result<T, ServiceError> {
    Err(ServiceError::Gone { service: "least".to_owned() })
}

#[async_trait]
impl Account for Least {
    async fn calendars(&self) -> Result<Vec<CalendarEntry>, ServiceError> {
        nothing()
    }

    async fn create_calendar(&self, _: &str, _: &str, _: &VendorId) -> Result<CalendarEntry, ServiceError> {
        nothing()
    }

    fn calendar(&self, _: &RemoteCalendarId) -> Box<dyn Calendar> {
        Box::new(Self::default())
    }
}

#[async_trait]
impl Calendar for Least {
    async fn read(&self, _: Option<&Cursor>, _: Timestamp) -> Reading<RemoteEvent, RemoteId> {
        Reading::CursorLost
    }

    async fn create(&self, draft: &Draft) -> Result<RemoteEvent, ServiceError> {
        self.0.lock().expect("alone").push(draft.booking.clone());
        if draft.booking == "refused".into() { nothing() } else { Ok(event_of(draft)) }
    }

    async fn update(&self, _: &RemoteId, _: &ETag, _: &Draft) -> Result<RemoteEvent, ServiceError> {
        nothing()
    }

    async fn delete(&self, _: &RemoteId, _: &ETag) -> Result<(), ServiceError> {
        nothing()
    }

    async fn probe(&self, _: &RemoteId) -> Result<Probe, ServiceError> {
        Ok(Probe::Absent)
    }
}

#[async_trait]
impl Platform for Least {
    async fn slots(&self, _: Interval) -> Result<Vec<Slot>, ServiceError> {
        nothing()
    }

    async fn create_slots(&self, _: &[Slot]) -> Result<Vec<SlotMade>, ServiceError> {
        nothing()
    }

    async fn remove_slot(&self, _: &Slot) -> Result<(), ServiceError> {
        nothing()
    }

    async fn bookings(&self, _: Option<&Cursor>) -> Reading<Booking, BookingId> {
        Reading::CursorLost
    }

    async fn move_booking(&self, _: &BookingId, _: Interval, _: &str) -> Result<(), ServiceError> {
        nothing()
    }

    async fn cancel_booking(&self, _: &BookingId, _: &str, _: &str) -> Result<(), ServiceError> {
        nothing()
    }

    async fn put_busy(&self, _: &BusySet) -> Result<BusyReceipt, ServiceError> {
        nothing()
    }
}

fn span() -> Interval {
    let at = |hour: i64| Timestamp::from_second(1_800_000_000 + hour * 3600).expect("a time");
    Interval::new(at(0), at(1)).expect("an hour")
}

fn draft(id: &str) -> Draft {
    let world = tests::world::World::new(Box::new(mirror::Sqlite::in_memory().expect("a mirror")));
    let id = world.customer_books(id, 20);
    let booking = world.services.state().bookings[&id].1.clone();
    Draft::of(&booking, Service::Google, &"here".into(), 0)
}

#[tokio::test]
async fn what_it_cannot_do_it_refuses_and_does_not_claim_to_have_done() {
    let least = Least::default();
    let refused = |done: Result<(), ServiceError>| matches!(done, Err(ServiceError::Rejected { .. }));
    assert!(refused(least.delete_calendar(&"here".into()).await));
    assert!(refused(least.propose_move(&"b".into(), span(), "key").await));
    assert!(refused(least.withdraw_proposal(&"b".into(), &"p".into(), "key").await));
    assert!(refused(least.switch_slots(&[], true).await.map(|_| ())));
    assert_eq!(least.rhythm(None), None, "and asks for no rhythm");
}

#[tokio::test]
async fn it_takes_creates_one_by_one_and_each_has_its_own_answer() {
    let least = Least::default();
    assert_eq!(least.creates_at_once(), 1);
    let drafts = ["a", "refused", "c"].map(draft);
    let answers = least.create_all(&drafts).await;
    let made: Vec<_> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(made, [true, false, true]);
    assert_eq!(*least.0.lock().expect("alone"), ["a".into(), "refused".into(), "c".into()]);
}
