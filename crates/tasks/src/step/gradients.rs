//! Gradients as a whole: their norm, clipping, and which of them are not finite.

use std::fmt;
use std::marker::PhantomData;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{ElementConversion, Tensor, TensorData};
use serde::Serialize;

/// Weights of both networks in which something is not a finite number, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NonFiniteValues {
    /// Of the generator.
    pub generator: Vec<String>,
    /// Of the discriminator.
    pub discriminator: Vec<String>,
}

impl NonFiniteValues {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.generator.is_empty() && self.discriminator.is_empty()
    }
}

impl fmt::Display for NonFiniteValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let networks = [
            ("generator", &self.generator),
            ("discriminator", &self.discriminator),
        ];
        let named = networks.into_iter().filter_map(|(network, names)| {
            let first = names.first()?;
            Some(match names.len() {
                1 => format!("{network}.{first}"),
                count => format!("{network}.{first} and {} more of the {network}", count - 1),
            })
        });
        f.write_str(&named.collect::<Vec<_>>().join(", "))
    }
}

/// The sum of all gradients of a module, `[1]`: it is finite only if each of them is, unless
/// they are so large as to be of no use.
pub(crate) fn sum<B: AutodiffBackend, M: Module<B>>(
    module: &M,
    gradients: &GradientsParams,
    device: &B::Device,
) -> Tensor<B::InnerBackend, 1> {
    let found = sums(module, gradients, false);
    match found.is_empty() {
        true => Tensor::zeros([1], device),
        false => Tensor::cat(found, 0).sum(),
    }
}

/// The sums of the entries of each gradient of a module, or of their squares, `[1]` each.
fn sums<B: AutodiffBackend, M: Module<B>>(
    module: &M,
    gradients: &GradientsParams,
    squared: bool,
) -> Vec<Tensor<B::InnerBackend, 1>> {
    let mut sums = Sums::<B> {
        gradients,
        squared,
        found: Vec::new(),
    };
    module.visit(&mut sums);
    sums.found
}

struct Sums<'a, B: AutodiffBackend> {
    gradients: &'a GradientsParams,
    squared: bool,
    found: Vec<Tensor<B::InnerBackend, 1>>,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Sums<'_, B> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        if let Some(gradient) = self.gradients.get::<B::InnerBackend, D>(param.id) {
            let entries = match self.squared {
                true => gradient.square(),
                false => gradient,
            };
            self.found.push(entries.sum());
        }
    }
}

/// The Euclidean norm of all gradients of a module together, `[1]`.
fn norm<B: AutodiffBackend, M: Module<B>>(
    module: &M,
    gradients: &GradientsParams,
) -> Option<Tensor<B::InnerBackend, 1>> {
    let squares = sums(module, gradients, true);
    (!squares.is_empty()).then(|| Tensor::cat(squares, 0).sum().sqrt())
}

/// Scales all gradients of a module together so that their norm is at most `limit`, as
/// PyTorch's `clip_grad_norm_` does.
pub(crate) fn clip<B: AutodiffBackend, M: Module<B>>(
    module: &M,
    gradients: &mut GradientsParams,
    limit: f64,
) {
    /// Added to the norm that is divided by (PyTorch's).
    const EPSILON: f64 = 1e-6;
    let Some(norm) = norm(module, gradients) else {
        return;
    };
    let factor = norm
        .add_scalar(EPSILON)
        .recip()
        .mul_scalar(limit)
        .clamp_max(1.0);
    module.visit(&mut Scale::<B> { gradients, factor });
}

struct Scale<'a, B: AutodiffBackend> {
    gradients: &'a mut GradientsParams,
    factor: Tensor<B::InnerBackend, 1>,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Scale<'_, B> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        if let Some(gradient) = self.gradients.remove::<B::InnerBackend, D>(param.id) {
            let factor = self.factor.clone().reshape([1; D]);
            self.gradients.register(param.id, gradient * factor);
        }
    }
}

/// The gradients of a module's weights, in the order of the weights; 0 where there is none. They are appended to
/// `values`.
pub(crate) fn flatten<B: AutodiffBackend, M: Module<B>>(
    module: &M,
    gradients: &GradientsParams,
    values: &mut Vec<f32>,
) {
    module.visit(&mut Flatten::<B> {
        gradients,
        values,
        backend: PhantomData,
    });
}

struct Flatten<'a, B> {
    gradients: &'a GradientsParams,
    values: &'a mut Vec<f32>,
    backend: PhantomData<B>,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Flatten<'_, B> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let weight = param.val();
        if !weight.is_require_grad() {
            return;
        }
        match self.gradients.get::<B::InnerBackend, D>(param.id) {
            Some(gradient) => {
                let data = gradient.into_data();
                match data.as_slice::<f32>() {
                    Ok(values) => self.values.extend_from_slice(values),
                    Err(_) => self.values.extend(data.iter::<f32>()),
                }
            }
            None => {
                let count = weight.dims().iter().product::<usize>();
                self.values.resize(self.values.len() + count, 0.0);
            }
        }
    }
}

/// Gradients from what [`flatten`] gave of the same module: of the weights that have one in `own`, or of all of them.
/// Gives also the values that follow.
pub(crate) fn unflatten<'a, B: AutodiffBackend, M: Module<B>>(
    module: &M,
    own: Option<&GradientsParams>,
    values: &'a [f32],
) -> (GradientsParams, &'a [f32]) {
    let mut unflatten = Unflatten::<B> {
        own,
        values,
        found: GradientsParams::new(),
        backend: PhantomData,
    };
    module.visit(&mut unflatten);
    (unflatten.found, unflatten.values)
}

struct Unflatten<'a, 'b, B> {
    own: Option<&'a GradientsParams>,
    values: &'b [f32],
    found: GradientsParams,
    backend: PhantomData<B>,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Unflatten<'_, '_, B> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let weight = param.val();
        if !weight.is_require_grad() {
            return;
        }
        let shape = weight.dims();
        let (values, rest) = self.values.split_at(shape.iter().product());
        self.values = rest;
        let has_one = |own: &GradientsParams| own.get::<B::InnerBackend, D>(param.id).is_some();
        if self.own.is_none_or(has_one) {
            let data = TensorData::new(values.to_vec(), shape);
            let place = (&weight.device(), weight.dtype());
            let gradient = Tensor::<B::InnerBackend, D>::from_data(data, place);
            self.found.register(param.id, gradient);
        }
    }
}

/// The names of the parameters of a module whose gradients are not finite.
pub(crate) fn non_finite<B: AutodiffBackend, M: Module<B>>(
    module: &M,
    gradients: &GradientsParams,
) -> Vec<String> {
    let mut search = Gradients {
        gradients,
        path: Vec::new(),
        found: Vec::new(),
    };
    module.visit(&mut search);
    search.found
}

struct Gradients<'a> {
    gradients: &'a GradientsParams,
    path: Vec<String>,
    found: Vec<String>,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Gradients<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        if let Some(gradient) = self.gradients.get::<B::InnerBackend, D>(param.id)
            && !is_finite(gradient)
        {
            self.found.push(self.path.join("."));
        }
    }
}

/// The names of the weights and running statistics of a module that are not finite.
pub(crate) fn non_finite_weights<B: Backend, M: Module<B>>(module: &M) -> Vec<String> {
    let mut search = Weights::default();
    module.visit(&mut search);
    search.found
}

/// Adds the weights and running statistics of a module to a checksum.
pub(crate) fn hash_weights<B: Backend, M: Module<B>>(module: &M, hash: &mut crc32fast::Hasher) {
    module.visit(&mut Hash(hash));
}

struct Hash<'a>(&'a mut crc32fast::Hasher);

impl<B: Backend> ModuleVisitor<B> for Hash<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        self.0.update(param.val().into_data().as_bytes());
    }
}

#[derive(Default)]
struct Weights {
    path: Vec<String>,
    found: Vec<String>,
}

impl<B: Backend> ModuleVisitor<B> for Weights {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        if !is_finite(param.val()) {
            self.found.push(self.path.join("."));
        }
    }
}

/// Whether every element is finite; or so large that the network is beyond use.
fn is_finite<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> bool {
    tensor.abs().sum().into_scalar().elem::<f64>().is_finite()
}

#[cfg(test)]
mod tests {
    use burn_autodiff::Autodiff;
    use burn_flex::Flex;

    use super::*;

    type B = Autodiff<Flex>;

    #[derive(Module, Debug)]
    struct Pair<B: Backend> {
        one: Param<Tensor<B, 1>>,
        two: Param<Tensor<B, 2>>,
    }

    fn pair() -> Pair<B> {
        let device = Default::default();
        Pair {
            one: Param::from_tensor(Tensor::from_floats([1.0, 2.0], &device)),
            two: Param::from_tensor(Tensor::from_floats([[3.0, 4.0]], &device)),
        }
    }

    /// Gradients [3, 0] and [[0, 4]], or what `factor` makes of the second.
    fn gradients(pair: &Pair<B>, factor: f32) -> GradientsParams {
        let device = Default::default();
        let weights = Tensor::<B, 1>::from_floats([3.0, 0.0], &device);
        let more = Tensor::<B, 2>::from_floats([[0.0, 4.0 * factor]], &device);
        let loss = (pair.one.val() * weights).sum() + (pair.two.val() * more).sum();
        GradientsParams::from_grads(loss.backward(), pair)
    }

    fn values(gradients: &GradientsParams, pair: &Pair<B>) -> Vec<f32> {
        let one = gradients.get::<Flex, 1>(pair.one.id).unwrap();
        let two = gradients.get::<Flex, 2>(pair.two.id).unwrap();
        let both = Tensor::cat(vec![one, two.flatten(0, 1)], 0);
        both.into_data().to_vec().unwrap()
    }

    #[test]
    fn gradients_are_scaled_together_if_they_are_too_long() {
        let pair = pair();
        for (limit, expected) in [(10.0, [3.0, 0.0, 0.0, 4.0]), (1.0, [0.6, 0.0, 0.0, 0.8])] {
            let mut gradients = gradients(&pair, 1.0);
            let norm = norm::<B, _>(&pair, &gradients).unwrap();
            assert_eq!(norm.into_data().to_vec::<f32>().unwrap(), [5.0]);
            clip::<B, _>(&pair, &mut gradients, limit);
            let found = values(&gradients, &pair);
            let close = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5;
            assert!(found.iter().zip(&expected).all(close), "{found:?}");
        }
    }

    #[test]
    fn gradients_come_back_from_one_row_of_numbers() {
        let pair = pair();
        let own = gradients(&pair, 1.0);
        let mut row = vec![9.0];
        flatten::<B, _>(&pair, &own, &mut row);
        assert_eq!(row, [9.0, 3.0, 0.0, 0.0, 4.0]);
        row.push(7.0);
        let (found, rest) = unflatten::<B, _>(&pair, Some(&own), &row[1..]);
        assert_eq!(values(&found, &pair), [3.0, 0.0, 0.0, 4.0]);
        assert_eq!(rest, [7.0]);
        // One who has none gets them all.
        let (found, _) = unflatten::<B, _>(&pair, None, &row[1..]);
        assert_eq!(values(&found, &pair), [3.0, 0.0, 0.0, 4.0]);
        let mut row = Vec::new();
        flatten::<B, _>(&pair, &GradientsParams::new(), &mut row);
        assert_eq!(row, [0.0; 4]);
        let (found, _) = unflatten::<B, _>(&pair, Some(&GradientsParams::new()), &row);
        assert!(found.is_empty());
    }

    #[test]
    fn what_is_not_finite_is_named() {
        let pair = pair();
        assert_eq!(non_finite::<B, _>(&pair, &gradients(&pair, 1.0)), [""; 0]);
        let broken = gradients(&pair, f32::INFINITY);
        assert_eq!(non_finite::<B, _>(&pair, &broken), ["two"]);
        assert_eq!(non_finite_weights::<B, _>(&pair), [""; 0]);
        let sum = sum::<B, _>(&pair, &broken, &Default::default());
        assert!(!sum.into_scalar().is_finite());
        let values = NonFiniteValues {
            generator: vec!["one".to_owned(), "two".to_owned(), "three".to_owned()],
            discriminator: vec!["four".to_owned()],
        };
        let named = "generator.one and 2 more of the generator, discriminator.four";
        assert_eq!(values.to_string(), named);
    }
}
