//! The networks of the golden numbers, and their weights by the names used there.
//!
//! The official code keeps convolution kernels as `[kh, kw, in, out]`, those of the transposed
//! one as `[kh, kw, out, in]`, and calls things its own names. Everything here speaks that
//! language: what goes in and what comes out is in the golden layout, flattened row-major.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Int, Tensor, TensorData};
use huenet_models::{
    Discriminator, DiscriminatorConfig, DiscriminatorOptions, Generator, GeneratorConfig,
    GeneratorOptions, NetworkBackend,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::golden::Golden;

/// Prefix of the generator's weights.
pub const GENERATOR: &str = "g";

/// Prefix of the conditional discriminator's weights.
pub const CONDITIONAL: &str = "dc";

/// Prefix of the unconditional discriminator's weights.
pub const UNCONDITIONAL: &str = "du";

/// The generator of `models`, with its weights.
///
/// Rows of the embedding tables that the golden histograms do not use are 0.
///
/// # Panics
///
/// If the file is not `models`, or lacks a weight.
pub fn load_generator<B: NetworkBackend>(golden: &Golden, device: &B::Device) -> Generator<B> {
    let side = parameter(golden, "image");
    let options = GeneratorOptions {
        base_width: base_width(golden),
        bins: parameter(golden, "bin_num"),
        height: side,
        width: side,
        ..Default::default()
    };
    let config = GeneratorConfig::new(options).expect("the golden generator exists");
    load(
        golden,
        GENERATOR,
        config.init(&mut ChaCha8Rng::seed_from_u64(0), device),
    )
}

/// The discriminator of `models` whose weights start with `prefix`: [`CONDITIONAL`] or
/// [`UNCONDITIONAL`].
///
/// # Panics
///
/// If the file is not `models`, or lacks a weight.
pub fn load_discriminator<B: NetworkBackend>(
    golden: &Golden,
    prefix: &str,
    device: &B::Device,
) -> Discriminator<B> {
    let side = parameter(golden, "image");
    let options = DiscriminatorOptions {
        base_width: base_width(golden),
        condition_channels: if prefix == CONDITIONAL { 3 } else { 0 },
        height: side,
        width: side,
        ..Default::default()
    };
    let config = DiscriminatorConfig::new(options).expect("the golden discriminator exists");
    load(
        golden,
        prefix,
        config.init(&mut ChaCha8Rng::seed_from_u64(0), device),
    )
}

/// The images `name` (`input_u8` or `target_u8`) of `models`, q/128 − 1.
///
/// # Shapes
/// - output: `[batch, 3, height, width]`
///
/// # Panics
///
/// If there is no such tensor.
pub fn load_images<B: Backend>(golden: &Golden, name: &str, device: &B::Device) -> Tensor<B, 4> {
    let stored = name_in(golden, "tensors_by_use", name);
    let values: Vec<f32> = golden
        .f64s(stored)
        .iter()
        .map(|q| (q / 128.0 - 1.0) as f32)
        .collect();
    let data = TensorData::new(values, golden.shape(stored));
    Tensor::from_data(data, (device, burn::tensor::DType::F32)).permute([0, 3, 1, 2])
}

/// The histograms of the target images of `models`.
///
/// # Shapes
/// - output: `[batch, 3, bins]`, pixels
///
/// # Panics
///
/// If the file is not `models`.
pub fn load_counts<B: Backend>(golden: &Golden, device: &B::Device) -> Tensor<B, 3, Int> {
    let stored = name_in(golden, "tensors_by_use", "target_hist");
    let values: Vec<i32> = golden
        .f64s(stored)
        .iter()
        .map(|&count| count as i32)
        .collect();
    Tensor::from_data(TensorData::new(values, golden.shape(stored)), device)
}

/// What a weight of a module is, by its golden name, row-major in the golden layout. The running
/// statistics of batch normalisation are among them.
///
/// ```text
/// weights("g", &generator)["g.down1.conv.kernel"]
/// ```
///
/// # Panics
///
/// If the module is neither a generator nor a discriminator.
pub fn weights<B: Backend, M: Module<B>>(prefix: &str, module: &M) -> BTreeMap<String, Vec<f64>> {
    struct Values(Names, BTreeMap<String, Vec<f64>>);
    impl<B: Backend> ModuleVisitor<B> for Values {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.0.enter(name);
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.0.exit();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            self.1.insert(self.0.golden(), golden_layout(param.val()));
        }
    }
    let mut values = Values(Names::new(prefix), BTreeMap::new());
    module.visit(&mut values);
    values.1
}

/// The gradients of a module's weights, by golden name, row-major in the golden layout. Weights
/// without a gradient (running statistics, frozen or unused ones) are missing.
///
/// # Panics
///
/// If the module is neither a generator nor a discriminator.
pub fn gradients<B: AutodiffBackend, M: Module<B>>(
    prefix: &str,
    module: &M,
    gradients: &GradientsParams,
) -> BTreeMap<String, Vec<f64>> {
    struct Values<'a>(Names, BTreeMap<String, Vec<f64>>, &'a GradientsParams);
    impl<B: AutodiffBackend> ModuleVisitor<B> for Values<'_> {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.0.enter(name);
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.0.exit();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            if let Some(gradient) = self.2.get::<B::InnerBackend, D>(param.id) {
                self.1.insert(self.0.golden(), golden_layout(gradient));
            }
        }
    }
    let mut values = Values(Names::new(prefix), BTreeMap::new(), gradients);
    module.visit(&mut values);
    values.1
}

fn parameter(golden: &Golden, name: &str) -> usize {
    let value = golden.json()[name].as_u64();
    value.unwrap_or_else(|| panic!("the golden file has no {name}")) as usize
}

/// What the tensor file calls the tensor that is `name` in the JSON file's list `list`.
fn name_in<'a>(golden: &'a Golden, list: &str, name: &str) -> &'a str {
    let stored = golden.json()[list][name].as_str();
    stored.unwrap_or_else(|| panic!("the golden file has no {name} in {list}"))
}

fn base_width(golden: &Golden) -> usize {
    GeneratorOptions::default().base_width / parameter(golden, "width_divisor")
}

/// Kernels: ours `[out, in, kh, kw]` (transposed `[in, out, kh, kw]`), theirs the other way
/// round, `[kh, kw, in, out]` (`[kh, kw, out, in]`). Everything else is the same.
fn golden_layout<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f64> {
    let tensor = if D == 4 {
        tensor.permute(axes::<D>([2, 3, 1, 0]))
    } else {
        tensor
    };
    tensor.into_data().iter::<f64>().collect()
}

/// Four axes as an array whose length is generic.
fn axes<const D: usize>(order: [isize; 4]) -> [isize; D] {
    std::array::from_fn(|i| order[i])
}

/// Puts the golden weights that start with `prefix` into `module`.
fn load<B: Backend, M: Module<B>>(golden: &Golden, prefix: &str, module: M) -> M {
    struct Load<'a>(Names, &'a Golden);
    impl<B: Backend> ModuleMapper<B> for Load<'_> {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.0.enter(name);
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.0.exit();
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
            let name = self.0.golden();
            param.map(|ours| {
                let options = (&ours.device(), ours.dtype());
                let theirs: Tensor<B, D> = if name.ends_with(".table") {
                    Tensor::from_data(table(self.1, &name, ours.dims()[0]), options)
                } else {
                    let stored = name_in(self.1, "weights", &name);
                    let data = TensorData::new(self.1.f64s(stored), self.1.shape(stored));
                    Tensor::from_data(data, options)
                };
                let theirs = if D == 4 {
                    theirs.permute(axes::<D>([3, 2, 0, 1]))
                } else {
                    theirs
                };
                assert_eq!(theirs.shape(), ours.shape(), "{name}");
                theirs.set_require_grad(ours.is_require_grad())
            })
        }
    }
    module.map(&mut Load(Names::new(prefix), golden))
}

fn table(golden: &Golden, name: &str, rows: usize) -> TensorData {
    let entry = &golden.json()["weights"][name];
    let stored = |part| {
        let values = golden.named(entry, part);
        values.unwrap_or_else(|| panic!("the golden file has no {part} of {name}"))
    };
    let mut table = vec![0.0; rows];
    for (row, value) in stored("rows").into_iter().zip(stored("values")) {
        table[row as usize] = value;
    }
    TensorData::new(table, [rows])
}

/// Where a visitor is in a module, and what the golden files call that place.
struct Names {
    prefix: String,
    path: Vec<String>,
}

impl Names {
    fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            path: Vec::new(),
        }
    }

    fn enter(&mut self, name: &str) {
        self.path.push(name.to_owned());
    }

    fn exit(&mut self) {
        self.path.pop();
    }

    fn golden(&self) -> String {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let field = |name| match name {
            "weight" => "kernel",
            "running_mean" => "moving_mean",
            "running_variance" => "moving_variance",
            same => same,
        };
        let place = match path[..] {
            ["downs", i, "conv", name] => format!("down{i}.conv.{}", field(name)),
            ["downs", i, "norm", name] => format!("down{i}.bn.{}", field(name)),
            ["ups", i, "conv", name] => format!("up{i}.conv.{}", field(name)),
            ["ups", i, "norm", name] => format!("up{i}.bn.{}", field(name)),
            ["histogram", "tables", i] => format!("hist.embed{i}.table"),
            ["histogram", name] => format!("hist.dense.{}", field(name)),
            ["conv", name] => format!("conv3.{}", field(name)),
            ["norm", name] => format!("bn3.{}", field(name)),
            ["last", name] => format!("last.{}", field(name)),
            // What the official networks lack has no name there.
            _ => self.path.join("."),
        };
        format!("{}.{place}", self.prefix)
    }
}
