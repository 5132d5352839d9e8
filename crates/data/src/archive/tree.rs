//! Where unpacked files go: every check on a path, a size or a count is here.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use super::error::{Fault, Refusal};
use super::limits::Limits;
use super::metered::BUFFER;
use super::names::{Namer, Names};
use super::progress::{Progress, Unpacked};

/// The most names a path may have: those of its folders, and its own.
const DEPTH: usize = 16;
/// The most bytes a path may have, as on common systems.
const LONGEST: usize = 4096;
/// How much of a longer path a message shows, in bytes.
const SHOWN: usize = 200;
/// The most bytes that all paths together may have: room for a million files with long paths. Some
/// paths are kept in memory several times.
const PATHS: u64 = 128 << 20;

/// The folder that is being filled.
pub(super) struct Tree<'a> {
    root: PathBuf,
    limits: &'a Limits,
    archive_bytes: u64,
    progress: &'a mut dyn FnMut(Progress),
    namer: Namer,
    /// Folders by their path in the archive, with their path below the root. The root is "".
    folders: HashMap<String, String>,
    entries: u64,
    /// How many more bytes paths may have.
    paths_left: u64,
    unpacked: Unpacked,
    buffer: Vec<u8>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(
        root: &Path,
        limits: &'a Limits,
        archive_bytes: u64,
        names: Names,
        progress: &'a mut dyn FnMut(Progress),
    ) -> Self {
        Self {
            root: root.to_path_buf(),
            limits,
            archive_bytes,
            progress,
            namer: Namer::new(names),
            folders: HashMap::from([(String::new(), String::new())]),
            entries: 0,
            paths_left: PATHS,
            unpacked: Unpacked::default(),
            buffer: vec![0; BUFFER],
        }
    }

    pub(super) fn finish(self) -> Unpacked {
        self.unpacked
    }

    pub(super) fn report(&mut self, fraction: f64) {
        (self.progress)(Progress {
            files: self.unpacked.files,
            bytes: self.unpacked.bytes,
            fraction: fraction.clamp(0.0, 1.0),
        });
    }

    /// Refuses an archive that says how many entries it has, if they are too many.
    pub(super) fn check_count(&self, count: u64) -> Result<(), Fault> {
        let max = self.limits.files;
        match count > max {
            true => Err(Fault::Refused(String::new(), Refusal::TooManyFiles { max })),
            false => Ok(()),
        }
    }

    pub(super) fn folder(&mut self, path: &[u8]) -> Result<(), Fault> {
        let parts = parts(path)?;
        let before = self.entries;
        self.make_folders(&parts)?;
        // An entry for a folder that is there already counts, too.
        match self.entries == before {
            true => self.count(&String::from_utf8_lossy(path)),
            false => Ok(()),
        }
    }

    /// Writes a file of `size` bytes that `content` must give, no more and no fewer.
    pub(super) fn file(
        &mut self,
        path: &[u8],
        size: u64,
        content: &mut dyn Read,
    ) -> Result<(), Fault> {
        let parts = parts(path)?;
        let path = &*String::from_utf8_lossy(path);
        self.count(path)?;
        self.check_size(path, size)?;
        let Some((part, folders)) = parts.split_last() else {
            return Err(Fault::Refused(path.to_owned(), Refusal::NoName));
        };
        let folder = self.make_folders(folders)?;
        let originals: Vec<&str> = parts.iter().map(|part| &*part.original).collect();
        let place = self.place(&folder, &part.name, &originals.join("/"))?;
        let target = self.root.join(&place);
        let file = match OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&target)
        {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(Fault::Refused(path.to_owned(), Refusal::Duplicate));
            }
            Err(error) => return Err(Fault::Write(target, error)),
        };
        self.copy(path, size, content, file, &target)?;
        self.unpacked.files += 1;
        self.unpacked.bytes += size;
        Ok(())
    }

    fn copy(
        &mut self,
        path: &str,
        size: u64,
        content: &mut dyn Read,
        mut file: File,
        target: &Path,
    ) -> Result<(), Fault> {
        let mut left = size;
        loop {
            let count = match content.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(Fault::reading(path, error)),
            };
            left = left.checked_sub(count as u64).ok_or_else(|| {
                let reason = format!("it holds more than the {size} bytes that it states");
                Fault::Damaged(path.to_owned(), reason)
            })?;
            file.write_all(&self.buffer[..count])
                .map_err(|error| Fault::Write(target.to_path_buf(), error))?;
        }
        match left {
            0 => Ok(()),
            left => Err(Fault::Damaged(
                path.to_owned(),
                format!("it ends {left} bytes before the {size} that it states"),
            )),
        }
    }

    fn count(&mut self, path: &str) -> Result<(), Fault> {
        self.entries += 1;
        let max = self.limits.files;
        match self.entries > max {
            true => Err(Fault::Refused(
                path.to_owned(),
                Refusal::TooManyFiles { max },
            )),
            false => Ok(()),
        }
    }

    /// Refuses what would be too much, before any of it is written.
    fn check_size(&self, path: &str, size: u64) -> Result<(), Fault> {
        let Limits {
            bytes: max,
            ratio,
            ratio_from,
            ..
        } = *self.limits;
        let bytes = self.unpacked.bytes.saturating_add(size);
        let reason = if bytes > max {
            Refusal::TooLarge { max }
        } else if bytes > ratio_from.max(self.archive_bytes.saturating_mul(ratio)) {
            Refusal::TooDense {
                bytes,
                archive: self.archive_bytes,
                max: ratio,
            }
        } else {
            return Ok(());
        };
        Err(Fault::Refused(path.to_owned(), reason))
    }

    /// Makes the folders of a path; returns where they are below the root.
    fn make_folders(&mut self, parts: &[Part<'_>]) -> Result<String, Fault> {
        let (mut original, mut folder) = (String::new(), String::new());
        for part in parts {
            original = joined(&original, &part.original);
            folder = match self.folders.get(&original) {
                Some(known) => known.clone(),
                None => {
                    self.count(&original)?;
                    let place = self.place(&folder, &part.name, &original)?;
                    let target = self.root.join(&place);
                    match std::fs::create_dir(&target) {
                        Ok(()) => {}
                        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                            return Err(Fault::Refused(original, Refusal::Duplicate));
                        }
                        Err(error) => return Err(Fault::Write(target, error)),
                    }
                    self.folders.insert(original.clone(), place.clone());
                    place
                }
            };
        }
        Ok(folder)
    }

    /// The path below the root of an entry called `name` in `folder`; recorded if it is not
    /// `original`, its path in the archive.
    fn place(&mut self, folder: &str, name: &str, original: &str) -> Result<String, Fault> {
        // Counted whether it is kept or not, so that the limit is the same for all file systems.
        let left = self.paths_left.checked_sub(original.len() as u64);
        self.paths_left = left.ok_or_else(|| {
            Fault::Refused(original.to_owned(), Refusal::PathsTooLong { max: PATHS })
        })?;
        let place = joined(folder, &self.namer.name(folder, name));
        if place != original {
            let renamed = (original.to_owned(), place.clone());
            self.unpacked.renamed.push(renamed);
        }
        Ok(place)
    }
}

fn joined(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}

/// One of the names that make up a path.
struct Part<'a> {
    /// The name in UTF-8.
    name: Cow<'a, str>,
    /// The name as it is reported.
    original: Cow<'a, str>,
}

impl<'a> Part<'a> {
    /// Bytes that are not UTF-8 are replaced, and so is `%`, so that different names stay different.
    fn new(bytes: &'a [u8]) -> Self {
        if let Ok(name) = str::from_utf8(bytes) {
            let (name, original) = (name.into(), name.into());
            return Self { name, original };
        }
        let (mut name, mut original) = (String::new(), String::new());
        for chunk in bytes.utf8_chunks() {
            name += &chunk.valid().replace('%', "%25");
            original += chunk.valid();
            for byte in chunk.invalid() {
                name += &format!("%{byte:02X}");
                original += &format!("\\x{byte:02X}");
            }
        }
        let (name, original) = (name.into(), original.into());
        Self { name, original }
    }
}

/// The names that make up a path, which must lead down and nowhere else.
///
/// Backslashes separate names too, as they do on Windows, where `..\` would lead out.
fn parts(path: &[u8]) -> Result<Vec<Part<'_>>, Fault> {
    let refuse = |reason| {
        let shown = path.get(..SHOWN).filter(|_| path.len() > LONGEST);
        let shown = String::from_utf8_lossy(shown.unwrap_or(path));
        Err(Fault::Refused(shown.into_owned(), reason))
    };
    if path.len() > LONGEST {
        let (bytes, max) = (path.len(), LONGEST);
        return refuse(Refusal::PathTooLong { bytes, max });
    }
    let drive = matches!(path, [letter, b':', ..] if letter.is_ascii_alphabetic());
    if drive || matches!(path, [b'/' | b'\\', ..]) {
        return refuse(Refusal::AbsolutePath);
    }
    if path
        .split(|byte| matches!(byte, b'/' | b'\\'))
        .any(|part| part == b"..")
    {
        return refuse(Refusal::ParentFolder);
    }
    let parts: Vec<Part<'_>> = path
        .split(|byte| *byte == b'/')
        .filter(|part| !part.is_empty() && *part != b".")
        .map(Part::new)
        .collect();
    if path.contains(&0) {
        return refuse(Refusal::NoName);
    }
    if parts.len() > DEPTH {
        return refuse(Refusal::TooDeep { max: DEPTH });
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_paths_together_are_bounded() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let limits = Limits::default();
        let mut progress = |_| {};
        let mut tree = Tree::new(folder.path(), &limits, 0, Names::Portable, &mut progress);
        // Each folder's path counts: "1", "1/2", "1/2/3".
        tree.paths_left = 9;
        tree.file(b"1/2/3", 0, &mut &b""[..]).expect("nine bytes");
        assert_eq!(tree.paths_left, 0);
        let fault = tree.file(b"4", 0, &mut &b""[..]).expect_err("ten bytes");
        let expected = Refusal::PathsTooLong { max: PATHS };
        let Fault::Refused(entry, reason) = fault else {
            panic!("{fault:?}")
        };
        assert_eq!((entry.as_str(), reason), ("4", expected));
        assert!(!folder.path().join("4").exists());
    }
}
