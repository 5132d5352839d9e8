//! From a dataset's name to its folder.

use std::path::{Path, PathBuf};

use super::checksum::{self, Recorded, Sums};
use super::event::{Event, Observer};
use super::http::Client;
use super::install::{self, Arrived, MANIFEST, Manifest};
use super::lock::Lock;
use super::source::{Place, places};
use super::transfer::Transfer;
use super::{Checksum, Dataset, DownloadError, Patience, RemoteFile, Source, files, part};
use crate::archive::{Limits, Names};

/// The folder below the data root for downloads under way.
const WORK: &str = ".downloads";

/// How datasets are downloaded.
#[derive(Debug, Clone, Default)]
pub struct Downloader {
    sources: Vec<Source>,
    keep_archive: bool,
    unverified: bool,
    direct: bool,
    names: Option<Names>,
    limits: Limits,
    patience: Patience,
}

/// A dataset that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Installed {
    /// Its folder.
    pub path: PathBuf,
    /// Whether it was there before.
    pub was_there: bool,
    /// Files that were unpacked, and those that belong beside them.
    pub files: u64,
    /// Bytes in those files.
    pub bytes: u64,
    /// How many files and folders have another name than in the archive.
    pub renamed: usize,
    /// The archive, if it was kept.
    pub archive: Option<PathBuf>,
}

impl Downloader {
    /// A downloader that uses the catalogue's addresses, checks files, and keeps no archive.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes files from `source` instead of the catalogue's addresses. If it is called several times, the
    /// sources are tried in turn.
    pub fn with_source(mut self, source: Source) -> Self {
        self.sources.push(source);
        self
    }

    /// Keeps the archive in `DATAROOT/.downloads` after it is unpacked.
    pub fn keep_archive(mut self, keep: bool) -> Self {
        self.keep_archive = keep;
        self
    }

    /// Accepts files of any size and checksum, and records no checksum. The checksums inside an archive
    /// still have to agree.
    pub fn unverified(mut self, unverified: bool) -> Self {
        self.unverified = unverified;
        self
    }

    /// Uses no proxy, whatever the environment says.
    pub fn without_proxies(mut self) -> Self {
        self.direct = true;
        self
    }

    /// Chooses which names of files are kept; by default those that the data root's file system accepts.
    pub fn with_names(mut self, names: Names) -> Self {
        self.names = Some(names);
        self
    }

    /// Sets how much an archive may unpack to.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how long to wait for servers.
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// Puts `dataset` into its folder below `dataroot`, which is made if it does not exist.
    ///
    /// It reports progress to `observer`, in the calling thread.
    ///
    /// # Errors
    ///
    /// Any [`DownloadError`]. Data that has arrived is kept for the next call, unless it was wrong.
    pub fn install(
        &self,
        dataset: &Dataset,
        dataroot: &Path,
        observer: &mut dyn FnMut(Event<'_>),
    ) -> Result<Installed, DownloadError> {
        let target = dataroot.join(dataset.name);
        if let Some(installed) = self.installed(&target)? {
            return Ok(installed);
        }
        let work = dataroot.join(WORK);
        std::fs::create_dir_all(&work).map_err(DownloadError::write(&work))?;
        let prefix = dataset.file_prefix();
        let _lock = Lock::acquire(&work.join(format!("{prefix}.lock")), observer)?;
        // Another process may have been quicker.
        if let Some(installed) = self.installed(&target)? {
            return Ok(installed);
        }

        let mut recorded = Recorded::open(work.join("checksums.json"))?;
        let mut arrived = Vec::new();
        for file in dataset.files {
            arrived.push(self.fetch(dataset, file, &work, &recorded, observer)?);
        }
        let job = install::Job {
            dataset,
            target: &target,
            aside: work.join(format!("{prefix}.unpacking")),
            names: self.names,
            limits: &self.limits,
        };
        let manifest = match job.run(&arrived, observer) {
            Ok(manifest) => manifest,
            Err(error) => {
                if error.blames_archive() {
                    discard(&arrived)?;
                }
                return Err(error);
            }
        };
        let archive = self.settle(dataset, &arrived, &mut recorded)?;
        Ok(Installed {
            archive,
            ..Installed::new(target, &manifest, false)
        })
    }

    /// The dataset, if an earlier download left it there.
    fn installed(&self, target: &Path) -> Result<Option<Installed>, DownloadError> {
        let manifest: Option<Manifest> = match target.is_dir() {
            true => files::read_json(&target.join(MANIFEST))?,
            false => None,
        };
        let path = target.to_path_buf();
        match manifest {
            Some(manifest) => Ok(Some(Installed::new(path, &manifest, true))),
            None if !install::is_free(target) => Err(DownloadError::Occupied { path }),
            None => match std::fs::read_link(target) {
                Ok(to) => Err(DownloadError::Linked { path, to }),
                // No download left it there.
                Err(_) => Ok(None),
            },
        }
    }

    /// Gets one file and checks it.
    fn fetch(
        &self,
        dataset: &Dataset,
        file: &RemoteFile,
        work: &Path,
        recorded: &Recorded,
        observer: &mut Observer<'_>,
    ) -> Result<Arrived, DownloadError> {
        let check = Check {
            file,
            key: key(dataset, file),
            recorded,
            strict: !self.unverified,
        };
        let target = work.join(format!("{}-{}", dataset.file_prefix(), file.name));
        let places = places(dataset, file, &self.sources);
        if target.is_file() {
            // A complete file, kept or left by a try that stopped later. If it is wrong or from
            // another source, it is downloaded again.
            let origin = part::origin(&target);
            let known = |address: &String| places.contains(&Place::Net(address.clone()));
            if let Some(address) = origin.filter(known) {
                let sums = checksum::of_file(&target, file.name, observer)?;
                if check.run(&sums, &target.display(), observer).is_ok() {
                    return Ok(Arrived::downloaded(file, target, sums, address));
                }
            }
            part::remove(&target)?;
        }
        let client = Client::new(self.patience, !self.direct);
        let transfer = Transfer {
            client: &client,
            patience: self.patience,
            strict: !self.unverified,
        };
        let mut attempts: Vec<(String, String)> = Vec::new();
        let mut mismatch = None;
        for place in &places {
            if let Some((address, fault)) = attempts.last() {
                observer(Event::NextAddress { address, fault });
            }
            match place {
                Place::Here(path) if path.is_file() => {
                    let sums = checksum::of_file(path, file.name, observer)?;
                    match check.run(&sums, &path.display(), observer) {
                        Ok(()) => return Ok(Arrived::here(file, path.clone(), sums)),
                        Err(error) => {
                            attempts.push((path.display().to_string(), error.to_string()));
                            mismatch = Some(error);
                        }
                    }
                }
                Place::Here(path) => {
                    let fault = "there is no such file".to_owned();
                    attempts.push((path.display().to_string(), fault));
                }
                Place::Net(address) => {
                    match self.fetch_from(&transfer, &check, address, &target, observer)? {
                        Ok(sums) => {
                            let address = address.clone();
                            return Ok(Arrived::downloaded(file, target, sums, address));
                        }
                        Err((fault, error)) => {
                            attempts.push((address.clone(), fault));
                            mismatch = error.or(mismatch);
                        }
                    }
                }
            }
        }
        match (mismatch, attempts.len()) {
            (Some(error), 1) => Err(error),
            _ => Err(DownloadError::Unreachable {
                file: file.name.to_owned(),
                attempts,
            }),
        }
    }

    /// Gets one file from one address and checks it. If it arrived in several parts that do not fit
    /// together, it is downloaded once more from the start.
    #[allow(
        clippy::type_complexity,
        reason = "a fault as text, and as an error if it is one"
    )]
    fn fetch_from(
        &self,
        transfer: &Transfer<'_>,
        check: &Check<'_>,
        address: &str,
        target: &Path,
        observer: &mut Observer<'_>,
    ) -> Result<Result<Sums, (String, Option<DownloadError>)>, DownloadError> {
        let mut anew = false;
        loop {
            let mut resumed = false;
            let outcome = transfer.get(check.file, address, target, &mut |event| {
                if let Event::Asking { have, .. } = event {
                    resumed = have > 0;
                }
                observer(event);
            })?;
            if let Err(fault) = outcome {
                return Ok(Err((fault, None)));
            }
            let sums = checksum::of_file(target, check.file.name, observer)?;
            let error = match check.run(&sums, &address, observer) {
                Ok(()) => return Ok(Ok(sums)),
                Err(error) => error,
            };
            part::remove(target)?;
            if anew || !resumed {
                return Ok(Err((error.to_string(), Some(error))));
            }
            anew = true;
            observer(Event::Note {
                text: "what arrived in several parts does not fit together; once more from the \
                       start",
            });
        }
    }

    /// Records the checksums, and removes the files that are no longer needed.
    fn settle(
        &self,
        dataset: &Dataset,
        arrived: &[Arrived],
        recorded: &mut Recorded,
    ) -> Result<Option<PathBuf>, DownloadError> {
        let mut kept = None;
        for one in arrived {
            if !self.unverified && !one.file.is_published() {
                recorded.record(&key(dataset, &one.file), &one.sums)?;
            }
            if !one.temporary {
                continue;
            }
            if self.keep_archive {
                kept = kept.or(Some(one.path.clone()));
            } else {
                part::remove(&one.path)?;
            }
        }
        Ok(kept)
    }
}

/// Removes downloaded files that turned out to be bad, so that they are downloaded again.
fn discard(arrived: &[Arrived]) -> Result<(), DownloadError> {
    arrived
        .iter()
        .filter(|one| one.temporary && one.file.is_archive())
        .try_for_each(|one| part::remove(&one.path))
}

/// The name under which a file's checksum is recorded.
fn key(dataset: &Dataset, file: &RemoteFile) -> String {
    format!("{}/{}", dataset.name, file.name)
}

impl Installed {
    fn new(path: PathBuf, manifest: &Manifest, was_there: bool) -> Self {
        Self {
            path,
            was_there,
            files: manifest.files,
            bytes: manifest.bytes,
            renamed: manifest.renamed.len(),
            archive: None,
        }
    }
}

/// The size and checksum that a file has to have.
struct Check<'a> {
    file: &'a RemoteFile,
    key: String,
    recorded: &'a Recorded,
    strict: bool,
}

impl Check<'_> {
    fn run(
        &self,
        sums: &Sums,
        place: &dyn std::fmt::Display,
        observer: &mut Observer<'_>,
    ) -> Result<(), DownloadError> {
        if !self.strict {
            return Ok(());
        }
        let differs = |what, actual: &dyn ToString, expected: &dyn ToString| {
            Err(DownloadError::Mismatch {
                file: self.file.name.to_owned(),
                place: place.to_string(),
                what,
                actual: actual.to_string(),
                expected: expected.to_string(),
            })
        };
        match self.file.exact_size() {
            Some(size) if size != sums.bytes => {
                return differs("its size in bytes", &sums.bytes, &size);
            }
            _ => {}
        }
        match self.file.checksum {
            Some(Checksum::Sha256(published)) if published != sums.sha256 => {
                return differs("its SHA-256", &sums.sha256, &published);
            }
            Some(Checksum::Sha256(_)) => return Ok(()),
            _ => {}
        }
        match self.recorded.sha256(&self.key) {
            Some(first) if first != sums.sha256 => Err(DownloadError::Changed {
                file: self.file.name.to_owned(),
                place: place.to_string(),
                actual: sums.sha256.clone(),
                expected: first.to_owned(),
                record: self.recorded.path().to_path_buf(),
            }),
            Some(_) => Ok(()),
            None => {
                self.compare_reported(sums, observer);
                Ok(())
            }
        }
    }

    fn compare_reported(&self, sums: &Sums, observer: &mut Observer<'_>) {
        if let Some(Checksum::ReportedMd5(reported)) = self.file.checksum
            && reported != sums.md5
        {
            let text = format!(
                "the MD5 of {} is {}; a third party states {reported}, which nobody has confirmed",
                self.file.name, sums.md5
            );
            observer(Event::Note { text: &text });
        }
    }
}
