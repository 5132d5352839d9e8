//! Networks as files for other programs.
//!
//! ```text
//! checkpoint ──► named (tensors under PyTorch's names) ──┬──► torch: *.safetensors
//!                header (what the files say)           ──┴──► onnx:  generator.onnx
//! ```

mod header;
mod named;
mod onnx;
mod torch;

use std::path::{Path, PathBuf};

use crate::run::checkpoint::Checkpoint;
use crate::step::backend::TrainingBackend;
use crate::step::recipe::Recipe;
use crate::store::error::TaskError;
use crate::store::files;

pub(super) use header::SETTINGS_ENTRY;

const GENERATOR: &str = "generator.safetensors";
const DISCRIMINATOR: &str = "discriminator.safetensors";
const MODEL: &str = "generator.onnx";

/// The settings' file beside the networks.
pub(super) const SETTINGS: &str = "settings.toml";

/// What an export consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExportFormat {
    /// `generator.safetensors`, `discriminator.safetensors` and `settings.toml`: the weights, under the names
    /// and in the layouts that PyTorch has.
    #[default]
    Safetensors,
    /// `generator.onnx`: all that a generator computes, from images to an image, for any program that runs
    /// ONNX models.
    Onnx,
}

impl ExportFormat {
    /// All formats.
    pub const ALL: [Self; 2] = [Self::Safetensors, Self::Onnx];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Safetensors => "safetensors",
            Self::Onnx => "onnx",
        }
    }

    fn files(self) -> &'static [&'static str] {
        match self {
            Self::Safetensors => &[GENERATOR, DISCRIMINATOR, SETTINGS],
            Self::Onnx => &[MODEL],
        }
    }
}

/// Writes the networks of `checkpoint` to `folder`, and gives the files. The generator has the average of its
/// weights, if one was kept.
///
/// # Errors
///
/// [`TaskError::ExportExists`] if one of the files is there already; [`TaskError::NotInOnnx`] for a generator that
/// ONNX cannot hold; otherwise if the checkpoint cannot be read or a file cannot be written.
pub fn export<B: TrainingBackend>(
    checkpoint: &Checkpoint,
    folder: &Path,
    format: ExportFormat,
    device: &B::Device,
) -> Result<Vec<PathBuf>, TaskError> {
    let paths = format.files().iter().map(|name| folder.join(name));
    let paths: Vec<PathBuf> = paths.collect();
    if let Some(path) = paths.iter().find(|path| path.exists()) {
        let path = path.clone();
        return Err(TaskError::ExportExists { path });
    }
    let written = match format {
        ExportFormat::Safetensors => write_torch::<B>(checkpoint, folder, device),
        ExportFormat::Onnx => write_onnx::<B>(checkpoint, folder, device),
    };
    written.map_err(TaskError::of_named_file)?;
    Ok(paths)
}

fn write_torch<B: TrainingBackend>(
    checkpoint: &Checkpoint,
    folder: &Path,
    device: &B::Device,
) -> Result<(), TaskError> {
    let (generator, discriminator) = checkpoint.networks::<B>(device)?;
    let settings = checkpoint.settings().to_toml()?;
    let header = header::of_weights(checkpoint)?;
    files::create_folder(folder)?;
    let generator = named::tensors(&generator);
    torch::write(&folder.join(GENERATOR), generator, header.clone())?;
    let discriminator = named::tensors(&discriminator);
    torch::write(&folder.join(DISCRIMINATOR), discriminator, header)?;
    files::write_atomically(&folder.join(SETTINGS), settings.as_bytes())
}

fn write_onnx<B: TrainingBackend>(
    checkpoint: &Checkpoint,
    folder: &Path,
    device: &B::Device,
) -> Result<(), TaskError> {
    let recipe = Recipe::new(checkpoint.settings().for_application())?;
    let generator = checkpoint.generator::<B>(&recipe, device)?;
    let header = header::of_model(checkpoint, &recipe)?;
    let model = onnx::model(&recipe, named::tensors(&generator), header)?;
    files::create_folder(folder)?;
    files::write_atomically(&folder.join(MODEL), &model)
}
