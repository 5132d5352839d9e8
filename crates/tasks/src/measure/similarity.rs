//! How alike two images are, by the field's usual figures.
//!
//! Everything is computed on the host in double precision, from planes: one channel of an image,
//! row by row.

use huenet_data::ImageSize;

pub use crate::step::ssim_loss::SSIM_WINDOW;
use crate::step::ssim_loss::ssim_constants;

/// The structural similarity of two planes whose values span `range`: 1 for equal ones.
///
/// The definition is scikit-image's default: means, variances and covariance of uniform windows
/// of 7×7 pixels, unbiased (divided by 48), `C₁ = (0.01·range)²`, `C₂ = (0.03·range)²`, and the
/// mean over all windows that lie wholly inside. `None` if a side is shorter than a window.
///
/// Source: Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to
/// structural similarity", 2004; `skimage.metrics.structural_similarity`.
///
/// # Panics
///
/// If a plane has not `size.pixels()` values.
pub fn ssim(a: &[f32], b: &[f32], size: ImageSize, range: f64) -> Option<f64> {
    let (height, width) = (size.height(), size.width());
    assert_eq!([a.len(), b.len()], [size.pixels(); 2], "planes of the size");
    if height < SSIM_WINDOW || width < SSIM_WINDOW {
        return None;
    }
    let count = (SSIM_WINDOW * SSIM_WINDOW) as f64;
    let unbiased = count / (count - 1.0);
    let [c1, c2] = ssim_constants(range);
    // Sums over the columns of the rows in the window; a row enters below, one leaves above.
    let mut columns = vec![Moments::default(); width];
    let mut sum = 0.0;
    for row in 0..height {
        for (x, column) in columns.iter_mut().enumerate() {
            column.add(a[row * width + x], b[row * width + x], 1.0);
            if let Some(left) = row.checked_sub(SSIM_WINDOW) {
                column.add(a[left * width + x], b[left * width + x], -1.0);
            }
        }
        if row + 1 < SSIM_WINDOW {
            continue;
        }
        for window in columns.windows(SSIM_WINDOW) {
            let m = window.iter().fold(Moments::default(), Moments::plus);
            let [mean_a, mean_b, square_a, square_b, product] = m.0.map(|sum| sum / count);
            let variances = (square_a - mean_a * mean_a + square_b - mean_b * mean_b) * unbiased;
            let covariance = (product - mean_a * mean_b) * unbiased;
            sum += (2.0 * mean_a * mean_b + c1) * (2.0 * covariance + c2)
                / ((mean_a * mean_a + mean_b * mean_b + c1) * (variances + c2));
        }
    }
    let windows = (height - SSIM_WINDOW + 1) * (width - SSIM_WINDOW + 1);
    Some(sum / windows as f64)
}

/// The peak signal-to-noise ratio of two images whose values span `range`, in decibels:
/// `10·log₁₀(range² / MSE)`, the mean over all their values. Infinite for equal images.
///
/// # Panics
///
/// If the images differ in length or are empty.
pub fn psnr(a: &[f32], b: &[f32], range: f64) -> f64 {
    assert_eq!(a.len(), b.len(), "images of one size");
    assert!(!a.is_empty(), "images with pixels");
    let squares = a
        .iter()
        .zip(b)
        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
    let mse = squares.sum::<f64>() / a.len() as f64;
    10.0 * (range * range / mse).log10()
}

/// The intersection of two histograms, `Σ_k min(p(k), q(k))`: the share of their mass that they
/// have in common, 1 for equal ones.
///
/// Source: Swain and Ballard, "Color indexing", 1991.
///
/// # Panics
///
/// If the histograms differ in their number of bins.
pub fn histogram_intersection(p: &[f32], q: &[f32]) -> f64 {
    assert_eq!(p.len(), q.len(), "histograms with the same bins");
    p.iter().zip(q).map(|(p, q)| f64::from(p.min(*q))).sum()
}

/// Sums of a, b, a², b² and ab.
#[derive(Clone, Copy, Default)]
struct Moments([f64; 5]);

impl Moments {
    fn add(&mut self, a: f32, b: f32, sign: f64) {
        let (a, b) = (f64::from(a), f64::from(b));
        let values = [a, b, a * a, b * b, a * b];
        for (sum, value) in self.0.iter_mut().zip(values) {
            *sum += sign * value;
        }
    }

    fn plus(self, other: &Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] + other.0[i]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEIGHT: usize = 11;
    const WIDTH: usize = 13;

    fn size() -> ImageSize {
        ImageSize::new(HEIGHT, WIDTH).unwrap()
    }

    fn plane(value: impl Fn(f64, f64) -> f64) -> Vec<f32> {
        let at = |i: usize| value((i % WIDTH) as f64, (i / WIDTH) as f64) as f32;
        (0..HEIGHT * WIDTH).map(at).collect()
    }

    /// Three planes, in [0, 1].
    fn colours(phase: f64) -> Vec<Vec<f32>> {
        let channel = |c: f64| {
            move |x: f64, y: f64| ((0.7 * x + phase + c).sin() * (0.4 * y - c).cos() + 1.0) / 2.0
        };
        [0.0, 1.0, 2.0].map(|c| plane(channel(c))).to_vec()
    }

    // The numbers below were printed by scikit-image 0.26.0 for the same images:
    // structural_similarity(a, b, win_size=7, data_range=…, channel_axis=0) and
    // peak_signal_noise_ratio(a, b, data_range=1.0).

    #[test]
    fn ssim_is_scikit_images() {
        let a = plane(|x, y| (0.7 * x).sin() * (0.4 * y).cos());
        let b =
            plane(|x, y| 0.8 * (0.7 * x).sin() * (0.4 * y).cos() + 0.3 * (2.1 * x + 1.3 * y).sin());
        let got = ssim(&a, &b, size(), 2.0).unwrap();
        assert!((got - 0.830_251_954_6).abs() < 1e-6, "{got}");
        assert!((ssim(&a, &a, size(), 2.0).unwrap() - 1.0).abs() < 1e-12);

        let flat = |value: f32| vec![value; 64];
        let size = ImageSize::new(8, 8).unwrap();
        let got = ssim(&flat(0.0), &flat(0.5), size, 2.0).unwrap();
        assert!((got - 0.001_597_444_089_456_9).abs() < 1e-9, "{got}");
    }

    #[test]
    fn of_colours_too_and_so_is_psnr() {
        let (a, other) = (colours(0.0), colours(1.0));
        let mix = |(a, b): (&Vec<f32>, &Vec<f32>)| -> Vec<f32> {
            a.iter()
                .zip(b)
                .map(|(a, b)| (0.8 * a + 0.1 * b).clamp(0.0, 1.0))
                .collect()
        };
        let b: Vec<Vec<f32>> = a.iter().zip(&other).map(mix).collect();
        let channels = a
            .iter()
            .zip(&b)
            .map(|(a, b)| ssim(a, b, size(), 1.0).unwrap());
        let got = channels.sum::<f64>() / 3.0;
        assert!((got - 0.978_194_474_3).abs() < 1e-6, "{got}");
        let got = psnr(&a.concat(), &b.concat(), 1.0);
        assert!((got - 23.471_907_501_9).abs() < 1e-5, "{got}");
        assert_eq!(psnr(&a[0], &a[0], 1.0), f64::INFINITY);
    }

    #[test]
    fn an_image_smaller_than_the_window_has_no_ssim() {
        let size = ImageSize::new(6, 20).unwrap();
        assert_eq!(ssim(&[0.0; 120], &[0.0; 120], size, 1.0), None);
    }

    #[test]
    fn histograms_share_what_they_share() {
        let (p, q) = ([0.5, 0.25, 0.25, 0.0], [0.25, 0.25, 0.0, 0.5]);
        assert_eq!(histogram_intersection(&p, &p), 1.0);
        assert_eq!(histogram_intersection(&p, &q), 0.5);
    }
}
