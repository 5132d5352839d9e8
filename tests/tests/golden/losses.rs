//! `losses`: the two generator losses on images of three channels, with their gradients.
//!
//! The adversarial term is spelled out here; the histogram terms are those of `huenet_hist`.

use burn::backend::Autodiff;
use burn::tensor::activation::relu;
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{DType, Tensor, TensorData};
use burn_flex::Flex;
use burn_ndarray::NdArray;
use huenet_hist::{
    Bins, Boundary, EarthMoversDistanceConfig, HistogramBackend, JointHistogramConfig, Kernel,
    SoftHistogramConfig, StructureLossConfig,
};
use huenet_tests::golden::{Golden, scalar};
use serde_json::Value;

use crate::histogram::Report;

#[test]
fn ndarray_in_single_precision() {
    agrees::<Autodiff<NdArray<f32>>>(DType::F32);
}

#[test]
fn ndarray_in_double_precision() {
    agrees::<Autodiff<NdArray<f64>>>(DType::F64);
}

#[test]
fn flex_in_single_precision() {
    agrees::<Autodiff<Flex>>(DType::F32);
}

#[test]
fn flex_in_double_precision() {
    agrees::<Autodiff<Flex>>(DType::F64);
}

fn agrees<B: AutodiffBackend + HistogramBackend>(dtype: DType) {
    let golden = Golden::open("losses");
    let mut report = Report::new(dtype);
    for case in golden.cases() {
        let case = Case {
            json: case,
            golden: &golden,
            dtype,
        };
        // The entropy of which image, given the output.
        case.check_generator::<B>(&mut report, "generator_loss", "tar");
        case.check_generator::<B>(&mut report, "generator_loss_color_transfer", "src");
        case.check_discriminator::<B>(&mut report);
    }
    report.finish();
}

struct Case<'a> {
    json: &'a Value,
    golden: &'a Golden,
    dtype: DType,
}

impl Case<'_> {
    fn check_generator<B: AutodiffBackend + HistogramBackend>(
        &self,
        report: &mut Report,
        loss: &str,
        structure: &str,
    ) {
        let output = self.tensor::<B>("out").require_grad();
        let logits = self.tensor::<B>("disc_fake_logits").require_grad();
        let channels = |image: Tensor<B, 4>| -> Tensor<B, 3> {
            let [batch, height, width, channels] = image.dims();
            image
                .permute([0, 3, 1, 2])
                .reshape([batch, channels, height * width])
        };
        let [structure, colours] = [structure, "tar"].map(|name| channels(self.tensor(name)));

        let bins = Bins::new(
            self.json["bin_num"].as_u64().expect("a number of bins") as usize,
            scalar(&self.json["min_val"]),
            scalar(&self.json["max_val"]),
        )
        .expect("the official bins are possible");
        let ratio = scalar(&self.json["kernel_width_ratio"]);
        let kernel =
            Kernel::new(ratio, Boundary::Reflect).expect("the official kernels are possible");
        let histogram = SoftHistogramConfig::new(bins, kernel).init();
        let joint = JointHistogramConfig::new(bins, kernel).init();

        let hist = EarthMoversDistanceConfig::new(bins).init().forward(
            histogram.forward(colours),
            histogram.forward(channels(output.clone())),
        );
        let mi = StructureLossConfig::new()
            .init()
            .forward(joint.forward::<B, 3, 4>(structure, channels(output.clone())));
        let gan = cross_entropy(logits.clone(), 1.0);
        let weight = |term: &str| scalar(&self.json["weights"][term]);
        let total = gan.clone().mul_scalar(weight("gan"))
            + mi.clone().mul_scalar(weight("mi"))
            + hist.clone().mul_scalar(weight("hist"));

        for (term, value) in [
            ("total", &total),
            ("gan", &gan),
            ("mi", &mi),
            ("hist", &hist),
        ] {
            let what = format!("{loss}.{term}");
            let truth = scalar(&self.json["scalars"][&what]["f64"]);
            report.compare_loss(self.name(), &what, &values(value.clone().inner()), &[truth]);
        }
        let gradients = total.backward();
        for (name, tensor) in [("out", &output), ("disc_fake_logits", &logits)] {
            let what = format!("{loss}.d_total_d_{name}.f64");
            let gradient = tensor.grad(&gradients).expect("the input is tracked");
            report.compare_all(self.name(), &what, &values(gradient), &self.stored(&what));
        }
    }

    fn check_discriminator<B: AutodiffBackend>(&self, report: &mut Report) {
        let real = self.tensor::<B>("disc_real_logits").require_grad();
        let fake = self.tensor::<B>("disc_fake_logits").require_grad();
        let loss = cross_entropy(real.clone(), 1.0) + cross_entropy(fake.clone(), 0.0);

        let truth = scalar(&self.json["scalars"]["discriminator_loss"]["f64"]);
        let value = values(loss.clone().inner());
        report.compare_loss(self.name(), "discriminator_loss", &value, &[truth]);
        let gradients = loss.backward();
        for (name, tensor) in [("real", &real), ("fake", &fake)] {
            let what = format!("discriminator_loss.d_disc_{name}_logits.f64");
            let gradient = tensor.grad(&gradients).expect("the input is tracked");
            report.compare_all(self.name(), &what, &values(gradient), &self.stored(&what));
        }
    }

    fn name(&self) -> &str {
        self.json["name"].as_str().expect("a case has a name")
    }

    fn stored(&self, tensor: &str) -> Vec<f64> {
        self.golden.f64s(self.path(tensor))
    }

    fn path(&self, tensor: &str) -> &str {
        self.json["tensors"][tensor]
            .as_str()
            .unwrap_or_else(|| panic!("{} has no {tensor}", self.name()))
    }

    fn tensor<B: AutodiffBackend>(&self, name: &str) -> Tensor<B, 4> {
        let shape = self.golden.shape(self.path(name));
        let data = TensorData::new(self.stored(name), shape).convert_dtype(self.dtype);
        Tensor::from_data(data, (&B::Device::default(), self.dtype))
    }
}

/// Binary cross-entropy of logits with one target for all.
fn cross_entropy<B: AutodiffBackend>(logits: Tensor<B, 4>, target: f64) -> Tensor<B, 1> {
    let tail = logits.clone().abs().neg().exp().log1p();
    (relu(logits.clone()) - logits.mul_scalar(target) + tail).mean()
}

fn values<B: burn::tensor::backend::Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f64> {
    tensor
        .into_data()
        .convert::<f64>()
        .into_vec()
        .expect("numbers")
}
