/// The most that an archive may unpack to. Archives can be made to fill a disk; these limits prevent it.
///
/// The defaults leave every published dataset of the catalogue room to spare (the largest,
/// edges2handbags, has 137 thousand images in 8 GB; archives of JPEG files unpack to about their
/// own size).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Files and folders. Folders that only occur in the path of a file count too.
    pub files: u64,
    /// Bytes in all files together.
    pub bytes: u64,
    /// Bytes in all files together, as a multiple of the archive's own bytes.
    pub ratio: u64,
    /// Bytes that are accepted whatever the ratio: a small archive of text or of flat drawings
    /// may unpack to many times its size and does no harm.
    pub ratio_from: u64,
}

impl Default for Limits {
    /// A million files, 64 GiB, 20 times the archive once past 64 MiB.
    fn default() -> Self {
        Self {
            files: 1_000_000,
            bytes: 64 << 30,
            ratio: 20,
            ratio_from: 64 << 20,
        }
    }
}
