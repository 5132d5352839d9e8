//! How unlike the changes to neighbouring colour maps are.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

/// The mean squared difference between coefficients that are neighbours in a grid, along its levels, rows and columns. A
/// change that is the same everywhere costs nothing; one that differs from cell to cell can tear surfaces apart.
///
/// # Shapes
///
/// - `change`: `[batch, values, levels, rows, columns]`
/// - output: `[1]`; 0 for a grid of one cell
pub fn smoothness_loss<B: Backend>(change: Tensor<B, 5>) -> Tensor<B, 1> {
    let shape = change.dims();
    let [batch, values, grid @ ..] = shape;
    let cells: usize = grid.iter().product();
    let mut pairs = 0;
    let mut sum = Tensor::zeros([1], (&change.device(), change.dtype()));
    for (axis, length) in grid
        .into_iter()
        .enumerate()
        .filter(|(_, length)| *length > 1)
    {
        let part = |start| change.clone().narrow(axis + 2, start, length - 1);
        sum = sum + (part(1) - part(0)).square().sum();
        pairs += batch * values * (cells / length) * (length - 1);
    }
    sum.div_scalar(pairs.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, TensorData};
    use burn_autodiff::Autodiff;
    use burn_ndarray::NdArray;

    use super::*;

    type B = Autodiff<NdArray>;

    fn grid(value: impl Fn([usize; 5]) -> f64) -> Tensor<B, 5> {
        let shape = [2, 3, 4, 2, 5];
        let count: usize = shape.iter().product();
        let at = |mut i: usize| {
            let mut place = [0; 5];
            for (place, length) in place.iter_mut().zip(shape).rev() {
                *place = i % length;
                i /= length;
            }
            place
        };
        let values: Vec<f64> = (0..count).map(|i| value(at(i))).collect();
        Tensor::from_data(
            TensorData::new(values, shape),
            (&Default::default(), DType::F64),
        )
    }

    fn loss(change: Tensor<B, 5>) -> f64 {
        smoothness_loss(change).into_data().iter::<f64>().sum()
    }

    #[test]
    fn it_is_the_mean_over_all_pairs_of_neighbours() {
        // Alike in all cells of an image and a coefficient.
        assert_eq!(
            loss(grid(|[batch, value, ..]| (batch + 7 * value) as f64)),
            0.0
        );
        // For each image and coefficient: 3·2·5 pairs along levels, 4·5 along rows, 4·2·4 along columns.
        let pairs = (30 + 20 + 32) as f64;
        let level = loss(grid(|[.., level, _, _]| 2.0 * level as f64));
        assert!((level - 4.0 * 30.0 / pairs).abs() < 1e-12, "{level}");
        let row = loss(grid(|[.., row, _]| row as f64));
        assert!((row - 20.0 / pairs).abs() < 1e-12, "{row}");
        let column = loss(grid(|[.., column]| column as f64));
        assert!((column - 32.0 / pairs).abs() < 1e-12, "{column}");
        let one = Tensor::<B, 5>::ones([1, 12, 1, 1, 1], (&Default::default(), DType::F64));
        assert_eq!(loss(one), 0.0);
    }

    #[test]
    fn its_gradient_is_that_of_finite_differences() {
        let wave =
            |[b, v, l, r, c]: [usize; 5]| ((b + 2 * v + 3 * l * l + 5 * r + c * l) as f64).sin();
        let change = grid(wave).require_grad();
        let gradient = change
            .grad(&smoothness_loss(change.clone()).backward())
            .unwrap();
        let gradient: Vec<f64> = gradient.into_data().iter().collect();
        for (i, place) in [(0, [0, 0, 0, 0, 0]), (6 * 40 - 1, [1, 2, 3, 1, 4])] {
            let moved = |by: f64| loss(grid(|at| wave(at) + if at == place { by } else { 0.0 }));
            let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!(
                (gradient[i] - expected).abs() < 1e-8,
                "{} {expected}",
                gradient[i]
            );
        }
    }
}
