//! Names the commands the window may call. A command that is not named here, or not granted in `capabilities/`, is
//! refused.

fn main() {
    let manifest = tauri_build::AppManifest::new().commands(&[
        "overview",
        "sync_now",
        "start_syncing",
        "decide",
        "undo_run",
        "unblock",
        "block_again",
        "pause",
        "resume",
        "block_time",
        "wanted_place",
        "explore_sample",
        "leave_sample",
        "choices",
        "choose",
        "log_in",
        "connect_caldav",
        "connect_link",
        "disconnect",
        "privacy",
        "sent_words",
        "preferences",
        "set_preferences",
        "diagnose",
        "forget",
        "about",
        "starts_at_login",
        "set_start_at_login",
        "check_for_updates",
        "install_update",
        "offered",
        "preview_offer",
        "import_offer",
        "put_away_offer",
        "choose_files",
        "folders",
        "add_folder",
        "remove_folder",
        "export",
        "invite",
    ]);
    if let Err(error) = tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest)) {
        panic!("{error:#}");
    }
}
