//! The window's packages and its built pages, made again only when what they are made from changed.

use crate::places;
use crate::process::{self, STEP, has_program};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// Runs `npm` with `words` in the window's folder.
pub fn npm(words: &[&str]) -> Result<Command> {
    if !has_program("node") {
        bail!("Node.js is missing: install version 20 or newer, with npm");
    }
    let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.current_dir(folder()?).args(words);
    Ok(npm)
}

/// Installs the window's packages if they are not those that the lock file names.
pub fn install() -> Result<()> {
    let lock = fs::read(folder()?.join("package-lock.json")).context("reading ui/package-lock.json")?;
    let stamp = folder()?.join("node_modules/.installed-from-package-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    process::run(&mut npm(&["ci", "--no-audit", "--no-fund"])?, STEP)?;
    fs::write(&stamp, lock).with_context(|| format!("writing {}", stamp.display()))
}

/// Builds the pages into `ui/dist` if anything they are made from is newer.
pub fn build() -> Result<()> {
    let page = folder()?.join("dist/index.html");
    let built = fs::metadata(&page).and_then(|page| page.modified()).ok();
    let mut sources = newest(&folder()?, &["node_modules", "dist", "coverage"])?;
    sources = sources.max(newest(&places::root()?.join("icons"), &[])?);
    if built.is_some_and(|built| built >= sources) {
        return Ok(());
    }
    process::run(&mut npm(&["run", "build"])?, STEP)?;
    if !page.is_file() {
        bail!("`npm run build` succeeded and left no ui/dist/index.html");
    }
    Ok(())
}

fn folder() -> Result<PathBuf> {
    Ok(places::root()?.join("ui"))
}

fn newest(folder: &Path, except: &[&str]) -> Result<SystemTime> {
    let mut newest = SystemTime::UNIX_EPOCH;
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let entry = entry?;
        if except.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        let about = entry.metadata()?;
        let changed = about.modified()?;
        let changed = if about.is_dir() { changed.max(self::newest(&entry.path(), &[])?) } else { changed };
        newest = newest.max(changed);
    }
    Ok(newest)
}
