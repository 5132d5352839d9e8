//! How fitted maps are refined.

use crate::transfer::{TransferError, checked};

/// How [`refine`](super::refine()) changes fitted maps.
#[derive(Clone, Debug, PartialEq)]
pub struct RefineOptions {
    steps: usize,
    working_side: usize,
    structure: f64,
    smoothness: f64,
}

impl Default for RefineOptions {
    fn default() -> Self {
        Self {
            steps: Self::STEPS,
            working_side: 96,
            structure: 1.0,
            smoothness: 1.0,
        }
    }
}

impl RefineOptions {
    /// The default number of steps.
    pub const STEPS: usize = 60;

    /// How many steps of Adam are made: [`Self::STEPS`] by default. With 0 the maps stay as they were fitted.
    ///
    /// # Errors
    ///
    /// [`TransferError::Option`] if there are more than 10 000.
    pub fn with_steps(mut self, steps: usize) -> Result<Self, TransferError> {
        self.steps = checked("the number of steps", steps, 0..=10_000)?;
        Ok(self)
    }

    /// The longest side that the content is looked at with, in pixels: 96 by default. Of a larger one evenly spread
    /// pixels are looked at. The time of a step grows with its square.
    ///
    /// # Errors
    ///
    /// [`TransferError::Option`] if it is less than 8 or more than 1024.
    pub fn with_working_side(mut self, side: usize) -> Result<Self, TransferError> {
        self.working_side = checked("the working size", side, 8..=1024)?;
        Ok(self)
    }

    /// How much it counts, beside the colours, if the content's structure is kept worse than by the fitted maps: 1 by
    /// default. With 0 it does not count.
    ///
    /// # Errors
    ///
    /// [`TransferError::Option`] unless it is from 0 to 10⁶.
    pub fn with_structure(mut self, structure: f64) -> Result<Self, TransferError> {
        self.structure = checked("the weight of the structure", structure, 0.0..=1e6)?;
        Ok(self)
    }

    /// How alike the changes of neighbouring cells are: 1 by default, which was chosen by measurement. With a larger
    /// value the whole image changes together. With a smaller one the colours come nearer to the reference's, and
    /// plain surfaces may get tints that differ from place to place.
    ///
    /// # Errors
    ///
    /// [`TransferError::Option`] unless it is from 10⁻⁶ to 10⁶.
    pub fn with_smoothness(mut self, smoothness: f64) -> Result<Self, TransferError> {
        self.smoothness = checked("the smoothness", smoothness, 1e-6..=1e6)?;
        Ok(self)
    }

    /// How many steps are made.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The longest side that the content is looked at with.
    pub fn working_side(&self) -> usize {
        self.working_side
    }

    /// How much it counts if the content's structure is lost.
    pub fn structure(&self) -> f64 {
        self.structure
    }

    /// How alike the changes of neighbouring cells are.
    pub fn smoothness(&self) -> f64 {
        self.smoothness
    }
}
