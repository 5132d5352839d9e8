//! How a run went.

use std::path::PathBuf;

use crate::measure::evaluation::Evaluation;
use crate::run::folder::RunFolder;
use crate::run::metrics::{self, StepRecord};
use crate::run::position::Position;
use crate::step::loss_values::StepLosses;
use crate::store::error::TaskError;

/// Steps at the start and at the end that a report averages over.
const REPORTED: usize = 20;

/// How a run went.
#[derive(Clone, Debug)]
pub struct Report {
    /// The run's folder.
    pub run: PathBuf,
    /// Whether all steps were done; otherwise the run was asked to stop.
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
    /// The sample grid drawn at the end, if all steps were done.
    pub sample: Option<PathBuf>,
    /// The last checkpoint.
    pub checkpoint: PathBuf,
}

impl Report {
    /// The report of a run that was stopped at `position`.
    pub(super) fn of_stopped(
        run: &RunFolder,
        position: Position,
        checkpoint: PathBuf,
    ) -> Result<Self, TaskError> {
        let mut records = metrics::read(&run.metrics())?;
        records.retain(|record| !record.skipped);
        let averaged = REPORTED.min(records.len().div_ceil(2));
        let mean = |records: &[StepRecord]| StepLosses::mean(records.iter().map(|r| &r.losses));
        Ok(Self {
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
}
