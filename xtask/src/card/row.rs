//! What became of a part.

use std::time::Duration;

use serde_json::{Value, json};

use super::read::Figures;

/// How a part ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// It was measured.
    Done,
    /// It was tried in vain, for this reason.
    Failed(String),
    /// It was not tried, for this reason.
    Skipped(String),
}

/// A part, how it ended, and what was measured.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// What is measured.
    pub(super) what: What,
    /// The backend, or the library that it is compared with.
    pub(super) backend: String,
    /// The sizes, in words.
    pub(super) setting: String,
    pub(super) outcome: Outcome,
    pub(super) took: Duration,
    /// None if nothing was measured. A part that failed may have some.
    pub(super) figures: Figures,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum What {
    /// Whether the machine has what the backend needs.
    Device,
    /// The first training step, with no kernel compiled, and then with kernels that the driver and huenet keep.
    FirstStep,
    /// The histogram losses alone.
    Losses,
    /// The tests of the histogram kernels.
    Kernels,
    /// A training step.
    Step,
    /// The conformance suite.
    Conformance,
}

impl What {
    /// Its name in files and messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::FirstStep => "first step",
            Self::Losses => "losses",
            Self::Kernels => "kernels",
            Self::Step => "step",
            Self::Conformance => "conformance",
        }
    }
}

impl Row {
    /// The part in a few words.
    pub(super) fn name(&self) -> String {
        name(self.what, &self.backend, &self.setting)
    }

    /// Why it was not measured.
    pub(super) fn reason(&self) -> Option<&str> {
        match &self.outcome {
            Outcome::Done => None,
            Outcome::Failed(reason) | Outcome::Skipped(reason) => Some(reason),
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }

    /// The figure of this name, if it is a number.
    pub(super) fn figure(&self, name: &str) -> Option<f64> {
        self.figures.get(name).and_then(Value::as_f64)
    }

    pub(super) fn to_json(&self) -> Value {
        let outcome = match &self.outcome {
            Outcome::Done => "done",
            Outcome::Failed(_) => "failed",
            Outcome::Skipped(_) => "skipped",
        };
        json!({
            "part": self.what.name(),
            "backend": self.backend,
            "setting": self.setting,
            "outcome": outcome,
            "reason": self.reason(),
            "seconds": (self.took.as_secs_f64() * 100.0).round() / 100.0,
            "figures": self.figures,
        })
    }
}

/// A part in a few words.
pub(super) fn name(what: What, backend: &str, setting: &str) -> String {
    let words = [backend, what.name(), setting];
    let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(", ")
}
