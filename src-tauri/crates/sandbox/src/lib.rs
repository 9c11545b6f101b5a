//! A local Bookiji, Google and Microsoft that behave as the real ones do, faults included: over real HTTP, on loopback only,
//! the same life for the same seed.

mod app;
mod bookiji;
mod clock;
mod control;
mod database;
mod faults;
mod feeds;
mod google;
mod gotrue;
mod graph;
mod house;
mod meter;
mod microsoft;
mod names;
mod oauth;
mod postgrest;
mod seed;
mod settings;
mod socket;
mod time;
mod today;
mod told;
mod wire;
mod world;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use axum::Router;
use axum::middleware::{from_fn_with_state, map_response_with_state};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::app::{App, Common};
use crate::clock::Clock;
use crate::house::House;
use crate::socket::{CuttableListener, Cutter};
use crate::world::World;

/// How long a stop waits for calls that are still open.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Clone, Debug)]
pub struct Options {
    /// A loopback address; port 0 takes any free one.
    pub listen: SocketAddr,
    pub seed: u64,
    /// IANA name of the vendor's zone.
    pub vendor_zone: String,
    /// Live bookings still to come; about half as many past and cancelled ones come on top.
    pub bookings: usize,
    /// Single events in her own calendar, on top of some twenty series and special ones.
    pub events: usize,
    /// Whether her Outlook holds a life too; without, it holds one empty calendar.
    pub outlook: bool,
    /// When the sandbox's clock starts; the computer's own time if not given.
    pub now: Option<Timestamp>,
    /// Where the state is kept between runs. A file that is there is read and the rest of the life is taken from it.
    pub state: Option<PathBuf>,
    pub write_settings: Option<PathBuf>,
    /// How many vendors there are. Each has a world of her own, and no call reaches another's.
    pub vendors: usize,
    /// Where each vendor gets a folder with a `settings.toml`.
    pub write_profiles: Option<PathBuf>,
    /// Bookiji behaves as it does today, its defects included, and has nothing of the contract.
    pub faithful: bool,
    /// Today's Bookiji knows her profile under another id than her sign-in.
    pub unlinked: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            seed: 1,
            vendor_zone: "America/Toronto".to_owned(),
            bookings: 26,
            events: 30,
            outlook: false,
            now: None,
            state: None,
            write_settings: None,
            vendors: 1,
            write_profiles: None,
            faithful: false,
            unlinked: false,
        }
    }
}

/// A sandbox that answers until it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    pub base_url: String,
    /// What `--write-settings` writes.
    pub settings: String,
    pub email: String,
    pub password: String,
    pub vendor_zone: String,
    /// All of them, the one above first.
    pub vendors: Vec<Seat>,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
    saver: JoinHandle<()>,
}

/// One vendor of a sandbox.
#[derive(Clone, Debug)]
pub struct Seat {
    pub email: String,
    pub password: String,
    /// The `settings.toml` with which a profile is hers.
    pub settings: String,
}

impl Seat {
    /// The name of her folder under `write_profiles`.
    #[must_use]
    pub fn folder(&self) -> &str {
        self.email.split('@').next().unwrap_or_default()
    }
}

impl Running {
    /// Stops answering, and saves the state if it is kept.
    pub async fn stop(mut self) {
        self.stop.take();
        if tokio::time::timeout(PATIENCE, &mut self.server).await.is_err() {
            tracing::debug!("calls were still open");
        }
    }

    /// Until the server ends by itself, which it does not.
    pub async fn ended(&mut self) {
        if let Err(error) = (&mut self.server).await {
            tracing::error!("the sandbox ended: {error}");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.abort();
        self.saver.abort();
    }
}

/// Starts a sandbox.
///
/// # Errors
/// When the address is not loopback or taken, the zone is unknown, or a file cannot be read or written.
pub async fn serve(options: Options) -> anyhow::Result<Running> {
    if !options.listen.ip().is_loopback() {
        bail!("the sandbox listens on loopback only, not on {}", options.listen.ip());
    }
    let now = options.now.unwrap_or_else(computer_time);
    if options.vendors != 1 && options.state.is_some() {
        bail!("a state file keeps the life of one vendor, not of {}", options.vendors);
    }
    let world = match &options.state {
        Some(path) if path.exists() => {
            let text = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            serde_json::from_slice(&text)
                .with_context(|| format!("{} is not a sandbox's state", path.display()))?
        }
        Some(_) | None => seeded(&options, 0, now)?,
    };
    let listener = TcpListener::bind(options.listen)
        .await
        .with_context(|| format!("listening on {}", options.listen))?;
    let base_url = format!("http://{}", listener.local_addr()?);
    let settings = settings::text(&base_url, None);
    if let Some(path) = &options.write_settings {
        std::fs::write(path, &settings).with_context(|| format!("writing {}", path.display()))?;
    }
    let clock = Clock::starting_at(now, world.advanced_s);
    let vendor = world.vendor.clone();
    let common = Common::new(clock);
    let app = App::new(common.clone(), world, options.state.clone());
    app.save()?;
    let mut house = House::of(app.clone());
    for place in 1..options.vendors {
        house.add(App::new(common.clone(), seeded(&options, place, now)?, None));
    }
    let vendors = house.seats(&base_url);
    if let Some(folder) = &options.write_profiles {
        write_profiles(folder, &vendors)?;
    }
    let saver = tokio::spawn(app.clone().keep_saving());
    let (stop, stopped) = oneshot::channel::<()>();
    let service = house.router().into_make_service_with_connect_info::<Cutter>();
    let server = tokio::spawn(async move {
        let until_stopped = async {
            stopped.await.ok();
        };
        let served =
            axum::serve(CuttableListener(listener), service).with_graceful_shutdown(until_stopped).await;
        if let Err(error) = served.map_err(anyhow::Error::from).and_then(|()| app.save()) {
            tracing::error!("the sandbox did not end well: {error:#}");
        }
    });
    Ok(Running {
        base_url,
        settings,
        email: vendor.email,
        password: vendor.password,
        vendor_zone: vendor.time_zone,
        vendors,
        stop: Some(stop),
        server,
        saver,
    })
}

fn write_profiles(folder: &Path, vendors: &[Seat]) -> anyhow::Result<()> {
    for vendor in vendors {
        let folder = folder.join(vendor.folder());
        std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let path = folder.join("settings.toml");
        std::fs::write(&path, &vendor.settings).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

fn seeded(options: &Options, place: usize, now: Timestamp) -> anyhow::Result<World> {
    let apart = u64::try_from(place).unwrap_or(u64::MAX).wrapping_mul(1_000_003);
    let plan = seed::Plan {
        seed: options.seed.wrapping_add(apart),
        place,
        zone: options.vendor_zone.clone(),
        bookings: options.bookings,
        events: options.events,
        outlook: options.outlook,
        now,
        faithful: options.faithful,
        unlinked: options.unlinked,
    };
    let world = seed::world(&plan).with_context(|| format!("the time zone {:?}", options.vendor_zone))?;
    told::secret(&world.vendor.password);
    Ok(world)
}

fn router(app: App) -> Router {
    let faithful = app.world().platform.faithful;
    let bookiji =
        if faithful { today::routes(&app).merge(postgrest::todays_routes()) } else { bookiji::routes(&app) };
    Router::new()
        .merge(bookiji)
        .merge(gotrue::routes())
        .merge(postgrest::routes())
        .merge(google::routes())
        .merge(oauth::routes())
        .merge(graph::routes())
        .merge(microsoft::routes())
        .merge(feeds::routes())
        .merge(control::routes())
        .layer(from_fn_with_state(app.clone(), wire::gate))
        .layer(map_response_with_state(app.clone(), wire::dated))
        .with_state(app)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the edge: a sandbox without a given time starts at the computer's"
)]
fn computer_time() -> Timestamp {
    Timestamp::now()
}
