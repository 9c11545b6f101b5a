//! `companion decisions` and `companion decide`: what waits for the vendor, and her answers.

use mirror::Sqlite;
use serde_json::json;
use sync::decisions::{Decided, Refused, answer, waiting};
use sync::error::Code;
use sync::plan::plan;
use sync::policy::Policy;
use sync::ports::{Clock, Mirror};
use sync::report::DecisionReport;
use sync::world::{Direction, SyncOutcome, World};

use super::output::{Exit, Outcome};
use crate::clock::SystemClock;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::syncing::{self, Wanted};
use crate::wiring::Wiring;
use crate::words::{self, Language};

pub fn list(profile: &Profile) -> Result<Outcome, Problem> {
    let policy = profile.settings()?.sync.policy();
    let world = Sqlite::open_read_only(&profile.database())?.world()?;
    let decisions = all(&world, &policy, &SystemClock);
    Ok(Outcome::done(json!({ "decisions": decisions }), text(&decisions)))
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

/// Writes the answer down, and carries it out with a sync. Should that not get through, the next one does it.
pub async fn decide(wiring: &Wiring, id: &str, option: &str) -> Result<Outcome, Problem> {
    let world = wiring.world()?;
    let now = wiring.clock.now();
    let cards = plan(&world, now, &wiring.policy()).cards;
    let decided = answer(&world, &cards, now, id, option).map_err(|refused| problem(refused, id, option))?;
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
    tracing::info!(decision = id, option, "decided");
    let connection = world.calendars.get(decided.calendar()).map(|calendar| calendar.connection.clone());
    let wanted = Wanted { direction, connections: Some(connection.into_iter().collect()), dry_run: false };
    let synced = syncing::sync_once(wiring, &wanted).await;
    let waits_for = synced.as_ref().ok().and_then(|report| report.standing_by.clone());
    let problems = match synced {
        Ok(report) if report.outcome() == SyncOutcome::Success => Vec::new(),
        Ok(report) => syncing::problems(&report),
        Err(problem) => vec![problem],
    };
    let left = all(&wiring.world()?, &wiring.policy(), &wiring.clock);
    let exit = match (problems.is_empty() && waits_for.is_none(), left.is_empty()) {
        (false, _) => Exit::Partly,
        (true, false) => Exit::Decide,
        (true, true) => Exit::Done,
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
        .then("See what waits with `companion decisions`."),
        Refused::NoSuchOption { options } => {
            Problem::new(Code::InvalidInput, format!("\"{option}\" is no answer to this question."))
                .then(format!("Answer with one of: {}.", options.join(", ")))
        }
    }
}
