//! Colour transfer by local affine maps in a bilateral grid.

mod slice;
mod solve;

use super::cloud::counted;
use super::distribution::{IterativeDistributionTransfer, Planes};
use super::linear::MongeKantorovich;
use super::options::{FitOptions, Grid};
use super::sample::Sample;
use super::{ColourMap, TransferError};
use slice::{Place, cell};
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
    /// ([`monge_kantorovich`](super::monge_kantorovich())) and a change to it. The changes minimise the
    /// mean squared difference of the output to what iterative distribution transfer makes of the
    /// linear map's output, and λ / cells times the squared differences of neighbouring cells. The
    /// target is noisy; maps that vary slowly cannot follow its noise.
    pub fn fit(content: &Sample, reference: &Sample, options: &FitOptions) -> Self {
        let [content, reference] =
            [content, reference].map(|sample| sample.reduced(options.working_side()));
        let linear = MongeKantorovich::of_samples(&content, &reference);
        let reference = Planes::new(counted(&reference).map(|(_, rgb, weight)| (rgb, weight)));
        let grid = options.grid();
        let problem = Problem::new(&content, grid, options.smoothness());
        let mut changes = vec![[[0.0; 3]; 4]; grid.cells()];
        for _ in 0..options.repeats() {
            let colours = counted(&content).zip(problem.changes(&changes));
            let colours = colours.map(|((_, rgb, weight), change)| {
                let [r, g, b] = linear.at(rgb);
                ([r + change[0], g + change[1], b + change[2]], weight)
            });
            let output = Planes::new(colours);
            let mut target = Planes {
                colours: output.colours.clone(),
                weights: output.weights.clone(),
            };
            IterativeDistributionTransfer::fit(&mut target, &reference);
            let wanted = (0..target.weights.len())
                .map(|i| [0, 1, 2].map(|c| target.colours[c][i] - output.colours[c][i]));
            for (map, change) in changes.iter_mut().zip(problem.solve(wanted)) {
                for (sum, change) in map.as_flattened_mut().iter_mut().zip(change.as_flattened()) {
                    *sum += change;
                }
            }
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

    /// The maps of a row of pixels, for each column and level of the grid: four values for each of
    /// red, green, blue and 1, the last of them 0.
    fn of_row(&self, row: usize, height: usize) -> Vec<[[f32; 4]; 4]> {
        let place = Place::of_pixel(row, height, self.grid.rows());
        let (columns, levels) = (self.grid.columns(), self.grid.levels());
        let map = |row, level, column| {
            let start = cell(self.grid, level, row, column) * Self::VALUES;
            &self.maps[start..start + Self::VALUES]
        };
        let cells = (0..columns).flat_map(|c| (0..levels).map(move |l| (c, l)));
        let blended = cells.map(|(column, level)| {
            let [a, b] = place.cells.map(|row| map(row, level, column));
            let mut blended = [[0.0; 4]; 4];
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                blended[i % 4][i / 4] = a * place.shares[0] + b * place.shares[1];
            }
            blended
        });
        blended.collect()
    }
}

impl ColourMap for LocalMaps {
    fn map_row(&self, row: usize, height: usize, pixels: &mut [[f32; 3]]) {
        let maps = self.of_row(row, height);
        let (columns, levels) = (self.grid.columns(), self.grid.levels());
        let width = pixels.len();
        for (i, rgb) in pixels.iter_mut().enumerate() {
            let column = Place::of_pixel(i, width, columns);
            let level = Place::of_luma(*rgb, levels);
            let inputs = [rgb[0], rgb[1], rgb[2], 1.0];
            let mut sum = [0.0; 4];
            for (c, of_column) in column.cells.into_iter().zip(column.shares) {
                for (l, of_level) in level.cells.into_iter().zip(level.shares) {
                    let share = of_column * of_level;
                    let map = &maps[c * levels + l];
                    for (values, input) in map.iter().zip(inputs) {
                        let factor = share * input;
                        for (sum, value) in sum.iter_mut().zip(values) {
                            *sum += factor * value;
                        }
                    }
                }
            }
            *rgb = [sum[0], sum[1], sum[2]];
        }
    }
}
