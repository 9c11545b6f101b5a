//! The local SQLite: rows, journal, cursors.
