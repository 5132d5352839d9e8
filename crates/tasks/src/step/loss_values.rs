//! The losses of a step as numbers.

use serde::{Deserialize, Serialize};

use crate::store::numbers::{given_number, number};

/// The losses of one step, by the official script's names. Unweighted, but for the
/// total. One that is not a finite number is `null` in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepLosses {
    /// The weighted sum the generator is trained on.
    #[serde(deserialize_with = "number")]
    pub gen_total_loss: f64,
    /// The adversarial loss of the discriminator's verdict on generated images, as against
    /// "real": binary cross-entropy, or what `gan_loss` says.
    #[serde(deserialize_with = "number")]
    pub gen_gan_loss: f64,
    /// The structure loss: conditional entropy H(content | output), in nats.
    #[serde(deserialize_with = "number")]
    pub gen_mi_loss: f64,
    /// The earth mover's distance between the output's and the reference's histograms: the mean over
    /// the channels, or over as many directions as `colour_directions` says.
    #[serde(deserialize_with = "number")]
    pub gen_hist_loss: f64,
    /// The adversarial loss of the discriminator on real and generated images.
    #[serde(deserialize_with = "number")]
    pub disc_loss: f64,
    /// The mean absolute difference between output and ground truth, if it has a weight. Ours: the
    /// official script has no such loss.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "given_number"
    )]
    pub gen_reconstruction_loss: Option<f64>,
    /// (1 − SSIM)² of luma between content and output, if it has a weight. Ours, too.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "given_number"
    )]
    pub gen_ssim_loss: Option<f64>,
    /// The mean squared difference between neighbouring coefficients of the change to local maps, if
    /// the generator predicts one and it has a weight. Ours, too.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "given_number"
    )]
    pub gen_smoothness_loss: Option<f64>,
}

impl StepLosses {
    /// The names of the losses that not every run has, in the order of [`further`](Self::further).
    pub const FURTHER: [&str; 3] = [
        "gen_reconstruction_loss",
        "gen_ssim_loss",
        "gen_smoothness_loss",
    ];

    /// The names of the losses that every run has, in the order of [`to_array`](Self::to_array).
    pub const NAMES: [&str; 5] = [
        "gen_total_loss",
        "gen_gan_loss",
        "gen_mi_loss",
        "gen_hist_loss",
        "disc_loss",
    ];

    /// The losses that every run has, in the order of their [`NAMES`](Self::NAMES).
    pub fn to_array(self) -> [f64; 5] {
        [
            self.gen_total_loss,
            self.gen_gan_loss,
            self.gen_mi_loss,
            self.gen_hist_loss,
            self.disc_loss,
        ]
    }

    /// The losses from the order of their [`NAMES`](Self::NAMES).
    pub fn from_array(values: [f64; 5]) -> Self {
        let [
            gen_total_loss,
            gen_gan_loss,
            gen_mi_loss,
            gen_hist_loss,
            disc_loss,
        ] = values;
        Self {
            gen_total_loss,
            gen_gan_loss,
            gen_mi_loss,
            gen_hist_loss,
            disc_loss,
            gen_reconstruction_loss: None,
            gen_ssim_loss: None,
            gen_smoothness_loss: None,
        }
    }

    /// The losses that not every run has, in the order of their names,
    /// [`FURTHER`](Self::FURTHER).
    pub fn further(self) -> [Option<f64>; 3] {
        [
            self.gen_reconstruction_loss,
            self.gen_ssim_loss,
            self.gen_smoothness_loss,
        ]
    }

    /// With these losses, in the order of [`FURTHER`](Self::FURTHER).
    pub fn with_further(self, losses: [Option<f64>; 3]) -> Self {
        let [gen_reconstruction_loss, gen_ssim_loss, gen_smoothness_loss] = losses;
        Self {
            gen_reconstruction_loss,
            gen_ssim_loss,
            gen_smoothness_loss,
            ..self
        }
    }

    /// Names and values of the losses that there are.
    pub fn named(self) -> impl Iterator<Item = (&'static str, f64)> {
        let further = Self::FURTHER.into_iter().zip(self.further());
        let further = further.filter_map(|(name, value)| Some((name, value?)));
        Self::NAMES.into_iter().zip(self.to_array()).chain(further)
    }

    /// The losses that are not finite numbers.
    pub fn non_finite(self) -> impl Iterator<Item = (&'static str, f64)> {
        self.named().filter(|(_, value)| !value.is_finite())
    }

    /// The mean of each loss.
    pub fn mean<'a>(losses: impl ExactSizeIterator<Item = &'a Self>) -> Self {
        let count = losses.len().max(1) as f64;
        let mut mean = [0.0; 5];
        let mut further = [None; 3];
        for one in losses {
            for (mean, value) in mean.iter_mut().zip(one.to_array()) {
                *mean += value / count;
            }
            for (mean, value) in further.iter_mut().zip(one.further()) {
                if let Some(value) = value {
                    *mean.get_or_insert(0.0) += value / count;
                }
            }
        }
        Self::from_array(mean).with_further(further)
    }
}
