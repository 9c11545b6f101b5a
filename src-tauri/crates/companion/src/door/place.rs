//! Where the door is: in a folder of the profile that is closed to others, or, where its path is too long for a socket,
//! in one that is made for it and written down there. The lock of the profile says who may open it, so whatever stands
//! there already is left over from a process that was killed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::profile::Profile;

/// Beside the door: where it is instead, if it cannot be here.
const ELSEWHERE: &str = "elsewhere";
/// No path and no name is longer.
const LONGEST_NOTE: u64 = 4096;

fn folder(profile: &Profile) -> PathBuf {
    profile.root().join("door")
}

fn note(folder: &Path) -> Option<String> {
    use std::io::Read;
    let mut text = String::new();
    fs::File::open(folder.join(ELSEWHERE)).ok()?.take(LONGEST_NOTE).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(unix)]
mod here {
    use super::{ELSEWHERE, Path, PathBuf, Profile, folder, fs, io, note};
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
    use tokio::net::{UnixListener, UnixStream};

    const SOCKET: &str = "knock";
    const PREFIX: &str = "bookiji-door-";
    /// The shortest that any system allows (macOS), with its closing zero.
    const LONGEST_PATH: usize = 103;

    pub struct Listener {
        socket: UnixListener,
        owner: u32,
    }

    impl Listener {
        /// The next caller who runs as we do. A folder that is closed to others lets nobody else come this far.
        pub async fn accept(&mut self) -> io::Result<UnixStream> {
            let (caller, _) = self.socket.accept().await?;
            if caller.peer_cred()?.uid() == self.owner {
                Ok(caller)
            } else {
                Err(io::Error::from(io::ErrorKind::PermissionDenied))
            }
        }
    }

    /// What is to be swept away at the end.
    pub struct Place {
        folder: PathBuf,
        socket: PathBuf,
    }

    impl Place {
        pub fn close(&self) {
            let _ = fs::remove_file(&self.socket);
            sweep(&self.folder);
        }
    }

    pub fn open(profile: &Profile) -> io::Result<(Listener, Place)> {
        let folder = folder(profile);
        closed_folder(&folder)?;
        sweep(&folder);
        let mut socket = folder.join(SOCKET);
        if socket.as_os_str().len() > LONGEST_PATH {
            socket = elsewhere(&folder)?.join(SOCKET);
        }
        match fs::remove_file(&socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(&socket)?;
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o600))?;
        let owner = fs::metadata(&socket)?.uid();
        Ok((Listener { socket: listener, owner }, Place { folder, socket }))
    }

    pub async fn knock(profile: &Profile) -> io::Result<UnixStream> {
        let folder = folder(profile);
        let mut socket = folder.join(SOCKET);
        if let Some(elsewhere) = note(&folder) {
            socket = PathBuf::from(elsewhere).join(SOCKET);
        }
        if socket.as_os_str().len() > LONGEST_PATH {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        }
        UnixStream::connect(socket).await
    }

    fn closed_folder(folder: &Path) -> io::Result<()> {
        match fs::DirBuilder::new().mode(0o700).create(folder) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if !fs::symlink_metadata(folder)?.is_dir() {
                    return Err(error);
                }
                fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
            }
            Err(error) => Err(error),
        }
    }

    /// A folder of a short name, for its owner alone, and a note of where it is.
    fn elsewhere(folder: &Path) -> io::Result<PathBuf> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|dir| dir.is_absolute());
        let made = |parent: &Path| {
            let closed = fs::Permissions::from_mode(0o700);
            tempfile::Builder::new().prefix(PREFIX).permissions(closed).tempdir_in(parent)
        };
        let made = runtime.and_then(|dir| made(&dir).ok()).map_or_else(|| made(&std::env::temp_dir()), Ok)?;
        let mut note = fs::OpenOptions::new();
        let mut note =
            note.write(true).create(true).truncate(true).mode(0o600).open(folder.join(ELSEWHERE))?;
        let path = made.keep();
        io::Write::write_all(&mut note, path.as_os_str().as_encoded_bytes())?;
        Ok(path)
    }

    /// Removes a folder elsewhere that a note speaks of, if it is one of ours.
    fn sweep(folder: &Path) {
        let Some(elsewhere) = note(folder).map(PathBuf::from) else { return };
        let ours = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with(PREFIX);
        if elsewhere.is_absolute() && elsewhere.file_name().is_some_and(ours) {
            let _ = fs::remove_file(elsewhere.join(SOCKET));
            let _ = fs::remove_dir(&elsewhere);
        }
        let _ = fs::remove_file(folder.join(ELSEWHERE));
    }
}

/// A pipe has a name that nobody can guess, which is written down in the profile.
#[cfg(windows)]
mod here {
    use super::{ELSEWHERE, PathBuf, Profile, folder, fs, io, note};
    use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions};

    pub struct Listener {
        name: String,
        next: NamedPipeServer,
    }

    impl Listener {
        pub async fn accept(&mut self) -> io::Result<NamedPipeServer> {
            self.next.connect().await?;
            let next = ServerOptions::new().reject_remote_clients(true).create(&self.name)?;
            Ok(std::mem::replace(&mut self.next, next))
        }
    }

    pub struct Place {
        folder: PathBuf,
    }

    impl Place {
        pub fn close(&self) {
            let _ = fs::remove_file(self.folder.join(ELSEWHERE));
        }
    }

    pub fn open(profile: &Profile) -> io::Result<(Listener, Place)> {
        let folder = folder(profile);
        fs::create_dir_all(&folder)?;
        let name = format!(r"\\.\pipe\bookiji-door-{}", uuid::Uuid::new_v4().simple());
        let next =
            ServerOptions::new().first_pipe_instance(true).reject_remote_clients(true).create(&name)?;
        fs::write(folder.join(ELSEWHERE), &name)?;
        Ok((Listener { name, next }, Place { folder }))
    }

    pub async fn knock(profile: &Profile) -> io::Result<NamedPipeClient> {
        let name = note(&folder(profile)).filter(|name| name.starts_with(r"\\.\pipe\bookiji-door-"));
        let name = name.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        ClientOptions::new().open(name)
    }
}

pub use here::{Listener, Place, knock, open};
