//! Where unpacked files go: every check on a path, a size or a count is here.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use super::error::{Fault, Refusal};
use super::names::{Namer, Names};
use super::{Limits, Progress, Unpacked};

/// The most folders a path may have.
const DEPTH: usize = 16;

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
            unpacked: Unpacked::default(),
            buffer: vec![0; super::BUFFER],
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

    pub(super) fn folder(&mut self, path: &str) -> Result<(), Fault> {
        self.count(path)?;
        let parts = parts(path)?;
        self.make_folders(&parts).map(drop)
    }

    /// Writes a file of `size` bytes that `content` must give, no more and no fewer.
    pub(super) fn file(
        &mut self,
        path: &str,
        size: u64,
        content: &mut dyn Read,
    ) -> Result<(), Fault> {
        self.count(path)?;
        self.check_size(path, size)?;
        let parts = parts(path)?;
        let Some((name, folders)) = parts.split_last() else {
            return Err(Fault::Refused(path.to_owned(), Refusal::NoName));
        };
        let folder = self.make_folders(folders)?;
        let place = self.place(&folder, &parts, name);
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
                let reason = format!("it holds more than the {size} bytes it says");
                Fault::Damaged(path.to_owned(), reason)
            })?;
            file.write_all(&self.buffer[..count])
                .map_err(|error| Fault::Write(target.to_path_buf(), error))?;
        }
        match left {
            0 => Ok(()),
            left => Err(Fault::Damaged(
                path.to_owned(),
                format!("it ends {left} bytes before its {size} are full"),
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
    fn make_folders(&mut self, parts: &[&str]) -> Result<String, Fault> {
        let mut folder = String::new();
        for depth in 1..=parts.len() {
            let original = parts[..depth].join("/");
            folder = match self.folders.get(&original) {
                Some(known) => known.clone(),
                None => {
                    let place = self.place(&folder, &parts[..depth], parts[depth - 1]);
                    let target = self.root.join(&place);
                    match std::fs::create_dir(&target) {
                        Ok(()) => {}
                        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                            return Err(Fault::Refused(original, Refusal::Duplicate));
                        }
                        Err(error) => return Err(Fault::Write(target, error)),
                    }
                    self.folders.insert(original, place.clone());
                    place
                }
            };
        }
        Ok(folder)
    }

    /// The path below the root of an entry called `name` in `folder`; recorded if it is not its
    /// path in the archive, which `parts` has.
    fn place(&mut self, folder: &str, parts: &[&str], name: &str) -> String {
        let name = self.namer.name(folder, name);
        let place = match folder {
            "" => name,
            folder => format!("{folder}/{name}"),
        };
        let original = parts.join("/");
        if place != original {
            self.unpacked.renamed.push((original, place.clone()));
        }
        place
    }
}

/// The names that make up a path, which must lead down and nowhere else.
///
/// Backslashes separate too, as they do on Windows: `..\` leads out there.
fn parts(path: &str) -> Result<Vec<&str>, Fault> {
    let refuse = |reason| Err(Fault::Refused(path.to_owned(), reason));
    let bytes = path.as_bytes();
    let drive = bytes.len() >= 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':';
    if drive || path.starts_with(['/', '\\']) {
        return refuse(Refusal::AbsolutePath);
    }
    if path.split(['/', '\\']).any(|part| part == "..") {
        return refuse(Refusal::ParentFolder);
    }
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    if path.contains('\0') {
        return refuse(Refusal::NoName);
    }
    if parts.len() > DEPTH {
        return refuse(Refusal::TooDeep { max: DEPTH });
    }
    Ok(parts)
}
