//! Printing that a closed pipe or a full disk cannot turn into a panic: a run must not
//! die of its display.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

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

/// Whether the error stream is a terminal on which lines can be drawn anew. Of one whose kind is
/// `dumb`, or that says nothing of its kind, only lines can be expected.
pub(crate) fn redraws() -> bool {
    let kind = std::env::var_os("TERM");
    let plain = kind.map_or(cfg!(unix), |kind| kind.is_empty() || kind == "dumb");
    !plain && std::io::stderr().is_terminal()
}

/// Whether errors are JSON, for programs.
static JSON_ERRORS: AtomicBool = AtomicBool::new(false);

/// Has errors printed as JSON from now on.
pub(crate) fn errors_as_json() {
    JSON_ERRORS.store(true, Ordering::Relaxed);
}

/// Prints an error's own message, which holds its causes.
pub(crate) fn error(error: impl Display) {
    if JSON_ERRORS.load(Ordering::Relaxed) {
        let message = error.to_string();
        return note(serde_json::json!({ "event": "error", "message": message }));
    }
    note(format_args!("error: {error}"));
}

/// What starts huenet, for commands that hints name: `cargo xtask` says how it was started.
pub(crate) fn huenet() -> String {
    std::env::var("XTASK_HUENET").unwrap_or_else(|_| "huenet".to_owned())
}
