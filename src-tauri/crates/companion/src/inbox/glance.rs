//! Looks at files from outside and from inside: what stands where, and what exactly is in it. Opens only real files,
//! follows no link, and decides nothing.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;
use std::time::UNIX_EPOCH;

use sha2::{Digest as _, Sha256};

use super::plan::{Kind, Stamp};

/// More than any calendar that is taken in. Of a larger file only the outside is compared.
const READ: u64 = 10 * 1024 * 1024;

pub type Digest = [u8; 32];

/// What a file held when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Nothing for a file too large to be read.
    pub digest: Option<Digest>,
    /// It begins as a calendar and does not end as one.
    pub unfinished: bool,
}

/// What stands at `path`; nothing where nothing is.
///
/// # Errors
/// When the folder does not let itself be asked.
pub fn stamp(path: &Path) -> io::Result<Option<Stamp>> {
    match std::fs::symlink_metadata(path) {
        Ok(found) => Ok(Some(stamp_of(&found))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads a file to its end.
///
/// # Errors
/// When it cannot be read: another program has it, or she may not.
pub fn contents(path: &Path) -> io::Result<Contents> {
    let mut file = open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    if found.len() > READ {
        return Ok(Contents { digest: None, unfinished: false });
    }
    let mut sum = Sha256::new();
    let mut ends = Ends::default();
    let mut buffer = vec![0_u8; 64 * 1024];
    let mut left = READ;
    loop {
        let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = file.read(&mut buffer[..wanted])?;
        if read == 0 {
            break;
        }
        sum.update(&buffer[..read]);
        ends.add(&buffer[..read]);
        left -= read as u64;
    }
    Ok(Contents { digest: Some(sum.finalize().into()), unfinished: ends.unfinished() })
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    // A link or a pipe may have taken its place since it was looked at; a pipe would be waited for without end.
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.cast_signed());
    }
    options.open(path)
}

fn stamp_of(found: &Metadata) -> Stamp {
    let kind = match found.file_type() {
        kind if kind.is_symlink() => Kind::Link,
        kind if kind.is_dir() => Kind::Folder,
        kind if kind.is_file() => Kind::File,
        _ => Kind::Other,
    };
    let modified_ns = found.modified().map_or(0, |time| match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i128::try_from(since.as_nanos()).unwrap_or(i128::MAX),
        Err(before) => -i128::try_from(before.duration().as_nanos()).unwrap_or(i128::MAX),
    });
    Stamp { kind, len: found.len(), modified_ns, id: id(found) }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "not every system has such numbers")]
fn id(found: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn id(_found: &Metadata) -> Option<(u64, u64)> {
    None
}

const BEGIN: &str = "BEGIN:VCALENDAR";

/// The first and the last bytes of a file that goes by in pieces.
#[derive(Default)]
struct Ends {
    first: Vec<u8>,
    last: Vec<u8>,
}

impl Ends {
    const FIRST: usize = 64;
    /// A file that was given its size before its contents ends in as many NULs as are missing.
    const LAST: usize = 256;

    fn add(&mut self, piece: &[u8]) {
        let missing = Self::FIRST.saturating_sub(self.first.len()).min(piece.len());
        self.first.extend_from_slice(&piece[..missing]);
        self.last.extend_from_slice(&piece[piece.len().saturating_sub(Self::LAST)..]);
        let spare = self.last.len().saturating_sub(Self::LAST);
        self.last.drain(..spare);
    }

    fn unfinished(&self) -> bool {
        let plain = |bytes: &[u8]| -> String {
            // UTF-16 reads as UTF-8 with NULs in between, as far as these words go.
            let text = bytes.iter().filter(|byte| byte.is_ascii_graphic()).map(|byte| char::from(*byte));
            text.collect::<String>().to_uppercase()
        };
        let (first, last) = (plain(&self.first), plain(&self.last));
        let ends_in_nothing = self.last.len() > 1 && self.last.ends_with(&[0, 0]);
        if first.starts_with(BEGIN) {
            return ends_in_nothing || !last.ends_with("END:VCALENDAR");
        }
        // Not even its first word is written to the end.
        !first.is_empty() && BEGIN.starts_with(&first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn unfinished(bytes: &[u8]) -> bool {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.ics");
        std::fs::write(&path, bytes).unwrap();
        contents(&path).unwrap().unfinished
    }

    #[test]
    fn a_calendar_without_its_end_is_unfinished_and_nothing_else_is() {
        assert!(unfinished(b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"));
        assert!(unfinished(b"begin:vcalendar\nEND:VCALENDAR\n\0\0\0\0\0\0"));
        assert!(!unfinished(b"begin:vcalendar\nend:vcalendar\n\n \n"));
        assert!(!unfinished(b"\xef\xbb\xbfBEGIN:VCALENDAR\r\nEND:VCALENDAR"));
        assert!(!unfinished(b"PK\x03\x04"));
        assert!(!unfinished(b""));
        assert!(unfinished(b"BEGIN:VC"));
        assert!(!unfinished(b"BEGIN:VCARD\r\n"));
        let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
        assert!(!unfinished(&wide("\u{feff}BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")));
        assert!(unfinished(&wide("\u{feff}BEGIN:VCALENDAR\r\nBEGIN:VEV")));
        let mut long = b"BEGIN:VCALENDAR\r\n".to_vec();
        long.extend_from_slice(&[b'x'; 200_000]);
        assert!(unfinished(&long));
        long.extend_from_slice(b"\r\nEND:VCALENDAR\r\n");
        assert!(!unfinished(&long));
    }

    #[test]
    fn other_contents_of_the_same_length_are_told_apart_and_a_huge_file_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.ics");
        std::fs::write(&path, "one").unwrap();
        let one = contents(&path).unwrap();
        std::fs::write(&path, "two").unwrap();
        assert_ne!(contents(&path).unwrap(), one);
        File::create(&path).unwrap().set_len(READ + 1).unwrap();
        assert_eq!(contents(&path).unwrap().digest, None);
        assert_eq!(stamp(&path).unwrap().unwrap().len, READ + 1);
        assert_eq!(stamp(&dir.path().join("nothing")).unwrap(), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed_and_a_pipe_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let (target, link, pipe) =
            (dir.path().join("target"), dir.path().join("link.ics"), dir.path().join("pipe.ics"));
        std::fs::write(&target, "hers").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert_eq!(stamp(&link).unwrap().unwrap().kind, Kind::Link);
        assert!(contents(&link).is_err());
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!(stamp(&pipe).unwrap().unwrap().kind, Kind::Other);
        assert!(contents(&pipe).is_err());
    }
}
