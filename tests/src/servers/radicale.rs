//! Radicale, from Python's index: needs no rights and no system package but Python.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use super::{Lacking, Leashed, PASSWORD, TRIES, USER, folder, free_port, listens, said, written};

/// A Radicale with an account of [`USER`] and nothing in it.
pub struct Radicale {
    /// Where an account is looked for, as she would type it.
    pub url: String,
    _server: Leashed,
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
            let mut server = begun(&python, folder.path(), port)?;
            if listens(&mut server.0, port)? {
                return Ok(Self { url: format!("http://127.0.0.1:{port}/"), _server: server, folder });
            }
        }
        Err(Lacking("Radicale does not start".to_owned()))
    }

    /// Changes the account's password, as she would on the server's own pages.
    ///
    /// # Panics
    /// When its file cannot be written.
    pub fn set_password(&self, password: &str) {
        let users = self.folder.path().join("users");
        std::fs::write(users, format!("{USER}:{password}\n")).expect("a file of ours");
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

fn begun(python: &Path, folder: &Path, port: u16) -> Result<Leashed, Lacking> {
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
    Leashed::begin(&command)
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
