//! The windows of pixels in ordinary tensor operations, each over its band of bins alone.

use burn::tensor::backend::Backend;
use burn::tensor::{Bool, DType, IndexingUpdateOp, Int, Tensor, TensorData};

use crate::reference::{WindowShape, into_range};
use crate::{Binning, Bins, Boundary};

/// The bands of pixels: the bins on which a pixel puts mass that its number type can tell from none.
///
/// A window falls as `e^(−ρ·distance in bins)`, so that they are few, and the same number for every
/// pixel: half of them to either side of the bin edge nearest to it.
///
/// # Shapes
///
/// Of pixels `[rows, n]` with bands of `width` bins; entries are `[rows, n, width]`.
pub(super) struct Bands<B: Backend> {
    /// The distances `m` from the bins' centres in kernel widths.
    m: Tensor<B, 3>,
    /// `e^(−|m|)`, 0 where the borders let the mass get lost.
    z: Tensor<B, 3>,
    /// The bins, any where the mass is lost.
    bins: Tensor<B, 3, Int>,
    /// 0, not a number for pixels that are none, `[rows, n, 1]`.
    nothing: Tensor<B, 3>,
    shape: WindowShape,
    /// `1/W`
    per_kernel_width: f64,
    /// `K`
    count: usize,
}

impl<B: Backend> Bands<B> {
    /// The bands of pixels `[rows, n]`.
    pub(super) fn of(x: Tensor<B, 2>, binning: &Binning) -> Self {
        let (bins, ratio) = (binning.bins, binning.kernel.ratio());
        let digits = match x.dtype() {
            DType::F64 => f64::MANTISSA_DIGITS,
            _ => f32::MANTISSA_DIGITS,
        };
        let half = binning.kernel.half_band(digits).ceil() as usize;
        let x = into_range(x, binning);
        let undefined = x.clone().is_nan();
        let (edge, from_edge) = nearest_edge(x, undefined.clone(), half, binning);
        let nothing = edge.zeros_like().mask_fill(undefined, f64::NAN);

        let halfway = half as f64 - 0.5;
        let centres = along_bands(2 * half, &edge, |offset| halfway - offset);
        let m =
            (from_edge.div_scalar(bins.width()).unsqueeze_dim::<3>(2) + centres).mul_scalar(ratio);
        let first = along_bands(2 * half, &edge, |offset| offset - half as f64);
        let (bins_of_band, lost) = folded(edge.unsqueeze_dim::<3>(2) + first, binning);
        let mut z = m.clone().abs().neg().exp();
        if let Some(lost) = lost {
            z = z.mask_fill(lost, 0.0);
        }
        Self {
            m,
            z,
            bins: bins_of_band.int(),
            nothing: nothing.unsqueeze_dim::<3>(2),
            shape: WindowShape::of(binning),
            per_kernel_width: ratio / bins.width(),
            count: bins.count(),
        }
    }

    /// The windows `φ_k(x_i)`, over all bins: `[rows, n, K]`.
    pub(super) fn windows(&self) -> Tensor<B, 3> {
        let [rows, pixels, _] = self.m.dims();
        // Mirror images of a bin can be in the band beside it: they add up.
        self.nothing
            .clone()
            .expand([rows, pixels, self.count])
            .scatter(
                2,
                self.bins.clone(),
                self.shape.window(self.z.clone()),
                IndexingUpdateOp::Add,
            )
    }

    /// `Σ_k g_k φ_k′(x_i)` for every pixel, `[rows, n]`, given `g` for every pixel, `[rows, n, K]`.
    pub(super) fn slope_along(&self, g: Tensor<B, 3>) -> Tensor<B, 2> {
        self.slope_along_bands(g.gather(2, self.bins.clone()))
    }

    /// The same, given one `g` for the pixels of a row, `[rows, K]`.
    pub(super) fn slope_along_one(&self, g: Tensor<B, 2>) -> Tensor<B, 2> {
        let [rows, pixels, width] = self.m.dims();
        let bins = self.bins.clone().reshape([rows, pixels * width]);
        self.slope_along_bands(g.gather(1, bins).reshape([rows, pixels, width]))
    }

    /// `φ′ = −φ · sinh m / (cosh m + cosh h) / W`, times `g` in the bins of the bands, summed.
    fn slope_along_bands(&self, g: Tensor<B, 3>) -> Tensor<B, 2> {
        let window = self.shape.window(self.z.clone());
        let slopes = self.m.clone().sign() * self.shape.decay(self.z.clone()) * window;
        let along = (slopes * g).sum_dim(2).squeeze_dim::<2>(2);
        along.mul_scalar(-self.per_kernel_width)
    }
}

/// The bin edge nearest to every pixel, counted from the lower border, and how far the pixel lies beyond it.
///
/// Pixels further outside than any band reaches get an edge of whose band nothing is kept.
fn nearest_edge<B: Backend>(
    x: Tensor<B, 2>,
    undefined: Tensor<B, 2, Bool>,
    half: usize,
    binning: &Binning,
) -> (Tensor<B, 2>, Tensor<B, 2>) {
    let bins = binning.bins;
    let (count, half) = (bins.count() as i64, half as i64);
    let (lowest, highest) = match binning.kernel.boundary() {
        Boundary::Open => (-half, count + half),
        Boundary::Reflect => (-count - half, 2 * count + half),
        // Rounding can put a pixel on the upper border.
        Boundary::Wrap => (0, count),
    };
    let in_bins = x.clone().sub_scalar(bins.min()).div_scalar(bins.width());
    let edge = in_bins.add_scalar(0.5).floor();
    let edge = edge.clamp(lowest as f64, highest as f64);
    let edge = edge.mask_fill(undefined, 0.0);

    let positions = (lowest..=highest).map(|edge| edge_position(bins, edge));
    let (rounded, rest): (Vec<f64>, Vec<f64>) = positions
        .map(|position| {
            let rounded = f64::from(position as f32);
            (rounded, position - rounded)
        })
        .unzip();
    let [rows, pixels] = x.dims();
    let at = edge
        .clone()
        .sub_scalar(lowest as f64)
        .int()
        .reshape([rows * pixels]);
    // An edge is rarely a number of single precision: its rounding error is subtracted by itself.
    let from_edge = [rounded, rest].into_iter().fold(x, |x, values| {
        let values = vector(values, &edge).select(0, at.clone());
        x - values.reshape([rows, pixels])
    });
    (edge, from_edge)
}

/// The position of the edge below bin `edge` of the unfolded axis.
fn edge_position(bins: Bins, edge: i64) -> f64 {
    bins.unfolded_centre(edge as f64 - 0.5)
}

/// The bins to which the mass of unfolded bins goes, and those whose mass is lost if any is.
fn folded<B: Backend>(
    unfolded: Tensor<B, 3>,
    binning: &Binning,
) -> (Tensor<B, 3>, Option<Tensor<B, 3, Bool>>) {
    let count = binning.bins.count() as f64;
    // The bins of the range, and as many to either side.
    let beyond = |reach: f64| {
        let from_middle = unfolded.clone().sub_scalar((count - 1.0) / 2.0).abs();
        from_middle.greater_elem(reach)
    };
    let (bins, lost) = match binning.kernel.boundary() {
        Boundary::Open => (unfolded.clone(), Some(beyond(count / 2.0))),
        Boundary::Reflect => {
            // −1−j counts as j, and K+j as K−1−j: mirrors half a bin outside the outermost bins.
            let above = unfolded.clone().add_scalar(0.5).abs();
            let below = above.sub_scalar(count).abs().neg().add_scalar(count - 0.5);
            (below, Some(beyond(1.5 * count)))
        }
        Boundary::Wrap => {
            let turns = unfolded.clone().add_scalar(0.5).div_scalar(count).floor();
            (unfolded.clone() - turns.mul_scalar(count), None)
        }
    };
    (bins.clamp(0.0, count - 1.0), lost)
}

/// `value(offset)` for every offset in a band: `[1, 1, width]`.
fn along_bands<B: Backend>(
    width: usize,
    like: &Tensor<B, 2>,
    value: impl Fn(f64) -> f64,
) -> Tensor<B, 3> {
    let values = (0..width).map(|offset| value(offset as f64)).collect();
    vector(values, like).reshape([1, 1, width])
}

fn vector<B: Backend>(values: Vec<f64>, like: &Tensor<B, 2>) -> Tensor<B, 1> {
    let (device, dtype) = (like.device(), like.dtype());
    let shape = [values.len()];
    Tensor::from_data(
        TensorData::new(values, shape).convert_dtype(dtype),
        (&device, dtype),
    )
}
