//! Which method a fit uses, and how.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::error::TransferError;

/// A way to give one image the colours of another without training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Affine colour maps in a grid of places and levels of luma: [`LocalMaps`](super::LocalMaps).
    #[default]
    LocalMaps,
    /// One smooth table of colours for the whole image: [`Lut`](super::Lut).
    Lut,
    /// Mean and standard deviation of each channel of lαβ: [`reinhard`](super::reinhard()).
    Reinhard,
    /// The linear map that moves mean and covariance:
    /// [`monge_kantorovich`](super::monge_kantorovich()).
    MongeKantorovich,
    /// The histogram of each channel of YUV: [`match_histogram`](super::match_histogram()).
    HistogramMatching,
    /// The linear map, then the histogram of each channel of RGB.
    MatchedMongeKantorovich,
    /// The histograms along the axes of 20 rotations of RGB, one after another.
    ///
    /// Source: Pitié, Kokaram and Dahyot, "N-dimensional probability density function transfer and
    /// its application to colour transfer", 2005.
    IterativeDistributionTransfer,
}

impl Method {
    /// Every method, the default first.
    pub const ALL: [Self; 7] = [
        Self::LocalMaps,
        Self::Lut,
        Self::Reinhard,
        Self::MongeKantorovich,
        Self::HistogramMatching,
        Self::MatchedMongeKantorovich,
        Self::IterativeDistributionTransfer,
    ];

    /// Its name in files and settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::LocalMaps => "local_maps",
            Self::Lut => "lut",
            Self::Reinhard => "reinhard",
            Self::MongeKantorovich => "monge_kantorovich",
            Self::HistogramMatching => "histogram_matching",
            Self::MatchedMongeKantorovich => "matched_monge_kantorovich",
            Self::IterativeDistributionTransfer => "iterative_distribution_transfer",
        }
    }

    /// Its name in tables.
    pub fn title(self) -> &'static str {
        match self {
            Self::LocalMaps => "local maps",
            Self::Lut => "look-up table",
            Self::Reinhard => "Reinhard",
            Self::MongeKantorovich => "Monge–Kantorovich",
            Self::HistogramMatching => "histogram matching",
            Self::MatchedMongeKantorovich => "Monge–Kantorovich, then matching",
            Self::IterativeDistributionTransfer => "iterative distribution transfer",
        }
    }
}

/// The cells of a grid of local colour maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Grid {
    columns: usize,
    rows: usize,
    levels: usize,
}

impl Grid {
    /// The most cells along a side.
    pub const MOST: usize = 16;

    /// A grid of so many columns, rows and levels of luma.
    ///
    /// # Errors
    ///
    /// [`TransferError::Option`] if one of them is 0 or more than [`Self::MOST`].
    pub fn new(columns: usize, rows: usize, levels: usize) -> Result<Self, TransferError> {
        let side = |option, side| checked(option, side, 1..=Self::MOST);
        Ok(Self {
            columns: side("the grid's number of columns", columns)?,
            rows: side("the grid's number of rows", rows)?,
            levels: side("the grid's number of levels", levels)?,
        })
    }

    /// Columns, from the left edge of an image to its right.
    pub fn columns(self) -> usize {
        self.columns
    }

    /// Rows, from the top edge to the bottom.
    pub fn rows(self) -> usize {
        self.rows
    }

    /// Levels of luma, from black to white.
    pub fn levels(self) -> usize {
        self.levels
    }

    /// How many cells it has.
    pub fn cells(self) -> usize {
        self.columns * self.rows * self.levels
    }
}

impl Default for Grid {
    /// 8 columns, 8 rows, 8 levels.
    fn default() -> Self {
        Self {
            columns: 8,
            rows: 8,
            levels: 8,
        }
    }
}

/// How local colour maps and tables are fitted. The other methods have no options.
#[derive(Clone, Debug, PartialEq)]
pub struct FitOptions {
    smoothness: f64,
    repeats: usize,
    grid: Grid,
    working_side: usize,
    lut_size: usize,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            smoothness: 1.0,
            repeats: 1,
            grid: Grid::default(),
            working_side: 256,
            lut_size: 33,
        }
    }
}

impl FitOptions {
    /// How smooth a fit is: 1 by default. With a larger value the maps of neighbouring cells are more alike, and the
    /// output's gradients are nearer to the content's. With a smaller one the colours are nearer to the reference's.
    /// A table of colours is nearer to the linear map of the whole image with a larger value.
    ///
    /// # Errors
    ///
    /// [`TransferError::Option`] unless it is from 10⁻⁶ to 10⁶.
    pub fn with_smoothness(mut self, smoothness: f64) -> Result<Self, TransferError> {
        self.smoothness = checked("the smoothness", smoothness, 1e-6..=1e6)?;
        Ok(self)
    }

    /// How often the maps are fitted, each time to a target made from the last output: once by default.
    /// With more, the colours come nearer to the reference's, and plain surfaces get tints that differ
    /// from place to place.
    ///
    /// # Errors
    ///
    /// [`TransferError::Option`] if it is 0 or more than 100.
    pub fn with_repeats(mut self, repeats: usize) -> Result<Self, TransferError> {
        self.repeats = checked("the number of repeats", repeats, 1..=100)?;
        Ok(self)
    }

    /// The cells of the grid.
    pub fn with_grid(mut self, grid: Grid) -> Self {
        self.grid = grid;
        self
    }

    /// The longest side that an image is looked at with, in pixels: 256 by default. A larger sample is
    /// averaged down to it.
    ///
    /// # Errors
    ///
    /// [`TransferError::Option`] if it is less than 8 or more than 4096.
    pub fn with_working_side(mut self, side: usize) -> Result<Self, TransferError> {
        self.working_side = checked("the working size", side, 8..=4096)?;
        Ok(self)
    }

    /// How many colours a table has along a side: 33 by default.
    ///
    /// # Errors
    ///
    /// [`TransferError::Option`] if it is less than 2 or more than 129.
    pub fn with_lut_size(mut self, size: usize) -> Result<Self, TransferError> {
        self.lut_size = checked("the table's size", size, 2..=129)?;
        Ok(self)
    }

    /// How smooth a fit is.
    pub fn smoothness(&self) -> f64 {
        self.smoothness
    }

    /// How often the maps are fitted.
    pub fn repeats(&self) -> usize {
        self.repeats
    }

    /// The cells of the grid.
    pub fn grid(&self) -> Grid {
        self.grid
    }

    /// The longest side that an image is looked at with.
    pub fn working_side(&self) -> usize {
        self.working_side
    }

    /// How many colours a table has along a side.
    pub fn lut_size(&self) -> usize {
        self.lut_size
    }
}

/// The value of an option, if it is in its range.
pub(crate) fn checked<T>(
    option: &'static str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<T, TransferError>
where
    T: PartialOrd + Display,
{
    if range.contains(&value) {
        return Ok(value);
    }
    Err(TransferError::Option {
        option,
        value: value.to_string(),
        expected: format!("from {} to {}", range.start(), range.end()),
    })
}
