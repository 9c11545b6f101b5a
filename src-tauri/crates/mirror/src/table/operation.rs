//! `operations`: the journal.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params, params};
use sync::ids::{BookingId, CalendarId, ConnectionId, RunId};
use sync::journal::{EntryState, JournalEntry};
use sync::world::{Operation, OperationId, Settled, SyncProblem};

use crate::column::{Json, Moment, Word, problem};
use crate::failure::Failure;

/// The journal's bounds, whatever its age.
const SETTLED_KEPT: u32 = 20_000;
const CHARACTERS_KEPT: i64 = 64 * 1024 * 1024;
/// The newest runs that wrote something stay, whatever the clock says: one that is wrong for a day must not erase all.
const RUNS_KEPT: u32 = 100;

/// What may go: it is settled, and is not the last that was done to an event which she holds back from its booking.
const FREE: &str = "settled_at IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM calendar_events AS held
    WHERE held.calendar_id = operations.calendar_id AND held.booking_id = operations.booking_id
        AND (held.written_checksum LIKE 'held:%' OR held.written_checksum LIKE 'times:held:%')
        AND operations.id = (
            SELECT max(id) FROM operations AS done
            WHERE done.booking_id = held.booking_id AND done.calendar_id = held.calendar_id
                AND done.state IN ('stored', 'removed')))";

pub fn unsettled(connection: &Connection) -> Result<Vec<(OperationId, Operation)>, Failure> {
    let mut statement = connection
        .prepare_cached("SELECT id, intent FROM operations WHERE settled_at IS NULL ORDER BY id")?;
    let rows = statement
        .query_map([], |row| Ok((OperationId(row.get("id")?), row.get::<_, Json<Operation>>("intent")?.0)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub fn of_run(connection: &Connection, run: &RunId) -> Result<Vec<JournalEntry>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT id, run_id, intent, state, attempts, echo, error_code, error_message, intended_at, attempted_at,
             settled_at
         FROM operations WHERE run_id = ?1 ORDER BY id",
    )?;
    Ok(statement.query_map([run.as_str()], read)?.collect::<Result<_, _>>()?)
}

pub fn intend(
    tx: &Transaction<'_>,
    run: &RunId,
    operation: &Operation,
    at: Timestamp,
) -> Result<OperationId, Failure> {
    let row = Heading::of(operation);
    tx.prepare_cached(
        "INSERT INTO operations (run_id, kind, calendar_id, booking_id, key, precondition, intent, intended_at)
         VALUES (:run_id, :kind, :calendar_id, :booking_id, :key, :precondition, :intent, :intended_at)",
    )?
    .execute(named_params! {
        ":run_id": run.as_str(),
        ":kind": operation.kind(),
        ":calendar_id": operation.calendar().map_or("", CalendarId::as_str),
        ":booking_id": operation.booking().map(BookingId::as_str),
        ":key": row.key,
        ":precondition": row.precondition,
        ":intent": Json(operation),
        ":intended_at": Moment(at),
    })?;
    Ok(OperationId(tx.last_insert_rowid()))
}

pub fn attempted(tx: &Transaction<'_>, id: OperationId, at: Timestamp) -> Result<(), Failure> {
    let rows = tx
        .prepare_cached(
            "UPDATE operations SET state = :state, attempts = attempts + 1, attempted_at = :at
             WHERE id = :id AND settled_at IS NULL",
        )?
        .execute(named_params! { ":id": id.0, ":state": Word(EntryState::Attempted), ":at": Moment(at) })?;
    open_only(rows, id)
}

pub fn settle(
    tx: &Transaction<'_>,
    id: OperationId,
    settled: &Settled,
    at: Timestamp,
) -> Result<(), Failure> {
    let (state, echo, problem): (_, _, Option<&SyncProblem>) = match settled {
        Settled::Stored { event, .. } => (EntryState::Stored, Some(event), None),
        Settled::Removed { .. } | Settled::SecondRemoved { .. } => (EntryState::Removed, None, None),
        Settled::Published(_) => (EntryState::Published, None, None),
        Settled::Withdrawn { .. } => (EntryState::Withdrawn, None, None),
        Settled::BookingChanged => (EntryState::Changed, None, None),
        Settled::SlotsMade { .. } | Settled::CalendarMade => (EntryState::Stored, None, None),
        Settled::SlotRemoved { .. } | Settled::CalendarRemoved => (EntryState::Removed, None, None),
        Settled::SlotsSwitched { .. } => (EntryState::Changed, None, None),
        Settled::Failed { problem, .. } => (EntryState::Failed, None, Some(problem)),
    };
    let rows = tx
        .prepare_cached(
            "UPDATE operations SET state = :state, echo = :echo, error_code = :error_code,
                 error_message = :error_message, settled_at = :at
             WHERE id = :id AND settled_at IS NULL",
        )?
        .execute(named_params! {
            ":id": id.0,
            ":state": Word(state),
            ":echo": echo.map(Json),
            ":error_code": problem.map(|problem| Word(problem.code)),
            ":error_message": problem.map(|problem| &problem.message),
            ":at": Moment(at),
        })?;
    open_only(rows, id)
}

/// Closes what is open on the calendars of an account that is being unlinked: nobody can ask there any more. What is
/// open towards the platform stays.
pub fn abandon(tx: &Transaction<'_>, account: &ConnectionId) -> Result<(), Failure> {
    tx.prepare_cached(
        "UPDATE operations SET state = :state, settled_at = coalesce(attempted_at, intended_at)
         WHERE settled_at IS NULL AND kind NOT IN ('publish_busy', 'make_slots', 'remove_slot', 'move_booking', 'cancel_booking',
                 'propose_move', 'withdraw_proposal')
             AND calendar_id IN
             (SELECT id FROM calendar_sync_status WHERE connection_id = :account)",
    )?
    .execute(named_params! { ":state": Word(EntryState::Abandoned), ":account": account.as_str() })?;
    Ok(())
}

/// Removes what was settled before `since` and is of none of the newest runs, and the oldest of what is too much.
/// What is not settled stays, and so does what a mapping is held by: taking that back is how she lets go of it.
pub fn prune(tx: &Transaction<'_>, since: Timestamp) -> Result<(), Failure> {
    let oldest_kept: Option<i64> = tx
        .prepare_cached(
            "SELECT number FROM runs
             WHERE EXISTS (SELECT 1 FROM operations WHERE operations.run_id = runs.id)
             ORDER BY number DESC LIMIT 1 OFFSET ?1",
        )?
        .query_row([RUNS_KEPT - 1], |row| row.get(0))
        .optional()?;
    if let Some(oldest_kept) = oldest_kept {
        tx.prepare_cached(&format!(
            "DELETE FROM operations WHERE settled_at < ?1 AND {FREE}
                 AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.id = operations.run_id AND runs.number >= ?2)"
        ))?
        .execute(params![Moment(since), oldest_kept])?;
    }
    let last_to_go: Option<i64> = tx
        .prepare_cached(
            "SELECT id FROM operations WHERE settled_at IS NOT NULL ORDER BY id DESC LIMIT 1 OFFSET ?1",
        )?
        .query_row([SETTLED_KEPT], |row| row.get(0))
        .optional()?;
    // Adding up a full journal takes a tenth of a second, and it grows only with runs that write.
    let has_grown: bool = tx
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM operations
                 WHERE run_id = (SELECT id FROM runs ORDER BY number DESC LIMIT 1))",
        )?
        .query_row([], |row| row.get(0))?;
    let too_big = if has_grown { beyond_size(tx)? } else { None };
    tx.prepare_cached(&format!("DELETE FROM operations WHERE id <= ?1 AND {FREE}"))?
        .execute([last_to_go.max(too_big)])?;
    Ok(())
}

/// The newest entry that is too much, if all newer ones are kept.
fn beyond_size(tx: &Transaction<'_>) -> Result<Option<i64>, Failure> {
    Ok(tx
        .prepare_cached(
            "SELECT id FROM (
                 SELECT id, settled_at, sum(length(intent) + coalesce(length(echo), 0)) OVER (ORDER BY id DESC)
                     AS size FROM operations)
             WHERE settled_at IS NOT NULL AND size > ?1 ORDER BY id DESC LIMIT 1",
        )?
        .query_row([CHARACTERS_KEPT], |row| row.get(0))
        .optional()?)
}

/// What can be searched for without opening the intent.
struct Heading<'a> {
    key: &'a str,
    precondition: Option<&'a str>,
}

impl<'a> Heading<'a> {
    fn of(operation: &'a Operation) -> Self {
        match operation {
            Operation::CreateEvent { draft, .. } => Self { key: draft.id.as_str(), precondition: None },
            Operation::UpdateEvent { event, base, .. } | Operation::RemoveEvent { event, base, .. } => {
                Self { key: event.as_str(), precondition: Some(base.as_str()) }
            }
            Operation::MoveBooking { key, .. }
            | Operation::ProposeMove { key, .. }
            | Operation::WithdrawProposal { key, .. }
            | Operation::CancelBooking { key, .. } => Self { key, precondition: None },
            Operation::PublishBusy { set, before } => Self {
                key: set.source.as_str(),
                precondition: before.as_ref().map(|before| before.checksum.as_str()),
            },
            Operation::MakeSlots { slots, .. } => {
                Self { key: slots.first().map_or("", |slot| slot.id.as_str()), precondition: None }
            }
            Operation::RemoveSlot { slot, .. } => Self { key: slot.id.as_str(), precondition: Some("open") },
            Operation::SwitchSlots { open, slots } => Self {
                key: slots.first().map_or("", |slot| slot.id.as_str()),
                precondition: Some(if *open { "closed" } else { "open" }),
            },
            Operation::MakeCalendar { connection, .. } => {
                Self { key: connection.as_str(), precondition: None }
            }
            Operation::RemoveCalendar { calendar, .. } => {
                Self { key: calendar.as_str(), precondition: Some("empty") }
            }
        }
    }
}

fn open_only(rows: usize, id: OperationId) -> Result<(), Failure> {
    if rows == 0 { Err(Failure::Refused(format!("operation {} is not open", id.0))) } else { Ok(()) }
}

fn read(row: &Row<'_>) -> rusqlite::Result<JournalEntry> {
    let moment =
        |name: &str| -> rusqlite::Result<_> { Ok(row.get::<_, Option<Moment>>(name)?.map(|at| at.0)) };
    Ok(JournalEntry {
        id: OperationId(row.get("id")?),
        run: RunId(row.get("run_id")?),
        operation: row.get::<_, Json<_>>("intent")?.0,
        state: row.get::<_, Word<_>>("state")?.0,
        attempts: row.get("attempts")?,
        echo: row.get::<_, Option<Json<_>>>("echo")?.map(|echo| echo.0),
        problem: problem(row, "error_code", "error_message")?,
        intended_at: row.get::<_, Moment>("intended_at")?.0,
        attempted_at: moment("attempted_at")?,
        settled_at: moment("settled_at")?,
    })
}
