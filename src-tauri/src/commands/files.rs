//! Files in and out. Where they lie, the window never learns: it is told names, and speaks of numbers. Native dialogs are
//! opened here, so that no page can name a path.

use std::path::PathBuf;

use companion::view::{ExportForm, FoldersView, ImportForm, ImportView, InviteForm, OfferView, WrittenView};
use serde::{Deserialize, Serialize};
use specta::Type;
use tauri::{AppHandle, State};
use tauri_plugin_dialog::{DialogExt, FileDialogBuilder, FilePath};
use tauri_specta::Event;
use tokio::sync::oneshot;

use super::Refusal;
use crate::desk::Desk;

/// Files are held over the window, or are not any more.
#[derive(Clone, Debug, Serialize, Deserialize, Type, Event)]
pub struct FilesOver {
    pub over: bool,
}

/// Tells the window to ask what was offered.
#[derive(Clone, Debug, Serialize, Deserialize, Type, Event)]
pub struct OfferChanged;

#[tauri::command]
#[specta::specta]
pub fn offered(desk: State<'_, Desk>) -> Option<OfferView> {
    desk.offered()
}

/// What the offered files would do. Nothing is written.
#[tauri::command]
#[specta::specta]
pub async fn preview_offer(desk: State<'_, Desk>, form: ImportForm) -> Result<ImportView, Refusal> {
    Ok(desk.import_offer(form, true).await?)
}

/// Takes them in.
#[tauri::command]
#[specta::specta]
pub async fn import_offer(desk: State<'_, Desk>, form: ImportForm) -> Result<ImportView, Refusal> {
    Ok(desk.import_offer(form, false).await?)
}

#[tauri::command]
#[specta::specta]
pub fn put_away_offer(desk: State<'_, Desk>, offer: u32) {
    desk.put_away_offer(offer);
}

/// Lets her choose files, which are then offered like dropped ones.
#[tauri::command]
#[specta::specta]
pub async fn choose_files(app: AppHandle, desk: State<'_, Desk>) -> Result<(), Refusal> {
    let dialog = app.dialog().file().add_filter("iCalendar", &["ics", "ical", "icalendar", "ifb", "vcs"]);
    let chosen = asked(dialog, |dialog, answer| {
        dialog.pick_files(move |files| drop(answer.send(files.unwrap_or_default())));
    })
    .await;
    desk.offer_files(chosen.into_iter().filter_map(on_disk).collect());
    Ok(())
}

#[tauri::command]
#[specta::specta]
pub fn folders(desk: State<'_, Desk>) -> Result<FoldersView, Refusal> {
    Ok(desk.folders()?)
}

/// Lets her choose a folder, whose files are taken in by themselves from then on.
#[tauri::command]
#[specta::specta]
pub async fn add_folder(app: AppHandle, desk: State<'_, Desk>) -> Result<(), Refusal> {
    let chosen = asked(app.dialog().file(), |dialog, answer| {
        dialog.pick_folder(move |folder| drop(answer.send(folder)));
    })
    .await;
    match chosen.and_then(on_disk) {
        Some(folder) => Ok(desk.watch_folder(&folder).await?),
        None => Ok(()),
    }
}

#[tauri::command]
#[specta::specta]
pub async fn remove_folder(desk: State<'_, Desk>, number: u32) -> Result<(), Refusal> {
    Ok(desk.leave_folder(number).await?)
}

/// Writes her bookings and slots where she chooses; nothing where she chooses nothing.
#[tauri::command]
#[specta::specta]
pub async fn export(
    app: AppHandle,
    desk: State<'_, Desk>,
    form: ExportForm,
) -> Result<Option<WrittenView>, Refusal> {
    let days = form.days()?;
    match place(&app, &format!("bookiji-{}-{}.ics", days.from, days.to)).await {
        Some(to) => Ok(Some(desk.write_file(form.errand(days, to)).await?)),
        None => Ok(None),
    }
}

/// Writes an invitation to one booking, or its withdrawal, where she chooses.
#[tauri::command]
#[specta::specta]
pub async fn invite(
    app: AppHandle,
    desk: State<'_, Desk>,
    form: InviteForm,
) -> Result<Option<WrittenView>, Refusal> {
    match place(&app, &form.usual_name()?).await {
        Some(to) => Ok(Some(desk.write_file(form.errand(to)).await?)),
        None => Ok(None),
    }
}

async fn place(app: &AppHandle, usual: &str) -> Option<PathBuf> {
    let dialog = app.dialog().file().add_filter("iCalendar", &["ics"]).set_file_name(usual);
    let chosen = asked(dialog, |dialog, answer| {
        dialog.save_file(move |file| drop(answer.send(file)));
    })
    .await;
    chosen.and_then(on_disk)
}

/// Opens a native dialog; one that went away without an answer chose nothing.
async fn asked<T: Default>(
    dialog: FileDialogBuilder<tauri::Wry>,
    open: impl FnOnce(FileDialogBuilder<tauri::Wry>, oneshot::Sender<T>),
) -> T {
    let (answer, answered) = oneshot::channel();
    open(dialog, answer);
    answered.await.unwrap_or_default()
}

fn on_disk(file: FilePath) -> Option<PathBuf> {
    file.into_path().ok()
}
