//! The generator: a U-Net whose bottleneck also sees the colour reference's histograms.

mod blend;
mod config;
mod design;
mod maps;
mod palette;
mod resize;

use burn::module::Module;
use burn::nn::conv::ConvTranspose2d;
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};
use rand::Rng;

use crate::backend::NetworkBackend;
use crate::blocks::{Down, Up};
use crate::distribution_encoder::DistributionEncoder;
use crate::histogram_encoder::HistogramEncoder;
use crate::init;
use crate::layer::{Activation, Convolution, Layer};
use crate::local_maps::{FittedMaps, MappedImage, sliced};
use crate::matching::Matching;
use crate::normalization::NormKind;
use crate::pass::Pass;
use maps::MapsLayer;
use palette::Palette;
use resize::ResizeLayers;

pub use blend::OPEN as BLEND_OPEN;
pub use config::{GeneratorConfig, GeneratorOptions};
pub use design::{Conditioning, LastLayer, Prediction};
pub use palette::COLOURS as PALETTE_COLOURS;

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
/// That is the official network. Its parts can be chosen: what tells it the colours
/// ([`Conditioning`]), the [normalisation](crate::Normalization), the [`LastLayer`], what that
/// [predicts](Prediction), and whether the content's channels, matched to the reference's histograms
/// ([`Matching`]), are given to it beside the content. One that predicts local maps ends at the size of
/// their grid, and is given what the fitted ones make of the content, too.
///
/// It is fully convolutional in the content image: larger images pass, as long as their sides
/// are multiples of 2^depth. Histograms are counted on images of the configured size.
///
/// Source: paper, section 4, and the official code; U-Net after Isola et al. (pix2pix, 2017).
#[derive(Module, Debug)]
pub struct Generator<B: Backend> {
    downs: Vec<Down<B>>,
    histogram: Option<HistogramEncoder<B>>,
    distribution: Option<DistributionEncoder<B>>,
    ups: Vec<Up<B>>,
    last: Option<ConvTranspose2d<B>>,
    resize: Option<ResizeLayers<B>>,
    palette: Option<Palette<B>>,
    maps: Option<MapsLayer<B>>,
    matched_content: bool,
    adds_to_content: bool,
    blends: bool,
}

/// What the layers of a [`Generator`] put out in one pass.
#[derive(Debug, Clone)]
pub struct Activations<B: Backend> {
    /// After each halving; the last is the bottleneck. `[batch, channels, height/2^(i+1), …]`.
    pub downs: Vec<Tensor<B, 4>>,
    /// The encoded histograms, `[batch, 2·bins]`, or distributions, `[batch, 128]`.
    pub histogram: Tensor<B, 2>,
    /// After each doubling, before the skip is joined.
    pub ups: Vec<Tensor<B, 4>>,
    /// The output image, about [−1, 1], `[batch, output channels, height, width]`.
    pub output: Tensor<B, 4>,
}

/// What a pass has made before the last layer.
struct Features<B: Backend> {
    downs: Vec<Tensor<B, 4>>,
    ups: Vec<Tensor<B, 4>>,
    /// The last of them, with their skip.
    last: Tensor<B, 4>,
    told: Tensor<B, 2>,
    quantiles: Option<Tensor<B, 2>>,
    /// The content, with the matched content if the generator is given it, and with the content by fitted maps.
    given: Tensor<B, 4>,
    matched: Option<Tensor<B, 4>>,
}

impl GeneratorConfig {
    /// Draws the initial weights from `rng`, on the host: one seed, the same weights on every
    /// backend. Convolutions N(0, 0.02) (the official code; biases 0), γ = 1 and β = 0, the dense
    /// layer Glorot uniform, the tables uniform in ±0.05 (Keras' defaults).
    pub fn init<B: NetworkBackend>(&self, rng: &mut impl Rng, device: &B::Device) -> Generator<B> {
        Generator::new(self, rng, device)
    }
}

impl<B: NetworkBackend> Generator<B> {
    fn new(config: &GeneratorConfig, rng: &mut impl Rng, device: &B::Device) -> Self {
        let options = config.options();
        let widths = config.widths();
        let norm = NormKind::from(options.normalization);
        let given = config.given_channels();
        let inputs = std::iter::once(&given).chain(&widths);
        let downs = inputs
            .zip(&widths)
            .enumerate()
            .map(|(i, (&input, &output))| {
                let norm = if i > 0 { norm } else { NormKind::None };
                Down::new([input, output], norm, rng, device)
            })
            .collect();
        let ups = config.ups();
        let told = options.conditioning;
        let histogram = (told == Conditioning::Counts).then(|| {
            let pixels = options.height * options.width;
            let (channels, bins) = (options.output_channels, options.bins);
            HistogramEncoder::new(channels, bins, pixels, rng, device)
        });
        let distribution = (told == Conditioning::Modulation).then(|| {
            let levels = ups.iter().map(|[_, output]| *output);
            DistributionEncoder::new(config.distribution_size(), levels, rng, device)
        });
        let ups = ups
            .into_iter()
            .enumerate()
            .map(|(i, channels)| {
                Up::new(channels, norm, options.dropout && i < DROPOUTS, rng, device)
            })
            .collect();
        let output = options.output_channels;
        let quiet = options.prediction.adds_to_content();
        let (mut last, mut resize, mut maps) = (None, None, None);
        match options.last_layer {
            _ if options.prediction.changes_maps() => {
                maps = Some(MapsLayer::new(config.last_features(), rng, device));
            }
            LastLayer::Transposed => {
                let channels = [2 * options.base_width, config.predicted_channels()];
                let mut layer = init::doubling_convolution(channels, rng, device);
                if quiet {
                    layer.weight = init::shrunk(layer.weight, 1, output);
                }
                last = Some(layer);
            }
            LastLayer::Resize => {
                let layers = ResizeLayers::new(config.resize_channels(), rng, device);
                resize = Some(if quiet { layers.quiet(output) } else { layers });
            }
        }
        let has_palette = options.prediction.has_palette();
        let palette = has_palette.then(|| Palette::new(output, rng, device));
        Self {
            downs,
            histogram,
            distribution,
            ups,
            last,
            resize,
            palette,
            maps,
            matched_content: options.matched_content,
            adds_to_content: quiet,
            blends: options.prediction.blends(),
        }
    }

    /// Translates a batch of content images.
    ///
    /// # Shapes
    /// - `content`: `[batch, input channels, height, width]`, in [−1, 1]
    /// - `counts`: `[batch, output channels, bins]`, pixels of the colour reference in each bin,
    ///   0 to height·width of the configuration (others are read as the nearest of these)
    /// - output: `[batch, output channels, height, width]`, in [−1, 1]; every
    ///   [prediction](Prediction) but the image itself may lead beyond
    ///
    /// # Panics
    /// If a side is not a multiple of 2^depth, channels or bins are not the configuration's, or the generator
    /// changes fitted maps: then it needs some ([`mapped`](Self::mapped)).
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
        assert!(
            !self.changes_maps(),
            "a generator that changes maps needs fitted ones"
        );
        let features = self.features(&content, None, counts, pass);
        let colours = match (&self.palette, features.quantiles) {
            (Some(palette), Some(quantiles)) => {
                Some(palette.colours(quantiles, features.told.clone()))
            }
            _ => None,
        };
        let predicted = self.predicted(features.last, features.given);
        let output = self.image(predicted, content, features.matched, colours);
        Activations {
            downs: features.downs,
            histogram: features.told,
            ups: features.ups,
            output,
        }
    }

    /// Whether the generator changes fitted maps, and is called by [`mapped`](Self::mapped).
    pub fn changes_maps(&self) -> bool {
        self.maps.is_some()
    }

    /// Translates a batch of content images by maps that were fitted to them and the references, and what
    /// is to be changed of these.
    ///
    /// # Shapes
    /// - `content`, `counts`: as in [`forward`](Self::forward)
    /// - `fitted`: maps in the colour space of the images, in a grid of [`MAPS_GRID`](crate::MAPS_GRID)
    ///
    /// # Panics
    /// As [`forward`](Self::forward), and if the generator does not change maps, or the grid is another.
    pub fn mapped(
        &self,
        content: Tensor<B, 4>,
        counts: Tensor<B, 3, Int>,
        fitted: FittedMaps<B>,
        pass: &mut Pass<'_>,
    ) -> MappedImage<B> {
        let Some(layer) = &self.maps else {
            panic!("fitted maps given to a generator that changes none");
        };
        let FittedMaps { maps, luma } = fitted.clone();
        let mapped = sliced(maps, content.clone(), luma);
        let features = self.features(&content, Some(&mapped), counts, pass);
        layer.forward(features.last, content, mapped, fitted)
    }

    /// What the last layer is given. `mapped` is the content by fitted maps, if there are any.
    fn features(
        &self,
        content: &Tensor<B, 4>,
        mapped: Option<&Tensor<B, 4>>,
        counts: Tensor<B, 3, Int>,
        pass: &mut Pass<'_>,
    ) -> Features<B> {
        let [batch, _, height, width] = content.dims();
        let multiple = 1 << self.downs.len();
        assert!(
            height.is_multiple_of(multiple) && width.is_multiple_of(multiple),
            "a content image of {height}x{width} pixels given to a generator whose sides must be \
             multiples of {multiple}",
        );

        let needs_matching = self.matched_content || self.distribution.is_some();
        let matching = needs_matching.then(|| Matching::new(content, counts.clone()));
        let matched = match &matching {
            Some(matching) if self.matched_content => Some(matching.matched()),
            _ => None,
        };
        let others = [matched.as_ref(), mapped].into_iter().flatten();
        let images: Vec<_> = std::iter::once(content).chain(others).cloned().collect();
        let given = match images.len() {
            1 => content.clone(),
            _ => Tensor::cat(images, 1),
        };

        let mut downs: Vec<Tensor<B, 4>> = Vec::with_capacity(self.downs.len());
        let mut x = given.clone();
        for down in &self.downs {
            x = down.forward(x, pass.statistics());
            downs.push(x.clone());
        }

        let quantiles = match (&self.distribution, &matching) {
            (Some(_), Some(matching)) => Some(matching.quantiles()),
            _ => None,
        };
        let told = self.told(counts, quantiles.clone());
        let [_, features] = told.dims();
        let [_, _, rows, columns] = x.dims();
        let everywhere = told
            .clone()
            .reshape([batch, features, 1, 1])
            .expand([batch, features, rows, columns]);
        x = Tensor::cat(vec![x, everywhere], 1);

        let mut ups = Vec::with_capacity(self.ups.len());
        for (level, (up, skip)) in self.ups.iter().zip(downs.iter().rev().skip(1)).enumerate() {
            let encoder = self.distribution.as_ref();
            let modulation = encoder.map(|encoder| encoder.modulation(level, told.clone()));
            let doubled = up.forward(x, modulation, pass);
            ups.push(doubled.clone());
            x = Tensor::cat(vec![doubled, skip.clone()], 1);
        }
        Features {
            downs,
            ups,
            last: x,
            told,
            quantiles,
            given,
            matched,
        }
    }

    /// What the generator is told of the colours, `[batch, features]`.
    fn told(&self, counts: Tensor<B, 3, Int>, quantiles: Option<Tensor<B, 2>>) -> Tensor<B, 2> {
        match (&self.histogram, &self.distribution, quantiles) {
            (Some(encoder), ..) => encoder.forward(counts),
            (None, Some(encoder), Some(quantiles)) => encoder.forward(quantiles),
            _ => unreachable!("a generator has one of two encoders"),
        }
    }

    /// What the last layer makes of the last features.
    fn predicted(&self, features: Tensor<B, 4>, given: Tensor<B, 4>) -> Tensor<B, 4> {
        match (&self.last, &self.resize) {
            (Some(last), _) => {
                let mut layer = Layer::of(Convolution::Transposed(last));
                if !self.adds_to_content {
                    layer = layer.activated(Activation::Tanh);
                }
                B::layer(layer, features)
            }
            (None, Some(layers)) if self.adds_to_content => layers.forward(features, given),
            (None, Some(layers)) => layers.forward(features, given).tanh(),
            (None, None) => unreachable!("it changes maps, or has one of two last layers"),
        }
    }

    /// The image that is predicted, or the content with what is predicted added to it.
    fn image(
        &self,
        predicted: Tensor<B, 4>,
        content: Tensor<B, 4>,
        matched: Option<Tensor<B, 4>>,
        colours: Option<Tensor<B, 3>>,
    ) -> Tensor<B, 4> {
        if !self.adds_to_content {
            return predicted;
        }
        let Some(colours) = colours else {
            return content + predicted;
        };
        let ground = match matched {
            Some(matched) if self.blends => blend::blend(content, matched, &predicted),
            _ => content,
        };
        ground + palette::paint(colours, predicted)
    }
}

#[cfg(test)]
mod design_tests;
#[cfg(test)]
mod maps_tests;
#[cfg(test)]
mod tests;
