//! `companion invite`: an invitation to one booking, or its withdrawal, with links for calendars on the web.

use std::path::PathBuf;

use calendar::ics::Method;
use mirror::Sqlite;
use serde_json::json;
use sync::invite::SentInvite;
use sync::ports::Clock;

use super::args::InviteArgs;
use super::export::{place, raw};
use super::output::{Exit, Outcome};
use crate::clock::SystemClock;
use crate::invite::{self, compose};
use crate::latest::{self, Latest};
use crate::problem::Problem;
use crate::profile::Profile;

pub async fn run(profile: &Profile, args: &InviteArgs, json: bool) -> Result<Outcome, Problem> {
    let Latest { vendor, world, wiring, stale } = latest::bookings(profile).await?;
    let booking = invite::find(&world, &args.booking)?;
    let usual = PathBuf::from(format!("booking-{}.ics", plain(booking.id.as_str())));
    let place = place(args.output.as_deref().unwrap_or(&usual), json)?;
    // Only who may write can say that the sequence rises.
    let alone;
    let mirror = match &wiring {
        Some(wiring) => &wiring.mirror,
        None => {
            alone = (profile.lock().await?, Sqlite::open_kept(&profile.database(), SystemClock.now())?.0);
            &alone.1
        }
    };
    let invite = compose(booking, &vendor, args.cancel, mirror.sent_invite(&booking.id)?.as_ref())?;
    let sent = SentInvite {
        sequence: invite.sequence,
        checksum: invite.checksum.clone(),
        written_at: SystemClock.now(),
    };
    mirror.put_sent_invite(&booking.id, &sent)?;

    let path = place.as_ref().map(|place| place.path().display().to_string());
    let entry = invite.entry(booking);
    let (google, outlook) =
        if args.cancel { (None, None) } else { (Some(entry.google()), Some(entry.outlook())) };
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
    let text = match &place {
        Some(place) => {
            place.write(&invite.text)?;
            lines.join("\n")
        }
        None => raw(&invite.text),
    };
    let problems: Vec<Problem> = stale
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
