use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::PrepareError;
use super::aside::{new_file, new_folder};
use crate::{Collection, DataError, ImageSource, Layout, Phase, Split};

/// How images are put into another folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transfer {
    /// Their bytes are copied.
    Copy,
    /// The files get a second name, which takes no space.
    HardLink,
}

/// How many images a split has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitSummary {
    /// Images to train on.
    pub train: usize,
    /// Held-out images.
    pub held_out: usize,
}

/// Writes the seeded 90/10 split of a folder: `output/train/` and `output/test/`, which
/// [`Collection::open`] can read. The images in `test/` are those that [`Split::NinetyTen`] with the same
/// seed holds out. `folder` is left as it is.
///
/// # Errors
///
/// [`PrepareError::Divided`] unless `folder` is a bare folder or Flowers-102,
/// [`PrepareError::Exists`] if there is something at `output`, [`PrepareError::Write`],
/// [`PrepareError::Link`], and [`PrepareError::Data`] for a folder without images.
pub fn write_split(
    folder: &Path,
    output: &Path,
    seed: u64,
    transfer: Transfer,
) -> Result<SplitSummary, PrepareError> {
    let parts = parts(folder, seed)?;
    new_folder(output, |aside| {
        for (name, images) in &parts {
            let part = aside.join(name);
            std::fs::create_dir(&part).map_err(PrepareError::write(&part))?;
            for image in images {
                let to = part.join(image.file_name().unwrap_or_default());
                put(image, &to, transfer)?;
            }
        }
        Ok(summary(&parts))
    })
}

/// Writes the seeded 90/10 split of a folder as a list: a line for each image, `train` or `test`, a
/// tabulator, and the image's path. Otherwise as [`write_split`].
///
/// # Errors
///
/// Those of [`write_split`] but for [`PrepareError::Link`], and [`PrepareError::Unlistable`] for a
/// path that is no line of text.
pub fn list_split(folder: &Path, output: &Path, seed: u64) -> Result<SplitSummary, PrepareError> {
    let parts = parts(folder, seed)?;
    let mut text = String::new();
    for (name, images) in &parts {
        for image in images {
            let path = image.to_str().filter(|path| !path.contains(SEPARATORS));
            let path = path.ok_or_else(|| PrepareError::Unlistable {
                path: image.clone(),
            })?;
            // Writing to a String does not fail.
            let _ = writeln!(text, "{name}\t{path}");
        }
    }
    new_file(output, text.as_bytes())?;
    Ok(summary(&parts))
}

/// What separates the lines of a list, and the words of a line.
const SEPARATORS: [char; 3] = ['\t', '\n', '\r'];

type Parts = [(&'static str, Vec<PathBuf>); 2];

fn parts(folder: &Path, seed: u64) -> Result<Parts, PrepareError> {
    let layout = Layout::discover(folder)?;
    if !matches!(layout, Layout::Folder | Layout::Flowers) {
        return Err(PrepareError::Divided {
            path: folder.to_path_buf(),
            layout: layout.name(),
        });
    }
    let collection = Collection::open(folder, Some(layout), Split::NinetyTen { seed })?;
    let paths = |phase| {
        let images = collection.images(phase).iter();
        let mut paths: Vec<_> = images
            .filter_map(ImageSource::path)
            .map(Path::to_path_buf)
            .collect();
        paths.sort_unstable();
        paths
    };
    Ok([
        ("train", paths(Phase::Train)),
        ("test", paths(Phase::HeldOut)),
    ])
}

fn summary([(_, train), (_, held_out)]: &Parts) -> SplitSummary {
    SplitSummary {
        train: train.len(),
        held_out: held_out.len(),
    }
}

fn put(from: &Path, to: &Path, transfer: Transfer) -> Result<(), PrepareError> {
    match transfer {
        Transfer::Copy => {
            let bytes = std::fs::read(from).map_err(DataError::open(from))?;
            std::fs::write(to, bytes).map_err(PrepareError::write(to))
        }
        Transfer::HardLink => {
            // A hard link to a symbolic link would be a symbolic link, which might be broken there.
            let file = from.canonicalize().map_err(DataError::open(from))?;
            std::fs::hard_link(file, to).map_err(|source| PrepareError::Link {
                from: from.to_path_buf(),
                to: to.to_path_buf(),
                source,
            })
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(b"two\nlines.png")]
    #[case(b"two\twords.png")]
    #[case(b"two\rlines.png")]
    #[case(b"caf\xE9.png")]
    fn a_name_that_is_no_line_is_refused(#[case] name: &[u8]) {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let images = folder.path().join("images");
        std::fs::create_dir(&images).expect("made");
        let bad = images.join(OsStr::from_bytes(name));
        for path in [&images.join("a b.png"), &bad] {
            std::fs::write(path, b"never opened").expect("written");
        }
        let list = folder.path().join("list.txt");
        let error = list_split(&images, &list, 1).expect_err("no line");
        assert!(
            matches!(&error, PrepareError::Unlistable { path } if *path == bad),
            "{error}"
        );
        assert!(!list.exists());
        std::fs::remove_file(bad).expect("removed");
        list_split(&images, &list, 1).expect("a blank is no trouble");
    }
}
