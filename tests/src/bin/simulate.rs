//! `simulate --seeds N --from S`: lives through N stories, and ends with the first that breaks a promise.
#![expect(clippy::print_stdout, reason = "this program owns its standard output")]

use std::process::ExitCode;
use std::time::Instant;

use tests::simulate::simulate;

fn main() -> ExitCode {
    let Some((seeds, from)) = asked() else {
        eprintln!("simulate --seeds N [--from S]");
        return ExitCode::from(2);
    };
    // A panic of the engine is a broken promise, and told with its story.
    std::panic::set_hook(Box::new(|_| {}));
    let began = Instant::now();
    let (mut runs, mut lines) = (0, 0);
    for seed in from..from.saturating_add(seeds) {
        let outcome = simulate(seed, None);
        runs += outcome.runs;
        lines += outcome.lines;
        if let Some((what, story)) = outcome.broken {
            println!("{story}\nseed {seed}: {what}");
            return ExitCode::FAILURE;
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let rate = f64::from(u32::try_from(seeds).unwrap_or(u32::MAX)) / seconds.max(0.001);
    println!("{seeds} seeds from {from}: {runs} runs, {lines} events, all promises kept; {rate:.0} seeds/s");
    ExitCode::SUCCESS
}

fn asked() -> Option<(u64, u64)> {
    let (mut seeds, mut from) = (2_000, 0);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let number = words.next()?.parse().ok()?;
        match word.as_str() {
            "--seeds" => seeds = number,
            "--from" => from = number,
            _ => return None,
        }
    }
    Some((seeds, from))
}
