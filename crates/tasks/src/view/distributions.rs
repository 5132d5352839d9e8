//! The histograms of a few images: what a page about a run draws.

use burn::tensor::Tensor;
use huenet_data::{Batch, HostBatch};
use huenet_hist::{HistogramBackend, JointHistogramConfig};

use crate::measure::figures::{channel_names, values};
use crate::step::recipe::Recipe;

/// Of how many images histograms are kept.
const IMAGES: usize = 4;

/// The most cells on a side of a joint histogram that is kept; finer ones are summed.
const JOINT_CELLS: usize = 64;

/// The histograms of the first images of a batch.
#[derive(Clone, Debug)]
pub struct Distributions {
    /// The ends of the histograms' range.
    pub range: [f64; 2],
    /// How many pixels each image has.
    pub pixels: usize,
    /// One for each image.
    pub images: Vec<ImageDistributions>,
}

/// The histograms of one image.
#[derive(Clone, Debug)]
pub struct ImageDistributions {
    /// The content image's name.
    pub content: String,
    /// The reference's name.
    pub reference: String,
    /// One for each channel.
    pub channels: Vec<ChannelDistributions>,
}

/// The soft histograms of one channel.
#[derive(Clone, Debug)]
pub struct ChannelDistributions {
    /// The channel's name.
    pub name: &'static str,
    /// Of the content image, `[K]`.
    pub content: Vec<f32>,
    /// Of the colour reference, `[K]`.
    pub reference: Vec<f32>,
    /// Of the output, `[K]`.
    pub output: Vec<f32>,
    /// The joint histogram of content (rows) and output (columns), summed to `cells × cells`.
    pub joint: Vec<f32>,
    /// The side of `joint`.
    pub cells: usize,
}

impl Distributions {
    /// The histograms of the first images of `batch`, of which `host` is the origin.
    ///
    /// # Shapes
    ///
    /// `output`: `[batch, channels, height, width]`, as the batch's own images.
    pub fn new<B: HistogramBackend>(
        recipe: &Recipe,
        host: &HostBatch,
        batch: &Batch<B>,
        output: Tensor<B, 4>,
    ) -> Self {
        let [all, channels, height, width] = output.dims();
        let count = IMAGES.min(all);
        let pixels = height * width;
        let first = |images: &Tensor<B, 4>| images.clone().narrow(0, 0, count);
        let [content, reference, output] = [&batch.content, &batch.reference, &output].map(first);
        let joint = JointHistogramConfig::new(recipe.bins(), recipe.kernel()).init();
        let flat = |images: &Tensor<B, 4>| images.clone().flatten::<3>(2, 3);
        let joint: Tensor<B, 4> = joint.forward(flat(&content), flat(&output));
        let joint = values(joint);
        let loss = recipe.histogram_loss();
        let marginals = [content, reference, output].map(|x| values(loss.target_of_images(x)));
        let bins = recipe.bins().count();
        let names = channel_names(recipe.colour());
        let channel = |image: usize, name: &'static str, c: usize| {
            let row = image * channels + c;
            let [content, reference, output] = marginals
                .each_ref()
                .map(|all| all[row * bins..(row + 1) * bins].to_vec());
            let (joint, cells) = coarse(&joint[row * bins * bins..(row + 1) * bins * bins], bins);
            ChannelDistributions {
                name,
                content,
                reference,
                output,
                joint,
                cells,
            }
        };
        let sources = host.sources().iter().take(count).enumerate();
        let images = sources.map(|(image, sources)| ImageDistributions {
            content: sources.content.name().into_owned(),
            reference: sources.reference.name().into_owned(),
            channels: names
                .iter()
                .enumerate()
                .map(|(c, name)| channel(image, name, c))
                .collect(),
        });
        Self {
            range: [recipe.bins().min(), recipe.bins().max()],
            pixels,
            images: images.collect(),
        }
    }
}

/// Sums the cells of a square table until it has at most [`JOINT_CELLS`] on a side.
fn coarse(table: &[f32], side: usize) -> (Vec<f32>, usize) {
    let by = side.div_ceil(JOINT_CELLS);
    let cells = side.div_ceil(by);
    let mut sums = vec![0.0; cells * cells];
    for (k, row) in table.chunks_exact(side).enumerate() {
        for (l, value) in row.iter().enumerate() {
            sums[k / by * cells + l / by] += value;
        }
    }
    (sums, cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coarse_table_keeps_the_mass_in_its_place() {
        let side = 130;
        let mut table = vec![0.0; side * side];
        (table[0], table[129 * side + 2], table[4 * side + 129]) = (1.0, 2.0, 4.0);
        let (coarse, cells) = coarse(&table, side);
        assert_eq!(cells, 44);
        assert_eq!(
            (coarse[0], coarse[43 * 44], coarse[44 + 43]),
            (1.0, 2.0, 4.0)
        );
        assert_eq!(coarse.iter().sum::<f32>(), 7.0);
    }
}
