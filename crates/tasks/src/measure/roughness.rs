//! How much rougher an output is than its content: steep places, and noise.
//!
//! Both compare differences of neighbours: of each pixel and the one to its right, and of each pixel and the one below
//! it, all in one list. Nothing is weighted by where it is.

use huenet_data::ImageSize;

/// What is added to both gradients in [`cliffs`]: five grey levels of 8 bits. Where the content is flat, what is much
/// fainter than that does not count as a cliff.
pub const CLIFF_FLOOR: f64 = 0.02;

/// The share of neighbours that are less steep than [`cliffs`] says.
const STEEPEST: f64 = 0.95;

/// What a median gradient is at least in [`noise`]: a quarter of a grey level of 8 bits.
pub const NOISE_FLOOR: f64 = 0.001;

/// The weights of luma.
const LUMA: [f64; 3] = [0.299, 0.587, 0.114];

/// How much steeper an output is than its content where that is worst: the 95th percentile, over all neighbours, of
///
/// ```text
/// (|∇output| + 0.02) / (|∇content| + 0.02)
/// ```
///
/// where |∇| is the Euclidean norm, over red, green and blue, of the difference of the two pixels. 1 if the output is
/// its content; above 1 where it has edges that the content has not. Percentiles are interpolated linearly. `None` of
/// a single pixel, NaN if a value is none.
///
/// # Shapes
///
/// `[3, height, width]` each: red, green and blue in [0, 1].
///
/// # Panics
///
/// If an image has another size.
pub fn cliffs(output: &[f32], content: &[f32], size: ImageSize) -> Option<f64> {
    let [output, content] = [output, content].map(|image| planes(image, size));
    let steepness = |planes: [&[f32]; 3], [i, j]: [usize; 2]| {
        let squares = planes.map(|plane| (f64::from(plane[i]) - f64::from(plane[j])).powi(2));
        squares.iter().sum::<f64>().sqrt() + CLIFF_FLOOR
    };
    let ratios = neighbours(size).map(|pair| steepness(output, pair) / steepness(content, pair));
    quantile(ratios.collect(), STEEPEST)
}

/// How noisy an output is beside its content: the median, over all neighbours, of the absolute difference of luma,
/// divided by the content's. Each of the two medians counts as [`NOISE_FLOOR`] where it is less, so that a content
/// of flat areas does not make any output noisy.
///
/// Luma is 0.299 R + 0.587 G + 0.114 B. A median of an even number is the mean of the middle two. 1 if the output is
/// its content; `None` of a single pixel, NaN if a value is none.
///
/// # Shapes
///
/// `[3, height, width]` each: red, green and blue in [0, 1].
///
/// # Panics
///
/// If an image has another size.
pub fn noise(output: &[f32], content: &[f32], size: ImageSize) -> Option<f64> {
    let median = |image: &[f32]| {
        let planes = planes(image, size);
        let luma = |i: usize| (0..3).map(|c| LUMA[c] * f64::from(planes[c][i])).sum();
        let luma: Vec<f64> = (0..size.pixels()).map(luma).collect();
        let steps = neighbours(size).map(|[i, j]| (luma[i] - luma[j]).abs());
        quantile(steps.collect(), 0.5)
    };
    // `f64::max` would drop a NaN.
    let floored = |median: f64| {
        if median < NOISE_FLOOR {
            NOISE_FLOOR
        } else {
            median
        }
    };
    Some(floored(median(output)?) / floored(median(content)?))
}

/// The three planes of an image.
fn planes(image: &[f32], size: ImageSize) -> [&[f32]; 3] {
    let pixels = size.pixels();
    assert_eq!(image.len(), 3 * pixels, "three planes of the size");
    [0, 1, 2].map(|c| &image[c * pixels..(c + 1) * pixels])
}

/// The places of each pixel and the one to its right, then of each and the one below it.
fn neighbours(size: ImageSize) -> impl Iterator<Item = [usize; 2]> {
    let width = size.width();
    let right = (0..size.pixels()).filter(move |i| (i + 1) % width != 0);
    let below = width..size.pixels();
    right
        .map(|i| [i, i + 1])
        .chain(below.map(move |i| [i - width, i]))
}

/// The value that a share of all are below, interpolated linearly between the two next to it. `None` of nothing, NaN
/// if a value is none.
fn quantile(mut values: Vec<f64>, share: f64) -> Option<f64> {
    if values.is_empty() || values.iter().any(|value| value.is_nan()) {
        return (!values.is_empty()).then_some(f64::NAN);
    }
    let place = share * (values.len() - 1) as f64;
    let (_, &mut low, above) = values.select_nth_unstable_by(place as usize, f64::total_cmp);
    let high = above.iter().copied().min_by(f64::total_cmp);
    Some(low + place.fract() * (high.unwrap_or(low) - low))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEIGHT: usize = 11;
    const WIDTH: usize = 13;

    fn size() -> ImageSize {
        ImageSize::new(HEIGHT, WIDTH).unwrap()
    }

    fn content(phase: f64) -> Vec<f32> {
        let value = |c: usize, y: usize, x: usize| {
            let (x, y, c) = (x as f64, y as f64, c as f64);
            (((0.7 * x + phase + c).sin() * (0.4 * y - c).cos() + 1.0) / 2.0) as f32
        };
        let pixels = HEIGHT * WIDTH;
        let at = |i: usize| value(i / pixels, i % pixels / WIDTH, i % WIDTH);
        (0..3 * pixels).map(at).collect()
    }

    fn assert_near(got: Option<f64>, expected: f64) {
        assert!(
            (got.unwrap() - expected).abs() < 1e-6,
            "{got:?} is not {expected}"
        );
    }

    // The numbers were printed by numpy 2.4.6, in double precision, with numpy.diff, numpy.linalg.norm,
    // numpy.percentile and numpy.median.

    #[test]
    fn five_levels_make_cliffs_and_noise() {
        let content = content(0.0);
        let few: Vec<f32> = content.iter().map(|v| (4.0 * v).round() / 4.0).collect();
        assert_near(cliffs(&few, &content, size()), 1.895_205_905);
        assert_near(noise(&few, &content, size()), 1.268_630_192);
    }

    #[test]
    fn other_and_fainter_waves_make_none() {
        let output: Vec<f32> = content(1.0).iter().map(|v| 0.3 + 0.5 * v).collect();
        assert_near(cliffs(&output, &content(0.0), size()), 0.826_122_456);
        assert_near(noise(&output, &content(0.0), size()), 0.525_636_315);
    }

    #[test]
    fn an_image_is_as_rough_as_itself() {
        for image in [content(0.0), vec![0.5; 3 * HEIGHT * WIDTH]] {
            assert_eq!(cliffs(&image, &image, size()), Some(1.0));
            assert_eq!(noise(&image, &image, size()), Some(1.0));
        }
    }

    /// Columns in turn darker and brighter by a grey level, on a flat content.
    #[test]
    fn a_flat_content_makes_no_faint_output_a_rough_one() {
        let flat = vec![0.5; 3 * HEIGHT * WIDTH];
        let level = 1.0 / 255.0;
        let column = |i: usize| {
            if (i % WIDTH).is_multiple_of(2) {
                0.5
            } else {
                0.5 + level
            }
        };
        let striped: Vec<f32> = (0..3 * HEIGHT * WIDTH).map(column).collect();
        // Of the neighbours, those of one row differ, 132 of 262: more than half.
        assert_near(
            noise(&striped, &flat, size()),
            f64::from(level) / NOISE_FLOOR,
        );
        let steepest = (f64::from(level) * 3.0_f64.sqrt() + CLIFF_FLOOR) / CLIFF_FLOOR;
        assert_near(cliffs(&striped, &flat, size()), steepest);
        // What is fainter than the floor is none.
        let faint: Vec<f32> = striped.iter().map(|v| 0.5 + (v - 0.5) / 8.0).collect();
        assert_eq!(noise(&faint, &flat, size()), Some(1.0));
    }

    #[test]
    fn a_pixel_has_no_neighbours_and_what_is_no_number_gives_none() {
        let one = ImageSize::new(1, 1).unwrap();
        assert_eq!(cliffs(&[0.5; 3], &[0.5; 3], one), None);
        assert_eq!(noise(&[0.5; 3], &[0.5; 3], one), None);
        let two = ImageSize::new(1, 2).unwrap();
        let broken = [0.5, f32::NAN, 0.5, 0.5, 0.5, 0.5];
        assert!(cliffs(&broken, &[0.5; 6], two).unwrap().is_nan());
        assert!(noise(&broken, &[0.5; 6], two).unwrap().is_nan());
    }
}
