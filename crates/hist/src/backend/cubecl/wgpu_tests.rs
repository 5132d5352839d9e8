//! What only this module can see of the kernels, on a device of WGPU: a software one will do.
//!
//! Where there is none the test says that it was skipped, unless `HUENET_NEED_DEVICE` is set.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;
use std::thread;
use std::time::Duration;

use burn::tensor::{DType, Tensor, TensorData, TensorPrimitive};
use burn_wgpu::{CubeBackend, WgpuRuntime};
use cubecl::config::profiling::ProfilingLogLevel;
use cubecl::config::{CubeClRuntimeConfig, RuntimeConfig};

use crate::{Binning, Bins, Boundary, HistogramBackend, HistogramLossConfig, Kernel};

type Device = CubeBackend<WgpuRuntime, f32, i32, u32>;

/// Numbers that have nothing to do with one another, a little out of the range [−1, 1] too.
fn image<const D: usize>(shape: [usize; D], seed: u32) -> Tensor<Device, D> {
    let numbers = (0..shape.iter().product::<usize>() as u32).map(|i| {
        let mut z = (i + seed).wrapping_mul(0x9e37_79b9);
        z = (z ^ (z >> 16)).wrapping_mul(0x85eb_ca6b);
        2.2 * ((z ^ (z >> 13)) as f32 / u32::MAX as f32) - 1.1
    });
    let data = TensorData::new(numbers.collect(), shape);
    Tensor::from_data(data, (&Default::default(), DType::F32))
}

/// Counted where CubeCL launches anything.
#[test]
fn losses_and_gradients_take_five_launches_whatever_the_batch() {
    let name = format!("huenet-launches-{}.log", std::process::id());
    let file = std::env::temp_dir().join(name);
    let mut config = CubeClRuntimeConfig::default();
    config.profiling.logger.level = ProfilingLogLevel::Minimal;
    config.profiling.logger.file = Some(file.clone());
    CubeClRuntimeConfig::set(config);
    let there = catch_unwind(|| image([1, 2], 0).into_data());
    if there.is_err() {
        assert!(
            std::env::var_os("HUENET_NEED_DEVICE").is_none(),
            "no device for the backend under test"
        );
        eprintln!("skipped: no device for the backend under test");
        return;
    }

    let binning = Binning {
        bins: Bins::new(16, -1.0, 1.0).unwrap(),
        kernel: Kernel::new(2.5, Boundary::Reflect).unwrap(),
    };
    // Kernels of another name before and after what is counted. CubeCL starts what waits when it is read.
    let mark = || {
        let x = image([1, 40], 3).into_primitive().tensor();
        let p = TensorPrimitive::Float(Device::marginal(x, &binning));
        Tensor::<Device, 2>::from_primitive(p).into_data()
    };
    let terms = HistogramLossConfig::new(binning.bins, binning.kernel)
        .init()
        .terms();
    let batches = [1, 4];
    for batch in batches {
        let rows = 3 * batch;
        let [x, y] = [0, 1 << 20].map(|seed| image([rows, 500], seed).into_primitive().tensor());
        let target = image([rows, 16], 9).into_primitive().tensor();
        let grad = image([rows, 2], 5).into_primitive().tensor();
        mark();
        let pass = Device::losses(x.clone(), y.clone(), target, &terms, true);
        let of_histograms = pass.of_histograms.unwrap();
        let _gradients = Device::losses_backward(x, y, of_histograms, grad, &terms, [true; 2]);
        mark();
    }

    let launches = launches(&file, 2 * batches.len());
    let _ = fs::remove_file(&file);
    let marks: Vec<usize> = (0..launches.len())
        .filter(|&i| launches[i].contains("MarginalFinish"))
        .collect();
    assert_eq!(marks.len(), 2 * batches.len(), "{launches:#?}");
    for marks in marks.chunks(2) {
        let between = launches[marks[0] + 1..marks[1]].iter();
        let counted: Vec<&String> = between
            .filter(|launch| !launch.contains("MarginalSums"))
            .collect();
        assert_eq!(counted.len(), 5, "{counted:#?}");
    }
}

/// The launches that CubeCL wrote down, once there are so many marks among them.
fn launches(file: &Path, marks: usize) -> Vec<String> {
    let mut lines = Vec::new();
    // A thread of CubeCL's own writes the file.
    for _ in 0..500 {
        let text = fs::read_to_string(file).unwrap_or_default();
        let launches = text.lines().filter(|line| line.contains("Executing"));
        lines = launches.map(str::to_owned).collect();
        let written = lines.iter().filter(|line| line.contains("MarginalFinish"));
        if written.count() >= marks {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    lines
}
