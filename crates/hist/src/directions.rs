//! Directions of colour space.

use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::{Bins, HistogramError, limits};

/// Directions of the space of colours of three channels, along which images are compared.
///
/// Two images whose channels have equal histograms can still have other colours: red and green on one,
/// yellow and black on the other. Histograms along further directions tell them apart. All of them together
/// determine the distribution of colours (Cramér and Wold, 1936).
///
/// The first three are the channels themselves. Each further one is, of the directions to points with whole
/// coordinates up to 3, that which is farthest from all before it: the four diagonals of the cube, the six
/// diagonals of its faces, and so on. So a set holds all smaller ones. A direction and its opposite are one.
///
/// # The values along a direction
///
/// The bins `[a, b]` of the channels hold the colours of a cube. Along a unit direction `d` its colours have
/// values in a range of the length `(b − a)·(|d_1| + |d_2| + |d_3|)` ([`ranges`](Self::ranges)), which the `K`
/// bins of the direction share. In other words, colours `x` have along `d` the values
///
/// ```text
/// c + Σ_i w_i (x_i − c),        w = d/(|d_1| + |d_2| + |d_3|),        c = (a + b)/2
/// ```
///
/// in the bins of the channels: means of the channels, in which some of them are mirrored.
///
/// A `Directions` is valid by construction, also when it is read from a configuration.
///
/// ```
/// use huenet_hist::Directions;
///
/// let directions = Directions::spread(12)?;
/// assert_eq!(directions.vectors()[..3], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
/// assert!(Directions::spread(2).is_err());
/// # Ok::<(), huenet_hist::HistogramError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "UncheckedDirections")]
pub struct Directions {
    count: usize,
}

/// The fields of [`Directions`] as they stand in a file.
#[derive(Deserialize)]
#[serde(rename = "Directions", deny_unknown_fields)]
struct UncheckedDirections {
    count: usize,
}

impl TryFrom<UncheckedDirections> for Directions {
    type Error = HistogramError;

    fn try_from(directions: UncheckedDirections) -> Result<Self, Self::Error> {
        Self::spread(directions.count)
    }
}

impl Directions {
    /// The channels of a colour, and so the fewest directions.
    pub const CHANNELS: usize = limits::CHANNELS;
    /// The most directions.
    pub const MAX_COUNT: usize = limits::MAX_DIRECTIONS;

    /// The three channels.
    pub const fn axes() -> Self {
        Self {
            count: Self::CHANNELS,
        }
    }

    /// The first `count` directions, spread over colour space.
    ///
    /// # Errors
    ///
    /// [`HistogramError::DirectionCount`] unless
    /// [`CHANNELS`](Self::CHANNELS)` ≤ count ≤ `[`MAX_COUNT`](Self::MAX_COUNT).
    pub fn spread(count: usize) -> Result<Self, HistogramError> {
        if !(Self::CHANNELS..=Self::MAX_COUNT).contains(&count) {
            return Err(HistogramError::DirectionCount { count });
        }
        Ok(Self { count })
    }

    /// How many there are, the channels among them.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The directions, each of length 1: first the channels.
    pub fn vectors(&self) -> &'static [[f64; 3]] {
        static ALL: LazyLock<Vec<[f64; 3]>> = LazyLock::new(farthest_first);
        &ALL[..self.count]
    }

    /// The least and the greatest of the values `Σ_i d_i x_i` that colours with channels in the range of
    /// `bins` have along each direction `d`.
    pub fn ranges(&self, bins: &Bins) -> Vec<[f64; 2]> {
        let extremes = |d: &[f64; 3]| {
            let (a, b) = (bins.min(), bins.max());
            let ends = d.map(|d| [(d * a).min(d * b), (d * a).max(d * b)]);
            [0, 1].map(|end| ends.iter().map(|ends| ends[end]).sum())
        };
        self.vectors().iter().map(extremes).collect()
    }

    /// How many there are beyond the channels.
    pub(crate) fn further_count(&self) -> usize {
        self.count - Self::CHANNELS
    }

    /// The directions beyond the channels, as what brings colours into the bins of the channels.
    pub(crate) fn further(&self, bins: &Bins) -> Vec<Projection> {
        let centre = (bins.min() + bins.max()) / 2.0;
        self.vectors()[Self::CHANNELS..]
            .iter()
            .map(|d| {
                let reach = d.iter().map(|d| d.abs()).sum::<f64>();
                let weights = d.map(|d| d / reach);
                Projection {
                    weights,
                    offset: centre * (1.0 - weights.iter().sum::<f64>()),
                    reach,
                }
            })
            .collect()
    }
}

impl fmt::Display for Directions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} directions", self.count)
    }
}

/// What brings colours `x` into the bins of the channels: `offset + Σ_i w_i x_i`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Projection {
    /// `w`
    pub(crate) weights: [f64; 3],
    /// `c (1 − Σ_i w_i)`
    pub(crate) offset: f64,
    /// `|d_1| + |d_2| + |d_3|`: how much longer the range of the direction is than that of a channel.
    pub(crate) reach: f64,
}

/// All directions there are.
///
/// Sums, products, quotients and roots round alike on every machine, so that they are the same everywhere.
fn farthest_first() -> Vec<[f64; 3]> {
    let mut chosen = vec![[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    // With the cosine of the angle to the nearest of those that are chosen.
    let mut candidates: Vec<([f64; 3], f64)> = to_whole_points().map(|d| (d, 0.0)).collect();
    let mut compared = 0;
    while chosen.len() < Directions::MAX_COUNT {
        for (candidate, nearest) in &mut candidates {
            for other in &chosen[compared..] {
                let cosine: f64 = candidate.iter().zip(other).map(|(a, b)| a * b).sum();
                *nearest = nearest.max(cosine.abs());
            }
        }
        compared = chosen.len();
        let farthest = candidates.iter().min_by(|a, b| a.1.total_cmp(&b.1));
        let (farthest, _) = farthest.expect("there are points with whole coordinates");
        chosen.push(*farthest);
    }
    chosen
}

/// Unit vectors towards the points with whole coordinates, of two opposite ones one.
fn to_whole_points() -> impl Iterator<Item = [f64; 3]> {
    const FARTHEST: i32 = 3;
    let coordinates = || -FARTHEST..=FARTHEST;
    coordinates()
        .flat_map(move |x| coordinates().flat_map(move |y| coordinates().map(move |z| [x, y, z])))
        .filter(|point| point > &[0, 0, 0])
        .map(|point| {
            let point = point.map(f64::from);
            let length = point.iter().map(|x| x * x).sum::<f64>().sqrt();
            point.map(|x| x / length)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_are_spread() {
        let all = Directions::spread(Directions::MAX_COUNT).unwrap();
        let cosine = |a: &[f64; 3], b: &[f64; 3]| -> f64 {
            a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>().abs()
        };
        for (i, d) in all.vectors().iter().enumerate() {
            assert!((cosine(d, d) - 1.0).abs() < 1e-15, "{d:?}");
            for other in &all.vectors()[..i] {
                assert!(cosine(d, other) < 0.981, "{d:?} and {other:?}");
            }
        }
        // The channels, the diagonals of the cube, and those of its faces.
        let of_cube = Directions::spread(13).unwrap();
        for (i, d) in of_cube.vectors().iter().enumerate() {
            let along = match i {
                0..3 => 1.0_f64,
                3..7 => 3.0,
                _ => 2.0,
            };
            let expected = along.sqrt().recip();
            assert!(
                d.iter()
                    .all(|d| *d == 0.0 || (d.abs() - expected).abs() < 1e-15),
                "{d:?}"
            );
        }
        assert_eq!(Directions::axes().vectors(), &all.vectors()[..3]);
    }

    /// Every corner of the cube has its value inside the range, and some have the ends.
    #[test]
    fn ranges_hold_all_colours() {
        let bins = Bins::new(8, -0.5, 2.0).unwrap();
        let directions = Directions::spread(40).unwrap();
        let corners: Vec<[f64; 3]> = (0..8)
            .map(|i| [1, 2, 4].map(|bit| if i & bit == 0 { -0.5 } else { 2.0 }))
            .collect();
        let extremes = |values: Vec<f64>| {
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            [
                least,
                values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            ]
        };
        let along = |weights: &[f64; 3]| -> Vec<f64> {
            let value = |x: &[f64; 3]| weights.iter().zip(x).map(|(w, x)| w * x).sum();
            corners.iter().map(value).collect()
        };
        let close = |found: [f64; 2], expected: [f64; 2]| {
            found
                .iter()
                .zip(expected)
                .all(|(found, expected)| (found - expected).abs() < 1e-14)
        };
        for (d, range) in directions.vectors().iter().zip(directions.ranges(&bins)) {
            assert!(close(extremes(along(d)), range), "{d:?}");
        }
        for projection in directions.further(&bins) {
            let values = along(&projection.weights);
            let in_bins = values.iter().map(|value| projection.offset + value);
            assert!(close(extremes(in_bins.collect()), [-0.5, 2.0]));
        }
    }
}
