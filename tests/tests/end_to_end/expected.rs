//! What a run's generator makes of images, for other programs to be compared with.

use burn::tensor::{Int, Tensor, TensorData};
use burn_flex::Flex;
use huenet_models::{Conditioning, Generator, Pass};
use huenet_tasks::{Checkpoint, Recipe};
use image::{Rgb, RgbImage};
use serde_json::{Value, json};

use crate::support::{Place, names};

/// Photographs of a width and a height; each seed gives others.
pub(crate) fn photographs(count: u32, [width, height]: [u32; 2], seed: u32) -> Vec<RgbImage> {
    (0..count)
        .map(|number| photograph(width, height, seed + 10 * number))
        .collect()
}

/// A photograph of sorts: smooth, with edges and noise, in 8 bits.
fn photograph(width: u32, height: u32, seed: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let noise = (x * 73 + y * 179 + seed * 31) % 23;
        let wave = |phase: f32| {
            let (x, y, seed) = (x as f32, y as f32, seed as f32);
            (x / 9.0 + phase + seed).sin() * (y / 13.0 - phase * seed).cos()
        };
        let dark = if (x + 2 * y) % 41 < 7 { 0.4 } else { 1.0 };
        Rgb([0.3, 1.1, 2.2].map(|phase| ((wave(phase) * 100.0 + 128.0) * dark) as u8 + noise as u8))
    })
}

/// Several images as networks see them, one after the other.
struct Images {
    shape: [usize; 4],
    values: Vec<f32>,
}

impl Images {
    fn of(recipe: &Recipe, images: &[RgbImage]) -> Self {
        let colour = recipe.colour();
        let encoded = images.iter().map(|image| colour.encode(image).unwrap());
        let values: Vec<f32> = encoded.flat_map(|image| image.planes().to_vec()).collect();
        let (width, height) = images[0].dimensions();
        let sides = [height, width].map(|side| side as usize);
        Self {
            shape: [images.len(), colour.channels(), sides[0], sides[1]],
            values,
        }
    }

    fn tensor(&self) -> Tensor<Flex, 4> {
        let data = TensorData::new(self.values.clone(), self.shape);
        Tensor::from_data(data, &Default::default())
    }

    /// The pixels in each bin, `[batch, channels, bins]`, as many as of images of the configured size if the
    /// generator looks counts up.
    fn counts(&self, recipe: &Recipe) -> Tensor<Flex, 3, Int> {
        let [batch, channels, height, width] = self.shape;
        let bins = recipe.preprocessing().counts;
        let counts = self.values.chunks(height * width);
        let counts = counts.flat_map(|plane| bins.count(plane));
        let size = recipe.preprocessing().size;
        let looked_up = recipe.settings().conditioning == Conditioning::Counts;
        let share = size.pixels() as f64 / (height * width) as f64;
        let configured = |count: u32| match looked_up {
            true => (f64::from(count) * share).round_ties_even() as i32,
            false => count as i32,
        };
        let counts: Vec<i32> = counts.map(configured).collect();
        let data = TensorData::new(counts, [batch, channels, bins.bins()]);
        Tensor::from_data(data, &Default::default())
    }

    fn saved(&self, place: &Place) -> Value {
        let bytes: Vec<u8> = self.values.iter().flat_map(|x| x.to_le_bytes()).collect();
        let name = format!("images-{}.f32", names(place.root()).len());
        json!({ "path": place.write(&name, &bytes), "shape": self.shape })
    }
}

/// A run's generator, and the place for what it makes.
pub(crate) struct Expected<'a> {
    place: &'a Place,
    recipe: Recipe,
    generator: Generator<Flex>,
}

impl<'a> Expected<'a> {
    pub(crate) fn of(place: &'a Place, run: &str) -> Self {
        let checkpoint = Checkpoint::newest(&place.run(run)).unwrap();
        let (generator, _) = checkpoint.networks(&Default::default()).unwrap();
        Self {
            place,
            recipe: Recipe::new(checkpoint.settings().clone()).unwrap(),
            generator,
        }
    }

    /// Contents, references, and what comes of them, in files: of each its path and its shape. One reference may
    /// stand for all.
    pub(crate) fn case(&self, content: &[RgbImage], reference: &[RgbImage]) -> Value {
        let [content, reference] =
            [content, reference].map(|images| Images::of(&self.recipe, images));
        let each = content.shape[0] / reference.shape[0];
        let counts = reference.counts(&self.recipe).repeat_dim(0, each);
        let generator = &self.generator;
        let output = generator.forward(content.tensor(), counts, &mut Pass::inference());
        let output = self.recipe.shown(output);
        let expected = Images {
            shape: output.dims(),
            values: output.into_data().iter().collect(),
        };
        json!({
            "content": content.saved(self.place),
            "reference": reference.saved(self.place),
            "expected": expected.saved(self.place),
        })
    }
}
