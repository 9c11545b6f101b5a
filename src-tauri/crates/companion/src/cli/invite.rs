//! `companion invite`: an invitation to one booking, or its withdrawal, with links for calendars on the web.

use std::path::{Path, PathBuf};

use calendar::ics::Method;
use mirror::Sqlite;
use serde_json::json;
use sync::booking::Booking;
use sync::invite::SentInvite;
use sync::ports::Clock;

use super::args::InviteArgs;
use super::export::{place, raw};
use super::output::{Exit, Outcome};
use crate::clock::SystemClock;
use crate::invite::{self, compose};
use crate::latest::{self, Latest};
use crate::outfile::Place;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::wiring::Wiring;

pub async fn run(profile: &Profile, args: &InviteArgs, json: bool) -> Result<Outcome, Problem> {
    let latest = latest::bookings(profile).await?;
    let booking = invite::find(&latest.world, &args.booking)?;
    let usual = PathBuf::from(usual_name(booking.id.as_str()));
    let place = place(args.output.as_deref().unwrap_or(&usual), json)?;
    // Only who may write can say that the sequence rises.
    let alone;
    let mirror = match &latest.wiring {
        Some(wiring) => &wiring.mirror,
        None => {
            alone = (profile.lock().await?, Sqlite::open_kept(&profile.database(), SystemClock.now())?.0);
            &alone.1
        }
    };
    put(&latest, mirror, booking, args.cancel, place.as_ref())
}

/// As the command does it, in the process that has the profile open.
pub async fn of_wiring(wiring: &Wiring, booking: &str, cancel: bool, to: &Path) -> Result<Outcome, Problem> {
    let place = Place::at(to)?;
    let latest = latest::of_wiring(wiring).await?;
    let booking = invite::find(&latest.world, booking)?;
    put(&latest, &wiring.mirror, booking, cancel, Some(&place))
}

/// What the file of a booking is called where nobody says otherwise.
#[must_use]
pub fn usual_name(booking: &str) -> String {
    format!("booking-{}.ics", plain(booking))
}

fn put(
    latest: &Latest,
    mirror: &Sqlite,
    booking: &Booking,
    cancel: bool,
    place: Option<&Place>,
) -> Result<Outcome, Problem> {
    let invite = compose(booking, &latest.vendor, cancel, mirror.sent_invite(&booking.id)?.as_ref())?;
    let sent = SentInvite {
        sequence: invite.sequence,
        checksum: invite.checksum.clone(),
        written_at: SystemClock.now(),
    };
    mirror.put_sent_invite(&booking.id, &sent)?;

    let path = place.map(|place| place.path().display().to_string());
    let entry = invite.entry(booking);
    let (google, outlook) = if cancel { (None, None) } else { (Some(entry.google()), Some(entry.outlook())) };
    let mut lines = vec![match (invite.method, &path) {
        (Method::Cancel, Some(path)) => format!("The invitation is taken back by {path}"),
        (_, Some(path)) if invite.addressed => format!("The invitation is in {path}"),
        (_, Some(path)) => format!(
            "The event is in {path}\nBookiji has no e-mail address of this customer, so the file asks for no answer."
        ),
        (_, None) => String::new(),
    }];
    for (name, link) in [("Google", &google), ("Outlook", &outlook), ("Apple", &path)] {
        lines.extend(link.as_ref().map(|link| format!("{name}: {link}")));
    }
    let document = json!({
        "path": path,
        "links": { "google": google, "outlook": outlook, "apple": path },
        "booking": booking.id,
        "method": invite.method,
        "sequence": invite.sequence,
        "addressed": invite.addressed,
    });
    let text = match place {
        Some(place) => {
            place.write(&invite.text)?;
            lines.join("\n")
        }
        None => raw(&invite.text),
    };
    let problems: Vec<Problem> = latest
        .stale
        .clone()
        .map(|problem| problem.after("The invitation says what Bookiji last told."))
        .into_iter()
        .collect();
    let exit = if problems.is_empty() { Exit::Done } else { Exit::Partly };
    Ok(Outcome { document, text, problems, exit })
}

/// An id as part of a file's name.
fn plain(id: &str) -> String {
    id.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).take(64).collect()
}
