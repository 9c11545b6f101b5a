//! One run, opened: each thing it did, about which booking or time, why, and how it ended. Told from the run's journal and
//! what is known now of the bookings in it. Pure.

use calendar::interval::Interval;
use jiff::Timestamp;
use serde::Serialize;
use sync::decide::times;
use sync::ids::BookingId;
use sync::journal::{EntryState, JournalEntry};
use sync::ports::BusySet;
use sync::world::{Operation, RunRecord, World};

use super::{Problem, RunView, SpanView, can_undo, count, run_view};

/// More are there, but nobody reads them at once.
pub const STEPS_SHOWN: usize = 500;

/// Stretches of one step: a week of busy time, say.
const SPANS_SHOWN: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct RunStoryView {
    pub run: RunView,
    /// In the order in which they were done.
    pub steps: Vec<StepView>,
    /// Steps after those.
    pub more: u32,
}

/// One thing that a run did, or tried to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct StepView {
    pub id: u32,
    pub kind: StepKind,
    pub why: StepWhy,
    pub end: StepEnd,
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub at: Timestamp,
    pub booking: Option<String>,
    /// What the event says, where one was written or removed.
    pub title: Option<String>,
    /// Whose booking it is, as far as it is known now.
    pub customer: Option<String>,
    pub service: Option<String>,
    /// The calendar that was written to, or whose times they are, by its name.
    pub calendar: Option<String>,
    /// Where it is now: the event, the booking or the slot.
    pub span: Option<SpanView>,
    /// Where it was, where that is elsewhere.
    pub before: Option<SpanView>,
    /// Busy times that were told, or slots that were made; the first of them in `spans`.
    pub times: u32,
    pub spans: Vec<SpanView>,
    /// Why it failed.
    pub problem: Option<Problem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum StepKind {
    CreateEvent,
    UpdateEvent,
    RemoveEvent,
    MoveBooking,
    ProposeMove,
    WithdrawProposal,
    CancelBooking,
    PublishBusy,
    MakeSlots,
    RemoveSlot,
    OpenSlots,
    CloseSlots,
    MakeCalendar,
    RemoveCalendar,
}

/// What a step followed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum StepWhy {
    /// The booking had no event yet.
    NewBooking,
    /// Its event was gone, and is made again.
    MadeAgain,
    /// The booking is at another time.
    BookingMoved,
    /// The booking reads otherwise.
    BookingChanged,
    /// The booking is no more.
    BookingOver,
    /// She decided so.
    HerAnswer,
    /// Her calendars block other times than Bookiji knew of.
    HerCalendars,
    /// Free times came with files, or went.
    HerFiles,
    /// She had a run taken back.
    TakenBack,
    /// She had what was written for an account taken back.
    AccountLeft,
    /// Bookings had no calendar to go to.
    NoCalendarYet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum StepEnd {
    Done,
    Failed,
    /// Its account was unlinked before the end was known.
    GivenUp,
    /// The next sync finds out.
    Unknown,
}

/// Tells `run`, one of `runs`, by its journal.
#[must_use]
pub fn story(world: &World, runs: &[RunRecord], run: &RunRecord, entries: &[JournalEntry]) -> RunStoryView {
    RunStoryView {
        run: RunView { can_undo: can_undo(run, runs), ..run_view(run) },
        steps: entries.iter().take(STEPS_SHOWN).map(|entry| step(world, run, entry)).collect(),
        more: count(entries.len().saturating_sub(STEPS_SHOWN)),
    }
}

fn step(world: &World, run: &RunRecord, entry: &JournalEntry) -> StepView {
    let operation = &entry.operation;
    let booking = operation.booking().and_then(|id| world.bookings.get(id));
    let matter = Matter::of(world, operation);
    StepView {
        id: u32::try_from(entry.id.0).unwrap_or(u32::MAX),
        kind: kind(operation),
        why: why(run, operation),
        end: end(entry.state),
        at: entry.settled_at.or(entry.attempted_at).unwrap_or(entry.intended_at),
        booking: operation.booking().map(ToString::to_string),
        title: matter.title,
        customer: booking.and_then(|booking| booking.customer_name.clone()),
        service: booking.and_then(|booking| booking.service_name.clone()),
        calendar: calendar_name(world, operation),
        span: matter.span.map(span_view),
        before: matter.before.filter(|before| Some(*before) != matter.span).map(span_view),
        times: count(matter.spans.len()),
        spans: matter.spans.iter().take(SPANS_SHOWN).copied().map(span_view).collect(),
        problem: entry.problem.as_ref().map(Problem::from),
    }
}

/// What a step is about.
#[derive(Default)]
struct Matter {
    title: Option<String>,
    span: Option<Interval>,
    before: Option<Interval>,
    spans: Vec<Interval>,
}

impl Matter {
    fn of(world: &World, operation: &Operation) -> Self {
        let booked = |id: &BookingId| {
            world.bookings.get(id).and_then(|booking| Interval::new(booking.start, booking.end))
        };
        match operation {
            Operation::CreateEvent { draft, .. } => Self {
                title: Some(draft.title.clone()),
                span: Interval::new(draft.start, draft.end),
                ..Self::default()
            },
            Operation::UpdateEvent { draft, before, .. } => Self {
                // Words that are hers are not written.
                title: Some(if draft.times_only { &before.event.summary } else { &draft.title }.clone()),
                span: Interval::new(draft.start, draft.end),
                before: times(before).and_then(|(start, end)| Interval::new(start, end)),
                ..Self::default()
            },
            Operation::RemoveEvent { before, .. } => Self {
                title: Some(before.event.summary.clone()),
                span: times(before).and_then(|(start, end)| Interval::new(start, end)),
                ..Self::default()
            },
            Operation::MoveBooking { to, before, .. } => {
                Self { span: Some(*to), before: *before, ..Self::default() }
            }
            Operation::ProposeMove { to, booking, .. } => {
                Self { span: Some(*to), before: booked(booking), ..Self::default() }
            }
            Operation::WithdrawProposal { booking, .. } | Operation::CancelBooking { booking, .. } => {
                Self { span: booked(booking), ..Self::default() }
            }
            Operation::PublishBusy { set: BusySet { intervals, .. }, .. } => {
                Self { spans: intervals.clone(), ..Self::default() }
            }
            Operation::MakeSlots { slots, .. } | Operation::SwitchSlots { slots, .. } => {
                Self { spans: slots.iter().map(|slot| slot.span).collect(), ..Self::default() }
            }
            Operation::RemoveSlot { slot, .. } => Self { span: Some(slot.span), ..Self::default() },
            Operation::MakeCalendar { .. } | Operation::RemoveCalendar { .. } => Self::default(),
        }
    }
}

fn kind(operation: &Operation) -> StepKind {
    match operation {
        Operation::CreateEvent { .. } => StepKind::CreateEvent,
        Operation::UpdateEvent { .. } => StepKind::UpdateEvent,
        Operation::RemoveEvent { .. } => StepKind::RemoveEvent,
        Operation::MoveBooking { .. } => StepKind::MoveBooking,
        Operation::ProposeMove { .. } => StepKind::ProposeMove,
        Operation::WithdrawProposal { .. } => StepKind::WithdrawProposal,
        Operation::CancelBooking { .. } => StepKind::CancelBooking,
        Operation::PublishBusy { .. } => StepKind::PublishBusy,
        Operation::MakeSlots { .. } => StepKind::MakeSlots,
        Operation::RemoveSlot { .. } => StepKind::RemoveSlot,
        Operation::SwitchSlots { open: true, .. } => StepKind::OpenSlots,
        Operation::SwitchSlots { open: false, .. } => StepKind::CloseSlots,
        Operation::MakeCalendar { .. } => StepKind::MakeCalendar,
        Operation::RemoveCalendar { .. } => StepKind::RemoveCalendar,
    }
}

fn why(run: &RunRecord, operation: &Operation) -> StepWhy {
    let leaves = run.report.as_ref().is_some_and(|report| !report["leave"].is_null());
    match operation {
        // Busy time follows her calendars in every run.
        Operation::PublishBusy { .. } | Operation::SwitchSlots { .. } if !leaves => StepWhy::HerCalendars,
        _ if leaves => StepWhy::AccountLeft,
        _ if run.undoes.is_some() => StepWhy::TakenBack,
        Operation::CreateEvent { draft, .. } if draft.generation > 0 => StepWhy::MadeAgain,
        Operation::CreateEvent { .. } => StepWhy::NewBooking,
        Operation::UpdateEvent { draft, before, .. } if times(before) != Some((draft.start, draft.end)) => {
            StepWhy::BookingMoved
        }
        Operation::UpdateEvent { .. } => StepWhy::BookingChanged,
        Operation::RemoveEvent { remember: Some(_), .. } => StepWhy::HerAnswer,
        Operation::RemoveEvent { .. } => StepWhy::BookingOver,
        Operation::MoveBooking { .. }
        | Operation::ProposeMove { .. }
        | Operation::WithdrawProposal { .. }
        | Operation::CancelBooking { .. } => StepWhy::HerAnswer,
        Operation::PublishBusy { .. } | Operation::SwitchSlots { .. } => StepWhy::HerCalendars,
        Operation::MakeCalendar { .. } => StepWhy::NoCalendarYet,
        Operation::RemoveCalendar { .. } => StepWhy::AccountLeft,
        Operation::MakeSlots { .. } | Operation::RemoveSlot { .. } => StepWhy::HerFiles,
    }
}

fn end(state: EntryState) -> StepEnd {
    match state {
        EntryState::Intended | EntryState::Attempted => StepEnd::Unknown,
        EntryState::Stored
        | EntryState::Removed
        | EntryState::Published
        | EntryState::Withdrawn
        | EntryState::Changed => StepEnd::Done,
        EntryState::Failed => StepEnd::Failed,
        EntryState::Abandoned => StepEnd::GivenUp,
    }
}

fn calendar_name(world: &World, operation: &Operation) -> Option<String> {
    if let Operation::MakeCalendar { name, .. } | Operation::RemoveCalendar { name, .. } = operation {
        return Some(name.clone());
    }
    world.calendars.get(operation.calendar()?).map(|calendar| calendar.name.clone())
}

fn span_view(span: Interval) -> SpanView {
    SpanView { start: span.start(), end: span.end() }
}

#[cfg(test)]
mod tests {
    use calendar::event::{End, Event, Uid, When};
    use serde_json::json;
    use sync::booking::Draft;
    use sync::error::Code;
    use sync::ids::{ETag, RunId, Service};
    use sync::ports::{RemoteEvent, Slot};
    use sync::world::{Direction, OperationId, SyncOutcome, SyncProblem};

    use super::super::tests::{at, book, salon};
    use super::*;

    const THREE: &str = "2026-11-17T15:00:00Z";
    const FOUR: &str = "2026-11-17T16:00:00Z";

    fn span(start: &str, end: &str) -> Interval {
        Interval::new(at(start), at(end)).unwrap()
    }

    fn run(id: &str) -> RunRecord {
        RunRecord {
            id: RunId::from(id),
            direction: Direction::Bidirectional,
            started_at: at(THREE),
            ended_at: Some(at(THREE)),
            outcome: Some(SyncOutcome::Success),
            undoes: None,
            report: Some(json!({ "slots": { "created": 2, "removed": 1 } })),
        }
    }

    fn entry(operation: Operation, state: EntryState) -> JournalEntry {
        JournalEntry {
            id: OperationId(7),
            run: RunId::from("r"),
            operation,
            state,
            attempts: 1,
            echo: None,
            problem: None,
            intended_at: at(THREE),
            attempted_at: None,
            settled_at: None,
        }
    }

    fn world() -> World {
        let mut world = salon();
        book(&mut world, "b1", THREE, FOUR);
        world
    }

    /// The write that moves the booking's event to where the booking is.
    fn moved(world: &World) -> Operation {
        let calendar = world.calendars.values().next().unwrap();
        let draft = Draft::of(world.bookings.values().next().unwrap(), Service::Google, &calendar.remote, 0);
        let (start, end) = (When::Utc(at("2026-11-17T13:00:00Z")), When::Utc(at("2026-11-17T14:00:00Z")));
        let event = Event { summary: "Camille".into(), ..Event::new(Uid("u".into()), start, End::At(end)) };
        let before = RemoteEvent {
            id: draft.id.clone(),
            etag: ETag::from("1"),
            event,
            marker: None,
            created_as: None,
        };
        Operation::UpdateEvent {
            calendar: calendar.id.clone(),
            event: draft.id.clone(),
            base: ETag::from("1"),
            draft,
            before: Box::new(before),
        }
    }

    #[track_caller]
    fn told(operation: Operation, state: EntryState) -> StepView {
        story(&world(), &[], &run("r"), &[entry(operation, state)]).steps.remove(0)
    }

    #[test]
    fn a_step_tells_whose_booking_went_where_from_where_and_why() {
        let step = told(moved(&world()), EntryState::Stored);
        assert_eq!(
            (step.kind, step.why, step.end),
            (StepKind::UpdateEvent, StepWhy::BookingMoved, StepEnd::Done)
        );
        assert_eq!(
            (step.customer.as_deref(), step.service.as_deref()),
            (Some("Camille Roy"), Some("Haircut"))
        );
        assert_eq!(
            (step.calendar.as_deref(), step.title.as_deref()),
            (Some("Bookiji"), Some("Booking: Haircut"))
        );
        assert_eq!(step.span, Some(span_view(span(THREE, FOUR))));
        assert_eq!(step.before, Some(span_view(span("2026-11-17T13:00:00Z", "2026-11-17T14:00:00Z"))));
    }

    #[test]
    fn words_that_stayed_hers_are_told_as_hers() {
        let Operation::UpdateEvent { calendar, event, base, draft, before } = moved(&world()) else {
            unreachable!()
        };
        let draft = Draft { times_only: true, ..draft };
        let step =
            told(Operation::UpdateEvent { calendar, event, base, draft, before }, EntryState::Attempted);
        assert_eq!((step.title.as_deref(), step.end), (Some("Camille"), StepEnd::Unknown));
    }

    #[test]
    fn slots_and_busy_times_are_told_with_their_times() {
        let source = world().calendars.keys().next().unwrap().clone();
        let slot = |start, end| Slot { span: span(start, end), id: "s".into(), open: true };
        let slots = vec![slot(THREE, FOUR)];
        let step = told(Operation::MakeSlots { source: source.clone(), slots }, EntryState::Failed);
        assert_eq!((step.why, step.end, step.times), (StepWhy::HerFiles, StepEnd::Failed, 1));
        assert_eq!(step.spans, [span_view(span(THREE, FOUR))]);
        let step = told(
            Operation::RemoveSlot { source: source.clone(), slot: slot(THREE, FOUR) },
            EntryState::Withdrawn,
        );
        assert_eq!((step.span, step.times), (Some(span_view(span(THREE, FOUR))), 0));
        let set = BusySet::of(
            Service::Google,
            source,
            span("2026-11-16T00:00:00Z", "2026-11-20T00:00:00Z"),
            vec![span(THREE, FOUR)],
        );
        let step = told(Operation::PublishBusy { set, before: None }, EntryState::Published);
        assert_eq!((step.why, step.times), (StepWhy::HerCalendars, 1));
    }

    #[test]
    fn what_a_run_took_back_is_told_as_such_and_why_a_step_failed_by_its_code() {
        let undo = RunRecord { undoes: Some(RunId::from("other")), ..run("r") };
        let problem = SyncProblem { code: Code::RateLimitExceeded, message: "wait".into() };
        let failed = JournalEntry { problem: Some(problem), ..entry(moved(&world()), EntryState::Failed) };
        let step = story(&world(), &[], &undo, &[failed]).steps.remove(0);
        assert_eq!((step.why, step.end), (StepWhy::TakenBack, StepEnd::Failed));
        assert_eq!(step.problem.map(|problem| problem.code), Some(Code::RateLimitExceeded));
        let left = RunRecord { report: Some(json!({ "leave": {} })), ..run("r") };
        let step = story(&world(), &[], &left, &[entry(moved(&world()), EntryState::Stored)]).steps.remove(0);
        assert_eq!(step.why, StepWhy::AccountLeft);
    }

    #[test]
    fn a_story_has_an_end_and_a_run_that_made_slots_can_be_taken_back_once() {
        let many = vec![entry(moved(&world()), EntryState::Stored); STEPS_SHOWN + 3];
        let told = story(&world(), &[run("r")], &run("r"), &many);
        assert_eq!((told.steps.len(), told.more), (STEPS_SHOWN, 3));
        assert_eq!((told.run.slots_opened, told.run.slots_closed, told.run.can_undo), (2, 1, true));
        let undo = RunRecord { undoes: Some(RunId::from("r")), ..run("later") };
        assert!(!story(&world(), &[undo, run("r")], &run("r"), &[]).run.can_undo);
    }
}
