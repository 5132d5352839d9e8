//! The events of a run, for whoever shows its progress.

use std::path::Path;

use super::non_finite::NonFiniteStep;
use crate::run::metrics::StepRecord;
use crate::run::plan::Plan;
use crate::run::validation::ValidationRecord;
use crate::store::error::TaskError;

/// Receives the events of a run. A program that shows progress implements it.
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
    /// A file that the run does not depend on, such as the report, could not be written. Training goes on.
    fn warned(&mut self, _fault: &TaskError) {}
    /// The last step is done; held-out images are being evaluated. Not called if there are none.
    fn evaluating(&mut self) {}
    /// Whether the run is to stop. Asked between steps; what was done is saved first.
    fn wants_stop(&mut self) -> bool {
        false
    }
}
