//! A run's folder.
//!
//! ```text
//! OUTPUT_DIR/NAME/
//!   config.toml        the settings, resolved
//!   checkpoints/       step-XXXXXXXX/, each whole
//!   samples/           epoch-XXXX.png, last.png: content | reference | output
//!   metrics.jsonl      one line a step
//!   evaluation.json    figures on held-out images, at the end
//! ```

use std::path::{Path, PathBuf};

use crate::error::TaskError;
use crate::files;
use crate::recipe::Recipe;
use crate::settings::{Layer, Settings};

const CONFIG: &str = "config.toml";

/// The folder of a run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes the folder of a new run: OUTPUT_DIR/NAME, or OUTPUT_DIR/TASK-DATASET-TIME.
    ///
    /// # Errors
    ///
    /// [`TaskError::RunExists`] if there is such a folder with something in it, and
    /// [`TaskError::Write`] if it cannot be made.
    pub fn create(recipe: &Recipe) -> Result<Self, TaskError> {
        let settings = recipe.settings();
        let name = settings.name.clone().unwrap_or_else(|| {
            let now = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S");
            format!("{}-{}-{now}", settings.task, settings.dataset)
        });
        let path = settings.output_dir.join(name);
        if path.is_dir()
            && path
                .read_dir()
                .is_ok_and(|mut entries| entries.next().is_some())
        {
            return Err(TaskError::RunExists { path });
        }
        let run = Self { path };
        files::create_folder(&run.samples())?;
        let text = toml::to_string(settings).map_err(|error| {
            TaskError::write(&run.path.join(CONFIG), std::io::Error::other(error))
        })?;
        files::write_atomically(&run.path.join(CONFIG), text.as_bytes())?;
        Ok(run)
    }

    /// The folder of an existing run, and the settings it was made with.
    ///
    /// # Errors
    ///
    /// [`TaskError::NotARun`] if `path` holds no `config.toml`, and
    /// [`TaskError::Settings`] if that cannot be read.
    pub fn open(path: &Path) -> Result<(Self, Settings), TaskError> {
        let config = path.join(CONFIG);
        if !config.is_file() {
            return Err(TaskError::NotARun {
                path: path.to_owned(),
                missing: CONFIG,
            });
        }
        let settings = Settings::resolve(&[Layer::from_file(&config)?])?;
        Ok((
            Self {
                path: path.to_owned(),
            },
            settings,
        ))
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn samples(&self) -> PathBuf {
        self.path.join("samples")
    }

    /// The sample grid drawn after `epoch` epochs.
    pub fn sample(&self, epoch: u64) -> PathBuf {
        self.samples().join(format!("epoch-{epoch:04}.png"))
    }

    /// The sample grid drawn at the end.
    pub fn last_sample(&self) -> PathBuf {
        self.samples().join("last.png")
    }

    /// One line a step.
    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// Figures on held-out images.
    pub fn evaluation(&self) -> PathBuf {
        self.path.join("evaluation.json")
    }
}
