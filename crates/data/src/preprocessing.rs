use ::image::RgbImage;
use rand::{Rng, RngExt};

use crate::resize::nearest_indices;
use crate::{ColourSpace, CountBins, Image, ImageSize, colour};

/// How images are prepared for the networks.
///
/// In the order of the official loader: resize by nearest neighbour; or, with jitter, resize to
/// 286/256 of the size, crop at random and flip half of the images left to right; then convert
/// the colours; then count the reference's values. Every combination of its checked parts is
/// valid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preprocessing {
    /// The size of the images that the networks see.
    pub size: ImageSize,
    /// Their colour space.
    pub colour: ColourSpace,
    /// Whether training images are cropped and flipped at random. Held-out images never are.
    pub jitter: bool,
    /// The bins in which the reference's values are counted, the same for each channel.
    pub counts: CountBins,
}

impl Preprocessing {
    /// Height and width to which an image is resized before it is cropped: the size times
    /// 286/256, rounded; 286×286 for 256×256, whatever the aspect ratio of the image.
    pub fn jitter_size(&self) -> (usize, usize) {
        let enlarge = |edge: usize| (edge * 286 + 128) / 256;
        (enlarge(self.size.height()), enlarge(self.size.width()))
    }

    /// Where to crop and whether to flip, drawn from `rng`.
    pub(crate) fn draw_jitter(&self, rng: &mut impl Rng) -> Jitter {
        let (height, width) = self.jitter_size();
        // Drawn as u64: a draw of usize would differ between platforms.
        Jitter {
            top: rng.random_range(0..=(height - self.size.height()) as u64) as usize,
            left: rng.random_range(0..=(width - self.size.width()) as u64) as usize,
            flip: rng.random(),
        }
    }

    /// Resizes, crops, flips and colours the columns `columns` of an image in one step, without
    /// an image in between.
    pub(crate) fn apply(
        &self,
        image: &RgbImage,
        columns: std::ops::Range<u32>,
        jitter: Option<Jitter>,
        grey: bool,
    ) -> Image {
        let (source_width, source_height) = (columns.len(), image.height() as usize);
        let (mut xs, ys) = match jitter {
            None => (
                nearest_indices(source_width, self.size.width()),
                nearest_indices(source_height, self.size.height()),
            ),
            Some(Jitter { top, left, .. }) => {
                let (height, width) = self.jitter_size();
                let crop = |mut indices: Vec<usize>, start: usize, length: usize| {
                    indices.drain(..start.min(indices.len()));
                    indices.truncate(length);
                    indices
                };
                (
                    crop(
                        nearest_indices(source_width, width),
                        left,
                        self.size.width(),
                    ),
                    crop(
                        nearest_indices(source_height, height),
                        top,
                        self.size.height(),
                    ),
                )
            }
        };
        if jitter.is_some_and(|jitter| jitter.flip) {
            xs.reverse();
        }
        let xs: Vec<u32> = xs.into_iter().map(|x| x as u32 + columns.start).collect();
        let pixels = ys.iter().flat_map(|&y| {
            xs.iter().map(move |&x| {
                let rgb = image.get_pixel(x, y as u32).0.map(f32::from);
                self.colour
                    .encode_pixel(if grey { [colour::grey(rgb); 3] } else { rgb })
            })
        });
        Image::from_pixels(self.size, self.colour.channels(), pixels)
    }

    /// Hard histograms of an image, one channel after the other.
    ///
    /// # Shapes
    ///
    /// - output: `[channels, K]`, each row summing to the image's number of pixels
    pub fn count(&self, image: &Image) -> Vec<u32> {
        let planes = image.planes().chunks_exact(image.size().pixels());
        planes.flat_map(|plane| self.counts.count(plane)).collect()
    }
}

/// One draw of the random crop and flip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Jitter {
    top: usize,
    left: usize,
    flip: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, stream};

    fn preprocessing(height: usize, width: usize) -> Preprocessing {
        Preprocessing {
            size: ImageSize::new(height, width).expect("valid"),
            colour: ColourSpace::Rgb,
            jitter: true,
            counts: CountBins::new(8, -1.0, 1.0).expect("valid"),
        }
    }

    #[test]
    fn the_official_size_is_enlarged_to_286() {
        assert_eq!(preprocessing(256, 256).jitter_size(), (286, 286));
        assert_eq!(preprocessing(64, 128).jitter_size(), (72, 143));
        assert_eq!(preprocessing(1, 3).jitter_size(), (1, 3));
    }

    #[test]
    fn a_jittered_image_is_a_window_of_the_enlarged_one() {
        let preprocessing = preprocessing(20, 24);
        let image = RgbImage::from_fn(50, 40, |x, y| [x as u8 * 5, y as u8 * 6, 30].into());
        let (height, width) = preprocessing.jitter_size();
        let enlarged =
            crate::resize::nearest(&image, ImageSize::new(height, width).expect("valid"));
        let (mut tops, mut flips) = (std::collections::BTreeSet::new(), 0);
        for index in 0..64 {
            let jitter =
                preprocessing.draw_jitter(&mut stream(Purpose::ContentJitter, 5, 0, index));
            let window = ::image::imageops::crop_imm(
                &enlarged,
                jitter.left as u32,
                jitter.top as u32,
                24,
                20,
            );
            let mut window = window.to_image();
            if jitter.flip {
                ::image::imageops::flip_horizontal_in_place(&mut window);
            }
            let expected = ColourSpace::Rgb.encode(&window).expect("valid");
            assert_eq!(
                preprocessing.apply(&image, 0..50, Some(jitter), false),
                expected
            );
            tops.insert(jitter.top);
            flips += usize::from(jitter.flip);
        }
        assert_eq!(
            tops.into_iter().collect::<Vec<_>>(),
            [0, 1, 2],
            "every offset occurs"
        );
        assert!((16..48).contains(&flips), "{flips} of 64 are flipped");
    }
}
