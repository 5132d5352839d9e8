//! Networks as safetensors files, under the names and in the layouts that PyTorch has.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use safetensors::tensor::{Dtype, TensorView};

use crate::run::checkpoint::Checkpoint;
use crate::run::naming::{self, Layout};
use crate::step::backend::TrainingBackend;
use crate::store::error::TaskError;
use crate::store::files;

/// The networks' files.
const FILES: [&str; 2] = ["generator.safetensors", "discriminator.safetensors"];

/// The settings' file beside them.
pub(super) const SETTINGS: &str = "settings.toml";

/// The name under which a file's header has the settings that networks and images depend on.
pub(super) const SETTINGS_ENTRY: &str = "settings";

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
    let settings = checkpoint.settings().to_toml()?;
    let metadata = metadata(checkpoint)?;
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
fn metadata(checkpoint: &Checkpoint) -> Result<HashMap<String, String>, TaskError> {
    let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    // The file may go to others, to whom folders say nothing.
    let settings = checkpoint.settings().for_application();
    Ok(HashMap::from([
        // What Python's readers look for.
        text("format", "pt"),
        text("huenet", env!("CARGO_PKG_VERSION")),
        text("task", checkpoint.settings().task.name()),
        text("step", &checkpoint.position().step.to_string()),
        text(SETTINGS_ENTRY, &settings.to_toml()?),
    ]))
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
