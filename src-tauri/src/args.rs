//! What can be said on the command line of the desktop app.

use std::path::PathBuf;

use clap::Parser;

/// Keeps your calendars and your Bookiji bookings true to each other.
#[derive(Clone, Debug, Parser)]
#[command(name = "bookiji-companion", version)]
pub struct Args {
    /// Where this vendor's data is. The platform's data folder if not given.
    #[arg(long, value_name = "DIR")]
    pub profile: Option<PathBuf>,
    /// Starts in the tray, without a window.
    #[arg(long)]
    pub hidden: bool,
    /// Starts on sample data: a made-up vendor's life inside the app, erased when it is left.
    #[arg(long)]
    pub sandbox: bool,
    /// Calendar files to show, or a link to a place of the window.
    #[arg(value_name = "FILE|LINK")]
    pub open: Vec<String>,
}
