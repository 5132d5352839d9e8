//! Colour spaces of the networks' images, and the conversions to and from 8-bit RGB.
//!
//! Networks see channels scaled to about [−1, 1]. The conversions are those of the official code
//! (TensorFlow's `rgb_to_yuv`, `yuv_to_rgb` and the loader's grey weights), in `f32`.

use ::image::RgbImage;
use serde::{Deserialize, Serialize};

use crate::size::check_length;
use crate::{Image, ImageSize, ParameterError};

/// TensorFlow's RGB to YUV matrix, one row per input channel.
const YUV_OF_RGB: [[f32; 3]; 3] = [
    [0.299, -0.147_141_19, 0.614_975_4],
    [0.587, -0.288_869_17, -0.514_965_1],
    [0.114, 0.436_010_35, -0.100_010_26],
];

/// TensorFlow's YUV to RGB matrix, one row per input channel.
const RGB_OF_YUV: [[f32; 3]; 3] = [
    [1.0, 1.0, 1.0],
    [0.0, -0.394_642_33, 2.032_061_8],
    [1.139_883, -0.580_621_84, 0.0],
];

/// The weights of the official loader's grey. They sum to 0.9999 and differ from YUV's own.
const GREY_OF_RGB: [f32; 3] = [0.2989, 0.587, 0.114];

/// The colour space of an image's channels. All that compares images depends on it, so the set is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColourSpace {
    /// Scaled YUV: (2Y − 1, 2U, 2V). Y lies in [−1, 1], U in ±0.87202 and V in ±1.22995. The
    /// official code's default.
    #[default]
    Yuv,
    /// Red, green and blue, x / 127.5 − 1, in [−1, 1].
    Rgb,
    /// One channel, the grey value x / 127.5 − 1, in [−1, 1].
    Grey,
}

impl ColourSpace {
    /// The number of channels: 3, or 1 for grey.
    pub fn channels(self) -> usize {
        match self {
            Self::Yuv | Self::Rgb => 3,
            Self::Grey => 1,
        }
    }

    /// The channels of one colour whose red, green and blue lie in [0, 255]. Of grey, the last
    /// two values are 0 and mean nothing.
    #[inline]
    pub fn encode_pixel(self, rgb: [f32; 3]) -> [f32; 3] {
        match self {
            Self::Yuv => rgb_to_yuv(rgb),
            Self::Rgb => rgb.map(|x| x / 127.5 - 1.0),
            Self::Grey => [grey(rgb) / 127.5 - 1.0, 0.0, 0.0],
        }
    }

    /// Writes the channels of a row of pixels into its place in each plane.
    ///
    /// With `grey`, each pixel is first made grey by [`grey`], in all three colours.
    pub(crate) fn encode_row(self, row: &[[u8; 3]], grey: bool, planes: &mut [&mut [f32]]) {
        encode_row(self, row, grey, planes);
    }

    /// Red, green and blue of one pixel's channels, in [−1, 1] where the colour exists on a
    /// screen and beyond it otherwise: nothing is clipped.
    pub fn decode_pixel(self, channels: [f32; 3]) -> [f32; 3] {
        match self {
            Self::Yuv => yuv_to_rgb(channels),
            Self::Rgb => channels,
            Self::Grey => [channels[0]; 3],
        }
    }

    /// The channels of a whole image, at its own size.
    ///
    /// # Shapes
    ///
    /// - output: `[channels, height, width]`
    ///
    /// # Errors
    ///
    /// [`ParameterError::ImageSize`] if the image has no pixels, or more than an [`ImageSize`]
    /// allows.
    pub fn encode(self, image: &RgbImage) -> Result<Image, ParameterError> {
        let size = ImageSize::new(image.height() as usize, image.width() as usize)?;
        let (pixels, _) = image.as_raw().as_chunks();
        let rows = pixels.chunks_exact(size.width());
        let encode = |row: &[[u8; 3]], planes: &mut [&mut [f32]]| {
            self.encode_row(row, false, planes);
        };
        Ok(Image::from_rows(size, self.channels(), rows, encode))
    }

    /// The 8-bit RGB image of channels, as the official code writes its samples: colours are
    /// clipped to [−1, 1] and (x + 1) / 2 · 255 is *truncated*, so that a round trip loses 1 for
    /// many colours. NaN becomes 0.
    ///
    /// # Shapes
    ///
    /// - `planes`: `[channels, height, width]`, row by row
    ///
    /// # Errors
    ///
    /// [`ParameterError::PlaneLength`] if `planes` has another length.
    pub fn decode(self, planes: &[f32], size: ImageSize) -> Result<RgbImage, ParameterError> {
        let (channels, pixels) = (self.channels(), size.pixels());
        check_length(planes.len(), channels, size)?;
        let mut bytes = Vec::with_capacity(3 * pixels);
        for i in 0..pixels {
            let mut pixel = [0.0; 3];
            for (value, plane) in pixel.iter_mut().zip(planes.chunks_exact(pixels)) {
                *value = plane[i];
            }
            bytes.extend(self.decode_pixel(pixel).map(to_byte));
        }
        let (width, height) = (size.width() as u32, size.height() as u32);
        // Never the default: `bytes` has three values per pixel.
        Ok(RgbImage::from_raw(width, height, bytes).unwrap_or_default())
    }
}

/// Scaled YUV (2Y − 1, 2U, 2V) of red, green and blue in [0, 255].
#[inline]
pub fn rgb_to_yuv(rgb: [f32; 3]) -> [f32; 3] {
    let [y, u, v] = multiply(rgb.map(|x| x / 255.0), &YUV_OF_RGB);
    [y * 2.0 - 1.0, u * 2.0, v * 2.0]
}

/// Red, green and blue of scaled YUV, in [−1, 1] for colours of the RGB cube; not clipped.
pub fn yuv_to_rgb([y, u, v]: [f32; 3]) -> [f32; 3] {
    multiply([(y + 1.0) / 2.0, u / 2.0, v / 2.0], &RGB_OF_YUV).map(|x| x * 2.0 - 1.0)
}

/// The official loader's grey, 0.2989 R + 0.587 G + 0.114 B: on the scale of its arguments, and
/// not rounded.
#[inline]
pub fn grey(rgb: [f32; 3]) -> f32 {
    let [r, g, b] = rgb;
    let [wr, wg, wb] = GREY_OF_RGB;
    r * wr + g * wg + b * wb
}

/// The byte that the official sample writer stores for a value of [−1, 1]: clipped, scaled to
/// 0..255 and truncated. NaN becomes 0.
pub fn to_byte(value: f32) -> u8 {
    // The cast truncates, and turns NaN into 0.
    ((value.clamp(-1.0, 1.0) + 1.0) / 2.0 * 255.0) as u8
}

/// [`ColourSpace::encode_row`], for the vector instructions that the machine has. They do not change
/// a bit: the compiler neither reorders sums nor fuses multiplications into them.
#[multiversion::multiversion(targets("x86_64+avx2"))]
fn encode_row(space: ColourSpace, row: &[[u8; 3]], grey: bool, planes: &mut [&mut [f32]]) {
    // Pixels in a chunk: enough for any vector register, and little on the stack.
    const CHUNK: usize = 32;
    for (number, chunk) in row.chunks(CHUNK).enumerate() {
        let mut colours = [[0.0; CHUNK]; 3];
        for (i, pixel) in chunk.iter().enumerate() {
            for (colour, &byte) in colours.iter_mut().zip(pixel) {
                colour[i] = f32::from(byte);
            }
        }
        if grey {
            let [r, g, b] = colours;
            let values = std::array::from_fn(|i| self::grey([r[i], g[i], b[i]]));
            colours = [values; 3];
        }
        let channels = match space {
            ColourSpace::Yuv => each(colours, rgb_to_yuv),
            ColourSpace::Rgb => each(colours, |rgb| ColourSpace::Rgb.encode_pixel(rgb)),
            ColourSpace::Grey => each(colours, |rgb| ColourSpace::Grey.encode_pixel(rgb)),
        };
        for (plane, values) in planes.iter_mut().zip(&channels) {
            let plane = plane[number * CHUNK..].iter_mut();
            plane
                .zip(&values[..chunk.len()])
                .for_each(|(place, &value)| *place = value);
        }
    }
}

/// A function of each pixel of a chunk; the compiler makes a loop over vectors of it.
#[inline(always)]
fn each<const N: usize>(
    [a, b, c]: [[f32; N]; 3],
    convert: impl Fn([f32; 3]) -> [f32; 3],
) -> [[f32; N]; 3] {
    let mut channels = [[0.0; N]; 3];
    for i in 0..N {
        let [x, y, z] = convert([a[i], b[i], c[i]]);
        (channels[0][i], channels[1][i], channels[2][i]) = (x, y, z);
    }
    channels
}

/// A colour times a matrix, each product but the first fused with its sum as in TensorFlow's CPU
/// kernels. The truncation to bytes turns the last bit of a sum into a grey level, so the order
/// and the rounding of the operations matter.
#[inline(always)]
fn multiply([a, b, c]: [f32; 3], matrix: &[[f32; 3]; 3]) -> [f32; 3] {
    // In f64 a product of two f32 is exact. `f32::mul_add` would be a slow call on processors
    // that the compiler cannot assume to have the instruction.
    let fused = |x: f32, y: f32, sum: f32| (f64::from(x) * f64::from(y) + f64::from(sum)) as f32;
    std::array::from_fn(|j| fused(c, matrix[2][j], fused(b, matrix[1][j], a * matrix[0][j])))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(ColourSpace::Yuv, 3)]
    #[case(ColourSpace::Rgb, 3)]
    fn a_colour_survives_the_round_trip_but_for_the_truncation(
        #[case] space: ColourSpace,
        #[case] channels: usize,
    ) {
        let image = RgbImage::from_fn(16, 16, |x, y| [x as u8 * 17, y as u8 * 17, 90].into());
        let encoded = space.encode(&image).expect("valid size");
        assert_eq!(encoded.channels(), channels);
        let decoded = space
            .decode(encoded.planes(), encoded.size())
            .expect("right length");
        for (before, after) in image.as_raw().iter().zip(decoded.as_raw()) {
            assert!(before - after <= 1, "{before} became {after}");
        }
    }

    #[rstest]
    #[case(ColourSpace::Yuv)]
    #[case(ColourSpace::Rgb)]
    #[case(ColourSpace::Grey)]
    fn rows_are_encoded_as_their_pixels_are(
        #[case] space: ColourSpace,
        #[values(false, true)] grey: bool,
    ) {
        // Longer than a chunk, and no multiple of it.
        let row: Vec<[u8; 3]> = (0..=255_u8)
            .map(|i| [i, 255 - i, i.wrapping_mul(77)])
            .collect();
        let row = &row[..251];
        let mut planes = vec![vec![0.0; row.len()]; space.channels()];
        let mut places: Vec<_> = planes.iter_mut().map(Vec::as_mut_slice).collect();
        space.encode_row(row, grey, &mut places);
        for (i, pixel) in row.iter().enumerate() {
            let rgb = pixel.map(f32::from);
            let rgb = if grey { [self::grey(rgb); 3] } else { rgb };
            let expected = &space.encode_pixel(rgb)[..space.channels()];
            let actual: Vec<f32> = planes.iter().map(|plane| plane[i]).collect();
            assert_eq!(actual, expected, "pixel {i}");
        }
    }

    #[test]
    fn grey_has_one_channel_and_decodes_to_equal_colours() {
        let image = RgbImage::from_pixel(2, 1, [255, 0, 0].into());
        let encoded = ColourSpace::Grey.encode(&image).expect("valid size");
        assert_eq!(encoded.planes().len(), 2);
        assert!((encoded.planes()[0] - (0.2989 * 2.0 - 1.0)).abs() < 1e-6);
        let decoded = ColourSpace::Grey
            .decode(encoded.planes(), encoded.size())
            .expect("length");
        assert_eq!(decoded.get_pixel(1, 0).0, [76; 3]);
    }

    #[test]
    fn bytes_are_clipped_and_truncated() {
        let values = [-7.0, -1.0, 0.0, 0.999, 1.0, 1.2, f32::NAN];
        assert_eq!(values.map(to_byte), [0, 0, 127, 254, 255, 255, 0]);
    }

    #[test]
    fn planes_of_the_wrong_length_are_refused() {
        let size = ImageSize::new(2, 2).expect("valid");
        let error = ColourSpace::Yuv
            .decode(&[0.0; 11], size)
            .expect_err("11 of 12 values");
        assert!(error.to_string().contains("give 12 values"), "{error}");
    }
}
