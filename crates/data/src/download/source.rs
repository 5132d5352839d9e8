use std::path::{Path, PathBuf};

use super::{Dataset, DownloadError, RemoteFile};

/// A place from which the files of a dataset are taken instead of its own addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The address of a folder on a server, with a slash at the end. The files in it have their names
    /// of the catalogue.
    Address(String),
    /// The address of the archive itself. Further files of the dataset are beside it.
    File(String),
    /// A folder on this machine that holds the files under their names of the catalogue.
    Folder(PathBuf),
    /// The archive on this machine. Further files of the dataset are beside it.
    Archive(PathBuf),
}

/// One place where a file may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Net(String),
    Here(PathBuf),
}

impl Source {
    /// Reads a user's text. It is the path of a folder or archive, or the `http:` or `https:` address of
    /// one; an address that ends in `.zip`, `.tgz` or `.tar.gz` is that of an archive.
    ///
    /// # Errors
    ///
    /// [`DownloadError::From`] for an address of another kind, or a path that does not exist.
    pub fn parse(text: &str) -> Result<Self, DownloadError> {
        let wrong = |reason: &str| DownloadError::From {
            given: text.to_owned(),
            reason: reason.to_owned(),
        };
        let is_archive = |text: &str| {
            let text = text.to_ascii_lowercase();
            [".zip", ".tgz", ".tar.gz"]
                .iter()
                .any(|end| text.ends_with(end))
        };
        match text.split_once("://") {
            Some(("http" | "https", rest)) => {
                if rest.split('/').next().is_none_or(str::is_empty) {
                    return Err(wrong("the address names no host"));
                }
                if rest.contains(['?', '#', ' ']) {
                    return Err(wrong(
                        "give the address of a folder or archive, without `?`, `#` or blanks",
                    ));
                }
                Ok(match is_archive(text) {
                    true => Self::File(text.to_owned()),
                    false => Self::Address(format!("{}/", text.trim_end_matches('/'))),
                })
            }
            Some((scheme, _)) if scheme.chars().all(|c| c.is_ascii_alphanumeric()) => Err(wrong(
                "only http:// and https:// addresses, and paths, can be read",
            )),
            _ => {
                let path = Path::new(text);
                if path.is_dir() {
                    Ok(Self::Folder(path.to_path_buf()))
                } else if path.is_file() {
                    Ok(Self::Archive(path.to_path_buf()))
                } else {
                    Err(wrong(
                        "no such file or folder, and no http:// or https:// address",
                    ))
                }
            }
        }
    }

    pub(super) fn place(&self, file: &RemoteFile) -> Place {
        match self {
            Self::Address(folder) => Place::Net(format!("{folder}{}", file.name)),
            Self::File(address) if file.is_archive() => Place::Net(address.clone()),
            Self::File(address) => {
                let folder = address.rsplit_once('/').map_or("", |(folder, _)| folder);
                Place::Net(format!("{folder}/{}", file.name))
            }
            Self::Folder(folder) => Place::Here(folder.join(file.name)),
            Self::Archive(path) if file.is_archive() => Place::Here(path.clone()),
            Self::Archive(path) => Place::Here(path.with_file_name(file.name)),
        }
    }
}

/// The places where `file` may be: `sources` if there are any, otherwise the dataset's own addresses.
pub(super) fn places(dataset: &Dataset, file: &RemoteFile, sources: &[Source]) -> Vec<Place> {
    if sources.is_empty() {
        let own = dataset.addresses.iter();
        return own
            .map(|folder| Place::Net(format!("{folder}{}", file.name)))
            .collect();
    }
    sources.iter().map(|source| source.place(file)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_folders_and_files_are_told_apart() {
        let set = Dataset::find("102flowers").unwrap();
        let [archive, labels] = [&set.files[0], &set.files[1]];
        let net = |text: &str| Place::Net(text.to_owned());
        for base in ["http://mirror:8000/sets", "http://mirror:8000/sets/"] {
            let source = Source::parse(base).unwrap();
            assert_eq!(
                source.place(archive),
                net("http://mirror:8000/sets/102flowers.tgz")
            );
        }
        let source = Source::parse("https://mirror/a/flowers.tar.gz").unwrap();
        assert_eq!(
            source.place(archive),
            net("https://mirror/a/flowers.tar.gz")
        );
        assert_eq!(
            source.place(labels),
            net("https://mirror/a/imagelabels.mat")
        );

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.tgz");
        std::fs::write(&path, b"").unwrap();
        let source = Source::parse(path.to_str().unwrap()).unwrap();
        assert_eq!(source.place(archive), Place::Here(path));
        let beside = folder.path().join("imagelabels.mat");
        assert_eq!(source.place(labels), Place::Here(beside.clone()));
        let source = Source::parse(folder.path().to_str().unwrap()).unwrap();
        assert_eq!(source.place(labels), Place::Here(beside));
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in [
            "ftp://mirror/x.zip",
            "http://",
            "https:///x.zip",
            "/no/such/folder",
            "http://m/x?y",
        ] {
            let error = Source::parse(text).unwrap_err();
            assert!(
                error.is_usage() && error.to_string().contains(text),
                "{error}"
            );
        }
    }
}
