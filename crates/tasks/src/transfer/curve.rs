//! Monotone curves through points.

/// A curve of straight lines through points. Beyond its ends it goes on with slope 1, so that values
/// which the fit did not see keep their differences; a curve of one point is level.
pub(super) struct Curve {
    xs: Vec<f32>,
    ys: Vec<f32>,
    /// For each of as many equal parts of the range as there are points, the last point that lies in
    /// a part before it.
    starts: Vec<u32>,
    /// Parts for each unit of x.
    scale: f32,
}

impl Curve {
    /// The same value everywhere.
    pub(super) fn level(y: f32) -> Self {
        Self::through([(0.0, y)])
    }

    /// The curve through points whose x ascend.
    pub(super) fn through(points: impl IntoIterator<Item = (f32, f32)>) -> Self {
        let (xs, ys): (Vec<f32>, Vec<f32>) = points.into_iter().unzip();
        let range = match xs[..] {
            [first, .., last] => last - first,
            _ => 1.0,
        };
        let mut curve = Self {
            scale: xs.len() as f32 / range,
            starts: vec![0; xs.len() + 1],
            xs,
            ys,
        };
        for (point, x) in curve.xs.iter().enumerate() {
            let after = curve.part(*x) + 1;
            if let Some(start) = curve.starts.get_mut(after) {
                *start = point as u32;
            }
        }
        for part in 1..curve.starts.len() {
            curve.starts[part] = curve.starts[part].max(curve.starts[part - 1]);
        }
        curve
    }

    /// The part of the range that x lies in.
    fn part(&self, x: f32) -> usize {
        // A cast of what is below 0 or not a number gives 0.
        let part = ((x - self.xs[0]) * self.scale) as usize;
        part.min(self.starts.len() - 1)
    }

    /// The value at `x`.
    pub(super) fn at(&self, x: f32) -> f32 {
        let last = self.xs.len() - 1;
        if last == 0 {
            return self.ys[0];
        }
        if x <= self.xs[0] {
            return self.ys[0] + (x - self.xs[0]);
        }
        if x >= self.xs[last] {
            return self.ys[last] + (x - self.xs[last]);
        }
        let mut before = self.starts[self.part(x)] as usize;
        while before + 1 < last && self.xs[before + 1] <= x {
            before += 1;
        }
        let (x0, x1) = (self.xs[before], self.xs[before + 1]);
        let (y0, y1) = (self.ys[before], self.ys[before + 1]);
        y0 + (x - x0) / (x1 - x0) * (y1 - y0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_goes_through_its_points_and_is_straight_between_them() {
        // Points far from even: many in one part, none in others.
        let points: Vec<(f32, f32)> = (0..50)
            .map(|i| ((i as f32 / 49.0).powi(6), (i as f32 * 0.37).sqrt()))
            .collect();
        let curve = Curve::through(points.clone());
        for pair in points.windows(2) {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            assert_eq!(curve.at(x0), y0);
            if x1 - x0 > 1e-6 {
                let middle = curve.at((x0 + x1) / 2.0);
                assert!((middle - (y0 + y1) / 2.0).abs() < 1e-4, "{middle}");
            }
        }
        assert_eq!(curve.at(1.0), points[49].1);
        assert_eq!(curve.at(-0.5), points[0].1 - 0.5);
        assert_eq!(curve.at(1.25), points[49].1 + 0.25);
        assert!(curve.at(f32::NAN).is_nan());
        assert_eq!(Curve::level(0.3).at(7.0), 0.3);
    }
}
