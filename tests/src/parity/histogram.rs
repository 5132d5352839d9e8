//! `histogram`: soft and joint histograms, the earth mover's distance, the conditional entropies,
//! and the gradients of the losses with respect to both of their images.
//!
//! The dense formulas under plain automatic differentiation have to agree with the official numbers,
//! and so has what a backend computes; in single and, where it can, in double precision, on every
//! case.
//!
//! The dense formulas keep every map of pixels × bins that differentiation needs. With the full set
//! of cases, whose largest image has 256 × 256 pixels and 256 bins, that is several gigabytes and
//! takes minutes.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::device::device;
use crate::golden::{Golden, scalar};
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{DType, Tensor, TensorData};
use huenet_hist::{
    Binning, Bins, Boundary, EarthMoversDistance, EarthMoversDistanceConfig, HistogramBackend,
    JointHistogramConfig, Kernel, SoftHistogramConfig, StructureLoss, StructureLossConfig,
    reference,
};
use serde_json::Value;

use crate::parity::report::{Report, Truth, values};

/// One way to compute histograms of `[batch, pixels]`.
pub trait Histograms<B: AutodiffBackend> {
    /// What an entry of a gradient may be off by in single precision, besides the tolerance of
    /// the report, where the loss takes the sum of so many logarithms.
    fn slack(&self, binning: &Binning, pixels: usize, logarithms: u8) -> f64;
    /// The soft histograms, `[batch, K]`.
    fn marginal(&self, x: Tensor<B, 2>, binning: &Binning) -> Tensor<B, 2>;
    /// The joint histograms, `[batch, K, K]`.
    fn joint(&self, x: Tensor<B, 2>, y: Tensor<B, 2>, binning: &Binning) -> Tensor<B, 3>;
}

/// The steepest slope of a bin's window: `ρ/(4 L)`.
fn steepest(binning: &Binning) -> f64 {
    binning.kernel.ratio() / binning.bins.width() / 4.0
}

/// The formulas of `reference`, differentiated step by step.
pub struct Dense;

impl<B: AutodiffBackend> Histograms<B> for Dense {
    /// Eight roundings of the steepest slope that an entry of the histogram has.
    ///
    /// Step by step, a pixel's gradient is `1/N · Σ_k g_k φ_k′`, and the slopes of neighbouring
    /// windows have opposite signs. `g`, which is of the order of 1 for both losses, varies little
    /// from one bin to the next, so nearly all of the sum cancels. The roundings of its terms do not:
    /// exponential, squares, quotient and their derivatives, some eight operations, leave as many
    /// roundings of `max |φ′|/N ≤ ρ/(4 L N)` however small the gradient. (The kernels add
    /// `s_k′ (g_k − g_{k−1})` instead, where nothing cancels.)
    fn slack(&self, binning: &Binning, pixels: usize, _: u8) -> f64 {
        8.0 * f64::from(f32::EPSILON) * steepest(binning) / pixels as f64
    }

    fn marginal(&self, x: Tensor<B, 2>, binning: &Binning) -> Tensor<B, 2> {
        reference::marginal(x, binning)
    }

    fn joint(&self, x: Tensor<B, 2>, y: Tensor<B, 2>, binning: &Binning) -> Tensor<B, 3> {
        reference::joint(x, y, binning)
    }
}

/// The modules a user calls, on a backend with a kernel of its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct OnePass {
    /// How much the logarithm of a number near 1 may be off in single precision, beyond rounding.
    pub logarithm: f64,
}

impl<B: AutodiffBackend + HistogramBackend> Histograms<B> for OnePass {
    /// What the logarithms are off by, of the steepest slope.
    fn slack(&self, binning: &Binning, pixels: usize, logarithms: u8) -> f64 {
        f64::from(logarithms) * self.logarithm * steepest(binning) / pixels as f64
    }

    fn marginal(&self, x: Tensor<B, 2>, binning: &Binning) -> Tensor<B, 2> {
        SoftHistogramConfig::new(binning.bins, binning.kernel)
            .init()
            .forward(x)
    }

    fn joint(&self, x: Tensor<B, 2>, y: Tensor<B, 2>, binning: &Binning) -> Tensor<B, 3> {
        JointHistogramConfig::new(binning.bins, binning.kernel)
            .init()
            .forward(x, y)
    }
}

/// Compares every case with the official numbers.
///
/// # Panics
///
/// If any number differs, or there is nothing to compare.
pub fn agrees<B: AutodiffBackend>(histograms: impl Histograms<B>, dtype: DType) {
    let golden = Golden::open("histogram");
    let has_joint = |case: &Value| case["tensors"]["pxy_src_out.f64"].is_string();
    assert!(
        golden.cases().iter().any(has_joint),
        "histogram.json lists no joint histogram"
    );
    let mut report = Report::new(dtype);
    for case in golden.cases() {
        report.enter(case["name"].as_str().expect("a case has a name"));
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
    /// The tensors that the case lists and that nothing has asked for yet.
    unasked: RefCell<BTreeSet<&'a str>>,
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
        let listed = json["tensors"].as_object().expect("a case has tensors");
        Self {
            json,
            golden,
            dtype,
            binning,
            device: device::<B>(),
            unasked: RefCell::new(listed.keys().map(String::as_str).collect()),
        }
    }

    fn check(&self, histograms: &impl Histograms<B>, report: &mut Report) {
        let [src, tar, out] = ["src", "tar", "out"].map(|image| self.image(image));
        let marginal = |x: Tensor<B, 2>| histograms.marginal(x, &self.binning);
        let joint = |x: Tensor<B, 2>, y: Tensor<B, 2>| histograms.joint(x, y, &self.binning);

        for (name, image) in [("src", &src), ("tar", &tar), ("out", &out)] {
            let p = marginal(image.clone());
            let what = format!("hist_{name}.f64");
            report.compare(&what, &values(p.clone()), &self.required(&what));
            let what = format!("cdf_{name}.f64");
            if let Some(truth) = self.listed(&what) {
                report.compare(&what, &values(p.cumsum(1)), &truth);
            }
        }
        if let Some(truth) = self.listed("pxy_src_out.f64") {
            let p = joint(src.clone(), out.clone());
            report.compare("pxy_src_out.f64", &values(p), &truth);
        }

        let pixels = out.dims().iter().product();
        let slack = |logarithms| match self.dtype {
            DType::F32 => histograms.slack(&self.binning, pixels, logarithms),
            _ => 0.0,
        };
        let emd: EarthMoversDistance = EarthMoversDistanceConfig::new(self.binning.bins).init();
        let distances =
            |[x, y]: [Tensor<B, 2>; 2]| emd.forward_no_reduction(marginal(x), marginal(y));
        let entropy: StructureLoss = StructureLossConfig::new().init();
        let entropies = |[x, y]: [Tensor<B, 2>; 2]| {
            let entropies = entropy.forward_no_reduction(joint(x, y));
            entropies.squeeze_dim::<2>(2)
        };
        let (src, tar, out) = (("src", src), ("tar", tar), ("out", out));
        self.check_loss(report, slack(0), "emd", [&tar, &out], distances);
        // log P(x, y) − log P(y)
        self.check_loss(report, slack(2), "ce_src_out", [&src, &out], entropies);
        self.check_loss(report, slack(2), "ce_tar_out", [&tar, &out], entropies);

        for tensor in self.unasked.borrow().iter() {
            // Activation maps are the one thing the kernels never make; what single precision
            // made of the rest is no truth.
            let needless = tensor.starts_with("maps_") || tensor.ends_with(".f32");
            report.check(needless, || format!("{tensor} was compared with nothing"));
        }
    }

    /// Checks the values per sample, their mean, and the gradients of the mean with respect to one
    /// image after the other, so that only one's maps are kept.
    fn check_loss(
        &self,
        report: &mut Report,
        slack: f64,
        loss: &str,
        images: [&(&str, Tensor<B, 2>); 2],
        measures: impl Fn([Tensor<B, 2>; 2]) -> Tensor<B, 2>,
    ) {
        for (tracked, (image, _)) in images.into_iter().enumerate() {
            let mut inputs = images.map(|(_, tensor)| tensor.clone());
            inputs[tracked] = inputs[tracked].clone().require_grad();
            let input = inputs[tracked].clone();
            let measures = measures(inputs);

            let what = format!("{loss}_per_sample.f64");
            let truth = self.required(&what).values;
            report.compare_loss(&what, &values(measures.clone().inner()), &truth);
            let mean = measures.mean();
            let truth = scalar(&self.json["scalars"][loss]["f64"]);
            report.compare_loss(loss, &values(mean.clone().inner()), &[truth]);

            let what = format!("d_{loss}_d_{image}");
            let gradient = input.grad(&mean.backward());
            let gradient = values(gradient.expect("the image is tracked"));
            report.check(gradient.iter().all(|value| value.is_finite()), || {
                format!("{what} is not finite")
            });
            if let Some(truth) = self.gradient(&what, loss, gradient.len()) {
                report.compare_with_slack(&what, &gradient, &truth, slack);
            }
        }
    }

    /// The official gradient, unless it is nothing but rounding or the case leaves it out.
    fn gradient(&self, what: &str, loss: &str, pixels: usize) -> Option<Truth> {
        let truth = self.listed(&format!("{what}.ref"));
        let well_conditioned = self.json["gradient_well_conditioned"][what]
            .as_bool()
            .unwrap_or_else(|| panic!("nothing says whether {what} is well conditioned"));
        if !well_conditioned {
            return None;
        }
        // Large cases leave out some of those of the second entropy, to save room.
        let may_be_left_out = loss == "ce_tar_out" && pixels >= 64 * 64;
        assert!(
            truth.is_some() || may_be_left_out,
            "{} lists no {what}.ref",
            self.json["name"]
        );
        truth
    }

    fn required(&self, tensor: &str) -> Truth {
        self.listed(tensor)
            .unwrap_or_else(|| panic!("{} lists no {tensor}", self.json["name"]))
    }

    fn listed(&self, tensor: &str) -> Option<Truth> {
        self.unasked.borrow_mut().remove(tensor);
        let stored = self.json["tensors"][tensor].as_str()?;
        let rounded = stored.ends_with("as_f32");
        Some(Truth {
            values: self.golden.f64s(stored),
            rounded,
        })
    }

    fn image(&self, name: &str) -> Tensor<B, 2> {
        self.unasked.borrow_mut().remove(name);
        let stored = self.json["tensors"][name]
            .as_str()
            .expect("a case has images");
        let shape = self.golden.shape(stored);
        let pixels = shape[1..].iter().product();
        let data = TensorData::new(self.golden.f64s(stored), [shape[0], pixels]);
        let data = data.convert_dtype(self.dtype);
        Tensor::from_data(data, (&self.device, self.dtype))
    }
}
