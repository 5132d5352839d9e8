use std::time::Duration;

/// Progress of a download. The library prints nothing.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Another process downloads the same dataset; this one waits until it is done.
    Waiting {
        /// The other process, if it is known.
        holder: &'a str,
    },
    /// A file is about to be requested.
    Asking {
        /// The file.
        file: &'a str,
        /// The address.
        address: &'a str,
        /// Bytes that an earlier try left.
        have: u64,
    },
    /// Bytes have arrived. This event is frequent.
    Received {
        /// Bytes that have arrived in all.
        done: u64,
        /// Bytes of the whole file, if the server said.
        total: Option<u64>,
    },
    /// A passing fault: the same address will be tried again.
    Retrying {
        /// What happened.
        fault: &'a str,
        /// The time until then.
        wait: Duration,
        /// The number of the next try in a row, and of the last one.
        attempt: (u32, u32),
    },
    /// A lasting fault: the next address will be tried.
    NextAddress {
        /// The address that failed.
        address: &'a str,
        /// What happened.
        fault: &'a str,
    },
    /// A file is being read for its checksum. This event is frequent.
    Verifying {
        /// The file.
        file: &'a str,
        /// Bytes read.
        done: u64,
        /// Bytes of the whole file.
        total: u64,
    },
    /// An archive is being unpacked. This event is frequent.
    Unpacking {
        /// The archive.
        file: &'a str,
        /// Files written.
        files: u64,
        /// The part of the archive that is done, from 0 to 1.
        fraction: f64,
    },
    /// A note for the user that is not a fault.
    Note {
        /// The text.
        text: &'a str,
    },
}

/// The function that gets the events.
pub(super) type Observer<'a> = dyn FnMut(Event<'_>) + 'a;
