//! `.tar.gz`: one pass over the stream.

use std::cell::Cell;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType};

use super::error::{Fault, Refusal};
use super::metered::{Counted, Metered};
use super::tree::Tree;

/// The most bytes that lie between the content of one file and that of the next: padding, a
/// header, and the extended headers that hold long names and attributes. The reader keeps them.
const HEADERS: u64 = 128 << 10;
/// The most bytes after the last file: some programs fill a whole unit of a tape.
const PADDING: u64 = 1 << 20;
/// A file's content is followed by padding to a full block.
const BLOCK: u64 = 512;

pub(super) fn unpack(file: impl Read, length: u64, tree: &mut Tree<'_>) -> Result<(), Fault> {
    let (file, read) = Counted::new(file);
    let fraction = |read: &Cell<u64>| read.get() as f64 / length.max(1) as f64;
    let (stream, allowance) = Metered::new(MultiGzDecoder::new(file));
    let mut archive = Archive::new(stream);
    let mut entries = archive
        .entries()
        .map_err(|error| Fault::reading("", error))?;
    let mut last = String::new();
    loop {
        allowance.set(HEADERS);
        let Some(entry) = entries.next() else { break };
        let mut entry = entry.map_err(|error| Fault::reading(&last, error))?;
        let raw = entry.path_bytes().into_owned();
        let path = String::from_utf8_lossy(&raw).into_owned();
        let refuse = |reason| Fault::Refused(path.clone(), reason);
        let target = || {
            let name = entry.link_name_bytes().unwrap_or_default();
            String::from_utf8_lossy(&name).into_owned()
        };
        match entry.header().entry_type() {
            EntryType::Directory => tree.folder(&raw)?,
            EntryType::Regular | EntryType::Continuous => {
                let size = entry.size();
                allowance.set(size.saturating_add(BLOCK));
                tree.file(&raw, size, &mut entry)?;
                tree.report(fraction(&read));
            }
            // Comments on the archive as a whole, as `git archive` writes them.
            EntryType::XGlobalHeader => {}
            EntryType::Symlink => return Err(refuse(Refusal::SymbolicLink { to: target() })),
            EntryType::Link => return Err(refuse(Refusal::HardLink { to: target() })),
            EntryType::Char | EntryType::Block | EntryType::Fifo => {
                return Err(refuse(Refusal::SpecialFile));
            }
            other => {
                let what = format!("a tar entry of type {:?}", char::from(other.as_byte()));
                return Err(refuse(Refusal::Unsupported { what }));
            }
        }
        last = path;
    }
    // The rest is padding. Reading it checks the checksum at its end.
    allowance.set(PADDING);
    std::io::copy(&mut archive.into_inner(), &mut std::io::sink())
        .map_err(|error| Fault::reading("", error))?;
    Ok(())
}
