//! A run on the disk: its folder, what is in it, and the images that it is trained on.

pub(crate) mod checkpoint;
pub(crate) mod export;
pub(crate) mod exported;
pub(crate) mod find;
pub(crate) mod folder;
pub(crate) mod images;
pub(crate) mod list;
pub(crate) mod metrics;
mod naming;
pub(crate) mod plan;
pub(crate) mod position;
pub(crate) mod state;
pub(crate) mod validation;
