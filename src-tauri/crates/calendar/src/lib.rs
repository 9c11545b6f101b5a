//! The field's words and truths: events, recurrence, zones, busy time, iCalendar. Pure: no I/O, no clock, no
//! randomness.

pub mod busy;
pub mod event;
pub mod hours;
pub mod ics;
pub mod identity;
pub mod interval;
pub mod judge;
pub mod recurrence;
pub mod series;
pub mod zone;
