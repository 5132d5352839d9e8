//! Settings: the defaults of each task, the layers that override them, and the table that help,
//! schema and reference page are made from. A [`Recipe`](crate::Recipe) has checked them.

mod backends;
mod choices;
mod defaults;
mod error;
mod key;
mod layer;
pub mod reference;
mod table;
mod task;
mod values;
mod words;

pub use backends::{BACKENDS, DEFAULT_BACKEND};
pub use choices::{
    DEMO_DATASET, GanLoss, LATEST, NonFinite, RecipeChoice, SampleMode, SplitChoice,
    StructureReference,
};
pub use error::SettingsError;
pub use key::{Group, Key, Kind, Shapes};
pub use layer::{Layer, expand_home};
pub use table::{KEYS, Settings};
pub use task::{Task, UnknownTask};
pub(crate) use words::word;
