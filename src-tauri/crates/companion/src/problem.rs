//! What a command or a screen tells a person when something did not work: a code, the words of this one case, and what
//! to do next.

use serde::{Deserialize, Serialize};
use sync::error::{Code, MirrorError, ServiceError};
use sync::world::SyncProblem;

use crate::unusable::Unusable;
use crate::words::{Language, words};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct Problem {
    pub code: Code,
    /// One or two plain English sentences about this case.
    pub message: String,
    /// Where this case knows better than the code's own next step.
    step: Option<String>,
    /// What cannot be used, where the code alone does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Unusable>,
}

impl Problem {
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), step: None, why: None }
    }

    /// Gives this case a next step of its own.
    #[must_use]
    pub fn then(mut self, step: impl Into<String>) -> Self {
        self.step = Some(step.into());
        self
    }

    /// Names what cannot be used.
    #[must_use]
    pub fn because(mut self, why: Unusable) -> Self {
        self.why = Some(why);
        self
    }

    /// Says in front of it what did not stop because of it.
    #[must_use]
    pub fn after(mut self, sentence: &str) -> Self {
        self.message = format!("{sentence} {}", self.message);
        self
    }

    #[must_use]
    pub fn next_step(&self, language: Language) -> String {
        self.step.clone().unwrap_or_else(|| words(self.code, language).next_step.to_owned())
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        let problem = Self::new(error.code(), sentence(&error.to_string()));
        if matches!(error, ServiceError::OtherContract { .. }) {
            return problem.then(
                "Update the app: nothing is lost meanwhile, and the first sync afterwards catches up.",
            );
        }
        problem
    }
}

impl From<MirrorError> for Problem {
    fn from(error: MirrorError) -> Self {
        let code = match error {
            MirrorError::TooNew => Code::DatabaseTooNew,
            MirrorError::Full { .. } => Code::DiskFull,
            MirrorError::ReadOnly { .. } => Code::ProfileReadOnly,
            MirrorError::Damaged { .. } => Code::DatabaseDamaged,
            MirrorError::Failed { .. } => Code::DatabaseError,
        };
        Self::new(code, sentence(&error.to_string()))
    }
}

impl From<SyncProblem> for Problem {
    fn from(problem: SyncProblem) -> Self {
        Self::new(problem.code, sentence(&problem.message))
    }
}

/// An error text as a sentence: capital first, full stop last.
pub(crate) fn sentence(text: &str) -> String {
    let mut chars = text.trim().chars();
    let mut sentence: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    sentence.push_str(chars.as_str());
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_error_reads_as_a_sentence_with_the_code_s_next_step() {
        let problem = Problem::from(ServiceError::Unreachable {
            service: "google".to_owned(),
            reason: "connection refused".to_owned(),
        });
        assert_eq!(problem.code, Code::NetworkError);
        assert_eq!(problem.message, "Google cannot be reached: connection refused.");
        assert_eq!(
            problem.next_step(Language::English),
            words(Code::NetworkError, Language::English).next_step
        );
    }

    #[test]
    fn a_case_that_knows_better_says_its_own_next_step() {
        let problem = Problem::new(Code::SettingsInvalid, "x").then("Set y.");
        assert_eq!(problem.next_step(Language::French), "Set y.");
    }
}
