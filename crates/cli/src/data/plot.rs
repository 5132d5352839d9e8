//! Histograms in a line of text.

const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Columns of a plot.
const COLUMNS: usize = 64;

/// A histogram as blocks. Their heights follow the square roots of the shares: a linear plot of
/// photographs on a white ground would show only the white.
pub(super) fn blocks(levels: &[f64]) -> String {
    let columns: Vec<f64> = levels
        .chunks(levels.len().div_ceil(COLUMNS).max(1))
        .map(|levels| levels.iter().sum::<f64>().sqrt())
        .collect();
    let highest = columns.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let block = |height: &f64| {
        // What is there at all is seen.
        let step = (height / highest * 8.0).ceil() as usize;
        BLOCKS[step.min(8)]
    };
    columns.iter().map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_follow_the_square_root() {
        let mut levels = vec![0.0; 256];
        (levels[0], levels[128], levels[255]) = (0.64, 0.16, 0.01);
        let plot: Vec<char> = blocks(&levels).chars().collect();
        assert_eq!(plot.len(), 64);
        assert_eq!((plot[0], plot[32], plot[63], plot[1]), ('█', '▄', '▁', ' '));
    }
}
