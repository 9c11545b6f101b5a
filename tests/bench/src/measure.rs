//! Runs a command and says what it cost: wall time, processor time, and the most memory it held at once.

use std::process::{Command, Stdio};
use std::time::Instant;

use crate::Done;

/// One line: `wall_ms cpu_ms peak_kb`, then what the command itself printed.
pub fn measure(words: &[&str]) -> Done {
    let (program, arguments) = words.split_first().ok_or("no command")?;
    let started = Instant::now();
    let answer =
        Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    let wall = started.elapsed();
    if !answer.status.success() {
        return Err(format!("{program} ended with {}", answer.status).into());
    }
    let (cpu_ms, peak_kb) = children()?;
    let said = String::from_utf8_lossy(&answer.stdout);
    Ok(format!("{:.3} {cpu_ms:.3} {peak_kb}\n{}", wall.as_secs_f64() * 1e3, said.trim()))
}

/// This process has had one child only, so what its children cost is what that one cost.
#[cfg(unix)]
fn children() -> Result<(f64, i64), Box<dyn std::error::Error>> {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let micro = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    // macOS counts bytes.
    let unit = if cfg!(target_os = "macos") { 1_024 } else { 1 };
    Ok((micro as f64 / 1e3, usage.max_rss() / unit))
}

#[cfg(not(unix))]
fn children() -> Result<(f64, i64), Box<dyn std::error::Error>> {
    Err("only Unix says what a process cost".into())
}
