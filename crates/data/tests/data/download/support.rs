//! Datasets, downloaders and folders for the tests.

use std::path::{Path, PathBuf};
use std::time::Duration;

use huenet_data::Layout;
use huenet_data::download::{
    Checksum, Dataset, DownloadError, Downloader, Event, Installed, Patience, RemoteFile, Size,
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// As the catalogue has it, with addresses on the loopback.
pub(crate) fn dataset(
    name: &str,
    layout: Layout,
    addresses: &[String],
    files: &[RemoteFile],
) -> Dataset {
    Dataset {
        name: leak(name),
        about: "a set of the tests",
        layout,
        homepage: "http://127.0.0.1/",
        rights: "made here",
        addresses: addresses
            .iter()
            .map(|address| leak(address))
            .collect::<Vec<_>>()
            .leak(),
        files: files.to_vec().leak(),
    }
}

/// edges2shoes, published as `content` with size and checksum.
pub(crate) fn shoes(addresses: &[String], content: &[u8]) -> Dataset {
    let file = published("edges2shoes.tar.gz", content);
    dataset("edges2shoes", Layout::Pix2Pix, addresses, &[file])
}

/// edges2shoes, of which nothing exact is published.
pub(crate) fn unpublished_shoes(addresses: &[String]) -> Dataset {
    let file = RemoteFile {
        name: "edges2shoes.tar.gz",
        size: Size::About(10_000),
        checksum: None,
    };
    dataset("edges2shoes", Layout::Pix2Pix, addresses, &[file])
}

pub(crate) fn published(name: &str, content: &[u8]) -> RemoteFile {
    RemoteFile {
        name: leak(name),
        size: Size::Exact(content.len() as u64),
        checksum: Some(Checksum::Sha256(leak(&sha256(content)))),
    }
}

pub(crate) fn sha256(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn leak(text: &str) -> &'static str {
    text.to_owned().leak()
}

/// Quick to ask again, and deaf to the proxies of the machine that runs the tests.
pub(crate) fn downloader() -> Downloader {
    Downloader::new().without_proxies().with_patience(PATIENCE)
}

pub(crate) const PATIENCE: Patience = Patience {
    attempts: 3,
    first_wait: Duration::from_millis(1),
    longest_wait: Duration::from_millis(20),
    silence: Duration::from_secs(20),
};

/// A data root, and what was told while downloading into it.
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) told: Vec<String>,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder can be made"),
            told: Vec::new(),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    pub(crate) fn read(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.path(path)).expect("the file is there")
    }

    pub(crate) fn install(
        &mut self,
        downloader: &Downloader,
        dataset: &Dataset,
    ) -> Result<Installed, DownloadError> {
        let told = &mut self.told;
        downloader.install(dataset, self.folder.path(), &mut |event| match event {
            Event::Received { .. } | Event::Verifying { .. } | Event::Unpacking { .. } => {}
            other => told.push(format!("{other:?}")),
        })
    }

    /// What lies in the folder for downloads, apart from locks.
    pub(crate) fn left_over(&self) -> Vec<String> {
        names(&self.path(".downloads"))
            .into_iter()
            .filter(|name| !name.ends_with(".lock"))
            .collect()
    }

    pub(crate) fn was_told(&self, words: &str) -> bool {
        self.told.iter().any(|line| line.contains(words))
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("a listed entry").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
