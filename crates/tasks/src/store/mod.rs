//! Files of a run, and what can go wrong with one.

pub(crate) mod error;
pub(crate) mod files;
pub(crate) mod lines;
pub(crate) mod numbers;
pub(crate) mod tensors;
pub(crate) mod worker;
