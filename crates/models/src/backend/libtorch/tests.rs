use super::*;
use crate::testing::{largest_difference, waves};
use burn::tensor::DType::F32;

/// Entries of a tensor in row-major order.
fn values(tensor: &tch::Tensor) -> Vec<f64> {
    Vec::try_from(&tensor.contiguous().flatten(0, -1)).unwrap()
}

fn wave<const D: usize>(shape: [usize; D], phase: f64) -> tch::Tensor {
    primitive(waves::<LibTorch<f32>, D>(shape, F32, phase)).tensor
}

fn plain(doubling: Option<kernel::Doubling>, stride: i64, padding: i64) -> Kernel {
    Kernel::Plain {
        doubling,
        stride: [stride; 2],
        padding: [padding; 2],
        dilation: [1; 2],
        groups: 1,
    }
}

/// A layer's image and its gradients with respect to all parts, from eight channels to sixteen.
fn results(
    layout: Layout,
    (kernel, activation): (Kernel, Activation),
    norm: Option<bool>,
    image: &tch::Tensor,
) -> Vec<Vec<f64>> {
    let weight = match kernel {
        Kernel::Plain { .. } => wave([16, 8, 4, 4], 0.3),
        Kernel::Transposed { .. } => wave([8, 16, 4, 4], 0.3),
    };
    // Batch normalisation takes a bias away again, and leaves noise as its gradient.
    let bias = (norm != Some(false)).then(|| wave([16], 0.5));
    let mut parts = vec![Some(image.copy()), Some(weight * 0.1), bias];
    let grouped = norm == Some(true);
    parts.extend([0.7, 1.1].map(|phase| norm.map(|_| wave([16], phase))));
    parts.extend([1.3, 1.9].map(|phase| grouped.then(|| wave([2, 16], phase))));
    let leaves: Parts = parts.try_into().unwrap();
    let leaves = leaves.map(|part| Some(part?.set_requires_grad(true)));
    let operations = Operations {
        kernel,
        groups: grouped,
        mask: None,
        activation,
        layout: Some(layout),
    };
    let (image, _) = tch::with_grad(|| operations.compute(&leaves));
    let mut found = vec![values(&image.detach())];
    let size: Vec<usize> = image.size().into_iter().map(|side| side as usize).collect();
    let grad = wave(<[usize; 4]>::try_from(size).unwrap(), 0.2);
    let graph = Graph {
        leaves,
        image,
        _memory: Vec::new(),
    };
    let gradients = graph.backward(&grad);
    found.extend(gradients.iter().flatten().map(values));
    found
}

#[test]
fn a_layer_is_the_same_in_either_order_of_entries() {
    let transposed = Kernel::Transposed {
        stride: [2; 2],
        padding: [1; 2],
        output_padding: [0; 2],
        dilation: [1; 2],
        groups: 1,
    };
    let before = Some(kernel::Doubling::Before);
    let after = Some(kernel::Doubling::After);
    let image = wave([2, 8, 6, 10], 0.9);
    for (layer, norm) in [
        ((plain(None, 2, 1), Activation::LeakyRelu), None),
        ((plain(None, 2, 1), Activation::LeakyRelu), Some(false)),
        ((plain(before, 1, 0), Activation::Relu), Some(true)),
        ((plain(before, 1, 0), Activation::Relu), Some(false)),
        ((plain(after, 1, 1), Activation::None), None),
        ((transposed, Activation::Tanh), None),
    ] {
        let expected = results(Layout::Planes, layer, norm, &image);
        assert!(expected.len() >= 4);
        // Whatever order the image comes in.
        let pixels = Layout::Pixels.arrange(&image);
        for image in [&image, &pixels] {
            let found = results(Layout::Pixels, layer, norm, image);
            for (found, expected) in found.iter().zip(&expected) {
                let largest = expected.iter().fold(0.0f64, |a, b| a.max(b.abs()));
                let difference = largest_difference(found, expected);
                assert!(
                    difference <= 2e-5 * largest,
                    "{layer:?}: {difference} of {largest}"
                );
            }
        }
    }
}

#[test]
fn an_image_that_no_layer_follows_has_planes() {
    let image = wave([2, 8, 6, 10], 0.9);
    for (activation, planes) in [(Activation::None, true), (Activation::Relu, false)] {
        let operations = Operations {
            kernel: plain(None, 1, 1),
            groups: false,
            mask: None,
            activation,
            layout: Some(Layout::Pixels),
        };
        let [weight, bias] = [wave([16, 8, 4, 4], 0.3), wave([16], 0.5)];
        let parts = [
            Some(image.copy()),
            Some(weight),
            Some(bias),
            None,
            None,
            None,
            None,
        ];
        let (image, _) = operations.compute(&parts);
        assert_eq!(image.is_contiguous(), planes);
    }
}
