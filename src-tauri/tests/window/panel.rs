//! A panel without a face: it takes tray icons in, opens their menus, chooses in them, and hears every notification, all
//! over the session bus as a real one does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use zbus::message::Header;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{OwnedValue, Structure, Value};
use zbus::{Connection, Proxy, interface};

use crate::stage::until_async;

pub struct Panel {
    bus: Connection,
    icons: Arc<Mutex<Vec<(String, String)>>>,
    heard: Arc<Mutex<Vec<Bubble>>>,
}

/// A notification as it was asked for.
#[derive(Clone, Debug)]
pub struct Bubble {
    pub id: u32,
    pub title: String,
    pub body: String,
}

/// One line of a menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    id: i32,
    pub depth: usize,
    pub label: String,
    pub enabled: bool,
}

type Properties = BTreeMap<String, OwnedValue>;

struct Watcher(Arc<Mutex<Vec<(String, String)>>>);

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    async fn register_status_notifier_item(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
        service: &str,
    ) {
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        let path = if service.starts_with('/') { service } else { "/StatusNotifierItem" };
        self.0.lock().unwrap().push((sender, path.to_owned()));
        let _ = Self::status_notifier_item_registered(&emitter, service).await;
    }

    fn register_status_notifier_host(&self, _service: &str) {}

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|(name, path)| format!("{name}{path}")).collect()
    }

    #[zbus(signal)]
    async fn status_notifier_item_registered(emitter: &SignalEmitter<'_>, item: &str) -> zbus::Result<()>;
}

struct Bubbles(Arc<Mutex<Vec<Bubble>>>);

#[interface(name = "org.freedesktop.Notifications")]
impl Bubbles {
    #[expect(clippy::too_many_arguments, reason = "the interface has them")]
    fn notify(
        &self,
        _app: &str,
        replaces: u32,
        _icon: &str,
        title: &str,
        body: &str,
        _actions: Vec<String>,
        _hints: Properties,
        _timeout: i32,
    ) -> u32 {
        let mut heard = self.0.lock().unwrap();
        let id = if replaces > 0 { replaces } else { u32::try_from(heard.len()).unwrap() + 1 };
        heard.push(Bubble { id, title: title.to_owned(), body: body.to_owned() });
        id
    }

    fn get_capabilities(&self) -> Vec<String> {
        vec!["body".to_owned(), "actions".to_owned()]
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        ("panel".to_owned(), "tests".to_owned(), "1".to_owned(), "1.2".to_owned())
    }

    fn close_notification(&self, _id: u32) {}

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action: &str) -> zbus::Result<()>;
}

impl Panel {
    /// Takes its seat on the bus, or only listens there.
    pub async fn open(address: &str, seated: bool) -> Self {
        let icons = Arc::default();
        let heard = Arc::default();
        let bus = zbus::connection::Builder::address(address)
            .unwrap()
            .serve_at("/StatusNotifierWatcher", Watcher(Arc::clone(&icons)))
            .unwrap()
            .serve_at("/org/freedesktop/Notifications", Bubbles(Arc::clone(&heard)))
            .unwrap()
            .build()
            .await
            .unwrap();
        if seated {
            for name in ["org.freedesktop.Notifications", "org.kde.StatusNotifierWatcher"] {
                bus.request_name(name).await.unwrap();
            }
            let names = zbus::fdo::DBusProxy::new(&bus).await.unwrap();
            until_async("there is a keychain", async || {
                names.name_has_owner("org.freedesktop.secrets".try_into().unwrap()).await.unwrap()
            })
            .await;
        }
        Self { bus, icons, heard }
    }

    /// Every notification so far.
    #[must_use]
    pub fn heard(&self) -> Vec<Bubble> {
        self.heard.lock().unwrap().clone()
    }

    /// Waits for a notification whose title begins so.
    pub async fn hears(&self, title: &str) -> Bubble {
        let found = || self.heard().into_iter().rev().find(|bubble| bubble.title.starts_with(title));
        until_async(&format!("\"{title}\" is told, and not only {:?}", self.heard()), async || {
            found().is_some()
        })
        .await;
        found().unwrap()
    }

    /// Clicks on a notification.
    pub async fn click(&self, bubble: &Bubble) {
        let server = self.bus.object_server();
        let bubbles = server.interface::<_, Bubbles>("/org/freedesktop/Notifications").await.unwrap();
        Bubbles::action_invoked(bubbles.signal_emitter(), bubble.id, "default").await.unwrap();
    }

    /// What the icon shows: the file that holds its picture.
    pub async fn picture(&self) -> String {
        self.item().await.get_property("IconName").await.unwrap()
    }

    /// Waits until the menu's first line begins so.
    pub async fn says(&self, status: &str) {
        self.has(status, |lines| lines[0].label.starts_with(status)).await;
    }

    /// Waits until the menu is as `wanted` says.
    pub async fn has(&self, what: &str, wanted: impl Fn(&[Line]) -> bool) {
        let last = Mutex::new(Vec::new());
        let seen = async || {
            let lines = self.menu().await;
            let wanted = !lines.is_empty() && wanted(&lines);
            *last.lock().unwrap() = lines;
            wanted
        };
        let deadline = tokio::time::Instant::now() + crate::stage::PATIENCE;
        while !seen().await {
            let lines = last.lock().unwrap().clone();
            assert!(tokio::time::Instant::now() < deadline, "{what}: the menu is {lines:#?}");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    /// The menu as it stands; nothing before there is one.
    pub async fn menu(&self) -> Vec<Line> {
        let Some(menu) = self.menu_proxy().await else { return Vec::new() };
        let none: Vec<String> = Vec::new();
        let mut lines = Vec::new();
        if let Ok(answer) = menu.call_method("GetLayout", &(0, -1, none)).await {
            let body = answer.body();
            let layout: Structure<'_> = body.deserialize().unwrap();
            read(&layout.fields()[1], 0, &mut lines);
        }
        lines
    }

    /// Chooses the line with this label, as soon as it can be chosen.
    pub async fn choose(&self, label: &str) {
        let fits = |line: &Line| line.label == label && line.enabled;
        let chosen = Mutex::new(None);
        self.has(&format!("{label:?} can be chosen"), |lines| {
            *chosen.lock().unwrap() = lines.iter().find(|line| fits(line)).cloned();
            lines.iter().any(fits)
        })
        .await;
        let line = chosen.into_inner().unwrap().unwrap();
        let menu = self.menu_proxy().await.unwrap();
        let () = menu.call("Event", &(line.id, "clicked", Value::from(0_i32), 0_u32)).await.unwrap();
    }

    async fn menu_proxy(&self) -> Option<Proxy<'static>> {
        let (name, _) = self.icons.lock().unwrap().last()?.clone();
        let path: zbus::zvariant::OwnedObjectPath = self.item().await.get_property("Menu").await.ok()?;
        Some(Proxy::new(&self.bus, name, path, "com.canonical.dbusmenu").await.unwrap())
    }

    async fn item(&self) -> Proxy<'static> {
        until_async("the tray has an icon", async || !self.icons.lock().unwrap().is_empty()).await;
        let (name, path) = self.icons.lock().unwrap().last().unwrap().clone();
        let builder = zbus::proxy::Builder::new(&self.bus).destination(name).unwrap().path(path).unwrap();
        let builder = builder.interface("org.kde.StatusNotifierItem").unwrap();
        builder.cache_properties(zbus::proxy::CacheProperties::No).build().await.unwrap()
    }

    /// Locks the collection that secrets are kept in.
    pub async fn lock_keychain(&self) {
        let path = "/org/freedesktop/secrets";
        let service =
            Proxy::new(&self.bus, "org.freedesktop.secrets", path, "org.freedesktop.Secret.Service")
                .await
                .unwrap();
        let login =
            zbus::zvariant::ObjectPath::try_from("/org/freedesktop/secrets/collection/login").unwrap();
        let _: (Vec<zbus::zvariant::OwnedObjectPath>, zbus::zvariant::OwnedObjectPath) =
            service.call("Lock", &vec![login]).await.unwrap();
    }
}

fn read(node: &Value<'_>, depth: usize, lines: &mut Vec<Line>) {
    let node = if let Value::Value(inside) = node { inside } else { node };
    let Value::Structure(node) = node else { return };
    let [Value::I32(id), Value::Dict(properties), Value::Array(children)] = node.fields() else { return };
    if *id != 0 {
        let text = |name: &str| properties.get::<_, String>(&name).ok().flatten();
        let is_separator = text("type").as_deref() == Some("separator");
        let label = if is_separator { "-".to_owned() } else { text("label").unwrap_or_default() };
        let enabled = properties.get::<_, bool>(&"enabled").ok().flatten().unwrap_or(true);
        lines.push(Line { id: *id, depth, label: label.replace("__", "_"), enabled });
    }
    children.iter().for_each(|child| read(child, depth + usize::from(*id != 0), lines));
}
