//! Printing that a closed pipe or a full disk cannot turn into a panic: a run must not
//! die of its display. What a full disk has lost is an error in the end.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Prints `text` as it is.
pub(crate) fn print(text: impl Display) {
    remember(write!(io::stdout(), "{text}"));
}

/// Prints a line.
pub(crate) fn line(text: impl Display) {
    remember(writeln!(io::stdout(), "{text}"));
}

/// Why the standard output took something not.
static LOST: Mutex<Option<io::Error>> = Mutex::new(None);

/// What was printed and got lost: the verb has not given its result.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to the standard output: {0}; what was to be printed is not whole")]
pub(crate) struct Lost(io::Error);

/// Whether all that was printed since [`forget_lost`] has been taken. Who closes a pipe has read enough.
///
/// # Errors
///
/// [`Lost`].
pub(crate) fn finish() -> Result<(), Lost> {
    remember(io::stdout().flush());
    lost().take().map_or(Ok(()), |error| Err(Lost(error)))
}

/// Forgets what got lost until now, which was no result: how something goes.
pub(crate) fn forget_lost() {
    lost().take();
}

/// Remembers why printing failed, for [`finish`].
pub(crate) fn remember(outcome: io::Result<()>) {
    if let Err(error) = outcome
        && error.kind() != ErrorKind::BrokenPipe
    {
        lost().get_or_insert(error);
    }
}

fn lost() -> MutexGuard<'static, Option<io::Error>> {
    LOST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Prints a line about how something goes, beside what it gives.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
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
