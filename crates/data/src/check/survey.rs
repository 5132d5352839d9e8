use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::histogram::HistogramSum;
use super::report::{Dimensions, PartReport, Region, SizeSummary, Unusable};
use crate::{DataError, read_image};

/// What is known of some images of a folder. Parts are joined in the images' order.
#[derive(Default)]
pub(super) struct Survey {
    images: usize,
    bytes: u64,
    unusable: Vec<Unusable>,
    sizes: BTreeMap<Dimensions, usize>,
    /// The first of those that are not twice as wide as high.
    uneven: Option<(PathBuf, Dimensions)>,
    /// Of the whole, the left and the right half; the halves only where there may be pairs.
    colours: [HistogramSum; 3],
}

impl Survey {
    pub(super) fn look_at(&mut self, path: &Path, pairs: bool) {
        self.images += 1;
        self.bytes += std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        let image = read_image(path).and_then(|image| match image.width() {
            width @ 0..=1 if pairs => Err(DataError::TooNarrow {
                name: path.display().to_string(),
                width,
            }),
            _ => Ok(image),
        });
        let image = match image {
            Ok(image) => image,
            Err(error) => {
                return self.unusable.push(Unusable {
                    path: path.to_path_buf(),
                    reason: error.to_string(),
                });
            }
        };
        let (width, height) = image.dimensions();
        let size = Dimensions { width, height };
        *self.sizes.entry(size).or_default() += 1;
        if !size.is_two_squares() && self.uneven.is_none() {
            self.uneven = Some((path.to_path_buf(), size));
        }
        let (width, middle) = (width as usize, width as usize / 2);
        let [whole, left, right] = &mut self.colours;
        whole.add(&image, 0..width);
        if pairs {
            left.add(&image, 0..middle);
            right.add(&image, middle..width);
        }
    }

    pub(super) fn join(mut self, other: Self) -> Self {
        self.images += other.images;
        self.bytes += other.bytes;
        self.unusable.extend(other.unusable);
        for (size, images) in other.sizes {
            *self.sizes.entry(size).or_default() += images;
        }
        self.uneven = self.uneven.or(other.uneven);
        let mut others = other.colours.into_iter();
        self.colours = self
            .colours
            .map(|sum| sum.join(others.next().unwrap_or_default()));
        self
    }

    /// A note on a folder that may hold pairs, if its images do not look like published pairs.
    pub(super) fn note_on_pairs(&self, name: &str) -> Option<String> {
        let (path, size) = self.uneven.as_ref()?;
        let usable: usize = self.sizes.values().sum();
        let even = self.sizes.iter().filter(|(size, _)| size.is_two_squares());
        let uneven = usable - even.map(|(_, images)| images).sum::<usize>();
        Some(format!(
            "{uneven} of {usable} images in {name}/ are not twice as wide as high, such as {} ({size}). A pair \
             is cut in the middle: make sure that the right half begins there",
            path.display()
        ))
    }

    pub(super) fn report(self, name: &str, ignored: usize) -> PartReport {
        let sizes = self.summary();
        // The published pairs are two squares side by side.
        let pairs = sizes
            .as_ref()
            .is_some_and(|sizes| sizes.common.is_two_squares());
        let [whole, left, right] = self.colours.each_ref().map(HistogramSum::mean);
        let colours = if pairs && left.is_some() {
            [(Region::Left, left), (Region::Right, right)]
        } else {
            [(Region::Whole, whole), (Region::Right, None)]
        };
        PartReport {
            name: name.to_owned(),
            images: self.images,
            bytes: self.bytes,
            ignored,
            unusable: self.unusable,
            sizes,
            colours: colours
                .into_iter()
                .filter_map(|(region, mean)| Some((region, mean?)))
                .collect(),
        }
    }

    fn summary(&self) -> Option<SizeSummary> {
        let by_pixels = |size: &&Dimensions| size.pixels();
        let (&common, &common_images) = self.sizes.iter().max_by_key(|(_, images)| **images)?;
        Some(SizeSummary {
            smallest: *self.sizes.keys().min_by_key(by_pixels)?,
            largest: *self.sizes.keys().max_by_key(by_pixels)?,
            common,
            common_images,
            distinct: self.sizes.len(),
        })
    }
}
