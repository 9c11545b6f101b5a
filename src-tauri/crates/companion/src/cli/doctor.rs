//! `companion doctor`: every layer checked, one line each.

use serde_json::json;

use super::output::{Exit, Outcome};
use crate::doctor;
use crate::problem::Problem;
use crate::profile::Profile;

pub async fn run(profile: &Profile) -> Outcome {
    let checks = doctor::examine(profile).await;
    let lines: Vec<String> = checks
        .iter()
        .map(|check| {
            let mark = if check.ok { "ok  " } else { "FAIL" };
            let step = check.next_step.as_ref().map(|step| format!("\n     {step}")).unwrap_or_default();
            format!("{mark} {:<16} {}{step}", check.name, check.detail)
        })
        .collect();
    let first = checks.iter().find_map(|check| {
        let problem = Problem::new(check.code?, format!("{}: {}", check.name, check.detail));
        Some(problem.then(check.next_step.clone()?))
    });
    let exit = if first.is_none() { Exit::Done } else { Exit::Failed };
    Outcome {
        document: json!({ "checks": checks }),
        text: lines.join("\n"),
        problems: first.into_iter().collect(),
        exit,
    }
}
