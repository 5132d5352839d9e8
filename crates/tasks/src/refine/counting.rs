//! Which pixels stand for all that count.

use crate::transfer::Sample;

/// As many pixels as there are with a weight: each of them, if they count alike; else the heavy ones several times
/// and of the light ones only some, so that each has its share to within one pixel. `None` if all pixels count alike.
pub(super) fn standing(sample: &Sample) -> Option<Vec<usize>> {
    let mask = sample.mask()?;
    let counted = mask.iter().filter(|weight| **weight > 0.0).count();
    let total: f64 = mask.iter().map(|weight| f64::from(*weight)).sum();
    let mut standing = Vec::with_capacity(counted);
    let mut done = 0.0;
    for (pixel, weight) in mask.iter().enumerate() {
        done += f64::from(*weight);
        // The pixels up to this one have their part of the places, rounded.
        let places = (done / total * counted as f64 + 0.5).floor() as usize;
        let places = places.min(counted);
        while standing.len() < places {
            standing.push(pixel);
        }
    }
    Some(standing)
}

/// The mean weight of a pixel.
pub(super) fn share(sample: &Sample) -> f64 {
    let Some(mask) = sample.mask() else {
        return 1.0;
    };
    let total: f64 = mask.iter().map(|weight| f64::from(*weight)).sum();
    total / mask.len() as f64
}

/// The colours of all pixels, row by row. Those that do not count have the mean of those that do.
pub(super) fn visible(sample: &Sample) -> Vec<[f32; 3]> {
    let Some(mask) = sample.mask() else {
        return sample.pixels().to_vec();
    };
    let weighted = || sample.pixels().iter().zip(mask);
    let total: f64 = mask.iter().map(|weight| f64::from(*weight)).sum();
    let mean = [0, 1, 2].map(|c| {
        let parts = weighted().map(|(rgb, weight)| f64::from(rgb[c]) * f64::from(*weight));
        (parts.sum::<f64>() / total) as f32
    });
    let colour = |(rgb, weight): (&[f32; 3], &f32)| if *weight > 0.0 { *rgb } else { mean };
    weighted().map(colour).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(mask: Vec<f32>) -> Sample {
        let colours = vec![[0.5; 3]; mask.len()];
        let sample = Sample::new(mask.len(), 1, colours).unwrap();
        sample.with_mask(mask).unwrap()
    }

    #[test]
    fn pixels_stand_for_what_they_weigh() {
        let alike = Sample::new(3, 1, vec![[0.5; 3]; 3]).unwrap();
        assert_eq!(standing(&alike), None);
        let of = |mask: &[f32]| standing(&sample(mask.to_vec())).unwrap();
        assert_eq!(of(&[1.0, 0.0, 1.0, 1.0]), [0, 2, 3]);
        assert_eq!(of(&[0.3; 5]), [0, 1, 2, 3, 4]);
        assert_eq!(of(&[0.0, 1e-6, 0.0]), [1]);
        assert_eq!(of(&[0.2, 0.0, 0.6, 0.2, 1.0, 1.0]), [2, 3, 4, 5, 5]);
        let many: Vec<f32> = (0..997).map(|i| (i % 10) as f32 / 9.0).collect();
        let counts = of(&many);
        let heavy = counts.iter().filter(|i| *i % 10 == 9).count() as f64;
        assert!((heavy / counts.len() as f64 - 0.2).abs() < 0.005, "{heavy}");
    }

    #[test]
    fn what_is_hidden_has_the_mean_colour_of_the_rest() {
        let colours = vec![[0.2, 0.4, 1.0], [0.9; 3], [0.6, 0.4, 0.0]];
        let sample = Sample::new(3, 1, colours).unwrap();
        assert_eq!(visible(&sample), sample.pixels());
        let masked = sample.with_mask(vec![1.0, 0.0, 0.5]).unwrap();
        let found = visible(&masked);
        assert_eq!(
            [found[0], found[2]],
            [masked.pixels()[0], masked.pixels()[2]]
        );
        let expected = [(0.2 + 0.3) / 1.5, 0.4, 1.0 / 1.5];
        assert!(
            found[1]
                .iter()
                .zip(expected)
                .all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-6)
        );
    }

    #[test]
    fn a_share_is_the_mean_weight() {
        assert_eq!(share(&sample(vec![1.0, 0.0, 0.5, 0.5])), 0.5);
        assert_eq!(share(&Sample::new(1, 1, vec![[0.5; 3]]).unwrap()), 1.0);
    }
}
