//! The figures of single images: how well an output has the colours of its reference and the
//! structure of its content.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use huenet_data::{Batch, ColourSpace, ImageSize};
use huenet_hist::{HistogramBackend, HistogramLoss};
use serde::{Deserialize, Serialize};

use crate::measure::roughness::{cliffs, noise};
use crate::measure::screen::clipped_rgb;
use crate::measure::similarity::{histogram_intersection, psnr, ssim};
use crate::measure::sliced::sliced_wasserstein;
use crate::step::recipe::Recipe;
use crate::store::error::TaskError;
use crate::store::numbers::{bits, number, numbers};

/// The figures of one image, or their means over several.
///
/// A figure that is not a finite number is `null` in JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// The earth mover's distance (RMS of cumulative soft histograms) between output and
    /// reference, the mean over channels. 0 is best.
    #[serde(deserialize_with = "number")]
    pub emd: f64,
    /// The same of each channel.
    #[serde(deserialize_with = "numbers")]
    pub emd_channels: Vec<f64>,
    /// The sliced 1-Wasserstein distance between the colours of output and reference, of RGB in [0, 1]
    /// with what lies outside clipped ([`sliced_wasserstein`]). 0 is best. `None` only in files that
    /// were written before there was this figure.
    #[serde(default)]
    pub swd: Option<f64>,
    /// H(content | output) in nats, the mean over channels: what the output does not tell of the
    /// content. 0 is best.
    #[serde(deserialize_with = "number")]
    pub h_content_given_output: f64,
    /// The intersection of the soft histograms of output and reference, the mean over channels.
    /// 1 is best.
    #[serde(deserialize_with = "number")]
    pub histogram_intersection: f64,
    /// The structural similarity of the lumas of output and content: luma in [0, 1] (not clipped),
    /// data range 1, windows of 7×7 pixels ([`ssim`]). 1 is best.
    #[serde(deserialize_with = "number")]
    pub ssim_luma: f64,
    /// How much steeper the output is than its content, of RGB in [0, 1] with what lies outside
    /// clipped ([`cliffs`]). 1 is as steep. Only where the content is a photograph
    /// ([`Task::content_is_photograph`](crate::Task::content_is_photograph)).
    #[serde(default)]
    pub cliffs: Option<f64>,
    /// The median gradient of the output's luma over that of its content's, of RGB in [0, 1] with what
    /// lies outside clipped ([`noise`]). 1 is as noisy. Only where the content is a photograph.
    #[serde(default)]
    pub noise: Option<f64>,
    /// The peak signal-to-noise ratio to the ground truth in decibels, of RGB in [0, 1] with what
    /// lies outside clipped; paired tasks only. It is infinite for an image that equals its ground truth. A mean
    /// leaves such images out, unless all are such.
    #[serde(default)]
    pub psnr: Option<f64>,
    /// The structural similarity to the ground truth, of RGB in [0, 1] with what lies outside
    /// clipped, the mean over channels; paired tasks only.
    #[serde(default)]
    pub ssim: Option<f64>,
}

/// Figures as their bits, for another process.
#[derive(Serialize, Deserialize)]
pub(crate) struct ExactFigures {
    /// Those that every image has, and those of its channels.
    #[serde(with = "bits")]
    given: Vec<f64>,
    /// Those that not every image has, each in a list of its own.
    others: [Exact; 5],
}

/// A figure that there may be.
#[derive(Serialize, Deserialize)]
struct Exact(#[serde(with = "bits")] Vec<f64>);

impl From<&Figures> for ExactFigures {
    fn from(f: &Figures) -> Self {
        let given = [
            f.emd,
            f.h_content_given_output,
            f.histogram_intersection,
            f.ssim_luma,
        ];
        let others = [f.swd, f.cliffs, f.noise, f.psnr, f.ssim];
        Self {
            given: given
                .into_iter()
                .chain(f.emd_channels.iter().copied())
                .collect(),
            others: others.map(|figure| Exact(figure.into_iter().collect())),
        }
    }
}

impl From<ExactFigures> for Figures {
    fn from(exact: ExactFigures) -> Self {
        let given = |at: usize| exact.given.get(at).copied().unwrap_or(f64::NAN);
        let [swd, cliffs, noise, psnr, ssim] = exact
            .others
            .each_ref()
            .map(|Exact(figure)| figure.first().copied());
        Self {
            emd: given(0),
            emd_channels: exact.given.iter().skip(4).copied().collect(),
            swd,
            h_content_given_output: given(1),
            histogram_intersection: given(2),
            ssim_luma: given(3),
            cliffs,
            noise,
            psnr,
            ssim,
        }
    }
}

impl Figures {
    /// Names and values, those of channels by the names that `colour` gives them.
    pub fn named(&self, colour: ColourSpace) -> Vec<(String, f64)> {
        let mut all = vec![("emd".to_owned(), self.emd)];
        let channels = channel_names(colour).iter().zip(&self.emd_channels);
        all.extend(channels.map(|(name, value)| (format!("emd_{name}"), *value)));
        let rest = [
            ("swd", self.swd),
            ("h_content_given_output", Some(self.h_content_given_output)),
            ("histogram_intersection", Some(self.histogram_intersection)),
            ("ssim_luma", Some(self.ssim_luma)),
            ("cliffs", self.cliffs),
            ("noise", self.noise),
            ("psnr", self.psnr),
            ("ssim", self.ssim),
        ];
        let given = rest
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        all.extend(given.map(|(name, value)| (name.to_owned(), value)));
        all
    }

    /// The mean of each figure; `None` of nothing.
    pub fn mean(all: &[Self]) -> Option<Self> {
        let first = all.first()?;
        let mean =
            |figure: &dyn Fn(&Self) -> f64| all.iter().map(figure).sum::<f64>() / all.len() as f64;
        let given = |figure: fn(&Self) -> Option<f64>| {
            let values = without_infinite(all.iter().filter_map(figure).collect());
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        let channels = 0..first.emd_channels.len();
        let channel = |i: usize| mean(&|f| f.emd_channels.get(i).copied().unwrap_or(f64::NAN));
        Some(Self {
            emd: mean(&|f| f.emd),
            emd_channels: channels.map(channel).collect(),
            swd: given(|f| f.swd),
            h_content_given_output: mean(&|f| f.h_content_given_output),
            histogram_intersection: mean(&|f| f.histogram_intersection),
            ssim_luma: mean(&|f| f.ssim_luma),
            cliffs: given(|f| f.cliffs),
            noise: given(|f| f.noise),
            psnr: given(|f| f.psnr),
            ssim: given(|f| f.ssim),
        })
    }
}

/// What of some values a mean is of: not those that are infinite, as the PSNR of an image that is its
/// ground truth, which would be the mean of all; unless there are no others.
pub(crate) fn without_infinite(values: Vec<f64>) -> Vec<f64> {
    let finite = |value: &f64| *value != f64::INFINITY;
    match values.iter().any(finite) {
        true => values.into_iter().filter(finite).collect(),
        false => values,
    }
}

/// The names of a colour space's channels.
pub fn channel_names(colour: ColourSpace) -> &'static [&'static str] {
    match colour {
        ColourSpace::Yuv => &["y", "u", "v"],
        ColourSpace::Rgb => &["r", "g", "b"],
        ColourSpace::Grey => &["grey"],
    }
}

/// The figures of each image of a batch.
///
/// # Shapes
///
/// `output`: `[batch, channels, height, width]`, as the batch's own images.
///
/// # Errors
///
/// [`TaskError::Data`] if the images have no pixels.
pub fn figures<B: HistogramBackend>(
    recipe: &Recipe,
    batch: &Batch<B>,
    output: Tensor<B, 4>,
) -> Result<Vec<Figures>, TaskError> {
    let of = Compared {
        colour: recipe.colour(),
        truth: recipe.task().is_paired(),
        photograph: recipe.task().content_is_photograph(),
    };
    let images = [batch.content.clone(), batch.reference.clone(), output];
    Ok(figures_of(of, &recipe.histogram_loss(), images)?.0)
}

/// What images are compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compared {
    /// Their colour space.
    pub(crate) colour: ColourSpace,
    /// Whether the reference is the ground truth.
    pub(crate) truth: bool,
    /// Whether the content is a photograph, so that the output is to be as smooth.
    pub(crate) photograph: bool,
}

/// The figures of each image of a batch, and the soft histograms of the output, `[batch · channels
/// · K]`. The images are content, reference and output.
pub(crate) fn figures_of<B: HistogramBackend>(
    of: Compared,
    loss: &HistogramLoss,
    [content, reference, output]: [Tensor<B, 4>; 3],
) -> Result<(Vec<Figures>, Vec<f32>), TaskError> {
    let [images, channels, height, width] = output.dims();
    let size = ImageSize::new(height, width)?;
    let bins = loss.terms().binning.bins.count();
    let target = loss.target_of_images(reference.clone());
    let of_output = values(loss.target_of_images(output.clone()));
    let both = loss.forward_images_no_reduction(content.clone(), output.clone(), target.clone());
    let (target, distances, structures) = (
        values(target),
        values(both.distances),
        values(both.structures),
    );
    let [content, reference, output] = [content, reference, output].map(|images| values(images));
    let compare = Comparison {
        colour: of.colour,
        size,
    };
    let one = |i: usize| {
        let row = i * channels..(i + 1) * channels;
        let planes = row.start * size.pixels()..row.end * size.pixels();
        let [content, reference, output] =
            [&content, &reference, &output].map(|all| &all[planes.clone()]);
        let mean =
            |values: &[f32]| values.iter().map(|v| f64::from(*v)).sum::<f64>() / channels as f64;
        let [p, q] = [&of_output, &target].map(|all| &all[row.start * bins..row.end * bins]);
        let [content_rgb, reference_rgb, output_rgb] =
            [content, reference, output].map(|image| clipped_rgb(of.colour, image));
        let (psnr, ssim) = of
            .truth
            .then(|| compare.to_truth(&output_rgb, &reference_rgb))
            .unzip();
        let rougher = |by: fn(&[f32], &[f32], ImageSize) -> Option<f64>| {
            let photograph = of.photograph;
            photograph
                .then(|| by(&output_rgb, &content_rgb, size))
                .flatten()
        };
        Figures {
            emd: mean(&distances[row.clone()]),
            emd_channels: distances[row.clone()]
                .iter()
                .map(|v| f64::from(*v))
                .collect(),
            swd: Some(sliced_wasserstein(&output_rgb, &reference_rgb)),
            h_content_given_output: mean(&structures[row]),
            histogram_intersection: histogram_intersection(p, q) / channels as f64,
            ssim_luma: compare.lumas(output, content).unwrap_or(f64::NAN),
            cliffs: rougher(cliffs),
            noise: rougher(noise),
            psnr,
            ssim: ssim.flatten(),
        }
    };
    Ok(((0..images).map(one).collect(), of_output))
}

/// Compares the planes of two images.
struct Comparison {
    colour: ColourSpace,
    size: ImageSize,
}

impl Comparison {
    fn lumas(&self, a: &[f32], b: &[f32]) -> Option<f64> {
        let [a, b] = [a, b].map(|image| self.luma(image));
        ssim(&a, &b, self.size, 1.0)
    }

    /// PSNR, and SSIM if the images are large enough for one, of planes of red, green and blue.
    fn to_truth(&self, a: &[f32], b: &[f32]) -> (f64, Option<f64>) {
        let [planes_a, planes_b] = [a, b].map(|image| image.chunks_exact(self.size.pixels()));
        let channels: Option<Vec<f64>> = planes_a
            .zip(planes_b)
            .map(|(a, b)| ssim(a, b, self.size, 1.0))
            .collect();
        let mean = channels.map(|each| each.iter().sum::<f64>() / each.len() as f64);
        (psnr(a, b, 1.0), mean)
    }

    /// Luma, in [0, 1] for the colours of a screen. SSIM compares brightnesses by their ratio, so
    /// that black has to be 0.
    fn luma(&self, image: &[f32]) -> Vec<f32> {
        let pixels = self.size.pixels();
        let signed = |i: usize| match self.colour {
            ColourSpace::Yuv | ColourSpace::Grey => image[i],
            ColourSpace::Rgb => {
                let byte = |plane: usize| (image[plane * pixels + i] + 1.0) * 127.5;
                ColourSpace::Yuv.encode_pixel([0, 1, 2].map(byte))[0]
            }
        };
        (0..pixels).map(|i| (signed(i) + 1.0) / 2.0).collect()
    }
}

/// A tensor's values on the host.
pub(crate) fn values<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, TensorData};
    use burn_flex::Flex;

    use super::*;
    use crate::settings::{Settings, Task};

    /// Runs that compare colours along other directions can be compared by their figures.
    #[test]
    fn figures_are_of_channels_along_whatever_directions_a_run_learns() {
        let figures_with = |colour_directions| {
            let settings = Settings {
                colour_directions,
                ..Settings::demo(Task::ColorTransfer)
            };
            let recipe = Recipe::new(settings).unwrap();
            let image = |turn: f32| {
                let pixels = (0..3 * 64).map(|i| (turn * i as f32).sin()).collect();
                let data = TensorData::new::<f32, _>(pixels, [1, 3, 8, 8]);
                Tensor::<Flex, 4>::from_data(data, (&Default::default(), DType::F32))
            };
            let batch = Batch {
                content: image(0.37),
                reference: image(0.9),
                counts: Tensor::zeros([1, 3, 256], &Default::default()),
                fitted: None,
            };
            figures(&recipe, &batch, image(1.7)).unwrap()
        };
        assert_eq!(figures_with(12), figures_with(3));
    }

    /// With black at 0 a darker copy of an image is still like it. Of luma in [−1, 1] its SSIM
    /// would be −0.975.
    #[test]
    fn ssim_of_luma_is_of_values_that_begin_at_black() {
        let size = ImageSize::new(11, 13).unwrap();
        let grey = |brighter: f32| -> Vec<f32> {
            let value = |i: usize| {
                let (x, y) = ((i % 13) as f32, (i / 13) as f32);
                0.25 + 0.1 * (0.7 * x).sin() * (0.4 * y).cos() + brighter
            };
            (0..size.pixels()).map(|i| 2.0 * value(i) - 1.0).collect()
        };
        let (dark, bright) = (grey(0.0), grey(0.45));
        let none = vec![0.0; 2 * size.pixels()];
        for (colour, [a, b]) in [
            (ColourSpace::Grey, [dark.clone(), bright.clone()]),
            (
                ColourSpace::Yuv,
                [&dark, &bright].map(|y| [&y[..], &none].concat()),
            ),
            (
                ColourSpace::Rgb,
                [&dark, &bright].map(|grey| grey.repeat(3)),
            ),
        ] {
            let got = Comparison { colour, size }.lumas(&a, &b).unwrap();
            // scikit-image 0.26.0: structural_similarity(a, b, win_size=7, data_range=1.0).
            assert!((got - 0.635_324_611_2).abs() < 1e-5, "{colour:?}: {got}");
        }
    }
}
