//! A trained generator beside methods that need no training, and beside another generator, image by image.
//!
//! ```text
//! run, pairs ──► Study ──► compare ──► Comparison ──► Markdown, JSON, HTML, contact sheet
//! other run  ────┘            └────► Progress ──► each image
//! ```
//!
//! Every method gets the same pairs, prepared as the run prepares them, and is measured in the
//! same way: in 256 bins with the official kernel, whatever the run was trained with, and in YUV if
//! the images have colours.

mod batch;
mod bootstrap;
mod comparison;
mod difference;
mod differences_table;
mod measuring;
mod method;
mod other;
mod page;
mod pairs;
mod pictures;
mod sheet;
mod study;
mod summary;
mod table;
mod write;

pub use bootstrap::{CONFIDENCE, interval};
pub use comparison::{Comparison, Measured, PairFigures};
pub use difference::{Better, Difference, Shares};
pub use measuring::compare;
pub use method::Method;
pub use pairs::Pair;
pub use pictures::{Picture, Progress};
pub use study::{BINS, Study, Which};
pub use summary::Summary;
pub use write::{write_html, write_image, write_json};
