//! `losses`: the two generator losses and the discriminator loss on images of three channels, with
//! their gradients, against the terms that training adds up.

use crate::device::device;
use crate::golden::{Golden, scalar};
use burn::nn::loss::Reduction;
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{DType, Tensor, TensorData};
use huenet_hist::HistogramBackend;
use huenet_tasks::settings::DEMO_DATASET;
use huenet_tasks::{Recipe, Settings, Task, generated_loss, real_loss};
use serde_json::Value;

use crate::parity::report::{Report, Truth, values};

/// Compares every case with the official numbers.
///
/// # Panics
///
/// If any number differs, or there is nothing to compare.
pub fn agrees<B: AutodiffBackend + HistogramBackend>(dtype: DType) {
    let golden = Golden::open("losses");
    let mut report = Report::new(dtype);
    for case in golden.cases() {
        let case = Case {
            json: case,
            golden: &golden,
            dtype,
        };
        report.enter(case.name());
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
        name: &str,
        structure: &str,
    ) {
        let output = self.tensor::<B>("out").require_grad();
        let logits = self.tensor::<B>("disc_fake_logits").require_grad();
        let nchw = |image: Tensor<B, 4>| image.permute([0, 3, 1, 2]);
        let [structure, colours] = [structure, "tar"].map(|name| nchw(self.tensor(name)));

        let recipe = self.recipe();
        let loss = recipe.training_loss();
        let target = loss.target_of_images(colours);
        let image = nchw(output.clone());
        let losses = loss.forward_images(structure, image, target, Reduction::Mean);
        let (hist, mi) = (losses.distances, losses.structures);
        let gan = real_loss(logits.clone());
        let weights = recipe.settings();
        let total = gan.clone().mul_scalar(weights.gan_loss_weight)
            + mi.clone().mul_scalar(weights.mi_loss_weight)
            + hist.clone().mul_scalar(weights.hist_loss_weight);

        for (term, value) in [
            ("total", &total),
            ("gan", &gan),
            ("mi", &mi),
            ("hist", &hist),
        ] {
            let what = format!("{name}.{term}");
            let truth = scalar(&self.json["scalars"][&what]["f64"]);
            report.compare_loss(&what, &values(value.clone().inner()), &[truth]);
        }
        let gradients = total.backward();
        for (input, tensor) in [("out", &output), ("disc_fake_logits", &logits)] {
            let what = format!("{name}.d_total_d_{input}.f64");
            let gradient = tensor.grad(&gradients).expect("the input is tracked");
            report.compare(&what, &values(gradient), &self.truth(&what));
        }
    }

    fn check_discriminator<B: AutodiffBackend>(&self, report: &mut Report) {
        let real = self.tensor::<B>("disc_real_logits").require_grad();
        let fake = self.tensor::<B>("disc_fake_logits").require_grad();
        let loss = real_loss(real.clone()) + generated_loss(fake.clone());

        let truth = scalar(&self.json["scalars"]["discriminator_loss"]["f64"]);
        let value = values(loss.clone().inner());
        report.compare_loss("discriminator_loss", &value, &[truth]);
        let gradients = loss.backward();
        for (name, tensor) in [("real", &real), ("fake", &fake)] {
            let what = format!("discriminator_loss.d_disc_{name}_logits.f64");
            let gradient = tensor.grad(&gradients).expect("the input is tracked");
            report.compare(&what, &values(gradient), &self.truth(&what));
        }
    }

    fn name(&self) -> &str {
        self.json["name"].as_str().expect("a case has a name")
    }

    /// A task with the bins, the kernel and the weights of the case.
    fn recipe(&self) -> Recipe {
        let weight = |term: &str| scalar(&self.json["weights"][term]);
        Recipe::new(Settings {
            dataset: DEMO_DATASET.to_owned(),
            bin_num: self.json["bin_num"].as_u64().expect("a number of bins") as usize,
            kernel_width_ratio: scalar(&self.json["kernel_width_ratio"]),
            min_val: scalar(&self.json["min_val"]),
            max_val: scalar(&self.json["max_val"]),
            gan_loss_weight: weight("gan"),
            mi_loss_weight: weight("mi"),
            hist_loss_weight: weight("hist"),
            ..Settings::official(Task::ColorTransfer)
        })
        .expect("the official settings are possible")
    }

    fn truth(&self, tensor: &str) -> Truth {
        Truth::exact(self.golden.f64s(self.path(tensor)))
    }

    fn path(&self, tensor: &str) -> &str {
        self.json["tensors"][tensor]
            .as_str()
            .unwrap_or_else(|| panic!("{} has no {tensor}", self.name()))
    }

    fn tensor<B: AutodiffBackend>(&self, name: &str) -> Tensor<B, 4> {
        let shape = self.golden.shape(self.path(name));
        let data = TensorData::new(self.truth(name).values, shape).convert_dtype(self.dtype);
        Tensor::from_data(data, (&device::<B>(), self.dtype))
    }
}
