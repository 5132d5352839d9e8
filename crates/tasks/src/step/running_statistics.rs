//! The running statistics of a network, as numbers in a row.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Tensor, TensorData};

/// Appends the running statistics of a module to `values`, each times `weight`.
pub(crate) fn flatten<B: AutodiffBackend, M: Module<B>>(
    module: &M,
    weight: f32,
    values: &mut Vec<f32>,
) {
    module.visit(&mut Flatten { weight, values });
}

struct Flatten<'a> {
    weight: f32,
    values: &'a mut Vec<f32>,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Flatten<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let tensor = param.val();
        if !tensor.is_require_grad() {
            let data = tensor.into_data();
            let weighted = data.iter::<f32>().map(|value| value * self.weight);
            self.values.extend(weighted);
        }
    }
}

/// The module with the running statistics that `values` begins with, in the order of [`flatten`]; and the values that
/// follow.
pub(crate) fn unflatten<B: AutodiffBackend, M: Module<B>>(
    module: M,
    values: &[f32],
) -> (M, &[f32]) {
    let mut unflatten = Unflatten { values };
    let module = module.map(&mut unflatten);
    (module, unflatten.values)
}

struct Unflatten<'a> {
    values: &'a [f32],
}

impl<B: AutodiffBackend> ModuleMapper<B> for Unflatten<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let tensor = param.val();
        if tensor.is_require_grad() {
            return param;
        }
        let shape = tensor.dims();
        let (values, rest) = self.values.split_at(shape.iter().product());
        self.values = rest;
        let data = TensorData::new(values.to_vec(), shape);
        param.map(|_| Tensor::from_data(data, (&tensor.device(), tensor.dtype())))
    }
}
