//! Networks as safetensors files, under the names and in the layouts that PyTorch has.
//!
//! | here | file | layout |
//! |---|---|---|
//! | `downs.i.conv.weight`, `ups.i.conv.weight`, … | the same | `[out, in, 4, 4]` or `[out, in, 3, 3]` |
//! | `last.weight` of the generator (transposed convolution) | the same | `[in, out, 4, 4]` |
//! | `….norm.gamma`, `beta` | `….norm.weight`, `bias` | `[channels]` |
//! | `….running_mean`, `running_variance` | `….running_mean`, `running_var` | `[channels]` |
//! | `histogram.weight`, `bias` | `histogram.dense.weight`, `bias` | `[2·bins, channels·bins]`, `[2·bins]` |
//! | `distribution.layers.i.weight`, `distribution.modulations.i.weight` | the same | `[out, in]` |
//! | `….group_norm.gamma`, `beta` | `….group_norm.weight`, `bias` | `[channels]` |
//! | `resize.features`, `resize.given` | the same | `[out, in, 3, 3]` |
//! | `palette.quantiles` | `palette.quantiles.weight` | `[5, 64]` |
//! | `palette.features.weight` | the same | `[out, in]` |
//! | `histogram.tables.i` | `histogram.tables.i.weight` | `[pixels + 1, 1]` |

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use safetensors::tensor::{Dtype, TensorView};

use crate::run::checkpoint::Checkpoint;
use crate::step::backend::TrainingBackend;
use crate::store::error::TaskError;
use crate::store::files;

/// The networks' files.
const FILES: [&str; 2] = ["generator.safetensors", "discriminator.safetensors"];

/// The settings' file beside them.
const SETTINGS: &str = "settings.toml";

/// Writes the networks of `checkpoint` to `folder`: `generator.safetensors`,
/// `discriminator.safetensors`, and `settings.toml`. Gives the files. The generator has the average
/// of its weights, if one was kept.
///
/// # Errors
///
/// [`TaskError::ExportExists`] if one of them is there already; otherwise if the
/// checkpoint cannot be read or a file cannot be written.
pub fn export<B: TrainingBackend>(
    checkpoint: &Checkpoint,
    folder: &Path,
    device: &B::Device,
) -> Result<Vec<PathBuf>, TaskError> {
    let paths: Vec<PathBuf> = FILES
        .into_iter()
        .chain([SETTINGS])
        .map(|name| folder.join(name))
        .collect();
    if let Some(path) = paths.iter().find(|path| path.exists()) {
        let path = path.clone();
        return Err(TaskError::ExportExists { path });
    }
    let (generator, discriminator) = checkpoint.networks::<B>(device)?;
    let metadata = metadata(checkpoint);
    let settings = checkpoint.settings().to_toml()?;
    let write_all = || {
        files::create_folder(folder)?;
        write(&paths[0], tensors(&generator), metadata.clone())?;
        write(&paths[1], tensors(&discriminator), metadata)?;
        files::write_atomically(&paths[2], settings.as_bytes())
    };
    write_all().map_err(TaskError::of_named_file)?;
    Ok(paths)
}

/// What stands in the files' headers.
fn metadata(checkpoint: &Checkpoint) -> HashMap<String, String> {
    let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    HashMap::from([
        // What Python's readers look for.
        text("format", "pt"),
        text("huenet", env!("CARGO_PKG_VERSION")),
        text("task", checkpoint.settings().task.name()),
        text("step", &checkpoint.position().step.to_string()),
    ])
}

fn write(
    path: &Path,
    tensors: Vec<Named>,
    metadata: HashMap<String, String>,
) -> Result<(), TaskError> {
    let fault = |error: safetensors::SafeTensorError| {
        TaskError::write(path, std::io::Error::other(error.to_string()))
    };
    let views: Result<Vec<_>, _> = tensors
        .iter()
        .map(|tensor| {
            let view = TensorView::new(Dtype::F32, tensor.shape.clone(), &tensor.bytes);
            view.map(|view| (tensor.name.as_str(), view))
        })
        .collect();
    let bytes = safetensors::serialize(views.map_err(fault)?, Some(metadata)).map_err(fault)?;
    files::write_atomically(path, &bytes)
}

/// A tensor under its name in the file.
struct Named {
    name: String,
    shape: Vec<usize>,
    /// Little-endian f32.
    bytes: Vec<u8>,
}

fn tensors<B: Backend, M: Module<B>>(module: &M) -> Vec<Named> {
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
        let tensor = param.val();
        let mut shape = tensor.dims().to_vec();
        let mut data = tensor.clone().into_data();
        let name = match path[..] {
            ["histogram", "weight"] => {
                // A dense layer here is `[in, out]`.
                data = tensor.transpose().into_data();
                shape.reverse();
                "histogram.dense.weight".to_owned()
            }
            ["distribution", .., "weight"] | ["palette", "features", "weight"] => {
                data = tensor.transpose().into_data();
                shape.reverse();
                path.join(".")
            }
            ["palette", "quantiles"] => {
                data = tensor.transpose().into_data();
                shape.reverse();
                "palette.quantiles.weight".to_owned()
            }
            ["histogram", "bias"] => "histogram.dense.bias".to_owned(),
            ["histogram", "tables", index] => {
                shape.push(1);
                format!("histogram.tables.{index}.weight")
            }
            [.., field] => {
                let field = match field {
                    "gamma" => "weight",
                    "beta" => "bias",
                    "running_variance" => "running_var",
                    same => same,
                };
                let mut path = path.clone();
                path.pop();
                path.push(field);
                path.join(".")
            }
            [] => String::new(),
        };
        let bytes = data.iter::<f32>().flat_map(f32::to_le_bytes).collect();
        self.found.push(Named { name, shape, bytes });
    }
}
