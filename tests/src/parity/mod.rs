//! Comparisons with the official numbers, on any backend.

pub mod histogram;
pub mod losses;
pub mod models;
pub mod report;
pub mod train_step;
