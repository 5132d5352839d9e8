//! A built-in dataset that needs no files and no download: 48 small scenes drawn by code (sunsets,
//! hills, flowers, shapes) and four photographs free of copyright.
//!
//! It is small: it shows that training works, and is not meant for comparisons. The photographs'
//! sources are listed in `assets/LICENSES.md`.

mod scenes;

use ::image::{ImageFormat, RgbImage, imageops};

use crate::{Collection, ImageSource, colour};

/// The seed of the demo set.
pub const SEED: u64 = 2023;

/// The number of drawn scenes for training.
const TRAIN: u64 = 40;
/// The number of drawn scenes that are held out.
const HELD_OUT: u64 = 8;

/// Photographs for training. The last one is held out.
const PHOTOS: [(&str, &[u8]); 4] = [
    ("chelsea.jpg", include_bytes!("../../assets/chelsea.jpg")),
    ("retina.jpg", include_bytes!("../../assets/retina.jpg")),
    ("rocket.jpg", include_bytes!("../../assets/rocket.jpg")),
    ("coffee.jpg", include_bytes!("../../assets/coffee.jpg")),
];

/// The demo set: 43 images for training, 9 held out.
pub fn collection() -> Collection {
    collection_of(|image| image)
}

/// The demo set as pix2pix pairs, for [`Pairing::SideBySide`](crate::Pairing::SideBySide): on the
/// left the dark edges of an image on white, on the right the image.
pub fn side_by_side() -> Collection {
    collection_of(|image| {
        let (width, height) = image.dimensions();
        let mut pair = RgbImage::new(2 * width, height);
        imageops::replace(&mut pair, &edges(&image), 0, 0);
        imageops::replace(&mut pair, &image, width.into(), 0);
        pair
    })
}

fn collection_of(prepare: impl Fn(RgbImage) -> RgbImage) -> Collection {
    let scene = |index| {
        let (kind, image) = scenes::draw(SEED, index);
        ImageSource::memory(format!("{kind}-{index:02}"), prepare(image))
    };
    let mut train: Vec<ImageSource> = (0..TRAIN).map(scene).collect();
    let mut held_out: Vec<ImageSource> = (TRAIN..TRAIN + HELD_OUT).map(scene).collect();
    let photos = PHOTOS.iter().filter_map(|&(name, bytes)| {
        // A test makes sure that all four can be decoded.
        let image = ::image::load_from_memory_with_format(bytes, ImageFormat::Jpeg).ok()?;
        Some(ImageSource::memory(name, prepare(image.into_rgb8())))
    });
    train.extend(photos);
    held_out.extend(train.pop());
    Collection::from_sources("the built-in demo set", train, held_out)
}

/// Edges by Sobel's operator on the grey image, thresholded: black on white.
fn edges(image: &RgbImage) -> RgbImage {
    const THRESHOLD: f32 = 90.0;
    let (width, height) = image.dimensions();
    RgbImage::from_fn(width, height, |x, y| {
        let at = |dx: i64, dy: i64| {
            let clamp = |at: u32, by: i64, edge: u32| {
                (i64::from(at) + by).clamp(0, i64::from(edge) - 1) as u32
            };
            colour::grey(
                image
                    .get_pixel(clamp(x, dx, width), clamp(y, dy, height))
                    .0
                    .map(f32::from),
            )
        };
        let across =
            at(1, -1) + 2.0 * at(1, 0) + at(1, 1) - at(-1, -1) - 2.0 * at(-1, 0) - at(-1, 1);
        let down = at(-1, 1) + 2.0 * at(0, 1) + at(1, 1) - at(-1, -1) - 2.0 * at(0, -1) - at(1, -1);
        let value = if across.hypot(down) > THRESHOLD {
            0
        } else {
            255
        };
        [value; 3].into()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{DataError, Phase};

    fn images(collection: &Collection, phase: Phase) -> Vec<(String, RgbImage)> {
        let load = |source: &ImageSource| {
            Ok::<_, DataError>((source.name().into_owned(), source.load()?.into_owned()))
        };
        collection
            .images(phase)
            .iter()
            .map(load)
            .collect::<Result<_, _>>()
            .expect("in memory")
    }

    #[test]
    fn every_image_is_there_once_and_always_the_same() {
        let collection = collection();
        let train = images(&collection, Phase::Train);
        let held_out = images(&collection, Phase::HeldOut);
        assert_eq!((train.len(), held_out.len()), (43, 9));
        let names: BTreeSet<_> = train
            .iter()
            .chain(&held_out)
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names.len(), 52);
        let pictures: BTreeSet<_> = train
            .iter()
            .chain(&held_out)
            .map(|(_, image)| image.as_raw())
            .collect();
        assert_eq!(pictures.len(), 52);
        assert_eq!(images(&super::collection(), Phase::Train), train);
    }

    #[test]
    fn scenes_have_contrast_and_their_palettes_differ() {
        let collection = collection();
        let mut hues = BTreeSet::new();
        for (name, image) in images(&collection, Phase::Train) {
            let mean: [f32; 3] = std::array::from_fn(|c| {
                image
                    .pixels()
                    .map(|pixel| f32::from(pixel.0[c]))
                    .sum::<f32>()
                    / (image.width() * image.height()) as f32
            });
            let deviation = (image.pixels())
                .map(|pixel| (colour::grey(pixel.0.map(f32::from)) - colour::grey(mean)).powi(2))
                .sum::<f32>()
                / (image.width() * image.height()) as f32;
            assert!(
                deviation.sqrt() > 15.0,
                "{name} has no contrast: {}",
                deviation.sqrt()
            );
            hues.insert(mean.map(|value| (value / 24.0) as u32));
        }
        assert!(hues.len() > 20, "{} mean colours", hues.len());
    }

    #[test]
    fn pairs_hold_edges_and_the_image() {
        let pairs = images(&side_by_side(), Phase::HeldOut);
        let whole = images(&collection(), Phase::HeldOut);
        for ((name, pair), (_, image)) in pairs.iter().zip(&whole) {
            let (width, height) = image.dimensions();
            assert_eq!(pair.dimensions(), (2 * width, height));
            let right = imageops::crop_imm(pair, width, 0, width, height).to_image();
            assert_eq!(&right, image, "{name}");
            let left = imageops::crop_imm(pair, 0, 0, width, height).to_image();
            let dark = left.pixels().filter(|pixel| pixel.0 == [0; 3]).count();
            let share = dark as f32 / (width * height) as f32;
            assert!(
                (0.005..0.5).contains(&share),
                "{name}: {share} of it is edges"
            );
        }
    }
}
