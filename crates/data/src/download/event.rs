use std::time::Duration;

/// What a download tells while it goes on. The library prints nothing.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Another process downloads the same dataset; this one waits until it is done.
    Waiting {
        /// Who that is, if it is known.
        holder: &'a str,
    },
    /// The first byte of a file is about to be asked for.
    Asking {
        /// The file.
        file: &'a str,
        /// The address.
        address: &'a str,
        /// Bytes that are there from an earlier try.
        have: u64,
    },
    /// Bytes have arrived. Told often.
    Received {
        /// Bytes that are there.
        done: u64,
        /// Bytes of the whole file, if the server said.
        total: Option<u64>,
    },
    /// A passing fault: the same address is asked again.
    Retrying {
        /// What happened.
        fault: &'a str,
        /// When it is asked again.
        wait: Duration,
        /// Which try in a row that will be, and the last one there is.
        attempt: (u32, u32),
    },
    /// A lasting fault, with another address left to ask.
    NextAddress {
        /// The address that does not do.
        address: &'a str,
        /// What happened.
        fault: &'a str,
    },
    /// A file is being read for its checksum. Told often.
    Verifying {
        /// The file.
        file: &'a str,
        /// Bytes read.
        done: u64,
        /// Bytes of the whole file.
        total: u64,
    },
    /// An archive is being unpacked. Told often.
    Unpacking {
        /// The archive.
        file: &'a str,
        /// Files written.
        files: u64,
        /// The part of the archive that is done, from 0 to 1.
        fraction: f64,
    },
    /// Something that the user should know, and that is no fault.
    Note {
        /// The text.
        text: &'a str,
    },
}

/// Who is told.
pub(super) type Observer<'a> = dyn FnMut(Event<'_>) + 'a;
