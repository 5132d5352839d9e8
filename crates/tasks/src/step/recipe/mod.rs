//! A recipe: settings that have been checked, with everything built from them.

mod checked;
mod ranges;
mod schedule;
mod training;

pub use checked::Recipe;
pub use schedule::LearningRates;
