//! What only this module can see of the kernels, on a device of WGPU: a software one will do.
//!
//! Where there is none the tests say that they were skipped, unless `HUENET_NEED_DEVICE` is set.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use burn::tensor::{DType, Tensor, TensorData};
use burn_wgpu::{CubeBackend, WgpuRuntime};
use cubecl::config::profiling::ProfilingLogLevel;
use cubecl::config::{CubeClRuntimeConfig, RuntimeConfig};
use rstest::rstest;

use crate::{Binning, Bins, Boundary, HistogramBackend, HistogramLossConfig, Kernel};

type Device = CubeBackend<WgpuRuntime, f32, i32, u32>;

/// Where CubeCL writes which kernels it launches, or `None` without a device.
fn launches() -> Option<&'static PathBuf> {
    static FILE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let file = FILE.get_or_init(|| {
        let name = format!("huenet-launches-{}.log", std::process::id());
        let file = std::env::temp_dir().join(name);
        let mut config = CubeClRuntimeConfig::default();
        config.profiling.logger.level = ProfilingLogLevel::Minimal;
        config.profiling.logger.file = Some(file.clone());
        CubeClRuntimeConfig::set(config);
        let there = catch_unwind(|| image([1, 2], 0).into_data());
        assert!(
            there.is_ok() || std::env::var_os("HUENET_NEED_DEVICE").is_none(),
            "no device for the backend under test"
        );
        if there.is_err() {
            eprintln!("skipped: no device for the backend under test");
        }
        there.is_ok().then_some(file)
    });
    file.as_ref()
}

/// Numbers that have nothing to do with one another, a little out of the range [−1, 1] too.
fn numbers(count: usize, seed: u32) -> Vec<f32> {
    (0..count as u32)
        .map(|i| {
            let mut z = (i + seed).wrapping_mul(0x9e37_79b9);
            z = (z ^ (z >> 16)).wrapping_mul(0x85eb_ca6b);
            2.2 * ((z ^ (z >> 13)) as f32 / u32::MAX as f32) - 1.1
        })
        .collect()
}

fn image<const D: usize>(shape: [usize; D], seed: u32) -> Tensor<Device, D> {
    let data = TensorData::new(numbers(shape.iter().product(), seed), shape);
    Tensor::from_data(data, (&Default::default(), DType::F32))
}

fn binning(bins: usize, ratio: f64, boundary: Boundary) -> Binning {
    Binning {
        bins: Bins::new(bins, -1.0, 1.0).unwrap(),
        kernel: Kernel::new(ratio, boundary).unwrap(),
    }
}

/// Counted where CubeCL launches anything.
#[rstest]
#[case(1)]
#[case(4)]
fn losses_and_gradients_take_five_launches_whatever_the_batch(#[case] batch: usize) {
    let Some(file) = launches() else {
        return;
    };
    let binning = binning(16, 2.5, Boundary::Reflect);
    let loss = HistogramLossConfig::new(binning.bins, binning.kernel).init();
    let rows = 3 * batch;
    let images = [0, 1 << 20].map(|seed| image([rows, 500], seed).into_primitive().tensor());
    let target = image([rows, 16], 9).into_primitive().tensor();
    let grad = image([rows, 2], 5).into_primitive().tensor();
    let mark = || {
        let x = image([1, 40], 3).into_primitive().tensor();
        <Device as HistogramBackend>::marginal(x, &binning)
    };
    mark();
    let [x, y] = images;
    let terms = loss.terms();
    let pass = Device::losses(x.clone(), y.clone(), target, &terms, true);
    let of_histograms = pass.of_histograms.unwrap();
    let gradients = Device::losses_backward(x, y, of_histograms, grad, &terms, [true; 2]);
    mark();
    drop(gradients);
    let between = between_marks(file);
    assert_eq!(between.len(), 5, "{between:#?}");
}

/// The launches between the last two launches of the kernel that finishes histograms.
fn between_marks(file: &Path) -> Vec<String> {
    static MARKS: AtomicUsize = AtomicUsize::new(0);
    let expected = MARKS.fetch_add(2, Ordering::SeqCst) + 2;
    // A thread of CubeCL's own writes the file.
    for _ in 0..1000 {
        let text = fs::read_to_string(file).unwrap_or_default();
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| line.contains("Executing"))
            .collect();
        let is_mark = |line: &&str| line.contains("marginal_finish");
        let marks: Vec<usize> = (0..lines.len()).filter(|&i| is_mark(&lines[i])).collect();
        if marks.len() >= expected {
            let [start, end] = [marks[expected - 2], marks[expected - 1]];
            let between = lines[start + 1..end].iter();
            let between = between.filter(|line| !line.contains("marginal_sums"));
            return between.map(|line| line.to_string()).collect();
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("CubeCL did not write what it launched");
}
