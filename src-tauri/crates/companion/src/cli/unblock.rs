//! `companion unblock`: lets a time be booked just this once, whatever her calendars say, or takes that back.

use std::collections::BTreeSet;

use calendar::interval::Interval;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use mirror::Sqlite;
use serde_json::json;
use sync::busy_set::vendor_zone;
use sync::error::Code;
use sync::ids::ConnectionId;
use sync::plan::plan;
use sync::policy::Policy;
use sync::ports::{Clock, Mirror, Platform};
use sync::unblocked::{self, LONGEST, Unblocked};
use sync::world::{Direction, SyncOutcome, World};

use super::args::UnblockArgs;
use super::output::{Exit, Outcome, Voice};
use super::pause;
use crate::errand::{self, Errand};
use crate::explain::{Kind, Time, settled};
use crate::problem::Problem;
use crate::profile::Profile;
use crate::syncing::{self, Wanted};
use crate::wiring::Wiring;
use crate::words::{self, Language};

/// What is let be booked where she says no more than a moment, and no slot stands there.
const USUAL: SignedDuration = SignedDuration::from_mins(30);

pub async fn run(profile: &Profile, args: &UnblockArgs, voice: Voice) -> Result<Outcome, Problem> {
    let world = Sqlite::open_read_only(&profile.database())?.world()?;
    let from = match Time::read(&args.moment, &vendor_zone(world.vendor.as_ref()))? {
        Time::Moment(at) => at,
        Time::Day(_) => {
            return Err(Problem::new(Code::InvalidInput, "A whole day is not let be booked at once.")
                .then("Name a time of that day, such as 2026-03-29T14:00."));
        }
    };
    let until = args.length.as_ref().map(|length| pause::after(from, length)).transpose()?;
    let errand = if args.take_back {
        Errand::BlockAgain { from, until: until.unwrap_or_else(|| usual(from)) }
    } else {
        Errand::Unblock { from, until }
    };
    errand::run(profile, voice, &errand).await
}

/// Writes it down, and tells Bookiji with a sync of the calendars that it is about. Should that not get through, the next
/// one does it.
pub async fn unblock(wiring: &Wiring, from: Timestamp, until: Option<Timestamp>) -> Result<Outcome, Problem> {
    let asked = span(from, until.unwrap_or_else(|| usual(from)))?;
    let now = wiring.clock.now();
    let policy = wiring.policy();
    // She is told at once where it cannot be, whatever stands on Bookiji.
    rows(&wiring.world()?, asked, now, &policy)?;
    let slots = slots(wiring, asked).await;
    let whole = if until.is_none() { at_moment(asked, &slots) } else { grown(asked, &slots) };
    let world = wiring.world()?;
    let (span, rows) = match rows(&world, whole, now, &policy) {
        Ok(rows) => (whole, rows),
        // A booking lies over the rest of a slot: the time that she named is what she meant.
        Err(_) => (asked, rows(&world, asked, now, &policy)?),
    };
    wiring.mirror.put_unblocked(&rows)?;
    tracing::info!(from = %span.start(), until = %span.end(), calendars = rows.len(), "unblocked just this once");
    let zone = vendor_zone(world.vendor.as_ref());
    let text = format!("{} can be booked just this once.", said(span, &zone));
    tell(wiring, &rows.into_iter().map(|row| row.calendar).collect::<Vec<_>>(), &text).await
}

/// Takes back what was unblocked over this time.
pub async fn block_again(wiring: &Wiring, from: Timestamp, until: Timestamp) -> Result<Outcome, Problem> {
    let asked = span(from, until)?;
    let world = wiring.world()?;
    let over: Vec<&Unblocked> = world.unblocked.iter().filter(|row| row.span.overlaps(&asked)).collect();
    if over.is_empty() {
        return Err(Problem::new(Code::InvalidInput, "That time was not unblocked.")
            .then("See what keeps it from being booked with `companion explain`."));
    }
    wiring.mirror.take_back_unblocked(asked)?;
    tracing::info!(from = %asked.start(), until = %asked.end(), "blocked again");
    let zone = vendor_zone(world.vendor.as_ref());
    let text = format!("{} is blocked again, as your calendars say.", said(over[0].span, &zone));
    tell(wiring, &over.into_iter().map(|row| row.calendar.clone()).collect::<Vec<_>>(), &text).await
}

fn span(from: Timestamp, until: Timestamp) -> Result<Interval, Problem> {
    let span = Interval::new(from, until).filter(is_allowed);
    span.ok_or_else(|| {
        Problem::new(Code::InvalidInput, "That is no stretch of time, or more than a day.")
            .then("Name a moment and a length of at most 24 hours.")
    })
}

/// The calendars that block this time now, each with it.
fn rows(world: &World, span: Interval, now: Timestamp, policy: &Policy) -> Result<Vec<Unblocked>, Problem> {
    let refused = |message: &str, next: &str| Err(Problem::new(Code::InvalidInput, message).then(next));
    if let Some(reason) = settled(world, span, now, policy) {
        return match reason.kind {
            Kind::Past => refused("That time is over.", "Name a time that is still to come."),
            Kind::Booking => refused(
                "A booking stands at that time, and keeps it.",
                "Cancel or move the booking on Bookiji first.",
            ),
            Kind::Moved
            | Kind::Event(_)
            | Kind::Buffer
            | Kind::Travel
            | Kind::Unblocked
            | Kind::NotRead
            | Kind::BeyondHorizon => refused(
                "The event of a booking was moved there, and both times stay blocked.",
                "Answer that question first: companion decisions",
            ),
        };
    }
    let sources = plan(world, now, policy).sources;
    let blocking = sources.into_iter().filter(|source| {
        let intervals = source.set.iter().flat_map(|set| &set.intervals);
        intervals.clone().any(|busy| busy.overlaps(&span))
    });
    let rows: Vec<Unblocked> =
        blocking.map(|source| Unblocked { span, calendar: source.calendar, at: now }).collect();
    let is_open = unblocked::ahead(world, now).iter().any(|open| open.overlaps(&span));
    if rows.is_empty() && !is_open {
        return refused(
            "None of your calendars blocks that time.",
            "See what keeps it from being booked with `companion explain`.",
        );
    }
    Ok(rows)
}

fn usual(from: Timestamp) -> Timestamp {
    from.checked_add(USUAL).unwrap_or(Timestamp::MAX)
}

/// The slots that touch this time; none where Bookiji cannot be asked.
async fn slots(wiring: &Wiring, asked: Interval) -> Vec<Interval> {
    let standing = async {
        wiring.check_session().await.ok()?;
        wiring.platform().ok()?.slots(asked).await.ok()
    };
    standing.await.unwrap_or_default().into_iter().map(|slot| slot.span).collect()
}

/// A slot is bookable whole or not at all: with a part of it left blocked, nothing would have been opened. So with this
/// time come the slots that begin in it, and the one at its beginning.
fn grown(asked: Interval, slots: &[Interval]) -> Interval {
    let begin_in_it = slots.iter().filter(|slot| slot.start() >= asked.start() && slot.overlaps(&asked));
    let taken: Vec<&Interval> = begin_in_it.chain(slot_at(asked.start(), slots)).collect();
    let start = taken.iter().map(|slot| slot.start()).fold(asked.start(), Timestamp::min);
    let end = taken.iter().map(|slot| slot.end()).fold(asked.end(), Timestamp::max);
    Interval::new(start, end).filter(is_allowed).unwrap_or(asked)
}

/// The slot at the moment with which `asked` begins, or else that time itself.
fn at_moment(asked: Interval, slots: &[Interval]) -> Interval {
    slot_at(asked.start(), slots).copied().filter(is_allowed).unwrap_or(asked)
}

/// The one that begins then, or else that lies over it; of several the shortest.
fn slot_at(at: Timestamp, slots: &[Interval]) -> Option<&Interval> {
    let over = slots.iter().filter(|slot| slot.start() <= at && at < slot.end());
    over.min_by_key(|slot| (slot.start() != at, slot.end().duration_since(slot.start()), slot.start()))
}

fn is_allowed(span: &Interval) -> bool {
    span.end().duration_since(span.start()) <= LONGEST
}

async fn tell(wiring: &Wiring, calendars: &[sync::ids::CalendarId], text: &str) -> Result<Outcome, Problem> {
    let world = wiring.world()?;
    let of = |id| world.calendars.get(id).map(|calendar| calendar.connection.clone());
    let connections: BTreeSet<ConnectionId> = calendars.iter().filter_map(of).collect();
    let wanted =
        Wanted { direction: Direction::FromCalendar, connections: Some(connections), dry_run: false };
    let synced = syncing::sync_once(wiring, &wanted).await;
    let waits_for = synced.as_ref().ok().and_then(|report| report.standing_by.clone());
    let problems = match synced {
        Ok(report) if report.outcome() == SyncOutcome::Success => Vec::new(),
        Ok(report) => syncing::problems(&report),
        Err(problem) => vec![problem],
    };
    let ahead: Vec<_> = unblocked::ahead(&wiring.world()?, wiring.clock.now())
        .into_iter()
        .map(|span| json!({ "start": span.start(), "end": span.end() }))
        .collect();
    let exit = if problems.is_empty() && waits_for.is_none() { Exit::Done } else { Exit::Partly };
    let text = match &waits_for {
        // Only the computer that writes tells Bookiji, and it does not know of this.
        Some(other) => {
            let standing_by = words::standing_by(&other.holder, Language::English);
            format!("{text}\n{standing_by} Bookiji is told when this one writes again.")
        }
        None => text.to_owned(),
    };
    let document = json!({ "unblocked": ahead, "standing_by": waits_for });
    Ok(Outcome { document, text, problems, exit })
}

fn said(span: Interval, zone: &TimeZone) -> String {
    let local = |at: Timestamp, format: &str| at.to_zoned(zone.clone()).strftime(format).to_string();
    let same_day = local(span.start(), "%F") == local(span.end(), "%F");
    let end = local(span.end(), if same_day { "%H:%M" } else { "%a %-d %b %H:%M" });
    format!("{} – {end}", local(span.start(), "%a %-d %b %H:%M"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: i64, end: i64) -> Interval {
        let at = |minutes: i64| Timestamp::from_second(minutes * 60).unwrap();
        Interval::new(at(start), at(end)).unwrap()
    }

    #[test]
    fn a_slot_is_opened_whole_and_its_neighbours_are_not() {
        let slots = [span(0, 60), span(60, 120), span(120, 180), span(45, 75)];
        assert_eq!(grown(span(60, 90), &slots), span(60, 120));
        assert_eq!(grown(span(60, 61), &slots), span(60, 120));
        assert_eq!(grown(span(100, 110), &slots), span(60, 120), "the one it lies in");
        assert_eq!(grown(span(50, 55), &slots), span(45, 75), "the shortest of two");
        assert_eq!(grown(span(60, 150), &slots), span(60, 180));
        assert_eq!(grown(span(100, 130), &slots), span(60, 180), "what begins in it, and what it begins in");
        assert_eq!(grown(span(300, 330), &slots), span(300, 330), "where none stands");
        assert_eq!(grown(span(0, 30), &[span(-3000, 3000)]), span(0, 30), "nobody opens two days at once");
    }

    #[test]
    fn a_moment_alone_means_the_slot_that_stands_there_and_no_other() {
        let slots = [span(0, 30), span(30, 60), span(60, 120), span(40, 90)];
        assert_eq!(at_moment(span(5, 35), &slots), span(0, 30));
        assert_eq!(at_moment(span(30, 60), &slots), span(30, 60));
        assert_eq!(at_moment(span(45, 75), &slots), span(30, 60), "the shortest of two");
        assert_eq!(at_moment(span(60, 90), &slots), span(60, 120), "the one that begins there");
        assert_eq!(at_moment(span(120, 150), &slots), span(120, 150), "where none stands");
        assert_eq!(
            at_moment(span(0, 30), &[span(-3000, 3000)]),
            span(0, 30),
            "nobody opens two days at once"
        );
    }
}
