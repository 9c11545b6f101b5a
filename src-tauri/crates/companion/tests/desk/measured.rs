//! What a front desk costs: memory, open files and time of the real command with many vendors, one sandbox beside it.
//! `cargo test -p companion --test desk measured -- --ignored --nocapture`

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::crowd::Crowd;

struct Cost {
    megabytes: u64,
    files: usize,
    threads: u64,
    /// Of processor time so far.
    ticks: u64,
}

fn cost(process: u32) -> Cost {
    let folder = PathBuf::from(format!("/proc/{process}"));
    let status = std::fs::read_to_string(folder.join("status")).unwrap();
    let number = |key: &str| {
        let line = status.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let stat = std::fs::read_to_string(folder.join("stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    Cost {
        megabytes: number("VmRSS:") / 1024,
        files: std::fs::read_dir(folder.join("fd")).unwrap().count(),
        threads: number("Threads:"),
        ticks: fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures, and takes a minute or two"]
async fn what_so_many_vendors_cost() {
    for vendors in [1, 10, 100] {
        let passphrase = "a passphrase for tests";
        let desk = "bookiji_calls_a_minute = 60000";
        let crowd = Crowd::connected_in_files(vendors, desk, "booking_poll_seconds = 10", passphrase).await;
        let mut child = Command::new(env!("CARGO_BIN_EXE_companion"))
            .arg("--profiles")
            .arg(crowd.folder.path())
            .args(["sync", "--watch"])
            .env("COMPANION_PASSPHRASE", passphrase)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let id = child.id().unwrap();
        let started = Instant::now();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut done = std::collections::BTreeSet::new();
        while done.len() < vendors {
            let line = lines.next_line().await.unwrap().expect("it goes on");
            if let Some((profile, _)) = line.split_once(": Done in ") {
                done.insert(profile.to_owned());
            }
        }
        let (first, after_first) = (started.elapsed(), cost(id));
        let heard = tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        // The time in which each vendor is asked for twice and a little.
        tokio::time::sleep(Duration::from_secs(30)).await;
        let settled = cost(id);
        println!(
            "{vendors} vendors: first sync of all {:.1} s, {} MB, {} files, {} threads; half a minute later {} MB, {} files, \
             {:.1} % of one processor",
            first.as_secs_f64(),
            after_first.megabytes,
            after_first.files,
            after_first.threads,
            settled.megabytes,
            settled.files,
            (settled.ticks - after_first.ticks) as f64 / 30.0,
        );
        child.kill().await.unwrap();
        heard.abort();
        crowd.sandbox.stop().await;
    }
}
