//! How two models differ on the same pairs, figure by figure.

use serde_json::{Value, json};

use super::bootstrap::interval;
use super::summary::{heading, number};

/// What makes one value of a figure better than another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Better {
    /// The smaller value is better.
    Less,
    /// The greater value is better.
    Greater,
    /// The value nearer to 1 is better: the output is as rough as its content.
    NearerToOne,
}

impl Better {
    /// That of the figure `name`; `None` if neither a small nor a great value is good by itself.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            // How far it should be depends on the references.
            "emd_other" => None,
            "swd" | "h_content_given_output" | "out_of_gamut" => Some(Self::Less),
            name if name.starts_with("emd") => Some(Self::Less),
            "histogram_intersection" | "ssim_luma" | "psnr" | "ssim" => Some(Self::Greater),
            // Below 1 the output is blurred.
            "cliffs" | "noise" => Some(Self::NearerToOne),
            _ => None,
        }
    }

    /// In words, as in "better is …".
    pub fn words(self) -> &'static str {
        match self {
            Self::Less => "less",
            Self::Greater => "greater",
            Self::NearerToOne => "nearer to 1",
        }
    }

    /// How bad a value is.
    fn badness(self, value: f64) -> f64 {
        match self {
            Self::Less => value,
            Self::Greater => -value,
            Self::NearerToOne => (value - 1.0).abs(),
        }
    }
}

/// How one figure of this model differs from that of the other model, over the pairs for which both are finite.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Difference {
    /// The figure's name.
    pub name: String,
    /// The mean of the differences, this model's figure − the other's; `None` if there are no such pairs.
    pub mean: Option<f64>,
    /// The paired bootstrap interval of the mean: pairs are drawn anew, each with both models' figures. So what makes
    /// a pair hard for both models does not widen it. `None` of fewer than two pairs.
    pub interval: Option<[f64; 2]>,
    /// How many pairs it is of.
    pub pairs: usize,
    /// How many pairs it is without, since one of the models has no finite figure there.
    pub left_out: usize,
    /// In which share of the pairs this model is the better one, and in which share both are equally good. `None`
    /// if the figure has no better direction, or there are no pairs.
    pub better: Option<Shares>,
}

/// Shares of pairs, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Shares {
    /// This model is the better one.
    pub this: f64,
    /// Both models are equally good.
    pub equal: f64,
}

impl Difference {
    /// Of this model's and the other's figure of each pair.
    fn new(name: String, figures: impl Iterator<Item = [Option<f64>; 2]>) -> Self {
        let mut left_out = 0;
        let mut both = Vec::new();
        for figures in figures {
            match figures.map(|figure| figure.filter(|value| value.is_finite())) {
                [Some(this), Some(other)] => both.push([this, other]),
                _ => left_out += 1,
            }
        }
        let pairs = both.len();
        let differences: Vec<f64> = both.iter().map(|[this, other]| this - other).collect();
        let share = |count: usize| count as f64 / pairs as f64;
        let better = Better::of(&name).filter(|_| pairs > 0).map(|better| {
            let badness = both.iter().map(|pair| pair.map(|it| better.badness(it)));
            let wins = badness.clone().filter(|[this, other]| this < other);
            let ties = badness.filter(|[this, other]| this == other);
            Shares {
                this: share(wins.count()),
                equal: share(ties.count()),
            }
        });
        Self {
            mean: (pairs > 0).then(|| differences.iter().sum::<f64>() / pairs as f64),
            interval: interval(&differences),
            name,
            pairs,
            left_out,
            better,
        }
    }

    /// What there is in JSON.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "mean": self.mean,
            "interval": self.interval,
            "pairs": self.pairs,
            "left_out": self.left_out,
            "better_is": Better::of(&self.name).map(Better::words),
            "better": self.better.map(|shares| shares.this),
            "equal": self.better.map(|shares| shares.equal),
        })
    }

    /// The heading of the figure's row.
    pub(super) fn heading(&self) -> String {
        heading(&self.name)
    }

    /// The mean and the ends of the interval, as they are written in the row.
    pub(super) fn cell(&self) -> String {
        let number = |value: f64| without_sign_of_zero(number(&self.name, value));
        match (self.mean, self.interval) {
            (Some(mean), Some([low, high])) => {
                format!("{} [{}, {}]", number(mean), number(low), number(high))
            }
            (Some(mean), None) => number(mean),
            (None, _) => String::new(),
        }
    }

    /// Which values of the figure are better, in words.
    pub(super) fn direction(&self) -> &'static str {
        Better::of(&self.name).map_or("", Better::words)
    }

    /// In how many of the pairs this model is the better one, in words.
    pub(super) fn share(&self) -> String {
        let Some(shares) = self.better else {
            return String::new();
        };
        let [this, equal] = [shares.this, shares.equal].map(|share| 100.0 * share);
        let pairs = match self.pairs {
            1 => "1 pair".to_owned(),
            pairs => format!("{pairs} pairs"),
        };
        match equal > 0.0 {
            true => format!("{this:.0} % of {pairs}, equal in {equal:.0} %"),
            false => format!("{this:.0} % of {pairs}"),
        }
    }
}

/// Names and values of the figures of a pair.
pub(super) type Named = Vec<(String, f64)>;

/// The difference of each figure that a model has of some pair, in the order of the figures. Both models' figures are
/// given pair by pair.
pub(super) fn differences(this: &[Named], other: &[Named]) -> Vec<Difference> {
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in this.iter().chain(other).flatten() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let of = |name: &String| {
        let value = |figures: &Named| {
            let named = figures.iter().find(|(known, _)| known == name);
            named.map(|(_, value)| *value)
        };
        let pairs = this.iter().zip(other);
        Difference::new(
            name.clone(),
            pairs.map(|(this, other)| [value(this), value(other)]),
        )
    };
    names.into_iter().map(of).collect()
}

/// A number as text. What rounds to 0 has no sign.
fn without_sign_of_zero(text: String) -> String {
    match text.strip_prefix('-') {
        Some(digits) if digits.chars().all(|c| matches!(c, '0' | '.')) => digits.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
#[path = "difference_tests.rs"]
mod tests;
