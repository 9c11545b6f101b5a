//! Files in and out. Where they lie, the window never learns: it is told names, and speaks of numbers. Native dialogs are
//! opened here, so that no page can name a path.

use std::path::PathBuf;

use companion::folders::FolderFault;
use companion::view::{ExportForm, FoldersView, ImportForm, ImportView, InviteForm, OfferView, WrittenView};
use serde::{Deserialize, Serialize};
use specta::Type;
use tauri::{AppHandle, State};
use tauri_plugin_dialog::{DialogExt, FileDialogBuilder, FilePath};
use tauri_specta::Event;
use tokio::sync::oneshot;

use super::Refusal;
use crate::salon::Salon;

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
pub fn offered(salon: State<'_, Salon>) -> Option<OfferView> {
    salon.shown().offered()
}

/// What the offered files would do. Nothing is written.
#[tauri::command]
#[specta::specta]
pub async fn preview_offer(salon: State<'_, Salon>, form: ImportForm) -> Result<ImportView, Refusal> {
    Ok(salon.shown().import_offer(form, true).await?)
}

/// Takes them in.
#[tauri::command]
#[specta::specta]
pub async fn import_offer(salon: State<'_, Salon>, form: ImportForm) -> Result<ImportView, Refusal> {
    Ok(salon.shown().import_offer(form, false).await?)
}

#[tauri::command]
#[specta::specta]
pub fn put_away_offer(salon: State<'_, Salon>, offer: u32) {
    salon.shown().put_away_offer(offer);
}

/// Lets her choose files, which are then offered like dropped ones.
#[tauri::command]
#[specta::specta]
pub async fn choose_files(app: AppHandle, salon: State<'_, Salon>) -> Result<(), Refusal> {
    // Whose they are to be is settled before she is asked which.
    let desk = salon.shown();
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
pub fn folders(salon: State<'_, Salon>) -> Result<FoldersView, Refusal> {
    Ok(salon.shown().folders()?)
}

/// Lets her choose a folder, whose files are taken in by themselves from then on, or says why not.
#[tauri::command]
#[specta::specta]
pub async fn add_folder(app: AppHandle, salon: State<'_, Salon>) -> Result<Option<FolderFault>, Refusal> {
    let desk = salon.shown();
    let chosen = asked(app.dialog().file(), |dialog, answer| {
        dialog.pick_folder(move |folder| drop(answer.send(folder)));
    })
    .await;
    match chosen.and_then(on_disk) {
        Some(folder) => Ok(desk.watch_folder(&folder).await?),
        None => Ok(None),
    }
}

#[tauri::command]
#[specta::specta]
pub async fn remove_folder(salon: State<'_, Salon>, number: u32) -> Result<(), Refusal> {
    Ok(salon.shown().leave_folder(number).await?)
}

/// Writes her bookings and slots where she chooses; nothing where she chooses nothing.
#[tauri::command]
#[specta::specta]
pub async fn export(
    app: AppHandle,
    salon: State<'_, Salon>,
    form: ExportForm,
) -> Result<Option<WrittenView>, Refusal> {
    let (days, desk) = (form.days()?, salon.shown());
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
    salon: State<'_, Salon>,
    form: InviteForm,
) -> Result<Option<WrittenView>, Refusal> {
    let desk = salon.shown();
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
