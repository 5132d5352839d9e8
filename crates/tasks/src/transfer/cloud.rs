//! Colours with weights, and their statistics.

use nalgebra::{Matrix3, Vector3};

use super::sample::Sample;

/// Colours of an image with their weights, none of which is 0.
pub(super) struct Cloud {
    pub(super) colours: Vec<Vector3<f64>>,
    pub(super) weights: Vec<f64>,
}

impl Cloud {
    /// Colours that count alike.
    pub(super) fn even(pixels: &[[f64; 3]]) -> Self {
        Self {
            colours: pixels.iter().copied().map(Vector3::from).collect(),
            weights: vec![1.0; pixels.len()],
        }
    }

    /// The pixels of a sample that count.
    pub(super) fn of(sample: &Sample) -> Self {
        let (colours, weights) = counted(sample)
            .map(|(_, rgb, weight)| (Vector3::from(rgb.map(f64::from)), f64::from(weight)))
            .unzip();
        Self { colours, weights }
    }

    /// The colours in another space.
    pub(super) fn map(&self, to: impl Fn(&Vector3<f64>) -> Vector3<f64>) -> Self {
        Self {
            colours: self.colours.iter().map(to).collect(),
            weights: self.weights.clone(),
        }
    }

    /// Mean and covariance, divided by the sum of the weights.
    pub(super) fn mean_and_covariance(&self) -> (Vector3<f64>, Matrix3<f64>) {
        let total: f64 = self.weights.iter().sum();
        let count = if total > 0.0 { total } else { 1.0 };
        let each = || self.colours.iter().zip(&self.weights);
        let mean = each().map(|(c, weight)| c * *weight).sum::<Vector3<f64>>() / count;
        let squares = each().map(|(c, weight)| {
            let d = c - mean;
            d * d.transpose() * *weight
        });
        (mean, squares.sum::<Matrix3<f64>>() / count)
    }
}

/// Number, colour and weight of each pixel of a sample whose weight is not 0.
pub(super) fn counted(sample: &Sample) -> impl Iterator<Item = (usize, [f32; 3], f32)> {
    let pixels = sample.pixels().iter().enumerate();
    let weighted = pixels.map(|(i, rgb)| (i, *rgb, sample.weight(i)));
    weighted.filter(|(.., weight)| *weight > 0.0)
}
