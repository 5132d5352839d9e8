//! What a layer is made of, and what it computes.

use burn::nn::conv::{Conv2d, ConvTranspose2d};
use burn::tensor::Tensor;
use burn::tensor::activation::{leaky_relu, relu};
use burn::tensor::backend::Backend;

use crate::modulation::Modulation;
use crate::normalization::Norm;
use crate::upsample::{upsample_bilinear, upsample_bilinear_reflected};
use crate::whole_batch::SumOfAll;

/// What LeakyReLU lets through of a negative value (Keras' default; pix2pix has 0.2).
pub const LEAKY_SLOPE: f64 = 0.3;

/// What ends a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    None,
    LeakyRelu,
    Relu,
    Tanh,
}

/// The convolution of a layer.
pub(crate) enum Convolution<'a, B: Backend> {
    /// An ordinary one.
    Plain(&'a Conv2d<B>),
    /// An ordinary one without padding, of an image that has its border already.
    Framed(&'a Conv2d<B>),
    /// An ordinary one without padding, of the image doubled (bilinear) and framed by one pixel
    /// of reflected border.
    OfDoubled(&'a Conv2d<B>),
    /// An ordinary one, whose result is doubled (bilinear).
    ThenDoubled(&'a Conv2d<B>),
    /// A transposed one.
    Transposed(&'a ConvTranspose2d<B>),
}

impl<B: Backend> Clone for Convolution<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

// Whether or not the backend's type can be copied.
impl<B: Backend> Copy for Convolution<'_, B> {}

/// One layer, all that happens between two images: convolution, normalisation, modulation,
/// dropout, activation. Both networks are made of these.
pub struct Layer<'a, B: Backend> {
    pub(crate) convolution: Convolution<'a, B>,
    pub(crate) norm: Option<Norm<'a, B>>,
    pub(crate) modulation: Option<Modulation<B>>,
    /// The factors of dropout, of the output's shape.
    pub(crate) mask: Option<Tensor<B, 4>>,
    pub(crate) activation: Activation,
}

impl<'a, B: Backend> Layer<'a, B> {
    /// A convolution and nothing else.
    pub(crate) fn of(convolution: Convolution<'a, B>) -> Self {
        Self {
            convolution,
            norm: None,
            modulation: None,
            mask: None,
            activation: Activation::None,
        }
    }

    pub(crate) fn activated(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }

    /// What the layer makes of `input`, in tensor operations. `convolve` computes the convolutions around a
    /// doubling; `rounds_products` says whether the backend's products of matrices may round; `sum` adds over workers
    /// that have other images of the batch.
    ///
    /// # Shapes
    /// - `input`: `[batch, channels in, height, width]`
    /// - output: `[batch, channels out, …]`, as the convolution makes it
    pub(crate) fn by_operations(
        self,
        input: Tensor<B, 4>,
        convolve: impl Fn(&Conv2d<B>, Tensor<B, 4>) -> Tensor<B, 4>,
        rounds_products: bool,
        sum: SumOfAll<B>,
    ) -> Tensor<B, 4> {
        let convolved = match self.convolution {
            Convolution::Plain(conv) => conv.forward(input),
            Convolution::Framed(conv) => convolve(conv, input),
            Convolution::OfDoubled(conv) => {
                convolve(conv, upsample_bilinear_reflected(input, rounds_products))
            }
            Convolution::ThenDoubled(conv) => {
                upsample_bilinear(convolve(conv, input), rounds_products)
            }
            Convolution::Transposed(conv) => conv.forward(input),
        };
        self.after_convolution(convolved, sum)
    }

    /// What the rest of the layer makes of the convolution's result, in tensor operations.
    ///
    /// # Shapes
    /// - `convolved`, output: `[batch, channels out, height, width]`
    pub(crate) fn after_convolution(
        self,
        convolved: Tensor<B, 4>,
        sum: SumOfAll<B>,
    ) -> Tensor<B, 4> {
        let (output, modulation) = match self.norm {
            Some(Norm::Group(norm)) => (norm.modulated(convolved, self.modulation), None),
            Some(Norm::Batch(norm, statistics)) => {
                (norm.normalise(convolved, statistics, sum), self.modulation)
            }
            None => (convolved, self.modulation),
        };
        let output = match modulation {
            Some(modulation) => modulation.forward(output),
            None => output,
        };
        let output = match self.mask {
            Some(mask) => output * mask,
            None => output,
        };
        match self.activation {
            Activation::None => output,
            Activation::LeakyRelu => leaky_relu(output, LEAKY_SLOPE),
            Activation::Relu => relu(output),
            Activation::Tanh => output.tanh(),
        }
    }
}
