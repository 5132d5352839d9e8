//! Histograms of pixels that lie with several workers.

use burn::tensor::{Tensor, TensorData, TensorPrimitive};

use crate::{HistogramBackend, JointHistogram, SoftHistogram};

/// Workers that add their numbers: the processes of a cluster, the threads of a process, whatever holds parts of an
/// image.
///
/// Something that sends messages implements it: MPI's all-reduce, for example.
///
/// ```
/// use std::convert::Infallible;
/// use burn::tensor::Tensor;
/// use burn_flex::Flex;
/// use huenet_hist::{Bins, Kernel, Reduce, SoftHistogramConfig};
///
/// /// One worker, which has all pixels.
/// struct Alone;
///
/// impl Reduce for Alone {
///     type Error = Infallible;
///
///     fn sum(&self, _: &mut [f64]) -> Result<(), Infallible> {
///         Ok(())
///     }
/// }
///
/// let histogram = SoftHistogramConfig::new(Bins::new(4, 0.0, 1.0)?, Kernel::default()).init();
/// let x = Tensor::<Flex, 2>::from_floats([[0.1, 0.2, 0.9]], &Default::default());
/// let Ok(of_all) = histogram.forward_sharded(x.clone(), &Alone);
/// assert_eq!(of_all.into_data(), histogram.forward(x).into_data());
/// # Ok::<(), huenet_hist::HistogramError>(())
/// ```
pub trait Reduce {
    /// Why the numbers cannot be added: a worker is gone, say.
    type Error;

    /// Puts in the place of each value its sum over all workers.
    ///
    /// All workers call it equally often, with equally many values. Each has to get the same bits: what they
    /// compute of the sums, they compute apart.
    ///
    /// # Errors
    ///
    /// As the workers fail.
    fn sum(&self, values: &mut [f64]) -> Result<(), Self::Error>;
}

impl SoftHistogram {
    /// [`forward`](Self::forward) of images whose pixels lie with several workers. Each gets the histograms of whole
    /// images, and calls this with its own pixels.
    ///
    /// `p(k) = Σ_r N_r p_r(k) / Σ_r N_r`, where worker `r` has `N_r` pixels and their histogram `p_r`.
    ///
    /// Gradients come without another sum: each worker computes the same loss of the same histograms, and
    /// differentiates it for its own pixels. Losses that differ between workers would need a sum of their gradients.
    ///
    /// # Shapes
    ///
    /// - x: `[..., N_r]`, at least one pixel; the other dimensions are those of every worker
    /// - output: `[..., K]`
    ///
    /// # Errors
    ///
    /// [`Reduce::Error`].
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    pub fn forward_sharded<B: HistogramBackend, const D: usize, R: Reduce>(
        &self,
        x: Tensor<B, D>,
        workers: &R,
    ) -> Result<Tensor<B, D>, R::Error> {
        let pixels = x.dims()[D - 1];
        of_all(self.forward(x), pixels, workers)
    }
}

impl JointHistogram {
    /// [`forward`](Self::forward) of pairs of images whose pixels lie with several workers, as in
    /// [`SoftHistogram::forward_sharded`].
    ///
    /// # Shapes
    ///
    /// - x, y: `[..., N_r]`, at least one pixel, the same ones of both
    /// - output: `[..., K, K]`, `D2 = D + 1`
    ///
    /// # Errors
    ///
    /// [`Reduce::Error`].
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    pub fn forward_sharded<B: HistogramBackend, const D: usize, const D2: usize, R: Reduce>(
        &self,
        x: Tensor<B, D>,
        y: Tensor<B, D>,
        workers: &R,
    ) -> Result<Tensor<B, D2>, R::Error> {
        let pixels = x.dims()[D - 1];
        of_all(self.forward(x, y), pixels, workers)
    }
}

/// The mean over all pixels, given that over so many of one's own.
fn of_all<B: HistogramBackend, const D: usize, R: Reduce>(
    own: Tensor<B, D>,
    pixels: usize,
    workers: &R,
) -> Result<Tensor<B, D>, R::Error> {
    let (shape, dtype, device) = (own.dims(), own.dtype(), own.device());
    let pixels = pixels as f64;
    let sums = own.clone().into_data();
    let mut sums: Vec<f64> = sums.iter::<f64>().map(|mean| mean * pixels).collect();
    sums.push(pixels);
    workers.sum(&mut sums)?;
    let all = sums.pop().unwrap_or(pixels);
    sums.iter_mut().for_each(|sum| *sum /= all);
    let data = TensorData::new(sums, shape).convert_dtype(dtype);
    let whole = Tensor::<B, D>::from_data(data, (&device, dtype));
    // Of the whole mean the own one has this share, and so its pixels have of the gradient.
    let share = own.mul_scalar(pixels / all);
    let value = B::with_value(
        share.into_primitive().tensor(),
        whole.into_primitive().tensor(),
    );
    Ok(Tensor::from_primitive(TensorPrimitive::Float(value)))
}
