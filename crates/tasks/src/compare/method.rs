//! What is compared: a trained generator, and methods that need no training.

use huenet_data::{ColourSpace, ImageSize};

use crate::transfer::Method::{
    HistogramMatching, IterativeDistributionTransfer, LocalMaps, MatchedMongeKantorovich,
    MongeKantorovich, Reinhard,
};
use crate::transfer::{
    self, FitOptions, Rgb, Sample, fit, match_histogram, monge_kantorovich, reinhard,
};

/// Half a grey level of 8 bits: colours that are outside [0, 1] by less are inside when saved.
const HALF_LEVEL: f64 = 0.5 / 255.0;

/// A way to put a content image into a reference's colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// The trained generator.
    Generator,
    /// A second trained generator, if there is one.
    Other,
    /// Giving the content image back.
    Nothing,
    /// A colour transfer that needs no training, clipped to RGB in [0, 1]. Histogram matching is of each channel of
    /// the evaluated colour space.
    Transfer(transfer::Method),
}

/// What a method makes of a pair.
pub(super) struct Made {
    /// The channels, `[channels, pixels]`.
    pub(super) planes: Vec<f32>,
    /// The share of its pixels whose colour no screen has: red, green or blue lies outside [0, 1]
    /// by more than half a grey level of 8 bits, before it is clipped.
    pub(super) out_of_gamut: f64,
}

/// Gives the pixels of the first image the colours of the second.
type Linear = fn(&[[f64; 3]], &[[f64; 3]]) -> Rgb;

impl Method {
    /// Every method that can be compared, in the order of tables: the generators first.
    pub const ALL: [Self; 9] = [
        Self::Generator,
        Self::Other,
        Self::Nothing,
        Self::Transfer(HistogramMatching),
        Self::Transfer(Reinhard),
        Self::Transfer(MongeKantorovich),
        Self::Transfer(MatchedMongeKantorovich),
        Self::Transfer(IterativeDistributionTransfer),
        Self::Transfer(LocalMaps),
    ];

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Generator => "generator",
            Self::Other => "other",
            Self::Nothing => "nothing",
            Self::Transfer(method) => method.name(),
        }
    }

    /// Its name in tables, but for that of [`Self::Other`], which is named by its run.
    pub fn title(self) -> &'static str {
        match self {
            Self::Generator => "this model",
            Self::Other => "the other model",
            Self::Nothing => "doing nothing",
            Self::Transfer(method) => method.title(),
        }
    }

    /// What it makes of one pair; `None` for a generator, whose images are not made here.
    ///
    /// # Shapes
    ///
    /// `[channels, pixels]` each, of images of `size`.
    pub(super) fn apply(
        self,
        colour: ColourSpace,
        size: ImageSize,
        content: &[f32],
        reference: &[f32],
    ) -> Option<Made> {
        let pixels = size.pixels();
        let linear = |transfer: Linear| {
            let [content, reference] = [content, reference].map(|planes| to_rgb(colour, planes));
            let made = transfer(&content, &reference);
            Made {
                planes: from_rgb(colour, &made),
                out_of_gamut: out_of_gamut(&made),
            }
        };
        let fitted = |method| {
            let [content, reference] =
                [content, reference].map(|planes| sample(colour, size, planes));
            let made = apply(method, &content, &reference);
            Made {
                planes: from_rgb(colour, &made),
                out_of_gamut: out_of_gamut(&made),
            }
        };
        let planes = match self {
            Self::Generator | Self::Other => return None,
            Self::Nothing => content.to_vec(),
            Self::Transfer(HistogramMatching) => {
                let channels = content.chunks(pixels).zip(reference.chunks(pixels));
                channels
                    .flat_map(|(content, reference)| match_histogram(content, reference))
                    .collect()
            }
            Self::Transfer(Reinhard) => return Some(linear(reinhard)),
            Self::Transfer(MongeKantorovich) => return Some(linear(monge_kantorovich)),
            Self::Transfer(method) => return Some(fitted(method)),
        };
        Some(Made::of(colour, planes))
    }
}

impl Made {
    /// An image as it is.
    pub(super) fn of(colour: ColourSpace, planes: Vec<f32>) -> Self {
        Self {
            out_of_gamut: out_of_gamut(&to_rgb(colour, &planes)),
            planes,
        }
    }
}

/// An image as a fit sees it.
fn sample(colour: ColourSpace, size: ImageSize, planes: &[f32]) -> Sample {
    let pixels = to_rgb(colour, planes).into_iter();
    let pixels = pixels.map(|rgb| rgb.map(|value| value as f32)).collect();
    Sample::new(size.width(), size.height(), pixels).expect("planes of the size, read from files")
}

/// What a method makes of `content`.
fn apply(method: transfer::Method, content: &Sample, reference: &Sample) -> Rgb {
    let map = fit(method, content, reference, &FitOptions::default());
    let mut made = content.pixels().to_vec();
    for (row, pixels) in made.chunks_mut(content.width()).enumerate() {
        map.map_row(row, content.height(), pixels);
    }
    made.into_iter().map(|rgb| rgb.map(f64::from)).collect()
}

/// The share of pixels with a value outside [0, 1].
fn out_of_gamut(image: &[[f64; 3]]) -> f64 {
    let outside = |rgb: &&[f64; 3]| {
        let inside = -HALF_LEVEL..=1.0 + HALF_LEVEL;
        rgb.iter().any(|value| !inside.contains(value))
    };
    image.iter().filter(outside).count() as f64 / image.len() as f64
}

/// Planes to pixels, not clipped.
pub(super) fn to_rgb(colour: ColourSpace, planes: &[f32]) -> Rgb {
    let pixels = planes.len() / colour.channels();
    let pixel = |i: usize| {
        let mut channels = [0.0; 3];
        for (value, plane) in channels.iter_mut().zip(planes.chunks_exact(pixels)) {
            *value = plane[i];
        }
        colour
            .decode_pixel(channels)
            .map(|value| (f64::from(value) + 1.0) / 2.0)
    };
    (0..pixels).map(pixel).collect()
}

/// Pixels to planes, clipped to [0, 1].
fn from_rgb(colour: ColourSpace, image: &[[f64; 3]]) -> Vec<f32> {
    let pixels = image.len();
    let mut planes = vec![0.0; colour.channels() * pixels];
    for (i, rgb) in image.iter().enumerate() {
        let bytes = rgb.map(|value| (value.clamp(0.0, 1.0) * 255.0) as f32);
        let channels = colour.encode_pixel(bytes);
        for (plane, value) in planes.chunks_exact_mut(pixels).zip(channels) {
            plane[i] = value;
        }
    }
    planes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_no_screen_has_are_counted_and_the_linear_methods_clip_them() {
        let colour = ColourSpace::Yuv;
        // A dull picture in the colours of a gaudy one.
        let image = |scale: f64| -> Rgb {
            (0..64)
                .map(|i| [0.0, 2.0, 4.0].map(|c| 0.5 + scale * (f64::from(i) * 1.7 + c).sin()))
                .collect()
        };
        let mut content = image(0.02);
        content[5] = [0.9, 0.1, 0.2];
        let planes = from_rgb(colour, &content);
        let reference = from_rgb(colour, &image(0.5));
        let size = ImageSize::new(8, 8).unwrap();
        let made = |method: Method| method.apply(colour, size, &planes, &reference).unwrap();
        assert_eq!(made(Method::Nothing).out_of_gamut, 0.0);
        let linear = made(Method::Transfer(MongeKantorovich));
        assert!(linear.out_of_gamut > 0.0);
        for method in &Method::ALL[4..] {
            let planes = made(*method).planes;
            assert_eq!(Made::of(colour, planes).out_of_gamut, 0.0, "{method:?}");
        }
        assert_eq!(Made::of(colour, vec![0.0, 1.0, 1.0]).out_of_gamut, 1.0);
    }

    #[test]
    fn pixels_survive_the_way_there_and_back() {
        for colour in [ColourSpace::Yuv, ColourSpace::Rgb] {
            let image = vec![[0.1, 0.5, 0.9], [1.0, 0.0, 0.25]];
            let back = to_rgb(colour, &from_rgb(colour, &image)).concat();
            for (value, expected) in back.iter().zip(image.concat()) {
                assert!((value - expected).abs() < 1e-5);
            }
        }
    }
}
