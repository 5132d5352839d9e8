//! A network's tensors under their names in files.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::run::naming::{self, Layout};

/// A tensor under its name in the file.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    /// Little-endian f32.
    pub(super) bytes: Vec<u8>,
}

/// All tensors of a network, in the layouts that PyTorch has.
pub(super) fn tensors<B: Backend, M: Module<B>>(module: &M) -> Vec<Named> {
    let mut collect = Collect {
        path: Vec::new(),
        found: Vec::new(),
    };
    module.visit(&mut collect);
    collect.found
}

struct Collect {
    path: Vec<String>,
    found: Vec<Named>,
}

impl<B: Backend> ModuleVisitor<B> for Collect {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let (name, layout) = naming::exported(&path);
        let tensor = param.val();
        let shape = layout.shape(&tensor.dims());
        let data = match layout {
            Layout::Transposed => tensor.transpose().into_data(),
            Layout::Same | Layout::Column => tensor.into_data(),
        };
        let bytes = data.iter::<f32>().flat_map(f32::to_le_bytes).collect();
        self.found.push(Named { name, shape, bytes });
    }
}
