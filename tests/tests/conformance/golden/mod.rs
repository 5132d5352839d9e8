//! Parity with the official code, number by number: what does not depend on the backend, and the
//! histograms in double precision and in the dense formulas. `conformance` has the rest, for every
//! backend.
//!
//! `HUENET_GOLDEN_DIR` names another folder of cases of the same form.

mod color;
mod fixed_width_histogram;
mod histogram;
mod resize_nearest;
