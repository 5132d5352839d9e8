//! The branch that turns both images' distributions into a modulation of every level.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;
use rand::Rng;

use crate::backend::NetworkBackend;
use crate::dense::Dense;
use crate::layer::LEAKY_SLOPE;
use crate::modulation::Modulation;

/// Features that the distributions are encoded into.
pub(crate) const FEATURES: usize = 128;

/// Reads the quantiles of reference and content, and says for each doubling of
/// the generator how its channels are to be scaled and shifted.
///
/// Two dense layers with LeakyReLU 0.3 make features of the distributions; a linear layer for
/// each level makes scales and shifts of the features.
///
/// Source: feature-wise linear modulation, Perez et al., "FiLM: Visual Reasoning with a General
/// Conditioning Layer" (2018).
#[derive(Module, Debug)]
pub struct DistributionEncoder<B: Backend> {
    layers: Vec<Dense<B>>,
    modulations: Vec<Dense<B>>,
}

impl<B: NetworkBackend> DistributionEncoder<B> {
    /// For quantiles of `inputs` numbers and levels of these channels. Dense layers Glorot
    /// uniform, the levels' N(0, 0.02), all biases 0, drawn from `rng`.
    pub fn new(
        inputs: usize,
        levels: impl IntoIterator<Item = usize>,
        rng: &mut impl Rng,
        device: &B::Device,
    ) -> Self {
        let layers = [inputs, FEATURES].map(|inputs| Dense::new([inputs, FEATURES], rng, device));
        let modulation = |channels| Dense::small([FEATURES, 2 * channels], rng, device);
        Self {
            layers: layers.into(),
            modulations: levels.into_iter().map(modulation).collect(),
        }
    }

    /// Encodes quantiles.
    ///
    /// # Shapes
    /// - `quantiles`: `[batch, inputs]`, about [−1, 1]
    /// - output: `[batch, 128]`
    pub fn forward(&self, quantiles: Tensor<B, 2>) -> Tensor<B, 2> {
        self.layers.iter().fold(quantiles, |features, layer| {
            leaky_relu(layer.forward(features))
        })
    }

    /// The modulation of one level.
    ///
    /// # Shapes
    /// - `features`: `[batch, 128]`, from [`forward`](Self::forward)
    pub(crate) fn modulation(&self, level: usize, features: Tensor<B, 2>) -> Modulation<B> {
        let both = self.modulations[level].forward(features);
        let channels = both.dims()[1] / 2;
        Modulation {
            scale: both.clone().narrow(1, 0, channels),
            shift: both.narrow(1, channels, channels),
        }
    }
}

/// LeakyReLU 0.3, made of ReLUs: Burn's own keeps for the backward pass which entries are negative, and
/// CubeCL 0.10 cannot compile for CUDA a matrix product fused with what writes such flags, of a
/// byte each.
///
/// # Shapes
/// - `features` and output: `[batch, features]`
fn leaky_relu<B: Backend>(features: Tensor<B, 2>) -> Tensor<B, 2> {
    relu(features.clone()) - relu(features.neg()).mul_scalar(LEAKY_SLOPE)
}

/// How many numbers an encoder of `inputs` numbers for levels of these channels holds.
pub(crate) fn parameter_count(inputs: usize, levels: impl IntoIterator<Item = usize>) -> usize {
    let layers = (inputs + 1) * FEATURES + (FEATURES + 1) * FEATURES;
    let of_levels = levels.into_iter().map(|c| 2 * c * (FEATURES + 1));
    layers + of_levels.sum::<usize>()
}
