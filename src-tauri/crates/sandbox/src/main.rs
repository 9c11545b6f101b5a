//! The `bookiji-sandbox` command.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;
use sandbox::Options;

/// A local Bookiji, Google and Microsoft for tests, demos and curious people.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answers until it is interrupted. Prints one JSON line when ready.
    Serve(Serve),
}

#[derive(Args)]
struct Serve {
    /// A loopback address; port 0 takes any free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The same seed and moment give the same life.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The vendor's zone, by its IANA name.
    #[arg(long, default_value = "America/Toronto")]
    vendor_zone: String,
    /// Live bookings still to come; history and cancellations come on top.
    #[arg(long, default_value_t = Options::default().bookings)]
    bookings: usize,
    /// Single events in her calendar, on top of the series and special ones.
    #[arg(long, default_value_t = Options::default().events)]
    events: usize,
    /// Gives her an Outlook calendar with a life in it, beside Google's.
    #[arg(long)]
    outlook: bool,
    /// When its clock starts (RFC 3339); now, if not given.
    #[arg(long)]
    now: Option<Timestamp>,
    /// Keeps the state in this file between runs.
    #[arg(long)]
    state: Option<PathBuf>,
    /// Leaves a settings.toml here that points a profile at this sandbox.
    #[arg(long)]
    write_settings: Option<PathBuf>,
    /// How many vendors there are, each with a salon, sign-ins and calendars of her own.
    #[arg(long, default_value_t = 1)]
    vendors: usize,
    /// Leaves a folder for each vendor here, with a settings.toml that points her profile at this sandbox.
    #[arg(long)]
    write_profiles: Option<PathBuf>,
    /// Bookiji as it is today: its constraints, triggers, row-level security and defects, and nothing of the contract.
    #[arg(long)]
    faithful: bool,
    /// With --faithful: her profile has another id than her sign-in, so that row-level security shows her nothing.
    #[arg(long, requires = "faithful")]
    unlinked: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Command::Serve(serve) = Cli::parse().command;
    let settings = serve.write_settings.clone();
    let mut running = sandbox::serve(Options {
        listen: serve.listen,
        seed: serve.seed,
        vendor_zone: serve.vendor_zone,
        bookings: serve.bookings,
        events: serve.events,
        outlook: serve.outlook,
        now: serve.now,
        state: serve.state,
        write_settings: serve.write_settings,
        vendors: serve.vendors,
        write_profiles: serve.write_profiles,
        faithful: serve.faithful,
        unlinked: serve.unlinked,
    })
    .await?;
    let mut ready = serde_json::json!({"listening": running.base_url, "settings": settings});
    if running.vendors.len() > 1 {
        let vendor = |one: &sandbox::Seat| serde_json::json!({"email": one.email, "password": one.password});
        ready["vendors"] = running.vendors.iter().map(vendor).collect();
    }
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{ready}")?;
    stdout.flush()?;
    tokio::select! {
        () = running.ended() => {}
        interrupted = stop_signal() => interrupted?,
    }
    running.stop().await;
    Ok(())
}

#[cfg(unix)]
async fn stop_signal() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn stop_signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
