//! The `companion` command against the sandbox, as scripts meet it: documents, codes, exit statuses.
#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

mod browser;
mod cards;
mod decide;
mod desk;
mod discreet;
mod explain;
mod export;
mod feeds;
mod flow;
mod handed;
mod import;
mod inbox;
mod invite;
mod killed;
mod leave;
mod local;
mod outlook;
mod pause;
mod trouble;
mod two_computers;
mod undo;
mod world;
