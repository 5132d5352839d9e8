//! HueNet's training recipes: what each task trains on, which images each loss
//! compares, and the loop that does it.
//!
//! Source: Avi-Aharon, Arbelle and Riklin Raviv, "Differentiable Histogram Loss
//! Functions for Intensity-based Image-to-Image Translation", TPAMI 2023, and the
//! authors' official code, whose names for settings and losses are kept.
//!
//! ```text
//! Layer… ──► Settings ──► Recipe ──► Job ──► train ──► Report
//! file, env,  merged,     checked,   run      the       losses, figures,
//! flags       by figment  built      folder   loop      sample, checkpoint
//! ```
//!
//! A training step ([`Gan::step`]) takes both gradients at the same weights: the
//! generator's total loss
//!
//! ```text
//! gan · BCE(real, D(G))  +  mi · H(content | output)  +  hist · EMD(output, reference)
//! ```
//!
//! through a frozen discriminator, and the discriminator's BCE on a real and on the
//! generated batch. Settings put another adversarial loss in the place of BCE
//! ([`settings::GanLoss`]), and beside the three a mean absolute difference to the ground truth
//! ([`reconstruction_loss`]), a loss of the content's local structure ([`ssim_loss()`]), and one of the smoothness of
//! predicted colour maps ([`smoothness_loss`]).

// Each folder imports only from those before it, as `cargo xtask modules` checks:
// settings ← store ← group ← transfer ← step ← refine ← measure ← run ← apply ← view ← train ← compare
pub mod compare;
pub mod settings;
pub mod transfer;

mod apply;
mod group;
mod measure;
mod refine;
mod run;
mod step;
mod store;
mod train;
mod view;

pub use apply::{MapsInput, Model, TranslateOptions, Translator};
pub use group::members::{Alone, Group};
pub use group::share::check as check_group;
pub use measure::evaluation::{Evaluation, evaluate};
pub use measure::figures::{Figures, channel_names, figures};
pub use measure::samples::{grid, to_rgb};
pub use measure::translate::translate;
pub use measure::{roughness, similarity, sliced};
pub use refine::{RefineOptions, refine};
pub use run::checkpoint::Checkpoint;
pub use run::export::{ExportFormat, export};
pub use run::find::find_run;
pub use run::folder::RunFolder;
pub use run::images::{Images, SPLIT_SEED};
pub use run::list::{RunList, RunSummary};
pub use run::metrics::{StepRecord, read as read_metrics};
pub use run::plan::Plan;
pub use run::position::Position;
pub use run::state::{RunState, StateRecord};
pub use run::validation::{ValidationRecord, read as read_validation, validate};
pub use settings::{LATEST, Layer, Settings, SettingsError, Task, UnknownTask};
pub use step::adam::AdamState;
pub use step::adam_rule::{Adam, AdamTensors};
pub use step::adversarial::{generated_loss, real_loss};
pub use step::backend::{TrackedBackend, TrainingBackend};
pub use step::cost::{StepCost, checkpoint_bytes, pool_bytes, step_cost};
pub use step::deferred::{DeferredLosses, StepOutcome};
pub use step::displayable::displayable;
pub use step::gan::{DiscriminatorAdam, Gan, GeneratorAdam, StepGradients};
pub use step::gradients::NonFiniteValues;
pub use step::loss_values::StepLosses;
pub use step::recipe::{LearningRates, Recipe};
pub use step::reconstruction_loss::reconstruction_loss;
pub use step::smoothness_loss::smoothness_loss;
pub use step::ssim_loss::ssim_loss;
pub use store::error::TaskError;
pub use train::{
    Follower, Job, NonFiniteStep, Observer, Report, answer, follow, train, train_together,
};
pub use view::tensorboard;
pub use view::{ChannelDistributions, Distributions, ImageDistributions, LivePage};
