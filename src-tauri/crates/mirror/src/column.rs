//! How the field's values lie in columns: moments as integers, closed sets as words, nested values as JSON.

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::Serialize;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};
use sync::world::SyncProblem;

/// Microseconds since 1970: all of the platform's precision, and a range that holds every moment there is.
pub struct Moment(pub Timestamp);

impl ToSql for Moment {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.as_microsecond()))
    }
}

impl FromSql for Moment {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let microseconds = value.as_i64()?;
        Timestamp::from_microsecond(microseconds)
            .map(Self)
            .map_err(|_| FromSqlError::OutOfRange(microseconds))
    }
}

/// A value that `serde` writes as one word.
pub struct Word<T>(pub T);

impl<T: Serialize> ToSql for Word<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match serde_json::to_value(&self.0) {
            Ok(serde_json::Value::String(word)) => Ok(ToSqlOutput::from(word)),
            Ok(_) | Err(_) => Err(unwritable("a word")),
        }
    }
}

impl<T: DeserializeOwned> FromSql for Word<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word: StrDeserializer<'_, serde::de::value::Error> = value.as_str()?.into_deserializer();
        T::deserialize(word).map(Self).map_err(|error| FromSqlError::Other(Box::new(error)))
    }
}

pub struct Json<T>(pub T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        serde_json::to_string(&self.0).map(ToSqlOutput::from).map_err(|_| unwritable("JSON"))
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        // serde's own words may quote the value, and values are titles and notes.
        serde_json::from_str(value.as_str()?).map(Self).map_err(|error| {
            FromSqlError::Other(format!("JSON of another shape, at its character {}", error.column()).into())
        })
    }
}

/// The problem that a pair of columns holds; both or neither are set.
pub fn problem(row: &Row<'_>, code: &str, message: &str) -> rusqlite::Result<Option<SyncProblem>> {
    let code: Option<Word<_>> = row.get(code)?;
    let message: Option<String> = row.get(message)?;
    Ok(code.zip(message).map(|(code, message)| SyncProblem { code: code.0, message }))
}

fn unwritable(shape: &str) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(format!("a value cannot be written as {shape}").into())
}
