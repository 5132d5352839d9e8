//! Numbers, histograms and pictures as the script of the page reads them.

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::distributions::{Distributions, ImageDistributions};
use super::pictures;

/// Bins of a histogram on the page, at most.
const BINS: usize = 128;

/// Histograms and joint histograms of the chosen images.
pub(super) fn distributions(all: &Distributions) -> Value {
    let image = |image: &ImageDistributions| {
        let channels = image.channels.iter().map(|channel| {
            let joint = pictures::heat_map(&channel.joint, channel.cells);
            json!({
                "name": channel.name,
                "content": coarse(&channel.content),
                "reference": coarse(&channel.reference),
                "output": coarse(&channel.output),
                "joint": joint.map(|png| data_uri("image/png", &png)),
            })
        });
        json!({
            "content": image.content,
            "reference": image.reference,
            "channels": channels.collect::<Vec<_>>(),
        })
    };
    let images: Vec<Value> = all.images.iter().map(image).collect();
    json!({ "range": all.range, "images": images })
}

/// A histogram with at most [`BINS`] bins, each the sum of as many.
fn coarse(histogram: &[f32]) -> Vec<Option<f64>> {
    // A whole number of bins each, so that all are equally wide.
    let by = (1..=histogram.len())
        .find(|by| histogram.len().is_multiple_of(*by) && histogram.len() / by <= BINS)
        .unwrap_or(1);
    let sums = histogram
        .chunks(by)
        .map(|bins| bins.iter().map(|p| f64::from(*p)).sum());
    sums.map(short).collect()
}

/// A number with five digits; none for what is no finite number.
pub(super) fn short(value: f64) -> Option<f64> {
    if value == 0.0 || !value.is_finite() {
        return value.is_finite().then_some(value);
    }
    format!("{value:.4e}").parse().ok()
}

/// Bytes as the source of a picture.
pub(super) fn data_uri(kind: &str, bytes: &[u8]) -> String {
    format!("data:{kind};base64,{}", BASE64.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_is_summed_to_equal_bins() {
        assert_eq!(coarse(&[0.25; 4]), [Some(0.25); 4]);
        assert_eq!(coarse(&[1.0 / 256.0; 256]).len(), 128);
        assert_eq!(coarse(&[1.0; 131]).len(), 1);
        assert_eq!(coarse(&[f32::NAN, 1.0]), [None, Some(1.0)]);
    }
}
