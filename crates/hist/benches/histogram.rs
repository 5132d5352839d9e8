//! The one-pass kernel on Flex beside the dense formulas, on the same images in the same run.
//!
//! ```text
//! cargo bench --package huenet-hist
//! ```
//!
//! After each pair of measurements a line says how many times as fast the kernel was, from the
//! fastest sample of either. Where the maps of the dense formulas would need more than some gigabytes
//! the kernel stands alone. Arguments choose among the benchmarks by name:
//!
//! ```text
//! cargo bench --package huenet-hist -- "both losses"
//! ```
//!
//! The last benchmarks are of training's losses of images of three channels: with colours compared along the
//! channels, and along twelve directions of colour space. A line says how many times as long those take.

use std::hint::black_box;
use std::time::{Duration, Instant};

use burn::backend::Autodiff;
use burn::nn::loss::Reduction;
use burn::tensor::{Distribution, Tensor};
use burn_flex::Flex;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, SamplingMode};
use huenet_hist::{
    Binning, Bins, Directions, EarthMoversDistanceConfig, HistogramBackend, HistogramLossConfig,
    JointHistogramConfig, Kernel, SoftHistogramConfig, StructureLossConfig, reference,
};

type Tracked = Autodiff<Flex>;

/// What is measured: the side of square images, the number of bins, and that of images.
const CASES: [(usize, usize, usize); 12] = [
    (64, 16, 1),
    (64, 256, 1),
    (64, 1024, 1),
    (256, 16, 1),
    (256, 64, 1),
    (256, 256, 1),
    (256, 1024, 1),
    (256, 256, 4),
    (256, 256, 16),
    (1024, 256, 1),
    (4096, 256, 1),
    (4096, 1024, 1),
];

/// As many directions of colour space are compared with the channels alone.
const DIRECTIONS: usize = 12;

/// The same three numbers for these.
const DIRECTION_CASES: [(usize, usize, usize); 3] = [(64, 64, 1), (256, 256, 1), (256, 256, 4)];

/// The largest product of pixels and bins of which the dense formulas keep a dozen maps.
const LARGEST_MAP: usize = 1 << 26;

/// How a histogram is computed.
#[derive(Clone, Copy)]
enum Way {
    Kernel,
    Dense,
}

impl Way {
    fn marginal<B: HistogramBackend>(self, x: Tensor<B, 2>, binning: &Binning) -> Tensor<B, 2> {
        match self {
            Self::Kernel => SoftHistogramConfig::new(binning.bins, binning.kernel)
                .init()
                .forward(x),
            Self::Dense => reference::marginal(x, binning),
        }
    }

    fn joint<B: HistogramBackend>(
        self,
        x: Tensor<B, 2>,
        y: Tensor<B, 2>,
        binning: &Binning,
    ) -> Tensor<B, 3> {
        match self {
            Self::Kernel => JointHistogramConfig::new(binning.bins, binning.kernel)
                .init()
                .forward(x, y),
            Self::Dense => reference::joint(x, y, binning),
        }
    }
}

impl Way {
    /// The sum of the mean earth mover's distance and the mean conditional entropy.
    fn losses<B: HistogramBackend>(
        self,
        [content, output, colours]: [Tensor<B, 2>; 3],
        binning: &Binning,
    ) -> Tensor<B, 1> {
        match self {
            Self::Kernel => {
                let loss = HistogramLossConfig::new(binning.bins, binning.kernel).init();
                let target = loss.target(colours);
                let losses = loss.forward(content, output, target, Reduction::Mean);
                losses.distances + losses.structures
            }
            Self::Dense => {
                let target = reference::marginal(colours, binning);
                let p = reference::marginal(output.clone(), binning);
                let joint = reference::joint(content, output, binning);
                let distance = EarthMoversDistanceConfig::new(binning.bins).init();
                let structure = StructureLossConfig::new().init();
                distance.forward(p, target, Reduction::Mean)
                    + structure.forward(joint, Reduction::Mean)
            }
        }
    }
}

fn image<B: HistogramBackend>(side: usize, images: usize) -> Tensor<B, 2> {
    Tensor::random(
        [images, side * side],
        Distribution::Uniform(-1.0, 1.0),
        &B::Device::default(),
    )
}

/// A benchmark of one computation in both ways.
struct Comparison<'a> {
    group: BenchmarkGroup<'a, WallTime>,
    parameter: String,
    dense_fits: bool,
}

impl Comparison<'_> {
    /// Measures both ways, then prints how much faster the kernel is.
    fn run<O>(&mut self, name: &str, mut work: impl FnMut(Way) -> O) {
        let kernel = self.measure(&format!("{name}/kernel"), || work(Way::Kernel));
        if !self.dense_fits {
            return;
        }
        let dense = self.measure(&format!("{name}/dense"), || work(Way::Dense));
        // A filter may have left one out.
        if let (Some(kernel), Some(dense)) = (kernel, dense) {
            println!(
                "{name}, {}: the kernel is {:.1} times as fast\n",
                self.parameter,
                dense.as_secs_f64() / kernel.as_secs_f64()
            );
        }
    }

    /// The time of one run in the fastest sample.
    fn measure<O>(&mut self, name: &str, mut work: impl FnMut() -> O) -> Option<Duration> {
        let mut fastest: Option<Duration> = None;
        let id = BenchmarkId::new(name, &self.parameter);
        self.group.bench_function(id, |bencher| {
            bencher.iter_custom(|runs| {
                let start = Instant::now();
                for _ in 0..runs {
                    black_box(work());
                }
                let taken = start.elapsed();
                let each = taken / u32::try_from(runs).unwrap_or(u32::MAX);
                fastest = Some(fastest.map_or(each, |fastest| fastest.min(each)));
                taken
            });
        });
        fastest
    }
}

fn compare(criterion: &mut Criterion, side: usize, count: usize, images: usize) {
    let binning = Binning {
        bins: Bins::new(count, -1.0, 1.0).expect("possible bins"),
        kernel: Kernel::default(),
    };
    let mut comparison = Comparison {
        group: group(criterion),
        parameter: format!("{images} of {side}x{side}, {count} bins"),
        dense_fits: images * side * side * count <= LARGEST_MAP,
    };

    let [x, y, colours] = [(); 3].map(|()| image::<Flex>(side, images));
    comparison.run("marginal forward", |way| way.marginal(x.clone(), &binning));
    comparison.run("joint forward", |way| {
        way.joint(x.clone(), y.clone(), &binning)
    });
    comparison.run("both losses forward", |way| {
        way.losses([x.clone(), y.clone(), colours.clone()], &binning)
    });
    // As in training, the gradient of the second image alone is wanted.
    let [x, y, colours] = [x, y, colours].map(Tensor::<Tracked, 2>::from_inner);
    comparison.run("marginal forward and backward", |way| {
        let y = y.clone().require_grad();
        let gradients = way.marginal(y.clone(), &binning).square().sum().backward();
        y.grad(&gradients)
    });
    comparison.run("joint forward and backward", |way| {
        let y = y.clone().require_grad();
        let p = way.joint(x.clone(), y.clone(), &binning);
        y.grad(&p.square().sum().backward())
    });
    comparison.run("both losses forward and backward", |way| {
        let y = y.clone().require_grad();
        let loss = way.losses([x.clone(), y.clone(), colours.clone()], &binning);
        y.grad(&loss.backward())
    });
    comparison.group.finish();
}

fn compare_directions(criterion: &mut Criterion, side: usize, count: usize, images: usize) {
    let bins = Bins::new(count, -1.0, 1.0).expect("possible bins");
    let channels = Directions::CHANNELS;
    let mut comparison = Comparison {
        group: group(criterion),
        parameter: format!("{images} of {side}x{side}, {count} bins"),
        dense_fits: false,
    };
    let image = || {
        let rows = image::<Flex>(side, images * channels);
        Tensor::<Tracked, 3>::from_inner(rows.reshape([images, channels, side * side]))
    };
    let [content, output, colours] = [(); 3].map(|()| image());
    let times = [channels, DIRECTIONS].map(|directions| {
        let loss = HistogramLossConfig::new(bins, Kernel::default())
            .with_directions(Directions::spread(directions).ok())
            .init();
        let target = loss.target(colours.clone());
        comparison.measure(&format!("training along {directions} directions"), || {
            let output = output.clone().require_grad();
            let (content, target) = (content.clone(), target.clone());
            let losses = loss.forward(content, output.clone(), target, Reduction::Mean);
            output.grad(&(losses.distances + losses.structures).backward())
        })
    });
    if let [Some(of_channels), Some(of_all)] = times {
        println!(
            "{}: {DIRECTIONS} directions take {:.2} times as long as the channels\n",
            comparison.parameter,
            of_all.as_secs_f64() / of_channels.as_secs_f64()
        );
    }
    comparison.group.finish();
}

fn group(criterion: &mut Criterion) -> BenchmarkGroup<'_, WallTime> {
    let mut group = criterion.benchmark_group("histogram");
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(500));
    group
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for (side, count, images) in CASES {
        compare(&mut criterion, side, count, images);
    }
    for (side, count, images) in DIRECTION_CASES {
        compare_directions(&mut criterion, side, count, images);
    }
    criterion.final_summary();
}
