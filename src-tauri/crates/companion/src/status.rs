//! What `companion status` and `companion history` say, from the mirror alone. Pure.

use jiff::{SignedDuration, Timestamp};
use mirror::Pause;
use serde_json::{Value, json};
use sync::journal::JournalEntry;
use sync::world::{Direction, Role, RunRecord, SyncOutcome, World};

use crate::problem::Problem;
use crate::view::{self, Activity, ConnectionView, Overview, State};
use crate::words::{self, Language};

/// The `status --json` document.
#[must_use]
pub fn document(world: &World, overview: &Overview) -> Value {
    let connections: Vec<Value> = overview.connections.iter().map(connection).collect();
    json!({
        "state": overview.state,
        "error": overview.problem.as_ref().map(error),
        "vendor": overview.vendor,
        "connections": connections,
        "decisions": overview.decisions,
        "pending_operations": world.unsettled.len(),
        "paused_until": overview.paused_until,
        "standing_by": world.lease.standing_by,
        "last_sync_at": overview.last_sync_at,
        "next_sync_at": overview.next_sync_at,
    })
}

/// One linked account with its calendars, as `status` and `connect` tell it.
#[must_use]
pub fn connection(connection: &ConnectionView) -> Value {
    let calendars: Vec<Value> = connection
        .calendars
        .iter()
        .map(|calendar| {
            json!({
                "id": calendar.id,
                "name": calendar.name,
                "role": calendar.role,
                "state": calendar.state,
                "last_sync_at": calendar.last_sync_at,
                "next_sync_at": calendar.next_sync_at,
                "error": calendar.problem.as_ref().map(error),
            })
        })
        .collect();
    json!({
        "id": connection.id,
        "service": connection.service,
        "account": connection.account,
        "state": connection.state,
        "error": connection.problem.as_ref().map(error),
        "calendars": calendars,
    })
}

fn error(problem: &view::Problem) -> Value {
    json!({
        "code": problem.code,
        "message": problem.message,
        "next_step": Problem::new(problem.code, "").next_step(Language::English),
    })
}

/// The same in a few lines.
#[must_use]
pub fn text(overview: &Overview, language: Language) -> String {
    let mut lines = vec![match (&overview.vendor, overview.last_sync_at) {
        (None, _) => "Not signed in to Bookiji.".to_owned(),
        (Some(_), _) if overview.connections.is_empty() => "No calendar is connected.".to_owned(),
        (Some(_), Some(last)) => {
            format!("{} · last synced {}", state_words(overview.state), ago(last, overview.now))
        }
        (Some(_), None) => "Connected, and not synced yet: `companion sync`.".to_owned(),
    }];
    if let Some(vendor) = &overview.vendor {
        lines.push(format!("Signed in as {} ({})", vendor.name, vendor.email));
    }
    lines.extend(overview.connections.iter().map(|connection| connection_text(connection, overview.now)));
    if let Some(problem) = &overview.problem {
        let problem = Problem::new(problem.code, problem.message.clone());
        lines.push(format!("{} [{}]\n  {}", problem.message, problem.code, problem.next_step(language)));
    }
    if let Some(holder) = &overview.standing_by {
        lines.push(words::standing_by(holder, language));
    }
    if overview.decisions > 0 {
        lines.push(format!("{} waiting for your decision", overview.decisions));
    }
    lines.join("\n")
}

/// One linked account with its calendars, in lines.
#[must_use]
pub fn connection_text(connection: &ConnectionView, now: Timestamp) -> String {
    let state = state_words(connection.state);
    let mut lines = vec![format!("{} {} — {state}", connection.service.as_str(), connection.account)];
    lines.extend(connection.calendars.iter().map(|calendar| {
        let when = calendar.last_sync_at.map_or("never synced".to_owned(), |last| ago(last, now));
        format!("  {:<7} {}  ({when})", role_word(calendar.role), calendar.name)
    }));
    lines.join("\n")
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Busy => "blocks",
        Role::Target => "target",
        Role::Off => "off",
    }
}

fn state_words(state: State) -> &'static str {
    match state {
        State::UpToDate => "Up to date",
        State::Syncing => "Syncing",
        State::Paused => "Paused",
        State::Offline => "Offline",
        State::NeedsYou => "Needs you",
        State::Error => "Error",
    }
}

/// "2 min ago".
#[must_use]
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let passed = now.duration_since(then).max(SignedDuration::ZERO);
    match passed.as_secs() {
        0..60 => "just now".to_owned(),
        secs @ 60..3600 => format!("{} min ago", secs / 60),
        secs @ 3600..86_400 => format!("{} h ago", secs / 3600),
        secs => format!("{} d ago", secs / 86_400),
    }
}

/// The runs worth telling: the newest, and those before it that did something, failed, or looked at both sides. The
/// bookings are asked for every minute, and mostly there is nothing new.
#[must_use]
pub fn worth_telling(runs: Vec<RunRecord>) -> Vec<RunRecord> {
    runs.into_iter()
        .enumerate()
        .filter(|(index, run)| *index == 0 || !is_idle_poll(run))
        .map(|(_, run)| run)
        .collect()
}

fn is_idle_poll(run: &RunRecord) -> bool {
    let report = run.report.as_ref().unwrap_or(&Value::Null);
    let wrote = ["created", "updated", "removed"].iter().any(|word| report["bookings"][word] != 0);
    run.direction == Direction::ToCalendar && run.outcome == Some(SyncOutcome::Success) && !wrote
}

/// What is going on, as far as files tell: a run without an end is running while somebody holds the lock, and a trace
/// of a crash otherwise.
#[must_use]
pub fn activity(runs: &[RunRecord], pause: Option<Pause>, locked: bool) -> Activity {
    let running = runs.first().filter(|run| locked && run.ended_at.is_none());
    Activity {
        syncing_since: running.map(|run| run.started_at),
        paused: pause.is_some(),
        paused_until: pause.and_then(|pause| pause.until),
        ..Activity::default()
    }
}

/// How many runs are read to find those worth telling.
pub const RUNS_READ: usize = 400;

/// The `history --json` document.
#[must_use]
pub fn history(runs: &[RunRecord]) -> Value {
    json!({ "runs": runs.iter().map(run).collect::<Vec<_>>() })
}

fn run(run: &RunRecord) -> Value {
    json!({
        "id": run.id,
        "direction": run.direction,
        "undoes": run.undoes,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "outcome": run.outcome,
        "report": run.report,
    })
}

/// The same of one run, with everything it wrote.
#[must_use]
pub fn history_of(record: &RunRecord, entries: &[JournalEntry]) -> Value {
    let mut document = run(record);
    document["operations"] = entries.iter().map(operation).collect();
    json!({ "runs": [document] })
}

fn operation(entry: &JournalEntry) -> Value {
    json!({
        "id": entry.id,
        "kind": entry.operation.kind(),
        "state": entry.state,
        "calendar": entry.operation.calendar(),
        "booking_id": entry.operation.booking(),
        "attempts": entry.attempts,
        "error": entry.problem,
        "intended_at": entry.intended_at,
        "settled_at": entry.settled_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync::ids::{ConnectionId, Service};
    use sync::lease::StandingBy;
    use sync::world::{Connection, ConnectionState, SyncProblem, Vendor};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn a_connection_that_needs_her_is_said_with_its_code_and_next_step() {
        let mut world = World::default();
        let id = ConnectionId::of(Service::Google, "me@example.com");
        world.vendor = Some(Vendor {
            id: "v".into(),
            name: "Salon".to_owned(),
            email: "me@example.com".to_owned(),
            time_zone: "Europe/Paris".to_owned(),
        });
        world.connections.insert(
            id.clone(),
            Connection {
                id: id.clone(),
                service: Service::Google,
                account: "me@example.com".to_owned(),
                state: ConnectionState::NeedsSignIn,
                created_at: at(0),
                error: Some(SyncProblem {
                    code: sync::error::Code::OauthTokenExpired,
                    message: "Google no longer accepts this sign-in".to_owned(),
                }),
                backoff_until: None,
                error_count: 1,
            },
        );
        let overview = view::overview(&world, &[], at(0), &Activity::default());
        let document = document(&world, &overview);
        assert_eq!(document["state"], "needs_you");
        assert_eq!(document["connections"][0]["id"], id.as_str());
        assert_eq!(document["connections"][0]["error"]["code"], "OAUTH_TOKEN_EXPIRED");
        assert_eq!(document["pending_operations"], 0);
        assert_eq!(document["paused_until"], Value::Null);
        let text = text(&overview, Language::English);
        assert!(text.contains("google me@example.com — Needs you"), "{text}");
        assert!(text.contains("companion connect google"), "{text}");
    }

    #[test]
    fn a_computer_that_stands_by_says_who_writes_and_is_not_in_trouble() {
        let mut world = World::default();
        let other = StandingBy { holder: "studio-mac".to_owned(), since: at(0) };
        world.lease.standing_by = Some(other);
        let overview = view::overview(&world, &[], at(9), &Activity::default());
        let without = view::overview(&World::default(), &[], at(9), &Activity::default());
        assert_eq!((overview.state, &overview.problem), (without.state, &None));
        let told = &document(&world, &overview)["standing_by"];
        assert_eq!(told, &json!({ "holder": "studio-mac", "since": at(0) }));
        let [english, french] =
            [Language::English, Language::French].map(|language| text(&overview, language));
        assert!(english.contains("This computer stands by: studio-mac writes"), "{english}");
        assert!(french.contains("en veille : studio-mac écrit"), "{french}");
    }

    #[test]
    fn an_unfinished_run_is_running_only_while_somebody_writes() {
        let run = RunRecord {
            id: "r".into(),
            direction: Direction::Bidirectional,
            started_at: at(0),
            ended_at: None,
            outcome: None,
            undoes: None,
            report: None,
        };
        assert_eq!(activity(std::slice::from_ref(&run), None, true).syncing_since, Some(at(0)));
        assert_eq!(activity(&[run], None, false).syncing_since, None);
    }

    #[test]
    fn a_poll_that_found_nothing_is_not_worth_telling_unless_it_is_the_newest() {
        let run = |id: &str, direction, created| RunRecord {
            id: id.into(),
            direction,
            started_at: at(0),
            ended_at: Some(at(1)),
            outcome: Some(SyncOutcome::Success),
            undoes: None,
            report: Some(json!({ "bookings": { "created": created, "updated": 0, "removed": 0 } })),
        };
        let told = worth_telling(vec![
            run("newest poll", Direction::ToCalendar, 0),
            run("idle poll", Direction::ToCalendar, 0),
            run("busy poll", Direction::ToCalendar, 1),
            RunRecord { outcome: Some(SyncOutcome::Error), ..run("failed poll", Direction::ToCalendar, 0) },
            run("both ways", Direction::Bidirectional, 0),
        ]);
        let told: Vec<&str> = told.iter().map(|run| run.id.as_str()).collect();
        assert_eq!(told, ["newest poll", "busy poll", "failed poll", "both ways"]);
    }

    #[test]
    fn times_are_told_as_people_tell_them() {
        for (seconds, expected) in
            [(-5, "just now"), (59, "just now"), (125, "2 min ago"), (7300, "2 h ago"), (200_000, "2 d ago")]
        {
            assert_eq!(ago(at(0), at(seconds)), expected);
        }
    }
}
