//! How the file was left: a clean end writes a note beside it that says what it looked like, and whoever opens it takes
//! the note away before the first write. Knows nothing of what is in the file.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// What stands at a path before it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// There is no file.
    Nowhere,
    /// Nobody said how it was left: it is new, or the one who wrote it did not come to an end.
    Open,
    /// To the last bit as it was closed.
    AsNoted,
    /// Closed, and then changed by somebody else than us.
    Changed,
}

/// The same path with more behind its name, as SQLite names its own files.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn note(path: &Path) -> PathBuf {
    beside(path, ".closed")
}

/// # Errors
/// When the file is there and cannot be read.
pub fn how(path: &Path) -> io::Result<Left> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Err(io::Error::from(io::ErrorKind::IsADirectory)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Left::Nowhere),
        Err(error) => return Err(error),
    }
    let Some(told) = read_note(&note(path)) else { return Ok(Left::Open) };
    Ok(if told == likeness(path)? { Left::AsNoted } else { Left::Changed })
}

/// From here on nobody can say how the file stands.
///
/// # Errors
/// When the note stays where it is: nothing must be written then.
pub fn begin(path: &Path) -> io::Result<()> {
    match fs::remove_file(note(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Notes how the closed file stands, unless something of it still lies in its log.
///
/// # Errors
/// When no note can be left: the next one who opens it will look at all of it.
pub fn end(path: &Path) -> io::Result<()> {
    if has_log(path) {
        return Ok(());
    }
    let (made, place) = (beside(path, ".closing"), note(path));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&made)?;
    write!(file, "{}", likeness(path)?)?;
    file.sync_all()?;
    drop(file);
    fs::rename(made, place)
}

/// Whether SQLite's log holds anything that is not in the file.
pub fn has_log(path: &Path) -> bool {
    fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0)
}

pub fn begins_with(path: &Path, words: &[u8]) -> bool {
    let mut begin = Vec::new();
    let read = File::open(path).and_then(|file| file.take(words.len() as u64).read_to_end(&mut begin));
    read.is_ok() && begin == words
}

/// A note that makes no sense is none.
fn read_note(note: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(note).ok()?.take(256).read_to_string(&mut text).ok()?;
    (text.len() == 64).then_some(text)
}

fn likeness(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(HEXLOWER.encode(&hash.finalize())),
            read => hash.update(&piece[..read]),
        }
    }
}
