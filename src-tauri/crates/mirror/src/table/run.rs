//! `runs`: what was done when, as far back as anyone may want to look.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params, params};
use sync::ids::RunId;
use sync::world::RunRecord;

use super::operation;
use crate::column::{Json, Moment, Word};
use crate::failure::Failure;

/// How long a run that wrote something can be looked at, and undone.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How many runs are kept that wrote nothing: at one a minute, a day and a half.
const IDLE_KEPT: u32 = 2_000;
/// The newest of these stay, whatever the clock says.
const NEWEST_KEPT: u32 = 100;

pub fn recent(connection: &Connection, limit: usize) -> Result<Vec<RunRecord>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT id, direction, started_at, ended_at, outcome, undoes, report FROM runs
         ORDER BY number DESC LIMIT ?1",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(statement.query_map([limit], read)?.collect::<Result<_, _>>()?)
}

pub fn put(tx: &Transaction<'_>, run: &RunRecord) -> Result<(), Failure> {
    tx.prepare_cached(
        "INSERT INTO runs (id, direction, started_at, ended_at, outcome, undoes, report)
         VALUES (:id, :direction, :started_at, :ended_at, :outcome, :undoes, :report)
         ON CONFLICT (id) DO UPDATE SET direction = excluded.direction, started_at = excluded.started_at,
             ended_at = excluded.ended_at, outcome = excluded.outcome, undoes = excluded.undoes,
             report = excluded.report",
    )?
    .execute(named_params! {
        ":id": run.id.as_str(),
        ":direction": Word(run.direction),
        ":started_at": Moment(run.started_at),
        ":ended_at": run.ended_at.map(Moment),
        ":outcome": run.outcome.map(Word),
        ":undoes": run.undoes.as_ref().map(RunId::as_str),
        ":report": run.report.as_ref().map(Json),
    })?;
    Ok(())
}

/// Bounds the history. Operations that were never settled stay, and so do their runs.
pub fn prune(tx: &Transaction<'_>, now: Timestamp) -> Result<(), Failure> {
    let since = now.checked_sub(KEPT).unwrap_or(Timestamp::MIN);
    operation::prune(tx, since)?;
    tx.prepare_cached(
        "DELETE FROM runs WHERE coalesce(ended_at, started_at) < ?1
             AND number <= (SELECT max(number) FROM runs) - ?2
             AND NOT EXISTS (SELECT 1 FROM operations WHERE operations.run_id = runs.id)",
    )?
    .execute(params![Moment(since), NEWEST_KEPT])?;
    let last_to_go: Option<i64> = tx
        .prepare_cached(
            "SELECT number FROM runs
             WHERE NOT EXISTS (SELECT 1 FROM operations WHERE operations.run_id = runs.id)
             ORDER BY number DESC LIMIT 1 OFFSET ?1",
        )?
        .query_row([IDLE_KEPT], |row| row.get(0))
        .optional()?;
    tx.prepare_cached(
        "DELETE FROM runs WHERE number <= ?1
             AND NOT EXISTS (SELECT 1 FROM operations WHERE operations.run_id = runs.id)",
    )?
    .execute([last_to_go])?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    Ok(RunRecord {
        id: RunId(row.get("id")?),
        direction: row.get::<_, Word<_>>("direction")?.0,
        started_at: row.get::<_, Moment>("started_at")?.0,
        ended_at: row.get::<_, Option<Moment>>("ended_at")?.map(|at| at.0),
        outcome: row.get::<_, Option<Word<_>>>("outcome")?.map(|outcome| outcome.0),
        undoes: row.get::<_, Option<_>>("undoes")?.map(RunId),
        report: row.get::<_, Option<Json<_>>>("report")?.map(|report| report.0),
    })
}
