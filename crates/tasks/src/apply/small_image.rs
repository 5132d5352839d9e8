//! Small images read at any size.

use huenet_data::{Area, areas};

/// Values on a small image's pixels, N of each, which are read between them.
///
/// A pixel's values belong to its centre; the centres of a larger image's pixels lie between those of
/// the small one. Beyond the outermost centres the values stay.
#[derive(Clone, Debug)]
pub(super) struct SmallImage<const N: usize> {
    width: usize,
    height: usize,
    values: Vec<[f32; N]>,
}

/// What a pixel's value is made of: pixels of the small image, from the first on, and their weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tap<const K: usize> {
    first: usize,
    weights: [f32; K],
}

/// Bilinear: the two nearest pixels.
pub(super) type Linear = Tap<2>;
/// Bicubic: the four nearest pixels (Catmull and Rom, a = −½).
pub(super) type Cubic = Tap<4>;

impl<const K: usize> Tap<K> {
    /// The pixels of a row of `from` that the pixel `at` of a row of `to` lies between. `curve` gives
    /// the weights of K pixels for how far it is behind the one before the middle, 0 to 1.
    ///
    /// Pixels beyond an end are the one at the end: their weights are added to its own.
    fn new(at: usize, from: usize, to: usize, curve: impl Fn(f64) -> [f64; K]) -> Self {
        let place = (at as f64 + 0.5) * from as f64 / to as f64 - 0.5;
        let before = place.floor();
        let last = from.saturating_sub(1) as i64;
        let start = before as i64 - (K as i64 / 2 - 1);
        let first = start.clamp(0, (last + 1 - K as i64).max(0));
        let mut weights = [0.0; K];
        for (k, weight) in (0..).zip(curve(place - before)) {
            let pixel = (start + k).clamp(0, last);
            weights[(pixel - first) as usize] += weight as f32;
        }
        let first = first as usize;
        Self { first, weights }
    }
}

impl Linear {
    /// A pixel of the small image itself.
    pub(super) fn at(first: usize) -> Self {
        let weights = [1.0, 0.0];
        Self { first, weights }
    }

    pub(super) fn linear(at: usize, from: usize, to: usize) -> Self {
        Self::new(at, from, to, |part| [1.0 - part, part])
    }
}

impl Cubic {
    pub(super) fn cubic(at: usize, from: usize, to: usize) -> Self {
        Self::new(at, from, to, |t| {
            let (t2, t3) = (t * t, t * t * t);
            [
                -0.5 * t3 + t2 - 0.5 * t,
                1.5 * t3 - 2.5 * t2 + 1.0,
                -1.5 * t3 + 2.0 * t2 + 0.5 * t,
                0.5 * t3 - 0.5 * t2,
            ]
        })
    }
}

impl<const N: usize> SmallImage<N> {
    /// # Panics
    ///
    /// If there are not as many values as pixels.
    pub(super) fn new(width: usize, height: usize, values: Vec<[f32; N]>) -> Self {
        assert_eq!(values.len(), width * height, "an image of {width}x{height}");
        Self {
            width,
            height,
            values,
        }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn height(&self) -> usize {
        self.height
    }

    pub(super) fn values(&self) -> &[[f32; N]] {
        &self.values
    }

    /// Another image of the same size, whose values are made of this one's.
    pub(super) fn each(&self, map: impl Fn([f32; N]) -> [f32; N]) -> Self {
        let values = self.values.iter().map(|value| map(*value)).collect();
        Self::new(self.width, self.height, values)
    }

    /// At a smaller size: the mean of the area that each pixel of the new size covers.
    pub(super) fn reduced(&self, width: usize, height: usize) -> Self {
        let columns = shares(self.width, width);
        let mut values = Vec::with_capacity(width * height);
        for (first, shares) in shares(self.height, height) {
            let mut line = vec![[0.0; N]; self.width];
            let rows = self.values.chunks_exact(self.width).skip(first);
            for (row, share) in rows.zip(shares) {
                for (sum, value) in line.iter_mut().zip(row) {
                    add(sum, value, share);
                }
            }
            values.extend(columns.iter().map(|(first, shares)| {
                let mut sum = [0.0; N];
                for (value, share) in line[*first..].iter().zip(shares) {
                    add(&mut sum, value, *share);
                }
                sum
            }));
        }
        Self::new(width, height, values)
    }

    /// At a larger size, bilinearly.
    pub(super) fn enlarged(&self, width: usize, height: usize) -> Self {
        let columns = (0..width).map(|x| Linear::linear(x, self.width, width));
        let columns: Vec<Linear> = columns.collect();
        let rows = (0..height).flat_map(|y| {
            let line = self.row(Linear::linear(y, self.height, height));
            let values = columns.iter().map(|column| between(&line, *column));
            values.collect::<Vec<_>>()
        });
        Self::new(width, height, rows.collect())
    }

    /// A row between the image's own ones.
    pub(super) fn row<const K: usize>(&self, tap: Tap<K>) -> Vec<[f32; N]> {
        let mut line = vec![[0.0; N]; self.width];
        let rows = self.values.chunks_exact(self.width).skip(tap.first);
        for (row, weight) in rows.zip(tap.weights) {
            for (sum, value) in line.iter_mut().zip(row) {
                add(sum, value, weight);
            }
        }
        line
    }
}

/// The values between the pixels of a row.
#[inline(always)]
pub(super) fn between<const N: usize, const K: usize>(line: &[[f32; N]], tap: Tap<K>) -> [f32; N] {
    let mut sum = [0.0; N];
    for (value, weight) in line[tap.first..].iter().zip(tap.weights) {
        add(&mut sum, value, weight);
    }
    sum
}

/// For each of `to` equal parts of a line of `from` pixels: the first pixel in it, and the shares that this and
/// the following pixels have of it.
fn shares(from: usize, to: usize) -> Vec<(usize, Vec<f32>)> {
    let of_area = |area: Area| {
        let share = |pixel| area.covered(pixel) as f32 / from as f32;
        (area.pixels.start, area.pixels.clone().map(share).collect())
    };
    areas(from, to).map(of_area).collect()
}

#[inline(always)]
fn add<const N: usize>(sum: &mut [f32; N], value: &[f32; N], weight: f32) {
    for (sum, value) in sum.iter_mut().zip(value) {
        *sum += weight * value;
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(1, 7)]
    #[case(2, 5)]
    #[case(3, 3)]
    #[case(5, 200)]
    #[case(9, 2)]
    fn weights_sum_to_one_and_stay_inside(#[case] from: usize, #[case] to: usize) {
        for at in 0..to {
            let linear = Linear::linear(at, from, to);
            let cubic = Cubic::cubic(at, from, to);
            let sums = [
                linear.weights.iter().sum::<f32>(),
                cubic.weights.iter().sum::<f32>(),
            ];
            assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-6), "{sums:?}");
            let line: Vec<[f32; 1]> = (0..from).map(|i| [i as f32]).collect();
            for value in [between(&line, linear), between(&line, cubic)] {
                assert!(value[0] > -0.6 && value[0] < from as f32 - 0.4, "{value:?}");
            }
        }
    }

    #[rstest]
    #[case(7, 7)]
    #[case(7, 3)]
    #[case(200, 9)]
    #[case(5, 1)]
    fn areas_are_all_of_the_line(#[case] from: usize, #[case] to: usize) {
        let line = SmallImage::new(from, 1, (0..from).map(|i| [i as f32]).collect());
        let reduced = line.reduced(to, 1);
        let mean = |line: &SmallImage<1>| {
            let sum: f32 = line.values().iter().flatten().sum();
            sum / line.values().len() as f32
        };
        assert!((mean(&line) - mean(&reduced)).abs() < 1e-4);
        for (at, value) in reduced.values().iter().enumerate() {
            let middle = (at as f32 + 0.5) * from as f32 / to as f32 - 0.5;
            assert!((value[0] - middle).abs() <= 0.5, "{value:?} at {middle}");
        }
    }

    #[test]
    fn the_same_size_is_the_same_image() {
        let line: Vec<[f32; 1]> = [3.0, -1.0, 4.0, 1.5, 9.0].map(|v| [v]).to_vec();
        for at in 0..5 {
            assert_eq!(between(&line, Linear::linear(at, 5, 5)), line[at]);
            assert_eq!(between(&line, Cubic::cubic(at, 5, 5)), line[at]);
        }
    }

    #[test]
    fn what_rises_evenly_does_so_at_any_size() {
        let image = SmallImage::new(
            6,
            4,
            (0..24).map(|i| [(i % 6) as f32, (i / 6) as f32]).collect(),
        );
        for y in 12..30 {
            let line = image.row(Linear::linear(y, 4, 40));
            let smooth = image.row(Cubic::cubic(y, 4, 40));
            for x in 12..40 {
                let expected = [(x as f32 + 0.5) / 10.0 - 0.5, (y as f32 + 0.5) / 10.0 - 0.5];
                let linear = between(&line, Linear::linear(x, 6, 60));
                let cubic = between(&smooth, Cubic::cubic(x, 6, 60));
                for (found, expected) in linear.iter().chain(&cubic).zip(expected.iter().cycle()) {
                    if (15..25).contains(&y) && (15..45).contains(&x) {
                        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
                    }
                }
            }
        }
    }
}
