//! Colours for a grey image: the chroma that a reference has at each luma.

use nalgebra::{DMatrix, Dyn, OMatrix, U3};

use super::LocalMaps;
use super::slice::{LUMA, Place, luma};
use crate::transfer::cloud::counted;
use crate::transfer::options::Grid;
use crate::transfer::sample::Sample;

/// How much neighbouring levels pull at each other, beside pixels that together weigh 1. Levels that the reference does
/// not have take the chroma of the nearest that it has.
const SMOOTHNESS: f64 = 1e-3;

impl LocalMaps {
    /// Maps that colour a grey image. They keep a pixel's luma and add the mean chroma that `reference` has at that luma,
    /// fitted by least squares as lines between the levels. The maps of all places are the same, so they do not tell
    /// apart two things of one luma.
    ///
    /// Colours of the image that is mapped do not count.
    pub fn colouring(reference: &Sample, grid: Grid) -> Self {
        let levels = grid.levels();
        let mut products = DMatrix::<f64>::zeros(levels, levels);
        let mut wanted = OMatrix::<f64, Dyn, U3>::zeros(levels);
        let mut sum = 0.0;
        for (_, rgb, weight) in counted(reference) {
            let Place { first, share } = Place::of_luma(rgb, levels);
            let (weight, share, grey) = (f64::from(weight), f64::from(share), luma(rgb));
            let shares = [(first, 1.0 - share), ((first + 1).min(levels - 1), share)];
            for (level, share) in shares {
                for (other, of_other) in shares {
                    products[(level, other)] += weight * share * of_other;
                }
                for (c, value) in rgb.into_iter().enumerate() {
                    wanted[(level, c)] += weight * share * f64::from(value - grey);
                }
            }
            sum += weight;
        }
        let pull = SMOOTHNESS * sum;
        for level in 1..levels {
            for (one, other) in [(level - 1, level), (level, level - 1)] {
                products[(one, one)] += pull;
                products[(one, other)] -= pull;
            }
        }
        let chroma = match products.cholesky() {
            Some(factors) => factors.solve(&wanted),
            // Nothing was counted.
            None => OMatrix::<f64, Dyn, U3>::zeros(levels),
        };
        let places = grid.rows() * grid.columns();
        let mut maps = Vec::with_capacity(grid.cells() * Self::VALUES);
        for level in 0..levels {
            let row = |c| LUMA.into_iter().chain([chroma[(level, c)] as f32]);
            let map: Vec<f32> = (0..3).flat_map(row).collect();
            maps.extend(map.repeat(places));
        }
        Self { grid, maps }
    }
}

#[cfg(test)]
#[path = "chroma_tests.rs"]
mod tests;
