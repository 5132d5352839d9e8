//! What only this module can see: the width of the band, the table's extent, and every set of vector
//! instructions that the machine has.

use fearless_simd::{Simd, f64x8, prelude::*};
use rstest::rstest;

use super::Level;
use super::axis::Axis;
use super::logarithm::{ln, ln_1p};
use super::place::places;
use super::pools::Pooled;
use super::simd::{LANES, Lanes, Real, Work, vectorised};
use super::window::{Profile, width};
use crate::{Binning, Bins, Boundary, Directions, HistogramLossConfig, Kernel};

fn binning(count: usize, ratio: f64, boundary: Boundary) -> Binning {
    Binning {
        bins: Bins::new(count, 0.0, count as f64).unwrap(),
        kernel: Kernel::new(ratio, boundary).unwrap(),
    }
}

/// The sets of vector instructions there is code for and the machine has: the widest, and those below.
fn levels() -> Vec<Level> {
    let widest = Level::new();
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    {
        let avx512 = widest.as_avx512().map(Level::Avx512);
        let avx2 = widest.as_avx2().map(Level::Avx2);
        let portable = widest.as_sse2().map(Level::Sse2);
        [avx512, avx2, portable].into_iter().flatten().collect()
    }
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
    vec![widest]
}

#[test]
fn the_official_kernel_needs_sixteen_bins_in_single_precision() {
    assert_eq!(width::<f32>(Kernel::default()) * LANES, 16);
    assert_eq!(width::<f64>(Kernel::default()) * LANES, 32);
}

/// The mass that the band leaves out, wherever the pixel lies between two edges, is at most twice
/// the unit round-off, for every kernel there can be.
#[test]
fn the_band_holds_all_but_rounding() {
    fn left_out(ratio: f64, width: usize, beyond_edge: f64) -> f64 {
        let tail = |bins: f64| 1.0 / (1.0 + (ratio * bins).exp());
        let half = width as f64 / 2.0;
        tail(half - beyond_edge) + tail(half + beyond_edge)
    }
    for ratio in [0.25, 0.3, 0.5, 1.0, 1.5, 2.5, 3.0, 5.0, 8.0, 20.0, 64.0] {
        let kernel = Kernel::new(ratio, Boundary::Open).unwrap();
        for beyond_edge in [-0.5, -0.2, 0.0, 0.5] {
            let single = left_out(ratio, LANES * width::<f32>(kernel), beyond_edge);
            assert!(
                single <= 2.0 * f64::from(f32::EPSILON) / 2.0,
                "{ratio}: {single:e}"
            );
            let double = left_out(ratio, LANES * width::<f64>(kernel), beyond_edge);
            assert!(double <= 2.0 * f64::EPSILON / 2.0, "{ratio}: {double:e}");
        }
    }
}

/// The windows of sixteen pixels over their bands, and the first slots of these.
struct Windows<'a, T> {
    binning: &'a Binning,
    axis: &'a Axis,
    pixels: [T; LANES],
}

impl<T: Real> Windows<'_, T> {
    #[inline(always)]
    fn of<S: Simd, const LINES: usize>(&self, simd: S) -> Vec<(usize, Vec<f64>)> {
        let profile = Profile::<T, LINES>::windows(self.binning.kernel.ratio());
        let windows = profile.rotated(simd, 0);
        let places = places(simd, self.axis, &self.pixels);
        let of_pixel = |lane: usize| {
            let mut band = Vec::new();
            for line in windows.of(simd, places.growths[lane], places.decays[lane]) {
                let mut stored = [T::zero(); LANES];
                line.store(&mut stored);
                band.extend(stored.map(T::wide));
            }
            (places.slots[lane] as usize, band)
        };
        (0..LANES).map(of_pixel).collect()
    }
}

impl<T: Real> Work for Windows<'_, T> {
    type Output = Vec<(usize, Vec<f64>)>;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Self::Output {
        super::rows::with_band_width!(T, self.binning, LINES => self.of::<S, LINES>(simd))
    }
}

/// Each window is that of the definition to a few roundings of itself, and they sum to 1.
#[rstest]
#[case(0.25)]
#[case(0.5)]
#[case(2.5)]
#[case(20.0)]
#[case(64.0)]
fn windows_are_accurate_with_all_instructions(#[case] ratio: f64) {
    fn check<T: Real>(level: Level, ratio: f64, roundings: f64) {
        let binning = binning(100, ratio, Boundary::Open);
        let pixels: [T; LANES] = std::array::from_fn(|i| T::of(47.5 + 0.0937 * i as f64));
        let width = LANES * width::<T>(binning.kernel);
        let axis = Axis::spanning(level, &binning, width, &pixels);
        // Bin 0 of the range lies in this slot.
        let run = &axis.runs(&binning)[0];
        let origin = run.slots.start as f64 - run.bins.start as f64;
        let bands = vectorised(
            level,
            Windows {
                binning: &binning,
                axis: &axis,
                pixels,
            },
        );
        let unit = T::epsilon().wide() / 2.0;
        for ((slot, band), x) in bands.iter().zip(pixels) {
            let mass: f64 = band.iter().sum();
            assert!((mass - 1.0).abs() < 8.0 * unit, "{level:?}: {mass}");
            for (i, &found) in band.iter().enumerate() {
                let m = ratio * (x.wide() - ((slot + i) as f64 - origin + 0.5));
                let half = ratio / 2.0;
                let expected = half.sinh() / (m.cosh() + half.cosh());
                let error = (found - expected).abs();
                // What does not show beside 1 need not be right.
                let tolerance = roundings * unit * expected + 2e-3 * unit;
                assert!(
                    error <= tolerance,
                    "{level:?}, {ratio}, {i}: {found:e} for {expected:e}"
                );
            }
        }
    }
    for level in levels() {
        check::<f32>(level, ratio, 12.0);
        check::<f64>(level, ratio, 60.0);
    }
}

#[rstest]
#[case(Boundary::Reflect, &[0.0, 64.0], 64 + 16)]
#[case(Boundary::Reflect, &[20.2, 29.9], 10 + 16)]
#[case(Boundary::Reflect, &[-1e9, 1e9], 3 * 64 + 17 + 16)]
#[case(Boundary::Open, &[-1e9, f32::INFINITY], 64 + 17 + 16)]
#[case(Boundary::Wrap, &[-1e9, 1e9], 64 + 16)]
#[case(Boundary::Reflect, &[f32::NAN], 16)]
fn the_axis_is_as_long_as_the_pixels_need(
    #[case] boundary: Boundary,
    #[case] pixels: &[f32],
    #[case] slots: usize,
) {
    struct Slots<'a>(&'a Axis, [f32; LANES]);
    impl Work for Slots<'_> {
        type Output = [u32; LANES];

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> [u32; LANES] {
            places(simd, self.0, &self.1).slots
        }
    }
    let binning = binning(64, 2.5, boundary);
    for level in levels() {
        let axis = Axis::spanning(level, &binning, 16, pixels);
        assert_eq!(axis.slots(), slots);
        let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1e30, 0.0, 1e30];
        for &x in pixels.iter().chain(&odd) {
            let [slot, ..] = vectorised(level, Slots(&axis, [x; LANES]));
            assert!(slot as usize + 16 <= axis.slots(), "{x} starts at {slot}");
        }
    }
}

#[test]
fn logarithms_are_accurate_with_all_instructions() {
    struct Logarithms([f64; 8]);
    impl Work for Logarithms {
        type Output = [[f64; 8]; 2];

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> [[f64; 8]; 2] {
            let x = f64x8::from_slice(simd, &self.0);
            [ln(simd, x).to_array(), ln_1p(simd, x).to_array()]
        }
    }
    let numbers =
        (-1000..1000).map(|i| (f64::from(i) * 0.7).exp() * (1.0 + 1e-3 * f64::from(i % 7)));
    let numbers: Vec<f64> = numbers
        .chain((-30..30).map(|i| 1.0 + 1e-4 * f64::from(i)))
        .collect();
    for level in levels() {
        for eight in numbers.as_chunks::<8>().0 {
            let [ln, ln_1p] = vectorised(level, Logarithms(*eight));
            for ((x, ln), ln_1p) in eight.iter().zip(ln).zip(ln_1p) {
                assert!(
                    (ln - x.ln()).abs() <= 8.0 * f64::EPSILON * x.ln().abs(),
                    "{level:?}: {x:e}"
                );
                let expected = x.ln_1p();
                assert!(
                    (ln_1p - expected).abs() <= 8.0 * f64::EPSILON * expected,
                    "{level:?}: {x:e}"
                );
            }
        }
    }
}

/// Results of different vector instructions differ by rounding alone, forward and backward, in every
/// operation.
#[rstest]
#[case(Boundary::Reflect)]
#[case(Boundary::Wrap)]
#[case(Boundary::Open)]
fn all_instructions_agree(#[case] boundary: Boundary) {
    fn check<T: Pooled>(boundary: Boundary, tolerance: f64) {
        let (rows, pixels) = (2, 1003);
        for (count, ratio) in [(5, 1.2), (33, 2.5), (64, 20.0)] {
            let binning = binning(count, ratio, boundary);
            let image = |seed: f64, reach: f64| -> Vec<T> {
                let value = |i: usize| count as f64 * (0.5 + reach * (seed * i as f64).sin());
                (0..rows * pixels).map(|i| T::of(value(i))).collect()
            };
            let (x, y) = (image(0.37, 0.6), image(1.91, 0.4));
            let weights: Vec<T> = (0..rows * count * count.max(6))
                .map(|i| T::of((i as f64).cos()))
                .collect();
            let loss = HistogramLossConfig::new(binning.bins, binning.kernel)
                .init()
                .terms();
            // The rows once more as the channels of an image.
            let colours: Vec<T> = [&x[..], &y[..pixels]].concat();
            let along = Directions::spread(9).unwrap().further(&binning.bins);
            let results = |level| {
                let along_p = super::directional(level, &colours, 1, &along, &binning);
                let of_along = &weights[..along.len() * count];
                let of_colours =
                    super::directional_backward(level, &colours, of_along, 1, &along, &binning);
                let target = super::marginal(level, &x, rows, &binning);
                let [values, of_p, of_joint] =
                    super::losses(level, [&x, &y], &target, rows, &loss, true);
                let upstream = &weights[..2 * rows];
                let tables = [&of_p[..], &of_joint];
                let needed = [true, true];
                let [x_joint, y_joint] =
                    super::joint_backward(level, &x, &y, &weights, rows, &binning, needed);
                let [x_loss, y_loss] =
                    super::losses_backward(level, [&x, &y], tables, upstream, rows, &loss, needed);
                let of_marginal =
                    super::marginal_backward(level, &y, &weights[..rows * count], rows, &binning);
                let joint = super::joint(level, &x, &y, rows, &binning);
                let gradients = [x_joint, y_joint, x_loss, y_loss].map(Option::unwrap);
                [
                    vec![
                        target,
                        values,
                        of_p,
                        of_marginal,
                        joint,
                        along_p,
                        of_colours,
                    ],
                    gradients.into(),
                ]
                .concat()
            };
            let expected = results(Level::new());
            for level in levels() {
                for (what, (found, expected)) in results(level).iter().zip(&expected).enumerate() {
                    let largest = expected
                        .iter()
                        .fold(0.0, |most: f64, value| most.max(value.wide().abs()));
                    for (found, expected) in found.iter().zip(expected) {
                        let error = (found.wide() - expected.wide()).abs();
                        assert!(
                            error <= tolerance * largest,
                            "{level:?}, result {what}, {count} bins"
                        );
                    }
                }
            }
        }
    }
    check::<f32>(boundary, 2e-5);
    check::<f64>(boundary, 1e-12);
}
