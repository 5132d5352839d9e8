//! The soft histogram of one image.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Tensor, TensorPrimitive};

use crate::display::one_line_display;
use crate::{Binning, Bins, HistogramBackend, Kernel};

/// Configuration to create a [soft histogram](SoftHistogram).
#[derive(Config, Debug, PartialEq)]
pub struct SoftHistogramConfig {
    /// The bins.
    pub bins: Bins,
    /// The Parzen window.
    pub kernel: Kernel,
}

impl SoftHistogramConfig {
    /// Initialises a [soft histogram](SoftHistogram).
    pub fn init(&self) -> SoftHistogram {
        SoftHistogram {
            binning: Binning {
                bins: self.bins,
                kernel: self.kernel,
            },
        }
    }
}

/// The soft histogram of the pixels of an image: the mean of their Parzen windows.
///
/// `p(k) = 1/N · Σ_i φ_k(x_i)`
///
/// with the window `φ_k` of [`Kernel`] and the borders treated as [`Boundary`](crate::Boundary)
/// says. `p` is differentiable with respect to every pixel. Entries are at least 0; they sum to 1
/// as far as no mass leaves the range (they are never renormalised, as in the official code).
///
/// A pixel that is not a number makes the whole histogram of its row not a number: it cannot be
/// counted, and must not be lost in silence. An infinite pixel lies outside any range: its mass is
/// lost, except that under [`Boundary::Wrap`](crate::Boundary::Wrap) its place on the circle is
/// undefined and it counts as not a number.
///
/// Source: Avi-Aharon, Arbelle, Riklin Raviv, TPAMI 2023, the differentiable intensity histogram,
/// and the official code for the borders.
#[derive(Module, Debug, Clone)]
#[module(custom_display)]
pub struct SoftHistogram {
    /// The bins and the Parzen window.
    #[module(skip)]
    pub binning: Binning,
}

one_line_display!(SoftHistogram, |self, content| content
    .add_formatted(&self.binning));

impl SoftHistogram {
    /// The histograms of many images at once.
    ///
    /// # Shapes
    ///
    /// - x: `[..., N]`, the `N` pixels of each image in any order
    /// - output: `[..., K]`
    ///
    /// # Panics
    ///
    /// If `x` has no pixels: if one of its dimensions is 0.
    pub fn forward<B: HistogramBackend, const D: usize>(&self, x: Tensor<B, D>) -> Tensor<B, D> {
        let mut dims = x.dims();
        let pixels = dims[D - 1];
        assert!(
            !dims.contains(&0),
            "a histogram needs at least one pixel; the shape is {dims:?}"
        );
        let rows = dims.iter().product::<usize>() / pixels;

        let x = x.reshape([rows, pixels]).into_primitive().tensor();
        let p = B::marginal(x, &self.binning);
        dims[D - 1] = self.binning.bins.count();
        Tensor::<B, 2>::from_primitive(TensorPrimitive::Float(p)).reshape(dims)
    }
}
