//! The few sentences the engine itself must say about a card. English; the window has its own table of words.

use calendar::event::{Event, When};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::busy_set::vendor_zone;
use crate::decide::Question;
use crate::ids::ConnectionId;
use crate::import::OnConflict;
use crate::import::{ConflictKind, ImportedSlot};
use crate::plan::{About, Card, Over, Refusal};
use crate::world::{Choice, World};

/// One sentence: what happened to which booking, in her own time zone.
#[must_use]
pub fn card_summary(world: &World, card: &Card) -> String {
    let zone = vendor_zone(world.vendor.as_ref());
    let booking = card.booking.as_ref().and_then(|id| world.bookings.get(id));
    let what = booking.and_then(|booking| booking.service_name.as_deref()).unwrap_or("Booking");
    let who = booking
        .and_then(|booking| booking.customer_name.as_deref())
        .map_or_else(String::new, |name| format!(" for {name}"));
    let booked = card.booked.map_or_else(String::new, |(start, _)| clock(start, &zone));
    let found = card.found.map_or_else(|| "another time".to_owned(), |(start, _)| clock(start, &zone));
    let booked_span = card.booked.map_or_else(String::new, |times| span(times, &zone));
    let found_span = card.found.map_or_else(|| "another time".to_owned(), |times| span(times, &zone));
    match (card.question, &card.about) {
        (Question::Moved, _) if let Some(refusal) = card.refused(world) => {
            let customer = booking.and_then(|booking| booking.customer_name.as_deref());
            let customer = customer.unwrap_or("The customer");
            let said = match refusal {
                Refusal::Declined => "cannot come at that time",
                Refusal::Lapsed => "has not answered in time",
            };
            format!(
                "{what}{who} is booked for {booked}; its event was moved to {found}, and {customer} {said}."
            )
        }
        (Question::Moved, _) => {
            format!("{what}{who} is booked for {booked}, but its event was moved to {found}.")
        }
        (Question::Proposed, _) => {
            format!(
                "{what}{who} is booked for {booked}; you asked for {found} instead, and wait for an answer."
            )
        }
        (Question::Resized, _) => {
            format!("{what}{who} is booked for {booked_span}, but its event now takes {found_span}.")
        }
        (Question::Deleted, _) => format!("{what}{who} is booked for {booked}, but its event was deleted."),
        (Question::MovedBoth, _) => {
            format!("{what}{who} is now booked for {booked}, and its event was moved to {found} meanwhile.")
        }
        (Question::MovedCancelled, _) => {
            format!("{what}{who} was cancelled, but its event was moved to {found} and is still there.")
        }
        (Question::Held, _) if booking.is_some() => {
            format!("{what}{who} for {booked} was cancelled; its event is still there.")
        }
        (Question::Held, _) => {
            format!("A booking is gone from Bookiji; its event on {found} is still there.")
        }
        (Question::Renamed, _) => {
            format!("You gave the event of {what}{who}, {booked}, words of your own. They stay.")
        }
        (Question::Duplicated, About::Seconds(seconds)) => {
            let is_over = if booking.is_some() { format!(", booked for {booked},") } else { String::new() };
            format!(
                "{what}{who}{is_over} has {} events in your calendar. Neither is changed until you decide.",
                seconds.len() + 1
            )
        }
        (Question::Duplicated, _) => {
            format!("There is a copy of the event of {what}{who} at {found_span}. It blocks that time.")
        }
        (Question::Overlap, About::Overlap(over)) => {
            let named: Vec<String> = over.iter().take(NAMED).map(|over| of_hers(over, &zone)).collect();
            let more = match over.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let lies = if over.len() == 1 { "lies" } else { "lie" };
            format!("{}{more} {lies} over {what}{who}, {booked_span}.", named.join("; "))
        }
        (Question::Overlap, _) => format!("An event of yours lies over {what}{who}, {booked_span}."),
        (Question::TargetGone, about) => {
            let name = calendar_name(world, card);
            format!("The calendar \"{name}\" is not there any more; {} there.", belong(about))
        }
        (Question::AccountChanged, about) => {
            let old = world.calendars.get(&card.calendar).map(|calendar| &calendar.connection);
            let (old, new) = (account(world, old), account(world, new_account(about)));
            format!("You signed in as {new}, and your appointments go to the calendar of {old}.")
        }
    }
}

/// How many of her events a sentence names.
const NAMED: usize = 2;

fn of_hers(over: &Over, zone: &TimeZone) -> String {
    let title = if over.title.is_empty() { "An event without a title" } else { &over.title };
    if over.all_day {
        let day = over.span.start().to_zoned(zone.clone()).strftime("%a %-d %b").to_string();
        return format!("{title}, all day from {day},");
    }
    format!("{title}, {},", span((over.span.start(), over.span.end()), zone))
}

fn calendar_name<'a>(world: &'a World, card: &Card) -> &'a str {
    world.calendars.get(&card.calendar).map_or("Bookiji", |calendar| &calendar.name)
}

fn new_account(about: &About) -> Option<&ConnectionId> {
    if let About::Account { connection, .. } = about { Some(connection) } else { None }
}

fn account<'a>(world: &'a World, id: Option<&ConnectionId>) -> &'a str {
    id.and_then(|id| world.connections.get(id)).map_or("another account", |connection| &connection.account)
}

fn belong(about: &About) -> String {
    match counted(about) {
        1 => "1 appointment belongs".to_owned(),
        count => format!("{count} appointments belong"),
    }
}

fn appointments(about: &About) -> String {
    match counted(about) {
        1 => "1 appointment".to_owned(),
        count => format!("{count} appointments"),
    }
}

fn counted(about: &About) -> usize {
    match about {
        About::Target { bookings } | About::Account { bookings, .. } => *bookings,
        About::Event
        | About::Words
        | About::Proposal(_)
        | About::Copy(_)
        | About::Seconds(_)
        | About::Overlap(_) => 0,
    }
}

/// One sentence: what she is invited to, and that its time is held.
#[must_use]
pub fn invitation_summary(world: &World, event: &Event) -> String {
    let zone = vendor_zone(world.vendor.as_ref());
    let what = if event.summary.is_empty() { "An event without a title" } else { &event.summary };
    let when = match &event.start {
        When::Utc(at) => clock(*at, &zone),
        When::Zoned { wall, zone: own } => own
            .time_zone()
            .and_then(|own| own.to_ambiguous_timestamp(*wall).compatible().ok())
            .map_or_else(|| wall.to_string(), |at| clock(at, &zone)),
        When::Floating(wall) => wall.strftime("%a %-d %b, %H:%M").to_string(),
        When::Date(date) => date.strftime("%a %-d %b").to_string(),
    };
    let repeats = if event.repeats() { ", and again" } else { "" };
    format!("{what} invites you on {when}{repeats}. The time is held until you answer.")
}

/// One sentence: which free time meets which slots.
#[must_use]
pub fn conflict_summary(world: &World, rows: &[&ImportedSlot]) -> String {
    let zone = vendor_zone(world.vendor.as_ref());
    let Some(row) = rows.first() else { return String::new() };
    let what = if row.summary.is_empty() { "A free time" } else { &row.summary };
    let met = row.conflicts.first().map_or_else(String::new, |met| {
        let closed = if met.kind == ConflictKind::Closed { "a closed slot" } else { "a slot" };
        format!(" meets {closed} of yours at {}", clock(met.with.start, &zone))
    });
    let more = match rows.len() {
        1 => String::new(),
        more => format!(" (and {} more times)", more - 1),
    };
    format!("{what} on {}{met}{more}.", clock(row.span.start(), &zone))
}

/// What many removals at once would come to.
#[must_use]
pub fn held_summary(world: &World, held: &[&Card]) -> String {
    let standing = world.mappings.values().filter(|row| crate::decide::stands(row)).count();
    format!(
        "{} of {standing} booking events would be removed at once, because their bookings are cancelled or gone from \
         Bookiji. That is unusual, so they are kept until you decide.",
        held.len()
    )
}

#[must_use]
pub fn held_outcome(count: usize, choice: Choice) -> String {
    match choice {
        Choice::Remove => format!("Remove all {count} events."),
        Choice::Leave
        | Choice::Move
        | Choice::Propose
        | Choice::Cancel
        | Choice::PutBack
        | Choice::Unblock
        | Choice::Create
        | Choice::Switch => format!("Keep all {count} events."),
    }
}

/// What an answer comes to, with its times.
#[must_use]
pub fn card_outcome(world: &World, card: &Card, choice: Choice) -> String {
    let zone = vendor_zone(world.vendor.as_ref());
    let booking = card.booking.as_ref().and_then(|id| world.bookings.get(id));
    let who = booking.and_then(|booking| booking.customer_name.as_deref()).unwrap_or("the customer");
    let booked = card.booked.map_or_else(|| "its time".to_owned(), |(start, _)| clock(start, &zone));
    let found = card.found.map_or_else(|| "its new time".to_owned(), |(start, _)| clock(start, &zone));
    let booked_span = card.booked.map_or_else(|| "its time".to_owned(), |times| span(times, &zone));
    let found_span = card.found.map_or_else(|| "its time".to_owned(), |times| span(times, &zone));
    match (card.question, choice, &card.about) {
        (Question::Resized, Choice::Move, _) => {
            format!("Make the appointment of {who} {found_span}, and tell them.")
        }
        (Question::Resized, Choice::PutBack, _) => format!("Make the event {booked_span} again."),
        (Question::Resized, Choice::Leave, _) => {
            format!("Leave it; keep {booked_span} and {found_span} blocked.")
        }
        (_, Choice::Propose, _) => {
            format!("Ask {who} to come {found}; keep {booked} and {found} blocked until they answer.")
        }
        (Question::Proposed, Choice::Leave, _) => format!("Wait; {booked} and {found} stay blocked."),
        (Question::Proposed, Choice::PutBack, _) => {
            format!("Take the question back; the appointment stays at {booked}.")
        }
        (Question::Proposed, Choice::Move, _) => {
            format!("Move {who} to {found} without waiting, and tell them.")
        }
        (Question::Renamed, Choice::Leave, _) => "Keep your words.".to_owned(),
        (Question::Renamed, Choice::PutBack, _) => "Write Bookiji's words again.".to_owned(),
        (Question::Duplicated, Choice::Leave, About::Seconds(seconds)) => {
            format!("Keep all {}, and keep their times blocked.", seconds.len() + 1)
        }
        (Question::Duplicated, Choice::Leave, _) => {
            format!("It is another appointment of yours: {found_span} stays blocked.")
        }
        (Question::Duplicated, Choice::Remove, About::Seconds(seconds)) => match seconds.len() {
            1 => format!("Remove the one at {found_span}; the other one stays."),
            count => format!("Remove {count} of them; one stays."),
        },
        (_, Choice::Unblock, _) => format!("Let {found_span} be booked; the copy stays in your calendar."),
        (Question::Overlap, Choice::Leave, _) => "Keep both.".to_owned(),
        (Question::Overlap, Choice::Cancel, _) => {
            format!("Cancel the appointment of {who} at {booked}, and tell them.")
        }
        (_, Choice::Create, about) => format!("Make a new calendar for {}.", appointments(about)),
        (Question::TargetGone, Choice::Leave, _) => "Wait; it may come back.".to_owned(),
        (_, Choice::Switch, about) => {
            let gets = if counted(about) == 1 { "gets" } else { "get" };
            let stay = if let About::Account { stay, .. } = about { *stay } else { 0 };
            let old = world.calendars.get(&card.calendar).map(|calendar| &calendar.connection);
            format!(
                "Use {} from now on: {} {gets} an event there; {} in the calendar of {}.",
                account(world, new_account(about)),
                appointments(about),
                if stay == 1 { "1 event stays".to_owned() } else { format!("{stay} events stay") },
                account(world, old)
            )
        }
        (Question::AccountChanged, Choice::Leave, _) => {
            let old = world.calendars.get(&card.calendar).map(|calendar| &calendar.connection);
            format!("Keep {}.", account(world, old))
        }
        (_, Choice::Move, _) => format!("Move {who} to {found}, and tell them."),
        (_, Choice::Cancel, _) => format!("Cancel the booking of {who} at {booked}, and tell them."),
        (_, Choice::PutBack, _) if card.found.is_some() => format!("Put the event back to {booked}."),
        (_, Choice::PutBack, _) => format!("Put the event back, at {booked}."),
        (_, Choice::Remove, _) => format!("Remove the event at {found}."),
        (Question::MovedCancelled | Question::Held, Choice::Leave, _) => {
            format!("Leave it; keep {found_span} blocked.")
        }
        (_, Choice::Leave, _) => match card.found {
            Some(_) => format!("Leave it; keep {booked} and {found} blocked."),
            None => format!("Leave it; the booking at {booked} stands without an event."),
        },
    }
}

pub const ACCEPT: &str = "Block this time.";
pub const DECLINE: &str = "Leave this time free.";

#[must_use]
pub fn conflict_outcome(choice: OnConflict) -> &'static str {
    match choice {
        OnConflict::Replace => "The file's times replace open slots that nobody booked.",
        OnConflict::Merge => "The file's times fill what no slot covers.",
        OnConflict::Skip => "Your slots stay as they are.",
    }
}

fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %-d %b, %H:%M").to_string()
}

/// Both ends, the day once.
fn span((start, end): (Timestamp, Timestamp), zone: &TimeZone) -> String {
    let (from, to) = (start.to_zoned(zone.clone()), end.to_zoned(zone.clone()));
    let until = if from.date() == to.date() { "%H:%M" } else { "%a %-d %b, %H:%M" };
    format!("{}–{}", clock(start, zone), to.strftime(until))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made::{at, booked, calendar, draft, event, world};

    fn card(question: Question, about: About) -> Card {
        Card {
            question,
            booking: Some("b".into()),
            calendar: calendar(),
            about,
            booked: Some((at(1), at(2))),
            found: Some((at(5), at(6))),
            state: String::new(),
            choices: Vec::new(),
        }
    }

    #[test]
    fn a_removal_that_is_held_names_its_booking_where_there_is_one() {
        let held = card(Question::Held, About::Event);
        let known = card_summary(&booked(world(&[]), |_| {}), &held);
        assert_eq!(known, "Haircut for Nadia for Fri 15 Jan, 09:00 was cancelled; its event is still there.");
        let gone = card_summary(&world(&[]), &held);
        assert_eq!(gone, "A booking is gone from Bookiji; its event on Fri 15 Jan, 13:00 is still there.");
    }

    #[test]
    fn a_calendar_that_is_gone_is_named_with_what_belongs_there() {
        let summary =
            |bookings| card_summary(&world(&[]), &card(Question::TargetGone, About::Target { bookings }));
        assert_eq!(
            summary(1),
            "The calendar \"Bookings\" is not there any more; 1 appointment belongs there."
        );
        assert_eq!(
            summary(2),
            "The calendar \"Bookings\" is not there any more; 2 appointments belong there."
        );
    }

    #[test]
    fn an_invitation_is_told_by_its_title_and_an_event_without_one_as_such() {
        let mut event = event(&draft(1), "1").event;
        assert!(invitation_summary(&World::default(), &event).contains("Booking: Haircut"));
        event.summary.clear();
        assert!(invitation_summary(&World::default(), &event).contains("An event without a title"));
    }

    #[test]
    fn putting_back_what_was_deleted_is_said_otherwise_than_what_was_moved() {
        let mut card = card(Question::Moved, About::Event);
        let outcome = |card: &Card| card_outcome(&booked(world(&[]), |_| {}), card, Choice::PutBack);
        assert_eq!(outcome(&card), "Put the event back to Fri 15 Jan, 09:00.");
        card.found = None;
        assert_eq!(outcome(&card), "Put the event back, at Fri 15 Jan, 09:00.");
    }

    #[test]
    fn each_choice_about_free_times_says_what_becomes_of_them() {
        let told = OnConflict::ALL.map(conflict_outcome);
        assert_eq!(
            told,
            [
                "The file's times replace open slots that nobody booked.",
                "The file's times fill what no slot covers.",
                "Your slots stay as they are.",
            ]
        );
    }
}
