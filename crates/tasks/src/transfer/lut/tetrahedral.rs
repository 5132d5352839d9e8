//! Colours between those of a table.

/// A colour of a table: red, green, blue, and a fourth value that means nothing.
pub(super) type Entry = [f32; 4];

/// Pixels that are looked up at once.
const CHUNK: usize = 32;

/// Puts in the place of each colour what a table has for it. A cube between eight entries is divided
/// into six tetrahedra around its diagonal from black to white. In each, a colour is interpolated
/// linearly between the four corners. Values beyond [0, 1] count as 0 or 1, NaN as 0.
///
/// The vector instructions do not change a bit: the compiler neither reorders sums nor fuses
/// multiplications into them.
///
/// # Shapes
///
/// `entries`: `[size, size, size]` of blue, green and red; `size` is from 2 to 256
///
/// Source: Kasson, Nin, Plouffe and Hafner, "Performing color space conversions with
/// three-dimensional linear interpolation", 1995.
#[multiversion::multiversion(targets("x86_64+avx2"))]
pub(super) fn map(entries: &[Entry], size: usize, pixels: &mut [[f32; 3]]) {
    let scale = (size - 1) as f32;
    let last = size as i32 - 2;
    // How far apart neighbours along an axis are, and the corners of a cube on its diagonal.
    let [red, green, blue] = [1, size as i32, (size * size) as i32];
    let diagonal = red + green + blue;
    let mut colours = [[0.0; CHUNK]; 3];
    let mut corners = [[0; CHUNK]; 3];
    let mut shares = [[0.0; CHUNK]; 4];
    for pixels in pixels.chunks_mut(CHUNK) {
        for (i, colour) in pixels.iter().enumerate() {
            for (plane, value) in colours.iter_mut().zip(colour) {
                plane[i] = *value;
            }
        }
        // Always all of them, so that the compiler can take several at once.
        for i in 0..CHUNK {
            let split = |value: f32| {
                // In this order NaN becomes 0.
                #[expect(clippy::manual_clamp, reason = "it keeps NaN")]
                let at = value.max(0.0).min(1.0) * scale;
                let cell = (at as i32).min(last);
                (cell, at - cell as f32)
            };
            let (of_r, r) = split(colours[0][i]);
            let (of_g, g) = split(colours[1][i]);
            let (of_b, b) = split(colours[2][i]);
            let (larger, smaller) = (r.max(g), r.min(g));
            let (most, least) = (larger.max(b), smaller.min(b));
            let middle = larger.min(b).max(smaller);
            // From a cube's first corner to its last the way goes along the axis of the largest part,
            // then along that of the next. Where parts are equal, either way gives the same colour.
            let longest = if larger < b {
                blue
            } else if r < g {
                green
            } else {
                red
            };
            let shortest = if b < smaller {
                blue
            } else if r < g {
                red
            } else {
                green
            };
            let first = of_r * red + of_g * green + of_b * blue;
            corners[0][i] = first;
            corners[1][i] = first + longest;
            corners[2][i] = first + diagonal - shortest;
            shares[0][i] = 1.0 - most;
            shares[1][i] = most - middle;
            shares[2][i] = middle - least;
            shares[3][i] = least;
        }
        for (i, colour) in pixels.iter_mut().enumerate() {
            let [a, b, c] = [corners[0][i], corners[1][i], corners[2][i]];
            let mut sum = [0.0; 4];
            for (corner, shares) in [a, b, c, a + diagonal].into_iter().zip(&shares) {
                for (sum, value) in sum.iter_mut().zip(entries[corner as usize]) {
                    *sum += shares[i] * value;
                }
            }
            *colour = [sum[0], sum[1], sum[2]];
        }
    }
}
