//! One figure over all pairs, and how it is written.

use super::bootstrap::interval;
use crate::measure::figures::without_infinite;

/// One figure over all pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The figure's name.
    pub name: String,
    /// Its mean over the pairs for which it is finite; infinite if it is so for every pair.
    pub mean: f64,
    /// How many pairs the mean leaves out, since it is infinite for them.
    pub left_out: usize,
    /// The bootstrap interval of the mean; see [`interval`].
    pub interval: Option<[f64; 2]>,
}

impl Summary {
    /// Of the values of the pairs that have the figure.
    pub(super) fn new(name: String, values: Vec<f64>) -> Self {
        let count = values.len();
        let values = without_infinite(values);
        Self {
            name,
            mean: values.iter().sum::<f64>() / values.len() as f64,
            left_out: count - values.len(),
            interval: interval(&values),
        }
    }

    /// The heading of the figure's column.
    pub(super) fn heading(&self) -> String {
        heading(&self.name)
    }

    /// The mean, as it is written in the column.
    pub(super) fn mean(&self) -> String {
        self.number(self.mean)
    }

    /// The ends of the interval, as they are written in the column.
    pub(super) fn interval(&self) -> Option<[String; 2]> {
        self.interval.map(|ends| ends.map(|end| self.number(end)))
    }

    /// A value of the figure, as it is written in the column.
    pub(super) fn number(&self, value: f64) -> String {
        number(&self.name, value)
    }
}

/// The heading of the figure `name`.
pub(super) fn heading(name: &str) -> String {
    match name {
        "h_content_given_output" => "H(content given output), nats",
        "psnr" => "psnr, dB",
        "out_of_gamut" => "out of gamut, %",
        name => name,
    }
    .to_owned()
}

/// A value of the figure `name`, or a difference of two, as it is written under its heading.
pub(super) fn number(name: &str, value: f64) -> String {
    let (scale, digits) = match name {
        "out_of_gamut" => (100.0, 1),
        "psnr" => (1.0, 2),
        name if name == "swd" || name.starts_with("emd") => (1.0, 4),
        _ => (1.0, 3),
    };
    format!("{:.digits$}", scale * value)
}
