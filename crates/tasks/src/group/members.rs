//! What processes that train together can tell one another.

/// Processes that train one run together: each has a number, its rank, from 0.
///
/// Something that sends messages implements it, such as MPI. All members call the same methods in the same order.
/// What cannot be sent ends the process: a member that is gone leaves the others with nothing to go on from but the
/// last checkpoint.
pub trait Group {
    /// This member's number, less than [`size`](Self::size).
    fn rank(&self) -> usize;

    /// The number of members, at least 1.
    fn size(&self) -> usize;

    /// Sends each member its part of `parts`, which is cut into as many equal ones, in order of rank. Puts what the
    /// members sent here in the place of `parts`, in order of rank.
    fn exchange(&self, parts: &mut Vec<f32>);

    /// What all members have, in order of rank. All have equally many values.
    fn gather(&self, own: &[f32]) -> Vec<f32>;

    /// What all members tell, in order of rank.
    fn tell(&self, own: &[u8]) -> Vec<Vec<u8>>;

    /// Puts in the place of each value its sum over all members. All have equally many values, and get the same bits.
    ///
    /// The sum is that of the members in order of rank, in double precision, rounded once. So it does not depend on
    /// how messages travel. Each member adds up a part of the values: `2·(size − 1)/size` of the values leave each
    /// process, as in a ring.
    fn sum(&self, values: &mut [f32]) {
        let size = self.size();
        if size == 1 {
            return;
        }
        let part = values.len().div_ceil(size);
        let mut parts = Vec::with_capacity(part * size);
        parts.extend_from_slice(values);
        parts.resize(part * size, 0.0);
        self.exchange(&mut parts);
        let mut sums: Vec<f64> = vec![0.0; part];
        for of_member in parts.chunks_exact(part.max(1)) {
            for (sum, value) in sums.iter_mut().zip(of_member) {
                *sum += f64::from(*value);
            }
        }
        let sums: Vec<f32> = sums.into_iter().map(|sum| sum as f32).collect();
        let all = self.gather(&sums);
        values.copy_from_slice(&all[..values.len()]);
    }
}

/// The only member of a group: a process that trains by itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Group for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn exchange(&self, _: &mut Vec<f32>) {}

    fn gather(&self, own: &[f32]) -> Vec<f32> {
        own.to_vec()
    }

    fn tell(&self, own: &[u8]) -> Vec<Vec<u8>> {
        vec![own.to_vec()]
    }
}

#[cfg(test)]
mod tests {
    use crate::group::threads;

    #[test]
    fn sums_are_those_in_order_of_rank_and_the_same_everywhere() {
        for size in [1, 2, 3, 5] {
            for len in [0, 1, 4, 17] {
                let value = |rank: usize, at: usize| ((7 * rank + 3 * at) as f32 + 0.1).sin();
                let found = threads::run(size, |group| {
                    let mut values: Vec<f32> = (0..len).map(|at| value(group.rank(), at)).collect();
                    group.sum(&mut values);
                    values
                });
                let expected: Vec<f32> = (0..len)
                    .map(|at| (0..size).fold(0.0, |sum, rank| sum + f64::from(value(rank, at))))
                    .map(|sum| sum as f32)
                    .collect();
                assert!(
                    found.iter().all(|found| *found == expected),
                    "{size}, {len}"
                );
            }
        }
    }

    #[test]
    fn what_is_told_reaches_all_in_order_of_rank() {
        let told = threads::run(3, |group| {
            let first = group.tell(&vec![7; group.rank()]);
            (first, group.tell(&[]))
        });
        for (first, second) in told {
            let expected: [Vec<u8>; 3] = [vec![], vec![7], vec![7, 7]];
            assert_eq!(first, expected);
            assert_eq!(second, vec![Vec::<u8>::new(); 3]);
        }
    }
}
