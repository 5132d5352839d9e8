//! Ctrl-C, the request to end (SIGTERM) and a terminal that is closed (SIGHUP): what a first one does
//! depends on what goes on, a second one leaves at once.

#[cfg(unix)]
use std::io::IsTerminal;
use std::sync::Once;
use std::sync::atomic::{AtomicI32, AtomicU8, Ordering};

use crate::output;

/// What a shell adds to a signal's number in the exit code of a command it ended.
const SIGNALLED: i32 = 128;

/// The number of Ctrl-C's signal, as it is on Unix.
const INTERRUPT: i32 = 2;

/// The number of the signal that a terminal is gone.
const HANGUP: i32 = 1;

/// The first signal that came; 0 for none.
static RECEIVED: AtomicI32 = AtomicI32::new(0);

static ACTIVITY: AtomicU8 = AtomicU8::new(Activity::Other as u8);

/// What the process is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Activity {
    /// Nothing that needs tidying up.
    Other,
    /// What has arrived is on the disk already.
    Downloading,
    /// The step under way has to be finished, and a checkpoint saved.
    Training,
    /// All is saved; held-out images are being looked at.
    Evaluating,
}

/// Says what the process is about from now on, and watches for signals.
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
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let hangup = (!ignores_hangup()).then_some(HANGUP);
    let watched = [SIGINT, SIGTERM].into_iter().chain(hangup);
    if let Ok(mut signals) = Signals::new(watched) {
        let thread = std::thread::Builder::new().name("huenet-signals".to_owned());
        let _ = thread.spawn(move || signals.forever().for_each(received));
    }
}

/// Whether the process was started so that it outlives its terminal, by `nohup` say. Where the system
/// does not tell, one that has no terminal is taken for such.
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
    // The system tells of one closed terminal more than once.
    if signal == HANGUP && RECEIVED.load(Ordering::SeqCst) != 0 {
        return;
    }
    let first = RECEIVED.swap(signal, Ordering::SeqCst) == 0;
    let activity = ACTIVITY.load(Ordering::SeqCst);
    let is = |other: Activity| activity == other as u8;
    if is(Activity::Training) && first {
        let again = if signal == INTERRUPT {
            "Ctrl-C once more leaves at once"
        } else {
            "another signal leaves at once"
        };
        output::note(format_args!(
            "\nstopping: the step under way is finished and a checkpoint saved; {again}"
        ));
        return;
    }
    if is(Activity::Downloading) {
        output::note(
            "\ninterrupted: what has arrived is kept, and the same command goes on from there",
        );
    }
    if is(Activity::Evaluating) {
        output::note("\ninterrupted: training was done and is saved; --resume evaluates it again");
    }
    std::process::exit(SIGNALLED + signal);
}
