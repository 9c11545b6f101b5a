//! Real CalDAV servers on this computer, each with one account, begun by a test and ended with it.

pub mod between;
pub mod cyrus;
mod door;
pub mod hand;
pub mod nextcloud;
pub mod radicale;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub use cyrus::Cyrus;
pub use hand::Hand;
pub use nextcloud::Nextcloud;
pub use radicale::Radicale;

/// Why a server is not there. A test that meets it says so and proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking(pub String);

impl std::fmt::Display for Lacking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The server; or nothing, and on stderr why the test proves nothing without it.
pub fn or_say<T>(started: Result<T, Lacking>) -> Option<T> {
    started.inspect_err(|lacking| eprintln!("SKIPPED, and nothing is proven: {lacking}")).ok()
}

/// The one account that every server here has.
pub const USER: &str = "owner";
pub const PASSWORD: &str = "a secret & of <some> length";

/// A server that has not answered by then never will.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a port may be taken from under us.
const TRIES: usize = 5;

/// A server as a process with all that it starts, which ends with this program however this program ends: once nothing
/// holds its standard input open any more, the group is killed.
struct Leashed(Child);

impl Leashed {
    #[cfg(unix)]
    fn begin(command: &Command) -> Result<Self, Lacking> {
        const LEASH: &str = "{ \"$@\"; kill $$; } & cat >/dev/null; kill -s KILL -- -$$";
        let mut leashed = Command::new("sh");
        leashed.args(["-c", LEASH, "sh"]).arg(command.get_program()).args(command.get_args());
        std::os::unix::process::CommandExt::process_group(&mut leashed, 0);
        leashed.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let name = command.get_program().to_string_lossy();
        leashed.spawn().map(Self).map_err(|error| Lacking(format!("{name} cannot be run: {error}")))
    }

    #[cfg(not(unix))]
    fn begin(_: &Command) -> Result<Self, Lacking> {
        Err(Lacking("servers are started only where processes have groups".to_owned()))
    }
}

impl Drop for Leashed {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn free_port() -> Result<u16, Lacking> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(|error| Lacking(format!("no port is free: {error}")))
}

/// Waits until something listens at `port`; answers false when `child` ended instead.
#[expect(clippy::disallowed_methods, reason = "a server is waited for before anything else goes on")]
fn listens(child: &mut Child, port: u16) -> Result<bool, Lacking> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
            return Ok(false);
        }
        if TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok() {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err(Lacking("it does not answer".to_owned()))
}

/// What a program said, or that it cannot be run.
fn said(command: &mut Command) -> Result<String, Lacking> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| Lacking(format!("{name} cannot be run: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    Err(Lacking(format!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim())))
}

fn written(path: &std::path::Path, text: &str) -> Result<(), Lacking> {
    std::fs::write(path, text).map_err(|error| Lacking(format!("{}: {error}", path.display())))
}

fn folder() -> Result<tempfile::TempDir, Lacking> {
    tempfile::tempdir().map_err(|error| Lacking(format!("no folder can be made: {error}")))
}
