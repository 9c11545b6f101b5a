//! Where the app writes down what it did: `logs/companion.log`, turned over before it grows large, and one note per
//! crash. Only our own crates are heard, and they write ids and counts; libraries that might repeat a header are not.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use sync::ports::Clock;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::clock::SystemClock;
use crate::profile::Profile;

const MAX_BYTES: u64 = 1024 * 1024;
const KEPT: u32 = 4;

/// Starts logging, once per process. A folder that does not exist yet is not made for it.
pub fn start(profile: &Profile, verbose: u8) {
    let file =
        profile.root().is_dir().then(|| Rotating::open(&profile.logs().join("companion.log"))).flatten();
    let to_file = file.map(|file| {
        tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(Mutex::new(file))
            .with_filter(ours(if verbose > 0 { "debug" } else { "info" }))
    });
    let to_stderr = (verbose > 0).then(|| {
        tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_target(false)
            .with_writer(std::io::stderr)
            .with_filter(ours(if verbose > 1 { "debug" } else { "info" }))
    });
    // A second start in one process, as tests do, keeps the first.
    let _ = tracing_subscriber::registry().with(to_file).with(to_stderr).try_init();
}

fn ours(level: &str) -> EnvFilter {
    let ours = ["companion", "bookiji_companion", "connectors", "mirror", "sync", "calendar"];
    EnvFilter::new(format!("off,{}", ours.map(|name| format!("{name}={level}")).join(",")))
}

/// Ends the process with a plain sentence when something panics, and leaves a note of where it happened.
///
/// The note holds the place and never a value: a panic's text may repeat what was being worked on.
pub fn install_panic_note(profile: Option<&Profile>) {
    let logs = profile.filter(|profile| profile.root().is_dir()).map(Profile::logs);
    std::panic::set_hook(Box::new(move |panic| {
        tell_panic(logs.as_deref(), panic, "and it has stopped. Nothing is lost: the next sync carries on.");
        std::process::exit(1);
    }));
}

/// As [`install_panic_note`], where several vendors share the process: what breaks for one ends nobody else's syncs.
pub fn install_panic_note_among_others(home: &Profile) {
    let logs = Some(home).filter(|home| home.root().is_dir()).map(Profile::logs);
    std::panic::set_hook(Box::new(move |panic| {
        tell_panic(logs.as_deref(), panic, "for one vendor. Hers begins anew; the others' syncs go on.");
    }));
}

fn tell_panic(logs: Option<&Path>, panic: &std::panic::PanicHookInfo<'_>, what_now: &str) {
    let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    let written = logs.and_then(|logs| crash_note(logs, &place, static_text(panic)));
    let kept = written.map(|path| format!(" A note is in {}.", path.display())).unwrap_or_default();
    let _ = writeln!(
        std::io::stderr().lock(),
        "Something went wrong inside the app (at {place}), {what_now}{kept}"
    );
}

/// The panic's text where it was written into the program, and not put together from values.
fn static_text<'a>(panic: &std::panic::PanicHookInfo<'a>) -> Option<&'static str> {
    panic.payload().downcast_ref::<&'static str>().copied()
}

fn crash_note(logs: &Path, place: &str, text: Option<&str>) -> Option<PathBuf> {
    private_folder(logs).ok()?;
    let now = SystemClock.now();
    let path = logs.join(format!("crash-{}.txt", now.strftime("%Y%m%dT%H%M%SZ")));
    let note = format!(
        "companion {} on {} {}\n{now}\nat {place}\n{}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        text.unwrap_or("(the text is left out: it may hold values)"),
    );
    private(OpenOptions::new().write(true).create_new(true))
        .open(&path)
        .ok()?
        .write_all(note.as_bytes())
        .ok()?;
    Some(path)
}

/// A file that becomes `NAME.1`, `NAME.2`, … when it is full.
struct Rotating {
    path: PathBuf,
    file: File,
    written: u64,
}

impl Rotating {
    fn open(path: &Path) -> Option<Self> {
        private_folder(path.parent()?).ok()?;
        let file = append(path).ok()?;
        let written = file.metadata().ok()?.len();
        Some(Self { path: path.to_owned(), file, written })
    }

    fn turn_over(&mut self) -> std::io::Result<()> {
        let older = |n: u32| PathBuf::from(format!("{}.{n}", self.path.display()));
        for n in (1..KEPT).rev() {
            let _ = std::fs::rename(older(n), older(n + 1));
        }
        std::fs::rename(&self.path, older(1))?;
        self.file = append(&self.path)?;
        self.written = 0;
        Ok(())
    }
}

impl Write for Rotating {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.written > 0 && self.written + bytes.len() as u64 > MAX_BYTES {
            self.turn_over()?;
        }
        let written = self.file.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

fn append(path: &Path) -> std::io::Result<File> {
    private(OpenOptions::new().create(true).append(true)).open(path)
}

fn private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_is_turned_over_and_only_a_few_old_ones_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("logs/companion.log");
        let mut log = Rotating::open(&path).unwrap();
        let line = vec![b'x'; 600 * 1024];
        for _ in 0..8 {
            log.write_all(&line).unwrap();
        }
        let mut names: Vec<_> = std::fs::read_dir(path.parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            ["companion.log", "companion.log.1", "companion.log.2", "companion.log.3", "companion.log.4"]
        );
        assert!(std::fs::metadata(&path).unwrap().len() <= MAX_BYTES);
    }

    #[test]
    fn a_crash_note_names_the_place_and_leaves_out_values() {
        let dir = tempfile::tempdir().unwrap();
        let path = crash_note(dir.path(), "src/x.rs:1:2", None).unwrap();
        let note = std::fs::read_to_string(path).unwrap();
        assert!(note.contains("src/x.rs:1:2") && note.contains("left out"), "{note}");
    }
}
