//! What is measured and drawn of images that a generator made.

pub(crate) mod evaluation;
pub(crate) mod figures;
pub mod roughness;
pub(crate) mod samples;
pub(crate) mod screen;
pub mod similarity;
pub mod sliced;
pub(crate) mod translate;
