//! `companion connect` and `companion disconnect`: link an account through the browser, and unlink it.

use serde_json::json;
use sync::ids::ConnectionId;
use sync::ports::Clock;

use super::args::ConnectService;
use super::output::{self, Outcome};
use crate::problem::Problem;
use crate::profile::Profile;
use crate::sign_in;
use crate::status;
use crate::view::{self, Activity};
use crate::wiring::Wiring;

pub async fn run(profile: &Profile, service: &ConnectService) -> Result<Outcome, Problem> {
    match service {
        ConnectService::Google { no_browser, own_calendar } => {
            google(profile, *no_browser, *own_calendar).await
        }
        ConnectService::IcsFeed { .. } => {
            Err(Problem::new(sync::error::Code::Internal, "This is not built yet."))
        }
    }
}

async fn google(profile: &Profile, no_browser: bool, own_calendar: bool) -> Result<Outcome, Problem> {
    let wiring = Wiring::open(profile).await?;
    let (vendor, pending) = sign_in::begin_google(&wiring, own_calendar).await?;
    let url = pending.url().to_string();
    if no_browser {
        output::note(&url);
    } else if open::that_detached(&url).is_ok() {
        output::note("Your browser opens: finish the sign-in there. If it does not, go to");
        output::note(&url);
    } else {
        output::note("No browser could be opened. Go to");
        output::note(&url);
    }
    let id = sign_in::finish_google(&wiring, &vendor, pending).await?;
    connected(&wiring, &id)
}

fn connected(wiring: &Wiring, id: &ConnectionId) -> Result<Outcome, Problem> {
    let overview = view::overview(&wiring.world()?, &[], wiring.clock.now(), &Activity::default());
    let connection = overview.connections.iter().find(|connection| connection.id == id.as_str());
    let text = connection.map(|connection| status::connection_text(connection, overview.now));
    Ok(Outcome::done(
        json!({ "connection": connection.map(status::connection) }),
        format!(
            "Connected.\n{}\nChange what each is for with `companion calendars`; then `companion sync`.",
            text.unwrap_or_default()
        ),
    ))
}

pub async fn disconnect(profile: &Profile, name: &str) -> Result<Outcome, Problem> {
    let wiring = Wiring::open(profile).await?;
    let id = sign_in::disconnect(&wiring, name).await?;
    Ok(Outcome::done(
        json!({ "disconnected": id }),
        "Disconnected. Its busy time leaves Bookiji with the next sync; events in the calendar stay.",
    ))
}
