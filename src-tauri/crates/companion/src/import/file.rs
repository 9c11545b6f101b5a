//! Which files are read at all: regular ones, of a size that calendars have, that do not lead anywhere else. What is in
//! them is read elsewhere.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use calendar::ics::{self, NotACalendar};
use sync::error::Code;

use super::rejection::{Rejected, Rejection};
use crate::problem::Problem;

const MAX_MB: u32 = 10;
/// The largest file that is taken in.
pub const MAX_BYTES: u64 = MAX_MB as u64 * 1024 * 1024;

/// Reads one file for import: at most 10 MB, a regular file, a calendar.
///
/// # Errors
/// In words for the vendor, with the cause and what to do.
pub fn read_file(path: &Path) -> Result<Vec<u8>, Rejected> {
    if path.components().any(|part| part == Component::ParentDir) {
        let step = "Name the file by its full path, or from the folder it is in.";
        return Err(refused(Rejection::Climbs, path, "has \"..\" in its name", step));
    }
    let real = within_its_folder(path)?;
    let file = open(&real).map_err(|error| unreadable(path, &error))?;
    let about = file.metadata().map_err(|error| unreadable(path, &error))?;
    if about.is_dir() {
        return Err(refused(Rejection::Folder, path, "is a folder", "Name the .ics files in it."));
    }
    if !about.is_file() {
        let what = "is no regular file, but a device or a pipe";
        return Err(refused(Rejection::NoFile, path, what, "Name an .ics file."));
    }
    if about.len() > MAX_BYTES {
        return Err(too_large(path));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or_default() + 1);
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    // It may have grown since it was measured.
    if bytes.len() as u64 > MAX_BYTES {
        return Err(too_large(path));
    }
    ics::glance(&bytes).map_err(|what| no_calendar(path, what))?;
    Ok(bytes)
}

/// What to say of a file that holds no calendar.
#[must_use]
pub fn no_calendar(path: &Path, what: NotACalendar) -> Rejected {
    let problem = Problem::new(Code::InvalidIcsFormat, format!("{}, line 1: {what}.", path.display()));
    let problem = match what {
        NotACalendar::Zip => problem.then("Unpack it, and import the .ics files inside."),
        NotACalendar::Html => {
            problem.then("Sign in where the calendar is, download its .ics file again, and import that one.")
        }
        NotACalendar::Executable => problem.then("Do not open it. Ask whoever sent it for an .ics file."),
        NotACalendar::Empty
        | NotACalendar::Compressed
        | NotACalendar::Pdf
        | NotACalendar::Json
        | NotACalendar::Xml
        | NotACalendar::Contacts
        | NotACalendar::NoCalendar
        | NotACalendar::TooLarge => problem,
    };
    Rejected::new(Rejection::NotACalendar { what }, problem)
}

/// The file itself, where the name is a link that stays in its folder.
fn within_its_folder(path: &Path) -> Result<PathBuf, Rejected> {
    let about = std::fs::symlink_metadata(path).map_err(|error| unreadable(path, &error))?;
    if !about.file_type().is_symlink() {
        return Ok(path.to_path_buf());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let real = path.canonicalize().map_err(|error| unreadable(path, &error))?;
    let folder = folder.canonicalize().map_err(|error| unreadable(path, &error))?;
    if real.starts_with(&folder) {
        Ok(real)
    } else {
        let step = "Import the file that it leads to by its own name.";
        Err(refused(Rejection::LeadsAway, path, "is a link that leads out of its folder", step))
    }
}

/// Opens without waiting for a pipe's other end, and without following a link that was put there just now.
fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options.open(path)
}

fn refused(why: Rejection, path: &Path, what: &str, step: &str) -> Rejected {
    let problem = Problem::new(Code::InvalidInput, format!("{} {what}.", path.display()));
    Rejected::new(why, problem.then(step))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Rejected {
    let what = format!("cannot be read: {error}");
    refused(Rejection::Unreadable, path, &what, "Check the file's name and that you may read it.")
}

fn too_large(path: &Path) -> Rejected {
    let message = format!("{} is larger than {MAX_MB} MB, more than any calendar has.", path.display());
    let problem = Problem::new(Code::InvalidIcsFormat, message)
        .then("Export a shorter stretch of time, or a single calendar, and import that.");
    Rejected::new(Rejection::TooLarge { most_mb: MAX_MB }, problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    const CALENDAR: &str = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n";

    fn folder_with(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    #[track_caller]
    fn says(path: &Path, words: &str) -> Rejection {
        let Rejected { why, problem } = read_file(path).unwrap_err();
        assert!(problem.message.contains(words), "{problem}");
        assert!(!problem.next_step(crate::words::Language::English).is_empty());
        let is_other = matches!(why, Rejection::NotACalendar { .. } | Rejection::TooLarge { .. });
        let code = if is_other { Code::InvalidIcsFormat } else { Code::InvalidInput };
        assert_eq!(problem.code, code, "{problem}");
        why
    }

    fn not_a_calendar(what: NotACalendar) -> Rejection {
        Rejection::NotACalendar { what }
    }

    #[test]
    fn a_calendar_is_read_whole() {
        let (_folder, path) = folder_with("school.ics", CALENDAR.as_bytes());
        assert_eq!(read_file(&path).unwrap(), CALENDAR.as_bytes());
    }

    #[test]
    fn ten_megabytes_are_read_and_one_byte_more_is_refused() {
        let mut bytes = CALENDAR.as_bytes().to_vec();
        bytes.resize(usize::try_from(MAX_BYTES).unwrap(), b'\n');
        let (_folder, path) = folder_with("big.ics", &bytes);
        assert_eq!(read_file(&path).unwrap().len() as u64, MAX_BYTES);
        bytes.push(b'\n');
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(says(&path, "larger than 10 MB"), Rejection::TooLarge { most_mb: 10 });
    }

    #[test]
    fn what_is_no_calendar_is_refused_by_what_it_is_whatever_its_name() {
        let hidden = |start: &[u8]| [start, b"\n", CALENDAR.as_bytes()].concat();
        for (bytes, words, what) in [
            (hidden(b"PK\x03\x04"), "ZIP archive", NotACalendar::Zip),
            (hidden(b"\x7fELF"), "program", NotACalendar::Executable),
            (hidden(b"MZ\x90"), "program", NotACalendar::Executable),
            (hidden(b"#!/bin/sh"), "program", NotACalendar::Executable),
            (hidden(b"<!DOCTYPE html><html>"), "web page", NotACalendar::Html),
            (hidden(b"\xef\xbb\xbf  <html>"), "web page", NotACalendar::Html),
            (Vec::new(), "empty", NotACalendar::Empty),
            (b"\r\n\0 \r\n".to_vec(), "empty", NotACalendar::Empty),
        ] {
            let (_folder, path) = folder_with("calendar.ics", &bytes);
            assert_eq!(says(&path, words), not_a_calendar(what));
        }
    }

    #[test]
    fn folders_and_names_that_climb_are_refused() {
        let (folder, path) = folder_with("a.ics", CALENDAR.as_bytes());
        assert_eq!(says(folder.path(), "is a folder"), Rejection::Folder);
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        let climbing = folder.path().join("sub").join("..").join("a.ics");
        assert_eq!(says(&climbing, "\"..\""), Rejection::Climbs);
        assert_eq!(says(&path.with_extension("none"), "cannot be read"), Rejection::Unreadable);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_within_its_folder_and_no_further() {
        use std::os::unix::fs::symlink;
        let (outside, secret) = folder_with("secret.ics", CALENDAR.as_bytes());
        let (folder, path) = folder_with("a.ics", CALENDAR.as_bytes());
        symlink(&path, folder.path().join("inside.ics")).unwrap();
        symlink(&secret, folder.path().join("outside.ics")).unwrap();
        symlink(folder.path().join("inside.ics"), folder.path().join("twice.ics")).unwrap();
        symlink("nowhere", folder.path().join("dangling.ics")).unwrap();
        assert!(read_file(&folder.path().join("inside.ics")).is_ok());
        assert!(read_file(&folder.path().join("twice.ics")).is_ok());
        let outside_it = folder.path().join("outside.ics");
        assert_eq!(says(&outside_it, "leads out of its folder"), Rejection::LeadsAway);
        says(&folder.path().join("dangling.ics"), "cannot be read");
        drop(outside);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_refused_without_waiting_for_its_other_end() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe.ics");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        assert_eq!(says(&pipe, "no regular file"), Rejection::NoFile);
        says(Path::new("/dev/null"), "no regular file");
    }
}
