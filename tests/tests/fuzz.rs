//! What the fuzzer asks for hours, asked briefly in the ordinary tests: every seed, every case it ever found, and a few
//! thousand inputs bent from them. No input may take long, and none may take much memory.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;
use tests::fuzz::{TARGETS, Target};
use tests::mutate::{Chance, mutated};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const MOST_BYTES: usize = 200 * 1024 * 1024;
const MOST_TIME: Duration = Duration::from_secs(1);
const MUTATIONS: usize = 1_500;

/// One test, since what others allocate beside it would be counted too.
#[test]
fn no_seed_no_found_case_and_nothing_bent_from_them_breaks_a_promise() {
    let words = dictionary();
    assert!(words.len() > 100, "only {} words were read", words.len());
    for (index, target) in TARGETS.iter().enumerate() {
        let mut inputs = inputs("fuzz/seeds", target.0);
        assert!(inputs.len() >= 3, "{} has {} seeds", target.0, inputs.len());
        inputs.extend(self::inputs("fixtures/fuzz", target.0));
        for (name, input) in &inputs {
            watched(*target, name, input);
        }
        let bytes: Vec<Vec<u8>> = inputs.into_iter().map(|(_, input)| input).collect();
        let mut chance = Chance::new(index as u64);
        for number in 0..MUTATIONS {
            let input = mutated(&bytes, &words, &mut chance);
            watched(*target, &format!("mutation {number}"), &input);
        }
    }
}

#[test]
fn every_target_has_a_program_for_the_fuzzer() {
    for (name, _) in TARGETS {
        let program = std::fs::read_to_string(here(&format!("fuzz/targets/{name}.rs"))).unwrap();
        assert!(program.contains(&format!("targets::{name},")), "{name} runs another target");
    }
}

fn watched((target, run): Target, name: &str, input: &[u8]) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let started = Instant::now();
    let ended = std::panic::catch_unwind(|| run(input));
    // A second on a machine that does nothing else: the processor's time would be fairer, and no clock here has it.
    let took = started.elapsed();
    let taken = MEMORY.peak_usage().saturating_sub(before);
    let shown = String::from_utf8_lossy(input);
    assert!(ended.is_ok(), "{target} broke a promise on {name}: {shown:?}");
    assert!(taken < MOST_BYTES, "{target} took {} MB for {name}: {shown:?}", taken >> 20);
    if took > MOST_TIME {
        let again = Instant::now();
        run(input);
        assert!(again.elapsed() < MOST_TIME, "{target} took {took:?} for {name}, twice: {shown:?}");
    }
}

fn inputs(below: &str, target: &str) -> Vec<(String, Vec<u8>)> {
    let Ok(folder) = std::fs::read_dir(here(below).join(target)) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| (path.display().to_string(), std::fs::read(path).unwrap())).collect()
}

/// The fuzzer's words, one in quotes a line.
fn dictionary() -> Vec<Vec<u8>> {
    let text = std::fs::read_to_string(here("fuzz/calendar.dict")).unwrap();
    let quoted = text.lines().filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'));
    quoted
        .map(|word| {
            word.replace("\\x0d\\x0a", "\r\n").replace("\\x0a", "\n").replace("\\\\", "\\").into_bytes()
        })
        .collect()
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
