//! The training loop.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use burn::tensor::backend::AutodiffBackend;
use huenet_data::{Batch, HostBatch, Loader};
use huenet_hist::HistogramBackend;

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
use crate::validation::{self, ValidationRecord, validate};
use crate::view::{Distributions, LearningRates, LivePage, View};

/// Steps at the start and at the end that a report averages over.
const REPORTED: usize = 20;

/// Told how a run goes on; whoever shows progress implements it.
pub trait Observer {
    /// The images have been found; the networks are made next, then training starts.
    fn started(&mut self, plan: &Plan);
    /// A step is done.
    fn stepped(&mut self, record: &StepRecord);
    /// A sample grid was written.
    fn drew(&mut self, _path: &Path) {}
    /// Held-out images were looked at, after an epoch.
    fn validated(&mut self, _record: &ValidationRecord) {}
    /// A checkpoint was written.
    fn saved(&mut self, path: &Path);
    /// Something beside the run itself, the report say, could not be written.
    fn warned(&mut self, _fault: &TaskError) {}
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
    mut job: Job,
    device: &B::Device,
    observer: &mut dyn Observer,
) -> Result<Report, TaskError>
where
    B: AutodiffBackend + HistogramBackend,
    B::InnerBackend: HistogramBackend,
{
    let plan = job.plan();
    observer.started(&plan);
    let live = job.live.take();
    let images = &job.images;
    let mut training = Training::<B>::new(&job, &plan, live, device, observer)?;
    if training.position.step == 0 {
        training.draw(&job.run.sample(0))?;
    }
    while training.position.step < plan.total_steps {
        let batches = images.train().epoch(training.position.epoch);
        let mut batches = batches.skip_batches(training.position.batch);
        while training.position.step < plan.total_steps {
            let waited = Instant::now();
            let Some(batch) = batches.next().transpose()? else {
                break;
            };
            let batch = batch.to_tensors::<B>(device);
            training.step(&batch, waited.elapsed())?;
        }
        if training.position.batch == images.train().len() {
            training.end_epoch()?;
        }
    }
    training.finish()
}

/// A run under way.
struct Training<'a, B: AutodiffBackend> {
    recipe: &'a Recipe,
    run: &'a RunFolder,
    held_out: Option<&'a Loader>,
    device: &'a B::Device,
    observer: &'a mut dyn Observer,
    shown_host: &'a HostBatch,
    shown: Batch<B::InnerBackend>,
    losses: HistogramLosses,
    view: View,
    metrics: MetricsWriter,
    gan: Gan<B>,
    position: Position,
    /// The newest checkpoint of this process.
    saved: Option<(Position, PathBuf)>,
}

impl<'a, B> Training<'a, B>
where
    B: AutodiffBackend + HistogramBackend,
    B::InnerBackend: HistogramBackend,
{
    fn new(
        job: &'a Job,
        plan: &Plan,
        live: Option<LivePage>,
        device: &'a B::Device,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, TaskError> {
        let gan = Gan::new(&job.recipe, device);
        let gan = match &job.weights {
            Some(weights) => weights.restore(&job.recipe, gan, device)?,
            None => gan,
        };
        validation::rewind(
            &job.run.validation(),
            job.position.step,
            plan.steps_per_epoch,
        )?;
        Ok(Self {
            recipe: &job.recipe,
            run: &job.run,
            held_out: job.images.held_out(),
            device,
            observer,
            shown_host: &job.shown,
            shown: job.shown.to_tensors(device),
            losses: HistogramLosses::new(&job.recipe),
            view: View::start(&job.recipe, &job.run, plan, job.position, live)?,
            metrics: MetricsWriter::open(&job.run.metrics(), job.position.step)?,
            gan,
            position: job.position,
            saved: None,
        })
    }

    fn step(&mut self, batch: &Batch<B>, waited: Duration) -> Result<(), TaskError> {
        let started = Instant::now();
        let seed = self.recipe.settings().seed;
        let mut dropout = stream(seed, Purpose::Dropout, self.position.step);
        let losses = self
            .gan
            .step(self.recipe, &self.losses, batch, Some(&mut dropout));

        self.position.step += 1;
        self.position.batch += 1;
        let record = StepRecord {
            step: self.position.step,
            epoch: self.position.epoch,
            losses,
            step_seconds: started.elapsed().as_secs_f64(),
            data_seconds: waited.as_secs_f64(),
        };
        self.metrics.append(&record)?;
        self.observer.stepped(&record);
        let rates = self.learning_rates();
        self.view.stepped(&record, rates);
        match losses.non_finite() {
            Some((loss, value)) => Err(self.diverged(format!("{loss} is {value}"))),
            None => Ok(()),
        }
    }

    fn end_epoch(&mut self) -> Result<(), TaskError> {
        self.position = Position {
            epoch: self.position.epoch + 1,
            batch: 0,
            ..self.position
        };
        self.draw(&self.run.sample(self.position.epoch))?;
        self.validate()?;
        let every = self.recipe.settings().cp_freq as u64;
        if self.position.epoch.is_multiple_of(every) {
            self.save()?;
        }
        self.view.epoch_ended();
        self.tell_fault();
        Ok(())
    }

    fn learning_rates(&self) -> LearningRates {
        let settings = self.recipe.settings();
        LearningRates {
            generator: settings.gen_lr,
            discriminator: settings.dis_lr,
        }
    }

    fn tell_fault(&mut self) {
        if let Some(fault) = self.view.fault() {
            self.observer.warned(&fault);
        }
    }

    /// Draws the sample grid.
    fn draw(&mut self, path: &Path) -> Result<(), TaskError> {
        let generator = self.gan.trained_generator();
        let output = translate(self.recipe, &generator, &self.shown, 0);
        let grid = samples::grid(self.recipe, &self.shown, output.clone())?;
        samples::save(&grid, path)?;
        let distributions = Distributions::new(
            self.recipe,
            &self.losses,
            self.shown_host,
            &self.shown,
            output,
        );
        self.view.drew(self.position, grid, distributions);
        self.observer.drew(path);
        Ok(())
    }

    /// Looks at held-out images, if there are any and the settings say so.
    fn validate(&mut self) -> Result<Option<ValidationRecord>, TaskError> {
        let count = self.recipe.settings().validation_images;
        let Some(held_out) = self.held_out.filter(|_| count > 0) else {
            return Ok(None);
        };
        let generator = self.gan.trained_generator();
        let position = self.position;
        let record = validate(
            self.recipe,
            &generator,
            held_out,
            count,
            position,
            self.device,
        )?;
        if let Some(record) = &record {
            validation::append(record, &self.run.validation())?;
            self.observer.validated(record);
            self.view.validated(record);
        }
        Ok(record)
    }

    /// Saves a checkpoint, unless the last one is of this very position.
    fn save(&mut self) -> Result<PathBuf, TaskError> {
        if let Some((position, folder)) = &self.saved
            && *position == self.position
        {
            return Ok(folder.clone());
        }
        if !self.gan.is_finite() {
            return Err(self.diverged("a weight is not a finite number".to_owned()));
        }
        // What the run's other files say of the steps before is then never older.
        self.view.flush();
        let folder = checkpoint::save(&self.gan, self.position, self.recipe, self.run.path())?;
        self.observer.saved(&folder);
        self.saved = Some((self.position, folder.clone()));
        Ok(folder)
    }

    fn diverged(&self, what: String) -> TaskError {
        let run = self.run.path().to_owned();
        TaskError::Diverged {
            step: self.position.step,
            what,
            run,
        }
    }

    fn finish(mut self) -> Result<Report, TaskError> {
        if self.position.batch > 0 {
            // The last epoch, cut short.
            self.validate()?;
        }
        let checkpoint = self.save()?;
        let sample = self.run.last_sample();
        self.draw(&sample)?;
        self.observer.evaluating();
        let generator = self.gan.trained_generator();
        let evaluation = match self.held_out {
            Some(held_out) => evaluate(self.recipe, &generator, held_out, self.device)?,
            None => None,
        };
        if let Some(evaluation) = &evaluation {
            let path = self.run.evaluation();
            let text = serde_json::to_string_pretty(evaluation)
                .map_err(|error| TaskError::write(&path, std::io::Error::other(error)))?;
            files::write_atomically(&path, text.as_bytes())?;
            self.view.evaluated(*evaluation);
        }
        self.view.finish();
        self.tell_fault();
        report(self.run, self.position, evaluation, sample, checkpoint)
    }
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
