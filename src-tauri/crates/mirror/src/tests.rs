//! The store as its callers see it, in memory and on files of its own, whole and interrupted.

mod damage;
mod decided;
mod faults;
mod journal;
mod killed;
mod lease;
mod opening;
mod readings;
mod rows;
mod scene;
