//! The store as its callers see it, on a database in a file of its own.

mod journal;
mod readings;
mod rows;
mod scene;
