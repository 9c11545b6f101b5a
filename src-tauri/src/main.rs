//! The desktop shell.

mod commands;
mod desk;

fn main() {}
