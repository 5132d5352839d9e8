//! Curves of bounded length, whatever a run's.

/// Points kept of a curve, at most.
const CAPACITY: usize = 1024;

/// Several numbers a step, as means over ever longer stretches: when the curve is full, every two
/// neighbours become one. What is kept depends on the steps alone, not on when they came.
#[derive(Clone, Debug)]
pub(super) struct Series<const N: usize> {
    points: Vec<Point<N>>,
    /// How many steps a point stands for.
    stretch: u64,
}

/// The means of the steps of one stretch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point<const N: usize> {
    count: u64,
    /// The last of its steps.
    pub(super) step: u64,
    pub(super) means: [f64; N],
}

impl<const N: usize> Series<N> {
    pub(super) fn new() -> Self {
        Self {
            points: Vec::new(),
            stretch: 1,
        }
    }

    pub(super) fn push(&mut self, step: u64, values: [f64; N]) {
        let new = Point {
            count: 1,
            step,
            means: values,
        };
        match self
            .points
            .last_mut()
            .filter(|last| last.count < self.stretch)
        {
            Some(last) => *last = last.and(&new),
            None => self.points.push(new),
        }
        if self.points.len() > CAPACITY {
            self.stretch *= 2;
            let pairs = self.points.chunks(2);
            self.points = pairs
                .map(|pair| pair[1..].iter().fold(pair[0], |a, b| a.and(b)))
                .collect();
        }
    }

    pub(super) fn points(&self) -> &[Point<N>] {
        &self.points
    }

    pub(super) fn stretch(&self) -> u64 {
        self.stretch
    }
}

impl<const N: usize> Point<N> {
    fn and(&self, later: &Self) -> Self {
        let count = self.count + later.count;
        let share = later.count as f64 / count as f64;
        Self {
            count,
            step: later.step,
            means: std::array::from_fn(|i| {
                self.means[i] + share * (later.means[i] - self.means[i])
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_curve_keeps_its_means_and_its_end_in_bounded_room() {
        let mut series = Series::<1>::new();
        for step in 1..=10_000 {
            series.push(step, [step as f64]);
        }
        let points = series.points();
        assert!(points.len() <= CAPACITY && points.len() > CAPACITY / 4);
        assert_eq!(points.last().unwrap().step, 10_000);
        let sum: f64 = points.iter().map(|p| p.means[0] * p.count as f64).sum();
        assert!((sum / 10_000.0 - 5000.5).abs() < 1e-6);
        assert_eq!(series.stretch(), 16);
    }
}
