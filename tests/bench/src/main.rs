//! Real work, one side of a comparison a process: `cargo xtask bench` runs the sides in turn and compares what they
//! cost. Every side prints what it came to, and all sides must come to the same.
#![allow(clippy::print_stdout, reason = "this program's answer is its output")]

mod chance;
mod expand;
mod file;
mod measure;
mod read;
mod rules;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["file", events, path] => file::write(events, path),
        ["read", side, path] => read::read(side, path),
        ["expand", side, passes] => expand::expand(side, passes, rules::Age::New),
        ["seek", side, passes] => expand::expand(side, passes, rules::Age::Old),
        ["measure", "--", command @ ..] => measure::measure(command),
        _ => Err(format!("unknown words: {words:?}").into()),
    };
    match done {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What a side says it came to, or why it could not.
type Done = Result<String, Box<dyn std::error::Error>>;
