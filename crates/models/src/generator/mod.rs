//! The generator: a U-Net whose bottleneck also sees the colour reference's histograms.

mod config;

use burn::module::Module;
use burn::nn::conv::ConvTranspose2d;
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};
use rand::Rng;

use crate::blocks::{Activation, Convolution, Down, Layer, Up};
use crate::histogram_encoder::HistogramEncoder;
use crate::init;
use crate::pass::Pass;

pub use config::{GeneratorConfig, GeneratorOptions};

/// How many of the doublings have dropout.
const DROPOUTS: usize = 3;

/// HueNet's generator: paints the content image with the colours that the histograms tell.
///
/// `depth` halvings (4×4 convolution of stride 2, batch normalisation in all but the first,
/// LeakyReLU 0.3) lead to the bottleneck; there the encoded histograms are appended, the same
/// at every pixel. `depth − 1` doublings lead back (bilinear, 3×3 convolution, batch
/// normalisation, dropout ½ in the first three, ReLU), each joined by the halving of its size;
/// a 4×4 transposed convolution of stride 2 and tanh end it.
///
/// It is fully convolutional in the content image: larger images pass, as long as their sides
/// are multiples of 2^depth. Histograms are counted on images of the configured size.
///
/// Source: paper, section 4, and the official code; U-Net after Isola et al. (pix2pix, 2017).
#[derive(Module, Debug)]
pub struct Generator<B: Backend> {
    downs: Vec<Down<B>>,
    histogram: HistogramEncoder<B>,
    ups: Vec<Up<B>>,
    last: ConvTranspose2d<B>,
}

/// What the layers of a [`Generator`] put out in one pass.
#[derive(Debug, Clone)]
pub struct Activations<B: Backend> {
    /// After each halving; the last is the bottleneck. `[batch, channels, height/2^(i+1), …]`.
    pub downs: Vec<Tensor<B, 4>>,
    /// The encoded histograms, `[batch, 2·bins]`.
    pub histogram: Tensor<B, 2>,
    /// After each doubling, before the skip is joined.
    pub ups: Vec<Tensor<B, 4>>,
    /// The output image, in [−1, 1], `[batch, output channels, height, width]`.
    pub output: Tensor<B, 4>,
}

impl<B: Backend> Generator<B> {
    fn new(config: &GeneratorConfig, rng: &mut impl Rng, device: &B::Device) -> Self {
        let options = config.options();
        let widths = config.widths();
        let inputs = std::iter::once(&options.input_channels).chain(&widths);
        let downs = inputs
            .zip(&widths)
            .enumerate()
            .map(|(i, (&input, &output))| Down::new([input, output], i > 0, rng, device))
            .collect();
        let histogram = HistogramEncoder::new(
            options.output_channels,
            options.bins,
            options.height * options.width,
            rng,
            device,
        );
        let ups = config
            .ups()
            .into_iter()
            .enumerate()
            .map(|(i, channels)| Up::new(channels, i < DROPOUTS, rng, device))
            .collect();
        let channels = [2 * options.base_width, options.output_channels];
        let last = init::doubling_convolution(channels, rng, device);
        Self {
            downs,
            histogram,
            ups,
            last,
        }
    }

    /// Translates a batch of content images.
    ///
    /// # Shapes
    /// - `content`: `[batch, input channels, height, width]`, in [−1, 1]
    /// - `counts`: `[batch, output channels, bins]`, pixels of the colour reference in each bin,
    ///   0 to height·width of the configuration (others are read as the nearest of these)
    /// - output: `[batch, output channels, height, width]`, in [−1, 1]
    ///
    /// # Panics
    /// If a side is not a multiple of 2^depth, or channels or bins are not the configuration's.
    pub fn forward(
        &self,
        content: Tensor<B, 4>,
        counts: Tensor<B, 3, Int>,
        pass: &mut Pass<'_>,
    ) -> Tensor<B, 4> {
        self.activations(content, counts, pass).output
    }

    /// [`forward`](Self::forward), with what every layer put out on the way: to look inside, or
    /// to build losses on features.
    ///
    /// # Shapes
    /// As [`forward`](Self::forward) and [`Activations`].
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn activations(
        &self,
        content: Tensor<B, 4>,
        counts: Tensor<B, 3, Int>,
        pass: &mut Pass<'_>,
    ) -> Activations<B> {
        let [batch, _, height, width] = content.dims();
        let multiple = 1 << self.downs.len();
        assert!(
            height.is_multiple_of(multiple) && width.is_multiple_of(multiple),
            "a content image of {height}x{width} pixels given to a generator whose sides must be \
             multiples of {multiple}",
        );

        let mut downs: Vec<Tensor<B, 4>> = Vec::with_capacity(self.downs.len());
        let mut x = content;
        for down in &self.downs {
            x = down.forward(x, pass.statistics());
            downs.push(x.clone());
        }

        let histogram = self.histogram.forward(counts);
        let [_, features] = histogram.dims();
        let [_, _, rows, columns] = x.dims();
        let everywhere = histogram
            .clone()
            .reshape([batch, features, 1, 1])
            .expand([batch, features, rows, columns]);
        x = Tensor::cat(vec![x, everywhere], 1);

        let mut ups = Vec::with_capacity(self.ups.len());
        for (up, skip) in self.ups.iter().zip(downs.iter().rev().skip(1)) {
            let doubled = up.forward(x, pass);
            ups.push(doubled.clone());
            x = Tensor::cat(vec![doubled, skip.clone()], 1);
        }
        let output = Layer::of(Convolution::Transposed(&self.last))
            .activated(Activation::Tanh)
            .forward(x);
        Activations {
            downs,
            histogram,
            ups,
            output,
        }
    }
}

#[cfg(test)]
mod tests;
