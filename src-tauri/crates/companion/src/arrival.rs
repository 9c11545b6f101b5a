//! What a start of the app brings along: files that she opened with it, or a link that she followed. Decides by the
//! words alone; whether a file is there, and what is in it, the import says.

use std::path::{Path, PathBuf};

use url::Url;

use crate::place::{Place, SCHEME};

/// No desktop opens more at once.
const MOST: usize = 200;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    pub files: Vec<PathBuf>,
    pub place: Option<Place>,
}

impl Arrival {
    /// Reads the words that follow the options. A relative path is meant from `folder`.
    #[must_use]
    pub fn of(words: &[String], folder: &Path) -> Self {
        let mut arrival = Self::default();
        for word in words.iter().filter(|word| !word.is_empty()).take(MOST) {
            if is_link(word) {
                arrival.place = arrival.place.or_else(|| Place::of_link(word));
            } else if word.starts_with("file:") {
                // A link to another computer's file is none that can be opened.
                arrival.files.extend(Url::parse(word).ok().and_then(|url| url.to_file_path().ok()));
            } else if !word.contains("://") {
                arrival.files.push(folder.join(word));
            }
        }
        arrival
    }
}

fn is_link(word: &str) -> bool {
    word.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
        && word.get(SCHEME.len()..).is_some_and(|rest| rest.starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Arrival {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Arrival::of(&words, Path::new("/hers/amelie"))
    }

    #[cfg(unix)]
    #[test]
    fn files_are_found_from_where_they_were_opened_however_the_desktop_names_them() {
        let arrival =
            of(&["fair.ics", "/mnt/b.ics", "file:///hers/amelie/Caf%C3%A9%20d%E2%80%99hiver.ics", ""]);
        let names: Vec<_> = arrival.files.iter().map(|path| path.to_str().unwrap()).collect();
        assert_eq!(names, ["/hers/amelie/fair.ics", "/mnt/b.ics", "/hers/amelie/Café d’hiver.ics"]);
        assert_eq!(arrival.place, None);
    }

    #[test]
    fn a_link_is_never_taken_for_a_file_even_where_it_leads_nowhere() {
        assert_eq!(of(&["bookiji-companion://open/decisions"]).place, Some(Place::Decisions));
        for link in
            ["bookiji-companion:../../etc", "BOOKIJI-COMPANION://open/nowhere", "https://example.com/a.ics"]
        {
            assert_eq!(of(&[link]), Arrival::default(), "{link}");
        }
        assert_eq!(of(&["file://server/share/a.ics"]).files.len(), usize::from(cfg!(windows)));
    }

    #[test]
    fn more_than_any_desktop_opens_is_left() {
        let words = vec!["a.ics"; MOST + 10];
        assert_eq!(of(&words).files.len(), MOST);
    }
}
