//! The branch that turns the colour reference's histogram into features.

use burn::module::{Module, Param};
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};
use rand::Rng;

use crate::init;

/// Encodes the histograms of an image's channels: each bin's pixel count is looked up in its
/// channel's table of scalars, and a dense layer with ReLU reads all of them.
///
/// A table has one row for every count that can occur, 0 to height·width. Counts outside are
/// read as the nearest row, so that no count can reach outside the table; they mean that the
/// histogram was taken of an image of another size than the tables were made for.
///
/// Source: paper, section 4 (histogram branch of the generator); layout of the dense layer's
/// input from the official code (bin by bin, the channels of a bin side by side).
#[derive(Module, Debug)]
pub struct HistogramEncoder<B: Backend> {
    tables: Vec<Param<Tensor<B, 1>>>,
    weight: Param<Tensor<B, 2>>,
    bias: Param<Tensor<B, 1>>,
}

impl<B: Backend> HistogramEncoder<B> {
    /// Tables uniform in ±0.05, dense layer Glorot uniform with bias 0, drawn from `rng`.
    ///
    /// `pixels` is the height·width of the images whose histograms are encoded.
    pub fn new(
        channels: usize,
        bins: usize,
        pixels: usize,
        rng: &mut impl Rng,
        device: &B::Device,
    ) -> Self {
        let tables = (0..channels)
            .map(|_| init::table(pixels + 1, rng, device))
            .collect();
        let outputs = features(bins);
        Self {
            tables,
            weight: init::dense([channels * bins, outputs], rng, device),
            bias: init::constant(0.0, [outputs], device),
        }
    }

    /// Encodes a batch of histograms.
    ///
    /// # Shapes
    /// - `counts`: `[batch, channels, bins]`, pixels in each bin
    /// - output: `[batch, 2·bins]`, not negative
    ///
    /// # Panics
    /// If channels or bins are not those the encoder was made for.
    pub fn forward(&self, counts: Tensor<B, 3, Int>) -> Tensor<B, 2> {
        let [batch, channels, bins] = counts.dims();
        let [inputs, _] = self.weight.dims();
        assert!(
            channels == self.tables.len() && channels * bins == inputs,
            "histograms of {channels} channels and {bins} bins given to an encoder of {} channels \
             and {} bins",
            self.tables.len(),
            inputs / self.tables.len(),
        );
        let looked_up = self.tables.iter().enumerate().map(|(channel, table)| {
            let [rows] = table.dims();
            let index = counts.clone().narrow(1, channel, 1).reshape([batch * bins]);
            let index = index.clamp(0, rows as i64 - 1);
            table.val().select(0, index).reshape([batch, bins, 1])
        });
        let read = Tensor::cat(looked_up.collect(), 2).reshape([batch, inputs]);
        relu(read.matmul(self.weight.val()) + self.bias.val().unsqueeze())
    }
}

/// How many features `bins` bins are encoded into.
pub(crate) fn features(bins: usize) -> usize {
    2 * bins
}
