//! `companion forget`: erases what this computer knows of a vendor, after the platform was told to block nothing because
//! of it any more. Her own files stay: settings, and every calendar file that she ever put into a folder.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mirror::Sqlite;
use serde_json::json;
use sync::error::Code;
use sync::ids::ConnectionId;
use sync::leave::{Extent, LeaveReport};
use sync::ports::Mirror;
use sync::world::{Operation, Role, World};

use super::args::ForgetArgs;
use super::disconnect::taken_back;
use super::output::{Exit, Outcome};
use crate::problem::Problem;
use crate::profile::{Lock, Profile};
use crate::settings::VaultKind;
use crate::wiring::Wiring;
use crate::{leaving, recent, secrets, sign_in};

pub async fn run(profile: &Profile, args: &ForgetArgs) -> Result<Outcome, Problem> {
    if !args.yes {
        return Ok(would(profile, args));
    }
    if !profile.root().is_dir() {
        return Ok(Outcome::done(json!({ "erased": [], "taken_back": [] }), "There is nothing to erase."));
    }
    let kind = profile.settings()?.vault;
    let lock = profile.lock().await?;
    let mut told = Vec::new();
    let (lock, connections) = if args.offline {
        // Whatever state the database is in.
        let world = Sqlite::open_read_only(&profile.database()).and_then(|mirror| mirror.world());
        (lock, connections(&world.unwrap_or_default()))
    } else {
        let wiring = Wiring::open_locked(profile, lock).await?;
        let world = wiring.world()?;
        let extent = if args.remove_events { Extent::Everything } else { Extent::BusyTime };
        if may_block(&world) || (args.remove_events && !world.connections.is_empty()) {
            let problems;
            (told, problems) = leaving::everything(&wiring, extent).await?;
            if !problems.is_empty() {
                return Ok(stopped(&told, problems));
            }
        }
        if wiring.check_session().await.is_ok() {
            sign_in::logout(&wiring).await?;
        }
        (wiring.close(), connections(&world))
    };
    secrets::erase(profile, kind, &connections).await?;
    let erased = erase(profile, lock)?;
    let mut lines = vec!["Erased: what this computer knew, and its secrets.".to_owned()];
    lines.extend(told.iter().flat_map(taken_back));
    if args.offline {
        lines.push(
            "Bookiji was not told: times it was sent stay blocked there until they are over, and events stay."
                .to_owned(),
        );
    }
    lines.push(format!("Your settings and calendar files stay in {}.", profile.root().display()));
    Ok(Outcome::done(json!({ "erased": erased, "taken_back": told }), lines.join("\n")))
}

/// What would be erased, and that nothing was.
fn would(profile: &Profile, args: &ForgetArgs) -> Outcome {
    let world =
        Sqlite::open_read_only(&profile.database()).and_then(|mirror| mirror.world()).unwrap_or_default();
    let files: Vec<String> = ours(profile.root()).iter().map(|path| path.display().to_string()).collect();
    let accounts: Vec<&str> =
        world.connections.values().map(|connection| connection.account.as_str()).collect();
    let place = match profile.settings().map(|settings| settings.vault) {
        Ok(VaultKind::PassphraseFile) => "the vault file",
        Ok(VaultKind::Keychain) | Err(_) => "the keychain",
    };
    let whose = if accounts.is_empty() { String::new() } else { format!(" and of {}", accounts.join(", ")) };
    let mut lines = vec!["This would erase:".to_owned()];
    lines.extend(files.iter().map(|file| format!("  {file}")));
    lines.push(format!("  in {place}: the sign-in of Bookiji{whose}"));
    let events = world.mappings.values().filter(|mapping| sync::decide::stands(mapping)).count();
    lines.push(match (args.remove_events, args.offline) {
        (true, _) => format!(
            "and first take {events} events of bookings out of your calendars, and busy time off Bookiji."
        ),
        (false, false) => {
            "and first take your busy time off Bookiji. Events in your calendars stay.".to_owned()
        }
        (false, true) => "without telling Bookiji, which goes on blocking what it was sent.".to_owned(),
    });
    lines.push("Nothing was erased. To do it: the same command with --yes.".to_owned());
    Outcome {
        document: json!({
            "would_erase": files,
            "secrets": accounts,
            "events": if args.remove_events { events } else { 0 },
            "tells_bookiji": !args.offline,
        }),
        text: lines.join("\n"),
        problems: Vec::new(),
        exit: Exit::Usage,
    }
}

fn stopped(told: &[LeaveReport], problems: Vec<Problem>) -> Outcome {
    let mut lines = vec![
        "Nothing was erased: Bookiji or a calendar could not be told everything. The same command again goes on.\n\
         `companion forget --yes --offline` erases all the same, and leaves blocked what is blocked."
            .to_owned(),
    ];
    lines.extend(told.iter().flat_map(taken_back));
    Outcome {
        document: json!({ "erased": [], "taken_back": told }),
        text: lines.join("\n"),
        problems,
        exit: Exit::Partly,
    }
}

fn connections(world: &World) -> Vec<ConnectionId> {
    world.connections.keys().cloned().collect()
}

/// Whether the platform may block something because of this profile. After it was told to drop everything, it may not.
fn may_block(world: &World) -> bool {
    let unsure = |(_, operation): &(_, Operation)| matches!(operation, Operation::PublishBusy { .. });
    world.vendor.is_some()
        && (world.published.values().any(|published| !published.set.intervals.is_empty())
            || world.unsettled.iter().any(unsure)
            || !world.closed_slots.is_empty()
            || world
                .calendars
                .values()
                .any(|calendar| calendar.role != Role::Off && !world.published.contains_key(&calendar.id)))
}

/// Everything in a profile that we made, and that is not for her to keep.
fn ours(root: &Path) -> Vec<PathBuf> {
    let names = fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let is_ours = |name: &str| {
        // The database, what SQLite keeps beside it, and copies that were set aside.
        name.starts_with("companion.db") || ["door", recent::FILE, "lock", "logs", "vault"].contains(&name)
    };
    let ours: BTreeSet<PathBuf> =
        names.filter(|name| name.to_str().is_some_and(is_ours)).map(|name| root.join(name)).collect();
    ours.into_iter().collect()
}

/// The lock goes last.
fn erase(profile: &Profile, lock: Lock) -> Result<Vec<String>, Problem> {
    let root = profile.root();
    let (last, all): (Vec<_>, Vec<_>) =
        ours(root).into_iter().partition(|path| path.file_name().is_some_and(|name| name == "lock"));
    let mut erased = Vec::new();
    for path in &all {
        remove(path).map_err(|error| {
            Problem::new(Code::DatabaseError, format!("{} cannot be erased: {error}.", path.display()))
                .then("Close what uses it, or allow writing to it, and run the command again.")
        })?;
        erased.push(path.display().to_string());
    }
    drop(lock);
    for path in &last {
        let _ = remove(path);
        erased.push(path.display().to_string());
    }
    // Folders that are empty are of no use to her.
    for name in ["inbox", "imported", "rejected"] {
        let _ = fs::remove_dir(root.join(name));
    }
    Ok(erased)
}

fn remove(path: &Path) -> io::Result<()> {
    let done =
        if fs::symlink_metadata(path)?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
