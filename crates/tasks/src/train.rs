//! The training loop.

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::backend::AutodiffBackend;
use huenet_data::Batch;
use huenet_hist::HistogramBackend;
use rand::Rng;

use crate::checkpoint::{self, Position};
use crate::error::TaskError;
use crate::evaluation::{Evaluation, evaluate, translate};
use crate::files;
use crate::gan::Gan;
use crate::job::{Job, Plan};
use crate::losses::HistogramLosses;
use crate::metrics::{self, MetricsWriter, StepLosses, StepRecord};
use crate::recipe::Recipe;
use crate::run::RunFolder;
use crate::samples;
use crate::seeds::{Purpose, stream};

/// Steps at the start and at the end that a report averages over.
const REPORTED: usize = 20;

/// Told how a run goes on; whoever shows progress implements it.
pub trait Observer {
    /// Everything is ready; training starts.
    fn started(&mut self, plan: &Plan);
    /// A step is done.
    fn stepped(&mut self, record: &StepRecord);
    /// A sample grid was written.
    fn drew(&mut self, _path: &Path) {}
    /// A checkpoint was written.
    fn saved(&mut self, path: &Path);
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
        observer.saved(&folder);
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
    observer.drew(path);
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
