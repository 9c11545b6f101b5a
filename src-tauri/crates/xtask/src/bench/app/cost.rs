//! What a program and all its children cost the machine, as the kernel counts it. Knows processes by their numbers, and
//! nothing of what they do.

use crate::process;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A program with all that it started, by their numbers.
pub fn family(program: u32) -> Result<Vec<u32>> {
    let mut parents = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").context("reading /proc")?.flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // One that has ended meanwhile costs nothing any more.
        if let Some(stat) = stat(process) {
            parents.insert(process, stat.parent);
        }
    }
    let mut family = vec![program];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        family.extend(parents.iter().filter(|(_, of)| **of == parent).map(|(process, _)| *process));
        next += 1;
    }
    Ok(family)
}

struct Stat {
    name: String,
    parent: u32,
    ticks: u64,
}

fn stat(process: u32) -> Option<Stat> {
    read_stat(&std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
}

fn read_stat(text: &str) -> Option<Stat> {
    // A name may hold anything, brackets too.
    let (head, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Stat {
        name: head.split_once('(')?.1.to_owned(),
        parent: fields.get(1)?.parse().ok()?,
        ticks: number(11)? + number(12)?,
    })
}

/// What a family has used of the processors so far.
#[derive(Clone, Default)]
pub struct Used {
    /// By process, with its name.
    ticks: BTreeMap<u32, (String, u64)>,
    /// By thread, with its name: nanoseconds, which the kernel counts more finely than ticks.
    threads: BTreeMap<(u32, u32), (String, u64)>,
}

/// What a family used between two looks at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Idle {
    pub ticks: u64,
    pub micros: u64,
    /// Who ran at all, most of it first.
    pub runners: Vec<String>,
}

impl Used {
    pub fn by(program: u32) -> Result<Self> {
        let mut used = Self::default();
        for process in family(program)? {
            let Some(stat) = stat(process) else { continue };
            used.ticks.insert(process, (stat.name, stat.ticks));
            let Ok(threads) = std::fs::read_dir(format!("/proc/{process}/task")) else { continue };
            for thread in threads.flatten() {
                let number = thread.file_name().to_str().and_then(|name| name.parse().ok());
                let name = std::fs::read_to_string(thread.path().join("comm")).unwrap_or_default();
                let ran = std::fs::read_to_string(thread.path().join("schedstat")).ok();
                let ran = ran.and_then(|text| text.split_whitespace().next()?.parse().ok());
                if let (Some(number), Some(ran)) = (number, ran) {
                    used.threads.insert((process, number), (name.trim().to_owned(), ran));
                }
            }
        }
        Ok(used)
    }

    /// What was used since `before`. Of processes that came meanwhile everything counts.
    pub fn since(&self, before: &Self) -> Idle {
        let earlier = |process: &u32| before.ticks.get(process).map_or(0, |(_, ticks)| *ticks);
        let ticks =
            self.ticks.iter().map(|(process, (_, ticks))| ticks.saturating_sub(earlier(process))).sum();
        let mut ran: Vec<(u64, String)> = Vec::new();
        for (key, (name, now)) in &self.threads {
            let nanos = now.saturating_sub(before.threads.get(key).map_or(0, |(_, then)| *then));
            if nanos > 0 {
                let of = self.ticks.get(&key.0).map_or("", |(name, _)| name.as_str());
                ran.push((nanos, format!("{of}/{name} {:.2} ms", nanos as f64 / 1e6)));
            }
        }
        ran.sort_by_key(|(nanos, _)| std::cmp::Reverse(*nanos));
        let micros = ran.iter().map(|(nanos, _)| nanos).sum::<u64>() / 1_000;
        Idle { ticks, micros, runners: ran.into_iter().map(|(_, said)| said).collect() }
    }
}

/// What a family holds in memory, in MiB.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    pub processes: usize,
    /// What no file on disk stands behind: the system cannot drop it.
    pub anonymous: f64,
    /// All of it, with what is shared told in parts.
    pub pss: f64,
    pub rss: f64,
}

impl Memory {
    pub fn of(program: u32) -> Result<Self> {
        let family = family(program)?;
        let mut sum = Self { processes: 0, anonymous: 0.0, pss: 0.0, rss: 0.0 };
        for process in family {
            let Ok(text) = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")) else { continue };
            let of = |name: &str| kilobytes(&text, name) / 1_024.0;
            sum.processes += 1;
            sum.anonymous += of("Anonymous:");
            sum.pss += of("Pss:");
            sum.rss += of("Rss:");
        }
        if sum.processes == 0 {
            anyhow::bail!("the program has ended");
        }
        Ok(sum)
    }
}

fn kilobytes(text: &str, name: &str) -> f64 {
    let found =
        text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok());
    found.unwrap_or_default()
}

/// Every file that a family has mapped: its programs, their libraries, fonts.
pub fn mapped_files(program: u32) -> Result<Vec<PathBuf>> {
    let mut files = std::collections::BTreeSet::new();
    for process in family(program)? {
        let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap_or_default();
        let paths = maps.lines().filter_map(|line| line.find('/').and_then(|at| line.get(at..)));
        files.extend(paths.map(PathBuf::from).filter(|path| path.is_file() && !path.starts_with("/dev")));
    }
    Ok(files.into_iter().collect())
}

/// Asks the kernel to drop files from its memory, as after a while without them; what others use as well stays.
pub fn forget(files: &[PathBuf]) -> Result<()> {
    let drop = |file: &Path| {
        let mut dd = Command::new("dd");
        dd.arg(format!("if={}", file.display())).args(["iflag=nocache", "count=0", "status=none"]);
        process::output(&mut dd, Duration::from_secs(20))
    };
    files.iter().try_for_each(|file| drop(file).map(|_| ()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_hides_no_number() {
        let stat = read_stat("12 (a) b (c) S 7 1 1 0 -1 4 0 0 0 0 30 4 0 0 20").unwrap();
        assert_eq!((stat.name.as_str(), stat.parent, stat.ticks), ("a) b (c", 7, 34));
    }

    #[test]
    fn a_process_that_came_meanwhile_counts_whole_and_one_that_slept_not_at_all() {
        let used = |ticks: &[(u32, u64)]| Used {
            ticks: ticks.iter().map(|(process, ticks)| (*process, ("x".to_owned(), *ticks))).collect(),
            threads: ticks
                .iter()
                .map(|(process, ticks)| ((*process, 1), ("y".to_owned(), ticks * 2_000)))
                .collect(),
        };
        let idle = used(&[(1, 5), (2, 3)]).since(&used(&[(1, 5)]));
        assert_eq!((idle.ticks, idle.micros, idle.runners.len()), (3, 6, 1));
        assert_eq!(used(&[(1, 5)]).since(&used(&[(1, 5)])), Idle::default());
    }

    #[test]
    fn memory_is_read_by_its_whole_name() {
        let text = "Rss:  2048 kB\nPss: 1024 kB\nPss_Anon: 7 kB\nAnonymous: 512 kB\n";
        assert!((kilobytes(text, "Pss:") - 1_024.0).abs() < 1e-9);
        assert!((kilobytes(text, "Anonymous:") - 512.0).abs() < 1e-9);
    }
}
