//! Unpacks archives that are not trusted.
//!
//! [`unpack`] writes the files of a `.tar.gz` or `.zip` below a folder, and nothing anywhere else. It
//! refuses absolute paths, `..`, links of either kind, devices, pipes and encrypted entries, and names
//! them. It refuses an archive that grows past its [`Limits`] before the bytes are written, and paths
//! that would take too much memory. The first bytes of an archive tell its format.
//!
//! Names that a file system cannot hold (the CycleGAN photographs have colons in theirs) are
//! replaced as [`Names`] says. In a name that is not UTF-8, each `%` becomes `%25`, and each byte that is
//! not UTF-8 becomes `%E9` or the like. Every replacement is reported in [`Unpacked::renamed`].
//!
//! After a fault the files unpacked so far stay. So unpack into a new folder and rename it when it is
//! complete, as [`download`](crate::download) does.

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
