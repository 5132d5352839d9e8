//! Colour transfer without training: an image in the colours of another, by a formula.
//!
//! ```text
//! content, reference ──► Sample ──► fit ──► ColourMap ──► the rows of an image of any size
//! ```
//!
//! Everything is computed on the host from slices of pixels, and the same input gives the same bits
//! for any number of threads.

mod banded;
mod cloud;
mod curve;
mod distribution;
mod error;
mod linear;
mod local;
mod lut;
mod map;
mod matching;
mod options;
mod sample;

use huenet_data::ColourSpace;

pub use error::TransferError;
pub use linear::{Rgb, monge_kantorovich, reinhard};
pub use local::LocalMaps;
pub use lut::{Lut, LutError};
pub use map::ColourMap;
pub use matching::match_histogram;
pub(crate) use options::checked;
pub use options::{FitOptions, Grid, Method};
pub use sample::Sample;

use cloud::counted;
use distribution::{IterativeDistributionTransfer, Marginals, Planes, ROTATIONS};
use linear::{MongeKantorovich, Reinhard};
use matching::{HistogramMatching, MatchedMongeKantorovich};

/// Finds how `method` gives `content` the colours of `reference`.
pub fn fit(
    method: Method,
    content: &Sample,
    reference: &Sample,
    options: &FitOptions,
) -> Box<dyn ColourMap> {
    match method {
        Method::LocalMaps => Box::new(LocalMaps::fit(content, reference, options)),
        Method::Lut => Box::new(Lut::fit(content, reference, options)),
        Method::Reinhard => Box::new(Reinhard::of_samples(content, reference)),
        Method::MongeKantorovich => Box::new(MongeKantorovich::of_samples(content, reference)),
        Method::HistogramMatching => {
            Box::new(HistogramMatching::fit(ColourSpace::Yuv, content, reference))
        }
        Method::MatchedMongeKantorovich => {
            Box::new(MatchedMongeKantorovich::fit(content, reference))
        }
        Method::IterativeDistributionTransfer => {
            let [mut content, reference] = [content, reference]
                .map(|image| Planes::new(counted(image).map(|(_, rgb, weight)| (rgb, weight))));
            let reference = Marginals::new(&reference, ROTATIONS);
            Box::new(IterativeDistributionTransfer::fit(&mut content, &reference))
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
