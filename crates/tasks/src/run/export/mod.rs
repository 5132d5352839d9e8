//! Networks as files for other programs.
//!
//! ```text
//! checkpoint ──► named (tensors under PyTorch's names) ──┬──► torch: *.safetensors, of f32 or f16
//!                header (what the files say)           ──┴──► onnx:  generator.onnx
//! ```

mod header;
mod named;
mod onnx;
mod torch;

use std::path::{Path, PathBuf};

use self::torch::Precision;
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
    /// The same files with every number rounded to 16 bits (IEEE 754's binary16), so half as large.
    SafetensorsF16,
    /// `generator.onnx`: all that a generator computes, from images to an image, for any program that runs
    /// ONNX models.
    Onnx,
}

impl ExportFormat {
    /// All formats.
    pub const ALL: [Self; 3] = [Self::Safetensors, Self::SafetensorsF16, Self::Onnx];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Safetensors => "safetensors",
            Self::SafetensorsF16 => "safetensors-f16",
            Self::Onnx => "onnx",
        }
    }

    fn files(self) -> &'static [&'static str] {
        match self {
            Self::Safetensors | Self::SafetensorsF16 => &[GENERATOR, DISCRIMINATOR, SETTINGS],
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
/// ONNX cannot hold, and [`TaskError::NotInF16`] for weights that 16 bits cannot hold; otherwise if the checkpoint cannot be read or a file cannot be written.
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
        ExportFormat::Safetensors => {
            write_torch::<B>(checkpoint, folder, Precision::Single, device)
        }
        ExportFormat::SafetensorsF16 => {
            write_torch::<B>(checkpoint, folder, Precision::Half, device)
        }
        ExportFormat::Onnx => write_onnx::<B>(checkpoint, folder, device),
    };
    written.map_err(TaskError::of_named_file)?;
    Ok(paths)
}

fn write_torch<B: TrainingBackend>(
    checkpoint: &Checkpoint,
    folder: &Path,
    precision: Precision,
    device: &B::Device,
) -> Result<(), TaskError> {
    let (generator, discriminator) = checkpoint.networks::<B>(device)?;
    let settings = checkpoint.settings().to_toml()?;
    let header = header::of_weights(checkpoint)?;
    let (generator_path, discriminator_path) = (folder.join(GENERATOR), folder.join(DISCRIMINATOR));
    // Both before either is written.
    let encoded = |path: &Path, tensors| torch::encode(path, tensors, header.clone(), precision);
    let generator = encoded(&generator_path, named::tensors(&generator))?;
    let discriminator = encoded(&discriminator_path, named::tensors(&discriminator))?;
    files::create_folder(folder)?;
    files::write_atomically(&generator_path, &generator)?;
    files::write_atomically(&discriminator_path, &discriminator)?;
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
