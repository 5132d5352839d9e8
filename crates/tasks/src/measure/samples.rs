//! Sample grids: content, reference and output side by side, a row for each image.

use std::path::Path;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use huenet_data::{Batch, ImageSize, RgbImage};
use image::imageops;

use crate::step::recipe::Recipe;
use crate::store::error::TaskError;
use crate::store::files;

/// Pixels between the images of a grid.
const GUTTER: u32 = 4;

/// Images are enlarged by a whole factor until they are at least this high.
const LEGIBLE: u32 = 128;

/// The grid of a batch and what the generator made of it.
///
/// # Shapes
///
/// `output`: `[batch, channels, height, width]`, as the batch's own images.
///
/// # Errors
///
/// [`TaskError::Data`] if the images have other channels than the recipe's.
pub fn grid<B: Backend>(
    recipe: &Recipe,
    batch: &Batch<B>,
    output: Tensor<B, 4>,
) -> Result<RgbImage, TaskError> {
    let columns = [batch.content.clone(), batch.reference.clone(), output];
    let [rows, _, height, width] = columns[0].dims();
    let (height, width) = (height as u32, width as u32);
    let factor = LEGIBLE.div_ceil(height);
    let (tile_height, tile_width) = (height * factor, width * factor);
    let mut grid = RgbImage::from_pixel(
        3 * (tile_width + GUTTER) - GUTTER,
        rows as u32 * (tile_height + GUTTER) - GUTTER,
        image::Rgb([255; 3]),
    );
    for (column, images) in columns.into_iter().enumerate() {
        for (row, image) in to_rgb(recipe, images)?.into_iter().enumerate() {
            let tile = imageops::resize(
                &image,
                tile_width,
                tile_height,
                imageops::FilterType::Nearest,
            );
            let x = column as u32 * (tile_width + GUTTER);
            let y = row as u32 * (tile_height + GUTTER);
            imageops::replace(&mut grid, &tile, x.into(), y.into());
        }
    }
    Ok(grid)
}

/// Images of the networks' colour space as 8-bit RGB, clipped and truncated as the
/// official sample writer does.
///
/// # Shapes
///
/// `images`: `[batch, channels, height, width]`.
///
/// # Errors
///
/// [`TaskError::Data`] if the images have other channels than the recipe's.
pub fn to_rgb<B: Backend>(
    recipe: &Recipe,
    images: Tensor<B, 4>,
) -> Result<Vec<RgbImage>, TaskError> {
    let [_, channels, height, width] = images.dims();
    let size = ImageSize::new(height, width)?;
    let values: Vec<f32> = images.into_data().iter::<f32>().collect();
    values
        .chunks_exact(channels * size.pixels())
        .map(|planes| Ok(recipe.colour().decode(planes, size)?))
        .collect()
}

/// Writes an image as PNG.
pub(crate) fn save(image: &RgbImage, path: &Path) -> Result<(), TaskError> {
    files::write_atomically(path, &png(image, path)?)
}

/// An image as PNG, to be written to `path`.
pub(crate) fn png(image: &RgbImage, path: &Path) -> Result<Vec<u8>, TaskError> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image
        .write_to(&mut bytes, image::ImageFormat::Png)
        .map_err(|error| TaskError::write(path, std::io::Error::other(error)))?;
    Ok(bytes.into_inner())
}
