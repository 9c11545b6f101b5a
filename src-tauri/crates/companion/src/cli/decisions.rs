//! `companion decisions` and `companion decide`: what waits for the vendor, and her answers.

use std::collections::BTreeMap;

use mirror::Sqlite;
use serde_json::{Value, json};
use sync::decide::Question;
use sync::decisions::{Decided, Refused, answer, for_all, kind_of, may_stand, waiting};
use sync::error::Code;
use sync::plan::plan;
use sync::policy::Policy;
use sync::ports::{Clock, Mirror};
use sync::report::DecisionReport;
use sync::world::{Choice, Direction, SyncOutcome, World};

use super::output::{Exit, Outcome};
use crate::clock::SystemClock;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::syncing::{self, Wanted};
use crate::unusable::Unusable;
use crate::wiring::Wiring;
use crate::words::{self, Language};

/// What waits, and how she wants questions of a kind answered.
pub fn list(profile: &Profile, standing: bool) -> Result<Outcome, Problem> {
    let policy = profile.settings()?.sync.policy();
    let world = Sqlite::open_read_only(&profile.database())?.world()?;
    let decisions = all(&world, &policy, &SystemClock);
    let text = if standing { standing_text(&world.standing) } else { text(&decisions) };
    Ok(Outcome::done(json!({ "decisions": decisions, "standing": standing_document(&world.standing) }), text))
}

/// Sets or ends one standing answer: `KIND=OPTION`, or `KIND=ask`. The next sync gives it.
pub fn set_standing(mirror: &Sqlite, line: &str) -> Result<Outcome, Problem> {
    let Some((kind, option)) = line.split_once('=') else {
        let problem = Problem::new(Code::InvalidInput, format!("\"{line}\" names no kind and option."));
        return Err(
            problem.then("Write KIND=OPTION, for example moved=put_back, or KIND=ask to be asked again.")
        );
    };
    let (kind, option) = (kind.trim(), option.trim());
    let (question, choice) = if option == ASK {
        (kind_of(kind).map_err(|refused| no_standing(refused, kind, option))?, None)
    } else {
        let (question, choice) =
            may_stand(kind, option).map_err(|refused| no_standing(refused, kind, option))?;
        (question, Some(choice))
    };
    mirror.set_standing(question, choice)?;
    tracing::info!(kind, option, "standing answer set");
    let standing = mirror.world()?.standing;
    Ok(Outcome::done(json!({ "standing": standing_document(&standing) }), standing_text(&standing)))
}

const ASK: &str = "ask";

fn standing_document(standing: &BTreeMap<Question, Choice>) -> Value {
    let rows = standing
        .iter()
        .map(|(question, choice)| json!({ "kind": question.as_str(), "option": choice.as_str() }));
    rows.collect()
}

fn standing_text(standing: &BTreeMap<Question, Choice>) -> String {
    if standing.is_empty() {
        return "You are asked about everything.".to_owned();
    }
    let lines: Vec<String> = standing
        .iter()
        .map(|(question, choice)| format!("{}={}", question.as_str(), choice.as_str()))
        .collect();
    format!(
        "{}\nAnswered so without asking. To be asked again: companion decisions --standing KIND=ask",
        lines.join("\n")
    )
}

fn all(world: &World, policy: &Policy, clock: &dyn Clock) -> Vec<DecisionReport> {
    let now = clock.now();
    waiting(world, &plan(world, now, policy).cards, now)
}

fn text(decisions: &[DecisionReport]) -> String {
    if decisions.is_empty() {
        return "Nothing waits for you.".to_owned();
    }
    let lines: Vec<String> = decisions
        .iter()
        .map(|decision| {
            let options = decision.options.iter().zip(&decision.outcomes);
            let options: String = options.map(|(option, what)| format!("\n  {option}: {what}")).collect();
            format!("{}{options}\n  companion decide {} OPTION", decision.summary, decision.id)
        })
        .collect();
    lines.join("\n")
}

/// Writes the answer down, and carries it out with a sync. Should that not get through, the next one does it. With
/// `always`, all questions of its kind are answered so from now on.
pub async fn decide(wiring: &Wiring, id: &str, option: &str, always: bool) -> Result<Outcome, Problem> {
    let world = wiring.world()?;
    let now = wiring.clock.now();
    let cards = plan(&world, now, &wiring.policy()).cards;
    let decided = answer(&world, &cards, now, id, option).map_err(|refused| problem(refused, id, option))?;
    let stands = if always {
        Some(for_all(&cards, id, option).map_err(|refused| problem(refused, id, option))?)
    } else {
        None
    };
    let connections = decided.connections(&world);
    let direction = match &decided {
        Decided::Import { calendar, intake } => {
            wiring.mirror.take_import(calendar, intake)?;
            Direction::FromCalendar
        }
        Decided::Bookings { answers, .. } => {
            wiring.mirror.put_answers(answers)?;
            Direction::Bidirectional
        }
    };
    if let Some((question, choice)) = stands {
        wiring.mirror.set_standing(question, Some(choice))?;
    }
    tracing::info!(decision = id, option, always, "decided");
    let wanted = Wanted { direction, connections: Some(connections), dry_run: false };
    let synced = syncing::sync_once(wiring, &wanted).await;
    let waits_for = synced.as_ref().ok().and_then(|report| report.standing_by.clone());
    let problems = match synced {
        Ok(report) if report.outcome() == SyncOutcome::Success => Vec::new(),
        Ok(report) => syncing::problems(&report),
        Err(problem) => vec![problem],
    };
    let left = all(&wiring.world()?, &wiring.policy(), &wiring.clock);
    let presses = left.iter().any(DecisionReport::presses);
    let exit = match (problems.is_empty() && waits_for.is_none(), presses) {
        (false, _) => Exit::Partly,
        (true, true) => Exit::Decide,
        (true, false) => Exit::Done,
    };
    Ok(Outcome {
        text: match &waits_for {
            // Carried out here, once this computer writes again.
            Some(other) => {
                let standing_by = words::standing_by(&other.holder, Language::English);
                format!("Decided. {standing_by} It is done when this one writes again.\n{}", text(&left))
            }
            None => format!("Decided.\n{}", text(&left)),
        },
        document: json!({
            "decided": id, "option": option, "decisions": left, "standing_by": waits_for,
        }),
        problems,
        exit,
    })
}

fn problem(refused: Refused, id: &str, option: &str) -> Problem {
    match refused {
        Refused::NotWaiting => Problem::new(
            Code::InvalidInput,
            format!("No question \"{id}\" waits: it was answered, or what it asked about has changed."),
        )
        .then("See what waits with `companion decisions`.")
        .because(Unusable::Answered),
        Refused::NoSuchOption { options } => {
            Problem::new(Code::InvalidInput, format!("\"{option}\" is no answer to this question."))
                .then(format!("Answer with one of: {}.", options.join(", ")))
        }
        Refused::NotForAll { why } => not_for_all(why),
    }
}

fn not_for_all(why: &str) -> Problem {
    Problem::new(Code::InvalidInput, format!("This is asked each time. {why}"))
        .then("Answer it once, without --always.")
}

/// Why a standing answer is not set.
fn no_standing(refused: Refused, kind: &str, option: &str) -> Problem {
    match refused {
        Refused::NotWaiting => {
            Problem::new(Code::InvalidInput, format!("\"{kind}\" is no kind of question."))
        }
        Refused::NoSuchOption { options } => {
            let what = if Question::parse(kind).is_some() { option } else { kind };
            Problem::new(Code::InvalidInput, format!("\"{what}\" is not known here."))
                .then(format!("Use one of: {}.", options.join(", ")))
        }
        Refused::NotForAll { why } => {
            Problem::new(Code::InvalidInput, format!("\"{kind}\" is asked each time. {why}"))
                .then("Answer each as it comes, with `companion decide`.")
        }
    }
}
