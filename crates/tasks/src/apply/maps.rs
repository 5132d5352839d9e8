//! Photographs by a generator that changes fitted colour maps.

use std::path::Path;

use burn::tensor::{Tensor, TensorData};
use huenet_data::{Batch, Image, ImageSize, Photograph};
use huenet_models::{MAPS_GRID, Pass};
use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, TensorView};

use super::frame::Frame;
use super::small_image::SmallImage;
use super::translator::Translator;
use crate::step::backend::TrainingBackend;
use crate::step::fitted_maps::{MapsFit, fitted_maps};
use crate::store::error::TaskError;
use crate::store::files;
use crate::transfer::{ColourMap, LocalMaps, Sample};

impl<B: TrainingBackend> Translator<B> {
    /// `content` by the maps that the generator makes of those that are fitted to it and `reference`. They are read at the
    /// photograph's own pixels.
    pub(super) fn by_maps(
        &self,
        content: &Photograph,
        reference: &Photograph,
        strength: f32,
    ) -> Result<Photograph, TaskError> {
        let mut result = content.clone();
        if strength == 0.0 {
            return Ok(result);
        }
        let (maps, gives) = (self.maps(content, reference)?, self.gives());
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
        let given = (self.generator.changes_maps()).then(|| self.given(content, reference));
        given.transpose()
    }

    fn given(&self, content: &Photograph, reference: &Photograph) -> Result<MapsInput, TaskError> {
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
        let fit = MapsFit::new(self.recipe.task(), colour);
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
    fn maps(&self, content: &Photograph, reference: &Photograph) -> Result<LocalMaps, TaskError> {
        let given = self.given(content, reference)?;
        let fit = MapsFit::new(self.recipe.task(), self.recipe.colour());
        let tensor = |image: &Image| {
            let data = TensorData::new(image.planes().to_vec(), shape(image));
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
        let fitted = fitted_maps(&fit, &batch);
        let mut pass = Pass::inference();
        let made = (self.generator).mapped(batch.content, batch.counts, fitted, &mut pass);
        let maps: Vec<f32> = made.maps.into_data().iter().collect();
        fit.for_photograph(&maps)
            .map_err(|_| TaskError::NonFiniteOutput {
                model: self.model.clone(),
            })
    }
}

/// What a generator that changes fitted colour maps is given for a pair of photographs.
///
/// These are three of the inputs of the model that [`export`](crate::export) writes as ONNX, by the same names.
#[derive(Clone, Debug, PartialEq)]
pub struct MapsInput {
    content: Image,
    reference: Image,
    maps: Vec<f32>,
}

impl MapsInput {
    /// The content at the network's size, `[3, height, width]`.
    pub fn content(&self) -> &Image {
        &self.content
    }

    /// The reference, prepared as in training, `[3, height, width]`.
    pub fn reference(&self) -> &Image {
        &self.reference
    }

    /// The maps that were fitted to both, in the colour space of the images.
    ///
    /// # Shapes
    ///
    /// `[12, levels, rows, columns]`, in a grid of [`MAPS_GRID`]; of each of three outputs,
    /// what multiplies the three channels and 1
    pub fn maps(&self) -> &[f32] {
        &self.maps
    }

    /// Writes a safetensors file with `content`, `reference` and `maps`, each a batch of one, of float32.
    ///
    /// # Errors
    ///
    /// [`TaskError::Write`] if it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), TaskError> {
        let [levels, rows, columns] = MAPS_GRID;
        let grid = vec![1, LocalMaps::VALUES, levels, rows, columns];
        let tensors = [
            (
                "content",
                shape(&self.content).to_vec(),
                self.content.planes(),
            ),
            (
                "reference",
                shape(&self.reference).to_vec(),
                self.reference.planes(),
            ),
            ("maps", grid, &self.maps[..]),
        ];
        let bytes = |values: &[f32]| -> Vec<u8> {
            values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect()
        };
        let tensors = tensors.map(|(name, shape, values)| (name, shape, bytes(values)));
        let views: Result<Vec<_>, _> = tensors
            .iter()
            .map(|(name, shape, bytes)| {
                let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
                view.map(|view| (*name, view))
            })
            .collect();
        let file = views.and_then(|views| safetensors::serialize(views, None));
        let fault = |error: SafeTensorError| {
            TaskError::write(path, std::io::Error::other(error.to_string())).of_named_file()
        };
        files::write_named(path, &file.map_err(fault)?)
    }
}

/// The shape of a batch of one.
fn shape(image: &Image) -> [usize; 4] {
    let size = image.size();
    [1, image.channels(), size.height(), size.width()]
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
