//! The `companion` command: one module per command, and around them what they share — arguments in, one document or a
//! few plain sentences out, and an exit status that scripts can rely on.

pub mod args;
pub(crate) mod block;
mod browser;
mod bundle;
mod busy;
pub(crate) mod calendars;
pub(crate) mod connect;
pub(crate) mod decisions;
mod desk;
pub(crate) mod disconnect;
mod doctor;
pub mod explain;
pub(crate) mod export;
pub mod forget;
pub(crate) mod history;
pub(crate) mod import;
pub mod invite;
mod login;
pub mod output;
pub(crate) mod pause;
mod status;
pub(crate) mod sync;
pub(crate) mod unblock;
pub(crate) mod undo;

use std::process::ExitCode;

use ::sync::error::Code;
use clap::Parser;

use crate::errand::{self, Errand};
use crate::log;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::words::Language;
use args::{Args, Command};
use output::{Exit, Outcome, Voice};

/// Runs the command that was typed.
#[must_use]
pub fn run() -> ExitCode {
    let args = Args::parse();
    if let Err(error) = args.check() {
        error.exit();
    }
    let language = language(&args);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let problem = Problem::new(Code::Internal, format!("No thread could be started: {error}."));
            output::problem(&problem, args.json, language);
            return Exit::Failed.into();
        }
    };
    let outcome = runtime.block_on(execute(&args, language));
    // A keychain that still asks somewhere must not keep the command from ending.
    runtime.shutdown_background();
    match outcome {
        Ok(outcome) => outcome.print(args.json, language).into(),
        Err(problem) => {
            output::problem(&problem, args.json, language);
            Exit::Failed.into()
        }
    }
}

async fn execute(args: &Args, language: Language) -> Result<Outcome, Problem> {
    if let Command::Busy(busy) = &args.command
        && !busy.files.is_empty()
    {
        log::install_panic_note(None);
        return busy::of_files(busy);
    }
    if let Some(dir) = &args.profiles {
        return desk::run(dir, args, language).await;
    }
    let profile = Profile::at(args.profile.as_deref())?;
    log::install_panic_note(Some(&profile));
    log::start(&profile, args.verbose);
    let voice = Voice { language, json: args.json };
    match &args.command {
        Command::Status => status::run(&profile, language),
        Command::Login(login) => alone(login::login(&profile, login).await),
        Command::Logout => alone(login::logout(&profile).await),
        Command::Connect { service } => alone(connect::run(&profile, service, voice).await),
        Command::Disconnect { connection, remove_events } => {
            let (connection, remove_events) = (connection.clone(), *remove_events);
            errand::run(&profile, voice, &Errand::Disconnect { connection, remove_events }).await
        }
        Command::Pause(args) => pause::run(&profile, args, voice).await,
        Command::Block(args) => block::run(&profile, args, voice).await,
        Command::Resume => errand::run(&profile, voice, &Errand::Resume).await,
        Command::Calendars(choice) => calendars::run(&profile, choice, voice).await,
        Command::Sync(request) => sync::run(&profile, request, voice).await,
        Command::Busy(busy) => busy::of_profile(&profile, busy),
        Command::Explain { moment } => explain::run(&profile, moment),
        Command::Unblock(args) => unblock::run(&profile, args, voice).await,
        Command::Import(import) => import::run(&profile, import, voice).await,
        Command::Export(export) => export::run(&profile, export, args.json).await,
        Command::Invite(invite) => invite::run(&profile, invite, args.json).await,
        Command::Decisions { standing: Some(Some(line)) } => {
            errand::run(&profile, voice, &Errand::Standing { line: line.clone() }).await
        }
        Command::Decisions { standing } => decisions::list(&profile, standing.is_some()),
        Command::Decide { id, option, always } => {
            let (id, option) = (id.clone(), option.clone());
            errand::run(&profile, voice, &Errand::Decide { id, option, always: *always }).await
        }
        Command::History { run } => history::run(&profile, run.as_deref()),
        Command::Undo { run } => errand::run(&profile, voice, &Errand::Undo { run: run.clone() }).await,
        Command::Forget(forget) => alone(forget::run(&profile, forget).await),
        Command::Doctor => Ok(doctor::run(&profile).await),
        Command::Bundle { output } => bundle::run(&profile, output.as_deref()).await,
    }
}

/// What must be done by the command itself: it needs her browser, her password, or the profile for itself.
fn alone(done: Result<Outcome, Problem>) -> Result<Outcome, Problem> {
    done.map_err(|problem| {
        if problem.code != Code::AlreadyRunning {
            return problem;
        }
        problem
            .then("Quit the app (or stop `companion sync --watch`), run this again, and start it afterwards.")
    })
}

/// A settings file that cannot be read must not keep its own error from being said.
fn language(args: &Args) -> Language {
    let set = Profile::at(args.profile.as_deref())
        .and_then(|profile| profile.settings())
        .ok()
        .and_then(|settings| settings.language);
    set.unwrap_or_else(Language::of_system)
}
