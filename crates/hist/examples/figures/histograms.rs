//! A histogram that counts, and one that spreads.

use huenet_hist::{Bins, HistogramError, Kernel, SoftHistogramConfig};

use super::pixels::{entries, tensor};
use super::plot::{Axes, BLUE, ORANGE, Picture, thick};

/// The same pixels, counted and spread.
pub(crate) fn draw() -> Result<String, HistogramError> {
    const PIXELS: [f64; 24] = [
        -0.93, -0.81, -0.74, -0.69, -0.66, -0.62, -0.57, -0.55, -0.49, -0.44, -0.38, -0.27, -0.13,
        0.02, 0.19, 0.31, 0.37, 0.46, 0.48, 0.53, 0.55, 0.64, 0.71, 0.86,
    ];
    /// The pixel that is shown by itself. It is near the edge of its bin.
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

    let mut picture = Picture::new(720, 290, "A hard and a soft histogram of the same pixels");
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
