use rand::{Rng, RngExt};

/// The indices 0 to `len` − 1 in the order of TensorFlow's `Dataset.shuffle(buffer)`.
///
/// A buffer is filled with the first `buffer` indices; each step draws one of it at random and
/// puts the next index in its place. An index can thus come early by at most `buffer` − 1 places.
/// A buffer that holds all indices gives a uniform shuffle, a buffer of 1 (or 0) none.
pub(crate) fn buffered(len: usize, buffer: usize, rng: &mut impl Rng) -> Vec<usize> {
    let mut pool: Vec<usize> = (0..len.min(buffer.max(1))).collect();
    let mut rest = pool.len()..len;
    let mut order = Vec::with_capacity(len);
    while !pool.is_empty() {
        // Drawn as u64: a draw of usize would differ between platforms.
        let slot = rng.random_range(0..pool.len() as u64) as usize;
        order.push(match rest.next() {
            Some(next) => std::mem::replace(&mut pool[slot], next),
            None => pool.swap_remove(slot),
        });
    }
    order
}

/// Exchanges places in `references` until no place has the index that `contents` has there. Both are
/// permutations of the same two or more indices. Places that differ already stay as they are, if there
/// are others to exchange.
///
/// # Panics
///
/// If the lengths differ.
pub(crate) fn part(references: &mut [usize], contents: &[usize]) {
    assert_eq!(references.len(), contents.len(), "permutations of the same");
    let places = 0..contents.len();
    let same: Vec<usize> = places
        .filter(|&it| references[it] == contents[it])
        .collect();
    match same[..] {
        [] => {}
        // Its neighbour's index is another one, and its own is none of its neighbour's.
        [one] => references.swap(one, (one + 1) % contents.len()),
        // Each gets that of the one after it, so that all are different again.
        _ => same
            .windows(2)
            .for_each(|pair| references.swap(pair[0], pair[1])),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::{Purpose, stream};

    fn order(len: usize, buffer: usize, seed: u64) -> Vec<usize> {
        buffered(len, buffer, &mut stream(Purpose::ContentOrder, seed, 0, 0))
    }

    #[test]
    fn a_buffer_of_one_keeps_the_order() {
        assert_eq!(order(5, 1, 3), [0, 1, 2, 3, 4]);
        assert_eq!(order(5, 0, 3), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_buffer_that_holds_everything_shuffles_uniformly() {
        // Each of the 6 orders of 3 is expected 1000 times with a standard deviation of 29.
        let mut seen = std::collections::BTreeMap::new();
        for seed in 0..6000 {
            *seen.entry(order(3, 400, seed)).or_insert(0_i32) += 1;
        }
        assert_eq!(seen.len(), 6);
        assert!(
            seen.values().all(|count| (count - 1000).abs() < 150),
            "{seen:?}"
        );
    }

    #[test]
    fn only_what_is_the_same_is_exchanged() {
        let parted = |mut references: Vec<usize>, contents: &[usize]| {
            part(&mut references, contents);
            references
        };
        assert_eq!(parted(vec![1, 2, 0], &[0, 1, 2]), [1, 2, 0]);
        assert_eq!(parted(vec![0, 3, 2, 1], &[0, 1, 2, 3]), [2, 3, 0, 1]);
        assert_eq!(parted(vec![2, 1, 0, 3], &[0, 2, 1, 3]), [3, 1, 0, 2]);
        assert_eq!(parted(vec![0, 1], &[0, 1]), [1, 0]);
        assert_eq!(parted(vec![0, 1, 2], &[0, 1, 2]), [1, 2, 0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn an_order_is_a_permutation_bounded_by_the_buffer(
            len in 0_usize..120,
            buffer in 0_usize..150,
            seed: u64,
        ) {
            let order = order(len, buffer, seed);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..len).collect::<Vec<_>>());
            for (position, &index) in order.iter().enumerate() {
                prop_assert!(index < position + buffer.max(1));
            }
        }

        #[test]
        fn parted_orders_have_no_place_in_common(len in 2_usize..40, buffer in 0_usize..50, seed: u64) {
            let contents = order(len, buffer, seed);
            let before = order(len, buffer, seed ^ 1);
            let mut references = before.clone();
            part(&mut references, &contents);
            let mut sorted = references.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..len).collect::<Vec<_>>());
            prop_assert!(references.iter().zip(&contents).all(|(a, b)| a != b));
            let same = before.iter().zip(&contents).filter(|(a, b)| a == b).count();
            let moved = references.iter().zip(&before).filter(|(a, b)| a != b).count();
            prop_assert_eq!(moved, if same == 1 { 2 } else { same });
        }
    }
}
