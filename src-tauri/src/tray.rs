//! Puts the tray's data on the screen. On Linux a menu can never be replaced once it is set, so its items are kept and
//! their texts changed.

use companion::words::Language;
use tauri::menu::{IsMenuItem, Menu, MenuItem, PredefinedMenuItem};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Wry};

use crate::tray_icon::{Panel, icon};
use crate::tray_menu::{Choice, Item, TrayState, menu};

/// The tray as it stands.
pub struct Tray {
    icon: TrayIcon,
    items: Vec<Option<MenuItem<Wry>>>,
    shown: TrayState,
    language: Language,
    panel: Panel,
}

impl Tray {
    pub fn new(
        app: &AppHandle,
        first: TrayState,
        language: Language,
        panel: Panel,
        choose: impl Fn(&AppHandle, Choice) + Send + Sync + 'static,
    ) -> tauri::Result<Self> {
        let mut items = Vec::new();
        let drawn = Menu::new(app)?;
        for item in menu(&first, language) {
            let (id, text, enabled) = match &item {
                Item::Status(text) => ("status", text, false),
                Item::Choice { choice, text, enabled } => (choice.id(), text, *enabled),
                Item::Separator => {
                    drawn.append(&PredefinedMenuItem::separator(app)?)?;
                    items.push(None);
                    continue;
                }
            };
            let entry = MenuItem::with_id(app, id, text, enabled, None::<&str>)?;
            drawn.append(&entry as &dyn IsMenuItem<Wry>)?;
            items.push(Some(entry));
        }
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
    pub fn show(&mut self, next: TrayState) -> tauri::Result<()> {
        if next.state != self.shown.state {
            self.icon.set_icon(Some(icon(next.state, self.panel)))?;
        }
        if next != self.shown {
            for (entry, item) in self.items.iter().zip(menu(&next, self.language)) {
                let Some(entry) = entry else { continue };
                match item {
                    Item::Status(text) => entry.set_text(text)?,
                    Item::Choice { text, enabled, .. } => {
                        entry.set_text(text)?;
                        entry.set_enabled(enabled)?;
                    }
                    Item::Separator => {}
                }
            }
            self.icon.set_tooltip(Some(tooltip(&next, self.language)))?;
            self.shown = next;
        }
        Ok(())
    }
}

fn tooltip(tray: &TrayState, language: Language) -> String {
    match menu(tray, language).into_iter().next() {
        Some(Item::Status(line)) => format!("Bookiji · {line}"),
        Some(Item::Separator | Item::Choice { .. }) | None => "Bookiji".to_owned(),
    }
}
