//! The colour map of a pair.

use huenet_tasks::transfer::{ColourMap, FitOptions, LocalMaps, Sample, TransferError, fit};
use huenet_tasks::{RefineOptions, TrainingBackend, refine};

use super::options::Options;
use crate::backend::{self, OnBackend};

/// How content gets the colours of the reference: as fitted, and refined if the options ask for it.
pub(super) fn found(
    options: &Options,
    content: &Sample,
    reference: &Sample,
) -> anyhow::Result<Box<dyn ColourMap>> {
    let Some(refining) = &options.refine else {
        return Ok(fit(options.method, content, reference, &options.fit));
    };
    let work = Refining {
        fit: &options.fit,
        refining,
        content,
        reference,
    };
    Ok(Box::new(backend::on_first(work)??))
}

/// Local maps to be fitted and refined on a backend.
struct Refining<'a> {
    fit: &'a FitOptions,
    refining: &'a RefineOptions,
    content: &'a Sample,
    reference: &'a Sample,
}

impl OnBackend for Refining<'_> {
    type Output = Result<LocalMaps, TransferError>;

    fn remedy(&self) -> &'static str {
        "free some memory, or leave --refine out"
    }

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output {
        let fitted = LocalMaps::fit(self.content, self.reference, self.fit);
        refine::<B>(&fitted, self.content, self.reference, self.refining, device)
    }
}
