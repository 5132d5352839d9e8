//! Parity with the official code, number by number.
//!
//! `HUENET_GOLDEN_DIR` names another folder of cases of the same form.

mod color;
mod fixed_width_histogram;
mod histogram;
mod losses;
mod models;
mod report;
mod resize_nearest;
mod train_step;
