//! The least that a tray app made with Tauri is: an icon, a menu, and a window that is made on demand and let go when it is
//! closed. Measured beside the app, to tell what of its needs are Tauri's.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use tauri::menu::{Menu, MenuItem};
use tauri::tray::TrayIconBuilder;
use tauri::{RunEvent, WebviewUrl, WebviewWindowBuilder};

fn main() -> tauri::Result<()> {
    let app = tauri::Builder::default()
        .setup(|app| {
            let open = MenuItem::with_id(app, "open", "Open", true, None::<&str>)?;
            let menu = Menu::with_items(app, &[&open])?;
            let mut icon = TrayIconBuilder::with_id("main").menu(&menu).on_menu_event(|app, _| {
                let window = WebviewWindowBuilder::new(app, "main", WebviewUrl::default());
                if let Err(error) =
                    window.title("Empty tray").inner_size(1200.0, 800.0).center().build()
                {
                    eprintln!("{error}");
                }
            });
            if let Some(picture) = app.default_window_icon() {
                icon = icon.icon(picture.clone());
            }
            icon.build(app)?;
            Ok(())
        })
        .build(tauri::generate_context!())?;
    app.run(|_, event| {
        if let RunEvent::ExitRequested { code: None, api, .. } = event {
            // Its window has closed, and the tray stays.
            api.prevent_exit();
        }
    });
    Ok(())
}
