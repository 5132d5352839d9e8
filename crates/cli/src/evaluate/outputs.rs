//! The images that are compared, as files in a folder.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::{Arg, ArgMatches, value_parser};
use huenet_tasks::TaskError;
use huenet_tasks::compare::{Picture, write_image};

use crate::{pictures, writable};

/// The flags about them.
pub(super) fn flags() -> [Arg; 2] {
    let folder = Arg::new("outputs")
        .long("outputs")
        .value_name("DIR")
        .value_parser(value_parser!(PathBuf))
        .help(
            "Write each pair's content and reference, and what each method makes of them, to this \
             folder as PNG files",
        );
    let overwrite = pictures::overwrite()
        .requires("outputs")
        .help("Replace files of --outputs that are there already");
    [folder, overwrite]
}

/// The folder of the images.
pub(super) struct Outputs {
    folder: PathBuf,
    failed: Option<TaskError>,
}

impl Outputs {
    /// The folder that the flags name, made if it is not there; `names` are those of its files.
    ///
    /// # Errors
    ///
    /// If it cannot be written to, or has one of the files already.
    pub(super) fn given(matches: &ArgMatches, names: &[String]) -> anyhow::Result<Option<Self>> {
        let Some(folder) = matches.get_one::<PathBuf>("outputs") else {
            return Ok(None);
        };
        if !matches.get_flag("overwrite") {
            let mut paths = names.iter().map(|name| folder.join(name));
            paths.try_for_each(|path| pictures::refuse_existing(&path))?;
        }
        let told = |error| {
            anyhow!(
                "cannot write into {}: {error}; name another folder with --outputs",
                folder.display()
            )
        };
        std::fs::create_dir_all(folder)
            .and_then(|()| writable::check(folder))
            .map_err(told)?;
        Ok(Some(Self {
            folder: folder.clone(),
            failed: None,
        }))
    }

    /// Writes an image, unless one could not be written before.
    pub(super) fn write(&mut self, picture: &Picture<'_>) {
        if self.failed.is_none() {
            let path = self.folder.join(picture.name());
            self.failed = write_image(&picture.draw(), &path).err();
        }
    }

    /// Whether all could be written.
    pub(super) fn finish(&mut self) -> Result<(), TaskError> {
        self.failed.take().map_or(Ok(()), Err)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}
