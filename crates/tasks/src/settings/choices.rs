//! The choices that settings give, and names that mean something special.

use serde::{Deserialize, Serialize};

use super::words::word;

/// The name of the built-in dataset.
pub const DEMO_DATASET: &str = "demo";

/// The name that means the run that was started or resumed last.
pub const LATEST: &str = "latest";

/// How held-out images are normalised while sampling and evaluating.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SampleMode {
    /// With their batch's statistics and dropout on, as the official script does.
    Batch,
    /// With the running statistics and no dropout.
    Running,
}

/// The image whose structure the output must keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StructureReference {
    /// The content image, as the paper has it.
    Content,
    /// The colour reference, as the official script has it for colour transfer.
    Reference,
}

/// Which defaults apply to settings that are not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RecipeChoice {
    /// Those of the official script: [`Settings::official`](crate::Settings::official).
    Official,
    /// [`Settings::recommended`](crate::Settings::recommended).
    Recommended,
}

impl RecipeChoice {
    /// The word for it in settings.
    pub fn name(self) -> &'static str {
        word::<Self>(self as usize)
    }
}

/// How a folder without a split of its own is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SplitChoice {
    /// Nine tenths for training, drawn from the seed.
    NinetyTen,
    /// The split that the dataset's authors publish.
    Official,
}

/// How the discriminator's verdicts become the losses of generator and discriminator. The methods have the
/// formulas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GanLoss {
    /// Binary cross-entropy of logits, the official one: Goodfellow et al., "Generative
    /// Adversarial Nets" (2014), in its non-saturating form.
    CrossEntropy,
    /// Mean squares: Mao et al., "Least Squares Generative Adversarial Networks" (2017).
    LeastSquares,
    /// Hinges: Lim and Ye, "Geometric GAN" (2017).
    Hinge,
}

/// What to do about a step whose losses or gradients are not finite numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NonFinite {
    /// Stop the run.
    Stop,
    /// Leave the networks as they were before the step, and go on.
    Skip,
}
