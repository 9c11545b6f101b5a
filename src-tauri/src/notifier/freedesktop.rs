//! Bubbles as every Linux desktop draws them: org.freedesktop.Notifications on the session bus. A bubble is replaced by
//! the next of its kind, and a click on one opens its place. Where nobody draws them, nothing is lost: all of it stands
//! in the window and in the tray.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use companion::notification::{Kind, Notification};
use companion::place::Place;
use futures_util::StreamExt;
use tauri::AppHandle;
use zbus::zvariant::Value;

use crate::window;

const NAME: &str = "Bookiji Companion";
/// As the package installs it.
const ICON: &str = "bookiji-companion";

#[zbus::proxy(
    interface = "org.freedesktop.Notifications",
    default_service = "org.freedesktop.Notifications",
    default_path = "/org/freedesktop/Notifications"
)]
trait Notifications {
    fn get_capabilities(&self) -> zbus::Result<Vec<String>>;

    #[expect(clippy::too_many_arguments, reason = "the interface has them")]
    fn notify(
        &self,
        app_name: &str,
        replaces_id: u32,
        app_icon: &str,
        summary: &str,
        body: &str,
        actions: &[&str],
        hints: BTreeMap<&str, Value<'_>>,
        expire_timeout: i32,
    ) -> zbus::Result<u32>;

    #[zbus(signal)]
    fn action_invoked(&self, id: u32, action_key: String) -> zbus::Result<()>;
}

pub struct Bubbles {
    app: AppHandle,
    /// Whose they are; nobody's where it makes no difference.
    seat: Option<u32>,
    bus: Option<Bus>,
    drawn: Drawn,
}

struct Bus {
    proxy: NotificationsProxy<'static>,
    /// Bodies are read as markup.
    markup: bool,
}

/// The last bubble of each kind, and what a click on it opens.
type Drawn = Arc<Mutex<BTreeMap<Kind, (u32, Place)>>>;

impl Bubbles {
    pub fn new(app: &AppHandle, seat: Option<u32>) -> Self {
        Self { app: app.clone(), seat, bus: None, drawn: Drawn::default() }
    }

    pub async fn show(&mut self, notification: &Notification) {
        if let Err(error) = self.try_show(notification).await {
            tracing::debug!(%error, "nobody draws notifications");
            // Whoever draws them may come later.
            self.bus = None;
        }
    }

    async fn try_show(&mut self, notification: &Notification) -> zbus::Result<()> {
        let bus = match self.bus.take() {
            Some(bus) => bus,
            None => self.connect().await?,
        };
        let Notification { kind, title, body, place } = notification;
        let replaces =
            self.drawn.lock().unwrap_or_else(PoisonError::into_inner).get(kind).map_or(0, |(id, _)| *id);
        let body = if bus.markup { escaped(body) } else { body.clone() };
        let hints = BTreeMap::from([("desktop-entry", Value::from(NAME)), ("urgency", Value::from(1_u8))]);
        let actions = ["default", NAME];
        let id = bus.proxy.notify(NAME, replaces, ICON, title, &body, &actions, hints, -1).await?;
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner).insert(*kind, (id, *place));
        self.bus = Some(bus);
        Ok(())
    }

    async fn connect(&self) -> zbus::Result<Bus> {
        let connection = zbus::Connection::session().await?;
        let proxy = NotificationsProxy::new(&connection).await?;
        let markup = proxy.get_capabilities().await?.iter().any(|word| word == "body-markup");
        let clicks = proxy.receive_action_invoked().await?;
        tauri::async_runtime::spawn(open_what_is_clicked(
            self.app.clone(),
            self.seat,
            clicks,
            self.drawn.clone(),
        ));
        Ok(Bus { proxy, markup })
    }
}

async fn open_what_is_clicked(
    app: AppHandle,
    seat: Option<u32>,
    mut clicks: ActionInvokedStream,
    drawn: Drawn,
) {
    while let Some(click) = clicks.next().await {
        let Ok(click) = click.args() else { continue };
        let place = {
            let drawn = drawn.lock().unwrap_or_else(PoisonError::into_inner);
            drawn.values().find(|(id, _)| *id == click.id).map(|(_, place)| *place)
        };
        match (place, seat) {
            (Some(place), Some(seat)) => window::open_for(&app, seat, place),
            (Some(place), None) => window::open_at(&app, place),
            (None, _) => {}
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
