//! `companion disconnect`: unlinks an account, and takes back what we wrote for it if she says so.

use serde_json::json;
use sync::ids::Service;
use sync::leave::{Extent, LeaveReport};
use sync::world::World;

use super::output::{Exit, Outcome};
use crate::leaving::{self, Left};
use crate::problem::Problem;
use crate::sign_in;
use crate::wiring::Wiring;

pub async fn run(wiring: &Wiring, name: &str, remove_events: bool) -> Result<Outcome, Problem> {
    let notice = notice(&wiring.world()?, name);
    let extent = if remove_events { Extent::Everything } else { Extent::BusyTime };
    let left = leaving::disconnect(wiring, name, extent).await?;
    let exit = if left.problems.is_empty() { Exit::Done } else { Exit::Partly };
    let told = &left.told;
    Ok(Outcome {
        document: json!({
            "disconnected": left.unlinked.then_some(&told.connection),
            "connection": told.connection,
            "removed": told.removed,
            "changed": told.changed,
            "kept": told.kept,
            "calendars": told.calendars,
            "withdrawn": told.withdrawn,
            "slots": { "removed": told.slots_removed, "kept": told.slots_kept },
            "complete": left.problems.is_empty(),
            "notice": notice,
        }),
        text: [text(&left, extent)]
            .into_iter()
            .chain(notice.map(str::to_owned))
            .collect::<Vec<_>>()
            .join("\n"),
        problems: left.problems,
        exit,
    })
}

const STILL_GRANTED: &str = "Google still lists the app as allowed: taking that back there would disconnect your other computers too. \
     To do so everywhere, open https://myaccount.google.com/connections.";

/// What leaving an account on this computer does not do.
fn notice(world: &World, name: &str) -> Option<&'static str> {
    let id = sign_in::find(world, name).ok()?;
    match world.connections.get(&id)?.service {
        Service::Google => Some(STILL_GRANTED),
        Service::Outlook | Service::Caldav | Service::Ics => None,
    }
}

fn text(left: &Left, extent: Extent) -> String {
    let mut lines = vec![match (left.unlinked, extent, left.problems.is_empty()) {
        (false, _, _) => {
            "Not everything could be taken back, so the account stays linked and nothing more is written to it.\n\
             The same command again goes on where it stopped."
                .to_owned()
        }
        (true, Extent::BusyTime, false) => {
            "Disconnected. Its busy time leaves Bookiji with the next sync; events in the calendar stay.".to_owned()
        }
        (true, Extent::BusyTime, true) => {
            "Disconnected. Bookiji has dropped its busy time; events in the calendar stay.".to_owned()
        }
        (true, Extent::Everything, _) => "Disconnected. Bookiji has dropped its busy time.".to_owned(),
    }];
    if extent == Extent::Everything {
        lines.extend(taken_back(&left.told));
    }
    lines.join("\n")
}

/// What went and what stayed, in lines.
pub fn taken_back(told: &LeaveReport) -> Vec<String> {
    let events = |n: usize| if n == 1 { "1 event".to_owned() } else { format!("{n} events") };
    let mut lines = Vec::new();
    if told.removed > 0 {
        let changed = match told.changed.len() {
            0 => String::new(),
            n => format!(", {n} of them changed by you"),
        };
        lines.push(format!("Removed: {} of bookings{changed}.", events(told.removed)));
    }
    for made in &told.calendars {
        lines.push(match &made.reason {
            None => format!("The calendar \"{}\" is deleted.", made.name),
            Some(why) => format!("The calendar \"{}\" stays: {why}.", made.name),
        });
    }
    if !told.kept.is_empty() {
        lines.push(format!("Kept: {} that may be copies of yours.", events(told.kept.len())));
    }
    if told.slots_removed > 0 {
        lines.push(format!("Slots taken back: {}.", told.slots_removed));
    }
    lines.extend(
        told.slots_kept.iter().map(|slot| format!("The slot of {} stays: {}.", slot.start, slot.reason)),
    );
    lines
}
