//! The `companion` command against the sandbox, as scripts meet it: documents, codes, exit statuses.
#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

mod block;
mod browser;
mod caldav;
mod cards;
mod damaged;
mod decide;
mod desk;
mod discreet;
mod disk;
mod explain;
mod export;
mod faults;
mod feeds;
mod flow;
mod handed;
mod hints;
mod import;
mod inbox;
mod invite;
mod killed;
mod leave;
mod local;
mod outlook;
mod pause;
mod proposals;
mod requests;
mod today;
mod trouble;
mod two_computers;
mod unblock;
mod undo;
mod world;
