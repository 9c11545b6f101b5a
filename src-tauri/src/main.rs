//! The desktop shell: window, tray and commands around the application in crate `companion`. Wiring only.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod app;
mod args;
mod commands;
mod desk;
#[cfg(target_os = "linux")]
mod drawing;
mod notifier;
mod salon;
mod sample;
mod tray;
mod tray_choice;
mod tray_host;
mod tray_icon;
mod updates;
mod window;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    drawing::settle();
    match app::run(&args::Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
