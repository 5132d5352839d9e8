//! Puts new colours on a photograph.

use huenet_data::Photograph;
use huenet_tasks::transfer::ColourMap;

/// Gives each pixel what `map` makes of it, by so much as `strength` and the mask's pixel say. A mask has the
/// photograph's size.
pub(super) fn paint(
    map: &dyn ColourMap,
    strength: f32,
    photograph: &mut Photograph,
    mask: Option<&Photograph>,
) {
    let height = photograph.height();
    photograph.map_rows(|row, pixels| {
        if strength >= 1.0 && mask.is_none() {
            return map.map_row(row, height, pixels);
        }
        let before = pixels.to_vec();
        map.map_row(row, height, pixels);
        let mask = mask.map(|mask| mask.row(row));
        for (column, (pixel, before)) in pixels.iter_mut().zip(before).enumerate() {
            let share = mask.as_ref().map_or(1.0, |mask| level(mask[column]));
            *pixel = blend(before, *pixel, strength * share);
        }
    });
}

/// A mask's value at a pixel.
pub(super) fn level([r, g, b]: [f32; 3]) -> f32 {
    // Exactly the grey of a grey pixel.
    if r == g && g == b {
        r
    } else {
        (r + g + b) / 3.0
    }
}

/// From one colour to another one, which is first clipped to those that a screen has.
pub(super) fn blend(from: [f32; 3], to: [f32; 3], share: f32) -> [f32; 3] {
    let mut blended = to.map(|value| value.clamp(0.0, 1.0));
    if share < 1.0 {
        for (to, from) in blended.iter_mut().zip(from) {
            *to = from + share * (*to - from);
        }
    }
    blended
}
