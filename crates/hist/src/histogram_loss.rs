//! Both losses of an image from one pass over its pixels.

use burn::config::Config;
use burn::module::Module;
use burn::nn::loss::Reduction;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData, TensorPrimitive};

use crate::display::one_line_display;
use crate::loss::reduced;
use crate::{
    Binning, Bins, Directions, EmdKind, HistogramBackend, Kernel, LossTerms, SoftHistogram,
    StructureKind,
};

/// Configuration to create a [histogram loss](HistogramLoss).
#[derive(Config, Debug, PartialEq)]
pub struct HistogramLossConfig {
    /// The bins of all histograms.
    pub bins: Bins,
    /// The Parzen window. With [`Boundary::Wrap`](crate::Boundary::Wrap) the earth mover's distance is that on a circle.
    pub kernel: Kernel,
    /// How the difference of the cumulative distributions becomes a number.
    #[config(default = "EmdKind::Rms")]
    pub distance: EmdKind,
    /// Which measure of dependence is the structure loss.
    #[config(default = "StructureKind::ConditionalEntropy")]
    pub structure: StructureKind,
    /// Further directions of colour space along which colours are compared, of images of three channels. The
    /// first three are the channels: with those alone, or `None`, each row of pixels is compared by itself.
    pub directions: Option<Directions>,
}

impl HistogramLossConfig {
    /// Initialises a [histogram loss](HistogramLoss).
    pub fn init(&self) -> HistogramLoss {
        let (bins, kernel) = (self.bins, self.kernel);
        HistogramLoss {
            terms: LossTerms {
                binning: Binning { bins, kernel },
                distance: self.distance,
                structure: self.structure,
            },
            directions: self.directions.filter(|all| all.further_count() > 0),
        }
    }
}

/// The two losses of an output image: how far its colours are from a reference's, and how little it
/// says of a content image.
///
/// The same numbers as [`EarthMoversDistance`](crate::EarthMoversDistance) on [`SoftHistogram`]s and
/// [`StructureLoss`](crate::StructureLoss) on a
/// [`JointHistogram`](crate::JointHistogram), and the same gradients, in one call: the
/// output's histogram and its joint histogram with the content come from one pass over the pixels,
/// and one more gives the gradient of both losses. The reference is a constant, so its histogram, the
/// [target](Self::target), is computed once for all steps that use it. On the backends with a
/// kernel of their own this is the fastest way to train.
///
/// With [`directions`](HistogramLossConfig::directions) images of three channels are also compared along
/// further directions of colour space. The distances are then `[..., M, 1]`, with `M` directions in place of
/// the three channels, which come first, and so are the targets `[..., M, K]`. The structure losses remain
/// those of the channels. The colours along a direction are counted in the bins of the channels, as
/// [`Directions`] says; a distance in the units of the pixel values ([`EmdKind::L1`]) is in those of the
/// direction's own range.
///
/// Cumulative histograms that differ by no more than a few roundings count as equal in the earth mover's
/// distance, since the direction of its gradient there would be that of the rounding: by four times the
/// epsilon of the pixels' element type, that of single precision if it is half.
#[derive(Module, Debug, Clone)]
#[module(custom_display)]
pub struct HistogramLoss {
    #[module(skip)]
    terms: LossTerms,
    /// Only if there are others than the channels.
    #[module(skip)]
    directions: Option<Directions>,
}

one_line_display!(HistogramLoss, |self, content| {
    let content = content
        .add_formatted(&self.terms.binning)
        .add_debug_attribute("distance", &self.terms.distance)
        .add_debug_attribute("structure", &self.terms.structure);
    match &self.directions {
        Some(directions) => content.add_formatted(directions),
        None => content,
    }
});

/// Both losses, of every image `[..., 1]` or [reduced](HistogramLoss::forward) to one number each, `[1]`.
#[derive(Debug, Clone)]
pub struct HistogramLosses<B: Backend, const D: usize> {
    /// The earth mover's distances between the histograms of output and reference.
    pub distances: Tensor<B, D>,
    /// The structure losses of content (as `X`) and output (as `Y`).
    pub structures: Tensor<B, D>,
}

impl<B: Backend, const D: usize> HistogramLosses<B, D> {
    fn reduced(self, reduction: &Reduction) -> HistogramLosses<B, 1> {
        HistogramLosses {
            distances: reduced(self.distances, reduction),
            structures: reduced(self.structures, reduction),
        }
    }
}

impl HistogramLoss {
    /// The bins, the Parzen window and the kinds of both losses.
    pub fn terms(&self) -> LossTerms {
        self.terms
    }

    /// [`target`](Self::target) of images: the soft histogram of every channel, a constant.
    ///
    /// # Shapes
    ///
    /// - references: `[batch, channels, height, width]`
    /// - output: `[batch, channels, K]`
    ///
    /// # Panics
    ///
    /// If there are no pixels: if a dimension is 0.
    pub fn target_of_images<B: HistogramBackend>(&self, references: Tensor<B, 4>) -> Tensor<B, 3> {
        self.target(references.flatten(2, 3))
    }

    /// [`forward`](Self::forward) of images, every channel by itself.
    ///
    /// `Sum` is over the channels of all images, and `Mean` or `Auto` averages over all of them.
    /// `BatchMean` is the sum divided by the number of images.
    ///
    /// # Shapes
    ///
    /// - content, output: `[batch, channels, height, width]`
    /// - target: `[batch, channels, K]`, from [`target_of_images`](Self::target_of_images)
    /// - losses: `[1]` each
    ///
    /// # Panics
    ///
    /// As [`forward_no_reduction`](Self::forward_no_reduction).
    pub fn forward_images<B: HistogramBackend>(
        &self,
        content: Tensor<B, 4>,
        output: Tensor<B, 4>,
        target: Tensor<B, 3>,
        reduction: Reduction,
    ) -> HistogramLosses<B, 1> {
        let losses = self.forward_images_no_reduction(content, output, target);
        losses.reduced(&reduction)
    }

    /// [`forward_no_reduction`](Self::forward_no_reduction) of images, every channel by itself.
    ///
    /// # Shapes
    ///
    /// - content, output: `[batch, channels, height, width]`
    /// - target: `[batch, channels, K]`, from [`target_of_images`](Self::target_of_images)
    /// - losses: `[batch, channels, 1]` each
    ///
    /// # Panics
    ///
    /// As [`forward_no_reduction`](Self::forward_no_reduction).
    pub fn forward_images_no_reduction<B: HistogramBackend>(
        &self,
        content: Tensor<B, 4>,
        output: Tensor<B, 4>,
        target: Tensor<B, 3>,
    ) -> HistogramLosses<B, 3> {
        self.forward_no_reduction(content.flatten(2, 3), output.flatten(2, 3), target)
    }

    /// What the outputs' histograms should be: those of references.
    ///
    /// # Shapes
    ///
    /// - reference: `[..., N]`, of any number of pixels `N`
    /// - output: `[..., K]`
    ///
    /// # Panics
    ///
    /// If `reference` has no pixels: if one of its dimensions is 0. With directions, unless it is
    /// `[..., 3, N]`.
    pub fn target<B: HistogramBackend, const D: usize>(
        &self,
        reference: Tensor<B, D>,
    ) -> Tensor<B, D> {
        let reference = reference.detach();
        let histogram = SoftHistogram {
            binning: self.terms.binning,
        };
        let rows = histogram.forward(reference.clone());
        match &self.directions {
            Some(directions) => {
                let further = self.along(directions, reference);
                Tensor::cat(vec![rows, further], D - 2)
            }
            None => rows,
        }
    }

    /// The histograms of images of three channels along the directions beyond the channels.
    fn along<B: HistogramBackend, const D: usize>(
        &self,
        directions: &Directions,
        images: Tensor<B, D>,
    ) -> Tensor<B, D> {
        let mut dims = images.dims();
        assert!(
            D >= 2 && dims[D - 2] == Directions::CHANNELS,
            "directions of colour space need images of three channels, [..., 3, N]; the shape is {dims:?}"
        );
        assert!(
            !dims.contains(&0),
            "a histogram needs at least one pixel; the shape is {dims:?}"
        );
        let (channels, pixels) = (Directions::CHANNELS, dims[D - 1]);
        let count = dims.iter().product::<usize>() / (channels * pixels);
        let x = images.reshape([count, channels, pixels]);
        let x = x.into_primitive().tensor();
        let p = B::directional(x, directions, &self.terms.binning);
        dims[D - 2] = directions.further_count();
        dims[D - 1] = self.terms.binning.bins.count();
        Tensor::<B, 3>::from_primitive(TensorPrimitive::Float(p)).reshape(dims)
    }

    /// The distances between histograms along the directions beyond the channels.
    fn distances_along<B: Backend, const D: usize>(
        &self,
        directions: &Directions,
        p: Tensor<B, D>,
        target: Tensor<B, D>,
    ) -> Tensor<B, D> {
        let emd = self.terms.earth_movers_distance();
        let distances = emd.distances_beyond_rounding(p, target);
        if self.terms.distance != EmdKind::L1 {
            return distances;
        }
        // The bins are narrower than the direction's own.
        let projections = directions.further(&self.terms.binning.bins);
        let reaches: Vec<f64> = projections.iter().map(|along| along.reach).collect();
        let mut shape = [1; D];
        shape[D - 2] = reaches.len();
        let (device, dtype) = (distances.device(), distances.dtype());
        let reaches = TensorData::new(reaches, shape).convert_dtype(dtype);
        distances * Tensor::from_data(reaches, (&device, dtype))
    }

    /// The losses of many images at once, each of the two as one number.
    ///
    /// A loss has one value for each row of pixels (a channel of an image, say). `Sum` is over all rows,
    /// and `Mean` or `Auto` averages over all of them. `BatchMean` is the sum divided by the first
    /// dimension of `output`; of one row `[N]` it is its loss.
    ///
    /// # Shapes
    ///
    /// - content, output: `[..., N]`, the `N` pixels of each image in the same order
    /// - target: `[..., K]`, a [target](Self::target) for each output
    /// - losses: `[1]` each
    ///
    /// All of one element type.
    ///
    /// # Panics
    ///
    /// As [`forward_no_reduction`](Self::forward_no_reduction).
    pub fn forward<B: HistogramBackend, const D: usize>(
        &self,
        content: Tensor<B, D>,
        output: Tensor<B, D>,
        target: Tensor<B, D>,
        reduction: Reduction,
    ) -> HistogramLosses<B, 1> {
        let losses = self.forward_no_reduction(content, output, target);
        losses.reduced(&reduction)
    }

    /// The losses of many images at once, each row (a channel of an image, say) by itself.
    ///
    /// The losses are differentiable with respect to the pixels of `output` and of `content`; for one
    /// that needs no gradient none is computed. `target` is a constant. Pixels that are infinite or not
    /// a number are treated as in [`SoftHistogram`]: a loss that one of its images leaves
    /// undefined is not a number. Nor are then the gradients of that row, those of its other loss included:
    /// both come from one pass, in which a weight of 0 does not keep out what is not a number.
    ///
    /// # Shapes
    ///
    /// - content, output: `[..., N]`, the `N` pixels of each image in the same order
    /// - target: `[..., K]`, a [target](Self::target) for each output
    /// - losses: `[..., 1]` each
    ///
    /// All of one element type.
    ///
    /// # Panics
    ///
    /// If the shapes of `content` and `output` differ, if there are no pixels (a dimension is 0), if
    /// `target` has another shape than their histograms, or if the element types differ. With directions,
    /// unless the images are `[..., 3, N]`.
    pub fn forward_no_reduction<B: HistogramBackend, const D: usize>(
        &self,
        content: Tensor<B, D>,
        output: Tensor<B, D>,
        target: Tensor<B, D>,
    ) -> HistogramLosses<B, D> {
        let Some(directions) = &self.directions else {
            return self.of_rows(content, output, target);
        };
        let p = self.along(directions, output.clone());
        assert_eq!(
            target.dims()[D - 2],
            directions.count(),
            "a histogram loss along directions of colour space needs a target histogram for each"
        );
        let (channels, further) = (Directions::CHANNELS, directions.further_count());
        let of_channels = target.clone().narrow(D - 2, 0, channels);
        let of_further = target.narrow(D - 2, channels, further);
        let losses = self.of_rows(content, output, of_channels);
        let distances = self.distances_along(directions, p, of_further);
        HistogramLosses {
            distances: Tensor::cat(vec![losses.distances, distances], D - 2),
            structures: losses.structures,
        }
    }

    /// The losses of every row by itself.
    fn of_rows<B: HistogramBackend, const D: usize>(
        &self,
        content: Tensor<B, D>,
        output: Tensor<B, D>,
        target: Tensor<B, D>,
    ) -> HistogramLosses<B, D> {
        let mut dims = output.dims();
        let pixels = dims[D - 1];
        assert_eq!(
            content.dims(),
            dims,
            "a histogram loss needs content and output of the same shape"
        );
        assert_eq!(
            [content.dtype(), target.dtype()],
            [output.dtype(); 2],
            "a histogram loss needs content, output and target of the same element type"
        );
        assert!(
            !dims.contains(&0),
            "a histogram loss needs at least one pixel; the shape is {dims:?}"
        );
        let rows = dims.iter().product::<usize>() / pixels;
        let count = self.terms.binning.bins.count();
        dims[D - 1] = count;
        assert_eq!(
            target.dims(),
            dims,
            "a histogram loss needs a target histogram for every output"
        );

        let losses = B::losses(
            content.reshape([rows, pixels]).into_primitive().tensor(),
            output.reshape([rows, pixels]).into_primitive().tensor(),
            target.reshape([rows, count]).into_primitive().tensor(),
            &self.terms,
            false,
        );
        let values = Tensor::<B, 2>::from_primitive(TensorPrimitive::Float(losses.values));
        dims[D - 1] = 1;
        HistogramLosses {
            distances: values.clone().narrow(1, 0, 1).reshape(dims),
            structures: values.narrow(1, 1, 1).reshape(dims),
        }
    }
}
