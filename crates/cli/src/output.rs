//! Printing that a closed pipe or a full disk cannot turn into a panic: a run must not
//! die of its display.

use std::fmt::Display;
use std::io::Write;

/// Prints `text` as it is.
pub(crate) fn print(text: impl Display) {
    let _ = write!(std::io::stdout(), "{text}");
}

/// Prints a line.
pub(crate) fn line(text: impl Display) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints a line about how something goes, beside what it gives.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints an error's own message, which holds its causes; as JSON for programs.
pub(crate) fn error(error: &anyhow::Error, json: bool) {
    let _ = match json {
        true => {
            let message = error.to_string();
            let event = serde_json::json!({ "event": "error", "message": message });
            writeln!(std::io::stderr(), "{event}")
        }
        false => writeln!(std::io::stderr(), "error: {error}"),
    };
}
