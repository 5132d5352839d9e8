use burn::tensor::backend::Backend;
use burn::tensor::{FloatDType, Int, Tensor, TensorData};

use crate::{ImageSize, Sample, SampleSources};

/// A batch on the host: N samples of equal size.
#[derive(Debug, Clone, Default)]
pub struct HostBatch {
    shape: [usize; 4],
    bins: usize,
    content: Vec<f32>,
    reference: Vec<f32>,
    counts: Vec<u32>,
    fitted: Vec<f32>,
    sources: Vec<SampleSources>,
}

impl HostBatch {
    /// Puts samples of one dataset together: their shapes agree, since one
    /// [`Preprocessing`](crate::Preprocessing) made them all.
    ///
    /// # Panics
    ///
    /// If their shapes differ, or the numbers of what was fitted.
    pub fn new(samples: Vec<Sample>) -> Self {
        let Some(first) = samples.first() else {
            return Self::default();
        };
        let (size, channels) = (first.content.size(), first.content.channels());
        let mut batch = Self {
            shape: [samples.len(), channels, size.height(), size.width()],
            bins: first.counts.len() / channels,
            ..Self::default()
        };
        let fitted = first.fitted.len();
        let values = samples.len() * channels * size.pixels();
        batch.content.reserve_exact(values);
        batch.reference.reserve_exact(values);
        for sample in samples {
            let shape = (sample.content.size(), sample.content.channels());
            assert_eq!(shape, (size, channels), "samples of one dataset");
            assert_eq!(sample.fitted.len(), fitted, "fitted to each pair alike");
            batch.content.extend_from_slice(sample.content.planes());
            batch.reference.extend_from_slice(sample.reference.planes());
            batch.counts.extend_from_slice(&sample.counts);
            batch.fitted.extend_from_slice(&sample.fitted);
            batch.sources.push(sample.sources);
        }
        batch
    }

    /// The number of samples N.
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Whether there is no sample. No batch of a loader is empty.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// N, channels, height and width.
    pub fn shape(&self) -> [usize; 4] {
        self.shape
    }

    /// The content images, `[N, channels, height, width]`.
    pub fn content(&self) -> &[f32] {
        &self.content
    }

    /// The colour references, `[N, channels, height, width]`.
    pub fn reference(&self) -> &[f32] {
        &self.reference
    }

    /// The references' hard histograms, `[N, channels, K]`, in pixels.
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// What was fitted to each pair, `[N, values]`; empty if nothing was.
    pub fn fitted(&self) -> &[f32] {
        &self.fitted
    }

    /// Where each sample comes from.
    pub fn sources(&self) -> &[SampleSources] {
        &self.sources
    }

    /// The batch as tensors of the device's default types.
    pub fn to_tensors<B: Backend>(&self, device: &B::Device) -> Batch<B> {
        let [n, channels, ..] = self.shape;
        let float = |values: &[f32]| {
            Tensor::from_data(TensorData::new(values.to_vec(), self.shape), device)
        };
        // Pixel counts are at most `ImageSize::MAX_PIXELS`, far below the end of i32.
        const { assert!(ImageSize::MAX_PIXELS <= i32::MAX as usize) };
        let counts: Vec<i32> = self.counts.iter().map(|&count| count as i32).collect();
        Batch {
            content: float(&self.content),
            reference: float(&self.reference),
            counts: Tensor::from_data(TensorData::new(counts, [n, channels, self.bins]), device),
            fitted: self
                .fitted_data()
                .map(|data| Tensor::from_data(data, device)),
        }
    }

    /// What was fitted, if anything was.
    fn fitted_data(&self) -> Option<TensorData> {
        let values = self.fitted.len().checked_div(self.len())?;
        let shape = [self.len(), values];
        (values > 0).then(|| TensorData::new(self.fitted.clone(), shape))
    }

    /// The batch as tensors, the images and what was fitted of the given type.
    pub fn to_tensors_as<B: Backend>(&self, device: &B::Device, dtype: FloatDType) -> Batch<B> {
        let float = |values: &[f32]| {
            let data = TensorData::new(values.to_vec(), self.shape);
            Tensor::from_data(data, (device, dtype.into()))
        };
        Batch {
            content: float(&self.content),
            reference: float(&self.reference),
            fitted: (self.fitted_data())
                .map(|data| Tensor::from_data(data, (device, dtype.into()))),
            ..self.to_tensors(device)
        }
    }
}

/// A batch as tensors on a device.
#[derive(Debug, Clone)]
pub struct Batch<B: Backend> {
    /// The content images, `[N, channels, height, width]`, about [−1, 1].
    pub content: Tensor<B, 4>,
    /// The colour references, `[N, channels, height, width]`, about [−1, 1].
    pub reference: Tensor<B, 4>,
    /// The references' hard histograms, `[N, channels, K]`: pixels in each bin, 0 to
    /// height · width.
    pub counts: Tensor<B, 3, Int>,
    /// What the dataset's [`PairFit`](crate::PairFit) made of each pair, `[N, values]`, if it has one.
    pub fitted: Option<Tensor<B, 2>>,
}
