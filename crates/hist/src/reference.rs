//! The dense formulas, in ordinary tensor operations.
//!
//! Slow and plain: every pixel's window over every bin is written down, `K` numbers a pixel, and
//! plain automatic differentiation gives the gradients. What computes faster is tested against
//! these functions.
//!
//! The window is evaluated in a form in which nothing cancels. With `h = ρ/2` and the distance
//! `m = (x − μ_k)/W` of a pixel from the centre of bin `k` in kernel widths, the difference of the
//! two logistic functions that defines it is
//!
//! `φ_k = σ(m + h) − σ(m − h) = sinh h / (cosh m + cosh h)`
//!
//! and, with `z = e^(−|m|)`, which cannot overflow,
//!
//! `φ_k = z (1 − e^(−2h)) / (e^(−h) (1 + z²) + z (1 + e^(−2h)))`.
//!
//! A centre is rarely a number of single precision; its rounding error is subtracted separately,
//! since divided by a narrow `W` it would cost two digits.

use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor, TensorData};

use crate::{Binning, Boundary};

/// The windows `φ_k(x_i)` of all pixels over all bins, the borders included.
///
/// # Shapes
///
/// - x: `[rows, N]`
/// - output: `[rows, N, K]`, each entry at least 0
pub fn windows<B: Backend>(x: Tensor<B, 2>, binning: &Binning) -> Tensor<B, 3> {
    let shape = WindowShape::of(binning);
    let x = into_range(x, binning);
    mirror_images(binning)
        .map(|centres| shape.window(distances(x.clone(), centres, binning).abs().neg().exp()))
        .reduce(|sum, image| sum + image)
        .expect("a bin is among its own images")
}

/// The soft histogram `p(k) = 1/N · Σ_i φ_k(x_i)` of every row.
///
/// # Shapes
///
/// - x: `[rows, N]`
/// - output: `[rows, K]`
///
/// # Panics
///
/// If `x` has no pixels (`N = 0`).
pub fn marginal<B: Backend>(x: Tensor<B, 2>, binning: &Binning) -> Tensor<B, 2> {
    let pixels = x.dims()[1];
    chunks(&x, binning)
        .map(|(start, length)| {
            let x = x.clone().narrow(1, start, length);
            windows(x, binning).sum_dim(1).squeeze_dim::<2>(1)
        })
        .reduce(|sum, chunk| sum + chunk)
        .expect("an image has pixels")
        .mul_scalar(1.0 / pixels as f64)
}

/// The soft joint histogram `P(k, l) = 1/N · Σ_i φ_k(x_i) φ_l(y_i)` of every pair of rows.
///
/// The sum is the backend's product of matrices, which CubeCL rounds to TF32, 10 bits, on NVIDIA's
/// cards.
///
/// # Shapes
///
/// - x, y: `[rows, N]`
/// - output: `[rows, K, K]`, rows for `x`, columns for `y`
///
/// # Panics
///
/// If the shapes differ, or there are no pixels (`N = 0`).
#[expect(clippy::disallowed_methods, reason = "the formula as it stands")]
pub fn joint<B: Backend>(x: Tensor<B, 2>, y: Tensor<B, 2>, binning: &Binning) -> Tensor<B, 3> {
    assert_eq!(
        x.dims(),
        y.dims(),
        "a joint histogram needs two images of the same shape"
    );
    let pixels = x.dims()[1];
    chunks(&x, binning)
        .map(|(start, length)| {
            let x = windows(x.clone().narrow(1, start, length), binning);
            let y = windows(y.clone().narrow(1, start, length), binning);
            x.swap_dims(1, 2).matmul(y)
        })
        .reduce(|sum, chunk| sum + chunk)
        .expect("an image has pixels")
        .mul_scalar(1.0 / pixels as f64)
}

/// First pixel and number of pixels of the chunks in which rows are worked through together: bounded, so
/// that memory does not grow with the number of pixels, and never long, so that single precision adds up
/// well.
pub(crate) fn chunks<B: Backend>(
    x: &Tensor<B, 2>,
    binning: &Binning,
) -> impl Iterator<Item = (usize, usize)> + use<B> {
    chunks_within(x, binning, 1 << 22, 2048)
}

/// Chunks of at most `most` pixels of each row, with maps of rows × pixels × bins of about `entries` or
/// fewer; of many rows the chunks still have a sixteenth of `most`, and so many more entries.
pub(crate) fn chunks_within<B: Backend>(
    x: &Tensor<B, 2>,
    binning: &Binning,
    entries: usize,
    most: usize,
) -> impl Iterator<Item = (usize, usize)> + use<B> {
    let [rows, pixels] = x.dims();
    let affordable = entries / (rows * binning.bins.count()).max(1);
    let length = affordable.clamp(most / 16, most);
    (0..pixels)
        .step_by(length)
        .map(move |start| (start, length.min(pixels - start)))
}

/// The constants of the window in its closed form.
pub(crate) struct WindowShape {
    /// `e^(−h)`
    half: f64,
    /// `e^(−2h)`
    whole: f64,
}

impl WindowShape {
    pub(crate) fn of(binning: &Binning) -> Self {
        let ratio = binning.kernel.ratio();
        Self {
            half: (-ratio / 2.0).exp(),
            whole: (-ratio).exp(),
        }
    }

    /// `e^(−h) (1 + z²) + z (1 + e^(−2h))`
    fn denominator<B: Backend>(&self, z: Tensor<B, 3>) -> Tensor<B, 3> {
        let square = z.clone() * z.clone();
        square.add_scalar(1.0).mul_scalar(self.half) + z.mul_scalar(1.0 + self.whole)
    }

    /// `φ`, given `z = e^(−|m|)`.
    pub(crate) fn window<B: Backend>(&self, z: Tensor<B, 3>) -> Tensor<B, 3> {
        z.clone().mul_scalar(1.0 - self.whole) / self.denominator(z)
    }

    /// `sinh |m| / (cosh m + cosh h)`, given `z = e^(−|m|)`.
    pub(crate) fn decay<B: Backend>(&self, z: Tensor<B, 3>) -> Tensor<B, 3> {
        let square = z.clone() * z.clone();
        square.neg().add_scalar(1.0).mul_scalar(self.half) / self.denominator(z)
    }
}

/// The pixels, brought into the range if it is a circle.
pub(crate) fn into_range<B: Backend>(x: Tensor<B, 2>, binning: &Binning) -> Tensor<B, 2> {
    if binning.kernel.boundary() != Boundary::Wrap {
        return x;
    }
    let min = binning.bins.min();
    let length = binning.bins.max() - min;
    let turns = x
        .clone()
        .detach()
        .sub_scalar(min)
        .div_scalar(length)
        .floor();
    x - turns.mul_scalar(length)
}

/// The centres of the bins, and of the images in which the borders show them.
fn mirror_images(binning: &Binning) -> impl Iterator<Item = Vec<f64>> + use<> {
    let bins = binning.bins;
    let count = bins.count() as f64;
    // Bin k appears at offset + k, or mirrored at offset − k, on the unfolded axis.
    let images: Vec<(f64, f64)> = match binning.kernel.boundary() {
        Boundary::Open => vec![(0.0, 1.0)],
        Boundary::Reflect => vec![(0.0, 1.0), (-1.0, -1.0), (2.0 * count - 1.0, -1.0)],
        Boundary::Wrap => {
            // Enough turns for what is left out to be below the rounding of double precision.
            let turns = (f64::MANTISSA_DIGITS as f64 / (binning.kernel.ratio() * count)).ceil();
            (-turns as i64..=turns as i64)
                .map(|n| (n as f64 * count, 1.0))
                .collect()
        }
    };
    images.into_iter().map(move |(offset, direction)| {
        let unfolded = (0..bins.count()).map(|k| offset + direction * k as f64);
        unfolded.map(|j| bins.unfolded_centre(j)).collect()
    })
}

/// The distances `m = (x − μ_k)/W` in kernel widths, `[rows, N, K]`.
fn distances<B: Backend>(x: Tensor<B, 2>, centres: Vec<f64>, binning: &Binning) -> Tensor<B, 3> {
    let (device, dtype) = (x.device(), x.dtype());
    let along_bins = |values: Vec<f64>| {
        let data = TensorData::new(values, [1, 1, binning.bins.count()]).convert_dtype(dtype);
        Tensor::<B, 3>::from_data(data, (&device, dtype))
    };
    let x = x.unsqueeze_dim::<3>(2);
    let from_centre = if dtype == DType::F64 {
        x - along_bins(centres)
    } else {
        let rounded = centres
            .iter()
            .map(|&centre| f64::from(centre as f32))
            .collect::<Vec<_>>();
        let rest = centres
            .iter()
            .zip(&rounded)
            .map(|(centre, rounded)| centre - rounded)
            .collect();
        (x - along_bins(rounded)) - along_bins(rest)
    };
    from_centre.mul_scalar(binning.kernel.ratio() / binning.bins.width())
}
