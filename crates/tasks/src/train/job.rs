//! A run about to start, or to go on.

use std::path::Path;

use huenet_data::HostBatch;
use tracing::info;

use crate::run::checkpoint::{self, Checkpoint, Shelf};
use crate::run::folder::RunFolder;
use crate::run::images::Images;
use crate::run::plan::Plan;
use crate::run::position::Position;
use crate::settings::{KEYS, Layer, Settings, SettingsError};
use crate::step::recipe::Recipe;
use crate::store::error::TaskError;
use crate::store::files::{self, same_place};

/// A run about to start: its recipe, its folder, its images, and the checkpoint that it
/// goes on from.
pub struct Job {
    pub(crate) recipe: Recipe,
    pub(crate) run: RunFolder,
    pub(crate) images: Images,
    /// The images of the sample grids.
    pub(crate) shown: HostBatch,
    pub(crate) weights: Option<Checkpoint>,
    pub(crate) position: Position,
    /// Whether it is a run that was resumed and has no checkpoint.
    begins_again: bool,
    /// Checkpoints of later steps that were set aside.
    superseded: usize,
}

impl Job {
    /// A new run. Its folder is made last: after its images and its starting checkpoint have been found, and the
    /// held-out images that it is going to look at have been read.
    ///
    /// # Errors
    ///
    /// Any [`TaskError`] of settings, images or folders.
    pub fn new(recipe: Recipe) -> Result<Self, TaskError> {
        let images = Images::open(&recipe)?;
        let shown = images.shown()?;
        images.check_held_out(&recipe)?;
        let weights = starting_weights(&recipe)?;
        let recipe = match &weights {
            Some(weights) => recipe.starting_from(weights.folder())?,
            None => recipe,
        };
        let run = RunFolder::create(&recipe)?;
        Ok(Self {
            recipe,
            run,
            images,
            shown,
            weights,
            position: Position::default(),
            begins_again: false,
            superseded: 0,
        })
    }

    /// Goes on with a run exactly where its newest checkpoint was saved, with the
    /// settings it was started with; `path` is the run's folder, or that of one of its
    /// checkpoints, whose later ones are then set aside. A run that has saved none starts
    /// again from its first step.
    ///
    /// `changes`, and the run's `config.toml`, may change settings that do not touch
    /// what was computed so far; the new values are written to `config.toml`.
    ///
    /// # Errors
    ///
    /// Any [`TaskError`]; [`SettingsError::Unfit`] for a setting that cannot change.
    pub fn resume(path: &Path, changes: &[Layer]) -> Result<Self, TaskError> {
        let path = &files::without_links(path);
        if checkpoint::is_checkpoint(path)
            && let Some(name) = checkpoint::name_before_aside(path)
        {
            let path = path.to_owned();
            return Err(TaskError::Superseded { path, name });
        }
        let (run, config) = RunFolder::open(&RunFolder::of(path))?;
        let shelf = Shelf::of(run.path());
        shelf.sweep();
        let checkpoint = Checkpoint::find(path).map_err(TaskError::of_resuming)?;
        let config = Settings::resolve(&[config])?;
        let saved = checkpoint.as_ref().map_or(&config, Checkpoint::settings);
        let mut wanted = config.with(changes)?;
        keep_start(saved, &mut wanted);
        keep_place(run.path(), saved, &mut wanted);
        check_changes(saved, &wanted)?;
        let saved_settings = saved.clone();
        let recipe = Recipe::new(wanted)?;
        if let Some(checkpoint) = &checkpoint {
            check_schedule(checkpoint, &recipe)?;
        }
        let images = Images::open(&recipe)?;
        let position = checkpoint
            .as_ref()
            .map(Checkpoint::position)
            .unwrap_or_default();
        if let Some(checkpoint) = &checkpoint {
            if let Some(difference) = other_images(checkpoint, &images) {
                let run = run.path().to_owned();
                return Err(TaskError::OtherImages { run, difference });
            }
            check_length(checkpoint, &recipe, images.train().len() as u64)?;
            let known = checkpoint.fingerprints();
            images.expect(&known.map_err(TaskError::of_resuming)?);
        }
        let of_run = |error: TaskError| error.of_run(run.path(), checkpoint.is_some());
        let shown = images.shown().map_err(of_run)?;
        images.check_held_out(&recipe).map_err(of_run)?;
        let begins_again = checkpoint.is_none();
        let weights = match checkpoint {
            Some(checkpoint) => {
                checkpoint.verify().map_err(TaskError::of_resuming)?;
                Some(checkpoint)
            }
            None => starting_weights(&recipe)?,
        };
        let keep_history = |name: &str| run.keep_history(name);
        let superseded = shelf.set_aside_after(position.step, keep_history)?;
        for (setting, value) in saved_settings.differences(recipe.settings()) {
            info!(setting, value, "changed on resuming");
        }
        run.write_config(recipe.settings())?;
        run.become_latest();
        Ok(Self {
            recipe,
            run,
            images,
            shown,
            weights,
            position,
            begins_again,
            superseded,
        })
    }

    /// The settings with which [`resume`](Self::resume) would go on, before they are checked. Reads only the run's
    /// `config.toml`, also while another process trains the run.
    ///
    /// # Errors
    ///
    /// [`TaskError::NotARun`], [`TaskError::NoSuchRun`] and [`TaskError::Settings`].
    pub fn settings_to_resume(path: &Path, changes: &[Layer]) -> Result<Settings, TaskError> {
        let run = RunFolder::of(&files::without_links(path));
        let config = RunFolder::settings(&run)?;
        Ok(Settings::resolve(&[config])?.with(changes)?)
    }

    /// The checked settings.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The run's folder.
    pub fn run(&self) -> &RunFolder {
        &self.run
    }

    /// The checkpoint that a resumed run goes on from.
    pub(super) fn resumed(&self) -> Option<&Checkpoint> {
        self.weights.as_ref().filter(|_| self.position.step > 0)
    }

    /// What the run is going to do.
    pub fn plan(&self) -> Plan {
        let steps_per_epoch = self.images.train().len() as u64;
        Plan {
            run: self.run.path().to_owned(),
            training_images: self.images.train_images(),
            held_out_images: self.images.held_out_images(),
            skipped: self.images.skipped(),
            begins_again: self.begins_again,
            superseded: self.superseded,
            processes: 1,
            processes_before: self.resumed().map(Checkpoint::processes),
            steps_per_epoch,
            first_step: self.position.step,
            total_steps: self.recipe.planned_steps(steps_per_epoch),
            epochs: self.recipe.epochs(),
        }
    }
}

/// The checkpoint of another run that a new run starts from, if its settings name one.
fn starting_weights(recipe: &Recipe) -> Result<Option<Checkpoint>, TaskError> {
    let Some(run) = &recipe.settings().output_pre_dir else {
        return Ok(None);
    };
    let weights = Checkpoint::newest(run)?;
    weights.check_configuration(recipe)?;
    weights.verify()?;
    Ok(Some(weights))
}

/// How the training images differ from those that a checkpoint's run was trained on, if they do.
fn other_images(saved: &Checkpoint, images: &Images) -> Option<String> {
    let difference = saved
        .image_names()
        .and_then(|names| names.difference(images.names()));
    let position = saved.position();
    let (batch, steps_per_epoch) = (position.batch as u64, images.train().len() as u64);
    let step = position.epoch.checked_mul(steps_per_epoch);
    let step = step.and_then(|step| step.checked_add(batch));
    let fits = batch <= steps_per_epoch && step == Some(position.step);
    difference.or_else(|| (!fits).then(|| format!("{steps_per_epoch} steps an epoch now")))
}

/// Leaves the weights that a run started from as they are saved, if `wanted` names them in another
/// way: their checkpoint by another path, or their run, as when it started.
fn keep_start(saved: &Settings, wanted: &mut Settings) {
    if let (Some(given), Some(start)) = (&wanted.output_pre_dir, &saved.output_pre_dir) {
        // RUN/checkpoints/step-XXXXXXXX
        let run = start.ancestors().nth(2);
        if [Some(start.as_path()), run]
            .into_iter()
            .flatten()
            .any(|it| same_place(it, given))
        {
            wanted.output_pre_dir = Some(start.clone());
        }
    }
}

/// Leaves the output folder as it is saved, if `wanted` names the one that the run lies in: in
/// another way, or from another working folder.
fn keep_place(run: &Path, saved: &Settings, wanted: &mut Settings) {
    let run = std::fs::canonicalize(run);
    let folder = run.as_deref().ok().and_then(Path::parent);
    if folder.is_some_and(|folder| same_place(folder, &wanted.output_dir)) {
        wanted.output_dir.clone_from(&saved.output_dir);
    }
}

fn check_changes(saved: &Settings, wanted: &Settings) -> Result<(), SettingsError> {
    let mut differences = saved.differences(wanted).into_iter();
    let changeable = || KEYS.iter().filter(|key| key.changeable);
    let kept = |(name, _): &(&str, String)| !changeable().any(|key| key.name == *name);
    match differences.find(kept) {
        None => Ok(()),
        Some((key, value)) => {
            let mut can: Vec<&str> = changeable().map(|key| key.name).collect();
            can.sort_unstable();
            let can = can.join(", ");
            let expected = format!("a resumed run cannot change it; it can change {can}");
            Err(SettingsError::unfit(key, value, expected))
        }
    }
}

/// Refuses lengths with which steps already done would have had other learning rates.
fn check_schedule(saved: &Checkpoint, recipe: &Recipe) -> Result<(), SettingsError> {
    let (before, now) = (saved.settings(), recipe.settings());
    let position = saved.position();
    let started = position.epoch + u64::from(position.batch > 0);
    let before_recipe = Recipe::new(before.clone())?;
    let same = |epoch| before_recipe.learning_rates(epoch) == recipe.learning_rates(epoch);
    // Up to where the rates begin to fall they are constant.
    let constant = before.epochs.min(now.epochs).saturating_sub(1) as u64;
    if (constant.min(started)..started).all(same) {
        return Ok(());
    }
    let (key, value) = match before.epochs == now.epochs {
        true => ("epochs_decay", now.epochs_decay),
        false => ("epochs", now.epochs),
    };
    let expected = format!(
        "the learning rates of the {started} epochs begun would have been others; it was \
         {} epochs and {} of decay",
        before.epochs, before.epochs_decay
    );
    Err(SettingsError::unfit(key, value, expected))
}

/// Refuses a number of steps with which steps already done would have had other learning rates,
/// since these fall towards the end of all steps.
fn check_length(
    saved: &Checkpoint,
    recipe: &Recipe,
    steps_per_epoch: u64,
) -> Result<(), SettingsError> {
    let (before, now) = (saved.settings(), recipe.settings());
    let position = saved.position();
    let steps = Recipe::new(before.clone())?.planned_steps(steps_per_epoch);
    // They are constant until they fall, and fall the slower the more steps there are: if
    // those of the last step are the same, so are all before.
    let Some(last) = position.step.checked_sub(1) else {
        return Ok(());
    };
    let rates = |steps| recipe.learning_rates_at(position.epoch, last, steps);
    if rates(steps) == rates(recipe.planned_steps(steps_per_epoch)) {
        return Ok(());
    }
    let (key, value) = match before.max_steps == now.max_steps {
        true => ("epochs", now.epochs),
        false => ("max_steps", now.max_steps),
    };
    let expected = format!(
        "with decay_share {} the learning rates of the {} steps done would have been others; it \
         was {steps} steps in all",
        now.decay_share, position.step
    );
    Err(SettingsError::unfit(key, value, expected))
}
