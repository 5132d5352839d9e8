//! Joint histograms.

use huenet_hist::{Bins, HistogramError, JointHistogramConfig, Kernel, StructureLossConfig};

use super::pixels::{entries, tensor};
use super::plot::{Axes, BLUE, INK, Picture};

/// Joint histograms of an image with itself, with its negative and with its pixels shuffled.
pub(crate) fn draw() -> Result<String, HistogramError> {
    const SIDE: usize = 32;
    const PIXELS: usize = SIDE * SIDE;
    let bins = Bins::new(16, -1.0, 1.0)?;
    let image: Vec<f64> = (0..PIXELS)
        .map(|i| [i % SIDE, i / SIDE].map(|along| along as f64 / SIDE as f64))
        .map(|[x, y]| 0.9 * (7.0 * x * (1.2 - 0.5 * y)).sin() * (4.0 * y + x).cos())
        .collect();
    let negative = image.iter().map(|value| -value).collect();
    // Each step maps the numbers below 1024 to one another: odd factors and shifts can be undone.
    let shuffled = (0..PIXELS)
        .map(|i| (i * 389 + 77) % PIXELS)
        .map(|i| ((i ^ (i >> 5)) * 713) % PIXELS)
        .map(|i| image[i ^ (i >> 4)])
        .collect();

    let mut picture = Picture::new(
        720,
        400,
        "Joint histograms of an image with itself, its negative and its pixels shuffled",
    );
    let histogram = JointHistogramConfig::new(bins, Kernel::default()).init();
    for (left, title, other) in [
        (56.0, "Y is X itself", image.clone()),
        (294.0, "Y is the negative of X", negative),
        (532.0, "Y is X, pixels shuffled", shuffled),
    ] {
        let place = [left, 188.0, 164.0, 164.0];
        picture.words([left + 82.0, 24.0], "middle", INK, title);
        let shades: Vec<f64> = other.iter().map(|value| 0.5 - value / 2.0).collect();
        picture.squares([left + 32.0, 36.0], 100.0, &shades);
        picture.words([left + 82.0, 152.0], "middle", INK, "Y");

        let joint =
            histogram.forward::<_, 2, 3>(tensor(&image, [1, PIXELS]), tensor(&other, [1, PIXELS]));
        let entropy = entries(
            StructureLossConfig::new()
                .init()
                .forward_no_reduction(joint.clone()),
        )[0];
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
            [left + 82.0, 177.0],
            "middle",
            BLUE,
            &format!("H(X | Y) = {entropy:.2} nats"),
        );
    }
    Ok(picture.finish())
}
