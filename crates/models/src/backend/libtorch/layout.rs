//! The order of a layer's entries in memory.
//!
//! Burn's images have one plane after the other. With AVX-512, LibTorch's layers are faster if the channels of a pixel
//! stand side by side ("channels last"): its convolutions then take and give images as they are, and what happens
//! between two convolutions is work on rows of channels. But LibTorch then copies weights and their gradients entry by
//! entry. So where the weights are most of what a layer reads, planes are faster.

use tch::{Device, Tensor};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// One plane after the other.
    Planes,
    /// The channels of a pixel side by side.
    Pixels,
}

impl Layout {
    /// The faster one for a layer that reads and writes so many entries beside so many weights.
    pub(super) fn of(device: Device, entries: i64, weights: i64) -> Self {
        match device {
            Device::Cpu if entries >= weights && pixels_are_fast() => Self::Pixels,
            _ => Self::Planes,
        }
    }

    /// The image in this order: itself if it is.
    pub(super) fn arrange(self, image: &Tensor) -> Tensor {
        match self {
            Self::Planes => image.contiguous(),
            Self::Pixels => pixels(image).contiguous().permute([0, 3, 1, 2]),
        }
    }
}

/// Without AVX-512, the gradient of the weights takes oneDNN up to three times as long with the channels side by side.
fn pixels_are_fast() -> bool {
    #[cfg(target_arch = "x86_64")]
    let fast = is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl");
    #[cfg(not(target_arch = "x86_64"))]
    let fast = false;
    fast
}

/// All entries of an image and of another, in the first's order.
pub(super) fn flat(image: &Tensor, other: &Tensor) -> [Tensor; 2] {
    let both = match image.is_contiguous() {
        true => [image.shallow_clone(), other.shallow_clone()],
        false => [pixels(image), pixels(other)],
    };
    both.map(|image| image.flatten(0, -1))
}

fn pixels(image: &Tensor) -> Tensor {
    image.permute([0, 2, 3, 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_are_kept_where_weights_are_most() {
        let of = |entries| Layout::of(Device::Cpu, entries, 1000);
        assert_eq!(of(999), Layout::Planes);
        assert_eq!(of(1000) == Layout::Pixels, pixels_are_fast());
        assert_eq!(Layout::of(Device::Cuda(0), 1000, 1000), Layout::Planes);
    }
}
