//! The `companion` command: one module per command, and around them what they share — arguments in, one document or a
//! few plain sentences out, and an exit status that scripts can rely on.

pub mod args;
mod busy;
mod calendars;
mod connect;
mod decisions;
mod doctor;
mod explain;
mod export;
mod history;
mod import;
mod invite;
mod login;
pub mod output;
mod status;
mod sync;
mod undo;

use std::process::ExitCode;

use ::sync::error::Code;
use clap::Parser;

use crate::log;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::words::Language;
use args::{Args, Command};
use output::{Exit, Outcome};

/// Runs the command that was typed.
#[must_use]
pub fn run() -> ExitCode {
    let args = Args::parse();
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
    let profile = Profile::at(args.profile.as_deref())?;
    log::install_panic_note(Some(&profile));
    log::start(&profile, args.verbose);
    match &args.command {
        Command::Status => status::run(&profile, language),
        Command::Login(login) => login::login(&profile, login).await,
        Command::Logout => login::logout(&profile).await,
        Command::Connect { service } => connect::run(&profile, service).await,
        Command::Disconnect { connection } => connect::disconnect(&profile, connection).await,
        Command::Calendars(choice) => calendars::run(&profile, choice).await,
        Command::Sync(request) => sync::run(&profile, request, language, args.json).await,
        Command::Busy(busy) => busy::of_profile(&profile, busy),
        Command::Explain { moment } => explain::run(&profile, moment),
        Command::Import(import) => import::run(&profile, import).await,
        Command::Export(export) => export::run(&profile, export, args.json).await,
        Command::Invite(invite) => invite::run(&profile, invite, args.json).await,
        Command::Decisions { standing: Some(Some(line)) } => decisions::set_standing(&profile, line).await,
        Command::Decisions { standing } => decisions::list(&profile, standing.is_some()),
        Command::Decide { id, option, always } => decisions::decide(&profile, id, option, *always).await,
        Command::History { run } => history::run(&profile, run.as_deref()),
        Command::Undo { run } => undo::run(&profile, run).await,
        Command::Doctor => Ok(doctor::run(&profile).await),
    }
}

/// A settings file that cannot be read must not keep its own error from being said.
fn language(args: &Args) -> Language {
    let set = Profile::at(args.profile.as_deref())
        .and_then(|profile| profile.settings())
        .ok()
        .and_then(|settings| settings.language);
    set.unwrap_or_else(Language::of_system)
}
