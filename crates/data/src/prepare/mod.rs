//! Makes datasets: writes the seeded split of a folder, and makes pairs from two folders or from
//! photographs and their edges.
//!
//! Nothing that exists is changed or overwritten. New folders are written aside and renamed, so each
//! is complete or absent.

mod aside;
mod error;
mod pairs;
mod split;

#[cfg(feature = "edges")]
mod edges;

#[cfg(feature = "edges")]
pub use edges::Canny;
pub use error::PrepareError;
pub use pairs::{LeftHalf, PairFormat, PairOptions, PairSummary, make_pairs};
pub use split::{SplitSummary, Transfer, list_split, write_split};
