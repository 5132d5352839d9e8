//! What a run's generator makes of images, for other programs to be compared with.

use burn::tensor::{Int, Tensor, TensorData};
use burn_flex::Flex;
use huenet_data::{ColourSpace, Image, ImageSize};
use huenet_models::{Conditioning, FittedMaps, Generator, MAPS_GRID, Pass, sliced};
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

    /// Luma from 0 to 1.
    fn luma(&self, recipe: &Recipe) -> Tensor<Flex, 4> {
        let luma = match recipe.colour() {
            ColourSpace::Rgb => {
                let weights = TensorData::new(vec![0.299_f32, 0.587, 0.114], [1, 3, 1, 1]);
                let weights = Tensor::from_data(weights, &Default::default());
                (self.tensor() * weights).sum_dim(1)
            }
            _ => self.tensor().narrow(1, 0, 1),
        };
        (luma + 1.0) / 2.0
    }

    /// The image of this number.
    fn image(&self, number: usize) -> Image {
        let [_, channels, height, width] = self.shape;
        let mut planes = self.values.chunks(channels * height * width);
        let size = ImageSize::new(height, width).unwrap();
        Image::new(size, channels, planes.nth(number).unwrap().to_vec()).unwrap()
    }

    fn saved(&self, place: &Place) -> Value {
        saved(place, &self.values, &self.shape)
    }
}

/// Numbers in a file.
fn saved(place: &Place, values: &[f32], shape: &[usize]) -> Value {
    let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
    let name = format!("images-{}.f32", names(place.root()).len());
    json!({ "path": place.write(&name, &bytes), "shape": shape })
}

impl From<Tensor<Flex, 4>> for Images {
    fn from(images: Tensor<Flex, 4>) -> Self {
        Self {
            shape: images.dims(),
            values: images.into_data().iter().collect(),
        }
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
        let expected = Images::from(self.recipe.shown(output));
        json!({
            "inputs": {
                "content": content.saved(self.place),
                "reference": reference.saved(self.place),
            },
            "expected": expected.saved(self.place),
        })
    }

    /// As [`case`](Self::case) for a generator that changes fitted maps: also the maps, and what the photographs
    /// become, which are the contents at any size.
    pub(crate) fn case_of_maps(
        &self,
        content: &[RgbImage],
        reference: &[RgbImage],
        photograph: &[RgbImage],
    ) -> Value {
        let [content, reference, photograph] =
            [content, reference, photograph].map(|images| Images::of(&self.recipe, images));
        let batch = content.shape[0];
        let each = batch / reference.shape[0];
        let fit = self.recipe.pair_fit().unwrap();
        let fitted =
            (0..batch).flat_map(|i| fit.fit(&content.image(i), &reference.image(i / each)));
        let fitted: Vec<f32> = fitted.collect();
        let [levels, rows, columns] = MAPS_GRID;
        let shape = [batch, 12, levels, rows, columns];
        let maps = TensorData::new(fitted.clone(), shape);
        let maps = FittedMaps {
            maps: Tensor::from_data(maps, &Default::default()),
            luma: content.luma(&self.recipe),
        };
        let counts = reference.counts(&self.recipe).repeat_dim(0, each);
        let mut pass = Pass::inference();
        let made = (self.generator).mapped(content.tensor(), counts, maps, &mut pass);
        let change: Vec<f32> = made.change.into_data().iter().collect();
        assert!(
            change.iter().any(|value| value.abs() > 0.01),
            "it changes nothing"
        );
        let output = sliced(
            made.maps,
            photograph.tensor(),
            photograph.luma(&self.recipe),
        );
        let expected = Images::from(self.recipe.shown(output));
        json!({
            "inputs": {
                "content": content.saved(self.place),
                "reference": reference.saved(self.place),
                "maps": saved(self.place, &fitted, &shape),
                "photograph": photograph.saved(self.place),
            },
            "expected": expected.saved(self.place),
        })
    }
}
