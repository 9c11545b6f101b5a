//! The `bookiji-sandbox` command.
fn main() {}
