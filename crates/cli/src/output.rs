//! Printing that does not panic when a pipe is closed or a disk is full: a run must not die of
//! its display. If a full disk lost something, the command ends with an error.

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

/// Why something could not be printed to the standard output.
static LOST: Mutex<Option<io::Error>> = Mutex::new(None);

/// Something printed was lost, so the user has not got the whole result.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to the standard output: {0}; the result is incomplete")]
pub(crate) struct Lost(io::Error);

/// Whether everything printed since [`forget_lost`] was written. A reader that closes a pipe has read enough.
///
/// # Errors
///
/// [`Lost`].
pub(crate) fn finish() -> Result<(), Lost> {
    remember(io::stdout().flush());
    lost().take().map_or(Ok(()), |error| Err(Lost(error)))
}

/// Forgets what was lost until now: it was about progress, not the result.
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

/// Prints a line about progress to the error stream, apart from the result.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Whether the error stream is a terminal that can redraw lines. One of the kind `dumb`, or of no
/// known kind, can only print line after line.
pub(crate) fn redraws() -> bool {
    let kind = std::env::var_os("TERM");
    let plain = kind.map_or(cfg!(unix), |kind| kind.is_empty() || kind == "dumb");
    !plain && std::io::stderr().is_terminal()
}

/// Whether errors are JSON, for programs.
static JSON_ERRORS: AtomicBool = AtomicBool::new(false);

/// From now on errors are printed as JSON.
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

/// The command that starts huenet, for hints: `cargo xtask` names the one that the user typed.
pub(crate) fn huenet() -> String {
    std::env::var("XTASK_HUENET").unwrap_or_else(|_| "huenet".to_owned())
}
