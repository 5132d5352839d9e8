//! What is measured and drawn of images that a generator made.

pub(crate) mod evaluation;
pub(crate) mod figures;
pub(crate) mod samples;
pub mod similarity;
pub(crate) mod translate;
