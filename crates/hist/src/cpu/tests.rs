//! What only this module can see: the width of the band, and the table's extent.

use rstest::rstest;

use super::Real;
use super::axis::Axis;
use super::band::{Band, width};
use crate::{Binning, Bins, Boundary, Kernel};

fn binning(count: usize, ratio: f64, boundary: Boundary) -> Binning {
    Binning {
        bins: Bins::new(count, 0.0, count as f64).unwrap(),
        kernel: Kernel::new(ratio, boundary).unwrap(),
    }
}

#[test]
fn the_official_kernel_needs_sixteen_bins_in_single_precision() {
    assert_eq!(width::<f32>(2.5), 16);
    assert_eq!(width::<f64>(2.5), 32);
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
        for beyond_edge in [-0.5, -0.2, 0.0, 0.5] {
            let single = left_out(ratio, width::<f32>(ratio), beyond_edge);
            assert!(
                single <= 2.0 * f64::from(f32::EPSILON) / 2.0,
                "{ratio}: {single:e}"
            );
            let double = left_out(ratio, width::<f64>(ratio), beyond_edge);
            assert!(double <= 2.0 * f64::EPSILON / 2.0, "{ratio}: {double:e}");
        }
    }
}

#[rstest]
#[case(0.25)]
#[case(2.5)]
#[case(64.0)]
fn windows_sum_to_one(#[case] ratio: f64) {
    fn check<T: Real, const M: usize>(ratio: f64, tolerance: f64) {
        let band = Band::<T, M>::new(&binning(100, ratio, Boundary::Open));
        for beyond_edge in [-0.5, -0.31, 0.0, 0.17, 0.5] {
            let growth = band.growth(beyond_edge);
            let mass: f64 = band.windows(growth).into_iter().map(T::wide).sum();
            assert!(
                (mass - 1.0).abs() < tolerance,
                "{ratio}, {beyond_edge}: {mass}"
            );
            assert!(band.step_slopes(growth).into_iter().all(|s| s >= T::zero()));
        }
    }
    super::with_band_width!(f32, binning(9, ratio, Boundary::Open), M => check::<f32, M>(ratio, 1e-6));
    super::with_band_width!(f64, binning(9, ratio, Boundary::Open), M => check::<f64, M>(ratio, 1e-14));
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
    let binning = binning(64, 2.5, boundary);
    let band = Band::<f32, 16>::new(&binning);
    let axis = Axis::spanning(&band, &binning, pixels);
    assert_eq!(axis.slots(), slots);
    for &x in pixels
        .iter()
        .chain(&[f32::NAN, f32::INFINITY, -1e30, 0.0, 1e30])
    {
        let (slot, _) = axis.place(&band, x);
        assert!(slot + 16 <= axis.slots(), "{x} starts at {slot}");
    }
}
