//! The few sentences the engine itself must say about a card. English; the window has its own table of words.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::busy_set::vendor_zone;
use crate::decide::Question;
use crate::plan::Card;
use crate::world::World;

/// One sentence: what happened to which booking, in her own time zone.
#[must_use]
pub fn card_summary(world: &World, card: &Card) -> String {
    let zone = vendor_zone(world.vendor.as_ref());
    let booking = world.bookings.get(&card.booking);
    let what = booking.and_then(|booking| booking.service_name.as_deref()).unwrap_or("Booking");
    let who = booking
        .and_then(|booking| booking.customer_name.as_deref())
        .map_or_else(String::new, |name| format!(" for {name}"));
    let booked = card.booked.map_or_else(String::new, |(start, _)| clock(start, &zone));
    let found = card.found.map_or_else(|| "another time".to_owned(), |(start, _)| clock(start, &zone));
    match card.question {
        Question::Moved => format!("{what}{who} is booked for {booked}, but its event was moved to {found}."),
        Question::Deleted => format!("{what}{who} is booked for {booked}, but its event was deleted."),
        Question::MovedBoth => {
            format!("{what}{who} is now booked for {booked}, and its event was moved to {found} meanwhile.")
        }
        Question::MovedCancelled => {
            format!("{what}{who} was cancelled, but its event was moved to {found} and is still there.")
        }
    }
}

fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %-d %b, %H:%M").to_string()
}
