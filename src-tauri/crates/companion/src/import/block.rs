//! Time that she blocks by hand stands beside what files brought, as one event without a file. What it closes is decided
//! where that of files is.

use calendar::event::{End, Event, Status, Uid, When};
use calendar::ics;
use calendar::interval::Interval;
use sync::busy_set::vendor_zone;
use sync::error::Code;
use sync::import as taking;
use sync::ports::Clock;
use sync::world::LinkedCalendar;

use super::{Desk, Options};
use crate::problem::Problem;
use crate::wiring::Wiring;

/// Every block that she makes is named so in the calendar of imported files.
const BLOCK: &str = "blocked-";

/// What takes `uid` back, if it is a block that she made.
#[must_use]
pub fn block_of(calendar: &LinkedCalendar, uid: &Uid) -> Option<String> {
    let made = calendar.connection == taking::connection_id() && uid.0.starts_with(BLOCK);
    made.then(|| uid.0.clone())
}

/// Blocks `span` for her, as a calendar file with this one event would. Answers with what takes it back, and why Bookiji
/// does not know of it yet, if so: the next sync tells it.
///
/// # Errors
/// When the profile itself cannot be used: nobody is signed in, the database cannot be written.
pub async fn block(
    wiring: &Wiring,
    span: Interval,
    summary: &str,
) -> Result<(String, Option<Problem>), Problem> {
    let uid = format!("{BLOCK}{}", uuid::Uuid::new_v4().simple());
    let (start, end) = (When::Utc(span.start()), End::At(When::Utc(span.end())));
    let event = Event { summary: summary.to_owned(), ..Event::new(Uid(uid.clone()), start, end) };
    Ok((uid, put(wiring, event).await?))
}

/// Takes a block of hers back, as a file that cancels its event would.
///
/// # Errors
/// [`Code::InvalidInput`] where there is no such block any more, and what [`block`] says.
pub async fn take_back_block(wiring: &Wiring, block: &str) -> Result<Option<Problem>, Problem> {
    let world = wiring.world()?;
    let stands = |event: &Event| event.uid.0 == block && event.status != Status::Cancelled;
    let event = taking::calendar(&world).and_then(|calendar| {
        let rows = world.events.get(&calendar.id)?;
        let row = rows.values().find(|row| stands(&row.event))?;
        block_of(calendar, &row.event.uid).map(|_| row.event.clone())
    });
    let event =
        event.ok_or_else(|| Problem::new(Code::InvalidInput, "That time is not blocked any more."))?;
    put(wiring, Event { status: Status::Cancelled, ..event }).await
}

/// Takes in what a file with this one event would bring, and tells Bookiji.
async fn put(wiring: &Wiring, event: Event) -> Result<Option<Problem>, Problem> {
    let options = Options::default();
    let mut desk = Desk::open(wiring, &options)?;
    let part = ics::Calendar { events: vec![event], ..ics::Calendar::default() };
    let zone = vendor_zone(Some(&desk.vendor));
    let taken = desk.holdings.take(&part, &desk.own, wiring.clock.now(), &zone);
    desk.write(&taken)?;
    Ok(desk.tell().await?.trouble)
}
