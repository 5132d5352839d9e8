use ::image::RgbImage;
use serde::Serialize;

/// The values of a byte.
pub const LEVELS: usize = 256;

/// The mean histogram of a list of images, each image weighing the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColourHistogram {
    /// The share of pixels, 0 to 1, at each of the [`LEVELS`] levels of red, green and blue; each
    /// channel sums to 1.
    pub channels: [Vec<f64>; 3],
}

/// Shares are summed as whole numbers, this many to an image: whole sums do not depend on the
/// order in which threads make them.
const UNIT: u64 = 1 << 32;

/// The sum of the histograms of images.
#[derive(Clone, Default)]
pub(super) struct HistogramSum {
    images: u64,
    /// Empty until there is an image.
    sums: [Vec<u64>; 3],
}

impl HistogramSum {
    /// Adds the pixels of some columns of an image.
    pub(super) fn add(&mut self, image: &RgbImage, columns: std::ops::Range<usize>) {
        let mut counts = [[0_u32; LEVELS]; 3];
        let (pixels, _) = image.as_raw().as_chunks::<3>();
        for row in pixels.chunks_exact(image.width().max(1) as usize) {
            for pixel in row.get(columns.clone()).unwrap_or_default() {
                for (counts, &byte) in counts.iter_mut().zip(pixel) {
                    counts[usize::from(byte)] += 1;
                }
            }
        }
        let pixels = columns.len() as u64 * u64::from(image.height());
        if pixels == 0 {
            return;
        }
        self.images += 1;
        for (sums, counts) in self.sums.iter_mut().zip(&counts) {
            sums.resize(LEVELS, 0);
            for (sum, &count) in sums.iter_mut().zip(counts) {
                *sum += u64::from(count) * UNIT / pixels;
            }
        }
    }

    pub(super) fn join(mut self, other: Self) -> Self {
        if self.images == 0 {
            return other;
        }
        self.images += other.images;
        for (sums, others) in self.sums.iter_mut().zip(&other.sums) {
            for (sum, other) in sums.iter_mut().zip(others) {
                *sum += other;
            }
        }
        self
    }

    pub(super) fn mean(&self) -> Option<ColourHistogram> {
        let mean = |sums: &Vec<u64>| {
            let total = sums.iter().sum::<u64>().max(1) as f64;
            sums.iter().map(|&sum| sum as f64 / total).collect()
        };
        (self.images > 0).then(|| ColourHistogram {
            channels: self.sums.each_ref().map(mean),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_large_images_weigh_the_same() {
        let mut sum = HistogramSum::default();
        sum.add(&RgbImage::from_pixel(30, 20, [10, 0, 0].into()), 0..30);
        let mut other = HistogramSum::default();
        other.add(&RgbImage::from_pixel(2, 2, [200, 0, 0].into()), 0..2);
        let mean = sum.join(other).mean().expect("two images");
        let red = &mean.channels[0];
        assert!((red[10] - 0.5).abs() < 1e-6 && (red[200] - 0.5).abs() < 1e-6);
        assert!((mean.channels[2][0] - 1.0).abs() < 1e-6);
    }

    #[test]
    fn nothing_has_no_mean() {
        assert_eq!(HistogramSum::default().mean(), None);
    }
}
