//! What the processes that train a run together tell one another.
//!
//! ```text
//! first process             the others
//! Start or nothing   ──►    they look for the images and the device
//! answers            ◄──►   all are ready, or all end
//! order              ──►    Step: read the batch     Meet: a checkpoint is saved     End
//! answers            ◄──►   all are ready, or one wants to stop, or one cannot go on
//! sums of gradients  ◄──►
//! ```

use std::path::PathBuf;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::group::members::Group;
use crate::run::images::Fingerprints;
use crate::run::position::Position;
use crate::store::error::TaskError;

/// What the run is that the others are to train.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Start {
    /// The settings, as TOML.
    pub(super) settings: String,
    /// The folder of the checkpoint to begin with.
    pub(super) checkpoint: Option<PathBuf>,
    pub(super) position: Position,
    /// Steps when the run ends.
    pub(super) planned: u64,
}

/// What the others are to do next.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// Take the step that follows this place.
    Step(Position),
    /// Measure the own batches of validation.
    Validate,
    /// Measure the own batches of the evaluation at the end.
    Evaluate,
    /// Tell what was read, and a checksum of the weights: a checkpoint is to be saved.
    Meet,
    /// Training is over.
    End,
}

/// What a process says to an order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Ready,
    /// It was asked to stop.
    Stop,
    /// It cannot go on, and why.
    Failed(String),
}

/// What a process has come to when a checkpoint is saved.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Met {
    /// What the image files held that it has read.
    pub(super) fingerprints: Fingerprints,
    /// A checksum of its weights.
    pub(super) weights: u32,
}

/// What a process has measured, with the numbers of the batches; or why it could not.
pub(super) type Measured<T> = Result<Vec<(usize, T)>, String>;

/// What of a measurement is told to others. They see an error as its text.
pub(super) fn told_of<T>(
    own: &Result<Vec<(usize, T)>, TaskError>,
) -> Result<&[(usize, T)], String> {
    own.as_deref().map_err(ToString::to_string)
}

/// A message as bytes.
pub(super) fn message(content: &impl Serialize) -> Vec<u8> {
    // Nothing that is told has keys or numbers that JSON lacks.
    serde_json::to_vec(content).unwrap_or_default()
}

/// What `rank` told.
pub(super) fn understood<T: DeserializeOwned>(
    told: &[Vec<u8>],
    rank: usize,
) -> Result<T, TaskError> {
    let bytes = told.get(rank).map_or(&[][..], Vec::as_slice);
    serde_json::from_slice(bytes).map_err(|error| TaskError::Process {
        rank,
        size: told.len(),
        reason: format!(
            "its message is not understood ({error}): all processes need the same huenet"
        ),
    })
}

/// Says to the others whether this process can go on, and why not. Gives whether all of them can and want to.
///
/// Every member calls it once after [`Follower::join`](super::Follower::join) or [`Job::lead`](super::Job::lead), before
/// training.
///
/// # Errors
///
/// [`TaskError::Process`] of the first one that cannot.
pub fn answer(group: &dyn Group, own: Result<(), String>) -> Result<bool, TaskError> {
    reply(group, &own.map_or_else(Answer::Failed, |()| Answer::Ready))
}

/// Says `own` to the others; gives whether all are ready.
pub(super) fn reply(group: &dyn Group, own: &Answer) -> Result<bool, TaskError> {
    let told = group.tell(&message(own));
    let mut ready = true;
    for rank in 0..told.len() {
        match understood::<Answer>(&told, rank)? {
            Answer::Ready => {}
            Answer::Stop => ready = false,
            Answer::Failed(reason) => {
                return Err(TaskError::Process {
                    rank,
                    size: told.len(),
                    reason,
                });
            }
        }
    }
    Ok(ready)
}
