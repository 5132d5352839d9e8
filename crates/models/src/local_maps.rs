//! Affine colour maps in a bilateral grid, read at the pixels of an image.
//!
//! Maps are interpolated between the eight cells around a pixel. Over rows and columns the cells that a
//! pixel reads, and how much of each, are the same in every image: that is a product with a constant matrix
//! of two entries a row. Over levels it depends on the pixel's luma; there every cell gets its share, most of
//! them 0, so that what is computed is sums and products of whole planes on every backend.

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};

use crate::backend::NetworkBackend;
use crate::products::{matrix, product, product_of_two};

/// Levels, rows and columns of the grid that a generator changes.
pub const MAPS_GRID: [usize; 3] = [8, 8, 8];

/// Inputs of a map: three channels and 1.
const INPUTS: usize = 4;

/// Values of a map: three outputs from three channels and 1.
pub(crate) const VALUES: usize = 3 * INPUTS;

/// Maps that were fitted to content and reference, and what a pixel of the content chooses its level by.
#[derive(Debug, Clone)]
pub struct FittedMaps<B: Backend> {
    /// The maps, `[batch, 12, levels, rows, columns]`, as [`sliced`] has them.
    pub maps: Tensor<B, 5>,
    /// The content's luma, `[batch, 1, height, width]`, from 0, black, to 1, white.
    pub luma: Tensor<B, 4>,
}

/// An image that a generator made with changed maps.
#[derive(Debug, Clone)]
pub struct MappedImage<B: Backend> {
    /// What the maps make of the content, `[batch, 3, height, width]`.
    pub output: Tensor<B, 4>,
    /// The fitted maps and the change to them, `[batch, 12, levels, rows, columns]`.
    pub maps: Tensor<B, 5>,
    /// The change alone, of the same shape.
    pub change: Tensor<B, 5>,
}

/// An image in which each pixel's colour is that which its map makes of it. The map of a pixel is
/// interpolated between the eight cells around it, by its place in the image and its luma. The first and the last
/// cells of a side lie on the image's edges, and on black and white; the grid lies alike at every size.
///
/// # Shapes
/// - `maps`: `[batch, 12, levels, rows, columns]`; of each of three outputs, what multiplies the three channels
///   and 1
/// - `image`: `[batch, 3, height, width]`, any numbers
/// - `luma`: `[batch, 1, height, width]`, read as within [0, 1]
/// - output: `[batch, 3, height, width]`
///
/// # Panics
/// If the shapes differ from these.
///
/// Source: Chen, Paris and Durand, "Real-time edge-aware image processing with the bilateral grid", 2007.
pub fn sliced<B: NetworkBackend>(
    maps: Tensor<B, 5>,
    image: Tensor<B, 4>,
    luma: Tensor<B, 4>,
) -> Tensor<B, 4> {
    let [batch, values, levels, rows, columns] = maps.dims();
    let [images, channels, height, width] = image.dims();
    assert_eq!(
        ([batch, values, 3], luma.dims()),
        ([images, VALUES, channels], [images, 1, height, width]),
        "maps, images of three channels and their luma"
    );
    let (device, dtype) = (maps.device(), maps.dtype());
    let across = matrix::<B>(&places(width, columns), columns, dtype, &device).transpose();
    let down = matrix::<B>(&places(height, rows), rows, dtype, &device);
    let lines = maps.reshape([batch * values * levels * rows, columns]);
    let lines = product_of_two(lines, across, B::ROUNDS_PRODUCTS);
    let planes = lines.reshape([batch * values * levels, rows, width]);
    let planes = product(down.unsqueeze_dim::<3>(0), planes, B::ROUNDS_PRODUCTS);
    let planes = planes.reshape([batch, 3, INPUTS * levels, height * width]);

    // What each channel and 1 count at each level.
    let ones = image.ones_like().narrow(1, 0, 1);
    let inputs = Tensor::cat(vec![image, ones], 1);
    let inputs = inputs.unsqueeze_dim::<5>(2) * shares(luma, levels).unsqueeze_dim::<5>(1);
    let inputs = inputs.reshape([batch, 1, INPUTS * levels, height * width]);
    let output = (planes * inputs).sum_dim(2);
    output.reshape([batch, 3, height, width])
}

/// How much of each level a pixel reads.
///
/// # Shapes
/// - `luma`: `[batch, 1, height, width]`
/// - output: `[batch, levels, height, width]`, over the levels summing to 1
fn shares<B: Backend>(luma: Tensor<B, 4>, levels: usize) -> Tensor<B, 4> {
    let at = luma.clamp(0.0, 1.0).mul_scalar((levels - 1) as f64);
    let steps: Vec<f32> = (0..levels).map(|level| level as f32).collect();
    let data = TensorData::new(steps, [1, levels, 1, 1]);
    let steps = Tensor::from_data(data, (&at.device(), at.dtype()));
    let away = (at - steps).abs();
    away.neg().add_scalar(1.0).clamp_min(0.0)
}

/// Two cells of a side, or one twice, and how much of each is read.
type Row = Vec<(usize, f32)>;

/// What the centre of each of `pixels` pixels of a side reads of its `cells` cells, the first of which lies on
/// one edge and the last on the other.
fn places(pixels: usize, cells: usize) -> Vec<Row> {
    let place = |pixel: usize| {
        let at = (pixel as f32 + 0.5) / pixels as f32 * (cells - 1) as f32;
        let first = (at as usize).min(cells.saturating_sub(2));
        let share = at - first as f32;
        let next = (first + 1).min(cells - 1);
        vec![(first, 1.0 - share), (next, share)]
    };
    (0..pixels).map(place).collect()
}

/// What each of `cells` cells of a side is read from `pixels` pixels with: those around the cell, the nearer the
/// more. Where cells are further apart than pixels, all pixels between them count.
fn around(cells: usize, pixels: usize) -> Vec<Row> {
    let apart = |count: usize| 1.0 / count.max(1) as f32;
    let reach = apart(cells - 1).max(apart(pixels));
    let row = |cell: usize| {
        let at = cell as f32 * apart(cells - 1);
        let near = (0..pixels).map(|pixel| {
            let away = ((pixel as f32 + 0.5) / pixels as f32 - at).abs();
            (pixel, (1.0 - away / reach).max(0.0))
        });
        let near: Row = near.filter(|(_, weight)| *weight > 0.0).collect();
        let sum: f32 = near.iter().map(|(_, weight)| weight).sum();
        near.into_iter()
            .map(|(pixel, weight)| (pixel, weight / sum))
            .collect()
    };
    (0..cells).map(row).collect()
}

/// Features at the rows and columns of [`MAPS_GRID`], from features of any size.
///
/// # Shapes
/// - `features`: `[batch, channels, height, width]`
/// - output: `[batch, channels, rows, columns]`
pub(crate) fn at_cells<B: NetworkBackend>(features: Tensor<B, 4>) -> Tensor<B, 4> {
    let [batch, channels, height, width] = features.dims();
    let [_, rows, columns] = MAPS_GRID;
    let (device, dtype) = (features.device(), features.dtype());
    let across = matrix::<B>(&around(columns, width), width, dtype, &device).transpose();
    let down = matrix::<B>(&around(rows, height), height, dtype, &device);
    let lines = features.reshape([batch * channels * height, width]);
    let lines = product_of_two(lines, across, B::ROUNDS_PRODUCTS);
    let planes = lines.reshape([batch * channels, height, columns]);
    let planes = product(down.unsqueeze_dim::<3>(0), planes, B::ROUNDS_PRODUCTS);
    planes.reshape([batch, channels, rows, columns])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        Double, DoubleAutodiff, Flex, NdArray, check_input_gradient, largest_difference, values,
        waves, weighted_sum,
    };
    use burn::tensor::DType::{F32, F64};
    use rstest::rstest;

    /// By the definition, one pixel after the other.
    fn expected(
        maps: &[f64],
        [levels, rows, columns]: [usize; 3],
        image: &[f64],
        luma: &[f64],
        [height, width]: [usize; 2],
    ) -> Vec<f64> {
        let pixels = height * width;
        let near = |at: f64, cell: usize| (1.0 - (at - cell as f64).abs()).max(0.0);
        let mut output = vec![0.0; 3 * pixels];
        for (c, pixel) in (0..3).flat_map(|c| (0..pixels).map(move |pixel| (c, pixel))) {
            let at = |i: usize, length: usize, cells: usize| {
                (i as f64 + 0.5) / length as f64 * (cells - 1) as f64
            };
            let row = at(pixel / width, height, rows);
            let column = at(pixel % width, width, columns);
            let level = luma[pixel].clamp(0.0, 1.0) * (levels - 1) as f64;
            for k in 0..4 {
                let input = if k < 3 {
                    image[k * pixels + pixel]
                } else {
                    1.0
                };
                for l in 0..levels {
                    for r in 0..rows {
                        for q in 0..columns {
                            let value = maps[(((4 * c + k) * levels + l) * rows + r) * columns + q];
                            let share = near(level, l) * near(row, r) * near(column, q);
                            output[c * pixels + pixel] += share * value * input;
                        }
                    }
                }
            }
        }
        output
    }

    #[rstest]
    #[case([8, 8, 8], [9, 13])]
    #[case([3, 5, 4], [6, 4])]
    #[case([1, 1, 1], [2, 3])]
    #[case([2, 1, 3], [1, 1])]
    fn each_pixel_reads_the_eight_cells_around_it(
        #[case] grid: [usize; 3],
        #[case] size: [usize; 2],
    ) {
        let ([levels, rows, columns], [height, width]) = (grid, size);
        let maps = waves::<Double, 5>([2, 12, levels, rows, columns], F64, 0.3);
        let image = waves::<Double, 4>([2, 3, height, width], F64, 1.1);
        // Some are darker than black and some brighter than white.
        let luma = waves::<Double, 4>([2, 1, height, width], F64, 0.7) + 0.5;
        let found = values(sliced(maps.clone(), image.clone(), luma.clone()));
        let (maps, image, luma) = (values(maps), values(image), values(luma));
        for i in 0..2 {
            let of = |all: &[f64]| all[i * all.len() / 2..(i + 1) * all.len() / 2].to_vec();
            let expected = expected(&of(&maps), grid, &of(&image), &of(&luma), size);
            assert!(largest_difference(&of(&found), &expected) < 1e-5);
        }
    }

    #[test]
    fn every_backend_slices_alike() {
        fn slice<B: NetworkBackend>() -> Vec<f64> {
            let maps = waves::<B, 5>([2, 12, 8, 8, 8], F32, 0.3);
            let luma = waves::<B, 4>([2, 1, 12, 20], F32, 0.7);
            values(sliced(maps, waves([2, 3, 12, 20], F32, 1.1), luma))
        }
        assert!(largest_difference(&slice::<Flex>(), &slice::<NdArray>()) < 1e-5);
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let maps = || waves::<DoubleAutodiff, 5>([1, 12, 3, 2, 2], F64, 0.3);
        let image = || waves::<DoubleAutodiff, 4>([1, 3, 3, 4], F64, 1.1);
        let luma = || waves::<DoubleAutodiff, 4>([1, 1, 3, 4], F64, 0.7).abs();
        let of_maps = |maps| weighted_sum(sliced(maps, image(), luma()));
        check_input_gradient(maps(), of_maps, 1e-6);
        let of_image = |image| weighted_sum(sliced(maps(), image, luma()));
        check_input_gradient(image(), of_image, 1e-6);
    }

    #[rstest]
    #[case(1, 1)]
    #[case(2, 4)]
    #[case(8, 8)]
    #[case(16, 12)]
    fn cells_take_what_lies_around_them(#[case] height: usize, #[case] width: usize) {
        let shape = [1, 1, height, width];
        let level = Tensor::<Double, 4>::full(shape, 0.7, (&Default::default(), F64));
        assert!(
            values(at_cells(level))
                .iter()
                .all(|v| (v - 0.7).abs() < 1e-6)
        );
        // A ramp stays one, and does not leave its range.
        let ramp: Vec<f64> = (0..height * width).map(|i| (i % width) as f64).collect();
        let ramp = Tensor::from_data(TensorData::new(ramp, shape), (&Default::default(), F64));
        let cells = values(at_cells::<Double>(ramp));
        let [_, _, columns] = MAPS_GRID;
        let steps = cells[..columns].windows(2).map(|pair| pair[1] - pair[0]);
        assert!(steps.clone().all(|step| step >= 0.0), "{cells:?}");
        let first = cells[0] + (width - 1) as f64 - cells[columns - 1];
        assert!(first.abs() < 1.0, "both ends are alike: {cells:?}");
        assert!(cells[0] >= 0.0 && cells[columns - 1] <= (width - 1) as f64);
    }
}
