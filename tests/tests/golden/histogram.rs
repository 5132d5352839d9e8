//! `histogram`: soft and joint histograms, the earth mover's distance, the conditional entropies,
//! and the gradients of the losses with respect to both of their images.
//!
//! Three implementations have to agree with the official numbers: the dense formulas under plain
//! automatic differentiation, and the one-pass kernel on NdArray and on Flex; each in single and
//! in double precision.

use burn::backend::Autodiff;
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{DType, Tensor, TensorData};
use burn_flex::Flex;
use burn_ndarray::NdArray;
use huenet_hist::{
    Binning, Bins, Boundary, EarthMoversDistance, EarthMoversDistanceConfig, HistogramBackend,
    JointHistogramConfig, Kernel, SoftHistogramConfig, StructureLoss, StructureLossConfig,
    reference,
};
use huenet_tests::golden::{Golden, scalar};
use serde_json::Value;

#[test]
fn dense_reference_in_single_precision() {
    agrees::<Autodiff<Flex>>(Dense, DType::F32);
}

#[test]
fn dense_reference_in_double_precision() {
    agrees::<Autodiff<Flex>>(Dense, DType::F64);
}

#[test]
fn ndarray_kernel_in_single_precision() {
    agrees::<Autodiff<NdArray<f32>>>(OnePass, DType::F32);
}

#[test]
fn ndarray_kernel_in_double_precision() {
    agrees::<Autodiff<NdArray<f64>>>(OnePass, DType::F64);
}

#[test]
fn flex_kernel_in_single_precision() {
    agrees::<Autodiff<Flex>>(OnePass, DType::F32);
}

#[test]
fn flex_kernel_in_double_precision() {
    agrees::<Autodiff<Flex>>(OnePass, DType::F64);
}

/// One way to compute histograms of `[batch, pixels]`.
trait Histograms<B: AutodiffBackend> {
    /// Whether images of this many pixels, over all of them, are within its means.
    fn can_afford(&self, pixels: usize, bins: usize) -> bool;
    /// How many roundings of the histogram's entries its gradients may be off by.
    fn roundings(&self) -> f64;
    fn marginal(&self, x: Tensor<B, 2>, binning: Binning) -> Tensor<B, 2>;
    fn joint(&self, x: Tensor<B, 2>, y: Tensor<B, 2>, binning: Binning) -> Tensor<B, 3>;
}

/// The formulas of `reference`, differentiated step by step.
struct Dense;

impl<B: AutodiffBackend> Histograms<B> for Dense {
    fn can_afford(&self, pixels: usize, bins: usize) -> bool {
        // The graph keeps dozens of maps of this size.
        pixels * bins <= 1 << 18
    }

    fn roundings(&self) -> f64 {
        // Sums of slopes of both signs, which nearly cancel.
        4.0
    }

    fn marginal(&self, x: Tensor<B, 2>, binning: Binning) -> Tensor<B, 2> {
        reference::marginal(x, &binning)
    }

    fn joint(&self, x: Tensor<B, 2>, y: Tensor<B, 2>, binning: Binning) -> Tensor<B, 3> {
        reference::joint(x, y, &binning)
    }
}

/// The modules a user calls, on a backend with a kernel of its own.
struct OnePass;

impl<B: AutodiffBackend + HistogramBackend> Histograms<B> for OnePass {
    fn can_afford(&self, _: usize, _: usize) -> bool {
        true
    }

    fn roundings(&self) -> f64 {
        1.0
    }

    fn marginal(&self, x: Tensor<B, 2>, binning: Binning) -> Tensor<B, 2> {
        SoftHistogramConfig::new(binning.bins, binning.kernel)
            .init()
            .forward(x)
    }

    fn joint(&self, x: Tensor<B, 2>, y: Tensor<B, 2>, binning: Binning) -> Tensor<B, 3> {
        JointHistogramConfig::new(binning.bins, binning.kernel)
            .init()
            .forward(x, y)
    }
}

fn agrees<B: AutodiffBackend>(histograms: impl Histograms<B>, dtype: DType) {
    let golden = Golden::open("histogram");
    let mut report = Report::new(dtype);
    for case in golden.cases() {
        Case::<B>::of(case, &golden, dtype).check(&histograms, &mut report);
    }
    report.finish();
}

/// The parameters and images of a case.
struct Case<'a, B: AutodiffBackend> {
    json: &'a Value,
    golden: &'a Golden,
    dtype: DType,
    binning: Binning,
    device: B::Device,
}

impl<'a, B: AutodiffBackend> Case<'a, B> {
    fn of(json: &'a Value, golden: &'a Golden, dtype: DType) -> Self {
        let bins = Bins::new(
            json["bin_num"].as_u64().expect("a number of bins") as usize,
            scalar(&json["min_val"]),
            scalar(&json["max_val"]),
        );
        let kernel = Kernel::new(scalar(&json["kernel_width_ratio"]), Boundary::Reflect);
        let binning = Binning {
            bins: bins.expect("the official bins are possible"),
            kernel: kernel.expect("the official kernels are possible"),
        };
        Self {
            json,
            golden,
            dtype,
            binning,
            device: Default::default(),
        }
    }

    fn check(&self, histograms: &impl Histograms<B>, report: &mut Report) {
        let [src, tar, out] = ["src", "tar", "out"].map(|image| self.image(image));
        let pixels = src.dims().iter().product();
        if !histograms.can_afford(pixels, self.binning.bins.count()) {
            return;
        }
        let roundings = histograms.roundings();
        let marginal = |x: &Tensor<B, 2>| histograms.marginal(x.clone(), self.binning);
        let joint = |x: &Tensor<B, 2>, y: &Tensor<B, 2>| {
            histograms.joint(x.clone(), y.clone(), self.binning)
        };

        for (name, image) in [("src", &src), ("tar", &tar), ("out", &out)] {
            let p = marginal(image);
            self.compare(
                report,
                &format!("hist_{name}.f64"),
                values(p.clone().inner()),
            );
            self.compare(
                report,
                &format!("cdf_{name}.f64"),
                values(p.cumsum(1).inner()),
            );
        }
        self.compare(report, "pxy_src_out.f64", values(joint(&src, &out).inner()));

        let emd: EarthMoversDistance = EarthMoversDistanceConfig::new(self.binning.bins).init();
        self.check_loss(
            report,
            roundings,
            "emd",
            [("tar", &tar), ("out", &out)],
            || emd.distances(marginal(&tar), marginal(&out)),
        );
        let entropy: StructureLoss = StructureLossConfig::new().init();
        self.check_loss(
            report,
            roundings,
            "ce_src_out",
            [("src", &src), ("out", &out)],
            || entropy.measures(joint(&src, &out)).squeeze_dim::<2>(2),
        );
        self.check_loss(
            report,
            roundings,
            "ce_tar_out",
            [("tar", &tar), ("out", &out)],
            || entropy.measures(joint(&tar, &out)).squeeze_dim::<2>(2),
        );
    }

    /// Checks the values per sample, their mean, and the gradient of the mean.
    fn check_loss(
        &self,
        report: &mut Report,
        roundings: f64,
        loss: &str,
        images: [(&str, &Tensor<B, 2>); 2],
        measures: impl Fn() -> Tensor<B, 2>,
    ) {
        let name = &self.name();
        let measures = measures();
        let per_sample = values(measures.clone().inner());
        if let Some(truth) = self.truth(&format!("{loss}_per_sample.f64")) {
            report.compare_loss(
                name,
                &format!("{loss}_per_sample"),
                &per_sample,
                &truth.values,
            );
        }
        let mean = measures.mean();
        let value = values(mean.clone().inner());
        let truth = scalar(&self.json["scalars"][loss]["f64"]);
        report.compare_loss(name, loss, &value, &[truth]);

        let gradients = mean.backward();
        for (image, tensor) in images {
            let what = format!("d_{loss}_d_{image}");
            let gradient = values(tensor.grad(&gradients).expect("the image is tracked"));
            report.check(gradient.iter().all(|value| value.is_finite()), || {
                format!("{name}: {what} is not finite")
            });
            if self.json["gradient_well_conditioned"][&what].as_bool() == Some(true) {
                self.compare_gradient(report, &format!("{what}.ref"), gradient, roundings);
            }
        }
    }

    /// As `compare`, but allows in single precision what rounding the histogram's entries, which
    /// happens between the pixels and the loss, does to a gradient: where the loss hardly depends
    /// on an image, that is more than a small part of the gradient.
    fn compare_gradient(&self, report: &mut Report, tensor: &str, found: Vec<f64>, roundings: f64) {
        let Some(truth) = self.truth(tensor) else {
            return;
        };
        let steepest = self.binning.kernel.ratio() / self.binning.bins.width() / 4.0;
        let rounding = match self.dtype {
            DType::F32 => roundings * f64::from(f32::EPSILON) * steepest / found.len() as f64,
            _ => 0.0,
        };
        let tolerance = report.tolerance_for(&truth);
        report.within(
            &self.name(),
            tensor,
            &found,
            &truth.values,
            tolerance,
            rounding,
        );
    }

    fn compare(&self, report: &mut Report, tensor: &str, found: Vec<f64>) {
        if let Some(truth) = self.truth(tensor) {
            report.compare(&self.name(), tensor, &found, &truth);
        }
    }

    fn name(&self) -> String {
        self.json["name"]
            .as_str()
            .expect("a case has a name")
            .to_owned()
    }

    fn truth(&self, tensor: &str) -> Option<Truth> {
        let stored = self.json["tensors"][tensor].as_str()?;
        let rounded = stored.ends_with("as_f32");
        Some(Truth {
            values: self.golden.f64s(stored),
            rounded,
        })
    }

    fn image(&self, name: &str) -> Tensor<B, 2> {
        let stored = self.json["tensors"][name]
            .as_str()
            .expect("a case has images");
        let shape = self.golden.shape(stored);
        let pixels = shape[1..].iter().product();
        let data = TensorData::new(self.golden.f64s(stored), [shape[0], pixels]);
        let data = data.convert_dtype(self.dtype);
        Tensor::from_data(data, (&self.device, self.dtype)).require_grad()
    }
}

/// The official numbers of one tensor.
struct Truth {
    values: Vec<f64>,
    /// Whether they were stored in single precision to save room.
    rounded: bool,
}

fn values<B: burn::tensor::backend::Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f64> {
    tensor
        .into_data()
        .convert::<f64>()
        .into_vec()
        .expect("numbers")
}

/// Collects the differences, so that a failure shows all of them.
pub(crate) struct Report {
    tolerance: f64,
    /// What losses may differ by however small they are: they come from sums of numbers near 1.
    floor: f64,
    compared: usize,
    worst: (f64, String),
    failures: Vec<String>,
}

impl Report {
    pub(crate) fn new(dtype: DType) -> Self {
        let (tolerance, floor) = match dtype {
            DType::F32 => (2e-5, 1e-6),
            _ => (1e-9, 1e-12),
        };
        Self {
            tolerance,
            floor,
            compared: 0,
            worst: (0.0, String::new()),
            failures: Vec::new(),
        }
    }

    fn compare(&mut self, case: &str, what: &str, found: &[f64], truth: &Truth) {
        self.within(
            case,
            what,
            found,
            &truth.values,
            self.tolerance_for(truth),
            0.0,
        );
    }

    fn tolerance_for(&self, truth: &Truth) -> f64 {
        if truth.rounded {
            self.tolerance.max(1e-6)
        } else {
            self.tolerance
        }
    }

    pub(crate) fn compare_loss(&mut self, case: &str, what: &str, found: &[f64], truth: &[f64]) {
        self.within(case, what, found, truth, self.tolerance, self.floor);
    }

    pub(crate) fn compare_all(&mut self, case: &str, what: &str, found: &[f64], truth: &[f64]) {
        self.within(case, what, found, truth, self.tolerance, 0.0);
    }

    fn within(
        &mut self,
        case: &str,
        what: &str,
        found: &[f64],
        truth: &[f64],
        tolerance: f64,
        floor: f64,
    ) {
        let largest = truth
            .iter()
            .fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let allowed = tolerance * largest + floor;
        self.check(found.len() == truth.len(), || {
            format!(
                "{case}: {what} has {} numbers instead of {}",
                found.len(),
                truth.len()
            )
        });
        for (i, (found, truth)) in found.iter().zip(truth).enumerate() {
            let difference = (found - truth).abs();
            let relative = difference / allowed * tolerance;
            if relative > self.worst.0 {
                self.worst = (relative, format!("{case}: {what}"));
            }
            // Not a number is not within anything.
            let agrees = difference <= allowed;
            self.check(agrees, || {
                format!("{case}: {what}[{i}] is {found:e} instead of {truth:e} (±{allowed:.1e})")
            });
            if !agrees {
                return;
            }
        }
    }

    pub(crate) fn check(&mut self, holds: bool, failure: impl FnOnce() -> String) {
        self.compared += 1;
        if !holds {
            self.failures.push(failure());
        }
    }

    /// # Panics
    ///
    /// If anything differed, or nothing was compared.
    pub(crate) fn finish(self) {
        assert!(
            self.compared > 0,
            "the golden numbers hold nothing to compare"
        );
        println!(
            "{} numbers; largest difference {:.1e} ({})",
            self.compared, self.worst.0, self.worst.1
        );
        assert!(
            self.failures.is_empty(),
            "{} differences:\n{}",
            self.failures.len(),
            self.failures.join("\n")
        );
    }
}
