//! Reads the configuration, as every Tauri app does.

fn main() {
    tauri_build::build();
}
