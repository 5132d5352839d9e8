//! Colour transfer by local affine maps in a bilateral grid.

mod chroma;
mod read;
mod slice;
mod solve;

use super::banded::RIGHT;
use super::cloud::counted;
use super::distribution::{IterativeDistributionTransfer, Marginals, Planes, ROTATIONS};
use super::error::TransferError;
use super::linear::MongeKantorovich;
use super::map::ColourMap;
use super::options::{FitOptions, Grid};
use super::sample::Sample;
use slice::{INPUTS, LANES, Place, RowMap, cell};
use solve::Problem;

/// Affine colour maps in a grid of columns, rows and levels of luma. A pixel's map is interpolated
/// between those of the eight cells around it, by its place in the image and its luma. The first and
/// the last cells of a side lie on the image's edges, and on black and white.
///
/// What varies slowly in the grid cannot tear a surface apart, and edges follow the image that is
/// mapped. The grid lies alike at every size of the image.
///
/// Source: Chen, Paris and Durand, "Real-time edge-aware image processing with the bilateral grid",
/// 2007, for the grid; the fit is our own.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalMaps {
    grid: Grid,
    maps: Vec<f32>,
}

impl LocalMaps {
    /// Values of a map: three outputs from red, green, blue and 1.
    pub const VALUES: usize = 12;

    /// Maps made elsewhere.
    ///
    /// # Shapes
    ///
    /// `maps`: `[levels, rows, columns, 3, 4]`; red, green and blue of the output, of each what
    /// multiplies red, green, blue and 1.
    ///
    /// # Errors
    ///
    /// [`TransferError::Maps`] if there are too few values or too many, or one is not finite.
    pub fn new(grid: Grid, maps: Vec<f32>) -> Result<Self, TransferError> {
        let expected = grid.cells() * Self::VALUES;
        if maps.len() != expected || !maps.iter().all(|value| value.is_finite()) {
            return Err(TransferError::Maps {
                cells: grid.cells(),
                expected,
                values: maps.len(),
            });
        }
        Ok(Self { grid, maps })
    }

    /// The maps for one pair, in closed form. Each is the linear map of the whole image
    /// ([`monge_kantorovich`](super::monge_kantorovich())) and a change to it. The changes are the
    /// solution of a problem of least squares: the output shall be near to what iterative distribution
    /// transfer makes of the linear map's output; its gradients shall be near to those of the linear
    /// map's, and not much larger than the content's, above all where the content is smooth; the maps
    /// of neighbouring cells shall be alike. The target is noisy and torn. Such maps cannot follow its
    /// noise.
    ///
    /// With [`FitOptions::with_repeats`] the maps are fitted again, each time to a target made anew from
    /// the last output.
    pub fn fit(content: &Sample, reference: &Sample, options: &FitOptions) -> Self {
        let [content, reference] =
            [content, reference].map(|sample| sample.reduced(options.working_side()));
        let linear = MongeKantorovich::of_samples(&content, &reference);
        let reference = Planes::new(counted(&reference).map(|(_, rgb, weight)| (rgb, weight)));
        let reference = Marginals::new(&reference, ROTATIONS);
        let grid = options.grid();
        let problem = Problem::new(&content, &linear, grid, options.smoothness());
        let moved = || counted(&content).map(|(_, rgb, weight)| (linear.at(rgb), weight));
        let mut changes = vec![[[0.0; RIGHT]; INPUTS]; grid.cells()];
        for _ in 0..options.repeats() {
            let output = moved().zip(problem.changes(&changes));
            let output = output.map(|((rgb, weight), change)| (add(rgb, change), weight));
            let mut target = Planes::new(output);
            IterativeDistributionTransfer::fit(&mut target, &reference);
            let wanted = moved().enumerate().map(|(i, (rgb, _))| {
                let target = [0, 1, 2].map(|c| target.colours[c][i]);
                add(target, rgb.map(|value| -value))
            });
            changes = problem.solve(wanted);
        }
        let base = linear.affine();
        let maps = changes.iter().flat_map(|change| {
            (0..3).flat_map(move |c| (0..4).map(move |k| base[k][c] + change[k][c] as f32))
        });
        Self {
            grid,
            maps: maps.collect(),
        }
    }

    /// The grid.
    pub fn grid(&self) -> Grid {
        self.grid
    }

    /// The maps.
    ///
    /// # Shapes
    ///
    /// `[levels, rows, columns, 3, 4]`, as in [`Self::new`].
    pub fn maps(&self) -> &[f32] {
        &self.maps
    }

    /// The maps of a row of pixels, for each column and level of the grid.
    fn of_row(&self, row: usize, height: usize) -> Vec<RowMap> {
        let place = Place::of_pixel(row, height, self.grid.rows());
        let (columns, levels) = (self.grid.columns(), self.grid.levels());
        let map = |row, level, column| {
            let start = cell(self.grid, level, row, column) * Self::VALUES;
            &self.maps[start..start + Self::VALUES]
        };
        let cells = (0..columns).flat_map(|c| (0..levels).map(move |l| (c, l)));
        let blended = cells.map(|(column, level)| {
            let rows = [place.first, (place.first + 1).min(self.grid.rows() - 1)];
            let [a, b] = rows.map(|row| map(row, level, column));
            let mut blended = [0.0; INPUTS * LANES];
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                let (output, input) = (i / INPUTS, i % INPUTS);
                blended[input * LANES + output] = a * (1.0 - place.share) + b * place.share;
            }
            blended
        });
        blended.collect()
    }
}

impl ColourMap for LocalMaps {
    fn map_row(&self, row: usize, height: usize, pixels: &mut [[f32; 3]]) {
        let maps = self.of_row(row, height);
        slice::map_row(&maps, self.grid.columns(), self.grid.levels(), pixels);
    }
}

fn add(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

#[cfg(test)]
mod tests;
