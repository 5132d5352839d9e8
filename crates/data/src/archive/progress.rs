//! The progress of unpacking, and its result.

/// The result of unpacking an archive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Unpacked {
    /// Files written.
    pub files: u64,
    /// Bytes in those files.
    pub bytes: u64,
    /// The paths in the archive that could not be kept, each with the path it has now; relative,
    /// with slashes, in the order of the archive. Bytes that are no UTF-8 are written `\xE9`.
    pub renamed: Vec<(String, String)>,
}

/// The progress of unpacking.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// Files written.
    pub files: u64,
    /// Bytes in those files.
    pub bytes: u64,
    /// The part of the archive that is done, from 0 to 1.
    pub fraction: f64,
}
