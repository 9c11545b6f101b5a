//! Does to a folder what people and programs do, and keeps account of which contents were left to be taken in.

use super::dice::Dice;
use super::{Folders, calendar};
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Pauses of a slow writer. A watcher that waited for less would take half a file.
const LONGEST_PAUSE: Duration = Duration::from_millis(1800);
const DEAD_FOR: Duration = Duration::from_secs(3);
/// One kill in this time, roughly.
const BETWEEN_KILLS: Duration = Duration::from_secs(40);
/// How many of the last names are played with further.
const REMEMBERED: usize = 12;

/// One content that was put into the folder.
pub struct Version {
    pub number: u32,
    pub good: bool,
    pub text: String,
    /// It may have been written over, or deleted, before anybody could take it in.
    pub superseded: bool,
    /// What was done with it, for whoever wonders what became of it.
    pub story: Vec<String>,
}

/// A file that is written in pieces.
struct Writer {
    file: File,
    rest: Vec<u8>,
    due: Duration,
    /// It has its own name only when it is whole.
    rename: Option<(PathBuf, PathBuf)>,
    name: String,
    version: usize,
}

pub struct Script<'a> {
    folders: &'a Folders,
    dice: Dice,
    files: u32,
    length: Duration,
    versions: Vec<Version>,
    /// What lies, or lay last, under which name.
    names: Vec<(String, usize)>,
    writers: Vec<Writer>,
    next_play: Duration,
    next_kill: Duration,
    done: BTreeMap<&'static str, u32>,
}

impl<'a> Script<'a> {
    pub fn new(folders: &'a Folders, seed: u32, files: u32, length: Duration) -> Self {
        let mut dice = Dice::new(seed);
        let next_kill = first_kill(&mut dice, length);
        Self {
            folders,
            dice,
            files,
            length,
            versions: Vec::new(),
            names: Vec::new(),
            writers: Vec::new(),
            next_play: Duration::ZERO,
            next_kill,
            done: BTreeMap::new(),
        }
    }

    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    pub fn made(&self) -> usize {
        self.versions.len()
    }

    pub fn figures(&self) {
        let done: Vec<String> = self.done.iter().map(|(what, times)| format!("{times} {what}")).collect();
        println!("Done to it: {}.", done.join(", "));
    }

    /// Goes on with the script. Answers whether there is more of it.
    pub fn step(&mut self, now: Duration) -> Result<bool> {
        self.write_on(now)?;
        let share = now.as_secs_f64() / self.length.as_secs_f64();
        let due = (f64::from(self.files) * share).ceil().min(f64::from(self.files));
        while (self.versions.len() as f64) < due {
            self.create(now)?;
        }
        if now >= self.next_play && now < self.length {
            self.play(now)?;
            let usual = self.length / self.files.max(1);
            self.next_play = now + self.dice.up_to(usual * 2);
        }
        Ok(now < self.length || !self.writers.is_empty())
    }

    pub fn wants_a_kill(&mut self, now: Duration) -> bool {
        let wants = now >= self.next_kill && now < self.length;
        if wants {
            self.next_kill = now + BETWEEN_KILLS / 2 + self.dice.up_to(BETWEEN_KILLS);
        }
        wants
    }

    pub fn dead_for(&mut self) -> Duration {
        self.dice.up_to(DEAD_FOR)
    }

    /// A new file, under a new name or one that was there before.
    fn create(&mut self, now: Duration) -> Result<()> {
        let version = self.version();
        let name = self.name_for(version);
        let text = self.versions[version].text.clone().into_bytes();
        let path = self.folders.inbox.join(&name);
        self.tell(version, now, "begun", &name);
        match self.dice.roll(8) {
            // Its name may still be taken; whoever does this would write over it.
            0 | 1 => {
                self.count("written at once");
                self.supersede(&name);
                std::fs::write(&path, &text)?;
            }
            2 | 3 => {
                self.count("written in pieces");
                self.supersede(&name);
                let file = File::create(&path)?;
                return self.begin(file, text, None, name, version, now);
            }
            4 | 5 => {
                self.count("written as .part and renamed");
                let part = self.folders.inbox.join(format!("{name}.part"));
                if part.exists() {
                    self.versions[version].superseded = true;
                    return Ok(());
                }
                let file = File::create(&part)?;
                return self.begin(file, text, Some((part, path)), name, version, now);
            }
            _ => {
                self.count("moved in from outside");
                let outside = self.folders.outside.join(&name);
                std::fs::write(&outside, &text)?;
                self.supersede(&name);
                std::fs::rename(&outside, &path)?;
            }
        }
        self.remember(name, version);
        Ok(())
    }

    /// Does something to a file that may still be there.
    fn play(&mut self, now: Duration) -> Result<()> {
        if self.names.is_empty() {
            return Ok(());
        }
        let at = self.dice.index(self.names.len());
        let (name, version) = self.names[at].clone();
        // Somebody is about to give another file this name.
        if self.writers.iter().any(|writer| writer.name == name) {
            return Ok(());
        }
        let path = self.folders.inbox.join(&name);
        match self.dice.roll(4) {
            0 => match std::fs::remove_file(&path) {
                Ok(()) => {
                    self.count("deleted");
                    self.tell(version, now, "deleted", &name);
                    self.versions[version].superseded = true;
                    self.names.remove(at);
                }
                Err(error) => return self.was_taken(at, error),
            },
            1 => {
                let new_name = format!("renamed-{name}");
                if self.is_used(&new_name) {
                    return Ok(());
                }
                match std::fs::rename(&path, self.folders.inbox.join(&new_name)) {
                    Ok(()) => {
                        self.count("renamed in the folder");
                        self.tell(version, now, "renamed", &new_name);
                        self.names[at].0 = new_name;
                    }
                    Err(error) => return self.was_taken(at, error),
                }
            }
            2 => {
                let opened = OpenOptions::new().write(true).truncate(true).open(&path);
                match opened {
                    Ok(file) => {
                        self.count("truncated and written anew");
                        self.versions[version].superseded = true;
                        self.names.remove(at);
                        let new = self.like(version);
                        self.tell(version, now, "truncated", &name);
                        self.tell(new, now, "being written over another", &name);
                        let text = self.versions[new].text.clone().into_bytes();
                        return self.begin(file, text, None, name, new, now);
                    }
                    Err(error) => return self.was_taken(at, error),
                }
            }
            _ => {
                self.count("replaced");
                let new = self.like(version);
                let outside = self.folders.outside.join(&name);
                std::fs::write(&outside, &self.versions[new].text)?;
                self.versions[version].superseded = true;
                std::fs::rename(&outside, &path)?;
                self.tell(version, now, "replaced, if it was there", &name);
                self.tell(new, now, "moved over another, if it was there", &name);
                self.names[at].1 = new;
            }
        }
        Ok(())
    }

    /// The watcher was quicker: what lay there is its own now, for good.
    fn was_taken(&mut self, at: usize, error: io::Error) -> Result<()> {
        if error.kind() != ErrorKind::NotFound {
            return Err(error).context("playing with a file");
        }
        self.names.remove(at);
        Ok(())
    }

    fn begin(
        &mut self,
        file: File,
        rest: Vec<u8>,
        rename: Option<(PathBuf, PathBuf)>,
        name: String,
        version: usize,
        now: Duration,
    ) -> Result<()> {
        let due = now + self.dice.up_to(LONGEST_PAUSE / 4);
        self.writers.push(Writer { file, rest, due, rename, name, version });
        Ok(())
    }

    /// Lets every slow writer that is due write its next piece.
    fn write_on(&mut self, now: Duration) -> Result<()> {
        let mut going = Vec::new();
        for mut writer in std::mem::take(&mut self.writers) {
            if writer.due > now {
                going.push(writer);
                continue;
            }
            let piece = (1 + self.dice.index(writer.rest.len())).min(writer.rest.len());
            writer.file.write_all(&writer.rest[..piece])?;
            writer.rest.drain(..piece);
            if !writer.rest.is_empty() {
                writer.due = now + self.dice.up_to(LONGEST_PAUSE);
                going.push(writer);
                continue;
            }
            drop(writer.file);
            if let Some((part, path)) = writer.rename {
                self.supersede(&writer.name);
                std::fs::rename(&part, &path)?;
            }
            self.tell(writer.version, now, "whole", &writer.name);
            self.remember(writer.name, writer.version);
        }
        self.writers = going;
        Ok(())
    }

    /// A new content: mostly a calendar, sometimes what is none.
    fn version(&mut self) -> usize {
        let good = self.dice.roll(5) > 0;
        self.add(good)
    }

    /// A new content of the same kind: a name says what is in it.
    fn like(&mut self, version: usize) -> usize {
        self.add(self.versions[version].good)
    }

    fn add(&mut self, good: bool) -> usize {
        let number = u32::try_from(self.versions.len()).unwrap_or(u32::MAX);
        let text = if good {
            let padding = if self.dice.roll(10) == 0 { 3000 } else { self.dice.index(20) };
            calendar::good(number, padding)
        } else {
            calendar::bad(number, self.dice.roll(5)).0
        };
        self.versions.push(Version { number, good, text, superseded: false, story: Vec::new() });
        self.versions.len() - 1
    }

    /// A new name, or now and then one that was used before.
    fn name_for(&mut self, version: usize) -> String {
        let number = self.versions[version].number;
        let ending = if self.versions[version].good { "ics" } else { calendar::bad(number, number).1 };
        let name = match self.dice.roll(4) {
            0 => format!("week-{}.{ending}", self.dice.roll(12)),
            _ => format!("week of {number}.{ending}"),
        };
        if self.writers.iter().any(|writer| writer.name == name) {
            return format!("week of {number}.{ending}");
        }
        name
    }

    fn is_used(&self, name: &str) -> bool {
        exists(&self.folders.inbox.join(name)) || self.writers.iter().any(|writer| writer.name == name)
    }

    /// What is written over under this name may never have been seen by anybody.
    fn supersede(&mut self, name: &str) {
        if let Some(at) = self.names.iter().position(|(known, _)| known == name) {
            let (_, version) = self.names.remove(at);
            self.versions[version].superseded = true;
        }
    }

    fn remember(&mut self, name: String, version: usize) {
        self.names.push((name, version));
        // Never forgotten as long as it is there: a later file of its name would write over it unseen.
        if self.names.len() > REMEMBERED
            && let Some(gone) =
                self.names.iter().position(|(name, _)| !exists(&self.folders.inbox.join(name)))
        {
            self.names.remove(gone);
        }
    }

    fn tell(&mut self, version: usize, now: Duration, what: &str, name: &str) {
        self.versions[version].story.push(format!("{what} at {:.2} s ({name})", now.as_secs_f64()));
    }

    fn count(&mut self, what: &'static str) {
        *self.done.entry(what).or_default() += 1;
    }
}

fn first_kill(dice: &mut Dice, length: Duration) -> Duration {
    (BETWEEN_KILLS / 2).min(length / 3) + dice.up_to(length / 3).min(BETWEEN_KILLS)
}

fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
