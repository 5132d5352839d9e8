//! Parity with the official code, number by number.
//!
//! `HUENET_GOLDEN_DIR` names another folder of cases of the same form.

mod histogram;
mod losses;
mod models;
mod train_step;
