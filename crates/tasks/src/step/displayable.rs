//! Colours that a screen has.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use huenet_data::ColourSpace;

/// Images with red, green and blue of each pixel clipped to what a screen has, in the colour
/// space they came in: what a file of the image shows.
///
/// The gradient passes as if nothing had been clipped. The true gradient is 0 outside the range, so a value that starts
/// there (a change to white paper, say) would never come back.
///
/// # Shapes
///
/// - `images`: `[batch, channels, height, width]`; the output is alike
pub fn displayable<B: Backend>(colour: ColourSpace, images: Tensor<B, 4>) -> Tensor<B, 4> {
    let untracked = images.clone().detach();
    let clipped = clip(colour, untracked.clone());
    images + (clipped - untracked)
}

fn clip<B: Backend>(colour: ColourSpace, images: Tensor<B, 4>) -> Tensor<B, 4> {
    if colour != ColourSpace::Yuv {
        return images.clamp(-1.0, 1.0);
    }
    let rgb = affine(images, |channels| colour.decode_pixel(channels));
    let clipped = rgb.clamp(-1.0, 1.0);
    affine(clipped, |rgb| {
        colour.encode_pixel(rgb.map(|x| (x + 1.0) * 127.5))
    })
}

/// An affine map of each pixel's three channels, of sums and products: cards may round what they
/// convolve, or multiply as matrices.
///
/// # Shapes
///
/// - `images`: `[batch, 3, height, width]`; the output is alike
pub(crate) fn affine<B: Backend>(
    images: Tensor<B, 4>,
    map: impl Fn([f32; 3]) -> [f32; 3],
) -> Tensor<B, 4> {
    let options = (&images.device(), images.dtype());
    let pixel = |values: [f32; 3]| Tensor::<B, 1>::from_data(values, options).reshape([1, 3, 1, 1]);
    let start = map([0.0; 3]);
    let [a, b, c] = [0, 1, 2].map(|from| {
        let mut unit = [0.0; 3];
        unit[from] = 1.0;
        let [a, b, c] = map(unit);
        let column = pixel([a - start[0], b - start[1], c - start[2]]);
        images.clone().narrow(1, from, 1) * column
    });
    a + b + c + pixel(start)
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;
    use burn_flex::Flex;

    use super::*;
    use crate::step::reconstruction_loss::ROUNDINGS;

    fn values(tensor: Tensor<Flex, 4>) -> Vec<f32> {
        tensor.into_data().to_vec().unwrap()
    }

    fn pixels(colours: &[[f32; 3]]) -> Tensor<Flex, 4> {
        let planes = (0..3).flat_map(|c| colours.iter().map(move |colour| colour[c]));
        let data = TensorData::new(planes.collect::<Vec<_>>(), [1, 3, 1, colours.len()]);
        Tensor::from_data(data, &Default::default())
    }

    /// That what came of `images` is what `expected` is, but for roundings that no loss may see.
    fn assert_shown_as(images: &[[f32; 3]], expected: &[[f32; 3]]) {
        let result = values(displayable(ColourSpace::Yuv, pixels(images)));
        for (got, expected) in result.iter().zip(values(pixels(expected))) {
            let difference = f64::from((got - expected).abs());
            assert!(difference < ROUNDINGS, "{got} {expected}");
        }
    }

    #[test]
    fn what_a_screen_has_stays_and_the_rest_is_clipped_in_rgb() {
        let colour = ColourSpace::Yuv;
        let inside = [
            [12.0, 200.0, 90.0],
            [255.0, 0.0, 0.0],
            [128.0; 3],
            [255.0; 3],
        ];
        let inside = inside.map(|rgb| colour.encode_pixel(rgb));
        assert_shown_as(&inside, &inside);

        let outside = [[0.3, 0.9, -0.7], [1.5, 0.0, 0.0], [-0.9, -0.4, 1.1]];
        let clipped = outside.map(|pixel| {
            let rgb = colour.decode_pixel(pixel).map(|x| x.clamp(-1.0, 1.0));
            colour.encode_pixel(rgb.map(|x| (x + 1.0) * 127.5))
        });
        assert_shown_as(&outside, &clipped);
    }

    #[test]
    fn what_is_clipped_can_find_back() {
        type B = burn_autodiff::Autodiff<Flex>;
        let image = Tensor::<B, 4>::full([1, 3, 1, 2], 3.0, &Default::default()).require_grad();
        let loss = displayable(ColourSpace::Yuv, image.clone()).sum();
        let gradient = image.grad(&loss.backward()).unwrap();
        assert_eq!(values(gradient), [1.0; 6]);
    }

    #[test]
    fn other_spaces_are_clipped_as_they_are() {
        let image = Tensor::<Flex, 4>::full([1, 1, 2, 2], 1.5, &Default::default());
        assert_eq!(values(displayable(ColourSpace::Grey, image)), [1.0; 4]);
    }
}
