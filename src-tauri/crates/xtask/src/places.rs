//! Where things are: the checkout, what cargo built, and what may be kept between checkouts.

use crate::process;
use anyhow::{Context, Result, bail};
use std::env;
use std::path::PathBuf;

/// Finds the top of this checkout, asked at run time: a shared target folder outlives the checkout that filled it.
pub fn root() -> Result<PathBuf> {
    let start = match env::var_os("CARGO_MANIFEST_DIR") {
        Some(manifest) => PathBuf::from(manifest),
        None => env::current_dir().context("asking for the current folder")?,
    };
    let top = start.ancestors().find(|folder| folder.join("rust-toolchain.toml").is_file());
    match top {
        Some(folder) => Ok(folder.to_path_buf()),
        None => bail!("{} is not inside a checkout of Bookiji Companion", start.display()),
    }
}

/// The folder that cargo builds into.
pub fn target() -> Result<PathBuf> {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => Ok(root()?.join(folder)),
        None => Ok(root()?.join("target")),
    }
}

/// A program that a debug build left in the target folder.
pub fn built(name: &str) -> Result<PathBuf> {
    Ok(target()?.join("debug").join(format!("{name}{}", env::consts::EXE_SUFFIX)))
}

/// A folder of ours below the user's cache folder; what lies there can be made again at any time.
pub fn cache(name: &str) -> Result<PathBuf> {
    let base = if cfg!(target_os = "windows") {
        env::var_os("LOCALAPPDATA").map(PathBuf::from)
    } else if let Some(folder) = env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()) {
        Some(PathBuf::from(folder))
    } else {
        let below = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
        env::var_os("HOME").map(|home| PathBuf::from(home).join(below))
    };
    let folder = base.context("no cache folder: set XDG_CACHE_HOME")?.join("bookiji-companion").join(name);
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(folder)
}

/// The folder for what a command shows to people: screenshots and reports.
pub fn artifacts() -> Result<PathBuf> {
    let folder = root()?.join("artifacts");
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(folder)
}

/// An empty folder that is removed when dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes one below the system's temporary folder, for this user's eyes only.
    pub fn new(name: &str) -> Result<Self> {
        let path = process::given("TMPDIR")
            .unwrap_or_else(env::temp_dir)
            .join(format!("bookiji-{name}-{}", std::process::id()));
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &std::path::Path {
        &self.0
    }

    /// Leaves the folder where it is, for whoever wants to know more; answers where.
    pub fn keep(self) -> PathBuf {
        let path = self.0.clone();
        std::mem::forget(self);
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
