//! The convolution of a layer, in LibTorch's operations.

use burn::nn::PaddingConfig2d;
use burn::tensor::backend::Backend;

use crate::layer::Convolution;

/// The geometry of a convolution.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kernel {
    Plain {
        doubling: Option<Doubling>,
        stride: [i64; 2],
        padding: [i64; 2],
        dilation: [i64; 2],
        groups: i64,
    },
    Transposed {
        stride: [i64; 2],
        padding: [i64; 2],
        output_padding: [i64; 2],
        dilation: [i64; 2],
        groups: i64,
    },
}

impl Kernel {
    /// `None` if the padding is not one that LibTorch's convolution has.
    pub(super) fn of<B: Backend>(convolution: &Convolution<'_, B>) -> Option<Self> {
        let whole = |sizes: [usize; 2]| sizes.map(|size| size as i64);
        Some(match convolution {
            Convolution::Plain(conv)
            | Convolution::Framed(conv)
            | Convolution::OfDoubled(conv)
            | Convolution::ThenDoubled(conv) => Self::Plain {
                doubling: match convolution {
                    Convolution::OfDoubled(_) => Some(Doubling::Before),
                    Convolution::ThenDoubled(_) => Some(Doubling::After),
                    _ => None,
                },
                stride: whole(conv.stride),
                padding: match conv.padding {
                    PaddingConfig2d::Valid => [0, 0],
                    PaddingConfig2d::Explicit(top, left, bottom, right)
                        if top == bottom && left == right =>
                    {
                        whole([top, left])
                    }
                    _ => return None,
                },
                dilation: whole(conv.dilation),
                groups: conv.groups as i64,
            },
            Convolution::Transposed(conv) => Self::Transposed {
                stride: whole(conv.stride),
                padding: whole(conv.padding),
                output_padding: whole(conv.padding_out),
                dilation: whole(conv.dilation),
                groups: conv.groups as i64,
            },
        })
    }

    /// About how many entries the convolution reads and writes, beside its weights.
    pub(super) fn entries(&self, input: &tch::Tensor, weight: &tch::Tensor) -> i64 {
        let (size, weights) = (input.size(), weight.size());
        let pixels = size[0] * size[2] * size[3];
        let ([from, to], read, written) = match self {
            Self::Plain {
                doubling, stride, ..
            } => {
                let read = match doubling {
                    Some(Doubling::Before) => 4 * pixels,
                    _ => pixels,
                };
                ([size[1], weights[0]], read, read / (stride[0] * stride[1]))
            }
            Self::Transposed { stride, groups, .. } => (
                [size[1], weights[1] * groups],
                pixels,
                pixels * stride[0] * stride[1],
            ),
        };
        from * read + to * written
    }

    pub(super) fn convolve(
        &self,
        input: &tch::Tensor,
        weight: &tch::Tensor,
        bias: Option<&tch::Tensor>,
    ) -> tch::Tensor {
        match *self {
            Self::Plain {
                doubling,
                stride,
                padding,
                dilation,
                groups,
            } => {
                let convolve = |image: &tch::Tensor| {
                    image.conv2d(weight, bias, stride, padding, dilation, groups)
                };
                match doubling {
                    None => convolve(input),
                    Some(Doubling::Before) => {
                        convolve(&doubled(input).reflection_pad2d([1, 1, 1, 1]))
                    }
                    Some(Doubling::After) => doubled(&convolve(input)),
                }
            }
            Self::Transposed {
                stride,
                padding,
                output_padding,
                dilation,
                groups,
            } => input.conv_transpose2d(
                weight,
                bias,
                stride,
                padding,
                output_padding,
                groups,
                dilation,
            ),
        }
    }
}

/// When a convolution doubles the image.
#[derive(Debug, Clone, Copy)]
pub(super) enum Doubling {
    /// Before, with a reflected border.
    Before,
    After,
}

fn doubled(image: &tch::Tensor) -> tch::Tensor {
    let size = image.size();
    image.upsample_bilinear2d([2 * size[2], 2 * size[3]], false, None, None)
}
