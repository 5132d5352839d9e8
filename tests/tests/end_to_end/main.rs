//! The real `huenet` binary on real image files in the layouts of the real datasets.

mod bad_input;
mod resume;
mod support;
mod train;
