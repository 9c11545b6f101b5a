//! A PostgreSQL of its own for one test: in a temporary folder, on a socket in it, as somebody without rights.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);
/// Who the server runs as where the test itself runs as root, which it refuses to.
const NOBODY: &str = "postgres";

/// A running server. Dropping it ends it.
pub struct Server {
    folder: TempDir,
    programs: PathBuf,
    server: Child,
}

/// What one script came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Rows(String),
    Refused { code: String, message: String },
}

impl Server {
    /// Starts one; nothing where PostgreSQL is not installed, which is said loudly.
    pub async fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!(
                "*** SKIPPED: install PostgreSQL (Debian: postgresql) to judge today's sandbox by it ***"
            );
            return None;
        };
        // Whoever runs the server then is nobody, who may not look into folders that are somebody's alone.
        let folder = if is_root() { tempfile::tempdir_in("/tmp") } else { tempfile::tempdir() }.unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        if is_root() {
            let owner = format!("{NOBODY}:{NOBODY}");
            assert!(run(Command::new("chown").arg("-R").arg(owner).arg(folder.path())));
        }
        let initdb = programs.join("initdb");
        let options = ["-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"];
        assert!(run(unprivileged(&initdb).arg("-D").arg(&data).args(options)), "initdb");
        let server = unprivileged(&programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "log_min_messages=fatal"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let running = Self { folder, programs, server };
        let begun = Instant::now();
        while running.ask("SELECT 1") != Answer::Rows("1".to_owned()) {
            assert!(begun.elapsed() < PATIENCE, "the server does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Some(running)
    }

    /// Runs a script in one session, and answers with its rows or its first refusal.
    pub fn ask(&self, script: &str) -> Answer {
        let mut psql = Command::new(self.programs.join("psql"))
            .arg("-h")
            .arg(self.folder.path())
            .args(["-U", "postgres", "-d", "postgres", "-X", "-q", "-A", "-t"])
            .args(["-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-f", "-"])
            .env("PGOPTIONS", "-c timezone=UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that cannot connect reads nothing.
        let _ = psql.stdin.take().unwrap().write_all(script.as_bytes());
        let output = psql.wait_with_output().unwrap();
        if output.status.success() {
            return Answer::Rows(String::from_utf8(output.stdout).unwrap().trim().to_owned());
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        // `psql:<stdin>:4: ERROR:  23505: duplicate key value …`
        let told = stderr.lines().find_map(|line| line.split_once("ERROR:  "));
        let (code, message) = told.and_then(|(_, told)| told.split_once(": ")).unwrap_or(("", &stderr));
        Answer::Refused { code: code.to_owned(), message: message.to_owned() }
    }

    #[track_caller]
    pub fn rows(&self, script: &str) -> Vec<String> {
        match self.ask(script) {
            Answer::Rows(rows) => rows.lines().map(str::to_owned).collect(),
            refused @ Answer::Refused { .. } => panic!("{refused:?}: {script}"),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // At once, and without leaving its shared memory behind.
        let pid = self.server.id().to_string();
        run(Command::new("kill").args(["-QUIT", &pid]));
        let _ = self.server.wait();
    }
}

/// Debian keeps the server's programs where no shell finds them.
fn programs() -> Option<PathBuf> {
    let all = ["initdb", "postgres", "psql"];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    folders.extend(versions.map(|version| version.path().join("bin")));
    folders.into_iter().find(|folder| all.iter().all(|program| folder.join(program).is_file()))
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    String::from_utf8_lossy(&id.stdout).trim() == "0"
}

fn unprivileged(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]).arg(program);
    command.current_dir("/");
    command
}

fn run(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
}
