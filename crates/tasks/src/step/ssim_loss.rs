//! Structural similarity as a loss: what evaluation measures on the host, on a device and with
//! gradients.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use huenet_data::ColourSpace;

use crate::step::displayable::affine;

/// The side of the window in which the structures of two images are compared, in pixels.
pub const SSIM_WINDOW: usize = 7;

/// What the luma of a tensor, [−1, 1], spans.
const SPAN: f64 = 2.0;

/// (1 − SSIM)² of the luma of `output` beside that of `content`, the mean over the images of the
/// batch: 0 for equal ones, about 1 where the one says nothing of the other.
///
/// The square gives the largest gradient to images that have lost most of their structure. 1 − SSIM itself falls ever
/// faster on the way to the content's luma: with it an image would take all of the content's luma or none.
///
/// The definition is that of `ssim_luma` ([`Figures`](crate::Figures)): luma in [0, 1] with a data range of 1, uniform
/// windows of 7×7 pixels that lie wholly inside, unbiased variances.
///
/// # Shapes
///
/// - content, output: `[batch, channels, height, width]` in the space `colour`, about \[−1, 1\]
/// - result: `[1]`
///
/// # Panics
///
/// If a side is shorter than a window.
///
/// Source: Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to
/// structural similarity", 2004.
pub fn ssim_loss<B: Backend>(
    colour: ColourSpace,
    content: Tensor<B, 4>,
    output: Tensor<B, 4>,
) -> Tensor<B, 1> {
    let [height, width] = [output.dims()[2], output.dims()[3]];
    assert!(height.min(width) >= SSIM_WINDOW, "{height}×{width} pixels");
    let (x, y) = (luma(colour, content.detach()), luma(colour, output));

    let [mean_x, square_x] = means([x.clone(), x.clone().square()]);
    let [mean_y, square_y, product] = means([y.clone(), y.clone().square(), x * y]);
    let count = (SSIM_WINDOW * SSIM_WINDOW) as f64;
    let unbiased = count / (count - 1.0);
    let [c1, c2] = ssim_constants(SPAN);

    // Variances are the same wherever 0 is. They lose the fewest digits with it at mid-grey.
    let products = mean_x.clone() * mean_y.clone();
    let squares = mean_x.clone().square() + mean_y.clone().square();
    let variances = (square_x + square_y - squares).mul_scalar(unbiased);
    let covariance = (product - products).mul_scalar(unbiased);
    // Brightness is counted from black. Twice the values in twice the range have the same SSIM.
    let [bright_x, bright_y] = [mean_x, mean_y].map(|mean| mean.add_scalar(SPAN / 2.0));
    let products = bright_x.clone() * bright_y.clone();
    let squares = bright_x.square() + bright_y.square();
    let alike = products.mul_scalar(2.0).add_scalar(c1) * covariance.mul_scalar(2.0).add_scalar(c2);
    let unlike = squares.add_scalar(c1) * variances.add_scalar(c2);
    let of_images = (alike / unlike).mean_dims(&[1, 2, 3]).flatten::<1>(0, 3);
    of_images.neg().add_scalar(1.0).square().mean()
}

/// What keeps the similarity of planes with values that span `range` from dividing by nothing: C₁, C₂.
pub(crate) fn ssim_constants(range: f64) -> [f64; 2] {
    [0.01, 0.03].map(|share| (share * range).powi(2))
}

/// The luma of images, `[batch, 1, height, width]`, about \[−1, 1\].
pub(crate) fn luma<B: Backend>(colour: ColourSpace, images: Tensor<B, 4>) -> Tensor<B, 4> {
    let images = match colour {
        ColourSpace::Rgb => affine(images, |rgb| {
            ColourSpace::Yuv.encode_pixel(rgb.map(|x| (x + 1.0) * 127.5))
        }),
        ColourSpace::Yuv | ColourSpace::Grey => images,
    };
    images.narrow(1, 0, 1)
}

/// The means over the windows of several planes of each image, as sums of shifted copies: every
/// backend is fast at these, and not every one at pooling.
///
/// # Shapes
///
/// - planes: `[batch, 1, height, width]` each
/// - output: `[batch, 1, height − 6, width − 6]` each
fn means<B: Backend, const N: usize>(planes: [Tensor<B, 4>; N]) -> [Tensor<B, 4>; N] {
    let batch = planes[0].dims()[0];
    let planes = Tensor::cat(planes.to_vec(), 0);
    let sums = [2, 3].into_iter().fold(planes, sums_of_seven);
    let means = sums.div_scalar((SSIM_WINDOW * SSIM_WINDOW) as f64);
    std::array::from_fn(|i| means.clone().narrow(0, i * batch, batch))
}

/// Sums of seven neighbours along a side: of four, two and one.
fn sums_of_seven<B: Backend>(planes: Tensor<B, 4>, side: usize) -> Tensor<B, 4> {
    const { assert!(SSIM_WINDOW == 7) };
    let ends = planes.dims()[side] - 6;
    let shifted = |image: &Tensor<B, 4>, by, length| image.clone().narrow(side, by, length);
    let twos = shifted(&planes, 0, ends + 5) + shifted(&planes, 1, ends + 5);
    let fours = shifted(&twos, 0, ends) + shifted(&twos, 2, ends);
    fours + shifted(&twos, 4, ends) + shifted(&planes, 6, ends)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, TensorData};
    use burn_autodiff::Autodiff;
    use burn_ndarray::NdArray;
    use huenet_data::ImageSize;
    use proptest::prelude::*;

    use super::*;
    use crate::measure::similarity::ssim;

    type B = Autodiff<NdArray>;

    const HEIGHT: usize = 9;
    const WIDTH: usize = 8;
    const PIXELS: usize = HEIGHT * WIDTH;

    fn images(values: &[f64]) -> Tensor<B, 4> {
        let shape = [values.len() / (3 * PIXELS), 3, HEIGHT, WIDTH];
        let data = TensorData::new(values.to_vec(), shape);
        Tensor::from_data(data, (&Default::default(), DType::F64))
    }

    fn loss(colour: ColourSpace, content: &[f64], output: &[f64]) -> f64 {
        let loss = ssim_loss(colour, images(content), images(output));
        loss.into_data().iter::<f64>().next().unwrap()
    }

    fn pictures(count: usize) -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(-1.0..1.0, count * 3 * PIXELS)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn it_is_what_is_measured(content in pictures(2), output in pictures(2)) {
            let size = ImageSize::new(HEIGHT, WIDTH).unwrap();
            let plane = |values: &[f64], image: usize| -> Vec<f32> {
                let start = image * 3 * PIXELS;
                let luma = &values[start..start + PIXELS];
                luma.iter().map(|value| ((value + 1.0) / 2.0) as f32).collect()
            };
            let measured = [0, 1].map(|image| {
                ssim(&plane(&content, image), &plane(&output, image), size, 1.0).unwrap()
            });
            let expected = measured.map(|ssim| (1.0 - ssim).powi(2)).iter().sum::<f64>() / 2.0;
            let got = loss(ColourSpace::Yuv, &content, &output);
            prop_assert!((got - expected).abs() < 1e-5, "{got} {expected}");
            prop_assert!(loss(ColourSpace::Yuv, &content, &content).abs() < 1e-9);
        }

        #[test]
        fn of_colours_it_is_that_of_their_luma(content in pictures(1), output in pictures(1)) {
            let yuv = |values: &[f64]| -> Vec<f64> {
                let mut planes = vec![0.0; values.len()];
                for i in 0..PIXELS {
                    let rgb = [0, 1, 2].map(|c| ((values[c * PIXELS + i] + 1.0) * 127.5) as f32);
                    for (c, value) in ColourSpace::Yuv.encode_pixel(rgb).into_iter().enumerate() {
                        planes[c * PIXELS + i] = value.into();
                    }
                }
                planes
            };
            let expected = loss(ColourSpace::Yuv, &yuv(&content), &yuv(&output));
            let got = loss(ColourSpace::Rgb, &content, &output);
            prop_assert!((got - expected).abs() < 1e-5, "{got} {expected}");
        }

        #[test]
        fn its_gradient_is_that_of_finite_differences(
            content in pictures(1),
            output in pictures(1),
            at in 0..PIXELS,
        ) {
            let tracked = images(&output).require_grad();
            let found = ssim_loss(ColourSpace::Yuv, images(&content), tracked.clone());
            let gradient = tracked.grad(&found.backward()).unwrap();
            let slope = gradient.into_data().iter::<f64>().nth(at).unwrap();
            let moved = |by: f64| {
                let mut output = output.clone();
                output[at] += by;
                loss(ColourSpace::Yuv, &content, &output)
            };
            let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            prop_assert!((slope - expected).abs() < 1e-7, "{slope} {expected}");
        }
    }
}
