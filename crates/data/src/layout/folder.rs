//! Lists folders, and describes their content for error messages.

use std::ffi::OsStr;
use std::fs::DirEntry;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::kinds::{self, EXTENSIONS};
use crate::{DataError, ImageSource};

/// How many names of a folder a message lists.
const LISTED: usize = 8;

/// # Errors
///
/// [`DataError::NotFound`] or [`DataError::NotAFolder`] unless `folder` is a folder.
pub(super) fn check_folder(folder: &Path, expected: &str) -> Result<(), DataError> {
    match std::fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(DataError::NotAFolder {
            path: folder.to_path_buf(),
            expected: expected.to_string(),
        }),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(not_found(folder, expected))
        }
        Err(error) => Err(DataError::io(folder)(error)),
    }
}

pub(super) fn not_found(path: &Path, expected: &str) -> DataError {
    let parent = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    };
    let found = if parent.exists() {
        describe(parent)
    } else {
        format!("{} does not exist either", parent.display())
    };
    DataError::NotFound {
        path: path.to_path_buf(),
        expected: expected.to_string(),
        found,
    }
}

/// The images of a folder, sorted by name.
///
/// # Errors
///
/// As [`check_folder`], and [`DataError::NoImages`] if there is none.
pub(crate) fn images(folder: &Path) -> Result<Vec<ImageSource>, DataError> {
    check_folder(folder, "a folder of images")?;
    let images = list(folder)?;
    if images.is_empty() {
        let found = describe(folder);
        return Err(DataError::NoImages {
            path: folder.to_path_buf(),
            found,
        });
    }
    Ok(images)
}

/// The images of a folder, sorted by name; none if there is no such folder.
pub(crate) fn images_if_present(folder: &Path) -> Result<Vec<ImageSource>, DataError> {
    if folder.is_dir() {
        list(folder)
    } else {
        Ok(Vec::new())
    }
}

pub(crate) fn has_images(folder: &Path) -> Result<bool, DataError> {
    Ok(!list(folder)?.is_empty())
}

/// The content of a folder that is not hidden.
#[derive(Default)]
pub(crate) struct Listing {
    /// The paths of the images, sorted.
    pub(crate) images: Vec<PathBuf>,
    /// The number of entries that are no images, or images of kinds that are not read.
    pub(crate) others: usize,
    /// The number of images of kinds that are not read.
    pub(crate) foreign: usize,
}

pub(crate) fn list_all(folder: &Path) -> Result<Listing, DataError> {
    let mut listing = Listing::default();
    for entry in std::fs::read_dir(folder).map_err(DataError::io(folder))? {
        let entry = entry.map_err(DataError::io(folder))?;
        if is_image(&entry) {
            listing.images.push(entry.path());
        } else if !is_hidden(&entry.file_name()) {
            listing.others += 1;
            listing.foreign += usize::from(is_foreign(&entry.file_name()));
        }
    }
    listing.images.sort_unstable();
    Ok(listing)
}

/// The folders in a folder that are not hidden, sorted.
pub(crate) fn folders(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(DataError::io(folder))? {
        let entry = entry.map_err(DataError::io(folder))?;
        if !is_hidden(&entry.file_name()) && entry.path().is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort_unstable();
    Ok(folders)
}

fn list(folder: &Path) -> Result<Vec<ImageSource>, DataError> {
    let images = list_all(folder)?.images;
    Ok(images.into_iter().map(ImageSource::file).collect())
}

fn is_image(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    let extension = Path::new(&name).extension().and_then(OsStr::to_str);
    let known = extension.is_some_and(|extension| {
        EXTENSIONS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(extension))
    });
    // Metadata of the path, not of the entry: a link to a file counts as the file. A path without metadata, such
    // as a broken link, counts too, so that reading it gives an error instead of leaving the image out.
    let is_file = || std::fs::metadata(entry.path()).map_or(true, |it| it.is_file());
    known && !is_hidden(&name) && is_file()
}

fn is_foreign(name: &OsStr) -> bool {
    let extension = Path::new(name).extension().and_then(OsStr::to_str);
    extension.is_some_and(kinds::is_foreign)
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// The content of a folder in a few words.
pub(super) fn describe(folder: &Path) -> String {
    let name = folder.display();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return format!("{name} cannot be listed");
    };
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| !is_hidden(&entry.file_name()))
        .map(|entry| {
            let slash = if entry.path().is_dir() { "/" } else { "" };
            format!("{}{slash}", entry.file_name().to_string_lossy())
        })
        .collect();
    if names.is_empty() {
        return format!("{name} is empty");
    }
    names.sort_unstable();
    let foreign = names
        .iter()
        .filter(|name| is_foreign(name.as_ref()))
        .count();
    let more = names.len().saturating_sub(LISTED);
    names.truncate(LISTED);
    let mut found = format!("{name} holds {}", names.join(", "));
    if more > 0 {
        found += &format!(" and {more} more");
    }
    if foreign > 0 {
        found += &format!(
            "; {foreign} of them are images of kinds that are not read: convert them to JPEG or PNG"
        );
    }
    found
}
