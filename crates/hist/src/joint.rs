//! The soft joint histogram of two images.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Tensor, TensorPrimitive};

use crate::display::one_line_display;
use crate::{Binning, Bins, HistogramBackend, Kernel};

/// Configuration to create a [joint histogram](JointHistogram).
#[derive(Config, Debug, PartialEq)]
pub struct JointHistogramConfig {
    /// The bins, the same for both images.
    pub bins: Bins,
    /// The Parzen window, the same for both images.
    pub kernel: Kernel,
}

impl JointHistogramConfig {
    /// Initialises a [joint histogram](JointHistogram).
    pub fn init(&self) -> JointHistogram {
        JointHistogram {
            binning: Binning {
                bins: self.bins,
                kernel: self.kernel,
            },
        }
    }
}

/// The soft joint histogram of two images: how often a pixel is in bin `k` of one and, at the same
/// place, in bin `l` of the other.
///
/// `P(k, l) = 1/N · Σ_i φ_k(x_i) φ_l(y_i)`
///
/// Rows are the bins of `x`, columns those of `y`. `P` is differentiable with respect to the
/// pixels of both images; for an image that needs no gradient none is computed. Pixels that are
/// infinite or not a number are treated as in [`SoftHistogram`](crate::SoftHistogram).
///
/// The row sums of `P` are the histogram of `x` only where the windows of `y` sum to one, that is
/// where none of its mass leaves the range; likewise the columns.
///
/// Source: Avi-Aharon, Arbelle, Riklin Raviv, TPAMI 2023, the differentiable joint histogram, and
/// the official code for the borders.
#[derive(Module, Debug, Clone)]
#[module(custom_display)]
pub struct JointHistogram {
    /// The bins and the Parzen window.
    #[module(skip)]
    pub binning: Binning,
}

one_line_display!(JointHistogram, |self, content| content
    .add_formatted(&self.binning));

impl JointHistogram {
    /// The joint histograms of many pairs of images at once.
    ///
    /// # Shapes
    ///
    /// - x, y: `[..., N]`, the `N` pixels of each image in the same order, of one element type
    /// - output: `[..., K, K]`, rows for `x`, columns for `y`; `D2 = D + 1`
    ///
    /// # Panics
    ///
    /// If the shapes or the element types differ, if there are no pixels (a dimension is 0), or if `D2` is
    /// not `D + 1`.
    pub fn forward<B: HistogramBackend, const D: usize, const D2: usize>(
        &self,
        x: Tensor<B, D>,
        y: Tensor<B, D>,
    ) -> Tensor<B, D2> {
        let dims = x.dims();
        let pixels = dims[D - 1];
        assert_eq!(
            dims,
            y.dims(),
            "a joint histogram needs two images of the same shape"
        );
        assert_eq!(
            x.dtype(),
            y.dtype(),
            "a joint histogram needs two images of the same element type"
        );
        assert!(
            !dims.contains(&0),
            "a joint histogram needs at least one pixel; the shape is {dims:?}"
        );
        assert_eq!(
            D2,
            D + 1,
            "a joint histogram has one dimension more than its images"
        );
        let rows = dims.iter().product::<usize>() / pixels;

        let x = x.reshape([rows, pixels]).into_primitive().tensor();
        let y = y.reshape([rows, pixels]).into_primitive().tensor();
        let p = B::joint(x, y, &self.binning);

        let count = self.binning.bins.count();
        let mut joint_dims = [count; D2];
        joint_dims[..D - 1].copy_from_slice(&dims[..D - 1]);
        Tensor::<B, 3>::from_primitive(TensorPrimitive::Float(p)).reshape(joint_dims)
    }
}
