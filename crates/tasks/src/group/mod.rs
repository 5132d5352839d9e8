//! The processes that train one run together, and how they divide a batch.

pub(crate) mod members;
pub(crate) mod share;
#[cfg(test)]
pub(crate) mod threads;
pub(crate) mod workers;
