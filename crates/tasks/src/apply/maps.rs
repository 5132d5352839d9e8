//! Photographs by a generator that changes fitted colour maps.

use burn::tensor::{Tensor, TensorData};
use huenet_data::{Batch, Image, ImageSize, Photograph};
use huenet_models::Pass;

use super::frame::Frame;
use super::maps_input::{MapsInput, image_shape};
use super::small_image::SmallImage;
use super::translator::Translator;
use crate::step::backend::TrainingBackend;
use crate::step::fitted_maps::{MapsFit, fitted_maps};
use crate::store::error::TaskError;
use crate::transfer::{ColourMap, LocalMaps, Sample};

impl<B: TrainingBackend> Translator<B> {
    /// `content` by the maps that the generator makes of those that are fitted to it and `reference`. They are read at the
    /// photograph's own pixels.
    pub(super) fn by_maps(
        &self,
        fit: &MapsFit,
        content: &Photograph,
        reference: &Photograph,
        strength: f32,
    ) -> Result<Photograph, TaskError> {
        let mut result = content.clone();
        if strength == 0.0 {
            return Ok(result);
        }
        let (maps, gives) = (self.maps(fit, content, reference)?, self.gives());
        let height = content.height();
        result.map_rows(|row, pixels| {
            let mut made = pixels.to_vec();
            for colour in &mut made {
                *colour = gives.given(*colour);
            }
            maps.map_row(row, height, &mut made);
            for (pixel, made) in pixels.iter_mut().zip(made) {
                *pixel = gives.mixed(*pixel, made, strength);
            }
        });
        Ok(result)
    }

    /// What the network is given for a pair of photographs, to run an exported generator elsewhere. `None` if it does
    /// not change fitted maps.
    ///
    /// # Errors
    ///
    /// [`TaskError`] if the network's size is none that images have.
    pub fn maps_input(
        &self,
        content: &Photograph,
        reference: &Photograph,
    ) -> Result<Option<MapsInput>, TaskError> {
        let fit = self.recipe.maps_fit();
        fit.map(|fit| self.given(&fit, content, reference))
            .transpose()
    }

    fn given(
        &self,
        fit: &MapsFit,
        content: &Photograph,
        reference: &Photograph,
    ) -> Result<MapsInput, TaskError> {
        let preprocessing = self.recipe.preprocessing();
        let (colour, size) = (preprocessing.colour, preprocessing.size);
        // All of it, as in training: the grid lies on the edges of the photograph, whatever its proportions.
        let gives = self.gives();
        let seen = squeezed(content, size).each(|colour| gives.given(colour));
        let sides = [size.height(), size.width()];
        let frame = Frame {
            inner: sides,
            outer: sides,
        };
        let image = frame.filled(&seen, colour)?;
        let reference = self.prepared(reference);
        let sample = fit.sample(size, image.planes());
        let maps = fit.maps(
            &without_transparent(sample, content),
            &fit.sample(size, reference.planes()),
        );
        Ok(MapsInput {
            content: image,
            reference,
            maps,
        })
    }

    /// The fitted maps, changed.
    fn maps(
        &self,
        fit: &MapsFit,
        content: &Photograph,
        reference: &Photograph,
    ) -> Result<LocalMaps, TaskError> {
        let given = self.given(fit, content, reference)?;
        let tensor = |image: &Image| {
            let data = TensorData::new(image.planes().to_vec(), image_shape(image));
            Tensor::<B, 4>::from_data(data, &self.device)
        };
        let values = given.maps.len();
        let fitted = TensorData::new(given.maps, [1, values]);
        let batch = Batch {
            content: tensor(&given.content),
            reference: tensor(&given.reference),
            counts: self.counts(&given.reference),
            fitted: Some(Tensor::from_data(fitted, &self.device)),
        };
        let fitted = fitted_maps(fit, &batch);
        let mut pass = Pass::inference();
        let made = (self.generator).mapped(batch.content, batch.counts, fitted, &mut pass);
        let maps: Vec<f32> = made.maps.into_data().iter().collect();
        fit.for_photograph(&maps)
            .map_err(|_| TaskError::NonFiniteOutput {
                model: self.model.clone(),
            })
    }
}

/// The sample in which pixels count by the opacity of `photograph`; if none is to be seen, all alike.
fn without_transparent(sample: Sample, photograph: &Photograph) -> Sample {
    let [width, height] = narrowed(photograph, [sample.width(), sample.height()]);
    let Some(opacity) = photograph.reduced_alpha(width, height) else {
        return sample;
    };
    let opacity = opacity.into_iter().map(|alpha| [alpha]).collect();
    let opacity = SmallImage::new(width, height, opacity).enlarged(sample.width(), sample.height());
    let mask = opacity.values().iter().map(|[alpha]| alpha.clamp(0.0, 1.0));
    sample.clone().with_mask(mask.collect()).unwrap_or(sample)
}

/// A photograph at a size of other proportions.
fn squeezed(photograph: &Photograph, size: ImageSize) -> SmallImage<3> {
    let [width, height] = narrowed(photograph, [size.width(), size.height()]);
    let narrow = SmallImage::new(width, height, photograph.reduced(width, height));
    narrow.enlarged(size.width(), size.height())
}

/// Width and height to which a photograph is reduced before it is enlarged to `[width, height]`.
fn narrowed(photograph: &Photograph, [width, height]: [usize; 2]) -> [usize; 2] {
    [
        photograph.width().min(width),
        photograph.height().min(height),
    ]
}
