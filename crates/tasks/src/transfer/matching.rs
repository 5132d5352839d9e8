//! Histograms of single channels made equal by monotone curves.

use huenet_data::ColourSpace;

use super::cloud::counted;
use super::curve::Curve;
use super::linear::{LEAST_SPREAD, MongeKantorovich};
use super::map::ColourMap;
use super::sample::Sample;

/// The values of `plane`, moved so that their histogram becomes that of `reference`: each goes to
/// the quantile of `reference` that it is of `plane`, with linear interpolation between values.
/// Equal values stay equal. A plane without spread becomes the mean of `reference`: it has no
/// quantiles.
///
/// Source: `skimage.exposure.match_histograms`, one channel of it.
pub fn match_histogram(plane: &[f32], reference: &[f32]) -> Vec<f32> {
    let even = |plane: &[f32]| plane.iter().map(|value| (*value, 1.0)).collect();
    let curve = matching_curve(even(plane), even(reference));
    plane.iter().map(|value| curve.at(*value)).collect()
}

/// The curve that takes the distribution of `plane` to that of `reference`. Both are values with
/// their weights.
fn matching_curve(mut plane: Vec<(f32, f32)>, mut reference: Vec<(f32, f32)>) -> Curve {
    let (low, high) = plane
        .iter()
        .fold((f32::MAX, f32::MIN), |(low, high), &(value, _)| {
            (low.min(value), high.max(value))
        });
    let [whole, of_reference] = [&plane, &reference].map(|values| {
        let weights = values.iter().map(|(_, weight)| f64::from(*weight));
        weights.sum::<f64>()
    });
    if f64::from(high) - f64::from(low) < LEAST_SPREAD {
        let weighted = reference
            .iter()
            .map(|(value, weight)| f64::from(*value) * f64::from(*weight));
        let mean = weighted.sum::<f64>() / of_reference.max(f64::MIN_POSITIVE);
        return Curve::level(mean as f32);
    }
    let by_value = |a: &(f32, f32), b: &(f32, f32)| a.0.total_cmp(&b.0);
    plane.sort_by(by_value);
    reference.sort_by(by_value);
    // The distinct values of the reference, and the share of its pixels up to each.
    let mut values: Vec<f64> = Vec::new();
    let mut shares: Vec<f64> = Vec::new();
    let mut done = 0.0;
    for (value, weight) in reference {
        done += f64::from(weight);
        let (value, share) = (f64::from(value), done / of_reference);
        match values.last() == Some(&value) {
            true => *shares.last_mut().unwrap_or(&mut 0.0) = share,
            false => {
                values.push(value);
                shares.push(share);
            }
        }
    }
    let mut done = 0.0;
    let knots = plane.chunk_by(|a, b| a.0 == b.0).map(|group| {
        done = group
            .iter()
            .fold(done, |done, (_, weight)| done + f64::from(*weight));
        let matched = interpolate(done / whole, &shares, &values);
        (group[0].0, matched as f32)
    });
    Curve::through(knots)
}

/// The value at `x` of the line through the points `(xs, ys)`, level beyond its ends; `xs` ascend.
fn interpolate(x: f64, xs: &[f64], ys: &[f64]) -> f64 {
    let after = xs.partition_point(|&known| known < x);
    match (after.checked_sub(1), xs.get(after)) {
        (None, _) => ys.first().copied().unwrap_or(x),
        (Some(before), None) => ys[before],
        (Some(before), Some(&end)) => {
            let share = (x - xs[before]) / (end - xs[before]);
            ys[before] + share * (ys[after] - ys[before])
        }
    }
}

/// The histograms of the channels of a colour space made equal.
pub(super) struct HistogramMatching {
    space: ColourSpace,
    curves: [Curve; 3],
}

impl HistogramMatching {
    pub(super) fn fit(space: ColourSpace, content: &Sample, reference: &Sample) -> Self {
        Self::fit_moved(space, content, reference, |rgb| rgb)
    }

    /// As [`Self::fit`], for the content's colours after `moved`.
    fn fit_moved(
        space: ColourSpace,
        content: &Sample,
        reference: &Sample,
        moved: impl Fn([f32; 3]) -> [f32; 3],
    ) -> Self {
        let channel = |sample, c: usize, moved: &dyn Fn([f32; 3]) -> [f32; 3]| {
            counted(sample)
                .map(|(_, rgb, weight)| (encode(space, moved(rgb))[c], weight))
                .collect()
        };
        let curve = |c| {
            matching_curve(
                channel(content, c, &moved),
                channel(reference, c, &|rgb| rgb),
            )
        };
        let curves = [0, 1, 2].map(curve);
        Self { space, curves }
    }

    fn at(&self, rgb: [f32; 3]) -> [f32; 3] {
        let channels = encode(self.space, rgb);
        let moved = std::array::from_fn(|c| self.curves[c].at(channels[c]));
        let signed = self.space.decode_pixel(moved);
        signed.map(|value| (value + 1.0) / 2.0)
    }
}

/// A colour of RGB in [0, 1] in another space.
fn encode(space: ColourSpace, rgb: [f32; 3]) -> [f32; 3] {
    space.encode_pixel(rgb.map(|value| value * 255.0))
}

impl ColourMap for HistogramMatching {
    fn map_row(&self, _row: usize, _height: usize, pixels: &mut [[f32; 3]]) {
        pixels.iter_mut().for_each(|rgb| *rgb = self.at(*rgb));
    }
}

/// The linear map, then the histograms of red, green and blue made equal.
pub(super) struct MatchedMongeKantorovich {
    linear: MongeKantorovich,
    matching: HistogramMatching,
}

impl MatchedMongeKantorovich {
    pub(super) fn fit(content: &Sample, reference: &Sample) -> Self {
        let linear = MongeKantorovich::of_samples(content, reference);
        let moved = |rgb| linear.at(rgb);
        let matching = HistogramMatching::fit_moved(ColourSpace::Rgb, content, reference, moved);
        Self { linear, matching }
    }
}

impl ColourMap for MatchedMongeKantorovich {
    fn map_row(&self, row: usize, height: usize, pixels: &mut [[f32; 3]]) {
        self.linear.map_row(row, height, pixels);
        self.matching.map_row(row, height, pixels);
    }
}
