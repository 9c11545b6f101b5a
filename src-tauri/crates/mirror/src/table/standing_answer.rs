//! `standing_answers`: how she wants every question of a kind answered.

use std::collections::BTreeMap;

use rusqlite::Connection;
use rusqlite::{Transaction, named_params};
use sync::decide::Question;
use sync::world::Choice;

use crate::column::Word;
use crate::failure::Failure;

pub fn all(connection: &Connection) -> Result<BTreeMap<Question, Choice>, Failure> {
    let mut statement = connection.prepare_cached("SELECT question, choice FROM standing_answers")?;
    let rows =
        statement.query_map([], |row| Ok((row.get::<_, Word<_>>(0)?.0, row.get::<_, Word<_>>(1)?.0)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub fn set(tx: &Transaction<'_>, question: Question, choice: Option<Choice>) -> Result<(), Failure> {
    match choice {
        Some(choice) => tx
            .prepare_cached(
                "INSERT INTO standing_answers (question, choice) VALUES (:question, :choice)
                 ON CONFLICT (question) DO UPDATE SET choice = excluded.choice",
            )?
            .execute(named_params! { ":question": Word(question), ":choice": Word(choice) })?,
        None => tx
            .prepare_cached("DELETE FROM standing_answers WHERE question = ?1")?
            .execute([Word(question)])?,
    };
    Ok(())
}
