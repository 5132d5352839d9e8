//! Training: a run about to start, the loop, and how a run ends.

mod follower;
mod job;
mod leader;
mod non_finite;
mod observer;
mod orders;
mod report;
mod shares;
mod training;
mod writer;

use tracing::{error, info};

use crate::group::members::{Alone, Group};
use crate::group::share;
use crate::run::checkpoint::Shelf;
use crate::run::plan::Plan;
use crate::run::state::{RunState, StateRecord};
use crate::step::backend::TrackedBackend;
use crate::store::error::TaskError;
use crate::view::LivePage;

pub use follower::{Follower, follow};
pub use job::Job;
use leader::Leader;
pub use non_finite::NonFiniteStep;
pub use observer::Observer;
pub use orders::answer;
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
    train_together::<B>(job, &Alone, device, observer, live)
}

/// Trains as [`train`] does, as the first process of `group`, whose others [`follow`]. It alone has the run's folder
/// and the observer.
///
/// The losses are those of one process up to rounding, and the same bits each time for groups of one size.
///
/// # Errors
///
/// As [`train`]; [`TaskError::Process`] if another process cannot go on, [`TaskError::Apart`] if it has come to other
/// weights, and [`TaskError::Settings`] if such a group cannot train with these settings.
pub fn train_together<B: TrackedBackend>(
    job: Job,
    group: &dyn Group,
    device: &B::Device,
    observer: &mut dyn Observer,
    live: Option<LivePage>,
) -> Result<Report, TaskError> {
    // However this ends, the others are told.
    let leader = Leader::new(group);
    share::check(job.recipe.settings(), group.size())?;
    let plan = Plan {
        processes: group.size(),
        ..job.plan()
    };
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
        processes = plan.processes,
        "training starts"
    );
    observer.started(&plan);
    let outcome = Training::<B>::new(&job, &leader, &plan, live, device, observer, &mut state)
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

#[cfg(test)]
mod gradients_tests;
#[cfg(test)]
mod together_tests;
