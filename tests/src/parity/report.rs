//! Collects the differences from the official numbers.

use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor};

/// The official numbers of one tensor.
pub struct Truth {
    /// The entries, row-major.
    pub values: Vec<f64>,
    /// Whether they were stored in single precision to save room.
    pub rounded: bool,
}

impl Truth {
    /// Numbers kept as they were computed.
    pub fn exact(values: Vec<f64>) -> Self {
        Self {
            values,
            rounded: false,
        }
    }
}

/// The entries of a tensor of any float type.
///
/// # Panics
///
/// If they cannot be read.
pub fn values<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f64> {
    let data = tensor.into_data().convert::<f64>();
    data.into_vec().expect("numbers")
}

/// Collects the differences, so that a failure shows all of them.
///
/// Numbers agree to 2·10⁻⁵ of the largest of their tensor in single precision, to 10⁻⁹ in double.
pub struct Report {
    case: String,
    tolerance: f64,
    /// What losses may differ by however small they are: they come from sums of numbers near 1.
    floor: f64,
    compared: usize,
    worst: (f64, String),
    failures: Vec<String>,
}

impl Report {
    /// For numbers computed in this precision.
    pub fn new(dtype: DType) -> Self {
        let (tolerance, floor) = match dtype {
            DType::F32 => (2e-5, 1e-6),
            _ => (1e-9, 1e-12),
        };
        Self {
            case: String::new(),
            tolerance,
            floor,
            compared: 0,
            worst: (0.0, String::new()),
            failures: Vec::new(),
        }
    }

    /// What follows belongs to this case.
    pub fn enter(&mut self, case: &str) {
        self.case = case.to_owned();
    }

    /// Compares a tensor, to its largest entry.
    pub fn compare(&mut self, what: &str, found: &[f64], truth: &Truth) {
        self.compare_with_slack(what, found, truth, 0.0);
    }

    /// Compares the values of a loss.
    pub fn compare_loss(&mut self, what: &str, found: &[f64], truth: &[f64]) {
        let truth = Truth::exact(truth.to_vec());
        self.compare_with_slack(what, found, &truth, self.floor);
    }

    /// As `compare`, and allows a difference of `slack` besides.
    pub fn compare_with_slack(&mut self, what: &str, found: &[f64], truth: &Truth, slack: f64) {
        let tolerance = match truth.rounded {
            true => self.tolerance.max(1e-6),
            false => self.tolerance,
        };
        let truth = &truth.values;
        let largest = truth
            .iter()
            .fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let allowed = tolerance * largest + slack;
        let lengths = (found.len(), truth.len());
        self.check(lengths.0 == lengths.1, || {
            format!("{what} has {} numbers instead of {}", lengths.0, lengths.1)
        });
        for (i, (found, truth)) in found.iter().zip(truth).enumerate() {
            let difference = (found - truth).abs();
            if difference / allowed > self.worst.0 {
                self.worst = (difference / allowed, format!("{}: {what}", self.case));
            }
            // Not a number is not within anything.
            let agrees = difference <= allowed;
            self.check(agrees, || {
                format!("{what}[{i}] is {found:e} instead of {truth:e} (±{allowed:.1e})")
            });
            if !agrees {
                return;
            }
        }
    }

    /// Notes whether something holds.
    pub fn check(&mut self, holds: bool, failure: impl FnOnce() -> String) {
        self.compared += 1;
        if !holds {
            self.failures.push(format!("{}: {}", self.case, failure()));
        }
    }

    /// Ends the comparison.
    ///
    /// # Panics
    ///
    /// If anything differed, or nothing was compared.
    pub fn finish(self) {
        assert!(
            self.compared > 0,
            "the golden numbers hold nothing to compare"
        );
        println!(
            "{} numbers; the largest difference is {:.2} of the one allowed ({})",
            self.compared, self.worst.0, self.worst.1
        );
        assert!(
            self.failures.is_empty(),
            "{} differences:\n{}",
            self.failures.len(),
            self.failures.join("\n")
        );
    }
}
