//! Moves a file that was dealt with out of the watched folder, so that it is found under its last name only if it is
//! still what was dealt with. Whatever moment the process ends at, the file is in the watched folder, under a name that
//! [`bring_back`] knows, or away for good.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::glance::{self, Contents};
use super::names;
use super::plan::{Kind, Stamp};

/// Before the name of a file that was moved and not yet looked at again.
const TAKING: &str = ".bookiji-taking-";
/// Before the name of a copy that may not be whole; what it was copied from is still there.
const COPYING: &str = ".bookiji-copying-";
/// How a reason of ours begins, so that one whose file never came is not taken for hers.
const OURS: &str = "Bookiji Companion: ";
/// Tries to find a name that is not taken.
const NAMES: u32 = 10_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// It lies there now.
    Away(PathBuf),
    /// Something else stands there, or it was written again: it stays.
    Changed,
    /// Nothing stands there any more.
    Gone,
}

/// Moves what stands at `path` into the folder `into`, if it is still what `stamp` and `contents` say. With a `reason`,
/// that lies beside it in a `.txt`.
///
/// # Errors
/// When it cannot be moved: the disk is full, the folder is not hers to change. It is where it was then.
pub fn put_away(
    path: &Path,
    stamp: &Stamp,
    contents: Option<&Contents>,
    into: &Path,
    reason: Option<&str>,
) -> io::Result<Put> {
    let Some(name) = path.file_name() else { return Ok(Put::Gone) };
    match glance::stamp(path)? {
        None => return Ok(Put::Gone),
        Some(now) if now != *stamp => return Ok(Put::Changed),
        Some(_) => {}
    }
    if let Some(contents) = contents
        && glance::contents(path)? != *contents
    {
        return Ok(Put::Changed);
    }
    private_folder(into)?;
    let held = hold(path, stamp, into, name)?;
    let Some(held) = held else { return Ok(Put::Changed) };
    match settle(&held, into, name, reason) {
        Ok(put) => Ok(Put::Away(put)),
        Err(error) => {
            // Back to where it was, so that it is found again.
            give_back(&held, path.parent().unwrap_or(into), name)?;
            Err(error)
        }
    }
}

/// Brings back what a process that was ended left half moved. Answers how many files came back.
///
/// # Errors
/// When a file cannot be moved.
pub fn bring_back(from: &Path, to: &Path) -> io::Result<usize> {
    let entries = match std::fs::read_dir(from) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut back = 0;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        if after(&name, COPYING).is_some() {
            std::fs::remove_file(entry.path())?;
        } else if let Some(own) = after(&name, TAKING) {
            give_back(&entry.path(), to, &own)?;
            back += 1;
        }
    }
    Ok(back)
}

/// Moves a file that was written to after all back to be taken in again.
///
/// # Errors
/// When it cannot be moved.
pub fn take_back(put: &Path, to: &Path, name: &OsStr) -> io::Result<()> {
    give_back(put, to, name)?;
    let reason = reason_beside(put);
    if is_ours(&reason) {
        std::fs::remove_file(reason)?;
    }
    Ok(())
}

/// Creates a folder for its owner alone, unless it is there.
///
/// # Errors
/// When it cannot be made, or something else has its name.
pub fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

/// Moves the file to a name of ours in `into` and looks at it again there, where nobody puts another in its place.
fn hold(path: &Path, stamp: &Stamp, into: &Path, name: &OsStr) -> io::Result<Option<PathBuf>> {
    let held = match first_free(into, &prefixed(TAKING, name), |held| rename(path, held)) {
        Ok(held) => held,
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices && stamp.kind == Kind::File => {
            return copy_over(path, stamp, into, name);
        }
        Err(error) => return Err(error),
    };
    if glance::stamp(&held)? == Some(*stamp) {
        return Ok(Some(held));
    }
    give_back(&held, path.parent().unwrap_or(into), name)?;
    Ok(None)
}

/// The same for a folder on another disk: the copy is whole and on the disk before the original goes.
fn copy_over(path: &Path, stamp: &Stamp, into: &Path, name: &OsStr) -> io::Result<Option<PathBuf>> {
    let copy = into.join(prefixed(COPYING, name));
    let copied = std::fs::copy(path, &copy)
        .and_then(|_| OpenOptions::new().write(true).open(&copy))
        .and_then(|file| {
            file.set_modified(std::fs::metadata(path)?.modified()?)?;
            file.sync_all()
        })
        .and_then(|()| Ok((glance::contents(path)?, glance::contents(&copy)?)));
    let same = match copied {
        Ok((original, copied)) => original == copied,
        Err(error) => {
            let _ = std::fs::remove_file(&copy);
            return Err(error);
        }
    };
    // From here on nobody writes to the original by its name.
    let aside = path.with_file_name(prefixed(TAKING, name));
    rename(path, &aside)?;
    if !same || glance::stamp(&aside)? != Some(*stamp) {
        give_back(&aside, path.parent().unwrap_or(into), name)?;
        std::fs::remove_file(&copy)?;
        return Ok(None);
    }
    let held = first_free(into, &prefixed(TAKING, name), |held| rename(&copy, held))?;
    std::fs::remove_file(&aside)?;
    Ok(Some(held))
}

/// Gives the file its last name, after its reason has one.
fn settle(held: &Path, into: &Path, name: &OsStr, reason: Option<&str>) -> io::Result<PathBuf> {
    for number in 1..=NAMES {
        let last = into.join(names::numbered(name, number));
        let beside = reason_beside(&last);
        let waits_for_its_file = is_ours(&beside) && glance::stamp(&last)?.is_none();
        if glance::stamp(&beside)?.is_some() && !waits_for_its_file {
            continue;
        }
        if let Some(reason) = reason {
            if glance::stamp(&last)?.is_some() {
                continue;
            }
            write_reason(&beside, &last, reason)?;
        }
        match rename(held, &last) {
            Ok(()) => return Ok(last),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if reason.is_some() {
                    std::fs::remove_file(&beside)?;
                }
            }
            Err(error) => {
                if reason.is_some() {
                    let _ = std::fs::remove_file(&beside);
                }
                return Err(error);
            }
        }
    }
    Err(no_name_left())
}

fn write_reason(beside: &Path, last: &Path, reason: &str) -> io::Result<()> {
    let name = last.file_name().map(names::shown).unwrap_or_default();
    let written = File::create(beside).and_then(|mut file| {
        write!(file, "{OURS}{name}\n\n{reason}\n")?;
        file.sync_all()
    });
    if written.is_err() {
        // Half a reason is none.
        let _ = std::fs::remove_file(beside);
    }
    written
}

fn reason_beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".txt");
    path.with_file_name(name)
}

fn is_ours(reason: &Path) -> bool {
    let mut start = vec![0; OURS.len()];
    let read = File::open(reason).and_then(|mut file| io::Read::read_exact(&mut file, &mut start));
    read.is_ok() && start == OURS.as_bytes()
}

/// Moves a file under its own name, or the next free one, into `to`.
fn give_back(held: &Path, to: &Path, name: &OsStr) -> io::Result<()> {
    first_free(to, name, |path| rename(held, path)).map(drop)
}

/// The first of `name`, `name (2)`, … under which `place` finds nothing in its way.
fn first_free(folder: &Path, name: &OsStr, place: impl Fn(&Path) -> io::Result<()>) -> io::Result<PathBuf> {
    for number in 1..=NAMES {
        let path = folder.join(names::numbered(name, number));
        match place(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(no_name_left())
}

fn no_name_left() -> io::Error {
    io::Error::new(io::ErrorKind::AlreadyExists, "too many files of this name lie there")
}

fn prefixed(prefix: &str, name: &OsStr) -> OsString {
    let mut made = OsString::from(prefix);
    made.push(names::numbered(name, 1));
    made
}

fn after(name: &OsStr, prefix: &str) -> Option<OsString> {
    let rest = name.as_encoded_bytes().strip_prefix(prefix.as_bytes())?;
    #[cfg(unix)]
    let rest = std::os::unix::ffi::OsStrExt::from_bytes(rest);
    #[cfg(unix)]
    return Some(OsStr::to_owned(rest));
    #[cfg(not(unix))]
    return Some(String::from_utf8_lossy(rest).into_owned().into());
}

/// Renames, and never over anything.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            Ok(()) => return Ok(()),
            // Not every file system can promise it.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if glance::stamp(to)?.is_some() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    std::fs::rename(from, to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    struct Desk {
        _root: TempDir,
        inbox: PathBuf,
        away: PathBuf,
    }

    impl Desk {
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            let [inbox, away] = ["inbox", "away"].map(|name| root.path().join(name));
            std::fs::create_dir(&inbox).unwrap();
            Self { _root: root, inbox, away }
        }

        /// Writes a file and tells what it is.
        fn file(&self, name: &str, text: &str) -> (PathBuf, Stamp, Contents) {
            let path = self.inbox.join(name);
            std::fs::write(&path, text).unwrap();
            let stamp = glance::stamp(&path).unwrap().unwrap();
            let contents = glance::contents(&path).unwrap();
            (path, stamp, contents)
        }

        fn put(&self, name: &str, text: &str, reason: Option<&str>) -> io::Result<Put> {
            let (path, stamp, contents) = self.file(name, text);
            put_away(&path, &stamp, Some(&contents), &self.away, reason)
        }

        fn names(folder: &Path) -> Vec<String> {
            let mut names: Vec<String> = std::fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    fn read(path: PathBuf) -> String {
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn nothing_is_written_over_not_even_her_own_note_beside_a_file() {
        let desk = Desk::new();
        std::fs::create_dir(&desk.away).unwrap();
        std::fs::write(desk.away.join("a.ics.txt"), "her note").unwrap();
        std::fs::write(desk.away.join("a (2).ics"), "hers").unwrap();
        for _ in 0..2 {
            desk.put("a.ics", "one", Some("No.")).unwrap();
        }
        let names = ["a (2).ics", "a (3).ics", "a (3).ics.txt", "a (4).ics", "a (4).ics.txt", "a.ics.txt"];
        assert_eq!(Desk::names(&desk.away), names);
        assert_eq!(read(desk.away.join("a.ics.txt")), "her note");
        assert_eq!(read(desk.away.join("a (2).ics")), "hers");
        assert_eq!(read(desk.away.join("a (4).ics.txt")), "Bookiji Companion: a (4).ics\n\nNo.\n");
    }

    #[test]
    fn what_changed_since_it_was_dealt_with_stays_whatever_changed() {
        let desk = Desk::new();
        let (path, stamp, contents) = desk.file("a.ics", "one");
        let put = |stamp: &Stamp, contents: &Contents| {
            put_away(&path, stamp, Some(contents), &desk.away, None).unwrap()
        };
        assert_eq!(put(&Stamp { len: 4, ..stamp }, &contents), Put::Changed);
        assert_eq!(put(&Stamp { modified_ns: 1, ..stamp }, &contents), Put::Changed);
        let other = Contents { digest: Some([0; 32]), ..contents };
        assert_eq!(put(&stamp, &other), Put::Changed, "another content of the same length and time");
        assert_eq!(Desk::names(&desk.inbox), ["a.ics"]);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(put(&stamp, &contents), Put::Gone);
    }

    #[test]
    fn a_file_that_another_one_replaced_at_the_last_moment_is_given_back() {
        let desk = Desk::new();
        let (path, stamp, _) = desk.file("a.ics", "one");
        std::fs::create_dir(&desk.away).unwrap();
        // Between the last look and the move.
        let (other, _, _) = desk.file("b", "two");
        std::fs::rename(other, &path).unwrap();
        assert_eq!(hold(&path, &stamp, &desk.away, OsStr::new("a.ics")).unwrap(), None);
        assert_eq!(read(path), "two");
        assert!(Desk::names(&desk.away).is_empty());
    }

    #[test]
    fn whatever_moment_the_process_ends_at_the_file_is_found_again() {
        let desk = Desk::new();
        let (path, stamp, contents) = desk.file("a.ics", "one");
        std::fs::create_dir(&desk.away).unwrap();
        // It ends after the file was moved, and another one took its name.
        hold(&path, &stamp, &desk.away, OsStr::new("a.ics")).unwrap().unwrap();
        desk.file("a.ics", "two");
        // It ends while a copy is made.
        std::fs::write(desk.away.join(".bookiji-copying-b.ics"), "hal").unwrap();
        assert_eq!(bring_back(&desk.away, &desk.inbox).unwrap(), 1);
        assert_eq!(read(desk.inbox.join("a (2).ics")), "one");
        assert_eq!(read(path), "two");
        assert!(Desk::names(&desk.away).is_empty());
        // It ends between the reason and the file: the reason waits for its file.
        write_reason(&desk.away.join("c.ics.txt"), &desk.away.join("c.ics"), "No.").unwrap();
        desk.put("c.ics", "three", Some("No.")).unwrap();
        assert_eq!(Desk::names(&desk.away), ["c.ics", "c.ics.txt"]);
        assert!(contents.digest.is_some());
        assert_eq!(bring_back(&desk.inbox.join("nowhere"), &desk.inbox).unwrap(), 0);
    }

    #[test]
    fn a_place_that_cannot_be_written_to_leaves_the_file_where_it_is() {
        let desk = Desk::new();
        std::fs::write(&desk.away, "a file where a folder should be").unwrap();
        desk.put("a.ics", "one", Some("No.")).unwrap_err();
        assert_eq!(read(desk.inbox.join("a.ics")), "one");
    }

    #[test]
    fn on_another_disk_the_copy_is_whole_before_the_original_goes() {
        let desk = Desk::new();
        std::fs::create_dir(&desk.away).unwrap();
        let (path, stamp, _) = desk.file("a.ics", "one");
        let held = copy_over(&path, &stamp, &desk.away, OsStr::new("a.ics")).unwrap().unwrap();
        assert_eq!(settle(&held, &desk.away, OsStr::new("a.ics"), None).unwrap(), desk.away.join("a.ics"));
        assert_eq!(read(desk.away.join("a.ics")), "one");
        assert!(Desk::names(&desk.inbox).is_empty());
        assert_eq!(
            glance::stamp(&desk.away.join("a.ics")).unwrap().unwrap().modified_ns,
            stamp.modified_ns,
            "it is as old as it was"
        );

        let (path, stamp, _) = desk.file("b.ics", "two");
        desk.file("b.ics", "three");
        assert_eq!(copy_over(&path, &stamp, &desk.away, OsStr::new("b.ics")).unwrap(), None);
        assert_eq!(
            (Desk::names(&desk.inbox), Desk::names(&desk.away)),
            (vec!["b.ics".to_owned()], vec!["a.ics".to_owned()])
        );
        assert_eq!(read(path), "three");
    }

    #[cfg(unix)]
    #[test]
    fn folders_that_are_made_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let desk = Desk::new();
        desk.put("a.ics", "one", None).unwrap();
        assert_eq!(std::fs::metadata(&desk.away).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
