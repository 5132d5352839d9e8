//! Photographs at full size and depth.

mod kept;
mod pixels;
mod written;

use huenet_data::{Photograph, WriteOptions, Written};
use image::{DynamicImage, ImageBuffer, Rgb, Rgba, RgbaImage};
use tempfile::TempDir;

pub(super) fn folder() -> TempDir {
    TempDir::new().expect("a folder")
}

pub(super) fn deep(width: u32, height: u32) -> ImageBuffer<Rgb<u16>, Vec<u16>> {
    ImageBuffer::from_fn(width, height, |x, y| {
        let value = (x * 7919 + y * 104_729) as u16;
        [value, value.wrapping_mul(3), !value].into()
    })
}

pub(super) fn deep_with_alpha(width: u32, height: u32) -> ImageBuffer<Rgba<u16>, Vec<u16>> {
    ImageBuffer::from_fn(width, height, |x, y| {
        let value = (x * 7919 + y * 104_729) as u16;
        [value, value.wrapping_mul(3), !value, value.wrapping_mul(5)].into()
    })
}

pub(super) fn with_alpha(width: u32, height: u32) -> RgbaImage {
    RgbaImage::from_fn(width, height, |x, y| {
        [x as u8, y as u8, 77, (x * y) as u8].into()
    })
}

/// Writes what an image file holds to a file of another name; both are read with the crate `image`.
pub(super) fn copied(image: &DynamicImage, name: &str) -> (DynamicImage, Written) {
    let folder = folder();
    let (from, to) = (folder.path().join("from.png"), folder.path().join(name));
    image.save(&from).expect("saved");
    let photograph = Photograph::read(&from).expect("a sound file");
    let written = photograph
        .write(&to, &WriteOptions::default())
        .expect("written");
    // What is read again is what was written.
    if written == Written::default() && !name.ends_with("jpg") {
        assert_eq!(Photograph::read(&to).expect("a sound file"), photograph);
    }
    (image::open(&to).expect("a sound file"), written)
}
