//! Puts the tray's data on the screen, and keeps it fresh. On Linux a menu can never be replaced once it is set, so its
//! items are kept and their texts changed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use companion::clock::SystemClock;
use companion::tray::{Choice, Item, Seat, Speech, TrayState, menu, tooltip};
use companion::view::{Overview, State};
use companion::words::Language;
use sync::ports::Clock;
use tauri::menu::{IsMenuItem, Menu, MenuItem, PredefinedMenuItem, Submenu};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Manager, Wry};
use tokio::sync::watch;

use crate::desk::Desk;
use crate::salon::Salon;
use crate::tray_choice::choose;
use crate::tray_icon::{Panel, icon};

/// A state that is over sooner than this does not make the icon blink.
const BLINK: Duration = Duration::from_secs(3);

/// How often "2 min ago" is looked at again, and whether the engine still gives a sign.
pub const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// The tray as it stands.
pub struct Tray {
    icon: TrayIcon,
    items: Vec<Drawn>,
    shown: TrayState,
    language: Language,
    panel: Panel,
}

/// One item as it was drawn.
enum Drawn {
    Line(MenuItem<Wry>),
    Separator(PredefinedMenuItem<Wry>),
    Submenu(Submenu<Wry>, Vec<Self>),
}

impl Tray {
    pub fn new(app: &AppHandle, panel: Panel) -> tauri::Result<Self> {
        let (first, language) = looked_at(app);
        let items = menu(&first, language)
            .into_iter()
            .map(|item| Drawn::new(app, item))
            .collect::<tauri::Result<Vec<_>>>()?;
        let drawn = Menu::new(app)?;
        items.iter().try_for_each(|item| drawn.append(item.entry()))?;
        let icon = TrayIconBuilder::with_id("main")
            .icon(icon(first.state, panel))
            .icon_as_template(panel == Panel::Template)
            .tooltip(tooltip(&first, language))
            .menu(&drawn)
            .on_menu_event(move |app, event| {
                if let Some(choice) = Choice::of_id(event.id().as_ref()) {
                    choose(app, choice);
                }
            })
            .build(app)?;
        Ok(Self { icon, items, shown: first, language, panel })
    }

    /// Changes what is different, and nothing else: every new icon is a file on Linux.
    fn show(&mut self, next: TrayState, language: Language) -> tauri::Result<()> {
        if next == self.shown && language == self.language {
            return Ok(());
        }
        if next.state != self.shown.state {
            self.icon.set_icon(Some(icon(next.state, self.panel)))?;
        }
        let before = menu(&self.shown, self.language);
        for ((drawn, item), before) in self.items.iter().zip(menu(&next, language)).zip(before) {
            drawn.change(&before, item)?;
        }
        self.icon.set_tooltip(Some(tooltip(&next, language)))?;
        self.shown = next;
        self.language = language;
        Ok(())
    }
}

/// What there is to show now.
fn looked_at(app: &AppHandle) -> (TrayState, Language) {
    let salon = app.state::<Salon>();
    let (shown, language) = (salon.shown_seat(), salon.shown().language());
    let seen = |desk: &Desk| (desk.overview(), desk.silence());
    let others: Vec<_> =
        salon.all().iter().filter(|(id, _)| *id != shown).map(|(_, desk)| seen(desk)).collect();
    let shown = seen(&salon.shown());
    let others: Vec<Seat<'_>> = others.iter().map(seat).collect();
    let speech = Speech::of(language, sys_locale::get_locale().as_deref());
    (TrayState::of_all(seat(&shown), &others, SystemClock.now(), speech), language)
}

fn seat((overview, silence): &(Overview, Option<Duration>)) -> Seat<'_> {
    Seat { overview, silence: *silence }
}

/// Shows every change, and that time passes where nothing changes. What is drawn is drawn by the main thread, and nobody
/// waits for it here: at the end that thread waits for us.
pub async fn keep(app: AppHandle, tray: Tray, mut news: watch::Receiver<()>) {
    let tray = Arc::new(Mutex::new(tray));
    let shown = |tray: &Mutex<Tray>| tray.lock().unwrap_or_else(PoisonError::into_inner).shown.state;
    loop {
        news.mark_unchanged();
        let (next, _) = looked_at(&app);
        if (next.state == State::Syncing || next.silent) && next.state != shown(&tray) {
            match tokio::time::timeout(BLINK, news.changed()).await {
                Ok(Ok(())) => continue,
                Ok(Err(_)) => return,
                Err(_) => {}
            }
        }
        let (next, language) = looked_at(&app);
        let drawn = Arc::clone(&tray);
        let draw = move || drawn.lock().unwrap_or_else(PoisonError::into_inner).show(next, language);
        let asked = app.run_on_main_thread(move || {
            if let Err(error) = draw() {
                tracing::warn!(%error, "the tray does not change");
            }
        });
        if asked.is_err() {
            return;
        }
        if let Ok(Err(_)) = tokio::time::timeout(LOOK_AGAIN, news.changed()).await {
            return;
        }
    }
}

impl Drawn {
    fn new(app: &AppHandle, item: Item) -> tauri::Result<Self> {
        Ok(match item {
            Item::Text { id, text } => Self::Line(MenuItem::with_id(app, id, text, false, None::<&str>)?),
            Item::Choice { choice, text, enabled } => {
                Self::Line(MenuItem::with_id(app, choice.id(), text, enabled, None::<&str>)?)
            }
            Item::Separator => Self::Separator(PredefinedMenuItem::separator(app)?),
            Item::Submenu { id, text, enabled, items } => {
                let submenu = Submenu::with_id(app, id, text, enabled)?;
                let items =
                    items.into_iter().map(|item| Self::new(app, item)).collect::<tauri::Result<Vec<_>>>()?;
                items.iter().try_for_each(|item| submenu.append(item.entry()))?;
                Self::Submenu(submenu, items)
            }
        })
    }

    fn entry(&self) -> &dyn IsMenuItem<Wry> {
        match self {
            Self::Line(line) => line,
            Self::Separator(separator) => separator,
            Self::Submenu(submenu, _) => submenu,
        }
    }

    fn change(&self, before: &Item, item: Item) -> tauri::Result<()> {
        if *before == item {
            return Ok(());
        }
        match (self, before, item) {
            (Self::Line(line), _, Item::Text { text, .. }) => line.set_text(text),
            (Self::Line(line), _, Item::Choice { text, enabled, .. }) => {
                line.set_text(text)?;
                line.set_enabled(enabled)
            }
            (
                Self::Submenu(submenu, drawn),
                Item::Submenu { items: before, .. },
                Item::Submenu { text, enabled, items, .. },
            ) => {
                submenu.set_text(text)?;
                submenu.set_enabled(enabled)?;
                drawn
                    .iter()
                    .zip(before)
                    .zip(items)
                    .try_for_each(|((drawn, before), item)| drawn.change(before, item))
            }
            // The menu has the same items in every state.
            (
                Self::Line(_) | Self::Separator(_) | Self::Submenu(..),
                _,
                Item::Text { .. } | Item::Separator | Item::Choice { .. } | Item::Submenu { .. },
            ) => Ok(()),
        }
    }
}
