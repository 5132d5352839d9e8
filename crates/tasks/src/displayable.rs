//! Colours that a screen has.

use burn::tensor::backend::Backend;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Tensor, TensorData};
use huenet_data::ColourSpace;

/// Images with red, green and blue of each pixel clipped to what a screen has, in the colour
/// space they came in: what a file of the image shows.
///
/// The gradient passes as if nothing had been clipped. The true one is 0 outside, and what starts
/// there, a change to white paper say, would never find back.
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

/// An affine map of each pixel's three channels, as a convolution: that is never rounded more than
/// its numbers are, as products of matrices are on some cards.
///
/// # Shapes
///
/// - `images`: `[batch, 3, height, width]`; the output is alike
pub(crate) fn affine<B: Backend>(
    images: Tensor<B, 4>,
    map: impl Fn([f32; 3]) -> [f32; 3],
) -> Tensor<B, 4> {
    let options = (&images.device(), images.dtype());
    let start = map([0.0; 3]);
    let mut matrix = [0.0; 9];
    for from in 0..3 {
        let mut unit = [0.0; 3];
        unit[from] = 1.0;
        for (to, value) in map(unit).into_iter().enumerate() {
            matrix[3 * to + from] = value - start[to];
        }
    }
    let matrix = Tensor::from_data(TensorData::new(matrix.to_vec(), [3, 3, 1, 1]), options);
    let start = Tensor::from_data(TensorData::new(start.to_vec(), [3]), options);
    let one_to_one = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
    conv2d(images, matrix, Some(start), one_to_one)
}

#[cfg(test)]
mod tests {
    use burn_flex::Flex;

    use super::*;

    fn values(tensor: Tensor<Flex, 4>) -> Vec<f32> {
        tensor.into_data().to_vec().unwrap()
    }

    fn pixels(colours: &[[f32; 3]]) -> Tensor<Flex, 4> {
        let planes = (0..3).flat_map(|c| colours.iter().map(move |colour| colour[c]));
        let data = TensorData::new(planes.collect::<Vec<_>>(), [1, 3, 1, colours.len()]);
        Tensor::from_data(data, &Default::default())
    }

    #[test]
    fn what_a_screen_has_stays_and_the_rest_is_clipped_in_rgb() {
        let colour = ColourSpace::Yuv;
        let inside = [[12.0, 200.0, 90.0], [255.0, 0.0, 0.0], [128.0; 3]];
        let inside = inside.map(|rgb| colour.encode_pixel(rgb));
        let result = values(displayable(colour, pixels(&inside)));
        let expected = values(pixels(&inside));
        for (got, expected) in result.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-5, "{got} {expected}");
        }

        let outside = [[0.3, 0.9, -0.7], [1.5, 0.0, 0.0], [-0.9, -0.4, 1.1]];
        let result = values(displayable(colour, pixels(&outside)));
        for (i, colour_of_pixel) in outside.into_iter().enumerate() {
            let clipped = colour
                .decode_pixel(colour_of_pixel)
                .map(|x| x.clamp(-1.0, 1.0));
            let got = colour.decode_pixel([result[i], result[3 + i], result[6 + i]]);
            for (got, expected) in got.into_iter().zip(clipped) {
                assert!((got - expected).abs() < 1e-5, "{got} {expected}");
            }
        }
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
