//! Changes the colours of a photograph, row by row.

use rayon::prelude::*;

use super::pixels::{COLOURS, Photograph, Samples};

/// A sample of a photograph.
trait Sample: Copy + Send + Sync {
    /// Its value, from 0 for black to 1 for white.
    fn value(self) -> f32;

    /// The nearest sample to a value; that of 0 or 1 for values beyond them, and of 0 for NaN.
    fn nearest(value: f32) -> Self;
}

impl Sample for u8 {
    fn value(self) -> f32 {
        f32::from(self) / 255.0
    }

    fn nearest(value: f32) -> Self {
        // The cast clips, truncates, and turns NaN into 0.
        (value * 255.0 + 0.5) as Self
    }
}

impl Sample for u16 {
    fn value(self) -> f32 {
        f32::from(self) / 65535.0
    }

    fn nearest(value: f32) -> Self {
        (value * 65535.0 + 0.5) as Self
    }
}

impl Photograph {
    /// Maps the colour of every pixel, in place, with rows in parallel.
    ///
    /// `map` gets the number of a row and its colours, in [0, 1], which it changes. What it leaves is clipped to
    /// [0, 1] and rounded to the nearest level; NaN becomes 0. A colour that it leaves as it is keeps its bits. Alpha
    /// stays as it is.
    pub fn map_rows(&mut self, map: impl Fn(usize, &mut [[f32; 3]]) + Sync) {
        let (width, channels) = (self.width, self.channels);
        match &mut self.samples {
            Samples::Eight(all) => map_rows(all, width, channels, map),
            Samples::Sixteen(all) => map_rows(all, width, channels, map),
        }
    }

    /// The colours of a row, in [0, 1]. A row beyond the last has none.
    pub fn row(&self, row: usize) -> Vec<[f32; 3]> {
        match &self.samples {
            Samples::Eight(all) => {
                values(row_of(all, row, self.width, self.channels), self.channels)
            }
            Samples::Sixteen(all) => {
                values(row_of(all, row, self.width, self.channels), self.channels)
            }
        }
    }
}

fn row_of<T>(samples: &[T], row: usize, width: usize, channels: usize) -> &[T] {
    let stride = width * channels;
    samples
        .get(row * stride..(row + 1) * stride)
        .unwrap_or_default()
}

fn values<T: Sample>(samples: &[T], channels: usize) -> Vec<[f32; 3]> {
    let pixels = samples.chunks_exact(channels);
    pixels.map(colour).collect()
}

fn colour<T: Sample>(pixel: &[T]) -> [f32; 3] {
    [pixel[0].value(), pixel[1].value(), pixel[2].value()]
}

fn map_rows<T: Sample>(
    samples: &mut [T],
    width: usize,
    channels: usize,
    map: impl Fn(usize, &mut [[f32; 3]]) + Sync,
) {
    let stride = (width * channels).max(1);
    let rows = samples.par_chunks_exact_mut(stride).enumerate();
    rows.for_each_init(Vec::new, |colours, (number, row)| {
        colours.clear();
        colours.extend(row.chunks_exact(channels).map(colour));
        map(number, colours);
        for (pixel, values) in row.chunks_exact_mut(channels).zip(&*colours) {
            for (sample, value) in pixel[..COLOURS].iter_mut().zip(values) {
                *sample = T::nearest(*value);
            }
        }
    });
}
