//! Pictures made small enough for a page.

use std::io::Cursor;
use std::path::Path;

use huenet_data::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};

/// The longer side of a sample grid on the page, in pixels.
pub(super) const GRID_SIDE: u32 = 640;

const JPEG_QUALITY: u8 = 85;

/// A sample grid as JPEG, shrunk to [`GRID_SIDE`]. `None` if it cannot be encoded: a page does
/// without it.
pub(super) fn grid(grid: &RgbImage) -> Option<Vec<u8>> {
    let longer = grid.width().max(grid.height());
    let small = (longer > GRID_SIDE).then(|| {
        let side = |side: u32| (u64::from(side) * u64::from(GRID_SIDE) / u64::from(longer)).max(1);
        let (width, height) = (side(grid.width()) as u32, side(grid.height()) as u32);
        imageops::resize(grid, width, height, FilterType::Triangle)
    });
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
    small
        .as_ref()
        .unwrap_or(grid)
        .write_with_encoder(encoder)
        .ok()?;
    Some(bytes)
}

/// The sample grid in a file of the run, for the page.
pub(super) fn grid_in(path: &Path) -> Option<Vec<u8>> {
    grid(&image::open(path).ok()?.to_rgb8())
}

/// A square table as a heat map in PNG, one pixel a cell, rows upward. Colours are of the
/// logarithm, over four decades below the largest cell.
pub(super) fn heat_map(table: &[f32], side: usize) -> Option<Vec<u8>> {
    const DECADES: f32 = 4.0;
    let most = table.iter().copied().fold(0.0, f32::max);
    let shade = |value: f32| match value > 0.0 {
        true => (1.0 + (value / most).log10() / DECADES).clamp(0.0, 1.0),
        false => 0.0,
    };
    let side_pixels = u32::try_from(side).ok()?;
    let map = RgbImage::from_fn(side_pixels, side_pixels, |x, y| {
        let row = side - 1 - y as usize;
        image::Rgb(viridis(shade(table[row * side + x as usize])))
    });
    let mut bytes = Cursor::new(Vec::new());
    map.write_to(&mut bytes, image::ImageFormat::Png).ok()?;
    Some(bytes.into_inner())
}

/// The colour map viridis at `t` in [0, 1], between nine of its colours.
///
/// Source: Smith and van der Walt, matplotlib (CC0).
fn viridis(t: f32) -> [u8; 3] {
    const COLOURS: [[u8; 3]; 9] = [
        [68, 1, 84],
        [71, 44, 122],
        [59, 81, 139],
        [44, 113, 142],
        [33, 144, 141],
        [39, 173, 129],
        [92, 200, 99],
        [170, 220, 50],
        [253, 231, 37],
    ];
    let place = t * (COLOURS.len() - 1) as f32;
    let below = (place as usize).min(COLOURS.len() - 2);
    let share = place - below as f32;
    let mix = |c: usize| {
        let [a, b] = [COLOURS[below][c], COLOURS[below + 1][c]].map(f32::from);
        (a + share * (b - a)).round() as u8
    };
    [mix(0), mix(1), mix(2)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_grid_is_shrunk_and_a_small_one_kept() {
        for (side, expected) in [(1440, 640), (300, 300)] {
            let bytes = grid(&RgbImage::new(side, side / 2)).unwrap();
            let image = image::load_from_memory(&bytes).unwrap();
            assert_eq!((image.width(), image.height()), (expected, expected / 2));
        }
    }

    #[test]
    fn a_heat_map_has_its_first_row_at_the_bottom() {
        let bytes = heat_map(&[1.0, 0.0, 0.0, 0.0], 2).unwrap();
        let map = image::load_from_memory(&bytes).unwrap().to_rgb8();
        assert_eq!(map.get_pixel(0, 1).0, [253, 231, 37]);
        assert_eq!(map.get_pixel(0, 0).0, [68, 1, 84]);
        // A table of nothing is drawn as nothing.
        assert!(heat_map(&[0.0; 4], 2).is_some());
    }
}
