//! An exported generator, read back.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor, TensorData};
use huenet_models::Generator;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use crate::run::export::{SETTINGS, SETTINGS_ENTRY};
use crate::run::naming::{self, Layout};
use crate::settings::{Layer, Settings};
use crate::step::backend::TrainingBackend;
use crate::step::recipe::Recipe;
use crate::step::seeds::{Purpose, stream};
use crate::store::error::TaskError;

/// A file that [`export`](crate::export) wrote, with the generator's weights in 32 or 16 bits.
pub(crate) struct Exported {
    /// Where it is, or what it is called if it is no file; for messages.
    path: PathBuf,
    bytes: Cow<'static, [u8]>,
    settings: Settings,
    step: Option<u64>,
}

impl Exported {
    /// Reads a file. The settings come from its header, or else from `settings.toml` beside it, since
    /// older versions did not write them into the header.
    ///
    /// # Errors
    ///
    /// [`TaskError::Read`], and [`TaskError::UnusableExport`] if it is no such file, or nothing says which
    /// settings its network has.
    pub(crate) fn open(path: &Path) -> Result<Self, TaskError> {
        let bytes = std::fs::read(path).map_err(|source| TaskError::read(path, source))?;
        let beside = path.with_file_name(SETTINGS);
        Self::read(path, bytes.into(), || {
            if beside.is_file() {
                return Ok(Layer::from_file(&beside)?);
            }
            let reason = format!(
                "its header has no settings, and there is no {SETTINGS} beside it; export the run again, or \
                 put {SETTINGS} of one of its checkpoints there"
            );
            Err(unusable(path, reason))
        })
    }

    /// Reads the bytes of a file. `name` is what messages call it.
    ///
    /// # Errors
    ///
    /// [`TaskError::UnusableExport`] if they are no such file, or their header has no settings.
    pub(crate) fn from_bytes(name: &str, bytes: Cow<'static, [u8]>) -> Result<Self, TaskError> {
        let path = Path::new(name);
        Self::read(path, bytes, || {
            Err(unusable(path, "its header has no settings".to_owned()))
        })
    }

    /// Reads the bytes of a file. `other` gives the settings if the header has none.
    fn read(
        path: &Path,
        bytes: Cow<'static, [u8]>,
        other: impl FnOnce() -> Result<Layer, TaskError>,
    ) -> Result<Self, TaskError> {
        let header = SafeTensors::read_metadata(&bytes);
        let (_, header) = header.map_err(|error| unusable(path, error.to_string()))?;
        let entry = |name: &str| header.metadata().as_ref()?.get(name).cloned();
        let layer = match entry(SETTINGS_ENTRY) {
            Some(text) => Layer::from_toml(path, &text)?,
            None => other()?,
        };
        if layer.text("task").is_none() {
            // Without one the demo would be meant.
            return Err(unusable(path, "its settings name no task".to_owned()));
        }
        Ok(Self {
            path: path.to_owned(),
            settings: Settings::resolve(&[layer])?,
            step: entry("step").and_then(|step| step.parse().ok()),
            bytes,
        })
    }

    /// The settings of its run.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The step at which it was exported, if the file says so.
    pub(crate) fn step(&self) -> Option<u64> {
        self.step
    }

    /// The generator of `recipe` with the weights of the file.
    ///
    /// # Errors
    ///
    /// [`TaskError::UnusableExport`] if it has other tensors than such a generator.
    pub(crate) fn generator<B: TrainingBackend>(
        &self,
        recipe: &Recipe,
        device: &B::Device,
    ) -> Result<Generator<B>, TaskError> {
        let tensors = SafeTensors::deserialize(&self.bytes);
        let tensors = tensors.map_err(|error| unusable(&self.path, error.to_string()))?;
        // The weights are replaced by the saved ones.
        let mut random = stream(0, Purpose::GeneratorWeights, 0);
        let generator = recipe.generator().init(&mut random, device);
        let mut load = Load {
            tensors: &tensors,
            path: Vec::new(),
            found: 0,
            fault: None,
        };
        let generator = generator.map(&mut load);
        let (found, all) = (load.found, tensors.len());
        match load.fault {
            Some(fault) => Err(unusable(&self.path, fault)),
            None if found < all => {
                let reason =
                    format!("of its {all} tensors a generator of its settings has only {found}");
                Err(unusable(&self.path, reason))
            }
            None => Ok(generator),
        }
    }
}

fn unusable(path: &Path, reason: String) -> TaskError {
    TaskError::UnusableExport {
        path: path.to_owned(),
        reason,
    }
}

/// Replaces each tensor of a network by that of its name.
struct Load<'a> {
    tensors: &'a SafeTensors<'a>,
    path: Vec<String>,
    found: usize,
    /// What is wrong with the first tensor that cannot be replaced.
    fault: Option<String>,
}

impl Load<'_> {
    /// The values of the tensor with this path, which has this shape.
    fn data(&self, shape: &[usize]) -> Result<TensorData, String> {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let (name, layout) = naming::exported(&path);
        let tensor = self.tensors.tensor(&name);
        let tensor = tensor.map_err(|_| format!("it has no tensor {name}"))?;
        let expected = layout.shape(shape);
        if tensor.shape() != expected {
            let shape = tensor.shape();
            return Err(format!("{name} is {shape:?} and should be {expected:?}"));
        }
        let values = values(&tensor).ok_or_else(|| {
            format!(
                "{name} has numbers of the type {:?}, not of F32 or F16",
                tensor.dtype()
            )
        })?;
        let values = match (layout, expected.as_slice()) {
            // Here and not on the backend, where a tensor that only looks transposed is multiplied in another
            // order, which rounds otherwise.
            (Layout::Transposed, &[rows, columns]) => (0..columns)
                .flat_map(|column| (0..rows).map(move |row| row * columns + column))
                .filter_map(|place| values.get(place).copied())
                .collect(),
            _ => values,
        };
        Ok(TensorData::new(values, shape.to_vec()))
    }
}

/// The numbers of a tensor, if they are floats of 32 or 16 bits.
fn values(tensor: &TensorView<'_>) -> Option<Vec<f32>> {
    let dtype = match tensor.dtype() {
        Dtype::F32 => DType::F32,
        Dtype::F16 => DType::F16,
        _ => return None,
    };
    let data = TensorData::from_bytes_vec(tensor.data().to_vec(), tensor.shape().to_vec(), dtype);
    Some(data.iter::<f32>().collect())
}

impl<B: Backend> ModuleMapper<B> for Load<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let (device, shape, dtype) = {
            let tensor = param.val();
            (tensor.device(), tensor.dims(), tensor.dtype())
        };
        match self.data(&shape) {
            Ok(data) => {
                self.found += 1;
                param.map(|_| Tensor::from_data(data, (&device, dtype)))
            }
            Err(fault) => {
                self.fault.get_or_insert(fault);
                param
            }
        }
    }
}
