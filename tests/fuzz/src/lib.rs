//! Runs one input of the fuzzer through a target and watches how much memory it takes.

use peak_alloc::PeakAlloc;

#[path = "../../src/fuzz.rs"]
pub mod targets;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// More than this, beyond what was there before, is a finding.
const MOST_BYTES: usize = 200 * 1024 * 1024;

/// # Panics
/// Where `target` does, and where it takes more than 200 MB.
pub fn watched(target: fn(&[u8]), input: &[u8]) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    target(input);
    let taken = MEMORY.peak_usage().saturating_sub(before);
    assert!(taken <= MOST_BYTES, "{} MB for one input of {} bytes", taken >> 20, input.len());
}
