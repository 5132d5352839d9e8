//! Makes datasets: the seeded split of a folder written out, pairs from two folders or from
//! photographs and their edges.
//!
//! Nothing that exists is changed or overwritten. What is made is written aside and renamed, so
//! that it is there whole or not at all.

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
