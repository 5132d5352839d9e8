//! Bilinear doubling of an image.
//!
//! Doubling with half-pixel centres is linear and separable: with x the pixels of a row, edges
//! repeated,
//!
//! ```text
//! u[2i] = ¼·x[i−1] + ¾·x[i],    u[2i+1] = ¾·x[i] + ¼·x[i+1]
//! ```
//!
//! so an image becomes U·x·Uᵀ with a constant U of two entries a row. Burn's own interpolation
//! has no backward pass on several backends; what follows has one on all of them.
//!
//! On the processor's backends it is the product of matrices, a fifth of the time that shifted
//! copies of the image take on Flex: the dense product costs little beside the convolution that
//! follows (a row of U is as long as the image is wide, a convolution's is nine times the
//! channels), and the reflected border that the convolution wants is two more rows of U. On
//! CubeCL's backends, where products may round, it is the sum of shifted copies.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::products;

/// Doubles height and width by bilinear interpolation with half-pixel centres, edges repeated
/// (TensorFlow's `resize`, PyTorch's `align_corners=False`). `rounds` says whether the backend's products of
/// matrices may round.
///
/// # Shapes
/// - `input`: `[batch, channels, height, width]`
/// - output: `[batch, channels, 2·height, 2·width]`
pub(crate) fn upsample_bilinear<B: Backend>(input: Tensor<B, 4>, rounds: bool) -> Tensor<B, 4> {
    if rounds {
        doubled(input)
    } else {
        resample(input, doubling_rows)
    }
}

/// [`upsample_bilinear`], then one pixel of reflected border (the edge itself not repeated).
///
/// # Shapes
/// - `input`: `[batch, channels, height, width]`
/// - output: `[batch, channels, 2·height + 2, 2·width + 2]`
pub(crate) fn upsample_bilinear_reflected<B: Backend>(
    input: Tensor<B, 4>,
    rounds: bool,
) -> Tensor<B, 4> {
    if rounds {
        reflected(doubled(input))
    } else {
        resample(input, reflected_doubling_rows)
    }
}

/// One pixel of reflected border around an image (the edge itself not repeated).
///
/// # Shapes
/// - `input`: `[batch, channels, height, width]`, both sides 2 at least
/// - output: `[batch, channels, height + 2, width + 2]`
pub(crate) fn reflected<B: Backend>(input: Tensor<B, 4>) -> Tensor<B, 4> {
    [2, 3].into_iter().fold(input, |image, side| {
        let length = image.dims()[side];
        let before = image.clone().narrow(side, 1, 1);
        let after = image.clone().narrow(side, length - 2, 1);
        Tensor::cat(vec![before, image, after], side)
    })
}

/// [`upsample_bilinear`] as a sum of shifted copies.
fn doubled<B: Backend>(input: Tensor<B, 4>) -> Tensor<B, 4> {
    [2, 3].into_iter().fold(input, |image, side| {
        let mut shape = image.dims();
        let length = shape[side];
        let near = image.clone().mul_scalar(0.75);
        let far = image.mul_scalar(0.25);
        let first = far.clone().narrow(side, 0, 1);
        let last = far.clone().narrow(side, length - 1, 1);
        let far = Tensor::cat(vec![first, far, last], side);
        let even = near.clone() + far.clone().narrow(side, 0, length);
        let odd = near + far.narrow(side, 2, length);
        shape[side] = 2 * length;
        Tensor::stack::<5>(vec![even, odd], side + 1).reshape(shape)
    })
}

/// One row of U: up to two source pixels and their weights, which sum to one.
type Row = [(usize, f32); 2];

fn doubling_rows(length: usize) -> Vec<Row> {
    (0..length)
        .flat_map(|i| {
            let before = i.saturating_sub(1);
            let after = (i + 1).min(length - 1);
            [[(before, 0.25), (i, 0.75)], [(i, 0.75), (after, 0.25)]]
        })
        .collect()
}

fn reflected_doubling_rows(length: usize) -> Vec<Row> {
    let mut rows = doubling_rows(length);
    // A doubled image has two rows at least, so the second from either end exists.
    rows.insert(0, rows[1]);
    rows.push(rows[rows.len() - 2]);
    rows
}

fn resample<B: Backend>(input: Tensor<B, 4>, rows: impl Fn(usize) -> Vec<Row>) -> Tensor<B, 4> {
    let [batch, channels, height, width] = input.dims();
    let device = input.device();
    let dtype = input.dtype();
    let (down, across) = (rows(height), rows(width));
    let (new_height, new_width) = (down.len(), across.len());
    let down = products::matrix::<B>(&down, height, dtype, &device);
    let across = products::matrix::<B>(&across, width, dtype, &device).transpose();

    let lines = input.reshape([batch * channels * height, width]);
    let wide = products::by_matrices(lines, across);
    let planes = wide.reshape([batch * channels, height, new_width]);
    let tall = products::by_matrices(down.unsqueeze_dim::<3>(0), planes);
    tall.reshape([batch, channels, new_height, new_width])
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::backend::AutodiffBackend;
    use burn::tensor::{DType, TensorData};
    use rstest::rstest;

    type Flex = burn_autodiff::Autodiff<burn_flex::Flex>;
    type NdArray = burn_autodiff::Autodiff<burn_ndarray::NdArray<f64>>;

    fn image<B: Backend>(values: Vec<f64>, height: usize, width: usize) -> Tensor<B, 4> {
        let data = TensorData::new(values, [1, 1, height, width]);
        Tensor::from_data(data, (&Default::default(), DType::F64))
    }

    fn values<B: Backend>(tensor: Tensor<B, 4>) -> Vec<f64> {
        tensor.into_data().iter::<f64>().collect()
    }

    /// The pixel of the doubled image by the textbook definition: where its centre falls between
    /// the centres of the source.
    fn interpolated(source: &[f64], height: usize, width: usize, y: usize, x: usize) -> f64 {
        let locate = |i: usize, length: usize| {
            let centre = (i as f64 + 0.5) / 2.0 - 0.5;
            let low = centre.floor();
            let clamp = |v: f64| v.clamp(0.0, (length - 1) as f64) as usize;
            (clamp(low), clamp(low + 1.0), centre - low)
        };
        let (top, bottom, dy) = locate(y, height);
        let (left, right, dx) = locate(x, width);
        let at = |y: usize, x: usize| source[y * width + x];
        (1.0 - dy) * ((1.0 - dx) * at(top, left) + dx * at(top, right))
            + dy * ((1.0 - dx) * at(bottom, left) + dx * at(bottom, right))
    }

    #[rstest]
    #[case(1, 1)]
    #[case(1, 3)]
    #[case(2, 2)]
    #[case(5, 4)]
    fn doubles_as_the_definition_says(#[case] height: usize, #[case] width: usize) {
        let source: Vec<f64> = (0..height * width)
            .map(|i| (i as f64 * 1.7).sin())
            .collect();
        let input = image::<Flex>(source.clone(), height, width);
        let by_matrices = values(upsample_bilinear(input.clone(), false));
        let by_copies = values(upsample_bilinear(input.clone(), true));
        for y in 0..2 * height {
            for x in 0..2 * width {
                let expected = interpolated(&source, height, width, y, x);
                assert!((by_matrices[y * 2 * width + x] - expected).abs() < 1e-12);
                assert!((by_copies[y * 2 * width + x] - expected).abs() < 1e-12);
            }
        }
        let by_copies = values(upsample_bilinear_reflected(input.clone(), true));
        let by_matrices = values(upsample_bilinear_reflected(input, false));
        let mirror = |i: usize, length: usize| match i {
            0 => 1,
            i if i > length => length - 2,
            i => i - 1,
        };
        for y in 0..2 * height + 2 {
            for x in 0..2 * width + 2 {
                let (inner_y, inner_x) = (mirror(y, 2 * height), mirror(x, 2 * width));
                let expected = interpolated(&source, height, width, inner_y, inner_x);
                let at = y * (2 * width + 2) + x;
                assert!((by_matrices[at] - expected).abs() < 1e-12);
                assert!((by_copies[at] - expected).abs() < 1e-12);
            }
        }
    }

    /// The map is linear, so <upsample(x), g> = <x, gradient for g> in exact arithmetic.
    fn gradient_is_the_transpose<B: AutodiffBackend>(
        upsample: impl Fn(Tensor<B, 4>) -> Tensor<B, 4>,
    ) {
        let (height, width) = (3, 2);
        let source: Vec<f64> = (0..height * width).map(|i| (i as f64).cos()).collect();
        let weights: Vec<f64> = (0..(2 * height + 2) * (2 * width + 2))
            .map(|i| (i as f64 * 0.9).sin())
            .collect();
        let input = image::<B>(source.clone(), height, width).require_grad();
        let weights = image::<B>(weights, 2 * height + 2, 2 * width + 2);
        let loss = (upsample(input.clone()) * weights).sum();
        let value: f64 = loss.clone().into_data().iter::<f64>().sum();
        let gradient = input.grad(&loss.backward()).expect("the input is tracked");
        let inner: f64 = gradient
            .into_data()
            .iter::<f64>()
            .zip(source)
            .map(|(g, x)| g * x)
            .sum();
        assert!((inner - value).abs() < 1e-12, "{inner} against {value}");
    }

    #[test]
    fn has_a_backward_pass_on_flex_and_ndarray() {
        for rounds in [false, true] {
            gradient_is_the_transpose::<Flex>(|it| upsample_bilinear_reflected(it, rounds));
            gradient_is_the_transpose::<NdArray>(|it| upsample_bilinear_reflected(it, rounds));
        }
    }
}
