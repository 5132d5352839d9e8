//! Settings: the defaults of each task, the layers that override them, and the table that help,
//! schema and reference page are made from. A [`Recipe`](crate::Recipe) has checked them.

mod choices;
mod defaults;
mod error;
mod keys;
mod layer;
pub mod reference;
mod task;
mod values;

pub use choices::{
    DEMO_DATASET, GanLoss, LATEST, NonFinite, RecipeChoice, SampleMode, SplitChoice,
    StructureReference,
};
pub use error::SettingsError;
pub use keys::{Group, KEYS, Key, Kind};
pub use layer::{Layer, expand_home};
pub use task::{Task, UnknownTask};
pub use values::Settings;
