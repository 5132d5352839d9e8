//! The branch that turns the colour reference's histogram into features.

use burn::module::{Module, Param};
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};
use rand::Rng;

use crate::backend::NetworkBackend;
use crate::init;
use crate::products::product_of_two;

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

impl<B: NetworkBackend> HistogramEncoder<B> {
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
        let product = product_of_two(read, self.weight.val(), B::ROUNDS_PRODUCTS);
        relu(product + self.bias.val().unsqueeze())
    }
}

/// How many features `bins` bins are encoded into.
pub(crate) fn features(bins: usize) -> usize {
    2 * bins
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FlexAutodiff, NdArray, largest_difference, rng, values};
    use burn::tensor::backend::AutodiffBackend;
    use burn::tensor::{DType, TensorData};

    type NdArrayAutodiff = burn_autodiff::Autodiff<NdArray>;

    fn histograms<B: Backend>(counts: &[i32], shape: [usize; 3]) -> Tensor<B, 3, Int> {
        Tensor::from_data(TensorData::new(counts.to_vec(), shape), &Default::default())
    }

    fn vector(values: &[f32]) -> Tensor<FlexAutodiff, 1> {
        Tensor::from_data(values, (&Default::default(), DType::F32))
    }

    #[test]
    fn reads_bin_by_bin_with_the_channels_side_by_side() {
        let mut encoder =
            HistogramEncoder::<FlexAutodiff>::new(2, 2, 9, &mut rng(1), &Default::default());
        // The dense layer passes its input on.
        encoder.weight = Param::from_tensor(
            vector(&[
                1., 0., 0., 0., 0., 1., 0., 0., 0., 0., 1., 0., 0., 0., 0., 1.,
            ])
            .reshape([4, 4]),
        );
        for (channel, table) in encoder.tables.iter_mut().enumerate() {
            let rows = (0..10)
                .map(|row| (100 * channel + row) as f32)
                .collect::<Vec<_>>();
            *table = Param::from_tensor(vector(&rows));
        }
        let counts = histograms(&[1, 8, 2, 7, 9, 0, 3, 6], [2, 2, 2]);
        let expected = [1.0, 102.0, 8.0, 107.0, 9.0, 103.0, 0.0, 106.0];
        assert_eq!(values(encoder.forward(counts)), expected);
    }

    fn gradient_reaches_the_rows_in_use<B: AutodiffBackend + NetworkBackend>() {
        let encoder = HistogramEncoder::<B>::new(1, 3, 9, &mut rng(1), &Default::default());
        // A count that occurs in two bins adds up the gradients of both.
        let counts = histograms(&[4, 4, 1], [1, 1, 3]);
        let gradients = encoder.forward(counts).sum().backward();
        let table = values(encoder.tables[0].grad(&gradients).unwrap());
        let bias = values(encoder.bias.grad(&gradients).unwrap());
        let weight = values(encoder.weight.val());
        let mut expected = [0.0; 10];
        for (row, inputs) in [(4, 0..2), (1, 2..3)] {
            // ReLU's gradient is the bias'.
            expected[row] = inputs
                .flat_map(|i| weight[i * 6..][..6].iter().zip(&bias).map(|(w, g)| w * g))
                .sum();
        }
        assert!(
            largest_difference(&table, &expected) < 1e-6,
            "{table:?} {expected:?}"
        );
        assert!(expected[4] != 0.0 && expected[1] != 0.0);
    }

    #[test]
    fn the_tables_learn_on_flex_and_ndarray() {
        gradient_reaches_the_rows_in_use::<FlexAutodiff>();
        gradient_reaches_the_rows_in_use::<NdArrayAutodiff>();
    }

    #[test]
    fn counts_outside_are_read_as_the_nearest_row() {
        let encoder = HistogramEncoder::<NdArray>::new(1, 2, 9, &mut rng(1), &Default::default());
        let outside = encoder.forward(histograms(&[-3, 1000], [1, 1, 2]));
        let ends = encoder.forward(histograms(&[0, 9], [1, 1, 2]));
        assert_eq!(values(outside), values(ends));
    }

    #[test]
    #[should_panic(expected = "given to an encoder of 2 channels and 4 bins")]
    fn says_which_histograms_it_takes() {
        let encoder = HistogramEncoder::<NdArray>::new(2, 4, 9, &mut rng(1), &Default::default());
        encoder.forward(histograms(&[0; 8], [1, 1, 8]));
    }
}
