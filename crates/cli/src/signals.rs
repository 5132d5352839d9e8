//! Handles Ctrl-C, the request to end (SIGTERM) and a closed terminal (SIGHUP). What the first signal
//! does depends on what the process is doing; a second one ends it at once.

#[cfg(unix)]
use std::io::IsTerminal;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, Ordering};

use crate::output;

/// What a shell adds to a signal's number in the exit code of a command it ended.
const SIGNALLED: i32 = 128;

/// The number of Ctrl-C's signal, as it is on Unix.
const INTERRUPT: i32 = 2;

/// The number of the signal that a terminal is gone.
const HANGUP: i32 = 1;

/// The first signal that came; 0 for none.
static RECEIVED: AtomicI32 = AtomicI32::new(0);

/// Whether this is one of several processes that train together.
static TOGETHER: AtomicBool = AtomicBool::new(false);

static ACTIVITY: AtomicU8 = AtomicU8::new(Activity::Other as u8);

/// What the process is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Activity {
    /// Nothing that needs tidying up.
    Other,
    /// What has arrived is on the disk already.
    Downloading,
    /// The step under way has to be finished, and a checkpoint saved.
    Training,
    /// All is saved; held-out images are being measured.
    Evaluating,
    /// Another process, which is training, has to know: it saves, and says so.
    Following,
}

/// Lets SIGUSR1, too, ask the process to end. It is one of several that train together, whose launcher passes only that
/// signal on. Before anything is being done.
pub(crate) fn together() {
    TOGETHER.store(true, Ordering::SeqCst);
}

/// Records what the process is doing from now on, and watches for signals.
///
/// A handler that cannot be set leaves signals as they are.
pub(crate) fn doing(activity: Activity) {
    static WATCHED: Once = Once::new();
    ACTIVITY.store(activity as u8, Ordering::SeqCst);
    WATCHED.call_once(watch);
}

/// The exit code for the signal that asks the process to end, if one came.
pub(crate) fn exit_code() -> Option<u8> {
    match RECEIVED.load(Ordering::SeqCst) {
        0 => None,
        signal => u8::try_from(SIGNALLED + signal).ok(),
    }
}

#[cfg(unix)]
fn watch() {
    use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
    use signal_hook::iterator::Signals;

    let hangup = (!ignores_hangup()).then_some(HANGUP);
    // `mpirun` passes this one on and waits, which it does with no other.
    let user = TOGETHER.load(Ordering::SeqCst).then_some(SIGUSR1);
    let watched = [SIGINT, SIGTERM].into_iter().chain(hangup).chain(user);
    if let Ok(mut signals) = Signals::new(watched) {
        let thread = std::thread::Builder::new().name("huenet-signals".to_owned());
        let _ = thread.spawn(move || signals.forever().for_each(received));
    }
}

/// Whether the process was started so that it outlives its terminal, by `nohup` for example. Where the
/// system does not tell, this is assumed of a process without a terminal.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    match ignored {
        Some(mask) => mask >> (HANGUP - 1) & 1 == 1,
        None => !std::io::stdin().is_terminal() && !std::io::stderr().is_terminal(),
    }
}

#[cfg(not(unix))]
fn watch() {
    let _ = ctrlc::set_handler(|| received(INTERRUPT));
}

fn received(signal: i32) {
    // The system may send this signal more than once for one closed terminal.
    if signal == HANGUP && RECEIVED.load(Ordering::SeqCst) != 0 {
        return;
    }
    let first = RECEIVED.swap(signal, Ordering::SeqCst) == 0;
    let activity = ACTIVITY.load(Ordering::SeqCst);
    let is = |other: Activity| activity == other as u8;
    if is(Activity::Following) && first {
        return;
    }
    if is(Activity::Training) && first {
        let again = if signal == INTERRUPT {
            "press Ctrl-C again to leave at once"
        } else {
            "a second signal ends it at once"
        };
        output::note(format_args!(
            "\nstopping after this step and saving a checkpoint; {again}"
        ));
        return;
    }
    if is(Activity::Downloading) {
        output::note(
            "\ninterrupted: give the same command again to continue; what has arrived is kept",
        );
    }
    if is(Activity::Evaluating) {
        output::note(
            "\ninterrupted: training is finished and saved; use --resume to evaluate it again",
        );
    }
    std::process::exit(SIGNALLED + signal);
}
