//! Today's Bookiji in the sandbox, judged by a real PostgreSQL: the same statements on both, and after each the same verdict,
//! the same rows and the same log.

#![expect(
    clippy::unwrap_used,
    reason = "clippy sees tests in functions marked so, and not in what they call"
)]

mod both;
mod cases;
mod server;
