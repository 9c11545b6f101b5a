//! Hands an errand to whoever writes the profile, and waits for what comes of it.

use std::time::Duration;

use sync::error::Code;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use super::{Answer, LONGEST_ANSWER, LONGEST_REQUEST, Request, VERSION, place};
use crate::cli::output::Outcome;
use crate::errand::Errand;
use crate::problem::Problem;
use crate::profile::Profile;

/// A sync under way comes first, and each may take minutes. A process that dies is noticed at once, whatever this says.
const PATIENCE: Duration = Duration::from_mins(30);

/// What came of knocking.
pub enum Called {
    Answered(Result<Outcome, Problem>),
    /// Nobody listens: another command writes, or the app is just starting or stopping.
    NobodyThere,
}

pub async fn call(profile: &Profile, errand: &Errand) -> Called {
    let request = serde_json::to_vec(&Request { version: VERSION, errand: errand.clone() });
    let Ok(mut request) = request else {
        let problem = Problem::new(Code::InvalidInput, "A file name here is not text that can be handed on.");
        return Called::Answered(Err(problem.then("Rename the file, or quit the app and try again.")));
    };
    request.push(b'\n');
    if request.len() as u64 > LONGEST_REQUEST {
        let problem = Problem::new(Code::InvalidInput, "That is more than the running app takes at once.");
        return Called::Answered(Err(
            problem.then("Do it in smaller portions, or quit the app and try again.")
        ));
    }
    let Ok(door) = place::knock(profile).await else { return Called::NobodyThere };
    let mut door = BufReader::new(door);
    let exchange = async {
        door.write_all(&request).await?;
        door.flush().await?;
        let mut line = Vec::new();
        (&mut door).take(LONGEST_ANSWER).read_until(b'\n', &mut line).await?;
        Ok::<_, std::io::Error>(line)
    };
    let line = match tokio::time::timeout(PATIENCE, exchange).await {
        Ok(Ok(line)) if line.ends_with(b"\n") => line,
        Ok(Ok(_) | Err(_)) => return Called::Answered(Err(gone())),
        Err(_) => return Called::Answered(Err(silent())),
    };
    Called::Answered(match serde_json::from_slice(&line) {
        Ok(Answer::Outcome(outcome)) => Ok(outcome),
        Ok(Answer::Problem(problem)) => Err(problem),
        Err(_) => Err(Problem::new(
            Code::AlreadyRunning,
            "The running app is of another version than this command.",
        )
        .then("Quit the app and start it again; then look whether it was done: `companion history`.")),
    })
}

fn gone() -> Problem {
    Problem::new(Code::Internal, "The running app ended before it answered.")
        .then("Run the command again: what had begun is settled by the next sync, and nothing is done twice.")
}

fn silent() -> Problem {
    Problem::new(Code::AlreadyRunning, "The running app gave no answer for half an hour.")
        .then("See what it does with `companion status`, or quit it and run the command again.")
}
