//! What was ever true in a story, so that what a device says or does later can be judged: it may act on what it once saw,
//! and never on what never was.

use std::collections::{BTreeMap, BTreeSet};

use calendar::interval::Interval;
use jiff::Timestamp;
use sync::booking::Booking;
use sync::ids::{BookingId, ETag, RemoteId};

use super::stage::{Hers, Place};

type Times = BTreeSet<(Timestamp, Timestamp)>;

#[derive(Clone, Debug, Default)]
pub struct Past {
    /// The times that we last wrote on an event of ours.
    pub wrote: BTreeMap<Place, (Timestamp, Timestamp)>,
    /// Every time that an event of ours was ever written to, by booking.
    pub once: BTreeMap<BookingId, Times>,
    /// Every time that she ever moved one to.
    pub moved_to: BTreeMap<BookingId, Times>,
    /// Every time that a booking ever had.
    pub had: BTreeMap<BookingId, Times>,
    /// Events that she moved or deleted, ever.
    pub touched: BTreeSet<BookingId>,
    /// Events that some device ever wrote down as ours.
    pub remembered: BTreeSet<RemoteId>,
    /// Bookings whose event she deleted, and nothing since allows another.
    pub deleted_by_her: BTreeSet<BookingId>,
    /// Bookings whose event was about to be removed by us: whoever comes first, it is gone as intended.
    pub leaving: BTreeSet<BookingId>,
    /// Versions that are ours and nobody else's.
    pub by_us: BTreeSet<ETag>,
    /// Bookings whose event was put back by taking back a run, as the device knew them each time.
    pub undone: BTreeMap<BookingId, Vec<Option<Booking>>>,
    /// Free times whose slots were taken back or made again by that.
    pub undone_slots: BTreeSet<Interval>,
    /// The last change of hers, and of a booking, so that it can be taken back at once.
    pub last_hers: Option<(Place, Option<Hers>)>,
    pub last_booking: Option<Booking>,
}
