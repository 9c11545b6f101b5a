//! Packages that others made, brought into the cache folder for what lies in them: calendar files, and the dates that
//! their projects expect. Nothing of theirs is ever part of the repository.

use crate::places::{self, Scratch};
use crate::process;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// One package, pinned.
pub struct Package {
    pub name: &'static str,
    pub version: &'static str,
    pub from: From,
}

/// Who keeps it, and in which form it is wanted.
pub enum From {
    /// Python's index: the sources as their authors wrote them.
    Python,
    /// The registry of crates.
    Cargo,
    /// Debian: the sources before Debian's changes.
    DebianSource,
    /// Debian: what is installed, for this machine, in whatever build the release has.
    Debian,
}

const FETCH: Duration = Duration::from_mins(5);
const UNPACK: Duration = Duration::from_mins(1);

impl Package {
    pub fn title(&self) -> String {
        format!("{} {}", self.name, self.version)
    }

    /// Brings the package's files into the cache folder, once, and answers where they are.
    pub fn fetch(&self) -> Result<PathBuf> {
        let title = format!("{}-{}", self.name, self.version);
        let folder = places::cache("packages")?.join(&title);
        if folder.is_dir() {
            return Ok(folder);
        }
        let fresh = places::cache("packages")?.join(format!("{title}.{}", std::process::id()));
        std::fs::create_dir_all(&fresh).context("making a folder for it")?;
        let brought = self.bring_into(&fresh).and_then(|()| {
            // Whoever was first wins; both brought the same.
            std::fs::rename(fresh.join("unpacked"), &folder)
                .or_else(|error| if folder.is_dir() { Ok(()) } else { Err(error) })?;
            Ok(folder)
        });
        let _ = std::fs::remove_dir_all(&fresh);
        brought.with_context(|| format!("fetching {}", self.title()))
    }

    /// Leaves the package below `unpacked`.
    fn bring_into(&self, folder: &Path) -> Result<()> {
        match self.from {
            From::Python => {
                let wanted = format!("{}=={}", self.name, self.version);
                let mut pip = Command::new("python3");
                pip.args(["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", self.name])
                    .args([&wanted, "--dest"]);
                quietly(pip.arg(folder), FETCH)?;
                unpack_archives(folder)
            }
            From::Cargo => self.vendor(folder),
            From::DebianSource => {
                let wanted = format!("{}={}", self.name, self.version);
                let apt = Apt::with_sources()?;
                apt.run(&["source", "--download-only", "--tar-only", &wanted], folder)?;
                unpack_archives(folder)
            }
            From::Debian => {
                Apt::as_it_is()?.run(&["download", self.name], folder)?;
                let is_package =
                    |path: &PathBuf| path.extension().is_some_and(|extension| extension == "deb");
                let package = entries(folder)?.into_iter().find(is_package).context("apt left no package")?;
                let mut unpack = Command::new("dpkg-deb");
                quietly(unpack.arg("-x").arg(package).arg(folder.join("unpacked")), UNPACK)
            }
        }
    }

    /// A crate that needs this one is made, and cargo told to bring what it needs.
    fn vendor(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder.join("src"))?;
        std::fs::write(folder.join("src/lib.rs"), "")?;
        let manifest = format!(
            "[package]\nname = \"fetch\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n{} = \"={}\"\n",
            self.name, self.version
        );
        std::fs::write(folder.join("Cargo.toml"), manifest)?;
        let mut vendor = process::cargo()?;
        vendor.current_dir(folder).args(["vendor", "--quiet", "--versioned-dirs", "vendor"]);
        quietly(&mut vendor, FETCH)?;
        std::fs::rename(
            folder.join(format!("vendor/{}-{}", self.name, self.version)),
            folder.join("unpacked"),
        )
        .context("cargo did not bring it")
    }
}

/// An apt that reads and writes lists of its own, so that it needs no rights and changes nothing.
struct Apt {
    lists: Option<Scratch>,
}

impl Apt {
    fn as_it_is() -> Result<Self> {
        if !process::has_program("apt-get") {
            bail!("this system has no apt");
        }
        Ok(Self { lists: None })
    }

    /// One that also knows sources, which most systems leave out: from the same places as their packages.
    fn with_sources() -> Result<Self> {
        Self::as_it_is()?;
        let lists = Scratch::new("apt")?;
        std::fs::create_dir_all(lists.path().join("lists/partial"))?;
        std::fs::create_dir_all(lists.path().join("parts"))?;
        let mut places = vec![PathBuf::from("/etc/apt/sources.list")];
        places.extend(entries(Path::new("/etc/apt/sources.list.d")).unwrap_or_default());
        for place in places {
            let Ok(text) = std::fs::read_to_string(&place) else { continue };
            let name = place.file_name().unwrap_or_default();
            std::fs::write(lists.path().join("parts").join(name), of_sources(&text))?;
        }
        let apt = Self { lists: Some(lists) };
        apt.run(&["update"], apt.lists.as_ref().map_or(Path::new("."), |lists| lists.path()))?;
        Ok(apt)
    }

    fn run(&self, words: &[&str], folder: &Path) -> Result<()> {
        let mut apt = Command::new("apt-get");
        apt.current_dir(folder).args(["-q", "-o", "APT::Sandbox::User="]);
        if let Some(lists) = &self.lists {
            let path = lists.path().display();
            for option in [
                format!("Dir::Etc::sourcelist={path}/none"),
                format!("Dir::Etc::sourceparts={path}/parts"),
                format!("Dir::State::lists={path}/lists"),
                format!("Dir::Cache={path}"),
            ] {
                apt.args(["-o", &option]);
            }
        }
        quietly(apt.args(words), FETCH)
    }
}

/// The same places, asked for sources instead of packages; only Debian's own.
fn of_sources(text: &str) -> String {
    let lines = text.lines().filter_map(|line| {
        if line.starts_with("deb ") {
            return line.contains("debian").then(|| line.replacen("deb ", "deb-src ", 1));
        }
        Some(line.replacen("Types: deb", "Types: deb-src", 1))
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

fn unpack_archives(folder: &Path) -> Result<()> {
    let unpacked = folder.join("unpacked");
    for archive in entries(folder)? {
        if archive.extension().is_some_and(|extension| extension == "gz") {
            let mut unpack = Command::new("python3");
            unpack.args(["-m", "tarfile", "-e"]).arg(&archive).arg(&unpacked);
            quietly(&mut unpack, UNPACK)?;
        }
    }
    // The one folder in it is the package.
    match entries(&unpacked)?.as_slice() {
        [package] => {
            let aside = folder.join("aside");
            std::fs::rename(package, &aside)?;
            std::fs::remove_dir(&unpacked)?;
            std::fs::rename(aside, unpacked)?;
            Ok(())
        }
        [] | [_, _, ..] => bail!("the package came in a form that is not known"),
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    read.map(|entry| Ok(entry?.path())).collect()
}

fn quietly(command: &mut Command, limit: Duration) -> Result<()> {
    let answer = process::output(command, limit)?;
    if !answer.status.success() {
        let said = String::from_utf8_lossy(&answer.stderr).into_owned();
        bail!("{}", said.lines().last().unwrap_or("it failed without a word"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_of_packages_are_asked_for_sources() {
        assert_eq!(of_sources("Types: deb\nURIs: x\n"), "Types: deb-src\nURIs: x\n");
        assert_eq!(
            of_sources("deb [a=b] http://x/debian y main\ndeb http://z y main"),
            "deb-src [a=b] http://x/debian y main\n"
        );
    }
}
