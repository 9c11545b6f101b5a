//! One module per table: reads on a connection, writes in a transaction, the domain's own types in and out.

pub mod answer;
pub mod booking;
pub mod calendar;
pub mod closed_slot;
pub mod connection;
pub mod full_reading;
pub mod gone_calendar;
pub mod hours;
pub mod import_choice;
pub mod imported_slot;
pub mod invitation;
pub mod lease;
pub mod mapping;
pub mod operation;
pub mod pause;
pub mod platform;
pub mod published;
pub mod rebuild;
pub mod remote_event;
pub mod run;
pub mod sent_invite;
pub mod standing_answer;
pub mod unblocked;
pub mod vendor;
