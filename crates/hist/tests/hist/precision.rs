//! In single precision the kernels are about as close to the exact numbers as the dense formulas, within
//! bounds that were chosen with the errors known.

use crate::common::{binning, tensor, values};
use burn::backend::Autodiff;
use burn::nn::loss::Reduction;
use burn::tensor::{DType, Tensor};
use burn_flex::Flex;
use huenet_hist::{
    Binning, Boundary, EarthMoversDistanceConfig, HistogramLossConfig, JointHistogramConfig,
    SoftHistogramConfig, StructureLossConfig, reference,
};
use rstest::rstest;

type B = Autodiff<Flex>;

/// Kinds of pairs of images.
#[derive(Clone, Copy, Debug)]
enum Pair {
    /// Every value is as likely as any other.
    Uniform,
    /// Nearly all pixels in a few bins, and the output follows the content.
    Peaked,
    /// One value each.
    Constant,
    /// Half of the pixels outside the range, some of them far; the first is inside.
    OutOfRange,
    /// Borders, edges and centres of bins, their neighbours among the numbers, zeros of both signs.
    Adversarial,
}

impl Pair {
    /// Content and output: numbers of single precision.
    fn images(self, binning: &Binning, pixels: usize) -> [Vec<f64>; 2] {
        let (min, max) = (binning.bins.min(), binning.bins.max());
        let bin = binning.bins.width();
        let count = binning.bins.count();
        let place = |t: f64| min + t * (max - min);
        let pair = |i: usize| {
            let (t, u) = (noise(2 * i), noise(2 * i + 1));
            match self {
                Self::Uniform => (place(t), place(u)),
                Self::Peaked => {
                    let x = place(0.3) + bin * (t - 0.5).powi(3);
                    (x, place(0.8) - 0.5 * (x - place(0.3)) + 0.02 * bin * u)
                }
                Self::Constant => (place(0.123), place(0.6)),
                Self::OutOfRange if i.is_multiple_of(2) => (place(t), place(u)),
                Self::OutOfRange => (place(3.0 * t - 1.0), place((8.0 * (u - 0.5)).powi(3))),
                Self::Adversarial => {
                    let edge = min + (t * (count + 1) as f64).floor() * bin;
                    let values = [
                        edge,
                        edge + bin / 2.0,
                        min,
                        max,
                        0.0,
                        -0.0,
                        f64::from(f32::MIN_POSITIVE),
                    ];
                    let value = |u: f64| values[(u * values.len() as f64) as usize] as f32;
                    let near = [value(u).next_up(), value(u).next_down(), value(u)][i % 3];
                    (f64::from(value(noise(i))), f64::from(near))
                }
            }
        };
        let rounded = |x: f64| f64::from(x as f32);
        let (content, output): (Vec<_>, Vec<_>) = (0..pixels).map(pair).unzip();
        [content, output].map(|image| image.into_iter().map(rounded).collect())
    }
}

/// Numbers between 0 and 1.
fn noise(i: usize) -> f64 {
    let hashed = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let hashed = (hashed ^ (hashed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (hashed >> 11) as f64 / (1_u64 << 53) as f64
}

/// What is compared, by name: histograms, their gradients, losses, their gradients.
type Numbers = Vec<(&'static str, Vec<f64>)>;

/// How much the earth mover's distance and the conditional entropy count.
const WEIGHTS: [f64; 2] = [100.0, 1.0];

/// Who computes the numbers.
#[derive(Clone, Copy, PartialEq)]
enum By {
    /// The dense formulas and automatic differentiation.
    Formulas,
    Kernels,
}

fn numbers(by: By, binning: &Binning, images: &[Vec<f64>; 2], dtype: DType) -> Numbers {
    let (shape, count) = ([1, images[0].len()], binning.bins.count());
    let image = |image| tensor::<B, 2>(image, shape, dtype);
    let compute = |output| match by {
        By::Formulas => with_formulas(binning, image(&images[0]), output),
        By::Kernels => with_kernels(binning, image(&images[0]), output),
    };
    // Burn frees a graph when it goes backward through it, so every gradient has its own.
    let gradient = |which: usize, weights: &[f64]| {
        let output = image(&images[1]).require_grad();
        let weights = tensor(weights, [weights.len()], dtype);
        let total = compute(output.clone()).swap_remove(which) * weights;
        let gradient = output.grad(&total.sum().backward());
        values(gradient.expect("the output has a gradient"))
    };
    let gradients = [
        ("gradient of marginal", gradient(0, &rough(count))),
        ("gradient of joint", gradient(1, &rough(count * count))),
        ("gradient of losses", gradient(2, &WEIGHTS)),
    ];
    let names = ["marginal", "joint", "losses"];
    let found = compute(image(&images[1])).into_iter().map(values);
    names.into_iter().zip(found).chain(gradients).collect()
}

/// Histogram, joint histogram and losses, each flat.
fn with_formulas(
    binning: &Binning,
    content: Tensor<B, 2>,
    output: Tensor<B, 2>,
) -> Vec<Tensor<B, 1>> {
    let target = target(binning, &output);
    let p = reference::marginal(output.clone(), binning);
    let joint = reference::joint(content, output, binning);
    let distance = EarthMoversDistanceConfig::new(binning.bins)
        .with_cyclic(binning.kernel.boundary() == Boundary::Wrap)
        .init()
        .forward(p.clone(), target, Reduction::Mean);
    let structure = StructureLossConfig::new().init();
    let structure = structure.forward(joint.clone(), Reduction::Mean);
    let losses = Tensor::cat(vec![distance, structure], 0);
    vec![p.flatten(0, 1), joint.flatten(0, 2), losses]
}

fn with_kernels(
    binning: &Binning,
    content: Tensor<B, 2>,
    output: Tensor<B, 2>,
) -> Vec<Tensor<B, 1>> {
    let (bins, kernel) = (binning.bins, binning.kernel);
    let target = target(binning, &output);
    let p: Tensor<B, 2> = SoftHistogramConfig::new(bins, kernel)
        .init()
        .forward(output.clone());
    let joint = JointHistogramConfig::new(bins, kernel).init();
    let joint: Tensor<B, 3> = joint.forward(content.clone(), output.clone());
    let losses = HistogramLossConfig::new(bins, kernel).init().forward(
        content,
        output,
        target,
        Reduction::Mean,
    );
    let losses = Tensor::cat(vec![losses.distances, losses.structures], 0);
    vec![p.flatten(0, 1), joint.flatten(0, 2), losses]
}

/// A histogram that falls from bin to bin.
fn target(binning: &Binning, like: &Tensor<B, 2>) -> Tensor<B, 2> {
    let count = binning.bins.count();
    let n = count as f64;
    let p: Vec<f64> = (0..count)
        .map(|k| 2.0 * (n - k as f64) / (n * (n + 1.0)))
        .collect();
    tensor(&p, [1, count], like.dtype())
}

/// Numbers that have nothing to do with their neighbours, in single precision.
fn rough(count: usize) -> Vec<f64> {
    (0..count)
        .map(|k| f64::from(noise(k) as f32 - 0.5))
        .collect()
}

/// The greatest error.
fn error(found: &[f64], exact: &[f64]) -> f64 {
    assert_eq!(found.len(), exact.len());
    let errors = found
        .iter()
        .zip(exact)
        .map(|(found, exact)| (found - exact).abs());
    // What is not a number is worse than any number.
    errors.fold(
        0.0_f64,
        |worst, error| if error <= worst { worst } else { error },
    )
}

fn largest(numbers: &[f64]) -> f64 {
    numbers
        .iter()
        .fold(0.0_f64, |most, value| most.max(value.abs()))
}

/// Half the distance from 1 to the next number.
const ROUNDING: f64 = f32::EPSILON as f64 / 2.0;

/// How far the kernels may be off: about as far as the dense formulas, or so many roundings of the
/// largest number, or of what a pixel can change of an entry times what an entry can change of the loss.
const LEVEL: f64 = 1.25;
const OF_THE_LARGEST: f64 = 96.0 * ROUNDING;
const OF_A_SLOPE: f64 = 16.0 * ROUNDING;

#[rstest]
fn the_kernels_round_no_worse_than_the_dense_formulas(
    #[values(
        Pair::Uniform,
        Pair::Peaked,
        Pair::Constant,
        Pair::OutOfRange,
        Pair::Adversarial
    )]
    pair: Pair,
    #[values(Boundary::Reflect, Boundary::Wrap, Boundary::Open)] boundary: Boundary,
) {
    let sizes = [
        (2, 1),
        (2, 300),
        (5, 1),
        (16, 300),
        (64, 1100),
        (256, 1),
        (256, 300),
    ];
    let narrow_to_wide = sizes.map(|size| [0.5, 2.5, 20.0].map(|ratio| (size, ratio)));
    let finest = [((1024, 60), 2.5)];
    for ((count, pixels), ratio) in narrow_to_wide.into_iter().flatten().chain(finest) {
        let binning = binning(count, -1.0, 1.0, ratio, boundary);
        let images = pair.images(&binning, pixels);
        let exact = numbers(By::Formulas, &binning, &images, DType::F64);
        let dense = numbers(By::Formulas, &binning, &images, DType::F32);
        let kernel = numbers(By::Kernels, &binning, &images, DType::F32);
        let slope = ratio / binning.bins.width() / 4.0 / pixels as f64;
        for (((name, exact), (_, dense)), (_, kernel)) in exact.iter().zip(&dense).zip(&kernel) {
            let unit = match *name {
                "gradient of losses" => slope * WEIGHTS[0],
                "gradient of marginal" | "gradient of joint" => slope,
                _ => 0.0,
            };
            let rounding = (OF_THE_LARGEST * largest(exact)).max(OF_A_SLOPE * unit);
            let (dense, kernel) = (error(dense, exact), error(kernel, exact));
            assert!(
                kernel <= (LEVEL * dense).max(rounding),
                "{name}, {count} bins, {pixels} pixels, ratio {ratio}: off by {kernel:e}, the dense \
                 formula by {dense:e}; allowed are {rounding:e}"
            );
        }
    }
}

/// An image that repeats a tile has the histograms of the tile, and the tile's gradients divided by the
/// number of tiles.
#[rstest]
fn many_pixels_are_counted_as_well_as_few(
    #[values(Pair::Uniform, Pair::Peaked, Pair::Constant)] pair: Pair,
) {
    const TILES: usize = 4096;
    let binning = binning(64, -1.0, 1.0, 2.5, Boundary::Reflect);
    let tile = pair.images(&binning, 64 * 64);
    let images = tile.each_ref().map(|tile| tile.repeat(TILES));
    let exact = numbers(By::Formulas, &binning, &tile, DType::F64);
    for ((name, exact), (_, kernel)) in
        exact
            .iter()
            .zip(&numbers(By::Kernels, &binning, &images, DType::F32))
    {
        let of_tile = match name.starts_with("gradient") {
            true => exact.iter().map(|value| value / TILES as f64).collect(),
            false => exact.clone(),
        };
        let off = if name.starts_with("gradient") {
            let tiles = kernel.chunks_exact(of_tile.len());
            tiles.map(|tile| error(tile, &of_tile)).fold(0.0, f64::max)
        } else {
            error(kernel, &of_tile)
        };
        let rounding = OF_THE_LARGEST * largest(&of_tile);
        assert!(
            off <= rounding,
            "{name}: off by {off:e}, allowed are {rounding:e}"
        );
    }
}
