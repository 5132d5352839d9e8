//! A trained generator for photographs.

use std::path::{Path, PathBuf};

use burn::tensor::{Int, Tensor, TensorData};
use huenet_data::{Direction, Image, Pairing, Photograph};
use huenet_models::{Generator, Pass};

use super::frame::Frame;
use super::full_size::{Gives, Small};
use super::model::Model;
use super::small_image::SmallImage;
use crate::step::backend::TrainingBackend;
use crate::step::recipe::Recipe;
use crate::store::error::TaskError;

/// How a photograph is translated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TranslateOptions {
    /// How far the result goes from the content, 0, to the network's result, 1. Values outside are clipped, and NaN
    /// counts as 0.
    pub strength: f32,
}

impl Default for TranslateOptions {
    /// All of the network's result.
    fn default() -> Self {
        Self { strength: 1.0 }
    }
}

/// A trained generator that translates photographs of any size and proportions.
///
/// The network works at its own size. The content is scaled to fit into it, with its proportions, and sides
/// are filled up by mirroring to what the network needs. The reference is prepared as in training: the network
/// learns only of its colours. Each photograph is translated by itself, with running statistics and without
/// dropout whatever the run's `sample_mode` is: a batch of one has no statistics of its own at the bottleneck.
/// So the same photographs always give the same result.
///
/// What the network made is then brought to the content's size:
///
/// - For color_transfer, a guided filter changes the colours of the content's own pixels, and what is still missing
///   from the network's colours is added.
/// - For colorization it does so with chroma; the luma is that of the content. The content may have colours; they
///   are not used.
/// - For edges2photos, the result is the network's image, enlarged.
///
/// A content that is not larger than the network gets the network's image, reduced. Alpha stays as it is.
///
/// With `prediction` local_maps the network is given all of the content, squeezed into its size as in training. Maps are
/// fitted to it and the reference, changed by the network, and read at the content's own pixels: there is
/// nothing to enlarge. For colorization the luma still is that of the content.
///
/// # Example
///
/// ```no_run
/// use burn_flex::Flex;
/// use huenet_data::{Photograph, WriteOptions};
/// use huenet_tasks::{TranslateOptions, Translator};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let translator = Translator::<Flex>::open("runs/latest".as_ref(), &Default::default())?;
/// let content = Photograph::read("content.jpg".as_ref())?;
/// let reference = Photograph::read("reference.jpg".as_ref())?;
/// let result = translator.translate(&content, &reference, &TranslateOptions::default())?;
/// result.write("result.png".as_ref(), &WriteOptions::default())?;
/// # Ok(())
/// # }
/// ```
pub struct Translator<B: TrainingBackend> {
    pub(super) recipe: Recipe,
    pub(super) generator: Generator<B>,
    pub(super) device: B::Device,
    /// Where it comes from, for messages.
    pub(super) model: PathBuf,
}

impl<B: TrainingBackend> Translator<B> {
    /// Opens the [`Model`] at a path and loads its generator.
    ///
    /// # Errors
    ///
    /// Those of [`Model::open`] and [`new`](Self::new).
    pub fn open(model: &Path, device: &B::Device) -> Result<Self, TaskError> {
        Self::new(&Model::open(model)?, device)
    }

    /// The generator of a model, on a device. It has the average of its weights, if one was kept.
    ///
    /// # Errors
    ///
    /// [`TaskError::Settings`] if the settings do not fit this version, [`TaskError::DamagedCheckpoint`] or
    /// [`TaskError::UnusableExport`] if the weights cannot be read.
    pub fn new(model: &Model, device: &B::Device) -> Result<Self, TaskError> {
        let recipe = Recipe::new(model.settings().for_application())?;
        Ok(Self {
            generator: model.generator(&recipe, device)?,
            recipe,
            device: device.clone(),
            model: model.path().to_owned(),
        })
    }

    /// The settings that the generator was trained with, but for folders and the dataset.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// `content` as the network paints it with the colours of `reference`.
    ///
    /// # Memory
    ///
    /// Two copies of the content's samples, and a reference of 8 bits a sample.
    ///
    /// # Errors
    ///
    /// [`TaskError::NonFiniteOutput`] if the network gives a value that is not a finite number.
    pub fn translate(
        &self,
        content: &Photograph,
        reference: &Photograph,
        options: &TranslateOptions,
    ) -> Result<Photograph, TaskError> {
        let strength = options.strength.clamp(0.0, 1.0);
        let strength = if strength.is_nan() { 0.0 } else { strength };
        if let Some(fit) = self.recipe.maps_fit() {
            return self.by_maps(&fit, content, reference, strength);
        }
        Ok(self
            .small(content, reference)?
            .at_full_size(content, strength))
    }

    /// What the network sees of `content`, and what it makes of it.
    fn small(&self, content: &Photograph, reference: &Photograph) -> Result<Small, TaskError> {
        let (recipe, gives) = (&self.recipe, self.gives());
        let (colour, size) = (recipe.colour(), recipe.preprocessing().size);
        let frame = Frame::of(
            [content.height(), content.width()],
            size,
            1 << recipe.settings().depth,
        );
        let seen = scaled(content, frame.inner).each(|colour| gives.given(colour));
        let planes = frame.filled(&seen, colour)?;
        let [height, width] = frame.outer;
        let shape = [1, planes.channels(), height, width];
        let image = TensorData::new(planes.into_planes(), shape);
        let image = Tensor::<B, 4>::from_data(image, &self.device);
        let output = self.generator.forward(
            image,
            self.counts(&self.prepared(reference)),
            &mut Pass::inference(),
        );
        let output: Vec<f32> = recipe.shown(output).into_data().iter().collect();
        let output = frame.opened(&output, colour);
        Ok(Small {
            seen,
            output: output.ok_or_else(|| TaskError::NonFiniteOutput {
                model: self.model.clone(),
            })?,
            gives,
        })
    }

    pub(super) fn gives(&self) -> Gives {
        match self.recipe.pairing() {
            Pairing::SideBySide(_) => Gives::Picture,
            Pairing::GreyToColour(Direction::AToB) => Gives::Chroma,
            _ => Gives::Colours,
        }
    }

    /// The reference, prepared as in training.
    pub(super) fn prepared(&self, reference: &Photograph) -> Image {
        let preprocessing = self.recipe.preprocessing();
        let image = reference.to_rgb8();
        match self.recipe.pairing() {
            Pairing::GreyToColour(Direction::BToA) => preprocessing.apply_grey(&image),
            _ => preprocessing.apply(&image),
        }
    }

    /// How many of the prepared reference's pixels are in each bin, `[1, channels, K]`.
    pub(super) fn counts(&self, reference: &Image) -> Tensor<B, 3, Int> {
        let counts = self.recipe.preprocessing().count(reference).into_iter();
        let counts: Vec<i32> = counts.map(|count| count as i32).collect();
        let channels = reference.channels();
        let shape = [1, channels, counts.len() / channels];
        Tensor::from_data(TensorData::new(counts, shape), &self.device)
    }
}

/// A photograph at another size of its own proportions, `[height, width]`.
fn scaled(photograph: &Photograph, [height, width]: [usize; 2]) -> SmallImage<3> {
    let own = [photograph.height(), photograph.width()];
    if own[0] >= height && own[1] >= width {
        return SmallImage::new(width, height, photograph.reduced(width, height));
    }
    let image = SmallImage::new(own[1], own[0], photograph.reduced(own[1], own[0]));
    image.enlarged(width, height)
}

#[cfg(test)]
#[path = "translator_tests.rs"]
mod tests;
