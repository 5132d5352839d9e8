//! The images of a batch in the colours of the figures, and what each method makes of them.

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use huenet_data::{ColourSpace, HostBatch, ImageSize};
use huenet_hist::HistogramLoss;
use huenet_models::Generator;

use super::method::{Made, Method};
use super::study::Study;
use crate::measure::figures::values;
use crate::measure::translate::translate;
use crate::step::backend::TrainingBackend;
use crate::store::error::TaskError;

/// The images of a batch, and what the generator made of them, in the colours of the figures.
pub(super) struct Batch {
    pub(super) size: ImageSize,
    channels: usize,
    pub(super) content: Vec<f32>,
    pub(super) reference: Vec<f32>,
    generated: Vec<f32>,
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
    pub(super) fn by(&self, study: &Study, method: Method) -> Outputs {
        let each = self.each();
        let made = each.map(|[content, reference, generated]| {
            method
                .apply(study.colour, self.size, content, reference)
                .unwrap_or_else(|| Made::of(study.colour, generated.to_vec()))
        });
        Outputs(made.collect())
    }

    /// Content, reference and what the generator made, of each pair.
    pub(super) fn each(&self) -> impl Iterator<Item = [&[f32]; 3]> {
        let length = self.channels * self.size.pixels();
        let [content, reference, generated] = [&self.content, &self.reference, &self.generated]
            .map(|planes| planes.chunks_exact(length));
        content
            .zip(reference)
            .zip(generated)
            .map(|((content, reference), generated)| [content, reference, generated])
    }

    pub(super) fn tensor<B: Backend>(&self, planes: &[f32], device: &B::Device) -> Tensor<B, 4> {
        let (height, width) = (self.size.height(), self.size.width());
        let count = planes.len() / (self.channels * self.size.pixels());
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
