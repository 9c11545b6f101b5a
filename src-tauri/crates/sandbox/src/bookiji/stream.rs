//! The change hints as they happen, as server-sent events: who listens need not ask. A hint says that something changed,
//! and reading it anew says what.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, stream};
use tokio::sync::watch;

use super::bookings::{cursor, hint, seal};
use super::request::admit;
use crate::app::App;
use crate::wire::Call;

/// Between two signs of life; whoever hears none for twice as long may take the line for dead.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
/// How long who lost the line waits before asking again.
const AGAIN: Duration = Duration::from_secs(1);

/// From a cursor on (`Last-Event-ID`, or `cursor`), or without one from now on.
pub async fn changes(State(app): State<App>, call: Call) -> Response {
    if let Err(problem) = admit(&app, &call) {
        return problem.logged(&app).into_response();
    }
    let asked = call.header("last-event-id").filter(|id| !id.is_empty()).or_else(|| call.query("cursor"));
    let from = match asked.map(cursor).transpose() {
        Ok(from) => from,
        Err(problem) => return problem.logged(&app).into_response(),
    };
    let now = app.world().platform.changes.last().map_or(0, |change| change.sequence);
    let ear = Ear {
        heard: app.heard(),
        token: call.bearer().unwrap_or_default().to_owned(),
        app,
        seen: from.unwrap_or(now),
        is_new: true,
    };
    Sse::new(listen(ear)).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)).into_response()
}

struct Ear {
    app: App,
    heard: watch::Receiver<u64>,
    token: String,
    seen: u64,
    is_new: bool,
}

impl Ear {
    /// The next thing to say; nothing once its bearer does not count any more.
    async fn next(&mut self) -> Option<Event> {
        if std::mem::take(&mut self.is_new) {
            // So that whoever lost the line before the first hint knows from where to go on.
            return Some(Event::default().id(seal(self.seen)).retry(AGAIN).event("ready").data("{}"));
        }
        loop {
            self.heard.borrow_and_update();
            let now = self.app.clock().now();
            {
                let world = self.app.world();
                if !world.sessions.accepts(&self.token, now) {
                    return None;
                }
                let next = world.platform.changes.iter().find(|change| change.sequence > self.seen);
                if let Some(change) = next {
                    self.seen = change.sequence;
                    return Some(
                        Event::default().id(seal(self.seen)).event("change").data(hint(change).to_string()),
                    );
                }
            }
            self.heard.changed().await.ok()?;
        }
    }
}

fn listen(ear: Ear) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(ear, |mut ear| async move {
        let event = ear.next().await?;
        Some((Ok(event), ear))
    })
}
