//! The Parzen window that spreads a pixel over the bins.

use std::fmt;
#[cfg(any(test, feature = "flex", feature = "ndarray", feature = "tch"))]
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{Bins, HistogramError, limits};

/// What happens to the part of a pixel's mass that falls outside the range `[a, b]`.
///
/// Every choice is a rule for the bins of the axis that goes on beyond both borders,
/// `… −2, −1, 0 … K−1, K …`: where the mass of such an *unfolded* bin goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Boundary {
    /// It is mirrored back at the border it crossed: bin `−1−j` counts as `j`, bin `K+j` as
    /// `K−1−j`.
    ///
    /// Only the first mirror image in each border exists, as in the official code: mass more than
    /// the length of the range outside is lost, and the histogram sums to less than 1.
    #[default]
    Reflect,
    /// It comes in again at the other border: bin `j` counts as `j mod K`.
    ///
    /// For cyclic quantities such as hue, whose largest and smallest values are neighbours
    /// (Avi-Aharon, Arbelle, Riklin Raviv, "Hue-Net", 2019).
    Wrap,
    /// It is lost.
    Open,
}

impl fmt::Display for Boundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reflect => "reflect",
            Self::Wrap => "wrap",
            Self::Open => "open",
        })
    }
}

/// The Parzen window: a logistic kernel of width `W = L/ρ`, integrated over one bin.
///
/// `φ_k(x) = σ((x − μ_k + L/2)/W) − σ((x − μ_k − L/2)/W)`
///
/// with the logistic function `σ`. The ratio `ρ` of bin width `L` to kernel width `W` sets how
/// soft the histogram is: as `ρ → ∞` the window becomes the indicator of the bin, and its
/// gradient vanishes almost everywhere; as `ρ → 0` neighbouring bins blur into one another. Away
/// from the pixel the window falls as `e^(−ρ·distance in bins)`.
///
/// A `Kernel` is valid by construction, also when it is read from a configuration. The default is
/// that of the official code: `ρ = 2.5`, [`Boundary::Reflect`].
///
/// Source: Avi-Aharon, Arbelle, Riklin Raviv, "Differentiable Histogram Loss Functions for
/// Intensity-based Image-to-Image Translation", TPAMI 2023; the mirror images in the borders are
/// those of the official code.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "UncheckedKernel")]
pub struct Kernel {
    ratio: f64,
    boundary: Boundary,
}

/// The fields of [`Kernel`] as they stand in a file.
#[derive(Deserialize)]
#[serde(rename = "Kernel", deny_unknown_fields)]
struct UncheckedKernel {
    ratio: f64,
    #[serde(default)]
    boundary: Boundary,
}

impl TryFrom<UncheckedKernel> for Kernel {
    type Error = HistogramError;

    fn try_from(kernel: UncheckedKernel) -> Result<Self, Self::Error> {
        Self::new(kernel.ratio, kernel.boundary)
    }
}

impl Default for Kernel {
    fn default() -> Self {
        Self {
            ratio: Self::DEFAULT_RATIO,
            boundary: Boundary::default(),
        }
    }
}

impl Kernel {
    /// The ratio of the official code.
    pub const DEFAULT_RATIO: f64 = 2.5;
    /// The softest kernel: four bins wide. A softer one is better had by fewer bins.
    pub const MIN_RATIO: f64 = limits::MIN_RATIO;
    /// The hardest kernel: at its bin's edge it rises from 0 to 1 within a few hundredths of a
    /// bin, and the gradient elsewhere is already below `e⁻³⁰` at the bin's centre.
    pub const MAX_RATIO: f64 = limits::MAX_RATIO;

    /// A kernel whose bins are `ratio` times as wide as itself.
    ///
    /// # Errors
    ///
    /// [`HistogramError::KernelRatio`] unless
    /// [`MIN_RATIO`](Self::MIN_RATIO)` ≤ ratio ≤ `[`MAX_RATIO`](Self::MAX_RATIO).
    pub fn new(ratio: f64, boundary: Boundary) -> Result<Self, HistogramError> {
        if !(Self::MIN_RATIO..=Self::MAX_RATIO).contains(&ratio) {
            return Err(HistogramError::KernelRatio { ratio });
        }
        Ok(Self { ratio, boundary })
    }

    /// The bin width in kernel widths, `ρ = L/W`.
    pub fn ratio(&self) -> f64 {
        self.ratio
    }

    /// What happens at the borders of the range.
    pub fn boundary(&self) -> Boundary {
        self.boundary
    }

    /// Half the number of bins in the band of a pixel: those on which it puts mass that numbers of
    /// so many binary digits can tell from none.
    ///
    /// The band is centred on the bin edge nearest to the pixel, so at least `half − ½` bins lie to
    /// either side, and the mass outside is at most `2·e^(−ρ·(half − ½))`. This is the least half for
    /// which the exponential is at most the unit round-off, `2^−digits`: a histogram misses at most
    /// twice that much of its mass, and an entry of it no more than rounding would take anyway. It is
    /// no whole number: whoever takes so many bins rounds it up.
    pub(crate) fn half_band(&self, digits: u32) -> f64 {
        f64::from(digits) * std::f64::consts::LN_2 / self.ratio + 0.5
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ratio {}, {} at the borders", self.ratio, self.boundary)
    }
}

/// Bins and kernel together: everything that defines a soft histogram.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binning {
    /// The bins.
    pub bins: Bins,
    /// The Parzen window.
    pub kernel: Kernel,
}

impl fmt::Display for Binning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.bins, self.kernel)
    }
}

#[cfg(any(test, feature = "flex", feature = "ndarray", feature = "tch"))]
impl Binning {
    /// The stretches of the unfolded bin axis whose mass is kept, of those that reach into `range`,
    /// in ascending order.
    pub(crate) fn segments(&self, range: Range<i64>) -> Vec<Segment> {
        let count = self.bins.count() as i64;
        let segment = |first: i64, mirrored| Segment {
            unfolded: first..first + count,
            mirrored,
        };
        match self.kernel.boundary {
            Boundary::Open => vec![segment(0, false)],
            Boundary::Reflect => {
                vec![
                    segment(-count, true),
                    segment(0, false),
                    segment(count, true),
                ]
            }
            Boundary::Wrap => {
                let turns = range.start.div_euclid(count)..=range.end.div_euclid(count);
                turns.map(|turn| segment(turn * count, false)).collect()
            }
        }
    }
}

#[cfg(any(test, feature = "flex", feature = "ndarray", feature = "tch"))]
/// A stretch of `K` unfolded bins whose mass goes to the `K` bins of the range.
pub(crate) struct Segment {
    /// The unfolded bins.
    pub(crate) unfolded: Range<i64>,
    /// Whether the first of them goes to the last bin of the range.
    pub(crate) mirrored: bool,
}

#[cfg(any(test, feature = "flex", feature = "ndarray", feature = "tch"))]
impl Segment {
    /// The bins to which the mass of a part of the segment goes.
    pub(crate) fn folded(&self, part: &Range<i64>) -> Range<usize> {
        let (from, to) = if self.mirrored {
            (self.unfolded.end - part.end, self.unfolded.end - part.start)
        } else {
            (
                part.start - self.unfolded.start,
                part.end - self.unfolded.start,
            )
        };
        from as usize..to as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn binning(boundary: Boundary) -> Binning {
        Binning {
            bins: Bins::new(3, 0.0, 1.0).unwrap(),
            kernel: Kernel::new(2.5, boundary).unwrap(),
        }
    }

    #[rstest]
    #[case(Boundary::Reflect, [None, Some(2), Some(1), Some(0), Some(0), Some(1), Some(2), Some(2), Some(1), Some(0), None])]
    #[case(Boundary::Wrap, [Some(2), Some(0), Some(1), Some(2), Some(0), Some(1), Some(2), Some(0), Some(1), Some(2), Some(0)])]
    #[case(Boundary::Open, [None, None, None, None, Some(0), Some(1), Some(2), None, None, None, None])]
    fn unfolded_bins_fold_back(#[case] boundary: Boundary, #[case] expected: [Option<usize>; 11]) {
        let binning = binning(boundary);
        let mut found = [None; 11];
        for segment in binning.segments(-4..7) {
            for j in segment.unfolded.start.max(-4)..segment.unfolded.end.min(7) {
                found[(j + 4) as usize] = Some(segment.folded(&(j..j + 1)).start);
            }
        }
        assert_eq!(found, expected);
    }

    #[rstest]
    #[case(0.0)]
    #[case(-2.5)]
    #[case(0.2)]
    #[case(65.0)]
    #[case(f64::NAN)]
    #[case(f64::INFINITY)]
    fn bad_ratios_are_refused(#[case] ratio: f64) {
        let error = Kernel::new(ratio, Boundary::Reflect)
            .unwrap_err()
            .to_string();
        assert!(error.contains("choose between 0.25 and 64"), "{error}");
    }
}
