//! The training loop.

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::backend::AutodiffBackend;
use huenet_data::{Batch, HostBatch};
use huenet_hist::HistogramBackend;
use rand::Rng;

use crate::checkpoint::{self, Checkpoint, Position};
use crate::error::TaskError;
use crate::evaluation::{Evaluation, evaluate, translate};
use crate::files;
use crate::gan::Gan;
use crate::losses::HistogramLosses;
use crate::metrics::{self, MetricsWriter, StepLosses, StepRecord};
use crate::recipe::Recipe;
use crate::run::RunFolder;
use crate::samples;
use crate::seeds::{Purpose, stream};
use crate::settings::{Layer, Settings, SettingsError};
use crate::source::Images;

/// Settings that a resumed run may change: they do not touch what was computed so far.
const CHANGEABLE: &[&str] = &[
    "backend",
    "cp_freq",
    "dataroot",
    "epochs",
    "held_out_images",
    "max_steps",
    "sample_mode",
    "threads",
    "workers",
];

/// Steps at the start and at the end that a report averages over.
const REPORTED: usize = 20;

/// A run about to start: its recipe, its folder, its images, and the checkpoint that it
/// goes on from.
pub struct Job {
    recipe: Recipe,
    run: RunFolder,
    images: Images,
    shown: HostBatch,
    weights: Option<Checkpoint>,
    position: Position,
}

impl Job {
    /// A new run. Its folder is made when its images and its starting checkpoint have
    /// been found, and the images that its samples show have been read.
    ///
    /// # Errors
    ///
    /// Any [`TaskError`] of settings, images or folders.
    pub fn new(recipe: Recipe) -> Result<Self, TaskError> {
        let images = Images::open(&recipe)?;
        let shown = images.shown()?;
        let weights = recipe.settings().output_pre_dir.as_deref();
        let weights = weights.map(Checkpoint::newest).transpose()?;
        if let Some(weights) = &weights {
            weights.check_configuration(&recipe)?;
        }
        let run = RunFolder::create(&recipe)?;
        Ok(Self {
            recipe,
            run,
            images,
            shown,
            weights,
            position: Position::default(),
        })
    }

    /// Goes on with a run exactly where its newest checkpoint was saved, with the
    /// settings it was started with; `path` is the run's folder, or that of one of its
    /// checkpoints. A run that has saved none starts again from its first step.
    ///
    /// `changes`, and the run's `config.toml`, may change settings that do not touch
    /// what was computed so far; the new values are written to `config.toml`.
    ///
    /// # Errors
    ///
    /// Any [`TaskError`]; [`SettingsError::Unfit`] for a setting that cannot change.
    pub fn resume(path: &Path, changes: &[Layer]) -> Result<Self, TaskError> {
        let run = match checkpoint::is_checkpoint(path) {
            true => path.ancestors().nth(2).unwrap_or(path),
            false => path,
        };
        let (run, config) = RunFolder::open(run)?;
        checkpoint::sweep(run.path());
        let checkpoint = Checkpoint::find(path)?;
        let config = Settings::resolve(&[config])?;
        let saved = checkpoint
            .as_ref()
            .map_or(&config, |saved| saved.settings());
        let wanted = config.with(changes)?;
        for (key, value) in saved.differences(&wanted) {
            if !CHANGEABLE.contains(&key) {
                let can = CHANGEABLE.join(", ");
                let expected = format!("a resumed run cannot change it; it can change {can}");
                return Err(SettingsError::Unfit {
                    key,
                    value,
                    expected,
                }
                .into());
            }
        }
        let recipe = Recipe::new(wanted)?;
        let images = Images::open(&recipe)?;
        let shown = images.shown()?;
        let position = checkpoint
            .as_ref()
            .map(Checkpoint::position)
            .unwrap_or_default();
        let steps_per_epoch = images.train().len() as u64;
        let step = position.epoch.checked_mul(steps_per_epoch);
        if step.and_then(|step| step.checked_add(position.batch as u64)) != Some(position.step) {
            return Err(TaskError::OtherImages {
                run: run.path().to_owned(),
                steps_per_epoch,
            });
        }
        run.write_config(recipe.settings())?;
        let weights = checkpoint;
        Ok(Self {
            recipe,
            run,
            images,
            shown,
            weights,
            position,
        })
    }

    /// The checked settings.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The run's folder.
    pub fn run(&self) -> &RunFolder {
        &self.run
    }

    fn plan(&self) -> Plan {
        let settings = self.recipe.settings();
        let steps_per_epoch = self.images.train().len() as u64;
        let all = steps_per_epoch.saturating_mul(settings.epochs as u64);
        let total_steps = match settings.max_steps as u64 {
            0 => all,
            limit => all.min(limit),
        };
        Plan {
            run: self.run.path().to_owned(),
            training_images: self.images.train_images(),
            held_out_images: self.images.held_out_images(),
            skipped: self.images.skipped(),
            steps_per_epoch,
            first_step: self.position.step,
            total_steps,
            epochs: settings.epochs as u64,
        }
    }
}

/// What a run is going to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The run's folder.
    pub run: PathBuf,
    /// Images it trains on.
    pub training_images: usize,
    /// Images kept apart.
    pub held_out_images: usize,
    /// Images that the dataset lists but the folder lacks.
    pub skipped: usize,
    /// Steps in an epoch.
    pub steps_per_epoch: u64,
    /// Steps already done before a resumed run goes on.
    pub first_step: u64,
    /// Steps when it ends.
    pub total_steps: u64,
    /// Epochs when it ends, if no limit of steps ends it sooner.
    pub epochs: u64,
}

/// Told how a run goes on; whoever shows progress implements it.
pub trait Observer {
    /// Everything is ready; training starts.
    fn started(&mut self, plan: &Plan);
    /// A step is done.
    fn stepped(&mut self, record: &StepRecord);
    /// A sample grid or a checkpoint was written.
    fn wrote(&mut self, path: &Path);
    /// The last step is done; held-out images are being evaluated.
    fn evaluating(&mut self) {}
}

/// How a run went.
#[derive(Clone, Debug)]
pub struct Report {
    /// The run's folder.
    pub run: PathBuf,
    /// Steps done in all.
    pub steps: u64,
    /// Over how many steps `first` and `last` are means.
    pub averaged: usize,
    /// Losses of the first steps.
    pub first: StepLosses,
    /// Losses of the last steps.
    pub last: StepLosses,
    /// Figures on held-out images.
    pub evaluation: Option<Evaluation>,
    /// The last sample grid.
    pub sample: PathBuf,
    /// The last checkpoint.
    pub checkpoint: PathBuf,
}

/// Trains on `device` until the recipe's epochs or steps are done.
///
/// # Errors
///
/// [`TaskError`] if an image cannot be read, a file cannot be written, the checkpoint
/// does not fit, or the losses stop being finite.
pub fn train<B>(
    job: Job,
    device: &B::Device,
    observer: &mut dyn Observer,
) -> Result<Report, TaskError>
where
    B: AutodiffBackend + HistogramBackend,
    B::InnerBackend: HistogramBackend,
{
    let plan = job.plan();
    observer.started(&plan);
    let Job {
        recipe,
        run,
        images,
        shown,
        weights,
        mut position,
    } = job;
    let mut gan = Gan::<B>::new(&recipe, device);
    if let Some(weights) = weights {
        gan = weights.restore(&recipe, gan, device)?;
    }
    let shown = shown.to_tensors::<B::InnerBackend>(device);
    let losses = HistogramLosses::new(&recipe);
    let mut metrics = MetricsWriter::open(&run.metrics(), position.step)?;
    if position.step == 0 {
        draw(&recipe, &gan, &shown, &run.sample(0), observer)?;
    }
    let mut saved = None;
    let mut save = |gan: &Gan<B>, position: Position, observer: &mut dyn Observer| {
        if let Some((at, folder)) = &saved
            && *at == position
        {
            return Ok(PathBuf::clone(folder));
        }
        if !gan.is_finite() {
            let (step, what) = (position.step, "a weight is not a finite number".to_owned());
            return Err(TaskError::Diverged {
                step,
                what,
                run: run.path().to_owned(),
            });
        }
        let folder = checkpoint::save(gan, position, &recipe, run.path())?;
        observer.wrote(&folder);
        saved = Some((position, folder.clone()));
        Ok(folder)
    };

    let settings = recipe.settings();
    while position.step < plan.total_steps {
        let mut batches = images
            .train()
            .epoch(position.epoch)
            .skip_batches(position.batch);
        while position.step < plan.total_steps {
            let waited = Instant::now();
            let Some(batch) = batches.next().transpose()? else {
                break;
            };
            let batch = batch.to_tensors::<B>(device);
            let (data_seconds, started) = (waited.elapsed().as_secs_f64(), Instant::now());

            let mut dropout = stream(settings.seed, Purpose::Dropout, position.step);
            let dropout: Option<&mut dyn Rng> = Some(&mut dropout);
            let values;
            (gan, values) = gan.step(&recipe, &losses, &batch, dropout);

            position.step += 1;
            position.batch += 1;
            let record = StepRecord {
                step: position.step,
                epoch: position.epoch,
                losses: values,
                step_seconds: started.elapsed().as_secs_f64(),
                data_seconds,
            };
            metrics.append(&record)?;
            observer.stepped(&record);
            if let Some((loss, value)) = values.non_finite() {
                let (step, what) = (position.step, format!("{loss} is {value}"));
                return Err(TaskError::Diverged {
                    step,
                    what,
                    run: run.path().to_owned(),
                });
            }
        }
        if position.batch < images.train().len() {
            break;
        }
        position = Position {
            epoch: position.epoch + 1,
            batch: 0,
            ..position
        };
        draw(&recipe, &gan, &shown, &run.sample(position.epoch), observer)?;
        if position.epoch.is_multiple_of(settings.cp_freq as u64) {
            save(&gan, position, observer)?;
        }
    }

    let checkpoint = save(&gan, position, observer)?;
    let sample = run.last_sample();
    draw(&recipe, &gan, &shown, &sample, observer)?;
    observer.evaluating();
    let evaluation = match images.held_out() {
        Some(held_out) => evaluate(&recipe, &gan.trained_generator(), held_out, device)?,
        None => None,
    };
    if let Some(evaluation) = &evaluation {
        let path = run.evaluation();
        let text = serde_json::to_string_pretty(evaluation)
            .map_err(|error| TaskError::write(&path, std::io::Error::other(error)))?;
        files::write_atomically(&path, text.as_bytes())?;
    }
    report(&run, position, evaluation, sample, checkpoint)
}

fn draw<B: AutodiffBackend>(
    recipe: &Recipe,
    gan: &Gan<B>,
    shown: &Batch<B::InnerBackend>,
    path: &Path,
    observer: &mut dyn Observer,
) -> Result<(), TaskError> {
    let output = translate(recipe, &gan.trained_generator(), shown, 0);
    samples::save(&samples::grid(recipe, shown, output)?, path)?;
    observer.wrote(path);
    Ok(())
}

fn report(
    run: &RunFolder,
    position: Position,
    evaluation: Option<Evaluation>,
    sample: PathBuf,
    checkpoint: PathBuf,
) -> Result<Report, TaskError> {
    let records = metrics::read(&run.metrics())?;
    let averaged = REPORTED.min(records.len().div_ceil(2));
    let mean = |records: &[StepRecord]| StepLosses::mean(records.iter().map(|r| &r.losses));
    Ok(Report {
        run: run.path().to_owned(),
        steps: position.step,
        averaged,
        first: mean(&records[..averaged]),
        last: mean(&records[records.len() - averaged..]),
        evaluation,
        sample,
        checkpoint,
    })
}
