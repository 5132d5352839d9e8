//! The pixels of a block in the order of their bins.

use fearless_simd::Simd;

use super::axis::Axis;
use super::place::{Places, places};
use super::simd::{LANES, Real};
use super::spare::Owned;

/// What the joint histogram needs to know of a pixel.
#[derive(Clone, Copy)]
pub(crate) struct Pixel<T> {
    /// Growth and decay in the image whose bins order the pixels.
    pub(super) in_rows: (T, T),
    /// Growth and decay in the other image.
    pub(super) in_columns: (T, T),
    /// The first slot in the other image.
    pub(super) column: u32,
    /// Which pixel of the block it is.
    pub(super) index: u32,
}

/// The pixels of a block of two images, sorted by their first slot in one of them.
///
/// Pixels with the same slot touch the same rows of the table, so the table can be worked through
/// from the first row to the last. The order among them is that of the image: the result does not
/// depend on anything but the block. Its memory serves block after block.
pub(crate) struct Order<T> {
    /// By slot, where its pixels start; one entry more than there are slots.
    starts: Vec<u32>,
    pixels: Vec<Pixel<T>>,
    /// By pixel, its place on the axis that orders them.
    places: Vec<Places<T>>,
}

impl<T: Real> Default for Order<T> {
    fn default() -> Self {
        Self {
            starts: Vec::new(),
            pixels: Vec::new(),
            places: Vec::new(),
        }
    }
}

impl<T: Real> Owned for Order<T> {
    fn bytes(&self) -> usize {
        self.starts.bytes() + self.pixels.bytes() + self.places.bytes()
    }
}

impl<T: Real> Order<T> {
    /// Sorts the pixels `(x, y)` of a block by their slot on the axis of `x`.
    #[inline(always)]
    pub(super) fn sort<S: Simd>(
        &mut self,
        simd: S,
        [axis_x, axis_y]: &[Axis; 2],
        x: &[T],
        y: &[T],
    ) {
        // Counts, then where a slot's next pixel goes, then, shifted by one, where it starts.
        self.starts.clear();
        self.starts.resize(axis_x.last + 3, 0);
        self.places.clear();
        for group in x.chunks(LANES) {
            let places = places(simd, axis_x, &filled(group));
            for &slot in &places.slots[..group.len()] {
                self.starts[slot as usize + 2] += 1;
            }
            self.places.push(places);
        }
        let mut before = 0;
        for start in &mut self.starts {
            before += *start;
            *start = before;
        }

        let nothing = Pixel {
            in_rows: (T::zero(), T::zero()),
            in_columns: (T::zero(), T::zero()),
            column: 0,
            index: 0,
        };
        self.pixels.resize(x.len(), nothing);
        let mut first = 0;
        for (y, in_rows) in y.chunks(LANES).zip(&self.places) {
            let in_columns = places(simd, axis_y, &filled(y));
            for lane in 0..y.len() {
                let next = &mut self.starts[in_rows.slots[lane] as usize + 1];
                self.pixels[*next as usize] = Pixel {
                    in_rows: (in_rows.growths[lane], in_rows.decays[lane]),
                    in_columns: (in_columns.growths[lane], in_columns.decays[lane]),
                    column: in_columns.slots[lane],
                    index: first + lane as u32,
                };
                *next += 1;
            }
            first += LANES as u32;
        }
    }

    /// The slots that pixels have, in ascending order, each with its pixels.
    pub(super) fn by_slot(&self) -> impl Iterator<Item = (usize, &[Pixel<T>])> {
        self.starts
            .windows(2)
            .enumerate()
            .filter_map(|(slot, ends)| {
                let pixels = &self.pixels[ends[0] as usize..ends[1] as usize];
                (!pixels.is_empty()).then_some((slot, pixels))
            })
    }
}

/// Sixteen pixels, of which the given ones are the first.
#[inline(always)]
pub(super) fn filled<T: Real>(pixels: &[T]) -> [T; LANES] {
    match pixels.try_into() {
        Ok(pixels) => pixels,
        Err(_) => {
            let mut filled = [pixels[0]; LANES];
            filled[..pixels.len()].copy_from_slice(pixels);
            filled
        }
    }
}
