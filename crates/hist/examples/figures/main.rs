//! Draws the figures of the book's chapter on the mathematics, with the histograms of this crate.
//!
//! ```text
//! cargo run --release --package huenet-hist --example figures
//! ```
//!
//! The files are `docs/figures/*.svg`. A test of this example compares them with what it draws.

mod plot;

use std::error::Error;
use std::path::{Path, PathBuf};

use burn::tensor::{DType, Tensor, TensorData};
use burn_ndarray::NdArray;
use huenet_hist::{
    Bins, Boundary, EarthMoversDistanceConfig, EmdKind, HistogramError, JointHistogramConfig,
    Kernel, SoftHistogramConfig, StructureLossConfig,
};
use plot::{Axes, BLUE, GREEN, INK, ORANGE, Picture};

/// Double precision, whose last digits do not reach the figures.
type B = NdArray<f64>;

fn main() -> Result<(), Box<dyn Error>> {
    for (name, figure) in figures()? {
        let path = path(name);
        std::fs::write(&path, figure).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}

/// Each figure: the name of its file, and what is in it.
fn figures() -> Result<[(&'static str, String); 4], HistogramError> {
    Ok([
        ("windows.svg", windows()?),
        ("histograms.svg", histograms()?),
        ("distance.svg", distance()?),
        ("joint.svg", joint()?),
    ])
}

fn path(name: &str) -> PathBuf {
    let figures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/figures");
    figures.join(name)
}

/// How much of a pixel a bin gets, for every value of the pixel.
fn windows() -> Result<String, HistogramError> {
    let bins = Bins::new(5, -1.0, 1.0)?;
    let mut picture = Picture::new(
        720,
        290,
        "How much of a pixel a bin gets, for every value of the pixel",
    );
    let names = ["value of the pixel", "share that the bin gets"];
    let shares = [0.0, 0.5, 1.0];
    let curve = |bin: usize, kernel: Kernel, [from, to]: [f64; 2]| {
        let values: Vec<f64> = (0..=120)
            .map(|i| from + (to - from) * f64::from(i) / 120.0)
            .collect();
        // Each pixel is an image of its own: its histogram is what each bin gets of it.
        let histogram = SoftHistogramConfig::new(bins, kernel).init();
        let given = entries(histogram.forward(tensor(&values, [values.len(), 1])));
        let given = given
            .chunks(bins.count())
            .map(|bins| bins[bin])
            .collect::<Vec<_>>();
        std::iter::zip(values, given)
            .map(|(x, y)| [x, y])
            .collect::<Vec<_>>()
    };

    let axes = Axes {
        place: [56.0, 36.0, 280.0, 200.0],
        x: [-1.0, 1.0],
        y: [0.0, 1.05],
    };
    axes.bar(&mut picture, "fill=\"#e4e4e0\"", [-0.2, 0.0], [0.2, 1.0]);
    let ratios = [(1.0, ORANGE), (2.5, BLUE), (10.0, GREEN)];
    for (row, (ratio, color)) in ratios.into_iter().enumerate() {
        let kernel = Kernel::new(ratio, Boundary::Reflect)?;
        axes.line(&mut picture, &thick(color), curve(2, kernel, axes.x));
        let place = [axes.place[0] + 10.0, 56.0 + 18.0 * row as f64];
        picture.words(place, "start", color, &format!("ρ = {ratio}"));
    }
    picture.words([axes.place[0] + 10.0, 110.0], "start", "#777", "the bin");
    axes.draw(
        &mut picture,
        "The middle one of five bins",
        names,
        [&[-1.0, 0.0, 1.0], &shares],
    );

    let axes = Axes {
        place: [416.0, 36.0, 280.0, 200.0],
        x: [-1.8, 0.2],
        y: [0.0, 1.05],
    };
    axes.bar(&mut picture, "fill=\"#e4e4e0\"", [-1.0, 0.0], [-0.6, 1.0]);
    axes.bar(&mut picture, "fill=\"#f2f2ee\"", [-1.4, 0.0], [-1.0, 1.0]);
    let border = [[-1.0, 0.0], [-1.0, 1.05]];
    axes.line(
        &mut picture,
        &format!("stroke=\"{INK}\" stroke-dasharray=\"2 3\""),
        border,
    );
    let all = curve(0, Kernel::new(2.5, Boundary::Reflect)?, axes.x);
    let own = curve(0, Kernel::new(2.5, Boundary::Open)?, axes.x);
    let mirrored = std::iter::zip(&all, &own).map(|(all, own)| [all[0], all[1] - own[1]]);
    axes.line(&mut picture, &dashed(GREEN), mirrored);
    axes.line(&mut picture, &dashed(ORANGE), own);
    axes.line(&mut picture, &thick(BLUE), all);
    let right = axes.place[0] + axes.place[2];
    for (row, (color, words)) in [
        (ORANGE, "its own window"),
        (GREEN, "the mirror image"),
        (BLUE, "both: what it gets"),
    ]
    .into_iter()
    .enumerate()
    {
        picture.words([right, 56.0 + 18.0 * row as f64], "end", color, words);
    }
    axes.draw(
        &mut picture,
        "The first bin, at the border of the range",
        names,
        [&[-1.8, -1.4, -1.0, -0.6, -0.2, 0.2], &shares],
    );
    Ok(picture.finish())
}

/// The same pixels, counted and spread.
fn histograms() -> Result<String, HistogramError> {
    const PIXELS: [f64; 24] = [
        -0.93, -0.81, -0.74, -0.69, -0.66, -0.62, -0.57, -0.55, -0.49, -0.44, -0.38, -0.27, -0.13,
        0.02, 0.19, 0.31, 0.37, 0.46, 0.48, 0.53, 0.55, 0.64, 0.71, 0.86,
    ];
    /// The pixel that is shown by itself: just right of a bin's edge.
    const SHOWN: usize = 14;
    let bins = Bins::new(10, -1.0, 1.0)?;
    let width = bins.width();
    let histogram = SoftHistogramConfig::new(bins, Kernel::default()).init();
    let spread = entries(histogram.forward(tensor(&PIXELS, [24, 1])));
    let counted: Vec<f64> = PIXELS
        .iter()
        .flat_map(|pixel| {
            let bin = ((pixel - bins.min()) / width) as usize;
            (0..bins.count()).map(move |k| f64::from(u8::from(k == bin)))
        })
        .collect();

    let mut picture = Picture::new(720, 300, "A hard and a soft histogram of the same pixels");
    for (left, title, shares) in [
        (56.0, "Hard: a pixel is in one bin", counted),
        (
            416.0,
            "Soft: a pixel is spread over the bins near it",
            spread,
        ),
    ] {
        let axes = Axes {
            place: [left, 36.0, 280.0, 200.0],
            x: [-1.0, 1.0],
            y: [0.0, 0.22],
        };
        for k in 0..bins.count() {
            let (from, to) = (bins.centre(k) - width / 2.0, bins.centre(k) + width / 2.0);
            let of_all = shares
                .chunks(bins.count())
                .map(|pixel| pixel[k])
                .sum::<f64>()
                / 24.0;
            let of_shown = shares[SHOWN * bins.count() + k] / 24.0;
            let others = of_all - of_shown;
            let gap = "stroke=\"#fcfcfa\"";
            axes.bar(
                &mut picture,
                &format!("fill=\"{BLUE}\" {gap}"),
                [from, 0.0],
                [to, others],
            );
            axes.bar(
                &mut picture,
                &format!("fill=\"{ORANGE}\" {gap}"),
                [from, others],
                [to, of_all],
            );
        }
        for (i, pixel) in PIXELS.into_iter().enumerate() {
            let color = if i == SHOWN { ORANGE } else { BLUE };
            axes.line(
                &mut picture,
                &thick(color),
                [[pixel, 0.203], [pixel, 0.217]],
            );
        }
        axes.draw(
            &mut picture,
            title,
            ["value of a pixel", "share of the pixels"],
            [&[-1.0, 0.0, 1.0], &[0.0, 0.1, 0.2]],
        );
    }
    Ok(picture.finish())
}

/// Two histograms, and the area between their cumulative sums.
fn distance() -> Result<String, HistogramError> {
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
        entries(distance.forward(p.clone(), q.clone()))[0]
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
        y: [0.0, 0.15],
    };
    for (values, color) in [(&p, BLUE), (&q, ORANGE)] {
        axes.line(&mut picture, &thick(color), steps(values));
    }
    picture.words(axes.at([-0.9, 0.13]), "start", BLUE, "p, the output");
    picture.words(axes.at([0.9, 0.13]), "end", ORANGE, "q, the reference");
    axes.draw(
        &mut picture,
        "Two histograms",
        ["value of a pixel", "share of the pixels"],
        [&[-1.0, 0.0, 1.0], &[0.0, 0.05, 0.1, 0.15]],
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
            "fill=\"#e4e4e0\"",
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

/// Joint histograms of an image with itself, with its negative and with its pixels in disorder.
fn joint() -> Result<String, HistogramError> {
    const SIDE: usize = 32;
    const PIXELS: usize = SIDE * SIDE;
    let bins = Bins::new(16, -1.0, 1.0)?;
    let image: Vec<f64> = (0..PIXELS)
        .map(|i| [i % SIDE, i / SIDE].map(|along| along as f64 / SIDE as f64))
        .map(|[x, y]| 0.9 * (7.0 * x * (1.2 - 0.5 * y)).sin() * (4.0 * y + x).cos())
        .collect();
    let negative = image.iter().map(|value| -value).collect();
    // An odd step reaches each of 1024 places once.
    let disorder = (0..PIXELS)
        .map(|i| image[(i * 389 + 77) % PIXELS])
        .collect();

    let mut picture = Picture::new(
        720,
        430,
        "Joint histograms of an image with itself, its negative and its pixels in disorder",
    );
    let histogram = JointHistogramConfig::new(bins, Kernel::default()).init();
    for (left, title, other) in [
        (56.0, "Y is X itself", image.clone()),
        (294.0, "Y is the negative of X", negative),
        (532.0, "Y has the pixels of X in disorder", disorder),
    ] {
        let place = [left, 176.0, 164.0, 164.0];
        let thumbnail = |picture: &mut Picture, left: f64, name: &str, image: &[f64]| {
            let side = 76.0;
            let shades: Vec<f64> = image.iter().map(|value| 0.5 - value / 2.0).collect();
            picture.squares([left, 40.0], side, &shades);
            picture.words([left + side / 2.0, 132.0], "middle", INK, name);
        };
        picture.words([left + 82.0, 24.0], "middle", INK, title);
        thumbnail(&mut picture, left, "X", &image);
        thumbnail(&mut picture, left + 88.0, "Y", &other);

        let joint =
            histogram.forward::<_, 2, 3>(tensor(&image, [1, PIXELS]), tensor(&other, [1, PIXELS]));
        let entropy = entries(StructureLossConfig::new().init().forward(joint.clone()))[0];
        let shares = entries(joint);
        let most = shares.iter().copied().fold(0.0, f64::max);
        // Rows are the bins of X. Those of its largest values are at the top. The root shows small shares too.
        let rows = shares.chunks(bins.count()).rev().flatten();
        let shades: Vec<f64> = rows.map(|share| (share / most).sqrt()).collect();
        picture.squares([place[0], place[1]], place[2], &shades);
        let axes = Axes {
            place,
            x: [-1.0, 1.0],
            y: [-1.0, 1.0],
        };
        axes.draw(
            &mut picture,
            "",
            ["value in Y", "value in X"],
            [&[-1.0, 0.0, 1.0], &[-1.0, 0.0, 1.0]],
        );
        picture.words(
            [left + 82.0, 162.0],
            "middle",
            BLUE,
            &format!("H(X | Y) = {entropy:.2} nats"),
        );
    }
    Ok(picture.finish())
}

fn thick(color: &str) -> String {
    format!("stroke=\"{color}\" stroke-width=\"2\"")
}

fn dashed(color: &str) -> String {
    format!("stroke=\"{color}\" stroke-width=\"1.5\" stroke-dasharray=\"5 3\"")
}

fn tensor<const D: usize>(values: &[f64], shape: [usize; D]) -> Tensor<B, D> {
    let data = TensorData::new(values.to_vec(), shape);
    Tensor::from_data(data, (&Default::default(), DType::F64))
}

fn entries<const D: usize>(tensor: Tensor<B, D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_has_the_figures_that_this_example_draws() {
        for (name, drawn) in figures().unwrap() {
            let path = path(name);
            let kept = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                kept.replace("\r\n", "\n") == drawn,
                "{} is not what this example draws; run it to draw it anew",
                path.display()
            );
        }
    }
}
