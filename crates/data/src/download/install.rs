//! Makes the folder of a dataset from its files: unpacks aside and renames.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::checksum::Sums;
use super::event::{Event, Observer};
use super::{Dataset, DownloadError, RemoteFile, files, space};
use crate::archive::{self, ArchiveError, Limits, Names};

/// The file in a dataset's folder that lists its sources and the names that were replaced.
pub const MANIFEST: &str = "huenet-dataset.json";

/// How many names of an archive's top folder a message lists.
const LISTED: usize = 8;

/// A file of a dataset that has arrived and was checked.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) file: RemoteFile,
    pub(super) path: PathBuf,
    pub(super) sums: Sums,
    /// The address or path where it is from.
    from: String,
    /// Whether it was downloaded and has to be removed after use.
    pub(super) temporary: bool,
}

impl Arrived {
    pub(super) fn downloaded(file: &RemoteFile, path: PathBuf, sums: Sums, from: String) -> Self {
        Self {
            file: *file,
            path,
            sums,
            from,
            temporary: true,
        }
    }

    pub(super) fn here(file: &RemoteFile, path: PathBuf, sums: Sums) -> Self {
        Self {
            file: *file,
            from: path.display().to_string(),
            path,
            sums,
            temporary: false,
        }
    }
}

/// The content of [`MANIFEST`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    dataset: String,
    homepage: String,
    rights: String,
    sources: Vec<SourceFile>,
    pub(super) files: u64,
    pub(super) bytes: u64,
    /// The path in the archive of every file and folder that has another name here.
    pub(super) renamed: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SourceFile {
    name: String,
    from: String,
    bytes: u64,
    sha256: String,
}

/// The unpacking of one dataset.
pub(super) struct Job<'a> {
    pub(super) dataset: &'a Dataset,
    pub(super) target: &'a Path,
    /// Where it is unpacked; on the disk of the target.
    pub(super) aside: PathBuf,
    pub(super) names: Option<Names>,
    pub(super) limits: &'a Limits,
}

impl Job<'_> {
    pub(super) fn run(
        &self,
        arrived: &[Arrived],
        observer: &mut Observer<'_>,
    ) -> Result<Manifest, DownloadError> {
        self.clear()?;
        let outcome = self.unpack(arrived, observer);
        // What is left aside is of no use, because the next try starts from nothing. A folder that
        // cannot be removed now is removed then.
        let _ = self.clear();
        outcome
    }

    fn clear(&self) -> Result<(), DownloadError> {
        match std::fs::remove_dir_all(&self.aside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(DownloadError::write(&self.aside)(error))
            }
            _ => Ok(()),
        }
    }

    fn unpack(
        &self,
        arrived: &[Arrived],
        observer: &mut Observer<'_>,
    ) -> Result<Manifest, DownloadError> {
        std::fs::create_dir_all(&self.aside).map_err(DownloadError::write(&self.aside))?;
        let names = self
            .names
            .unwrap_or_else(|| Names::of_file_system(&self.aside));
        let mut manifest = self.manifest(arrived);
        let mut folder = self.aside.clone();
        for one in arrived.iter().filter(|one| one.file.is_archive()) {
            let what = format!("what {} unpacks to", one.file.name);
            space::check(&self.aside, one.sums.bytes, &what)?;
            let unpacked = archive::unpack(
                &one.path,
                &self.aside,
                self.limits,
                names,
                &mut |progress| {
                    observer(Event::Unpacking {
                        file: one.file.name,
                        files: progress.files,
                        fraction: progress.fraction,
                    });
                },
            )?;
            folder = self.top_folder(one)?;
            manifest.files += unpacked.files;
            manifest.bytes += unpacked.bytes;
            manifest.renamed.extend(unpacked.renamed);
        }
        for one in arrived.iter().filter(|one| !one.file.is_archive()) {
            let place = folder.join(one.file.name);
            std::fs::copy(&one.path, &place).map_err(DownloadError::write(&place))?;
            manifest.files += 1;
            manifest.bytes += one.sums.bytes;
        }
        files::write_json(&folder.join(MANIFEST), &manifest)?;
        flush(&folder).map_err(DownloadError::write(&folder))?;
        self.put_in_place(&folder)?;
        Ok(manifest)
    }

    fn put_in_place(&self, folder: &Path) -> Result<(), DownloadError> {
        if let Some(parent) = self.target.parent() {
            std::fs::create_dir_all(parent).map_err(DownloadError::write(parent))?;
        }
        if self.target.is_dir() {
            // Succeeds only if it is still empty.
            std::fs::remove_dir(self.target).map_err(DownloadError::write(self.target))?;
        }
        std::fs::rename(folder, self.target).map_err(DownloadError::write(self.target))
    }

    /// The folder with the dataset's own folders or images: the top of the archive, or the only folder
    /// there.
    fn top_folder(&self, one: &Arrived) -> Result<PathBuf, DownloadError> {
        if self.dataset.has_top_folder(&self.aside) {
            return Ok(self.aside.clone());
        }
        let read = |error| DownloadError::read(&self.aside)(error);
        let mut folders = Vec::new();
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.aside).map_err(read)? {
            let path = entry.map_err(read)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            found.push(format!("{name}{}", if path.is_dir() { "/" } else { "" }));
            if self.dataset.has_top_folder(&path) {
                folders.push(path);
            }
        }
        if let ([_], Some(folder)) = (folders.as_slice(), folders.first()) {
            return Ok(folder.clone());
        }
        found.sort_unstable();
        let more = found.len().saturating_sub(LISTED);
        found.truncate(LISTED);
        let mut found = match found.is_empty() {
            true => "nothing".to_owned(),
            false => found.join(", "),
        };
        if more > 0 {
            found += &format!(" and {more} more");
        }
        Err(DownloadError::OtherContent {
            archive: one.path.clone(),
            dataset: self.dataset.name,
            expected: self.dataset.expected_content(),
            found,
        })
    }

    fn manifest(&self, arrived: &[Arrived]) -> Manifest {
        let source = |one: &Arrived| SourceFile {
            name: one.file.name.to_owned(),
            from: one.from.clone(),
            bytes: one.sums.bytes,
            sha256: one.sums.sha256.clone(),
        };
        Manifest {
            dataset: self.dataset.name.to_owned(),
            homepage: self.dataset.homepage.to_owned(),
            rights: self.dataset.rights.to_owned(),
            sources: arrived.iter().map(source).collect(),
            files: 0,
            bytes: 0,
            renamed: BTreeMap::new(),
        }
    }
}

impl DownloadError {
    /// Whether the archive itself is bad, so that another copy may be better.
    pub(super) fn blames_archive(&self) -> bool {
        match self {
            Self::Archive(error) => !matches!(
                error,
                ArchiveError::Read { .. } | ArchiveError::Write { .. }
            ),
            Self::OtherContent { .. } => true,
            _ => false,
        }
    }
}

/// Whether a dataset may be put at `path`: nothing is there, or an empty folder.
pub(super) fn is_free(path: &Path) -> bool {
    match std::fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// Syncs what was written to the disk, before the folder gets the name of a complete dataset.
fn flush(folder: &Path) -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::fs::syncfs(std::fs::File::open(folder)?)?;
    #[cfg(not(target_os = "linux"))]
    let _ = folder;
    Ok(())
}
