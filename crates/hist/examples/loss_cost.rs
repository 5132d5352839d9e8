//! What the losses of training cost: forward and backward of the earth mover's distance and the
//! conditional entropy, over the three channels of random images, in one line of JSON.
//!
//! ```text
//! cargo run --release --package huenet-hist --features flex --example loss_cost -- \
//!     --size 256 --batch 4 --bins 256 --backend flex --repeats 9
//! ```
//!
//! `--backend` is `flex`, `ndarray`, `tch`, `wgpu` or `cuda`, each if its feature is on; `tch-cuda` is
//! LibTorch on the first GPU. The peak of the process's memory is that of Linux, and missing elsewhere;
//! `base_rss_mib` is what it was before the losses. That of a graphics card is not in it.

use std::error::Error;
use std::time::Instant;

use burn::backend::Autodiff;
use burn::nn::loss::Reduction;
use burn::tensor::{DType, Tensor, TensorData};
use huenet_hist::{Bins, HistogramBackend, HistogramLossConfig, Kernel};

/// What to measure.
struct Options {
    size: usize,
    batch: usize,
    bins: usize,
    backend: String,
    repeats: usize,
}

impl Options {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut options = Self {
            size: 256,
            batch: 1,
            bins: 256,
            backend: "flex".to_owned(),
            repeats: 9,
        };
        let mut arguments = arguments;
        while let Some(name) = arguments.next() {
            let value = arguments
                .next()
                .ok_or_else(|| format!("{name} needs a value"))?;
            let number = || {
                let number = value.parse::<usize>().ok().filter(|&number| number > 0);
                number.ok_or_else(|| {
                    format!("{name} is {value}, and has to be a whole number from 1")
                })
            };
            match name.as_str() {
                "--size" => options.size = number()?,
                "--batch" => options.batch = number()?,
                "--bins" => options.bins = number()?,
                "--repeats" => options.repeats = number()?,
                "--backend" => options.backend = value,
                _ => {
                    let known = "--size, --batch, --bins, --backend and --repeats";
                    return Err(format!("there is no option {name}, only {known}").into());
                }
            }
        }
        Ok(options)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse(std::env::args().skip(1))?;
    match options.backend.as_str() {
        #[cfg(feature = "flex")]
        "flex" => measure::<burn_flex::Flex>(&options, Default::default()),
        #[cfg(feature = "ndarray")]
        "ndarray" => measure::<burn_ndarray::NdArray<f32>>(&options, Default::default()),
        #[cfg(feature = "tch")]
        "tch" => measure::<burn_tch::LibTorch<f32>>(&options, Default::default()),
        #[cfg(feature = "tch")]
        "tch-cuda" => {
            let device = burn_tch::LibTorchDevice::Cuda(0);
            measure::<burn_tch::LibTorch<f32>>(&options, device)
        }
        #[cfg(feature = "wgpu")]
        "wgpu" => measure::<burn_wgpu::Wgpu>(&options, Default::default()),
        #[cfg(feature = "cuda")]
        "cuda" => measure::<burn_cuda::Cuda>(&options, Default::default()),
        other => Err(format!(
            "the backend {other} is not compiled in: add --features flex, ndarray, tch, wgpu or cuda, or choose \
             another"
        )
        .into()),
    }
}

fn measure<B: HistogramBackend>(
    options: &Options,
    device: B::Device,
) -> Result<(), Box<dyn Error>> {
    const CHANNELS: usize = 3;
    /// Runs that fetch memory and compile kernels.
    const WARM_UP: usize = 3;
    let loss =
        HistogramLossConfig::new(Bins::new(options.bins, -1.0, 1.0)?, Kernel::default()).init();
    let shape = [options.batch, CHANNELS, options.size * options.size];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut image = || {
        // Any numbers will do: xorshift.
        let pixels: Vec<f32> = (0..shape.iter().product())
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
            })
            .collect();
        let data = TensorData::new(pixels, shape);
        Tensor::<Autodiff<B>, 3>::from_data(data, (&device, DType::F32))
    };
    let [content, reference, output] = [image(), image(), image()];
    let base = resident_mib("VmRSS:");

    let mut times = Vec::new();
    let mut values = Vec::new();
    for _ in 0..WARM_UP + options.repeats {
        let output = output.clone().require_grad();
        let start = Instant::now();
        let target = loss.target(reference.clone());
        let losses = loss.forward(content.clone(), output.clone(), target, Reduction::Mean);
        let (distance, structure) = (losses.distances, losses.structures);
        let gradients = (distance.clone() + structure.clone()).backward();
        let gradient = output
            .grad(&gradients)
            .ok_or("the output has no gradient")?;
        B::sync(&device)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        drop(gradient);
        values = [distance, structure]
            .map(|value| value.into_data().iter::<f64>().sum::<f64>())
            .to_vec();
    }
    times.drain(..WARM_UP);
    times.sort_by(f64::total_cmp);
    println!(
        "{{\"implementation\": \"huenet-hist\", \"backend\": \"{}\", \"size\": {}, \"batch\": {}, \"bins\": {}, \
         \"repeats\": {}, \"median_ms\": {:.3}, \"min_ms\": {:.3}, \"peak_rss_mib\": {}, \
         \"base_rss_mib\": {}, \"emd\": {:.9}, \"ce\": {:.9}}}",
        options.backend,
        options.size,
        options.batch,
        options.bins,
        options.repeats,
        times[times.len() / 2],
        times[0],
        resident_mib("VmHWM:"),
        base,
        values[0],
        values[1],
    );
    Ok(())
}

/// A line of the system's account of this process's memory, or null where there is none.
fn resident_mib(line: &str) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status.lines().find_map(|text| {
        let text = text.strip_prefix(line)?;
        text.trim().trim_end_matches(" kB").parse::<f64>().ok()
    });
    kib.map_or_else(|| "null".to_owned(), |kib| format!("{:.1}", kib / 1024.0))
}
