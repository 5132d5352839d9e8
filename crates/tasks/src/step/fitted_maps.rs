//! Colour maps that are fitted to each pair before the generator changes them.

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use huenet_data::{Batch, ColourSpace, Image, ImageSize, PairFit};
use huenet_models::{FittedMaps, MAPS_GRID};
use nalgebra::Matrix4;

use crate::settings::Task;
use crate::step::ssim_loss::luma;
use crate::transfer::{FitOptions, Grid, LocalMaps, Sample, TransferError};

/// Values of a map.
const VALUES: usize = LocalMaps::VALUES;

const LEVELS: usize = MAPS_GRID[0];
const ROWS: usize = MAPS_GRID[1];
const COLUMNS: usize = MAPS_GRID[2];

/// The longest side of what is looked at: a cell tells of many pixels even of such an image, and the fit of a training
/// pair is used once.
const WORKING_SIDE: usize = 64;

/// More than the default of one fit, because further fits bring the colours as near with gentler maps.
const SMOOTHNESS: f64 = 2.0;

/// How often maps are fitted, each time to what the last ones still lack.
const REPEATS: usize = 3;

/// Fits local colour maps to pairs of images in a colour space.
#[derive(Clone, Debug)]
pub(crate) struct MapsFit {
    colour: ColourSpace,
    options: FitOptions,
    /// Whether content or reference is grey. Then there are no colours to map, and the maps add the chroma of each luma.
    grey: bool,
}

impl MapsFit {
    /// For the images of `task` in this space, which has three channels.
    pub(crate) fn new(task: Task, colour: ColourSpace) -> Self {
        let options = || -> Result<FitOptions, TransferError> {
            let options = FitOptions::default()
                .with_working_side(WORKING_SIDE)?
                .with_smoothness(SMOOTHNESS)?
                .with_repeats(REPEATS)?;
            Ok(options.with_grid(Grid::new(COLUMNS, ROWS, LEVELS)?))
        };
        Self {
            colour,
            options: options().expect("constants that a fit takes"),
            grey: task == Task::Colorization,
        }
    }

    /// The maps for a pair, in the colour space.
    ///
    /// # Shapes
    ///
    /// - output: `[12, levels, rows, columns]`
    pub(crate) fn maps(&self, content: &Sample, reference: &Sample) -> Vec<f32> {
        let fitted = match self.grey {
            true => LocalMaps::colouring(reference, self.options.grid()),
            false => LocalMaps::fit(content, reference, &self.options),
        };
        let cells = fitted.grid().cells();
        let basis = Basis::of(self.colour);
        let mut maps = vec![0.0; cells * VALUES];
        for (cell, map) in fitted.maps().as_chunks().0.iter().enumerate() {
            for (i, value) in basis.in_space(map).into_iter().enumerate() {
                maps[i * cells + cell] = value;
            }
        }
        maps
    }

    /// Maps of the colour space as those of a photograph.
    ///
    /// # Shapes
    ///
    /// - `maps`: `[12, levels, rows, columns]`
    ///
    /// # Errors
    ///
    /// [`TransferError::Maps`] if a value is not finite, or there are too few or too many.
    pub(crate) fn for_photograph(&self, maps: &[f32]) -> Result<LocalMaps, TransferError> {
        let cells = maps.len() / VALUES;
        let basis = Basis::of(self.colour);
        let map = |cell: usize| basis.in_rgb(&std::array::from_fn(|i| maps[i * cells + cell]));
        LocalMaps::new(self.options.grid(), (0..cells).flat_map(map).collect())
    }

    /// What a fit looks at of an image in the colour space. A value that is no number is black.
    ///
    /// # Shapes
    ///
    /// - `planes`: `[3, height, width]`
    pub(crate) fn sample(&self, size: ImageSize, planes: &[f32]) -> Sample {
        let pixels = size.pixels();
        let colour = |i: usize| {
            let rgb = self
                .colour
                .decode_pixel([0, 1, 2].map(|c| planes[c * pixels + i]));
            let rgb = rgb.map(|value| (value + 1.0) / 2.0);
            rgb.map(|value| if value.is_finite() { value } else { 0.0 })
        };
        let colours = (0..pixels).map(colour).collect();
        Sample::new(size.width(), size.height(), colours)
            .expect("finite colours, as many as pixels")
    }
}

impl PairFit for MapsFit {
    fn fit(&self, content: &Image, reference: &Image) -> Vec<f32> {
        let [content, reference] =
            [content, reference].map(|image| self.sample(image.size(), image.planes()));
        self.maps(&content, &reference)
    }
}

/// The maps that were fitted to a batch, for the generator. If the batch's dataset fitted none, they are fitted here,
/// on the host.
pub(crate) fn fitted_maps<B: Backend>(fit: &MapsFit, batch: &Batch<B>) -> FittedMaps<B> {
    let [count, ..] = batch.content.dims();
    let maps = match &batch.fitted {
        Some(maps) => maps.clone(),
        None => fitted_here(fit, batch),
    };
    // Luma in [-1, 1], as everything that the networks see.
    let luma = luma(fit.colour, batch.content.clone());
    FittedMaps {
        maps: maps.reshape([count, VALUES, LEVELS, ROWS, COLUMNS]),
        luma: luma.add_scalar(1.0).div_scalar(2.0),
    }
}

fn fitted_here<B: Backend>(fit: &MapsFit, batch: &Batch<B>) -> Tensor<B, 2> {
    let [count, channels, height, width] = batch.content.dims();
    let size = ImageSize::new(height, width).expect("a tensor of an image's size");
    let [contents, references] = [&batch.content, &batch.reference].map(|images| {
        let values: Vec<f32> = images.clone().into_data().iter::<f32>().collect();
        let images = values.chunks_exact(channels * size.pixels());
        let samples: Vec<Sample> = images.map(|planes| fit.sample(size, planes)).collect();
        samples
    });
    let pairs = contents.iter().zip(&references);
    let maps: Vec<f32> = pairs
        .flat_map(|(content, reference)| fit.maps(content, reference))
        .collect();
    let data = TensorData::new(maps, [count, VALUES * LEVELS * ROWS * COLUMNS]);
    Tensor::from_data(data, (&batch.content.device(), batch.content.dtype()))
}

/// From red, green and blue in [0, 1] to a colour space of the networks, and back: an affine map and its inverse.
struct Basis {
    there: Matrix4<f64>,
    back: Matrix4<f64>,
}

impl Basis {
    fn of(colour: ColourSpace) -> Self {
        let encoded = |rgb: [f32; 3]| colour.encode_pixel(rgb).map(f64::from);
        let black = encoded([0.0; 3]);
        let there = Matrix4::from_fn(|row, column| match (row, column) {
            (3, 3) => 1.0,
            (3, _) => 0.0,
            (_, 3) => black[row],
            _ => {
                let mut only = [0.0; 3];
                only[column] = 255.0;
                encoded(only)[row] - black[row]
            }
        });
        let back = there
            .try_inverse()
            .expect("a space of three channels tells all colours apart");
        Self { there, back }
    }

    /// A map of red, green and blue, as one of the space's channels.
    fn in_space(&self, map: &[f32; VALUES]) -> [f32; VALUES] {
        between(&self.there, map, &self.back)
    }

    /// A map of the space's channels, as one of red, green and blue.
    fn in_rgb(&self, map: &[f32; VALUES]) -> [f32; VALUES] {
        between(&self.back, map, &self.there)
    }
}

/// `first`, then the map, then `last`.
fn between(last: &Matrix4<f64>, map: &[f32; VALUES], first: &Matrix4<f64>) -> [f32; VALUES] {
    let map = Matrix4::from_fn(|row, column| match row {
        3 => f64::from(u8::from(column == 3)),
        _ => f64::from(map[4 * row + column]),
    });
    let all = last * map * first;
    std::array::from_fn(|i| all[(i / 4, i % 4)] as f32)
}

#[cfg(test)]
#[path = "fitted_maps_tests.rs"]
mod tests;
