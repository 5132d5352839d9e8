//! The images that are compared, one by one: contents, references, and what each method made of them.

use std::path::Path;

use huenet_data::{ColourSpace, ImageSize, RgbImage};

use super::method::{Method, to_rgb};
use super::pairs::Pair;

/// The most letters of a file's name that the name of a picture repeats.
const LETTERS: usize = 48;

/// What is told while methods are compared.
#[derive(Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// An image is there.
    Made(Picture<'a>),
    /// So many pairs are measured.
    Done(usize),
}

/// An image that is compared.
#[derive(Debug)]
pub struct Picture<'a> {
    pub(super) name: String,
    pub(super) colour: ColourSpace,
    pub(super) planes: &'a [f32],
    pub(super) size: ImageSize,
}

impl Picture<'_> {
    /// A name for its file, one of [`picture_names`](super::Study::picture_names).
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The image as a screen shows it: clipped, and rounded to 8 bits.
    pub fn draw(&self) -> RgbImage {
        draw(self.colour, self.planes, self.size)
    }
}

/// What a picture shows of its pair.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shown {
    Content,
    Reference,
    Output(Method),
}

/// The name of a picture's file: the number of its pair from 1, what it shows, and of an image that was given which
/// one that is.
pub(super) fn name(number: usize, pair: &Pair, shown: Shown) -> String {
    match shown {
        Shown::Content => format!("{number:04}-content-{}.png", plain(&pair.content)),
        Shown::Reference => format!("{number:04}-reference-{}.png", plain(&pair.reference)),
        Shown::Output(method) => format!("{number:04}-{}.png", method.name()),
    }
}

/// A file's name without folder and extension, of letters that every system has in names of files.
fn plain(name: &str) -> String {
    let stem = Path::new(name).file_stem().unwrap_or_default();
    let letters = stem.to_string_lossy();
    let letters = letters.chars().take(LETTERS);
    letters
        .map(|c| match c.is_alphanumeric() || c == '-' {
            true => c,
            false => '_',
        })
        .collect()
}

/// The image of planes, clipped and rounded.
pub(super) fn draw(colour: ColourSpace, planes: &[f32], size: ImageSize) -> RgbImage {
    let pixels = to_rgb(colour, planes);
    let (width, height) = (size.width() as u32, size.height() as u32);
    RgbImage::from_fn(width, height, |x, y| {
        let rgb = pixels[y as usize * size.width() + x as usize];
        rgb.map(|value| (255.0 * value.clamp(0.0, 1.0)).round() as u8)
            .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::Method::LocalMaps;

    #[test]
    fn names_say_which_pair_and_what_is_shown() {
        let pair = &Pair::made_up(&["sea side/a:b.c.jpg"])[0];
        let names = [
            Shown::Content,
            Shown::Reference,
            Shown::Output(Method::Transfer(LocalMaps)),
        ];
        assert_eq!(
            names.map(|shown| name(7, pair, shown)),
            [
                "0007-content-0.png",
                "0007-reference-a_b_c.png",
                "0007-local_maps.png"
            ]
        );
        let long = plain(&"ä".repeat(300));
        assert_eq!(long.chars().count(), LETTERS);
    }
}
