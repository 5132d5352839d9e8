//! A comparison in files.

use std::path::Path;

use huenet_data::RgbImage;

use super::comparison::Comparison;
use crate::measure::samples;
use crate::store::error::TaskError;
use crate::store::files;

/// Writes a [`Comparison`] as JSON. The new file takes the place of one that is there when it is
/// complete; a pipe or a device is written to directly.
///
/// # Errors
///
/// [`TaskError::Unwritten`].
pub fn write_json(comparison: &Comparison, path: &Path) -> Result<(), TaskError> {
    let text = format!("{:#}\n", comparison.to_json());
    files::write_named(path, text.as_bytes())
}

/// Writes a [`Comparison`] as a page with its contact sheet. The new file takes the place of one that is there when it is
/// complete; a pipe or a device is written to directly.
///
/// # Errors
///
/// [`TaskError::Unwritten`].
pub fn write_html(
    comparison: &Comparison,
    sheet: Option<&RgbImage>,
    path: &Path,
) -> Result<(), TaskError> {
    files::write_named(path, comparison.to_html(sheet).as_bytes())
}

/// Writes an image as PNG. The new file takes the place of one that is there when it is
/// complete; a pipe or a device is written to directly.
///
/// # Errors
///
/// [`TaskError::Unwritten`].
pub fn write_image(image: &RgbImage, path: &Path) -> Result<(), TaskError> {
    files::write_named(path, &samples::png(image, path)?)
}
