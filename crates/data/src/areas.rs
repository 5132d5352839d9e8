//! The areas of an image that the pixels of a smaller one cover, along one of its sides.

use std::ops::Range;

/// The part of a line of pixels that one pixel of another line of the same extent covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// The pixels that it covers; the first and the last perhaps in part.
    pub pixels: Range<usize>,
    /// Where it begins and ends, in units of which a pixel has `parts`.
    extent: Range<u64>,
    parts: u64,
}

impl Area {
    /// How much of a pixel is covered. A whole pixel has as many units as there are [`areas`] in the line.
    pub fn covered(&self, pixel: usize) -> u64 {
        let (start, end) = (pixel as u64 * self.parts, (pixel as u64 + 1) * self.parts);
        end.min(self.extent.end)
            .saturating_sub(start.max(self.extent.start))
    }
}

/// Divides a line of `from` pixels into `to` areas of equal length, from the first to the last. What each covers of a
/// pixel is an exact number: in units of `1/to` pixel, so that each area has `from` units in all.
pub fn areas(from: usize, to: usize) -> impl Iterator<Item = Area> {
    let (length, parts) = (from as u64, to as u64);
    (0..parts).map(move |number| {
        let extent = number * length..(number + 1) * length;
        Area {
            pixels: (extent.start / parts) as usize..extent.end.div_ceil(parts) as usize,
            extent,
            parts,
        }
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(1, 7)]
    #[case(7, 1)]
    #[case(5, 5)]
    #[case(9, 6)]
    #[case(1000, 768)]
    fn areas_have_equal_parts_of_a_line_and_all_of_it(#[case] from: usize, #[case] to: usize) {
        let all: Vec<Area> = areas(from, to).collect();
        assert_eq!(all.len(), to);
        let mut covered = vec![0; from];
        for area in &all {
            let of_area = area.pixels.clone().map(|pixel| area.covered(pixel));
            assert_eq!(of_area.sum::<u64>(), from as u64);
            for (pixel, sum) in covered.iter_mut().enumerate() {
                let part = area.covered(pixel);
                assert_eq!(part > 0, area.pixels.contains(&pixel));
                *sum += part;
            }
        }
        assert!(covered.iter().all(|sum| *sum == to as u64), "{covered:?}");
    }
}
