//! The adapters over real sockets, against servers that tell the truth and servers that do not.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "the helpers of a test may fail it")]

mod booked;
mod bookiji;
mod caldav;
mod feeds;
mod google;
mod http;
mod microsoft;
mod network;
mod oauth;
mod outlook;
mod server;
mod slots;
mod tokens;
