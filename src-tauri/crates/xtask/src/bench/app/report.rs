//! The table that comes of it, and what misses its limit. A limit is kept or missed by the median; the worst run stands
//! beside it.

use super::cost::{Idle, Memory};
use super::painted::Painting;
use super::week::{Redraw, Weeks};
use super::{Life, Rest, Start};
use crate::bench::middle;
use anyhow::Result;
use std::time::Duration;

const START_MS: f64 = 1_000.0;
const OPEN_MS: f64 = 700.0;
const REDRAW_MS: f64 = 50.0;
const MOVE_MS: f64 = 15.0;

pub struct Report {
    load: String,
    times: Vec<String>,
    rests: Vec<(String, Rest)>,
    missed: Vec<String>,
    notes: Vec<String>,
    ours: Vec<(&'static str, Memory)>,
    peer: Option<Memory>,
}

impl Report {
    pub fn begin() -> Result<Self> {
        Ok(Self {
            load: load()?,
            times: vec![format!("{:<44} {:>8} {:>8} {:>8}", "milliseconds", "median", "worst", "limit")],
            rests: Vec::new(),
            missed: Vec::new(),
            notes: Vec::new(),
            ours: Vec::new(),
            peer: None,
        })
    }

    /// Takes a row in, with its limit if it has one.
    fn row(&mut self, what: &str, values: Vec<f64>, limit: Option<f64>) {
        let worst = values.iter().copied().fold(f64::NAN, f64::max);
        let median = middle(values);
        let missed = limit.is_some_and(|limit| median.total_cmp(&limit).is_ge());
        let shown = limit.map_or(String::new(), |limit| format!("{limit:.0}"));
        let mark = if missed { "  MISSED" } else { "" };
        self.times.push(format!("{what:<44} {median:>8.1} {worst:>8.1} {shown:>8}{mark}"));
        if missed {
            self.missed.push(format!("{what}: {median:.1} ms, and not below {shown} ms"));
        }
    }

    pub fn starts(&mut self, warm: &[Start], cold: &[Start]) {
        for (how, starts) in [("warm", warm), ("cold", cold)] {
            let of = |part: fn(&Start) -> Duration| starts.iter().map(|start| ms(part(start))).collect();
            self.row(&format!("start to icon in the tray, {how}"), of(|start| start.registered), None);
            self.row(&format!("start to window, {how}"), of(|start| start.painting.mapped), None);
            self.row(
                &format!("start to painted window, {how}"),
                of(|start| start.painting.painted),
                Some(START_MS),
            );
            self.row(&format!("start to window at rest, {how}"), of(|start| start.painting.at_rest), None);
        }
    }

    /// The app in the tray, and its window opened from there.
    pub fn ours(&mut self, life: &Life) {
        self.row("start in the tray to icon", vec![ms(life.registered)], None);
        let of = |paintings: &[Painting], part: fn(&Painting) -> Duration| -> Vec<f64> {
            paintings.iter().map(|painting| ms(part(painting))).collect()
        };
        let (first, all) = (life.opened.get(..1).unwrap_or_default(), &life.opened);
        self.row("tray to painted window, the first time", of(first, |seen| seen.painted), None);
        self.row("tray to painted window", of(all, |seen| seen.painted), Some(OPEN_MS));
        self.row("tray to window at rest", of(all, |seen| seen.at_rest), None);
        for (name, rest) in [("ours, never opened", &life.never_opened), ("ours, closed", &life.closed)] {
            self.rest(name, rest);
            self.ours.push((name, rest.memory));
            let ticks = middle(rest.idle.iter().map(|idle| idle.ticks as f64).collect());
            if ticks > 0.0 {
                self.missed.push(format!("{name}: {ticks:.0} ticks in 10 idle seconds, and not 0"));
            }
        }
    }

    /// Another tray app, or ours otherwise.
    pub fn beside(&mut self, name: &str, life: &Life) {
        self.rest(&format!("{name}, never opened"), &life.never_opened);
        self.rest(&format!("{name}, closed"), &life.closed);
    }

    pub fn peer(&mut self, rest: &Rest) {
        self.rest("Nextcloud client", rest);
        self.peer = Some(rest.memory);
    }

    pub fn no_peer(&mut self, error: &anyhow::Error) {
        self.notes.push(format!("not beside the Nextcloud client, which is not here: {error:#}"));
    }

    fn rest(&mut self, name: &str, rest: &Rest) {
        self.rests.push((name.to_owned(), rest.clone()));
    }

    pub fn weeks(&mut self, weeks: &Weeks) {
        let mut rows = |what: &str, redraw: &Redraw, limit: f64| {
            self.row(&format!("{what}, script"), redraw.script.clone(), Some(limit));
            self.row(&format!("{what}, script and layout"), redraw.laid_out.clone(), None);
            self.row(&format!("{what}, two frames later"), redraw.painted.clone(), None);
        };
        rows(&format!("{} events drawn anew", weeks.events), &weeks.whole, REDRAW_MS);
        rows(&format!("one of {} events moved", weeks.events), &weeks.one_moved, MOVE_MS);
    }

    /// Prints it; answers whether every limit was kept.
    pub fn end(mut self) -> Result<bool> {
        println!(
            "\napp: the real app, a release build; load of the machine {} before, {} after",
            self.load,
            load()?
        );
        self.times.iter().for_each(|line| println!("{line}"));
        println!();
        self.rests().iter().for_each(|line| println!("{line}"));
        if let Some(peer) = self.peer {
            for (name, ours) in &self.ours {
                let more = more(ours, &peer);
                if !more.is_empty() {
                    self.missed.push(format!("{name}: {} not below the Nextcloud client's", more.join(", ")));
                }
            }
        }
        self.notes.iter().for_each(|note| println!("{note}"));
        self.missed.iter().for_each(|missed| println!("MISSED {missed}"));
        if self.missed.is_empty() {
            println!("Every limit was kept.");
        }
        Ok(self.missed.is_empty())
    }

    fn rests(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{:<40} {:>5} {:>9} {:>7} {:>7}   {:<22} ticks in 10 s (ms)",
            "idle memory, MiB", "procs", "anonymous", "PSS", "RSS", "as many times ours"
        )];
        let ours = self.ours.last().map(|(_, memory)| *memory);
        for (name, Rest { memory, idle, .. }) in &self.rests {
            let times = ours.map_or(String::new(), |ours| {
                format!(
                    "{:>5.2} {:>5.2} {:>5.2}",
                    memory.anonymous / ours.anonymous,
                    memory.pss / ours.pss,
                    memory.rss / ours.rss
                )
            });
            lines.push(format!(
                "{name:<40} {:>5} {:>9.1} {:>7.1} {:>7.1}   {times:<22} {}",
                memory.processes,
                memory.anonymous,
                memory.pss,
                memory.rss,
                ticks(idle)
            ));
        }
        for (name, Rest { idle, at_work, .. }) in
            self.rests.iter().filter(|(name, _)| name.starts_with("ours"))
        {
            if !at_work.is_empty() {
                lines.push(format!("in a sync, {name}, and counted apart: {}", ticks(at_work)));
            }
            let busiest = idle.iter().max_by_key(|idle| idle.micros);
            let runners =
                busiest.map(|idle| idle.runners.iter().take(4).cloned().collect::<Vec<_>>().join(", "));
            lines.push(format!("who ran, {name}: {}", runners.unwrap_or_default()));
        }
        lines
    }
}

fn ticks(times: &[Idle]) -> String {
    let times = times.iter().map(|idle| format!("{} ({:.1})", idle.ticks, idle.micros as f64 / 1e3));
    times.collect::<Vec<_>>().join(", ")
}

/// What ours has not less of.
fn more(ours: &Memory, peer: &Memory) -> Vec<&'static str> {
    let parts = [
        ("anonymous", ours.anonymous, peer.anonymous),
        ("PSS", ours.pss, peer.pss),
        ("RSS", ours.rss, peer.rss),
    ];
    parts.into_iter().filter(|(_, ours, peer)| ours >= peer).map(|(name, ..)| name).collect()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// How many programs wanted a processor during the last minute.
fn load() -> Result<String> {
    let text = std::fs::read_to_string("/proc/loadavg")?;
    Ok(text.split_whitespace().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report {
            load: String::new(),
            times: Vec::new(),
            rests: Vec::new(),
            missed: Vec::new(),
            notes: Vec::new(),
            ours: Vec::new(),
            peer: None,
        }
    }

    #[test]
    fn a_limit_is_missed_by_the_median_and_not_by_the_worst_run() {
        let mut report = report();
        report.row("kept", vec![1.0, 99.0, 2.0], Some(50.0));
        report.row("missed", vec![50.0], Some(50.0));
        report.row("free", vec![99.0], None);
        assert_eq!(report.missed, ["missed: 50.0 ms, and not below 50 ms"]);
    }

    #[test]
    fn every_part_of_memory_must_be_below_the_peers() {
        let memory = |anonymous, pss, rss| Memory { processes: 1, anonymous, pss, rss };
        assert!(more(&memory(1.0, 2.0, 3.0), &memory(2.0, 3.0, 4.0)).is_empty());
        assert_eq!(more(&memory(1.0, 3.0, 5.0), &memory(2.0, 3.0, 4.0)), ["PSS", "RSS"]);
    }
}
