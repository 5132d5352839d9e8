//! A change to colour maps that were fitted to content and reference.

use burn::module::{Module, Param};
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use rand::Rng;

use crate::backend::NetworkBackend;
use crate::init;
use crate::layer::{Convolution, Layer};
use crate::local_maps::{FittedMaps, MAPS_GRID, MappedImage, VALUES, at_cells, sliced};
use crate::upsample::reflected;

/// Values of the maps at one place of the grid, of all levels.
const OUTPUTS: usize = VALUES * MAPS_GRID[0];

/// Predicts a change of every coefficient from features at the places of the grid: a 3×3 convolution, its borders
/// reflected. Before training the change is 0.
#[derive(Module, Debug)]
pub(super) struct MapsLayer<B: Backend> {
    conv: Conv2d<B>,
}

/// How many numbers the layer holds, if it is given so many channels.
pub(super) fn parameter_count(features: usize) -> usize {
    (9 * features + 1) * OUTPUTS
}

impl<B: NetworkBackend> MapsLayer<B> {
    /// Weights and biases 0. `rng` is drawn from as for any layer.
    pub(super) fn new(features: usize, rng: &mut impl Rng, device: &B::Device) -> Self {
        let mut conv = init::convolution([features, OUTPUTS], 3, 1, 0, true, rng, device);
        conv.weight = Param::from_tensor(conv.weight.val().zeros_like().detach());
        Self { conv }
    }

    #[cfg(test)]
    pub(super) fn weight(&mut self) -> &mut Param<Tensor<B, 4>> {
        &mut self.conv.weight
    }

    /// # Shapes
    /// - `features`: `[batch, features, height, width]`, of any size
    /// - output: `[batch, 12, levels, rows, columns]`
    fn change(&self, features: Tensor<B, 4>) -> Tensor<B, 5> {
        let [batch, channels, ..] = features.dims();
        let framed = reflected(at_cells(features));
        let change = B::layer(Layer::of(Convolution::Framed(&self.conv)), framed);
        let [levels, rows, columns] = MAPS_GRID;
        // Adam moves each weight as far, however many there are; what they make of the features together should not
        // be the larger for it.
        let change = change.div_scalar(((9 * channels) as f64).sqrt());
        change.reshape([batch, VALUES, levels, rows, columns])
    }

    /// What the changed maps make of the content: what the fitted ones make of it, and what their change does.
    ///
    /// # Shapes
    /// - `features`: as in [`change`](Self::change)
    /// - `content` and `mapped`, the content by the fitted maps: `[batch, 3, height, width]`
    pub(super) fn forward(
        &self,
        features: Tensor<B, 4>,
        content: Tensor<B, 4>,
        mapped: Tensor<B, 4>,
        fitted: FittedMaps<B>,
    ) -> MappedImage<B> {
        let change = self.change(features);
        MappedImage {
            output: mapped + sliced(change.clone(), content, fitted.luma),
            maps: fitted.maps + change.clone(),
            change,
        }
    }
}
