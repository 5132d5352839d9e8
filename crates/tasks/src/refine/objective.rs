//! What refined maps are to make small.

use burn::tensor::{DType, Int, Tensor, TensorData};
use huenet_data::ColourSpace;
use huenet_hist::{Bins, Boundary, Directions, HistogramLoss, HistogramLossConfig, Kernel};
use huenet_models::sliced;

use super::counting::{share, standing, visible};
use super::options::RefineOptions;
use crate::step::backend::TrackedBackend;
use crate::step::displayable::{affine, displayable};
use crate::step::smoothness_loss::smoothness_loss;
use crate::step::ssim_loss::{SSIM_WINDOW, luma, ssim_loss};
use crate::transfer::{LocalMaps, Sample};

/// The bins, the width of the Parzen window in bins and the directions of colour space of the recommended recipe.
const BINS: usize = 256;
const KERNEL_WIDTH_RATIO: f64 = 2.5;
const DIRECTIONS: usize = 12;

/// The space whose channels are the first directions.
const COLOUR: ColourSpace = ColourSpace::Yuv;

/// The weights of the losses beside the earth mover's distance, where an option is 1.
const STRUCTURE: f64 = 1.0;
const SMOOTHNESS: f64 = 100.0;

/// The least share of an image whose structure counts as that of a whole one. Less counts less.
const LEAST_SHARE: f64 = 0.01;

/// A pair of images and the losses of a change to the maps that were fitted to it.
pub(super) struct Objective<B: TrackedBackend> {
    /// The content, `[1, 3, height, width]`: red, green and blue in [0, 1].
    content: Tensor<B, 4>,
    /// Its luma in [0, 1], `[1, 1, height, width]`.
    luma: Tensor<B, 4>,
    /// What the fitted maps make of it.
    mapped: Tensor<B, 4>,
    /// The weights of its pixels, `[1, 1, height, width]`, if not all count alike, and the pixels that stand for them.
    mask: Option<(Tensor<B, 4>, Tensor<B, 1, Int>)>,
    distance: HistogramLoss,
    /// The reference's histograms, `[1, directions, bins]`.
    target: Tensor<B, 3>,
    /// The structure's loss of the fitted maps.
    kept: Option<Tensor<B, 1>>,
    /// The weights of the other losses.
    structure: f64,
    smoothness: f64,
}

impl<B: TrackedBackend> Objective<B> {
    pub(super) fn new(
        maps: &LocalMaps,
        content: &Sample,
        reference: &Sample,
        options: &RefineOptions,
        device: &B::Device,
    ) -> Self {
        let (height, width) = (content.height(), content.width());
        let place = (device, DType::F32);
        let image = planes(visible(content).into_iter());
        let image = TensorData::new(image, [1, 3, height, width]);
        let image = Tensor::<B, 4>::from_data(image, place);
        let luma = luma(ColourSpace::Rgb, signed(image.clone()));
        let luma = luma.add_scalar(1.0).div_scalar(2.0);
        let fitted = Tensor::from_data(laid_out(maps), place);
        let mapped = sliced(fitted, image.clone(), luma.clone());
        let mask = content.mask().zip(standing(content)).map(|(mask, pixels)| {
            let mask = TensorData::new(mask.to_vec(), [1, 1, height, width]);
            let pixels: Vec<i64> = pixels.into_iter().map(|pixel| pixel as i64).collect();
            let pixels = TensorData::new(pixels.clone(), [pixels.len()]);
            (
                Tensor::from_data(mask, place),
                Tensor::from_data(pixels, device),
            )
        });
        let distance = distance();
        let target = distance.target(counted::<B>(reference, device));
        // What a mask hides is equal, and so makes the loss of the whole image less than that of what is shown.
        let share = share(content).max(LEAST_SHARE);
        let structure = match height.min(width) < SSIM_WINDOW {
            true => 0.0,
            false => STRUCTURE * options.structure() / (share * share),
        };
        let mut objective = Self {
            content: image,
            luma,
            mapped,
            mask,
            distance,
            target,
            kept: None,
            structure,
            smoothness: SMOOTHNESS * options.smoothness(),
        };
        let fitted = objective.shown(objective.mapped.clone());
        objective.kept = objective.structure_of(&fitted).map(Tensor::detach);
        objective
    }

    /// The loss of a change to the maps.
    ///
    /// # Shapes
    ///
    /// - `change`: `[1, 12, levels, rows, columns]`
    /// - output: `[1]`
    pub(super) fn loss(&self, change: Tensor<B, 5>) -> Tensor<B, 1> {
        let changed = sliced(change.clone(), self.content.clone(), self.luma.clone());
        let output = self.shown(self.mapped.clone() + changed);
        let losses = self.distance.forward_no_reduction(
            self.compared(signed(self.content.clone())),
            self.compared(output.clone()),
            self.target.clone(),
        );
        let mut total = losses.distances.mean();
        if let (Some(structure), Some(kept)) = (self.structure_of(&output), &self.kept) {
            let lost = (structure - kept.clone()).clamp_min(0.0);
            total = total + lost.mul_scalar(self.structure);
        }
        total + smoothness_loss(change).mul_scalar(self.smoothness)
    }

    /// Mapped colours as a screen shows them, in \[−1, 1\].
    fn shown(&self, mapped: Tensor<B, 4>) -> Tensor<B, 4> {
        displayable(ColourSpace::Rgb, signed(mapped))
    }

    /// The loss of the content's structure in an output, if it counts.
    fn structure_of(&self, output: &Tensor<B, 4>) -> Option<Tensor<B, 1>> {
        let content = || signed(self.content.clone());
        let output = match &self.mask {
            Some((mask, _)) => content() + (output.clone() - content()) * mask.clone(),
            None => output.clone(),
        };
        (self.structure > 0.0).then(|| ssim_loss(ColourSpace::Rgb, content(), output))
    }

    /// The pixels that are counted, in the space in which colours are compared.
    ///
    /// # Shapes
    ///
    /// - `rgb`: `[1, 3, height, width]` in \[−1, 1\]
    /// - output: `[1, 3, pixels]`
    fn compared(&self, rgb: Tensor<B, 4>) -> Tensor<B, 3> {
        let image = match COLOUR {
            ColourSpace::Rgb => rgb,
            _ => affine(rgb, |rgb| {
                COLOUR.encode_pixel(rgb.map(|x| (x + 1.0) * 127.5))
            }),
        };
        let pixels = image.flatten::<3>(2, 3);
        match &self.mask {
            Some((_, standing)) => pixels.select(2, standing.clone()),
            None => pixels,
        }
    }
}

/// The earth mover's distances along the channels and further directions.
fn distance() -> HistogramLoss {
    let bins = Bins::new(BINS, -1.0, 1.0).expect("bins of the recommended recipe");
    let kernel = Kernel::new(KERNEL_WIDTH_RATIO, Boundary::Reflect);
    let kernel = kernel.expect("the window of the recommended recipe");
    let directions = Directions::spread(DIRECTIONS).expect("from 3 to 64");
    HistogramLossConfig::new(bins, kernel)
        .with_directions(Some(directions))
        .init()
}

/// The pixels of a sample that count, `[1, 3, pixels]`, in the space in which colours are compared.
fn counted<B: TrackedBackend>(sample: &Sample, device: &B::Device) -> Tensor<B, 3> {
    let encoded = |rgb: &[f32; 3]| COLOUR.encode_pixel(rgb.map(|value| value * 255.0));
    let pixels: Vec<[f32; 3]> = match standing(sample) {
        Some(pixels) => pixels
            .into_iter()
            .map(|pixel| encoded(&sample.pixels()[pixel]))
            .collect(),
        None => sample.pixels().iter().map(encoded).collect(),
    };
    let shape = [1, 3, pixels.len()];
    let data = TensorData::new(planes(pixels.into_iter()), shape);
    Tensor::from_data(data, (device, DType::F32))
}

/// Colours, one channel after the other.
fn planes(colours: impl Iterator<Item = [f32; 3]> + Clone) -> Vec<f32> {
    let channel = |c: usize| colours.clone().map(move |colour| colour[c]);
    (0..3).flat_map(channel).collect()
}

/// From [0, 1] to \[−1, 1\].
fn signed<B: TrackedBackend>(image: Tensor<B, 4>) -> Tensor<B, 4> {
    image.mul_scalar(2.0).sub_scalar(1.0)
}

/// The values of maps as the networks have them, `[1, 12, levels, rows, columns]`.
pub(super) fn laid_out(maps: &LocalMaps) -> TensorData {
    let grid = maps.grid();
    let (cells, values) = (maps.maps(), LocalMaps::VALUES);
    let value = |i: usize| cells.iter().skip(i).step_by(values).copied();
    let all: Vec<f32> = (0..values).flat_map(value).collect();
    TensorData::new(all, [1, values, grid.levels(), grid.rows(), grid.columns()])
}
