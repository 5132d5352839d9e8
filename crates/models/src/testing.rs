//! Shared by the unit tests: backends, tensors, and gradients against finite differences.

use burn::module::{AutodiffModule, Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{DType, Int, Tensor, TensorData};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

pub(crate) type Flex = burn_flex::Flex;
pub(crate) type FlexAutodiff = burn_autodiff::Autodiff<Flex>;
pub(crate) type NdArray = burn_ndarray::NdArray<f32>;
pub(crate) type Double = burn_ndarray::NdArray<f64>;
pub(crate) type DoubleAutodiff = burn_autodiff::Autodiff<Double>;

/// Half the step of the central differences.
const STEP: f64 = 1e-5;

/// What rounding makes of a derivative that is zero, at losses around one.
const NOISE: f64 = 1e-10;

pub(crate) fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A tensor of fixed numbers in [−1, 1] without pattern.
pub(crate) fn waves<B: Backend, const D: usize>(
    shape: [usize; D],
    dtype: DType,
    phase: f64,
) -> Tensor<B, D> {
    let count: usize = shape.iter().product();
    let values: Vec<f64> = (0..count)
        .map(|i| (i as f64 * 2.3 + phase).sin() * (i as f64 * 0.37).cos())
        .collect();
    Tensor::from_data(TensorData::new(values, shape), (&Default::default(), dtype))
}

/// Pixel counts of made-up histograms, each 0 to `pixels`.
pub(crate) fn counts<B: Backend>(shape: [usize; 3], pixels: usize) -> Tensor<B, 3, Int> {
    let count: usize = shape.iter().product();
    let values: Vec<i32> = (0..count)
        .map(|i| (i * i * 7 % (pixels + 1)) as i32)
        .collect();
    Tensor::from_data(TensorData::new(values, shape), &Default::default())
}

pub(crate) fn values<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

pub(crate) fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max)
}

/// Σ wave·x: a loss that every entry of `x` enters differently.
pub(crate) fn weighted_sum<B: Backend, const D: usize>(x: Tensor<B, D>) -> Tensor<B, 1> {
    let wave = waves(x.dims(), x.dtype(), 0.4);
    (x.clone() * wave + x.powi_scalar(2)).sum()
}

fn scalar<B: Backend>(loss: Tensor<B, 1>) -> f64 {
    values(loss)[0]
}

/// Asserts that the gradient of `loss` for `input` is that of central differences.
pub(crate) fn check_input_gradient<const D: usize>(
    input: Tensor<DoubleAutodiff, D>,
    loss: impl Fn(Tensor<DoubleAutodiff, D>) -> Tensor<DoubleAutodiff, 1>,
    tolerance: f64,
) {
    let leaf = input.clone().require_grad();
    let gradients = loss(leaf.clone()).backward();
    let analytic = values(leaf.grad(&gradients).expect("the input enters the loss"));
    let shape = input.dims();
    let original = values(input);
    let scale = analytic.iter().fold(0.0, |a: f64, g| a.max(g.abs()));
    assert!(
        scale > 0.0,
        "a gradient that is zero everywhere tells nothing"
    );
    for i in 0..original.len() {
        let moved = |step: f64| {
            let mut values = original.clone();
            values[i] += step;
            let data = TensorData::new(values, shape);
            scalar(loss(Tensor::from_data(
                data,
                (&Default::default(), DType::F64),
            )))
        };
        let numeric = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
        assert!(
            (numeric - analytic[i]).abs() < tolerance * scale,
            "entry {i}: differences {numeric}, gradient {}",
            analytic[i]
        );
    }
}

/// Asserts, for every parameter of `module`, that the derivative of `loss` along a fixed
/// direction is that of central differences. Returns how many parameters were checked.
pub(crate) fn check_parameter_gradients<M>(
    module: &M,
    loss: impl Fn(&M) -> Tensor<DoubleAutodiff, 1>,
    plain: impl Fn(&M::InnerModule) -> Tensor<Double, 1>,
    tolerance: f64,
) -> usize
where
    M: AutodiffModule<DoubleAutodiff>,
{
    check_parameter_gradients_by_steps(STEP, module, loss, plain, tolerance)
}

/// The same with differences over steps of another length. A large loss is told from its rounding over a shorter
/// step, in which fewer rectifiers turn.
pub(crate) fn check_parameter_gradients_by_steps<M>(
    step: f64,
    module: &M,
    loss: impl Fn(&M) -> Tensor<DoubleAutodiff, 1>,
    plain: impl Fn(&M::InnerModule) -> Tensor<Double, 1>,
    tolerance: f64,
) -> usize
where
    M: AutodiffModule<DoubleAutodiff>,
{
    let gradients = loss(module).backward();
    let mut slopes = Slopes {
        gradients: &gradients,
        found: Vec::new(),
    };
    module.visit(&mut slopes);
    for &(id, slope, size) in &slopes.found {
        let moved = |step| scalar(plain(&module.valid().map(&mut Move { id, step })));
        let numeric = (moved(step) - moved(-step)) / (2.0 * step);
        assert!(
            (numeric - slope).abs() < tolerance * size + NOISE,
            "parameter {id}: differences {numeric}, gradient {slope}, of size {size}"
        );
    }
    slopes.found.len()
}

fn direction<B: Backend, const D: usize>(like: &Tensor<B, D>) -> Tensor<B, D> {
    waves(like.dims(), like.dtype(), 1.1)
}

/// How many numbers of `module` an optimiser would change.
pub(crate) fn trainable<B: Backend, M: Module<B>>(module: &M) -> usize {
    let mut counted = Trainable(0);
    module.visit(&mut counted);
    counted.0
}

struct Trainable(usize);

impl<B: Backend> ModuleVisitor<B> for Trainable {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        if param.is_require_grad() {
            self.0 += param.shape().num_elements();
        }
    }
}

/// For each parameter the gradient along its direction, and the gradient's size.
struct Slopes<'a> {
    gradients: &'a <DoubleAutodiff as AutodiffBackend>::Gradients,
    found: Vec<(ParamId, f64, f64)>,
}

impl ModuleVisitor<DoubleAutodiff> for Slopes<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<DoubleAutodiff, D>>) {
        if !param.is_require_grad() {
            return;
        }
        let gradient = param
            .grad(self.gradients)
            .expect("every parameter enters the loss");
        let along = values(gradient.clone() * direction(&gradient)).iter().sum();
        let size = values(gradient.abs()).iter().sum();
        self.found.push((param.id, along, size));
    }
}

struct Move {
    id: ParamId,
    step: f64,
}

impl ModuleMapper<Double> for Move {
    fn map_float<const D: usize>(
        &mut self,
        param: Param<Tensor<Double, D>>,
    ) -> Param<Tensor<Double, D>> {
        if param.id != self.id {
            return param;
        }
        param.map(|tensor| {
            let step = direction(&tensor).mul_scalar(self.step);
            tensor + step
        })
    }
}
