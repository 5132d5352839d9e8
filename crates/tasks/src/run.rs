//! A run's folder.
//!
//! ```text
//! OUTPUT_DIR/NAME/
//!   config.toml        the settings, resolved
//!   state.json         what the run is doing, or how it ended
//!   checkpoints/       step-XXXXXXXX/, each whole
//!   samples/           epoch-XXXX.png, last.png: content | reference | output
//!   log.jsonl          what happened when, if the program logs
//!   metrics.jsonl      one line a step
//!   validation.jsonl   one line an epoch: figures on held-out images
//!   non-finite/        step-XXXXXXXX/: a step in which something was not a finite number
//!   evaluation.json    figures on held-out images, at the end
//!   report.html        the run at a glance, written anew after each epoch
//!   events.out.tfevents.*   for TensorBoard; a file for each time the run was started
//! OUTPUT_DIR/latest    the run that was started or resumed last
//! ```

use std::path::{Path, PathBuf};

use crate::error::TaskError;
use crate::files;
use crate::recipe::Recipe;
use crate::settings::{Layer, Settings};
use crate::state::Lock;

const CONFIG: &str = "config.toml";

/// What stands for the run that was started or resumed last.
pub const LATEST: &str = "latest";

/// The folder of a run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
    /// No other process trains the run while this lives.
    _lock: Lock,
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
        files::create_folder(&settings.output_dir)?;
        let path = match &settings.name {
            Some(name) => claim(settings.output_dir.join(name))?,
            None => claim_automatic(settings)?,
        };
        let lock = Lock::take(&path)?;
        let run = Self { path, _lock: lock };
        files::create_folder(&run.samples())?;
        run.write_config(settings)?;
        run.become_latest();
        Ok(run)
    }

    /// The folder of an existing run, and the settings in its `config.toml`.
    ///
    /// # Errors
    ///
    /// [`TaskError::NotARun`] if `path` holds no `config.toml`,
    /// [`TaskError::RunInUse`] if another process trains it, and
    /// [`TaskError::Settings`] if `config.toml` cannot be read.
    pub(crate) fn open(path: &Path) -> Result<(Self, Layer), TaskError> {
        let config = path.join(CONFIG);
        if !config.is_file() {
            return Err(TaskError::NotARun {
                path: path.to_owned(),
                missing: CONFIG,
            });
        }
        let run = Self {
            path: path.to_owned(),
            _lock: Lock::take(path)?,
        };
        files::create_folder(&run.samples())?;
        files::sweep(&run.path);
        files::sweep(&run.samples());
        Ok((run, Layer::from_file(&config)?))
    }

    /// The run in a folder, to look at while it may be trained; `None` if it is none.
    pub(crate) fn look(path: &Path) -> Option<Self> {
        let run = Self {
            path: path.to_owned(),
            _lock: Lock::none(),
        };
        run.config().is_file().then_some(run)
    }

    /// The settings.
    pub(crate) fn config(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    pub(crate) fn write_config(&self, settings: &Settings) -> Result<(), TaskError> {
        let path = self.config();
        files::write_atomically(&path, settings.to_toml().as_bytes())
    }

    /// The run that `given` means: a folder, or else the name of a run in `output_dir`;
    /// `latest` is the one that was started or resumed there last.
    pub fn find(given: &Path, output_dir: &Path) -> PathBuf {
        if given.exists() {
            return given.to_owned();
        }
        let named = output_dir.join(given);
        if given == Path::new(LATEST) {
            // Where links are not for everyone, `latest` is a file with a name in it.
            let name = std::fs::read_link(&named)
                .or_else(|_| std::fs::read_to_string(&named).map(|name| name.trim().into()));
            return name.map_or(named, |name| output_dir.join(name));
        }
        if named.exists() {
            named
        } else {
            given.to_owned()
        }
    }

    /// Lets `latest` beside the run stand for it. The run does without if that fails.
    pub(crate) fn become_latest(&self) {
        let (Some(folder), Some(name)) = (self.path.parent(), self.path.file_name()) else {
            return;
        };
        let latest = folder.join(LATEST);
        if latest.is_dir() && !latest.is_symlink() {
            return;
        }
        #[cfg(unix)]
        {
            let aside = folder.join(format!("{}latest-{}", files::PARTIAL, std::process::id()));
            let linked = std::os::unix::fs::symlink(name, &aside)
                .and_then(|()| std::fs::rename(&aside, &latest));
            if linked.is_err() {
                let _ = std::fs::remove_file(aside);
            }
        }
        #[cfg(not(unix))]
        let _ = files::write_atomically(&latest, name.as_encoded_bytes());
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

    /// One line an epoch: figures on held-out images.
    pub fn validation(&self) -> PathBuf {
        self.path.join("validation.jsonl")
    }

    /// Steps in which something was not finite, for inspection.
    pub(crate) fn non_finite(&self) -> PathBuf {
        self.path.join("non-finite")
    }

    /// The run at a glance.
    pub fn report(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// Figures on held-out images, at the end.
    pub fn evaluation(&self) -> PathBuf {
        self.path.join("evaluation.json")
    }
}

/// Makes the folder, unless there is one with something in it.
fn claim(path: PathBuf) -> Result<PathBuf, TaskError> {
    match std::fs::create_dir(&path) {
        Ok(()) => Ok(path),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let empty = path
                .read_dir()
                .is_ok_and(|mut entries| entries.next().is_none());
            if empty {
                Ok(path)
            } else {
                Err(TaskError::RunExists { path })
            }
        }
        Err(source) => Err(TaskError::write(&path, source)),
    }
}

/// Names the run by task, dataset and time; runs of the same second are numbered.
fn claim_automatic(settings: &Settings) -> Result<PathBuf, TaskError> {
    let dataset = Path::new(&settings.dataset).file_name().unwrap_or_default();
    let now = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S");
    let name = format!("{}-{}-{now}", settings.task, dataset.to_string_lossy());
    let mut path = settings.output_dir.join(&name);
    let mut number = 1;
    loop {
        match claim(path) {
            Err(TaskError::RunExists { .. }) => number += 1,
            claimed => return claimed,
        }
        path = settings.output_dir.join(format!("{name}-{number}"));
    }
}
