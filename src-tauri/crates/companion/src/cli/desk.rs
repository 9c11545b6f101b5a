//! `companion --profiles DIR`: `status`, `sync` and `decisions` for every vendor of a front desk. What each of them
//! comes to is the single command's business; here it is put together: `{profiles: [{profile, …}]}`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use sync::error::Code;
use tokio::task::JoinSet;
use tracing::Instrument;

use super::args::{Args, ForAll, SyncArgs};
use super::output::{self, Exit, Outcome};
use super::{decisions, status, sync as one};
use crate::desk::door::Door;
use crate::desk::folder::{self, Member};
use crate::desk::limits::Limits;
use crate::desk::{AsSet, Desk, News, Opener, Pace, Told, open};
use crate::log;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::syncing::{self, Wanted};
use crate::words::Language;

type Each = BTreeMap<String, Result<Outcome, Problem>>;

pub async fn run(dir: &Path, args: &Args, language: Language) -> Result<Outcome, Problem> {
    let members = folder::members(dir)?;
    let home = Profile::at(Some(dir))?;
    log::start(&home, args.verbose);
    log::install_panic_note_among_others(&home);
    let each = |read: &dyn Fn(&Profile) -> Result<Outcome, Problem>| {
        members.iter().map(|one| (one.name.clone(), read(&one.profile))).collect()
    };
    match args.command.for_all() {
        Some(ForAll::Status) => Ok(together(each(&|profile| status::run(profile, language)))),
        Some(ForAll::Decisions { standing }) => {
            Ok(together(each(&|profile| decisions::list(profile, standing))))
        }
        Some(ForAll::Sync(request)) if request.watch => watch(dir, language, args.json).await,
        Some(ForAll::Sync(request)) => Ok(together(sync_each(dir, members, request).await?)),
        // Refused before, as wrong usage.
        None => Err(Problem::new(Code::InvalidInput, "This command is about one vendor.")
            .then("Name her folder with --profile DIR.")),
    }
}

async fn sync_each(dir: &Path, members: Vec<Member>, args: &SyncArgs) -> Result<Each, Problem> {
    let door = Door::new(Limits::load(&dir.join("settings.toml"))?)?;
    let opener: Arc<dyn Opener> = Arc::new(AsSet::default());
    let wanted = Wanted { direction: args.direction.into(), connections: None, dry_run: args.dry_run };
    let stopped = || Problem::new(Code::Internal, "Its sync stopped for a reason of its own.");
    let mut each: Each = members.iter().map(|one| (one.name.clone(), Err(stopped()))).collect();
    let mut syncs = JoinSet::new();
    for member in members {
        let (opener, wanted, place) = (opener.clone(), wanted.clone(), door.place(&member.name));
        let span = tracing::info_span!("desk", profile = %member.name);
        let sync = async move {
            let report = match open(&member, &place, opener.as_ref()).await {
                Ok(wiring) => syncing::sync_once(&wiring, &wanted).await,
                Err(problem) => Err(problem),
            };
            (member.name, report.map(|report| one::outcome(&report)))
        };
        syncs.spawn(sync.instrument(span));
    }
    while let Some(done) = syncs.join_next().await {
        if let Ok((name, outcome)) = done {
            each.insert(name, outcome);
        }
    }
    Ok(each)
}

/// Each run is told on stderr; the last documents of all are the answer.
async fn watch(dir: &Path, language: Language, json: bool) -> Result<Outcome, Problem> {
    let mut interrupted = std::pin::pin!(one::interrupted());
    let mut desk = Desk::open(dir, Arc::new(AsSet::default()), Pace::default())?;
    output::note("Syncing every profile. Interrupt to stop.");
    let mut each = Each::new();
    loop {
        tokio::select! {
            () = &mut interrupted => break,
            told = desk.told.recv() => match told {
                Some(told) => tell(told, &mut each, language, json),
                None => break,
            }
        }
    }
    desk.shutdown().await;
    Ok(Outcome { text: "Stopped.".to_owned(), ..together(each) })
}

fn tell(Told { profile, what }: Told, each: &mut Each, language: Language, json: bool) {
    match what {
        News::Opened => output::note(&format!("{profile}: opened.")),
        News::Left => {
            output::note(&format!("{profile}: no longer there."));
            each.remove(&profile);
        }
        News::File(file) => output::note(&format!("{profile}: {}", one::told(&file, false))),
        News::Shut(problem) | News::Ran(Err(problem)) => {
            tell_problem(&profile, &problem, language, json);
            each.insert(profile, Err(problem));
        }
        News::Ran(Ok(report)) => {
            let outcome = one::outcome(&report);
            for line in outcome.text.lines() {
                output::note(&format!("{profile}: {line}"));
            }
            for problem in &outcome.problems {
                tell_problem(&profile, problem, language, json);
            }
            each.insert(profile, Ok(outcome));
        }
    }
}

fn tell_problem(profile: &str, problem: &Problem, language: Language, json: bool) {
    if json {
        let mut line = output::error_document(problem);
        line["profile"] = json!(profile);
        output::note(&line.to_string());
    } else {
        output::problem(&named(profile, problem), false, language);
    }
}

fn named(profile: &str, problem: &Problem) -> Problem {
    problem.clone().after(&format!("{profile}:"))
}

/// One answer out of all. A profile whose command failed has its `error` in place of the usual document.
fn together(each: Each) -> Outcome {
    let exit = exit(each.values().map(|one| one.as_ref().map_or(Exit::Failed, |outcome| outcome.exit)));
    let (mut documents, mut texts, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for (profile, one) in each {
        let mut document = json!({ "profile": profile });
        let (more, text) = match one {
            Ok(outcome) => {
                problems.extend(outcome.problems.iter().map(|problem| named(&profile, problem)));
                (outcome.document, outcome.text)
            }
            Err(problem) => {
                problems.push(named(&profile, &problem));
                (output::error_document(&problem), problem.message)
            }
        };
        if let (Value::Object(document), Value::Object(more)) = (&mut document, more) {
            document.extend(more);
        }
        documents.push(document);
        texts.push(format!("{profile}\n{}", indented(&text)));
    }
    let text = if texts.is_empty() { "There is no profile here.".to_owned() } else { texts.join("\n") };
    Outcome { document: json!({ "profiles": documents }), text, problems, exit }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// Failed when nothing else can be said; partly done when some of it was.
fn exit(each: impl Iterator<Item = Exit>) -> Exit {
    let each: Vec<Exit> = each.collect();
    let any = |exit| each.contains(&exit);
    match () {
        () if !each.is_empty() && each.iter().all(|exit| *exit == Exit::Failed) => Exit::Failed,
        () if any(Exit::Failed) || any(Exit::Partly) => Exit::Partly,
        () if any(Exit::Decide) => Exit::Decide,
        () => Exit::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_failed_is_failed_some_is_partly_and_a_question_of_one_is_a_question() {
        use Exit::{Decide, Done, Failed, Partly};
        for (each, expected) in [
            (vec![], Done),
            (vec![Done, Done], Done),
            (vec![Failed, Failed], Failed),
            (vec![Done, Failed], Partly),
            (vec![Decide, Partly], Partly),
            (vec![Done, Decide], Decide),
        ] {
            assert_eq!(exit(each.iter().copied()), expected, "{each:?}");
        }
    }

    #[test]
    fn each_profile_has_its_usual_document_or_its_error_and_goes_by_its_folder() {
        let each = Each::from([
            ("anna".to_owned(), Ok(Outcome::done(json!({ "decisions": [] }), "Nothing waits for you."))),
            ("zoe".to_owned(), Err(Problem::new(Code::NotSignedIn, "Nobody is signed in."))),
        ]);
        let outcome = together(each);
        assert_eq!(outcome.document["profiles"][0], json!({ "profile": "anna", "decisions": [] }));
        assert_eq!(outcome.document["profiles"][1]["error"]["code"], "NOT_SIGNED_IN");
        assert_eq!(outcome.text, "anna\n  Nothing waits for you.\nzoe\n  Nobody is signed in.");
        assert_eq!(outcome.problems[0].message, "zoe: Nobody is signed in.");
        assert_eq!(outcome.exit, Exit::Partly);
    }
}
