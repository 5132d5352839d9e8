//! What a generator that changes fitted colour maps is given for a pair, to run it elsewhere.

use std::path::Path;

use huenet_data::Image;
use huenet_models::MAPS_GRID;
use safetensors::tensor::Dtype;

use crate::store::error::TaskError;
use crate::store::{files, tensors};
use crate::transfer::LocalMaps;

/// What a generator that changes fitted colour maps is given for a pair of photographs.
///
/// These are three of the inputs of the model that [`export`](crate::export) writes as ONNX, by the same names.
#[derive(Clone, Debug, PartialEq)]
pub struct MapsInput {
    pub(super) content: Image,
    pub(super) reference: Image,
    pub(super) maps: Vec<f32>,
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
    /// [`TaskError::Unwritten`] if it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), TaskError> {
        let [levels, rows, columns] = MAPS_GRID;
        let grid = vec![1, LocalMaps::VALUES, levels, rows, columns];
        let [content, reference] = [&self.content, &self.reference];
        let named = [
            ("content", image_shape(content).to_vec(), content.planes()),
            (
                "reference",
                image_shape(reference).to_vec(),
                reference.planes(),
            ),
            ("maps", grid, &self.maps),
        ];
        let bytes = named.each_ref().map(|(.., values)| -> Vec<u8> {
            values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect()
        });
        let named = named.into_iter().zip(&bytes);
        let named = named.map(|((name, shape, _), bytes)| (name, shape, &**bytes));
        let file = tensors::encode(path, Dtype::F32, named, None);
        files::write_named(path, &file.map_err(TaskError::of_named_file)?)
    }
}

/// The shape of a batch of one.
pub(super) fn image_shape(image: &Image) -> [usize; 4] {
    let size = image.size();
    [1, image.channels(), size.height(), size.width()]
}
