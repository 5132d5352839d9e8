//! Which pixels stand for all that count.

use std::borrow::Cow;

use crate::transfer::{Sample, TransferError};

/// The image with so few of its pixels, evenly spread, that its longer side has at most `side`; itself if it has.
/// Averages would have other colours: those of grass are greyer than its blades. If the pixels left all have the weight
/// 0, they are averages after all.
pub(super) fn thinned(sample: &Sample, side: usize) -> Result<Cow<'_, Sample>, TransferError> {
    let longest = sample.width().max(sample.height());
    if longest <= side {
        return Ok(Cow::Borrowed(sample));
    }
    let chosen = |length: usize| -> Vec<usize> {
        let count = ((length * side + longest / 2) / longest).clamp(1, length);
        let middle = |i: usize| (2 * i + 1) * length / (2 * count);
        (0..count).map(middle).collect()
    };
    let (columns, rows) = (chosen(sample.width()), chosen(sample.height()));
    let at = |row: &usize| {
        let start = row * sample.width();
        columns.iter().map(move |column| start + column)
    };
    let pixels: Vec<usize> = rows.iter().flat_map(at).collect();
    let colours = pixels.iter().map(|pixel| sample.pixels()[*pixel]).collect();
    let thin = Sample::new(columns.len(), rows.len(), colours)?;
    let Some(mask) = sample.mask() else {
        return Ok(Cow::Owned(thin));
    };
    let mask: Vec<f32> = pixels.iter().map(|pixel| mask[*pixel]).collect();
    Ok(match mask.iter().any(|weight| *weight > 0.0) {
        true => Cow::Owned(thin.with_mask(mask)?),
        false => sample.reduced(side),
    })
}

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
    fn a_thinned_image_has_colours_of_the_whole() {
        let colours = (0..60 * 20)
            .map(|i| [i as f32 / 1200.0, 0.0, 0.0])
            .collect();
        let sample = Sample::new(60, 20, colours).unwrap();
        let thin = thinned(&sample, 6).unwrap();
        assert_eq!([thin.width(), thin.height()], [6, 2]);
        // The sixth row, every tenth column from the sixth.
        assert_eq!(
            thin.pixels()[..2],
            [sample.pixels()[305], sample.pixels()[315]]
        );
        assert!(matches!(thinned(&sample, 60), Ok(Cow::Borrowed(_))));
        let only = |kept: usize| {
            let mask = (0..1200).map(|i| f32::from(u8::from(i == kept))).collect();
            let masked = sample.clone().with_mask(mask).unwrap();
            let thin = thinned(&masked, 6).unwrap().into_owned();
            let counted = standing(&thin).unwrap();
            counted
                .into_iter()
                .map(|pixel| thin.pixels()[pixel])
                .collect::<Vec<_>>()
        };
        assert_eq!(only(305), [sample.pixels()[305]]);
        assert_eq!(only(0).len(), 1);
    }

    #[test]
    fn a_share_is_the_mean_weight() {
        assert_eq!(share(&sample(vec![1.0, 0.0, 0.5, 0.5])), 0.5);
        assert_eq!(share(&Sample::new(1, 1, vec![[0.5; 3]]).unwrap()), 1.0);
    }
}
