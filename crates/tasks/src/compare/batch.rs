//! The images of a batch in the colours of the figures, and what each method makes of them.

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use huenet_data::{ColourSpace, HostBatch, ImageSize};
use huenet_hist::HistogramLoss;
use huenet_models::Generator;

use super::method::{Made, Method};
use super::pairs::Pairs;
use super::study::Study;
use crate::measure::figures::values;
use crate::measure::translate::translate;
use crate::step::backend::TrainingBackend;
use crate::step::recipe::Recipe;
use crate::store::error::TaskError;

/// The generators that are compared.
pub(super) struct Generators<B: TrainingBackend> {
    this: Generator<B>,
    other: Option<Generator<B>>,
}

impl<B: TrainingBackend> Generators<B> {
    /// Those of `study`.
    pub(super) fn of(study: &Study, device: &B::Device) -> Result<Self, TaskError> {
        let other = study.other.as_ref();
        let other = other.map(|other| other.checkpoint.networks::<B>(device));
        Ok(Self {
            this: study.checkpoint.networks::<B>(device)?.0,
            other: other.transpose()?.map(|(generator, _)| generator),
        })
    }
}

/// The images of a batch, and what the generators made of them, in the colours of the figures.
pub(super) struct Batch {
    pub(super) size: ImageSize,
    channels: usize,
    pub(super) content: Vec<f32>,
    pub(super) reference: Vec<f32>,
    generated: Vec<f32>,
    /// What the second generator made, if there is one.
    generated_by_other: Option<Vec<f32>>,
}

/// What a method made of each pair of a batch.
pub(super) struct Outputs(pub(super) Vec<Made>);

impl Outputs {
    pub(super) fn concat_planes(&self) -> Vec<f32> {
        self.0
            .iter()
            .flat_map(|made| made.planes.iter().copied())
            .collect()
    }
}

impl Batch {
    pub(super) fn make<B: TrainingBackend>(
        study: &Study,
        generators: &Generators<B>,
        number: usize,
        device: &B::Device,
    ) -> Result<Self, TaskError> {
        let host = read(&study.pairs, number)?;
        let generated = generate(&study.recipe, &generators.this, &host, number, device);
        let [_, channels, height, width] = host.shape();
        let size = ImageSize::new(height, width)?;
        let generated_by_other = match (&study.other, &generators.other) {
            (Some(other), Some(generator)) => {
                // Its own bins count the reference's values, and its own colour space has the images.
                let host = read(&other.pairs, number)?;
                let made = generate(&other.recipe, generator, &host, number, device);
                Some(convert(other.recipe.colour(), study.colour, &made, size))
            }
            _ => None,
        };
        let convert = |planes: &[f32]| convert(study.recipe.colour(), study.colour, planes, size);
        Ok(Self {
            size,
            channels,
            content: convert(host.content()),
            reference: convert(host.reference()),
            generated: convert(&generated),
            generated_by_other,
        })
    }

    /// What `method` makes of each pair.
    pub(super) fn by(&self, study: &Study, method: Method) -> Outputs {
        let generated = match method {
            Method::Generator => Some(&self.generated),
            Method::Other => self.generated_by_other.as_ref(),
            _ => None,
        };
        let apply = |[content, reference]: [&[f32]; 2]| {
            method.apply(study.colour, self.size, content, reference)
        };
        Outputs(match generated {
            Some(planes) => {
                let images = planes.chunks_exact(self.length());
                images
                    .map(|image| Made::of(study.colour, image.to_vec()))
                    .collect()
            }
            None => self.each().filter_map(apply).collect(),
        })
    }

    /// Content and reference of each pair.
    pub(super) fn each(&self) -> impl Iterator<Item = [&[f32]; 2]> {
        let [content, reference] =
            [&self.content, &self.reference].map(|planes| planes.chunks_exact(self.length()));
        content
            .zip(reference)
            .map(|(content, reference)| [content, reference])
    }

    /// The values of one image.
    fn length(&self) -> usize {
        self.channels * self.size.pixels()
    }

    pub(super) fn tensor<B: Backend>(&self, planes: &[f32], device: &B::Device) -> Tensor<B, 4> {
        let (height, width) = (self.size.height(), self.size.width());
        let count = planes.len() / self.length();
        let shape = [count, self.channels, height, width];
        Tensor::from_data(TensorData::new(planes.to_vec(), shape), device)
    }

    pub(super) fn references<B: TrainingBackend>(
        &self,
        loss: &HistogramLoss,
        device: &B::Device,
    ) -> Vec<f32> {
        values(loss.target_of_images(self.tensor::<B>(&self.reference, device)))
    }
}

fn read(pairs: &Pairs, number: usize) -> Result<HostBatch, TaskError> {
    pairs.read(&pairs.batches()[number])
}

/// What a generator makes of the images of batch `number`.
fn generate<B: TrainingBackend>(
    recipe: &Recipe,
    generator: &Generator<B>,
    host: &HostBatch,
    number: usize,
    device: &B::Device,
) -> Vec<f32> {
    let batch = host.to_tensors::<B>(device);
    values(translate(recipe, generator, &batch, number as u64))
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
