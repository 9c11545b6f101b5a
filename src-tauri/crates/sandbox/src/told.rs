//! Tells every secret that this process hands out to a file that only the search for leaks reads. Switched on by an
//! environment variable that names a folder; knows nothing of what a secret opens.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Names the folder in which each sandbox leaves a file: one secret a line, or as much of it as gives it away.
pub const FOLDER: &str = "BOOKIJI_SANDBOX_TELLS";

static FILE: OnceLock<Option<Mutex<File>>> = OnceLock::new();

/// Writes `secret` down, where somebody asked for it.
pub fn secret(secret: &str) {
    let file = FILE.get_or_init(|| std::env::var_os(FOLDER).and_then(|folder| open(Path::new(&folder))));
    if let Some(file) = file
        && let Err(error) = writeln!(file.lock().unwrap_or_else(PoisonError::into_inner), "{secret}")
    {
        tracing::error!("a secret was handed out and not told: {error}");
    }
}

fn open(folder: &Path) -> Option<Mutex<File>> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(folder.join(format!("told-{}", std::process::id()))) {
        Ok(file) => Some(Mutex::new(file)),
        Err(error) => {
            tracing::error!("secrets cannot be told: {error}");
            None
        }
    }
}
