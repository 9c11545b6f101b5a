//! What a check of everything found, for her and for whoever helps her: no secret is ever in it, and no folder of this
//! computer either. Pure.

use std::path::Path;

use serde::Serialize;
use sync::error::Code;

use super::without_folders;
use crate::doctor::{Check, line};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct DiagnosisView {
    pub checks: Vec<CheckView>,
    /// The same as text, for sending to somebody.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct CheckView {
    /// The window has the words for it.
    pub name: String,
    pub ok: bool,
    pub detail: String,
    pub code: Option<Code>,
}

/// What was found, where the profile's folder goes by another name and any other is not named at all.
#[must_use]
pub fn diagnosis(checks: &[Check], profile: &Path, version: &str) -> DiagnosisView {
    let discreet = |text: &str| without_folders(&text.replace(&*profile.to_string_lossy(), "(profile)"));
    let checks: Vec<CheckView> = checks
        .iter()
        .map(|check| CheckView {
            name: check.name.to_owned(),
            ok: check.ok,
            detail: discreet(&check.detail),
            code: check.code,
        })
        .collect();
    let line = |check: &CheckView| line(&check.name, check.ok, &check.detail, check.code);
    let head = format!("Bookiji Companion {version} on {}", std::env::consts::OS);
    let text = std::iter::once(head).chain(checks.iter().map(line)).collect::<Vec<_>>().join("\n");
    DiagnosisView { checks, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_no_folder_of_this_computer() {
        let check = |name, ok, detail: &str| Check {
            name,
            ok,
            detail: detail.to_owned(),
            next_step: None,
            code: (!ok).then_some(Code::SettingsInvalid),
        };
        let found = diagnosis(
            &[
                check("profile", true, "/hers/amelie/.local/share/companion"),
                check("settings", false, "/hers/amelie/elsewhere/settings.toml cannot be used."),
            ],
            Path::new("/hers/amelie/.local/share/companion"),
            "1.2.3",
        );
        assert!(!format!("{found:?}").contains("amelie"), "{found:?}");
        assert_eq!(found.checks[0].detail, "(profile)");
        assert!(found.text.starts_with("Bookiji Companion 1.2.3 on "), "{}", found.text);
        assert!(
            found.text.ends_with("FAIL settings         settings.toml cannot be used. [SETTINGS_INVALID]")
        );
    }
}
