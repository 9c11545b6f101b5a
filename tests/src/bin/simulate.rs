//! `simulate --seeds N --from S`: lives through N stories on every core, and ends with the first that breaks a promise. A
//! single one is told, however it goes.
//! `simulate --all --seeds N --from S`: goes on after a broken one, and tells each in one line.
//! `simulate --mutants`: after how many stories each engine that is wrong on purpose is found out.
#![expect(clippy::print_stdout, reason = "this program owns its standard output")]

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use tests::simulate::mutant::Mutant;
use tests::simulate::{repertoire, simulate, tell};

enum Asked {
    Stories { seeds: u64, from: u64, all: bool },
    Mutants,
}

fn main() -> ExitCode {
    // A panic of the engine is a broken promise, and told with its story.
    std::panic::set_hook(Box::new(|_| {}));
    match asked() {
        Some(Asked::Stories { seeds, from, all }) => stories(seeds, from, all),
        Some(Asked::Mutants) => mutants(),
        None => {
            eprintln!("simulate [--seeds N] [--from S] [--all], or simulate --mutants");
            ExitCode::from(2)
        }
    }
}

fn stories(seeds: u64, from: u64, all: bool) -> ExitCode {
    if seeds == 1 {
        println!("{}", tell(from, None).1);
    }
    let began = Instant::now();
    let end = from.saturating_add(seeds);
    // Stories are taken in order, so that the lowest broken one is found whichever thread is faster.
    let next = AtomicU64::new(from);
    let broken = AtomicU64::new(u64::MAX);
    let told = AtomicU64::new(0);
    let live = || {
        let (mut runs, mut lines, mut tally) = (0, 0, BTreeSet::new());
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end || seed > broken.load(Ordering::Relaxed) {
                return (runs, lines, tally);
            }
            let outcome = simulate(seed, None);
            runs += outcome.runs;
            lines += outcome.lines;
            tally.extend(outcome.tally.into_keys());
            match outcome.broken {
                Some((what, _)) if all => {
                    println!("seed {seed}: {what}");
                    told.fetch_add(1, Ordering::Relaxed);
                }
                Some(_) => {
                    broken.fetch_min(seed, Ordering::Relaxed);
                }
                None => {}
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let (runs, lines, tally) = thread::scope(|scope| {
        let lives: Vec<_> = (0..threads).map(|_| scope.spawn(live)).collect();
        let ended = lives.into_iter().map(|life| life.join().expect("stories catch panics"));
        ended.fold((0, 0, BTreeSet::new()), |(runs, lines, mut tally), (r, l, t)| {
            tally.extend(t);
            (runs + r, lines + l, tally)
        })
    });
    let seed = broken.load(Ordering::Relaxed);
    if let Some((what, story)) = (seed < end).then(|| simulate(seed, None).broken).flatten() {
        println!("{}\nseed {seed}: {what}", if seeds == 1 { "" } else { &story });
        return ExitCode::FAILURE;
    }
    let never: Vec<String> =
        repertoire().into_iter().filter(|what| all && !tally.contains(what.as_str())).collect();
    if !never.is_empty() {
        println!("never happened: {never:?}");
    }
    let seconds = began.elapsed().as_secs_f64();
    let rate = f64::from(u32::try_from(seeds).unwrap_or(u32::MAX)) / seconds.max(0.001);
    let broken_ones = told.load(Ordering::Relaxed);
    let kept = broken_ones == 0;
    let verdict = if kept { "all promises kept".to_owned() } else { format!("{broken_ones} broken") };
    println!(
        "{seeds} seeds from {from}: {runs} runs, {lines} events, {verdict}; {seconds:.0} s, {rate:.0} seeds/s on \
         {threads} threads"
    );
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn mutants() -> ExitCode {
    let mut missed = false;
    for mutant in Mutant::ALL {
        let found = (0..2_000).find_map(|seed| Some((seed, simulate(seed, Some(mutant)).broken?.0)));
        missed |= found.is_none();
        match found {
            Some((seed, what)) => println!("{mutant:?}: {} stories: {what}", seed + 1),
            None => println!("{mutant:?}: not found"),
        }
    }
    if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn asked() -> Option<Asked> {
    let (mut seeds, mut from, mut all) = (2_000, 0, false);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--mutants" => return words.next().is_none().then_some(Asked::Mutants),
            "--all" => all = true,
            "--seeds" => seeds = words.next()?.parse().ok()?,
            "--from" => from = words.next()?.parse().ok()?,
            _ => return None,
        }
    }
    Some(Asked::Stories { seeds, from, all })
}
