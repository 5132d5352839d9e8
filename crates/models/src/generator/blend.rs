//! Between the content and the matched content.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

/// The gate of a prediction of 0. Before it has learned anything a generator then shows nearly the matched
/// content, which has the reference's colours, and learns where to keep the content's.
pub const OPEN: f64 = 2.0;

/// The content with each channel of each pixel moved towards the matched content, between not at
/// all and wholly: content + ½(1 + tanh(2 + gate))·(matched − content).
///
/// # Shapes
/// - `content`, `matched` and output: `[batch, channels, height, width]`
/// - `predicted`: `[batch, at least channels, height, width]`, any numbers, the gates last
pub(super) fn blend<B: Backend>(
    content: Tensor<B, 4>,
    matched: Tensor<B, 4>,
    predicted: &Tensor<B, 4>,
) -> Tensor<B, 4> {
    let [channels, count] = [&content, predicted].map(|images| images.dims()[1]);
    let gates = predicted.clone().narrow(1, count - channels, channels);
    let shares = gates
        .add_scalar(OPEN)
        .tanh()
        .add_scalar(1.0)
        .div_scalar(2.0);
    content.clone() + shares * (matched - content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Double, largest_difference, values, waves};
    use burn::tensor::DType::F64;

    #[test]
    fn a_gate_is_how_far_its_channel_goes() {
        let image = |phase| waves::<Double, 4>([2, 3, 4, 5], F64, phase);
        let (content, matched) = (image(0.0), image(2.0));
        let difference = |gate: f64, expected: &Tensor<Double, 4>| {
            let predicted = content.ones_like().repeat_dim(1, 2).mul_scalar(gate);
            let blended = blend(content.clone(), matched.clone(), &predicted);
            largest_difference(&values(blended), &values(expected.clone()))
        };
        let middle = (content.clone() + matched.clone()).div_scalar(2.0);
        assert!(difference(-40.0, &content) < 1e-12);
        assert!(difference(-OPEN, &middle) < 1e-12);
        assert!(difference(40.0, &matched) < 1e-12);
    }

    #[test]
    fn gates_are_the_last_channels() {
        let image = |phase| waves::<Double, 4>([1, 3, 2, 2], F64, phase);
        let (content, matched) = (image(0.0), image(2.0));
        let gates = content.ones_like().mul_scalar(-40.0);
        let predicted = Tensor::cat(vec![image(1.0), image(3.0), gates], 1);
        let blended = blend(content.clone(), matched, &predicted);
        assert!(largest_difference(&values(blended), &values(content)) < 1e-12);
    }
}
