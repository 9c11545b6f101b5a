//! How an answer leaves the command: one JSON document or plain sentences on stdout, problems on stderr, and an exit
//! status. The only place that writes to either stream.

use std::io::Write;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::problem::Problem;
use crate::words::{Language, words};

/// What scripts rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    Done,
    Failed,
    /// It was not asked for in the way that it has to be.
    Usage,
    /// Done, and the vendor must decide something.
    Decide,
    /// Partly done; the rest is tried again.
    Partly,
}

impl Exit {
    #[must_use]
    pub fn status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Decide => 3,
            Self::Partly => 4,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.status())
    }
}

/// How a command speaks.
#[derive(Clone, Copy, Debug)]
pub struct Voice {
    pub language: Language,
    /// To a script, in English.
    pub json: bool,
}

/// What a command has to say at its end.
#[derive(Debug, Serialize, Deserialize)]
pub struct Outcome {
    pub document: Value,
    /// The same for people: lines without a trailing newline.
    pub text: String,
    /// What went wrong on the way although there is an answer, the worst first.
    pub problems: Vec<Problem>,
    pub exit: Exit,
}

impl Outcome {
    #[must_use]
    pub fn done(document: Value, text: impl Into<String>) -> Self {
        Self { document, text: text.into(), problems: Vec::new(), exit: Exit::Done }
    }

    #[must_use]
    pub fn print(&self, json: bool, language: Language) -> Exit {
        let text = if json { self.document.to_string() } else { self.text.clone() };
        let mut stdout = std::io::stdout().lock();
        // Whoever closed the pipe has read enough.
        let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
        // A script reads one error; a person all of them.
        let told = if json { self.problems.len().min(1) } else { self.problems.len() };
        for problem in &self.problems[..told] {
            self::problem(problem, json, language);
        }
        self.exit
    }
}

/// Says on stderr what went wrong and what to do next.
pub fn problem(problem: &Problem, json: bool, language: Language) {
    if json {
        note(&error_document(problem).to_string());
    } else {
        // The message says it in English already; in another language its plain words come first.
        let plain = match language {
            Language::English => String::new(),
            Language::French => format!("{} ", words(problem.code, language).plain),
        };
        note(&format!("{plain}{}\n  {} [{}]", problem.message, problem.next_step(language), problem.code));
    }
}

/// `{"error":{"code","message","next_step"}}`, in English as every key and code is.
#[must_use]
pub fn error_document(problem: &Problem) -> Value {
    json!({ "error": {
        "code": problem.code,
        "message": problem.message,
        "next_step": problem.next_step(Language::English),
    }})
}

/// One line on stderr.
pub fn note(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync::error::Code;

    #[test]
    fn exit_statuses_are_the_promised_ones() {
        let statuses = [Exit::Done, Exit::Failed, Exit::Usage, Exit::Decide, Exit::Partly].map(Exit::status);
        assert_eq!(statuses, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn an_error_is_one_object_with_a_code_a_message_and_a_next_step() {
        let document = error_document(&Problem::new(Code::NotSignedIn, "Nobody."));
        assert_eq!(document["error"]["code"], "NOT_SIGNED_IN");
        assert_eq!(document["error"]["message"], "Nobody.");
        assert!(document["error"]["next_step"].as_str().unwrap().contains("companion login"));
        assert_eq!(document["error"].as_object().unwrap().len(), 3);
    }
}
