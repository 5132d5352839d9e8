//! Histogram matching: where the colours of an image would go if each channel were moved onto the
//! reference's histogram by the shortest way.

use burn::tensor::backend::Backend;
use burn::tensor::{IndexingUpdateOp, Int, Tensor, TensorData};

/// How many quantiles tell a distribution.
pub const QUANTILES: usize = 32;

/// Where a content image's channels would go, if each were moved onto a reference's histogram.
///
/// In one dimension the optimal transport between two distributions is the increasing map
/// Q_r ∘ F_c: the reference's quantile function of the content's cumulative distribution. A
/// value that many pixels have goes as a whole to the middle of its quantiles; so a constant
/// channel goes to the reference's median.
///
/// Source: Monge's problem on the line, see Peyré and Cuturi, "Computational Optimal Transport"
/// (2019), remark 2.30; known in image processing as histogram specification.
#[derive(Debug, Clone)]
pub struct Matching<B: Backend> {
    /// The level of each pixel, `[batch·channels, pixels]`.
    levels: Tensor<B, 2, Int>,
    /// The share of the pixels at each level, `[batch·channels, K + 1]`.
    content: Tensor<B, 2>,
    /// The share of the pixels in each bin, `[batch·channels, K]`.
    reference: Tensor<B, 2>,
    shape: [usize; 4],
}

impl<B: Backend> Matching<B> {
    /// Matches `content` to histograms of K equal bins over [−1, 1]. Neither gets a gradient.
    ///
    /// The content is counted at the K + 1 edges of the bins, so that values around 0, the chroma
    /// of grey, are one level however they round.
    ///
    /// # Shapes
    /// - `content`: `[batch, channels, height, width]`, in [−1, 1] (others are read as the ends)
    /// - `counts`: `[batch, channels, K]`, pixels of the reference in each bin, of any number of
    ///   pixels; a channel without a pixel is read as one that is 1 everywhere
    ///
    /// # Panics
    /// If batch or channels differ.
    pub fn new(content: &Tensor<B, 4>, counts: Tensor<B, 3, Int>) -> Self {
        let content = content.clone().detach();
        let (shape, dtype) = (content.dims(), content.dtype());
        let [batch, channels, height, width] = shape;
        let [of_batch, of_channels, bins] = counts.dims();
        assert_eq!(
            [batch, channels],
            [of_batch, of_channels],
            "histograms of {of_batch} images and {of_channels} channels given for {batch} images \
             of {channels}"
        );
        let (rows, pixels) = (batch * channels, height * width);
        let half = bins as f64 / 2.0;
        let levels = content
            .reshape([rows, pixels])
            .mul_scalar(half)
            .add_scalar(half + 0.5)
            .clamp(0.0, bins as f64)
            .int();
        let content = counted(&levels, bins + 1).float().cast(dtype);
        let content = content.div_scalar(pixels as f64);
        let reference = counts.reshape([rows, bins]).float().cast(dtype);
        let total = reference.clone().sum_dim(1).clamp_min(1.0);
        Self {
            levels,
            content,
            reference: reference / total,
            shape,
        }
    }

    /// The content image with each channel moved onto the reference's histogram.
    ///
    /// # Shapes
    /// - output: `[batch, channels, height, width]`, in [−1, 1]
    pub fn matched(&self) -> Tensor<B, 4> {
        // The middle of the pixels of each level.
        let ranks = self.content.clone().cumsum(1) - self.content.clone().div_scalar(2.0);
        let curves = self.value(places(self.reference.clone(), ranks));
        curves.gather(1, self.levels.clone()).reshape(self.shape)
    }

    /// Both distributions as 32 quantiles each, those of the ranks (i + ½)/32: the reference's of
    /// all channels, then the content's.
    ///
    /// Quantiles are colours themselves: they move as far as the colours do, and what paints with
    /// them has little to learn.
    ///
    /// # Shapes
    /// - output: `[batch, 2·channels·32]`, about [−1, 1]
    pub fn quantiles(&self) -> Tensor<B, 2> {
        let [batch, channels, ..] = self.shape;
        let rows = batch * channels;
        let ranks = (0..QUANTILES).map(|i| (i as f32 + 0.5) / QUANTILES as f32);
        let options = (&self.reference.device(), self.reference.dtype());
        let data = TensorData::new(ranks.collect(), [1, QUANTILES]);
        let ranks = Tensor::<B, 2>::from_data(data, options).expand([rows, QUANTILES]);
        let reference = self.value(places(self.reference.clone(), ranks.clone()));
        // Levels lie at the bins' edges, half a bin before their middles.
        let content = places(self.content.clone(), ranks).sub_scalar(0.5);
        let flat = |quantiles: Tensor<B, 2>| quantiles.reshape([batch, channels * QUANTILES]);
        Tensor::cat(vec![flat(reference), flat(self.value(content))], 1)
    }

    /// The value at a place on the axis of bins.
    fn value(&self, places: Tensor<B, 2>) -> Tensor<B, 2> {
        let bins = self.reference.dims()[1];
        places.div_scalar(bins as f64 / 2.0).sub_scalar(1.0)
    }
}

/// How many pixels of each row have each level.
///
/// Counted as integers: shares that are added one after the other round thousands of times. Each part of a row
/// is counted by itself, because a graphics card adds up a row of `scatter` one number after another. There are
/// as many parts as a part has pixels.
///
/// # Shapes
/// - `levels`: `[rows, pixels]`, below `count`
/// - output: `[rows, count]`
fn counted<B: Backend>(levels: &Tensor<B, 2, Int>, count: usize) -> Tensor<B, 2, Int> {
    let [rows, pixels] = levels.dims();
    let (device, dtype) = (levels.device(), levels.dtype());
    let options = (&device, dtype);
    let parts = pixels.isqrt().max(1);
    let length = pixels.div_ceil(parts);
    let mut levels = levels.clone();
    let missing = parts * length - pixels;
    if missing > 0 {
        // A level that no pixel has.
        let filler = Tensor::full([rows, missing], count as i64, options);
        levels = Tensor::cat(vec![levels, filler], 1);
    }
    let levels = levels.reshape([rows * parts, length]);
    let none = Tensor::zeros([rows * parts, count + 1], options);
    let each = levels.ones_like();
    let counts = none.scatter(1, levels, each, IndexingUpdateOp::Add);
    let counts = counts.reshape([rows, parts, count + 1]).sum_dim(1);
    counts
        .slice([0..rows, 0..1, 0..count])
        .reshape([rows, count])
}

/// Where on the axis of its bins a distribution has reached each rank: the bin, and the part of
/// its pixels that come before.
///
/// # Shapes
/// - `shares`: `[rows, bins]`, each row summing to 1
/// - `ranks`: `[rows, ranks]`, in [0, 1]
/// - output: `[rows, ranks]`, in [0, bins]
fn places<B: Backend>(shares: Tensor<B, 2>, ranks: Tensor<B, 2>) -> Tensor<B, 2> {
    let ([rows, bins], [_, count]) = (shares.dims(), ranks.dims());
    let dtype = shares.dtype();
    let cumulative = shares.clone().cumsum(1);
    // As many bins end before a rank as come before the bin in which it lies.
    let ends = cumulative.clone().unsqueeze_dim::<3>(1);
    let before = ends.lower(ranks.clone().unsqueeze_dim::<3>(2));
    let bin = before.int().sum_dim(2).reshape([rows, count]);
    let bin = bin.clamp(0, bins as i64 - 1);
    let inside = shares.gather(1, bin.clone());
    let begins = cumulative.gather(1, bin.clone()) - inside.clone();
    let part = ((ranks - begins) / inside.clamp_min(f64::from(f32::EPSILON))).clamp(0.0, 1.0);
    bin.float().cast(dtype) + part
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Flex, NdArray, largest_difference, values, waves};
    use burn::tensor::DType::F32;
    use rstest::rstest;

    const BINS: usize = 32;

    fn histogram<B: Backend>(values: &[f64]) -> Tensor<B, 3, Int> {
        let mut counts = vec![0; BINS];
        for value in values {
            let bin = ((value + 1.0) / 2.0 * BINS as f64) as usize;
            counts[bin.min(BINS - 1)] += 1;
        }
        Tensor::from_data(TensorData::new(counts, [1, 1, BINS]), &Default::default())
    }

    fn image<B: Backend>(values: Vec<f64>, width: usize) -> Tensor<B, 4> {
        let shape = [1, 1, values.len() / width, width];
        Tensor::from_data(TensorData::new(values, shape), (&Default::default(), F32))
    }

    fn matched<B: Backend>(content: &[f64], reference: &[f64]) -> Vec<f64> {
        let content = image::<B>(content.to_vec(), 8);
        values(Matching::new(&content, histogram(reference)).matched())
    }

    /// To the pixel, of a row that falls into parts and of those that do not.
    #[rstest]
    #[case::flex(counts_are_exact::<Flex>)]
    #[case::ndarray(counts_are_exact::<NdArray>)]
    fn every_pixel_is_counted(
        #[case] counts_are_exact: fn(usize),
        #[values(1, 2, 3, 97, 256, 65_536, 65_537, 98_304)] pixels: usize,
    ) {
        counts_are_exact(pixels);
    }

    #[cfg(feature = "tch")]
    #[rstest]
    fn every_pixel_is_counted_on_libtorch(#[values(1, 3, 97, 65_536, 65_537)] pixels: usize) {
        counts_are_exact::<burn_tch::LibTorch>(pixels);
    }

    fn counts_are_exact<B: Backend>(pixels: usize) {
        let levels: Vec<i32> = (0..3 * pixels as u64)
            .map(|i| (i * i * 7 % 251 % (BINS as u64 + 1)) as i32)
            .collect();
        let mut expected = vec![0; 3 * (BINS + 1)];
        for (i, level) in levels.iter().enumerate() {
            expected[i / pixels * (BINS + 1) + *level as usize] += 1;
        }
        let data = TensorData::new(levels, [3, pixels]);
        let levels = Tensor::<B, 2, Int>::from_data(data, &Default::default());
        let found = counted(&levels, BINS + 1).into_data();
        assert_eq!(found.iter::<i64>().collect::<Vec<_>>(), expected);
    }

    /// Sums of shares that had been rounded one by one were off by a thousandth and more.
    #[rstest]
    #[case::flex(mass::<Flex>)]
    #[case::ndarray(mass::<NdArray>)]
    fn all_pixels_together_are_one(
        #[case] mass: fn(usize) -> f64,
        #[values(98_304, 786_432)] pixels: usize,
    ) {
        let mass = mass(pixels);
        assert!((mass - 1.0).abs() < 1e-6, "{mass}");
    }

    fn mass<B: Backend>(pixels: usize) -> f64 {
        let content = image::<B>((0..pixels).map(|i| (i % 5) as f64 / 50.0).collect(), 384);
        let matching = Matching::new(&content, histogram(&[0.0]));
        values(matching.content).iter().sum()
    }

    /// Sorted, the values of the result are those of the reference.
    #[rstest]
    #[case::flex(matched::<Flex>)]
    #[case::ndarray(matched::<NdArray>)]
    fn has_the_distribution_of_the_reference(#[case] matched: fn(&[f64], &[f64]) -> Vec<f64>) {
        let content: Vec<f64> = (0..512)
            .map(|i| f64::from(i * 37 % 512) / 256.0 - 1.0)
            .collect();
        let reference: Vec<f64> = (0..512)
            .map(|i| (f64::from(i) / 256.0 - 1.0).powi(3))
            .collect();
        let result = matched(&content, &reference);
        let sorted = |values: &[f64]| {
            let mut values = values.to_vec();
            values.sort_by(f64::total_cmp);
            values
        };
        let difference = largest_difference(&sorted(&result), &sorted(&reference));
        // A level has a 32nd of the pixels, among which the reference rises by 3/16 at most.
        assert!(difference < 3.0 / 32.0, "{difference}");
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        assert!((mean(&result) - mean(&reference)).abs() < 2e-3);
    }

    #[test]
    fn order_is_kept() {
        let content: Vec<f64> = values(waves::<Flex, 1>([64], F32, 0.3));
        let reference = values(waves::<Flex, 1>([80], F32, 1.9));
        let result = matched::<Flex>(&content, &reference);
        for (x, a) in content.iter().zip(&result) {
            for (y, b) in content.iter().zip(&result) {
                assert!(x > y || a <= b, "{x} to {a}, {y} to {b}");
            }
        }
    }

    #[test]
    fn a_constant_channel_goes_to_the_median_however_it_is_rounded() {
        let grey: Vec<f64> = (0..64).map(|i| f64::from(i % 3 - 1) * 3e-8).collect();
        let reference: Vec<f64> = (0..100).map(|i| if i < 40 { -0.9 } else { 0.3 }).collect();
        let result = matched::<Flex>(&grey, &reference);
        // The bin of 0.3 has the ranks from 0.4 to 1; the median lies a sixth into it.
        let expected = -1.0 + (20.0 + 1.0 / 6.0) / 16.0;
        assert!(
            result.iter().all(|v| (v - expected).abs() < 1e-6),
            "{result:?}"
        );
    }

    #[test]
    fn nothing_comes_out_of_odd_input_but_numbers_of_the_range() {
        let content = [
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            7.0,
            -7.0,
            0.0,
            1.0,
            -1.0,
        ];
        let content = image::<Flex>(content.to_vec(), 8);
        let empty = Tensor::zeros([1, 1, BINS], &Default::default());
        let result = values(Matching::new(&content, empty).matched());
        assert!(
            result.iter().all(|v| (-1.0..=1.0).contains(v)),
            "{result:?}"
        );
    }

    #[test]
    fn quantiles_are_those_of_both_images() {
        let content: Vec<f64> = (0..640).map(|i| f64::from(i) / 1280.0).collect();
        let reference: Vec<f64> = (0..320).map(|i| -f64::from(i) / 320.0).collect();
        let matching = Matching::new(&image::<Flex>(content, 8), histogram(&reference));
        let quantiles = values(matching.quantiles());
        assert_eq!(quantiles.len(), 2 * QUANTILES);
        for i in 0..QUANTILES {
            let rank = (i as f64 + 0.5) / QUANTILES as f64;
            let (of_reference, of_content) = (quantiles[i], quantiles[QUANTILES + i]);
            assert!(
                (of_reference - (rank - 1.0)).abs() < 0.01,
                "{rank}: {of_reference}"
            );
            // Levels are a 16th apart.
            assert!(
                (of_content - rank / 2.0).abs() < 0.04,
                "{rank}: {of_content}"
            );
        }
    }

    #[test]
    #[should_panic(expected = "histograms of 1 images and 1 channels given for 2 images of 1")]
    fn says_which_histograms_it_takes() {
        let content = waves::<Flex, 4>([2, 1, 8, 8], F32, 0.0);
        let _ = Matching::new(&content, histogram(&[0.0]));
    }
}
