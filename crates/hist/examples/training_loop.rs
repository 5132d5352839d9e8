//! The histogram losses in a training loop of one's own: a small network learns to give images other
//! colours.
//!
//! ```text
//! cargo run --release --package huenet-hist --example training_loop
//! ```
//!
//! The images are made up: waves of one colour each. The network has to find, for all of them, colours
//! that are distributed as in a reference it never sees, and may not lose the waves.

use burn::backend::Autodiff;
use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::Reduction;
use burn::optim::{AdamConfig, GradientsParams, Optimizer};
use burn::tensor::activation::leaky_relu;
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor, TensorData};
use burn_flex::Flex;
use huenet_hist::{Bins, HistogramError, HistogramLossConfig, Kernel};

type B = Autodiff<Flex>;

const BATCH: usize = 4;
const SIDE: usize = 64;
const STEPS: usize = 150;

/// Two convolutions.
#[derive(Module, Debug)]
struct Painter<B: Backend> {
    first: Conv2d<B>,
    second: Conv2d<B>,
}

impl<B: Backend> Painter<B> {
    fn new(device: &B::Device) -> Self {
        let convolution = |from, to| {
            let config = Conv2dConfig::new([from, to], [3, 3]);
            config
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(device)
        };
        Self {
            first: convolution(3, 16),
            second: convolution(16, 3),
        }
    }

    fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 4> {
        let hidden = leaky_relu(self.first.forward(images), 0.2);
        self.second.forward(hidden).tanh()
    }
}

fn main() -> Result<(), HistogramError> {
    let device = Default::default();
    B::seed(&device, 0);
    let loss = HistogramLossConfig::new(Bins::new(64, -1.0, 1.0)?, Kernel::default()).init();
    // Every image of a batch has the same reference, whose histogram is computed once.
    let target = loss.target_of_images(waves(0.9, 0.6));

    let mut painter = Painter::<B>::new(&device);
    let mut optimiser = AdamConfig::new().init();
    for step in 0..=STEPS {
        let content = waves(0.1 * step as f32, -0.2);
        let output = painter.forward(content.clone());
        let losses = loss.forward_images(content, output, target.clone(), Reduction::Mean);
        let (distance, entropy) = (losses.distances, losses.structures);
        if step % 50 == 0 {
            let number = |tensor: &Tensor<B, 1>| tensor.to_data().iter::<f64>().sum::<f64>();
            println!(
                "step {step:3}: earth mover's distance {:.4}, conditional entropy {:.3} nats",
                number(&distance),
                number(&entropy)
            );
        }
        let gradients = (distance.mul_scalar(20.0) + entropy.mul_scalar(0.1)).backward();
        let gradients = GradientsParams::from_grads(gradients, &painter);
        painter = optimiser.step(3e-3, painter, gradients);
    }
    Ok(())
}

/// A batch of images `[BATCH, 3, SIDE, SIDE]` whose values lie around `level`.
fn waves(phase: f32, level: f32) -> Tensor<B, 4> {
    let values: Vec<f32> = (0..BATCH * 3 * SIDE * SIDE)
        .map(|i| {
            let (x, y, plane) = (i % SIDE, i / SIDE % SIDE, i / (SIDE * SIDE));
            let wave = (0.2 * x as f32 + phase).sin() * (0.13 * y as f32 + plane as f32).cos();
            level + 0.3 * wave
        })
        .collect();
    let device = Default::default();
    let data = TensorData::new(values, [BATCH, 3, SIDE, SIDE]);
    Tensor::from_data(data, (&device, DType::F32))
}
