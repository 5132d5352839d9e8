//! The huenet command.
fn main() {}
