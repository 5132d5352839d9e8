//! Training: a run about to start, the loop, and how a run ends.

mod job;
mod non_finite;
mod observer;
mod report;
mod training;
mod writer;

use tracing::{error, info};

use crate::run::checkpoint::Shelf;
use crate::run::state::{RunState, StateRecord};
use crate::step::backend::TrackedBackend;
use crate::store::error::TaskError;
use crate::view::LivePage;

pub use job::Job;
pub use non_finite::NonFiniteStep;
pub use observer::Observer;
pub use report::Report;
use training::Training;

/// Trains on `device` until the recipe's epochs or steps are done, or the observer wants
/// it to stop.
///
/// `live` shows the run while it goes on.
///
/// However training ends, the steps done so far are saved if possible: an image that cannot be read, or a full
/// disk while a sample is written, loses none of them.
///
/// # Errors
///
/// [`TaskError`] if an image cannot be read, a file cannot be written, the checkpoint
/// does not fit, or the losses stop being finite.
pub fn train<B: TrackedBackend>(
    job: Job,
    device: &B::Device,
    observer: &mut dyn Observer,
    live: Option<LivePage>,
) -> Result<Report, TaskError> {
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
