//! A trained generator beside methods that need no training, image by image.
//!
//! ```text
//! run, pairs ──► Study ──► compare ──► Comparison ──► Markdown, JSON, contact sheet
//! ```
//!
//! Every method gets the same pairs, prepared as the run prepares them, and is measured in the
//! same way: in 256 bins with the official kernel, whatever the run was trained with, and in YUV if
//! the images have colours.

mod bootstrap;
mod comparison;
mod method;
mod pairs;
mod sheet;
pub mod transfer;

use std::path::{Path, PathBuf};

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use huenet_data::{ColourSpace, HostBatch, ImageSize, Phase, RgbImage};
use huenet_hist::{Bins, HistogramBackend, Kernel};
use huenet_models::Generator;

use crate::measure::evaluation::translate;
use crate::measure::figures::{Compared, figures_of, values};
use crate::measure::samples;
use crate::run::checkpoint::Checkpoint;
use crate::run::folder::RunFolder;
use crate::settings::{Layer, SettingsError};
use crate::step::losses::HistogramLosses;
use crate::step::recipe::Recipe;
use crate::store::error::TaskError;
use crate::store::files;

pub use bootstrap::{CONFIDENCE, interval};
use comparison::Histograms;
pub use comparison::{Comparison, Measured, PairFigures, Summary};
use method::Made;
pub use method::Method;
pub use pairs::Pair;
use pairs::Pairs;

/// Bins of the histograms that figures are of.
pub const BINS: usize = 256;

/// A saved generator, and the images that it is evaluated on.
pub struct Study {
    recipe: Recipe,
    checkpoint: Checkpoint,
    pairs: Pairs,
    /// The colour space of the figures.
    colour: ColourSpace,
}

/// Which images a [`Study`] has.
#[derive(Clone, Debug)]
pub enum Which {
    /// Those of one part of the dataset, from the first; at most so many.
    Part(Phase, usize),
    /// Those that a CSV file lists.
    Listed(PathBuf),
}

impl Study {
    /// The generator of the newest checkpoint in `run` (a run's folder, or a checkpoint's), with
    /// the run's settings, over which `changes` have their say: where the images are, and how they
    /// are sampled.
    ///
    /// # Errors
    ///
    /// Any [`TaskError`] of checkpoints, settings and images; [`TaskError::Pairs`].
    pub fn new(run: &Path, changes: &[Layer], which: &Which) -> Result<Self, TaskError> {
        let checkpoint = Checkpoint::newest(run)?;
        let settings = checkpoint.settings().with(changes)?;
        let recipe = Recipe::new(settings)?;
        checkpoint.check_configuration(&recipe)?;
        let pairs = match which {
            Which::Part(phase, most) => Pairs::of_dataset(&recipe, *phase, *most)?,
            Which::Listed(path) => {
                let root = recipe.settings().dataroot.as_deref();
                let root = root.ok_or_else(|| SettingsError::Missing {
                    key: "dataroot",
                    fix: "give --dataroot DIR, the folder below which the paths of the pairs lie"
                        .to_owned(),
                })?;
                Pairs::of_file(&recipe, path, root)?
            }
        };
        let colour = match recipe.colour() {
            ColourSpace::Grey => ColourSpace::Grey,
            ColourSpace::Yuv | ColourSpace::Rgb => ColourSpace::Yuv,
        };
        Ok(Self {
            recipe,
            checkpoint,
            pairs,
            colour,
        })
    }

    /// The settings.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The folder of the generator's run, where its contact sheet goes by default.
    pub fn run(&self) -> PathBuf {
        RunFolder::of(self.checkpoint.folder())
    }

    /// How many pairs there are.
    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// Whether the only held-out image takes its colours from a training image, since there is no other one.
    pub fn borrows_reference(&self) -> bool {
        self.pairs.borrows_reference()
    }

    /// The methods: those of colours only if the images have colours.
    fn methods(&self) -> impl Iterator<Item = Method> + use<> {
        let colours = self.colour != ColourSpace::Grey;
        let linear = [Method::Reinhard, Method::MongeKantorovich];
        let all = Method::ALL.into_iter();
        all.filter(move |method| colours || !linear.contains(method))
    }
}

/// What is measured with, the same for all runs.
fn losses() -> HistogramLosses {
    let bins = Bins::new(BINS, -1.0, 1.0).expect("256 bins over a range");
    HistogramLosses::with_bins(bins, Kernel::default())
}

/// Measures every method on the pairs of `study`; `progress` is told how many pairs are done. The
/// contact sheet comes with its own error: the figures are there if it could not be drawn.
///
/// # Errors
///
/// [`TaskError::Data`] if an image cannot be read, [`TaskError::DamagedCheckpoint`].
pub fn compare<B: HistogramBackend>(
    study: &Study,
    device: &B::Device,
    progress: &mut dyn FnMut(usize),
) -> Result<(Comparison, Result<RgbImage, TaskError>), TaskError> {
    let (generator, _) = study.checkpoint.networks::<B>(device)?;
    let losses = losses();
    let mut measured: Vec<Measured> = study.methods().map(Measured::new).collect();
    let mut histograms = Histograms::new(study.colour.channels(), BINS);
    let mut done = 0;
    for (number, batch) in study.pairs.batches().iter().enumerate() {
        let made = Batch::make(study, &generator, number, device)?;
        histograms.references(made.references::<B>(&losses, device));
        for measured in &mut measured {
            let outputs = made.by(study, measured.method());
            let of = Compared {
                colour: study.colour,
                truth: study.recipe.task().is_paired(),
            };
            let images = [&made.content, &made.reference, &outputs.concat_planes()]
                .map(|planes| made.tensor::<B>(planes, device));
            let (figures, of_outputs) = figures_of(of, &losses, images)?;
            for ((mut figures, output), pair) in figures.into_iter().zip(&outputs.0).zip(batch) {
                if !pair.is_one_file() {
                    (figures.psnr, figures.ssim) = (None, None);
                }
                measured.push(figures, output.out_of_gamut);
            }
            histograms.outputs(measured.method(), of_outputs);
        }
        done += batch.len();
        progress(done);
    }
    let pairs: Vec<Pair> = study.pairs.batches().concat();
    for measured in &mut measured {
        measured.compare_with_others(&histograms, &pairs);
    }
    let comparison = Comparison::new(study, pairs, measured);
    let sheet = sheet::draw(study, &comparison, |number| {
        Batch::make(study, &generator, number, device)
    });
    Ok((comparison, sheet))
}

/// The images of a batch, and what the generator made of them, in the colours of the figures.
pub(super) struct Batch {
    size: ImageSize,
    channels: usize,
    content: Vec<f32>,
    reference: Vec<f32>,
    generated: Vec<f32>,
}

/// What a method made of each pair of a batch.
struct Outputs(Vec<Made>);

impl Outputs {
    fn concat_planes(&self) -> Vec<f32> {
        self.0
            .iter()
            .flat_map(|made| made.planes.iter().copied())
            .collect()
    }
}

impl Batch {
    fn make<B: Backend>(
        study: &Study,
        generator: &Generator<B>,
        number: usize,
        device: &B::Device,
    ) -> Result<Self, TaskError> {
        let pairs = &study.pairs.batches()[number];
        let host: HostBatch = study.pairs.read(pairs)?;
        let [_, channels, height, width] = host.shape();
        let batch = host.to_tensors::<B>(device);
        let generated = values(translate(&study.recipe, generator, &batch, number as u64));
        let size = ImageSize::new(height, width)?;
        let convert = |planes: &[f32]| convert(study.recipe.colour(), study.colour, planes, size);
        Ok(Self {
            size,
            channels,
            content: convert(host.content()),
            reference: convert(host.reference()),
            generated: convert(&generated),
        })
    }

    /// What `method` makes of each pair.
    fn by(&self, study: &Study, method: Method) -> Outputs {
        let each = self.each();
        let made = each.map(|[content, reference, generated]| {
            method
                .apply(study.colour, content, reference)
                .unwrap_or_else(|| Made::of(study.colour, generated.to_vec()))
        });
        Outputs(made.collect())
    }

    /// Content, reference and what the generator made, of each pair.
    fn each(&self) -> impl Iterator<Item = [&[f32]; 3]> {
        let length = self.channels * self.size.pixels();
        let [content, reference, generated] = [&self.content, &self.reference, &self.generated]
            .map(|planes| planes.chunks_exact(length));
        content
            .zip(reference)
            .zip(generated)
            .map(|((content, reference), generated)| [content, reference, generated])
    }

    fn tensor<B: Backend>(&self, planes: &[f32], device: &B::Device) -> Tensor<B, 4> {
        let (height, width) = (self.size.height(), self.size.width());
        let count = planes.len() / (self.channels * self.size.pixels());
        let shape = [count, self.channels, height, width];
        Tensor::from_data(TensorData::new(planes.to_vec(), shape), device)
    }

    fn references<B: HistogramBackend>(
        &self,
        losses: &HistogramLosses,
        device: &B::Device,
    ) -> Vec<f32> {
        values(losses.histograms(self.tensor::<B>(&self.reference, device)))
    }
}

/// Images from one colour space to another.
fn convert(from: ColourSpace, to: ColourSpace, planes: &[f32], size: ImageSize) -> Vec<f32> {
    if from == to {
        return planes.to_vec();
    }
    let pixels = size.pixels();
    let mut converted = planes.to_vec();
    for image in converted.chunks_exact_mut(from.channels() * pixels) {
        for i in 0..pixels {
            let channels = [0, 1, 2].map(|c| image[c * pixels + i]);
            // To bytes' scale, not clipped.
            let rgb = from
                .decode_pixel(channels)
                .map(|value| (value + 1.0) * 127.5);
            for (c, value) in to.encode_pixel(rgb).into_iter().enumerate() {
                image[c * pixels + i] = value;
            }
        }
    }
    converted
}

/// Writes a [`Comparison`] as JSON, aside and then in its place; into a pipe or a device as it is.
///
/// # Errors
///
/// [`TaskError::Unwritten`].
pub fn write_json(comparison: &Comparison, path: &Path) -> Result<(), TaskError> {
    let text = format!("{:#}\n", comparison.to_json());
    files::write_named(path, text.as_bytes())
}

/// Writes a contact sheet as PNG, aside and then in its place; into a pipe or a device as it is.
///
/// # Errors
///
/// [`TaskError::Unwritten`].
pub fn write_sheet(sheet: &RgbImage, path: &Path) -> Result<(), TaskError> {
    files::write_named(path, &samples::png(sheet, path)?)
}
