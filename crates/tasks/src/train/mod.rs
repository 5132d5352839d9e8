//! The training loop: what it is told and tells, and how a run ends.

pub(crate) mod job;
mod non_finite;
mod training;
mod writer;

use std::path::{Path, PathBuf};

use burn::tensor::backend::AutodiffBackend;
use huenet_hist::HistogramBackend;
use tracing::{error, info};

use crate::measure::evaluation::Evaluation;
use crate::run::checkpoint::{Position, Shelf};
use crate::run::folder::RunFolder;
use crate::run::metrics::{self, StepLosses, StepRecord};
use crate::run::state::{RunState, StateRecord};
use crate::run::validation::ValidationRecord;
use crate::store::error::TaskError;
use crate::train::job::{Job, Plan};

pub use non_finite::NonFiniteStep;
use training::Training;

/// Steps at the start and at the end that a report averages over.
const REPORTED: usize = 20;

/// Told how a run goes on; whoever shows progress implements it.
pub trait Observer {
    /// The images have been found; the networks are made next, then training starts.
    fn started(&mut self, plan: &Plan);
    /// A step is done.
    fn stepped(&mut self, record: &StepRecord);
    /// A step was skipped: something in it is not a finite number.
    fn skipped(&mut self, _step: &NonFiniteStep) {}
    /// A sample grid was drawn.
    fn drew(&mut self, _path: &Path) {}
    /// Held-out images were looked at, after an epoch.
    fn validated(&mut self, _record: &ValidationRecord) {}
    /// A checkpoint was written.
    fn saved(&mut self, path: &Path);
    /// Something beside the run itself, the report say, could not be written.
    fn warned(&mut self, _fault: &TaskError) {}
    /// The last step is done; held-out images are being evaluated. Not called if there are none.
    fn evaluating(&mut self) {}
    /// Whether the run is to stop. Asked between steps; what was done is saved first.
    fn wants_stop(&mut self) -> bool {
        false
    }
}

/// How a run went.
#[derive(Clone, Debug)]
pub struct Report {
    /// The run's folder.
    pub run: PathBuf,
    /// Whether all steps were done; the run was asked to stop otherwise.
    pub finished: bool,
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
    /// The sample grid drawn at the end, if the run came there.
    pub sample: Option<PathBuf>,
    /// The last checkpoint.
    pub checkpoint: PathBuf,
}

/// Trains on `device` until the recipe's epochs or steps are done, or the observer wants
/// it to stop.
///
/// Whatever ends it, what was done is saved if it can be: the images of a later step that
/// cannot be read, or a sample that finds no room on the disk, cost no step.
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
    let mut state = StateRecord::begin(job.position, plan.total_steps);
    state.write(job.run.path())?;
    info!(
        run = %plan.run.display(),
        version = env!("CARGO_PKG_VERSION"),
        backend = job.recipe.settings().backend,
        training_images = plan.training_images,
        held_out_images = plan.held_out_images,
        first_step = plan.first_step,
        total_steps = plan.total_steps,
        "training starts"
    );
    observer.started(&plan);
    let live = job.live.take();
    let outcome = Training::<B>::new(&job, &plan, live, device, observer, &mut state)
        .and_then(|training| training.run())
        .map_err(|error| {
            let run = job.run.path();
            error.of_run(run, !Shelf::of(run).list().is_empty())
        });
    state.state = match &outcome {
        Ok(report) if report.finished => {
            info!(step = report.steps, "all steps are done");
            RunState::Finished
        }
        Ok(report) => {
            info!(step = report.steps, "stopped as asked");
            RunState::Stopped
        }
        Err(error) => {
            error!(steps_done = state.position.step, %error, "failed");
            state.error = Some(error.to_string());
            RunState::Failed
        }
    };
    let written = state.write(job.run.path());
    // The run's own error is the one to tell of.
    outcome.and_then(|report| written.map(|()| report))
}

/// The report of a run that was stopped at `position`.
fn report(run: &RunFolder, position: Position, checkpoint: PathBuf) -> Result<Report, TaskError> {
    let mut records = metrics::read(&run.metrics())?;
    records.retain(|record| !record.skipped);
    let averaged = REPORTED.min(records.len().div_ceil(2));
    let mean = |records: &[StepRecord]| StepLosses::mean(records.iter().map(|r| &r.losses));
    Ok(Report {
        run: run.path().to_owned(),
        finished: false,
        steps: position.step,
        averaged,
        first: mean(&records[..averaged]),
        last: mean(&records[records.len() - averaged..]),
        evaluation: None,
        sample: None,
        checkpoint,
    })
}
