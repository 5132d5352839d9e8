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
//! ([`reconstruction_loss`]) and a loss of the content's local structure ([`ssim_loss()`]).

pub mod image_metrics;
pub mod settings;

mod adam;
mod adversarial;
mod average;
mod checkpoint;
mod cost;
mod displayable;
mod error;
pub mod evaluate;
mod evaluation;
mod export;
mod figures;
mod files;
mod find;
#[cfg(feature = "flex")]
mod flex;
mod gan;
mod gradients;
mod job;
#[cfg(feature = "tch")]
mod libtorch;
mod lines;
mod losses;
mod measures;
mod metrics;
#[cfg(any(feature = "flex", feature = "tch"))]
mod one_pass;
mod pool;
mod recipe;
mod run;
mod runs;
mod samples;
mod seeds;
mod source;
mod ssim_loss;
mod state;
mod task;
pub mod tensorboard;
mod train;
mod validation;
mod view;

pub use adam::{Adam, AdamState};
pub use adversarial::{generated_loss, real_loss};
pub use checkpoint::{Checkpoint, Position};
pub use cost::{StepCost, checkpoint_bytes, pool_bytes, step_cost};
pub use displayable::displayable;
pub use error::TaskError;
pub use evaluation::{Evaluation, evaluate, translate};
pub use export::export;
pub use figures::{Figures, channel_names, figures};
pub use find::find_run;
pub use gan::{DiscriminatorAdam, Gan, GeneratorAdam, StepGradients};
pub use gradients::NonFiniteValues;
pub use job::{Job, Plan};
pub use losses::{HistogramLosses, ImageLosses, reconstruction_loss};
pub use measures::{Measures, StepMeasures};
pub use metrics::{StepLosses, StepRecord, read as read_metrics};
pub use recipe::{LearningRates, Recipe};
pub use run::{LATEST, RunFolder};
pub use runs::{RunList, RunSummary};
pub use samples::{grid, to_rgb};
pub use settings::{Layer, Settings, SettingsError};
pub use source::{Images, SPLIT_SEED};
pub use ssim_loss::ssim_loss;
pub use state::{RunState, StateRecord};
pub use task::{Task, UnknownTask};
pub use train::{NonFiniteStep, Observer, Report, train};
pub use validation::{ValidationRecord, read as read_validation, validate};
pub use view::{ChannelDistributions, Distributions, ImageDistributions, LivePage};
