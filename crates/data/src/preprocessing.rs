use std::ops::Range;

use ::image::RgbImage;
use rand::{Rng, RngExt};

use crate::resize::{nearest_indices, resize_columns};
use crate::{ColourSpace, CountBins, Image, ImageSize, ResizeFilter};

/// How images are prepared for the networks.
///
/// In the order of the official loader:
///
/// 1. resize; or, with jitter, resize to 286/256 of the size, crop at random, and flip half of the
///    images left to right;
/// 2. convert the colours;
/// 3. count the reference's values.
///
/// Every combination of its checked parts is valid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preprocessing {
    /// The size of the images that the networks see.
    pub size: ImageSize,
    /// How they are resized. The official code takes the nearest neighbour.
    pub resize: ResizeFilter,
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

    /// Prepares an image as held-out images are: resizes it and converts its colours.
    ///
    /// # Shapes
    ///
    /// - output: `[channels, height, width]`
    pub fn apply(&self, image: &RgbImage) -> Image {
        self.of_original(image, 0..image.width(), None, false)
    }

    /// As [`Self::apply`], with each pixel made grey first by [`grey`](crate::colour::grey).
    ///
    /// # Shapes
    ///
    /// - output: `[channels, height, width]`
    pub fn apply_grey(&self, image: &RgbImage) -> Image {
        self.of_original(image, 0..image.width(), None, true)
    }

    /// Height and width to which images are resized: those of the window that is cut out of
    /// them, or of the whole.
    fn resized_size(&self, jitter: bool) -> (usize, usize) {
        if jitter {
            self.jitter_size()
        } else {
            (self.size.height(), self.size.width())
        }
    }

    /// Parts of an image, each a range of its columns, resized for [`Self::of_resized`] and put
    /// side by side.
    pub(crate) fn resize_parts(
        &self,
        image: &RgbImage,
        parts: &[Range<u32>],
        jitter: bool,
    ) -> RgbImage {
        let (height, width) = self.resized_size(jitter);
        let (height, width) = (height as u32, width as u32);
        let mut resized = RgbImage::new(width * parts.len() as u32, height);
        for (number, part) in (0..).zip(parts) {
            let place = number * width..(number + 1) * width;
            resize_columns(image, part.clone(), &mut resized, place, self.resize);
        }
        resized
    }

    /// Resizes, crops, flips and colours some columns of an image.
    pub(crate) fn of_original(
        &self,
        image: &RgbImage,
        columns: Range<u32>,
        jitter: Option<Jitter>,
        grey: bool,
    ) -> Image {
        if self.resize != ResizeFilter::Nearest {
            let resized = self.resize_parts(image, &[columns], jitter.is_some());
            return self.of_resized(&resized, 0, jitter, grey);
        }
        // In one step, because most of the pixels are never needed.
        let (height, width) = self.resized_size(jitter.is_some());
        let mut xs = nearest_indices(columns.len(), width);
        xs.iter_mut().for_each(|x| *x += columns.start as usize);
        let ys = nearest_indices(image.height() as usize, height);
        self.window(image, xs, ys, jitter, grey)
    }

    /// Crops, flips and colours one of the parts made by [`Self::resize_parts`].
    pub(crate) fn of_resized(
        &self,
        resized: &RgbImage,
        part: usize,
        jitter: Option<Jitter>,
        grey: bool,
    ) -> Image {
        let (height, width) = self.resized_size(jitter.is_some());
        let xs = (part * width..(part + 1) * width).collect();
        self.window(resized, xs, (0..height).collect(), jitter, grey)
    }

    /// The pixels of an image at the columns `xs` and the rows `ys`, cropped, flipped, coloured.
    fn window(
        &self,
        image: &RgbImage,
        mut xs: Vec<usize>,
        mut ys: Vec<usize>,
        jitter: Option<Jitter>,
        grey: bool,
    ) -> Image {
        if let Some(Jitter { top, left, flip }) = jitter {
            ys.drain(..top.min(ys.len()));
            xs.drain(..left.min(xs.len()));
            xs.truncate(self.size.width());
            if flip {
                xs.reverse();
            }
        }
        let stride = 3 * image.width() as usize;
        let rows = ys.iter().map(|&y| {
            let (row, _) = image.as_raw()[y * stride..][..stride].as_chunks::<3>();
            xs.iter().map(|&x| row[x]).collect::<Vec<_>>()
        });
        let colour = self.colour;
        let encode = |row: &[[u8; 3]], planes: &mut [&mut [f32]]| {
            colour.encode_row(row, grey, planes);
        };
        Image::from_rows(self.size, colour.channels(), rows, encode)
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
            resize: ResizeFilter::Nearest,
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
                preprocessing.of_original(&image, 0..50, Some(jitter), false),
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
