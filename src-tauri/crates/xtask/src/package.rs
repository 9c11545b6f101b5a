//! `cargo xtask package`: the installers of this system, and what an updater takes. Looks into the Debian package for what
//! makes it more than a program: its entry in the menu, its file type, its links, its icons. Signs only what a release
//! says where to find: see `docs/releases.md`.

use crate::process::{self, output};
use crate::system::{self, For};
use crate::{node, places};
use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// An optimised build with everything in it, on a slow machine.
const RELEASE: Duration = Duration::from_mins(90);
const LOOK: Duration = Duration::from_mins(1);

/// How the files end that are given away.
const KINDS: [&str; 8] = ["deb", "rpm", "AppImage", "dmg", "msi", "exe", "sig", "gz"];

/// Holds the key that updates are signed with. Its password goes by the same name with `_PASSWORD`.
const KEY: &str = "TAURI_SIGNING_PRIVATE_KEY";

#[derive(Args)]
pub struct Options {
    /// Packs a build that is not optimised: to try the packing, not to give away.
    #[arg(long)]
    debug: bool,
    /// Only this kind, such as deb, rpm, dmg or nsis.
    #[arg(long, value_name = "KIND")]
    only: Option<String>,
}

pub fn package(options: &Options) -> Result<()> {
    system::prepare(&[For::Window])?;
    node::install()?;
    node::build()?;
    let mut words = vec!["build", "--ci"];
    words.extend(options.debug.then_some("--debug"));
    if let Some(kind) = &options.only {
        words.extend(["--bundles", kind]);
    }
    let overlay = places::root()?.join("src-tauri/tauri.release.conf.json");
    let overlay = overlay.to_str().context("the checkout's path is no text")?;
    let release = Release::read(Path::new(overlay))?;
    match &release {
        Release::Signed => words.extend(["--config", overlay]),
        Release::Unsigned(why) => println!("no updater artefacts: {why} (docs/releases.md)"),
    }
    words.extend(["--", "--locked"]);
    process::run(tauri()?.args(words), RELEASE)?;

    let profile = if options.debug { "debug" } else { "release" };
    let made = made(&places::target()?.join(profile).join("bundle"))?;
    if made.is_empty() {
        bail!("nothing was packed");
    }
    for file in &made {
        println!("{}", file.display());
        if file.extension().is_some_and(|kind| kind == "deb") {
            look_into(file)?;
        }
    }
    let signatures = made.iter().filter(|file| file.extension().is_some_and(|kind| kind == "sig")).count();
    if matches!(release, Release::Signed) && signatures == 0 {
        bail!("this was to be a release, and nothing is signed");
    }
    Ok(())
}

/// The packer, which the lock file of the window's packages pins.
fn tauri() -> Result<Command> {
    let mut tauri = process::at_the_top(Command::new("node"))?;
    tauri.arg(places::root()?.join("ui/node_modules/@tauri-apps/cli/tauri.js"));
    Ok(tauri)
}

/// Whether what is packed can be an update.
enum Release {
    Signed,
    Unsigned(&'static str),
}

impl Release {
    fn read(overlay: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(overlay).context("reading the settings of a release")?;
        let settings: Value = serde_json::from_str(&text).context("reading the settings of a release")?;
        Ok(Self::of(&settings, env::var_os(KEY).is_some_and(|key| !key.is_empty())))
    }

    fn of(settings: &Value, has_key: bool) -> Self {
        let rules = &settings["plugins"]["updater"];
        let addressed = rules["endpoints"].as_array().is_some_and(|addresses| !addresses.is_empty());
        if !addressed || rules["pubkey"].as_str().is_none_or(str::is_empty) {
            Self::Unsigned("tauri.release.conf.json names no address or no public key")
        } else if !has_key {
            Self::Unsigned("TAURI_SIGNING_PRIVATE_KEY is not set")
        } else {
            Self::Signed
        }
    }
}

/// Installers and signatures, sorted.
fn made(bundle: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for kind in std::fs::read_dir(bundle).with_context(|| format!("looking into {}", bundle.display()))? {
        let kind = kind?.path();
        let Ok(files) = std::fs::read_dir(&kind) else { continue };
        for file in files {
            let file = file?.path();
            let is_one = |kind: &str| file.extension().is_some_and(|extension| extension == kind);
            if file.is_file() && KINDS.iter().any(|kind| is_one(kind)) {
                found.push(file);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// What a Debian package must hold, or it is a program that no file and no link opens.
fn look_into(package: &Path) -> Result<()> {
    let files = deb(&["--contents"], package)?;
    let desktop = files
        .lines()
        .find_map(|line| {
            line.find("usr/share/applications/")
                .map(|at| &line[at..])
                .filter(|word| word.ends_with(".desktop"))
        })
        .context("it has no entry in the menu")?
        .to_owned();
    for part in ["usr/bin/bookiji-companion", "usr/share/icons/hicolor/128x128/apps/bookiji-companion.png"] {
        if !files.lines().any(|line| line.ends_with(part)) {
            bail!("{} has no {part}", package.display());
        }
    }
    let tree = places::Scratch::new("package")?;
    let mut unpack = Command::new("dpkg-deb");
    unpack.arg("--extract").arg(package).arg(tree.path());
    process::run(&mut unpack, LOOK)?;
    let entry =
        std::fs::read_to_string(tree.path().join(&desktop)).context("reading the entry in the menu")?;
    if let Some(word) = missing(&entry).next() {
        bail!("the entry in the menu does not say {word}:\n{entry}");
    }
    println!(
        "  holds the program, its icons, and a menu entry that opens .ics files and bookiji-companion: links"
    );
    Ok(())
}

/// What an entry in the menu must say and does not.
fn missing(entry: &str) -> impl Iterator<Item = &'static str> {
    let types = entry.lines().find_map(|line| line.strip_prefix("MimeType=")).unwrap_or_default().to_owned();
    let runs = entry.lines().find_map(|line| line.strip_prefix("Exec=")).unwrap_or_default().to_owned();
    ["text/calendar", "x-scheme-handler/bookiji-companion"]
        .into_iter()
        .filter(move |wanted| !types.split(';').any(|kind| kind == *wanted))
        // Without it a file that is opened never reaches the program.
        .chain(
            ["a place for files in Exec"]
                .into_iter()
                .filter(move |_| !["%f", "%F", "%u", "%U"].iter().any(|place| runs.ends_with(place))),
        )
}

fn deb(words: &[&str], package: &Path) -> Result<String> {
    let answer = output(Command::new("dpkg-deb").args(words).arg(package), LOOK)?;
    if !answer.status.success() {
        bail!("{} cannot be read", package.display());
    }
    Ok(String::from_utf8_lossy(&answer.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_entry_that_opens_neither_files_nor_links_is_found_out() {
        let whole = "[Desktop Entry]\nExec=bookiji-companion %U\nMimeType=text/calendar;x-scheme-handler/bookiji-companion;\n";
        assert_eq!(missing(whole).count(), 0);
        let bare = "[Desktop Entry]\nExec=bookiji-companion\nMimeType=text/calendarish\n";
        assert_eq!(missing(bare).count(), 3);
    }

    #[test]
    fn only_an_address_with_a_public_key_and_a_private_one_make_a_release() {
        let of = |address: &str, public: &str| {
            let addresses: Vec<&str> =
                Some(address).filter(|address| !address.is_empty()).into_iter().collect();
            json!({"plugins": {"updater": {"endpoints": addresses, "pubkey": public}}})
        };
        let signed = |settings: &Value, key| matches!(Release::of(settings, key), Release::Signed);
        assert!(signed(&of("https://updates.example", "key"), true));
        assert!(!signed(&of("https://updates.example", "key"), false));
        assert!(!signed(&of("https://updates.example", ""), true));
        assert!(!signed(&of("", "key"), true));
        assert!(!signed(&json!({}), true));
    }
}
