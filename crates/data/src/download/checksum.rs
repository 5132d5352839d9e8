//! Checksums: computes them, compares them with published ones, and records them if none are published.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use md5::Md5;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::DownloadError;
use super::event::{Event, Observer};
use super::files;
use super::lock::Lock;

/// The size and checksums of an existing file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) bytes: u64,
    pub(super) sha256: String,
    pub(super) md5: String,
}

/// Reads a whole file.
pub(super) fn of_file(
    path: &Path,
    name: &str,
    observer: &mut Observer<'_>,
) -> Result<Sums, DownloadError> {
    let read = || DownloadError::read(path);
    let mut file = File::open(path).map_err(read())?;
    let total = file.metadata().map_err(read())?.len();
    let (mut sha256, mut md5) = (Sha256::new(), Md5::new());
    let mut buffer = vec![0; 256 << 10];
    let mut bytes = 0;
    loop {
        let count = file.read(&mut buffer).map_err(read())?;
        if count == 0 {
            break;
        }
        sha256.update(&buffer[..count]);
        md5.update(&buffer[..count]);
        bytes += count as u64;
        observer(Event::Verifying {
            file: name,
            done: bytes,
            total,
        });
    }
    Ok(Sums {
        bytes,
        sha256: hexadecimal(&sha256.finalize()),
        md5: hexadecimal(&md5.finalize()),
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The checksums of files without a published one, from their first download.
#[derive(Debug)]
pub(super) struct Recorded {
    path: PathBuf,
    sums: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    bytes: u64,
    sha256: String,
}

impl Recorded {
    /// The checksums in the file at `path`; none if there is no such file.
    pub(super) fn open(path: PathBuf) -> Result<Self, DownloadError> {
        let sums = files::read_json(&path)?.unwrap_or_default();
        Ok(Self { path, sums })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn sha256(&self, key: &str) -> Option<&str> {
        self.sums.get(key).map(|entry| entry.sha256.as_str())
    }

    /// Records a file, if it is the first of its name.
    pub(super) fn record(&mut self, key: &str, sums: &Sums) -> Result<(), DownloadError> {
        if self.sums.contains_key(key) {
            return Ok(());
        }
        let mut lock = self.path.clone().into_os_string();
        lock.push(".lock");
        let _lock = Lock::acquire(Path::new(&lock), &mut |_| {})?;
        // The download of another dataset may have added to the file in the meantime.
        if let Some(newer) = files::read_json(&self.path)? {
            self.sums = newer;
        }
        let entry = Entry {
            bytes: sums.bytes,
            sha256: sums.sha256.clone(),
        };
        self.sums.entry(key.to_owned()).or_insert(entry);
        files::write_json(&self.path, &self.sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn downloads_at_once_record_all_their_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checksums.json");
        let sums = |bytes| Sums {
            bytes,
            sha256: format!("sum {bytes}"),
            md5: String::new(),
        };
        std::thread::scope(|scope| {
            for number in 0..16 {
                let path = path.clone();
                scope.spawn(move || {
                    let mut recorded = Recorded::open(path).unwrap();
                    recorded
                        .record(&format!("file {number}"), &sums(number))
                        .unwrap();
                });
            }
        });
        let recorded = Recorded::open(path).unwrap();
        for number in 0..16 {
            let sum = recorded.sha256(&format!("file {number}"));
            assert_eq!(sum, Some(&*format!("sum {number}")));
        }
    }
}
