//! A photograph at a working size.

use std::ops::Range;

use rayon::prelude::*;

use super::pixels::{COLOURS, Photograph, Samples};
use crate::areas::{Area, areas};

impl Photograph {
    /// The colours at another size, in [0, 1], sRGB-encoded: the mean of the area that each pixel of the new size
    /// covers. Pixels at its edges count by the share of them that is covered.
    ///
    /// With alpha each pixel counts by its opacity. An area that is all transparent is black.
    ///
    /// # Shapes
    ///
    /// - output: `[height, width]`, row by row. A width or height of 0 counts as 1.
    pub fn reduced(&self, width: usize, height: usize) -> Vec<[f32; 3]> {
        let white = self.white();
        let colour = |[r, g, b, weight]: [f64; 4]| {
            let scale = if weight > 0.0 {
                1.0 / (weight * white)
            } else {
                0.0
            };
            [r, g, b].map(|sum| (sum * scale) as f32)
        };
        self.areas(width, height, colour)
    }

    /// The mean opacity of the areas of [`reduced`](Self::reduced), in [0, 1]; `None` without alpha.
    pub fn reduced_alpha(&self, width: usize, height: usize) -> Option<Vec<f32>> {
        let step = |from: usize, to: usize| from as f64 / to.max(1) as f64;
        let area = step(self.height, height) * step(self.width, width) * self.white();
        self.has_alpha()
            .then(|| self.areas(width, height, |[.., weight]| (weight / area) as f32))
    }

    /// The value of a white sample.
    fn white(&self) -> f64 {
        match self.samples {
            Samples::Eight(_) => f64::from(u8::MAX),
            Samples::Sixteen(_) => f64::from(u16::MAX),
        }
    }

    /// What `of` makes of the sums over each area: of red, green and blue times weight, and of the weight. That is the
    /// alpha, or 1.
    fn areas<O: Send>(
        &self,
        width: usize,
        height: usize,
        of: impl Fn([f64; 4]) -> O + Sync,
    ) -> Vec<O> {
        match (&self.samples, self.has_alpha()) {
            (Samples::Eight(all), false) => self.sums::<_, 3, _>(all, width, height, of),
            (Samples::Eight(all), true) => self.sums::<_, 4, _>(all, width, height, of),
            (Samples::Sixteen(all), false) => self.sums::<_, 3, _>(all, width, height, of),
            (Samples::Sixteen(all), true) => self.sums::<_, 4, _>(all, width, height, of),
        }
    }

    fn sums<T: Copy + Into<f64> + Sync, const N: usize, O: Send>(
        &self,
        samples: &[T],
        width: usize,
        height: usize,
        of: impl Fn([f64; 4]) -> O + Sync,
    ) -> Vec<O> {
        let (pixels, _) = samples.as_chunks::<N>();
        let columns = spans(self.width, width.max(1));
        let rows = spans(self.height, height.max(1));
        let sums = rows.into_par_iter().flat_map_iter(|rows| {
            let mut sums = vec![[0.0; 4]; columns.len()];
            for number in rows.pixels.clone() {
                let share = rows.share(number);
                let row = &pixels[number * self.width..][..self.width];
                for (sum, columns) in sums.iter_mut().zip(&columns) {
                    add(sum, &columns.sum(row), share);
                }
            }
            sums.into_iter().map(&of)
        });
        sums.collect()
    }
}

/// What each of `to` pixels covers of a line of `from`.
fn spans(from: usize, to: usize) -> Vec<Span> {
    let span = |area: Area| {
        let share = |pixel| area.covered(pixel) as f64 / to as f64;
        Span {
            first: share(area.pixels.start),
            last: share(area.pixels.end.saturating_sub(1)),
            pixels: area.pixels,
        }
    };
    areas(from, to).map(span).collect()
}

/// Neighbours in a line of pixels, of which the first and the last may be covered in part.
struct Span {
    pixels: Range<usize>,
    /// The share of the first pixel.
    first: f64,
    /// The share of the last pixel.
    last: f64,
}

impl Span {
    /// The share of a pixel.
    fn share(&self, pixel: usize) -> f64 {
        if pixel == self.pixels.start {
            self.first
        } else if pixel + 1 == self.pixels.end {
            self.last
        } else {
            1.0
        }
    }

    /// The weighted sum of its pixels in a row.
    fn sum<T: Copy + Into<f64>, const N: usize>(&self, row: &[[T; N]]) -> [f64; 4] {
        let mut sum = [0.0; 4];
        let Some((first, rest)) = row[self.pixels.clone()].split_first() else {
            return sum;
        };
        add(&mut sum, &weighted(first), self.first);
        if let Some((last, between)) = rest.split_last() {
            for pixel in between {
                add(&mut sum, &weighted(pixel), 1.0);
            }
            add(&mut sum, &weighted(last), self.last);
        }
        sum
    }
}

/// A pixel's colour times its alpha, and the alpha.
fn weighted<T: Copy + Into<f64>, const N: usize>(pixel: &[T; N]) -> [f64; 4] {
    let [r, g, b] = [pixel[0].into(), pixel[1].into(), pixel[2].into()];
    match pixel.get(COLOURS) {
        Some(&alpha) => {
            let alpha = alpha.into();
            [r * alpha, g * alpha, b * alpha, alpha]
        }
        None => [r, g, b, 1.0],
    }
}

fn add(sum: &mut [f64; 4], values: &[f64; 4], share: f64) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum += share * value;
    }
}
