//! What a file's name says: whether somebody still writes under it, how it is shown, and what a second file of the same
//! name is called. Pure.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// Endings under which programs keep what they are still writing.
const PASSING_ENDINGS: [&str; 14] = [
    "~",
    "#",
    ".crdownload",
    ".download",
    ".filepart",
    ".lock",
    ".opdownload",
    ".part",
    ".partial",
    ".swp",
    ".swx",
    ".temp",
    ".tmp",
    ".!ut",
];

/// Files that a system leaves in every folder.
const FURNITURE: [&str; 3] = ["desktop.ini", "thumbs.db", "icon\r"];

/// Some file systems allow no more than 255 bytes, and a reason's `.txt` has to fit behind it.
const LONGEST: usize = 200;
const SHOWN: usize = 80;

/// How calendar files end.
const CALENDARS: [&str; 5] = ["ical", "icalendar", "ics", "ifb", "vcs"];

/// Which files of a folder are for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Whatever is put there: the folder has no other use, and she is told what cannot be used.
    Everything,
    /// Calendars by their name: the folder is hers, with files of all kinds in it.
    Calendars,
}

impl Takes {
    #[must_use]
    pub fn takes(self, name: &OsStr) -> bool {
        !is_passing(name)
            && match self {
                Self::Everything => true,
                Self::Calendars => is_calendar(name),
            }
    }
}

fn is_calendar(name: &OsStr) -> bool {
    let ending = Path::new(name).extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| CALENDARS.contains(&ending.as_str()))
}

/// Whether a file of this name is hidden, or is renamed once it is whole.
fn is_passing(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_lowercase();
    name.starts_with(['.', '~', '#'])
        || name.contains(".sb-")
        || PASSING_ENDINGS.iter().any(|ending| name.ends_with(ending))
        || FURNITURE.contains(&name.as_str())
}

/// The name for people: nothing in it can move a cursor, turn the line round or fill a page.
#[must_use]
pub fn shown(name: &OsStr) -> String {
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let name = name.to_string_lossy();
    let mut text: String = name
        .chars()
        .map(|c| if c.is_control() || turns(c) { char::REPLACEMENT_CHARACTER } else { c })
        .take(SHOWN)
        .collect();
    if name.chars().nth(SHOWN).is_some() {
        text.push('…');
    }
    text
}

/// `name (2).ics` for the second file of that name; the first keeps its own, unless it is too long.
#[must_use]
pub fn numbered(name: &OsStr, number: u32) -> OsString {
    if number < 2 && name.len() <= LONGEST {
        return name.to_owned();
    }
    let path = Path::new(name);
    let mut stem = path.file_stem().unwrap_or(name).to_owned();
    let mut extension = path.extension().map(OsStr::to_owned).unwrap_or_default();
    if name.len() > LONGEST {
        stem = shortened(&stem, LONGEST - 20).into();
        extension = shortened(&extension, 20).into();
    }
    let mut made = stem;
    if number > 1 {
        made.push(format!(" ({number})"));
    }
    if !extension.is_empty() {
        made.push(".");
        made.push(extension);
    }
    made
}

fn shortened(text: &OsStr, bytes: usize) -> String {
    let text = text.to_string_lossy();
    text[..text.floor_char_boundary(bytes)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_still_write_is_left_until_it_has_its_own_name() {
        for name in [
            ".hidden.ics",
            "~$week.ics",
            "week.ics~",
            "#week.ics#",
            "Week.ICS.PART",
            "Unconfirmed 123.crdownload",
            "week.ics.download",
            "nsmail-1.tmp",
            ".~lock.week.ics#",
            "week.ics.sb-1a2b-x",
            "desktop.ini",
            ".DS_Store",
        ] {
            assert!(is_passing(OsStr::new(name)), "{name}");
        }
        for name in ["week.ics", "WEEK.ICS", "party.ics", "week.pdf", "no ending", "a.part.ics", "week..ics"]
        {
            assert!(!is_passing(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn in_a_folder_of_hers_only_calendars_are_ours_to_take() {
        for (name, is_one) in [
            ("week.ics", true),
            ("WEEK.ICS", true),
            ("week.ical", true),
            ("busy.ifb", true),
            ("old.vcs", true),
            ("letter.pdf", false),
            ("ics", false),
            ("week.ics.zip", false),
            (".week.ics", false),
        ] {
            let name = OsStr::new(name);
            assert_eq!(Takes::Calendars.takes(name), is_one, "{}", name.display());
            assert_eq!(Takes::Everything.takes(name), !name.to_string_lossy().starts_with('.'));
        }
    }

    #[test]
    fn a_second_file_of_the_same_name_is_counted_before_its_ending() {
        let numbered = |name, number| numbered(OsStr::new(name), number).into_string().unwrap();
        assert_eq!(numbered("week.ics", 1), "week.ics");
        assert_eq!(numbered("week.ics", 2), "week (2).ics");
        assert_eq!(numbered("week", 3), "week (3)");
        assert_eq!(numbered("a.b.ics", 2), "a.b (2).ics");
    }

    #[test]
    fn a_name_that_is_too_long_is_cut_between_letters_and_keeps_its_ending() {
        let long = format!("{}.ics", "é".repeat(125));
        let cut = numbered(OsStr::new(&long), 12).into_string().unwrap();
        assert!(cut.len() < 230 && cut.ends_with("é (12).ics"), "{cut}");
        assert!(numbered(OsStr::new(&long), 1).len() <= LONGEST);
    }

    #[test]
    fn a_name_is_shown_on_one_line_and_in_one_direction() {
        assert_eq!(shown(OsStr::new("a\nb\u{1b}[2J\u{202e}sci.exe")), "a\u{fffd}b\u{fffd}[2J\u{fffd}sci.exe");
        assert_eq!(shown(OsStr::new(&"x".repeat(300))).chars().count(), SHOWN + 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_no_text_is_shown_and_numbered_all_the_same() {
        use std::os::unix::ffi::OsStrExt;
        let name = OsStr::from_bytes(b"caf\xe9.ics");
        assert_eq!(shown(name), "caf\u{fffd}.ics");
        assert_eq!(numbered(name, 2).as_bytes(), b"caf\xe9 (2).ics");
    }
}
