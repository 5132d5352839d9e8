//! Images as a screen shows them.

use huenet_data::ColourSpace;

/// Planes of red, green and blue in [0, 1]: what lies outside is clipped, and grey is the same in all three.
///
/// # Shapes
///
/// - `image`: `[channels, pixels]`
/// - output: `[3, pixels]`
pub(crate) fn clipped_rgb(colour: ColourSpace, image: &[f32]) -> Vec<f32> {
    let pixels = image.len() / colour.channels();
    let mut planes = vec![0.0; 3 * pixels];
    for i in 0..pixels {
        let mut channels = [0.0; 3];
        for (value, plane) in channels.iter_mut().zip(image.chunks_exact(pixels)) {
            *value = plane[i];
        }
        let rgb = colour.decode_pixel(channels);
        for (c, value) in rgb.into_iter().enumerate() {
            planes[c * pixels + i] = ((value + 1.0) / 2.0).clamp(0.0, 1.0);
        }
    }
    planes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_has_three_equal_channels_and_no_colour_is_beyond_a_screens() {
        let grey = [-1.0, 0.0, 0.5, 1.5];
        let expected = [0.0, 0.5, 0.75, 1.0].repeat(3);
        assert_eq!(clipped_rgb(ColourSpace::Grey, &grey), expected);
        assert_eq!(clipped_rgb(ColourSpace::Rgb, &grey.repeat(3)), expected);
        let yuv = [&grey[..], &[0.0; 8]].concat();
        assert_eq!(clipped_rgb(ColourSpace::Yuv, &yuv), expected);
    }
}
