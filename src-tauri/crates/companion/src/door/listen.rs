//! Lets callers in: reads one bounded request of each, waits for its answer, and says it.

use std::sync::Arc;
use std::time::Duration;

use sync::error::Code;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::{Semaphore, mpsc};

use super::place::Listener;
use super::{Answer, CALLERS, Knock, LONGEST_REQUEST, Request, VERSION};
use crate::problem::Problem;

/// A request is one short line from a program on this computer.
const READING: Duration = Duration::from_secs(5);
/// After a failure to let somebody in, such as too many open files.
const BREATH: Duration = Duration::from_millis(200);

pub async fn listen(mut listener: Listener, knocks: mpsc::Sender<Knock>) {
    let places = Arc::new(Semaphore::new(CALLERS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok(caller) => {
                let knocks = knocks.clone();
                tokio::spawn(async move {
                    serve(caller, &knocks).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::debug!(kind = ?error.kind(), "a caller could not be let in");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

async fn serve(caller: impl AsyncRead + AsyncWrite + Unpin, knocks: &mpsc::Sender<Knock>) {
    let mut caller = BufReader::new(caller);
    let mut line = Vec::new();
    let mut limited = (&mut caller).take(LONGEST_REQUEST);
    let read = tokio::time::timeout(READING, limited.read_until(b'\n', &mut line)).await;
    if !matches!(read, Ok(Ok(_))) || line.is_empty() {
        return;
    }
    let answer = match understood(&line) {
        Err(problem) => Err(problem),
        Ok(request) => {
            let (knock, answered) = Knock::new(request.errand);
            if knocks.send(knock).await.is_err() {
                return;
            }
            let mut nothing = [0];
            tokio::select! {
                answer = answered => match answer {
                    Ok(answer) => answer,
                    Err(_) => Err(closing()),
                },
                // Whoever asked says nothing more, so this is the end of it.
                _ = caller.read(&mut nothing) => return,
            }
        }
    };
    let answer = match answer {
        Ok(outcome) => Answer::Outcome(outcome),
        Err(problem) => Answer::Problem(problem),
    };
    if let Ok(mut text) = serde_json::to_vec(&answer) {
        text.push(b'\n');
        let _ = caller.write_all(&text).await;
        let _ = caller.flush().await;
    }
}

fn understood(line: &[u8]) -> Result<Request, Problem> {
    if !line.ends_with(b"\n") {
        return Err(Problem::new(
            Code::InvalidInput,
            "The running app was handed more than it takes at once.",
        )
        .then("Do it in smaller portions, or quit the app and try again."));
    }
    let version = serde_json::from_slice::<serde_json::Value>(line).ok();
    let version = version.and_then(|request| request["version"].as_u64());
    match serde_json::from_slice::<Request>(line) {
        Ok(request) if request.version == VERSION => Ok(request),
        _ if version.is_some_and(|version| version != u64::from(VERSION)) => Err(Problem::new(
            Code::AlreadyRunning,
            "The running app is of another version than this command.",
        )
        .then("Quit the app and start it again.")),
        Ok(_) | Err(_) => {
            Err(Problem::new(Code::InvalidInput, "The running app does not understand this command.")
                .then("Quit the app and start it again, so that both are of one version."))
        }
    }
}

fn closing() -> Problem {
    Problem::new(Code::AlreadyRunning, "The running app is closing, so this was not done to its end.")
        .then("Run the command again.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_of_another_version_or_no_request_is_refused_in_words() {
        let code = |line: &str| understood(line.as_bytes()).err().map(|problem| problem.code);
        assert_eq!(code("{\"version\":1,\"errand\":{\"do\":\"resume\"}}\n"), None);
        assert_eq!(code("{\"version\":1,\"errand\":{\"do\":\"resume\"}}"), Some(Code::InvalidInput));
        assert_eq!(code("{\"version\":2,\"wish\":{}}\n"), Some(Code::AlreadyRunning));
        assert_eq!(code("GET / HTTP/1.1\n"), Some(Code::InvalidInput));
    }

    #[tokio::test]
    async fn a_caller_who_goes_away_before_it_is_his_turn_wants_nothing_any_more() {
        let (mut caller, inside) = tokio::io::duplex(1024);
        let (knocks, mut heard) = mpsc::channel(1);
        let serving = tokio::spawn(async move { serve(inside, &knocks).await });
        caller.write_all(b"{\"version\":1,\"errand\":{\"do\":\"resume\"}}\n").await.unwrap();
        let knock = heard.recv().await.unwrap();
        assert!(!knock.is_over());
        drop(caller);
        serving.await.unwrap();
        assert!(knock.is_over());
    }
}
