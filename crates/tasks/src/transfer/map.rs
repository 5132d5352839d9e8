//! What a fit finds.

/// What a method found for one pair of images: it gives colours for colours, at any size.
pub trait ColourMap: Send + Sync {
    /// Maps the pixels of one row of an image with `height` rows, in place. Colours are red, green and
    /// blue of sRGB in [0, 1]; what comes out may lie outside, where no screen has a colour.
    ///
    /// # Shapes
    ///
    /// `pixels`: the image's width.
    fn map_row(&self, row: usize, height: usize, pixels: &mut [[f32; 3]]);
}
