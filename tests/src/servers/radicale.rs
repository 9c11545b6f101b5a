//! Radicale, from Python's index: needs no rights and no system package but Python.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use super::{Lacking, PASSWORD, TRIES, USER, folder, free_port, listens, said, written};

/// A Radicale with an account of [`USER`] and nothing in it.
pub struct Radicale {
    /// Where an account is looked for, as she would type it.
    pub url: String,
    child: Child,
    folder: TempDir,
}

impl Radicale {
    /// # Errors
    /// When it cannot be had on this computer.
    pub fn start() -> Result<Self, Lacking> {
        let python = python()?;
        let folder = folder()?;
        written(&folder.path().join("users"), &format!("{USER}:{PASSWORD}\n"))?;
        for _ in 0..TRIES {
            let port = free_port()?;
            let mut child = begun(&python, folder.path(), port)?;
            if listens(&mut child, port)? {
                return Ok(Self { url: format!("http://127.0.0.1:{port}/"), child, folder });
            }
        }
        Err(Lacking("Radicale does not start".to_owned()))
    }

    /// Where her calendars are.
    #[must_use]
    pub fn home(&self) -> String {
        format!("/{USER}/")
    }

    /// Where it keeps what it was given, one file an event.
    #[must_use]
    pub fn kept(&self) -> PathBuf {
        self.folder.path().join("kept/collection-root").join(USER)
    }
}

impl Drop for Radicale {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn begun(python: &Path, folder: &Path, port: u16) -> Result<Child, Lacking> {
    let config = folder.join("config");
    let (users, kept) = (folder.join("users"), folder.join("kept"));
    let text = format!(
        "[server]\nhosts = 127.0.0.1:{port}\n[auth]\ntype = htpasswd\nhtpasswd_filename = {}\n\
         htpasswd_encryption = plain\ndelay = 0\n[storage]\nfilesystem_folder = {}\n[logging]\nlevel = error\n",
        users.display(),
        kept.display()
    );
    written(&config, &text)?;
    let mut command = Command::new(python);
    command.args(["-m", "radicale", "--config"]).arg(config);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map_err(|error| Lacking(format!("Radicale cannot be run: {error}")))
}

/// The Python that has Radicale and the clients, brought once.
///
/// # Errors
/// When it cannot be brought.
pub fn python() -> Result<PathBuf, Lacking> {
    static PYTHON: OnceLock<Result<PathBuf, Lacking>> = OnceLock::new();
    let bring = || {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("caldav/tools.py");
        said(Command::new("python3").arg(script)).map(PathBuf::from)
    };
    PYTHON.get_or_init(bring).clone()
}
