//! The adapters over real sockets, against servers that tell the truth and servers that do not.

mod bookiji;
mod google;
mod http;
mod oauth;
mod server;
mod tokens;
