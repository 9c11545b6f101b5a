//! Why a file was not taken in, as the `.txt` beside it says it: what it is, why, and what to do next, in her language.

use sync::error::Code;

use crate::import::{Rejected, Rejection};
use crate::problem::Problem;
use crate::words::{Language, words};

/// More lines than this help nobody.
const LINES: usize = 20;

/// What a file cannot be, whatever is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It only points to a file; that may be anywhere, and is not hers to give away by name.
    Link,
    /// A pipe, a device, a socket: nothing that could be read to its end.
    NoFile,
}

impl Refused {
    #[must_use]
    pub fn rejected(self, language: Language) -> Rejected {
        let (message, step) = match (self, language) {
            (Self::Link, Language::English) => {
                ("This is a link to a file, not a file.", "Put the calendar file itself into the folder.")
            }
            (Self::Link, Language::French) => (
                "C’est un lien vers un fichier, pas un fichier.",
                "Mettez le fichier de calendrier lui-même dans le dossier.",
            ),
            (Self::NoFile, Language::English) => (
                "This is not a file that can be read: it is a pipe or a device.",
                "Put a calendar file (.ics) into the folder.",
            ),
            (Self::NoFile, Language::French) => (
                "Ce n’est pas un fichier lisible : c’est un tube ou un périphérique.",
                "Mettez un fichier de calendrier (.ics) dans le dossier.",
            ),
        };
        let why = match self {
            Self::Link => Rejection::Link,
            Self::NoFile => Rejection::NoFile,
        };
        Rejected::new(why, Problem::new(Code::InvalidInput, message).then(step))
    }
}

/// The text of the `.txt`, below the file's name.
#[must_use]
pub fn text(problem: &Problem, lines: &[String], language: Language) -> String {
    let mut text = Vec::new();
    // A message is one case in English; in another language the plain words of its kind come first.
    let plain = words(problem.code, language).plain;
    if language != Language::English && problem.code == Code::InvalidIcsFormat {
        text.push(plain.to_owned());
    }
    text.push(problem.message.clone());
    text.extend(lines.iter().filter(|line| **line != problem.message).take(LINES).cloned());
    if lines.len() > LINES {
        text.push("…".to_owned());
    }
    let next = match language {
        Language::English => "What to do:",
        Language::French => "Que faire :",
    };
    let again = match language {
        Language::English => "Put the corrected file into the folder again. This one can be deleted.",
        Language::French => "Remettez le fichier corrigé dans le dossier. Celui-ci peut être supprimé.",
    };
    text.push(format!("\n{next} {}\n{again}", problem.next_step(language)));
    text.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_what_why_and_what_next_in_her_language() {
        let problem = Problem::new(Code::InvalidIcsFormat, "This is a zip archive.");
        let lines = ["Line 3: no time.".to_owned()];
        let english = text(&problem, &lines, Language::English);
        assert!(
            english.starts_with("This is a zip archive.\nLine 3: no time.\n\nWhat to do: Export"),
            "{english}"
        );
        let french = text(&problem, &lines, Language::French);
        assert!(french.starts_with("Ce n’est pas un fichier de calendrier.\n"), "{french}");
        assert!(french.contains("Que faire : Exportez") && french.contains("zip archive"), "{french}");
    }

    #[test]
    fn a_thousand_problems_are_not_listed() {
        let lines: Vec<String> = (0..1000).map(|n| format!("Line {n}: no.")).collect();
        let text = text(&Problem::new(Code::InvalidIcsFormat, "No."), &lines, Language::English);
        assert!(text.lines().count() < 30 && text.contains('…'), "{text}");
    }

    #[test]
    fn a_link_is_refused_in_both_languages() {
        let said = [Language::English, Language::French].map(|language| {
            let problem = Refused::Link.rejected(language).problem;
            (problem.message.clone(), problem.next_step(language))
        });
        assert!(said[0].0 != said[1].0 && said[0].1 != said[1].1, "{said:?}");
    }
}
