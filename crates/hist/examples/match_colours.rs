//! Gives one image the colours of another: gradient descent on the pixels themselves.
//!
//! ```text
//! cargo run --release --package huenet-hist --features flex --example match_colours
//! ```
//!
//! The images are made up: smooth ramps of one channel, as many values as a photograph. The
//! earth mover's distance draws the output to the histogram of the reference; the conditional
//! entropy keeps it telling the content.

use std::time::Instant;

use burn::backend::Autodiff;
use burn::tensor::{DType, Tensor, TensorData};
use burn_flex::Flex;
use huenet_hist::{
    Bins, EarthMoversDistanceConfig, HistogramError, JointHistogramConfig, Kernel,
    SoftHistogramConfig, StructureLossConfig,
};

type B = Autodiff<Flex>;

const SIDE: usize = 256;
const STEPS: usize = 60;

fn main() -> Result<(), HistogramError> {
    let bins = Bins::new(256, -1.0, 1.0)?;
    let kernel = Kernel::default();
    let histogram = SoftHistogramConfig::new(bins, kernel).init();
    let joint = JointHistogramConfig::new(bins, kernel).init();
    let emd = EarthMoversDistanceConfig::new(bins).init();
    let structure = StructureLossConfig::new().init();

    let content = image(|u, v| 0.5 * (7.0 * u).sin() * (5.0 * v).cos() - 0.3);
    let reference = image(|u, v| 0.9 - 1.2 * (u - 0.5).hypot(v - 0.5));
    let target = histogram.forward(reference);

    let mut output = content.clone();
    let started = Instant::now();
    for step in 0..=STEPS {
        output = output.detach().require_grad();
        let distance = emd.forward(histogram.forward(output.clone()), target.clone());
        let entropy = structure.forward(joint.forward::<B, 2, 3>(content.clone(), output.clone()));
        if step % 20 == 0 {
            println!(
                "step {step:3}: earth mover's distance {:.4}, conditional entropy {:.3} nats",
                number(&distance),
                number(&entropy)
            );
        }
        let gradients = (distance.mul_scalar(100.0) + entropy.mul_scalar(0.01)).backward();
        if let Some(gradient) = output.grad(&gradients) {
            // Pixels share the loss among them: a step of the same size for any number of them.
            // The root mean square is as steep near its minimum as far away: smaller steps there.
            let left = 1.0 - step as f64 / STEPS as f64;
            let gradient = gradient.mul_scalar(1e-3 * left * (SIDE * SIDE) as f64);
            output = Tensor::from_inner((output.inner() - gradient).clamp(-1.0, 1.0));
        }
    }
    println!(
        "{:.1} ms a step",
        started.elapsed().as_secs_f64() * 1e3 / (STEPS + 1) as f64
    );
    Ok(())
}

fn image(value: impl Fn(f64, f64) -> f64) -> Tensor<B, 2> {
    let place = |i: usize| (i as f64 + 0.5) / SIDE as f64;
    let pixels: Vec<f32> = (0..SIDE * SIDE)
        .map(|i| value(place(i % SIDE), place(i / SIDE)) as f32)
        .collect();
    let device = Default::default();
    Tensor::from_data(
        TensorData::new(pixels, [1, SIDE * SIDE]),
        (&device, DType::F32),
    )
}

fn number(tensor: &Tensor<B, 1>) -> f64 {
    tensor.to_data().iter::<f64>().sum()
}
