//! The window of a bin.

use huenet_hist::{Bins, Boundary, HistogramError, Kernel, SoftHistogramConfig};

use super::pixels::{entries, tensor};
use super::plot::{Axes, BLUE, GREEN, INK, ORANGE, Picture, dashed, thick};

/// How much of a pixel a bin gets, for every value of the pixel.
pub(crate) fn draw() -> Result<String, HistogramError> {
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
