//! A trained generator applied to photographs.
//!
//! ```text
//! content ──scaled, framed──► network ──► output ──guided filter, residual──► content's size
//! reference ──counted────────────┘
//! ```

mod frame;
mod full_size;
mod grid;
mod guided;
mod model;
mod translator;

pub use model::Model;
pub use translator::{TranslateOptions, Translator};
