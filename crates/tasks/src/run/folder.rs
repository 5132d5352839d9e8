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
//!   metrics.superseded-step-XXXXXXXX.jsonl, validation.superseded-…   what they held when the
//!                      run went back to an earlier checkpoint
//!   non-finite/        step-XXXXXXXX/: a step in which something was not a finite number
//!   evaluation.json    figures on held-out images, at the end
//!   report.html        the run at a glance, written anew after each epoch
//!   events.out.tfevents.*   for TensorBoard; a file for each time the run was started
//! OUTPUT_DIR/latest    the run that was started or resumed last
//! ```

use std::path::{Path, PathBuf};

use crate::run::checkpoint;
use crate::run::state::Lock;
use crate::settings::{LATEST, Layer, Settings, SettingsError};
use crate::step::recipe::Recipe;
use crate::store::error::TaskError;
use crate::store::files::{self, CONFIG};

/// How many characters of the dataset's name are in that of a run. One has up to four bytes, and file
/// systems take names of 255.
const DATASET_PART: usize = 50;

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
    /// [`TaskError::RunExists`] if there is such a folder with something in it,
    /// [`TaskError::Settings`] if its name begins like a flag, and [`TaskError::Write`] if it cannot be
    /// made.
    pub fn create(recipe: &Recipe) -> Result<Self, TaskError> {
        let settings = recipe.settings();
        // Of new runs only: there may be old ones of such names, and they can go on.
        if let Some(name) = settings.name.as_ref().filter(|name| name.starts_with('-')) {
            let expected = "begin it with something else than a hyphen, by which flags are known";
            return Err(TaskError::from(SettingsError::unfit(
                "name", name, expected,
            )));
        }
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
    /// [`TaskError::NotARun`] if `path` holds no `config.toml`, [`TaskError::NoSuchRun`] if it is
    /// not there,
    /// [`TaskError::RunInUse`] if another process trains it, and
    /// [`TaskError::Settings`] if `config.toml` cannot be read, or names no task.
    pub(crate) fn open(path: &Path) -> Result<(Self, Layer), TaskError> {
        if !path.join(CONFIG).is_file() {
            return Err(TaskError::no_run(path));
        }
        let run = Self {
            path: path.to_owned(),
            _lock: Lock::take(path)?,
        };
        files::create_folder(&run.samples())?;
        files::sweep(&run.path);
        files::sweep(&run.samples());
        let layer = Self::settings(path)?;
        Ok((run, layer))
    }

    /// The settings in the `config.toml` of an existing run.
    ///
    /// # Errors
    ///
    /// [`TaskError::NotARun`], [`TaskError::NoSuchRun`] and [`TaskError::Settings`], as [`open`](Self::open).
    pub(crate) fn settings(path: &Path) -> Result<Layer, TaskError> {
        let config = path.join(CONFIG);
        if !config.is_file() {
            return Err(TaskError::no_run(path));
        }
        let layer = Layer::from_file(&config)?;
        if layer.text("task").is_none() {
            // Without one the demo would be meant.
            let reason = format!("the run's {} has lost it", config.display());
            return Err(SettingsError::Missing {
                key: "task",
                reason,
            }
            .into());
        }
        Ok(layer)
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
        files::write_atomically(&path, settings.to_toml()?.as_bytes())
    }

    /// Copies the run's history beside it, as that of the superseded checkpoint `name`.
    pub(crate) fn keep_history(&self, name: &str) -> Result<(), TaskError> {
        for path in [self.metrics(), self.validation()] {
            let bytes = match std::fs::read(&path) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(source) => return Err(TaskError::read(&path, source)),
            };
            let kept = files::unused(|number| path.with_extension(format!("{name}{number}.jsonl")));
            files::write_atomically(&kept, &bytes)?;
        }
        Ok(())
    }

    /// The folder of the run that `path` belongs to: of a run's checkpoint, that run's; else `path`
    /// itself.
    pub fn of(path: &Path) -> PathBuf {
        if !checkpoint::is_checkpoint(path) {
            return path.to_owned();
        }
        // A relative path may not name the folders above it.
        let absolute = std::path::absolute(path).ok();
        let mut above = [Some(path), absolute.as_deref()]
            .into_iter()
            .filter_map(|path| path?.ancestors().nth(2));
        let is_run =
            |folder: &&Path| !folder.as_os_str().is_empty() && folder.join(CONFIG).is_file();
        above.find(is_run).unwrap_or(path).to_owned()
    }

    /// Lets `latest` beside the run stand for it. The run does without if that fails.
    pub(crate) fn become_latest(&self) {
        // A path such as `.` names neither.
        let real = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let (Some(folder), Some(name)) = (real.parent(), real.file_name()) else {
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
    // The folder's name has to have room for the rest.
    let dataset: String = dataset
        .to_string_lossy()
        .chars()
        .take(DATASET_PART)
        .collect();
    let now = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S");
    let name = format!("{}-{dataset}-{now}", settings.task);
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_checkpoint_belongs_to_the_run_it_lies_in() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        let checkpoint = run.join("checkpoints/step-00000001");
        fs::create_dir_all(&checkpoint).unwrap();
        fs::write(run.join(CONFIG), "").unwrap();
        assert_eq!(RunFolder::of(&run), run);
        assert_eq!(RunFolder::of(&checkpoint), checkpoint, "no checkpoint yet");
        fs::write(checkpoint.join("manifest.json"), "{}").unwrap();
        assert_eq!(RunFolder::of(&checkpoint), run);
        // A copy elsewhere is in no run.
        fs::remove_file(run.join(CONFIG)).unwrap();
        assert_eq!(RunFolder::of(&checkpoint), checkpoint);
    }

    #[test]
    fn a_dataset_of_a_long_name_leaves_room_for_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            dataroot: Some(folder.path().to_owned()),
            dataset: "é".repeat(127),
            output_dir: folder.path().to_owned(),
            ..Settings::official(crate::Task::ColorTransfer)
        };
        let run = RunFolder::create(&Recipe::new(settings).unwrap()).unwrap();
        assert!(run.config().is_file());
    }

    #[test]
    fn settings_without_a_task_are_none_of_a_run() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(CONFIG), "").unwrap();
        let error = RunFolder::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("task") && error.contains(CONFIG), "{error}");
    }

    #[test]
    fn a_history_that_is_kept_replaces_none() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder {
            path: folder.path().to_owned(),
            _lock: Lock::none(),
        };
        for text in ["one", "two"] {
            fs::write(run.metrics(), text).unwrap();
            run.keep_history("superseded-step-00000003").unwrap();
        }
        let kept = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(kept("metrics.superseded-step-00000003.jsonl"), "one");
        assert_eq!(kept("metrics.superseded-step-00000003-2.jsonl"), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
