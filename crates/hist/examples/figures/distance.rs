//! The earth mover's distance.

use huenet_hist::{
    Bins, EarthMoversDistanceConfig, EmdKind, HistogramError, Kernel, SoftHistogramConfig,
};

use super::pixels::{entries, tensor};
use super::plot::{Axes, BLUE, INK, ORANGE, Picture, thick};

/// Two histograms, and the area between their cumulative sums.
pub(crate) fn draw() -> Result<String, HistogramError> {
    let bins = Bins::new(32, -1.0, 1.0)?;
    let histogram = SoftHistogramConfig::new(bins, Kernel::default()).init();
    let bell = |middle: f64, width: f64| {
        // Three numbers between −1 and 1, added up: many are near the middle, none is far.
        let spread = |i: usize| {
            [7, 11, 13]
                .map(|step| ((i * step) % 64) as f64 / 32.0 - 63.0 / 64.0)
                .iter()
                .sum::<f64>()
        };
        (0..64)
            .map(|i| middle + width * spread(i))
            .collect::<Vec<f64>>()
    };
    let dark = [bell(-0.45, 0.12), bell(-0.2, 0.2)].concat();
    let light = [bell(0.15, 0.12), bell(0.3, 0.15)].concat();
    let [p, q] = [dark, light].map(|pixels| histogram.forward(tensor(&pixels, [1, 128])));
    let measured = |kind| {
        let distance = EarthMoversDistanceConfig::new(bins).with_kind(kind).init();
        entries(distance.forward_no_reduction(p.clone(), q.clone()))[0]
    };
    let (area, trained) = (measured(EmdKind::L1), measured(EmdKind::Rms));
    let [p, q] = [&p, &q].map(|histogram| entries(histogram.clone()));

    let mut picture = Picture::new(
        720,
        290,
        "Two histograms, and the area between their cumulative sums",
    );
    let half = bins.width() / 2.0;
    let edges = |k: usize| [bins.centre(k) - half, bins.centre(k) + half];
    let steps = |values: &[f64]| {
        let corners = values
            .iter()
            .enumerate()
            .flat_map(|(k, &value)| edges(k).map(|x| [x, value]));
        corners.collect::<Vec<_>>()
    };
    let axes = Axes {
        place: [56.0, 36.0, 280.0, 200.0],
        x: [-1.0, 1.0],
        y: [0.0, 0.18],
    };
    for (values, color) in [(&p, BLUE), (&q, ORANGE)] {
        axes.line(&mut picture, &thick(color), steps(values));
    }
    picture.words(axes.at([-0.9, 0.16]), "start", BLUE, "p, the output");
    picture.words(axes.at([0.9, 0.16]), "end", ORANGE, "q, the reference");
    axes.draw(
        &mut picture,
        "Two histograms",
        ["value of a pixel", "share of the pixels"],
        [&[-1.0, 0.0, 1.0], &[0.0, 0.1]],
    );

    let axes = Axes {
        place: [416.0, 36.0, 280.0, 200.0],
        x: [-1.0, 1.0],
        y: [0.0, 1.05],
    };
    let [p, q] = [p, q].map(|histogram| {
        let mut sum = 0.0;
        histogram
            .iter()
            .map(|share| {
                sum += share;
                sum
            })
            .collect::<Vec<f64>>()
    });
    for k in 0..bins.count() {
        let [from, to] = edges(k);
        axes.bar(
            &mut picture,
            "fill=\"#e4e4e0\" shape-rendering=\"crispEdges\"",
            [from, p[k].min(q[k])],
            [to, p[k].max(q[k])],
        );
    }
    for (values, color) in [(&p, BLUE), (&q, ORANGE)] {
        axes.line(&mut picture, &thick(color), steps(values));
    }
    picture.words(
        axes.at([-0.95, 0.93]),
        "start",
        INK,
        &format!("area: {area:.2}"),
    );
    picture.words(
        axes.at([-0.95, 0.84]),
        "start",
        INK,
        &format!("EMD: {trained:.2}"),
    );
    axes.draw(
        &mut picture,
        "Their cumulative sums, and the area between",
        ["value of a pixel", "share of the pixels up to it"],
        [&[-1.0, 0.0, 1.0], &[0.0, 0.5, 1.0]],
    );
    Ok(picture.finish())
}
