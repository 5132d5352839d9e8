//! Unpacking archives that nobody vouches for.
//!
//! [`unpack`] writes the files of a `.tar.gz` or `.zip` below a folder, and nothing anywhere else:
//! absolute paths, `..`, links of either kind, devices, pipes and encrypted entries are refused by
//! name, and an archive that grows past its [`Limits`] is refused before the bytes are written.
//! So are paths that would take too much memory. What format an archive has is told by its first
//! bytes.
//!
//! Names that a file system cannot hold (the CycleGAN photographs have colons in theirs) are
//! replaced as [`Names`] says; in names that are no UTF-8, `%` and the bytes that are none become
//! `%25`, `%E9` and the like. Every replacement is reported in [`Unpacked::renamed`].
//!
//! A fault leaves what was unpacked so far where it is: unpack into a folder of its own and rename
//! it when it is whole, as [`download`](crate::download) does.

mod error;
mod limits;
mod metered;
mod names;
mod progress;
mod tar_gz;
mod tree;
mod zip_file;

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

pub use error::{ArchiveError, Refusal};
pub use limits::Limits;
pub use names::Names;
pub use progress::{Progress, Unpacked};

use error::Fault;
use metered::BUFFER;
use tree::Tree;

/// Writes the files of `archive` below `into`, which is made if need be and should be empty.
///
/// `progress` is called after each file.
///
/// # Errors
///
/// [`ArchiveError::Refused`] names the entry that must not be unpacked and why;
/// [`ArchiveError::Damaged`] an archive that is cut short or whose checksums do not agree;
/// [`ArchiveError::Format`] a file that is neither; [`ArchiveError::Read`] and
/// [`ArchiveError::Write`] what the operating system says.
pub fn unpack(
    archive: &Path,
    into: &Path,
    limits: &Limits,
    names: Names,
    progress: &mut dyn FnMut(Progress),
) -> Result<Unpacked, ArchiveError> {
    let read = |source| ArchiveError::Read {
        archive: archive.to_path_buf(),
        source,
    };
    let mut file = File::open(archive).map_err(read)?;
    let length = file.metadata().map_err(read)?.len();
    let mut magic = Vec::new();
    file.by_ref()
        .take(4)
        .read_to_end(&mut magic)
        .map_err(read)?;
    file.seek(SeekFrom::Start(0)).map_err(read)?;

    std::fs::create_dir_all(into).map_err(|source| ArchiveError::Write {
        path: into.to_path_buf(),
        source,
    })?;
    let mut tree = Tree::new(into, limits, length, names, progress);
    let file = BufReader::with_capacity(BUFFER, file);
    let outcome = match magic.as_slice() {
        [0x1F, 0x8B, ..] => tar_gz::unpack(file, length, &mut tree),
        b"PK\x03\x04" | b"PK\x05\x06" => zip_file::unpack(file, &mut tree),
        _ => Err(Fault::Format),
    };
    match outcome {
        Ok(()) => Ok(tree.finish()),
        Err(fault) => Err(fault.in_archive(archive)),
    }
}
