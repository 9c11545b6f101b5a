//! `companion calendars`: what each calendar is for, seen or chosen.

use mirror::Sqlite;
use serde_json::{Value, json};
use sync::ids::CalendarId;
use sync::ports::{Clock, Mirror};
use sync::world::{Role, World};

use super::args::CalendarsArgs;
use super::output::{Outcome, Voice};
use crate::clock::SystemClock;
use crate::errand::{self, Errand};
use crate::problem::Problem;
use crate::profile::Profile;
use crate::roles::{self, Change, Choice};

pub async fn run(profile: &Profile, args: &CalendarsArgs, voice: Voice) -> Result<Outcome, Problem> {
    let choice = Choice {
        busy: (!args.busy.is_empty()).then(|| args.busy.clone()),
        target: args.target.clone(),
        all_day: args.all_day.map(Into::into),
    };
    if choice == Choice::default() {
        return Ok(listing(&Sqlite::open_read_only(&profile.database())?.world()?));
    }
    errand::run(profile, voice, &Errand::Calendars(choice)).await
}

/// Gives calendars the roles that she chose.
pub fn choose(mirror: &Sqlite, choice: &Choice) -> Result<Outcome, Problem> {
    for calendar in roles::choose(&mirror.world()?, choice, SystemClock.now())? {
        mirror.put_calendar(&calendar)?;
    }
    Ok(listing(&mirror.world()?))
}

/// Makes one of them, or all, different in the way that is said.
pub fn change(mirror: &Sqlite, of: Option<&CalendarId>, change: &Change) -> Result<Outcome, Problem> {
    for calendar in roles::change(&mirror.world()?, of, change, SystemClock.now())? {
        mirror.put_calendar(&calendar)?;
    }
    Ok(listing(&mirror.world()?))
}

fn listing(world: &World) -> Outcome {
    let calendars: Vec<Value> = world
        .calendars
        .values()
        .map(|calendar| {
            let service = world.connections.get(&calendar.connection).map(|connection| connection.service);
            json!({
                "id": calendar.id,
                "connection": calendar.connection,
                "service": service,
                "remote_id": calendar.remote,
                "name": calendar.name,
                "role": calendar.role,
                "writable": calendar.writable,
                "time_zone": calendar.time_zone,
                "all_day": calendar.rules.all_day,
                "tentative_blocks": calendar.rules.tentative_blocks,
                "buffer_before_minutes": calendar.rules.buffer_before_minutes,
                "buffer_after_minutes": calendar.rules.buffer_after_minutes,
                "sync_frequency_minutes": calendar.sync_frequency_minutes,
            })
        })
        .collect();
    let lines: Vec<String> = world
        .calendars
        .values()
        .map(|calendar| {
            let role = match calendar.role {
                Role::Busy => "blocks time",
                Role::Target => "bookings go here",
                Role::Off => "left alone",
            };
            let writable = if calendar.writable { "" } else { "  (read-only)" };
            format!("{}  {role:<16} {}{writable}", calendar.id, calendar.name)
        })
        .collect();
    let text = if lines.is_empty() { "No calendar is connected.".to_owned() } else { lines.join("\n") };
    Outcome::done(json!({ "calendars": calendars }), text)
}
