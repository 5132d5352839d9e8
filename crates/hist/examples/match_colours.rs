//! Gives one photograph the colours of another: gradient descent on the pixels themselves.
//!
//! ```text
//! cargo run --release --package huenet-hist --example match_colours -- CONTENT REFERENCE OUTPUT.png
//! ```
//!
//! Without arguments it takes two photographs of this workspace and writes `matched.png`. The earth
//! mover's distance draws each channel's histogram to that of the reference; the conditional entropy
//! keeps the output telling the content.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::backend::Autodiff;
use burn::nn::loss::Reduction;
use burn::tensor::{DType, Tensor, TensorData};
use burn_flex::Flex;
use huenet_hist::{Bins, HistogramLossConfig, Kernel};
use image::RgbImage;

type B = Autodiff<Flex>;

const LONGEST_SIDE: u32 = 256;
const STEPS: usize = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/assets");
    let [content, reference, output] = match arguments.as_slice() {
        [] => [
            assets.join("chelsea.jpg"),
            assets.join("coffee.jpg"),
            "matched.png".into(),
        ],
        [content, reference, output] => [content.clone(), reference.clone(), output.clone()],
        _ => return Err("give a content image, a reference and an output, or nothing".into()),
    };
    let (content, reference) = (open(&content)?, open(&reference)?);
    let (width, height) = content.dimensions();
    let pixels = f64::from(width * height);

    let loss = HistogramLossConfig::new(Bins::new(256, -1.0, 1.0)?, Kernel::default()).init();
    let target = loss.target(channels(&reference));
    let content = channels(&content);
    let mut matched = content.clone();
    let started = Instant::now();
    for step in 0..=STEPS {
        let left = 1.0 - step as f64 / STEPS as f64;
        matched = matched.detach().require_grad();
        let target = target.clone();
        let losses = loss.forward(content.clone(), matched.clone(), target, Reduction::Mean);
        let (distance, entropy) = (losses.distances, losses.structures);
        if step % 50 == 0 {
            println!(
                "step {step:3}: earth mover's distance {:.4}, conditional entropy {:.3} nats",
                number(&distance),
                number(&entropy)
            );
        }
        let gradients = (distance.mul_scalar(100.0) + entropy.mul_scalar(0.01)).backward();
        if let Some(gradient) = matched.grad(&gradients) {
            // Pixels share the loss among them: a step of the same size for any number of them.
            // The root mean square is as steep near its minimum as far away: smaller steps there.
            let step = gradient.mul_scalar(2e-3 * left * pixels);
            matched = Tensor::from_inner((matched.inner() - step).clamp(-1.0, 1.0));
        }
    }
    let each = started.elapsed().as_secs_f64() * 1e3 / (STEPS + 1) as f64;
    println!("{each:.1} ms a step");

    save(matched, width, height, &output)?;
    println!("{}", output.display());
    Ok(())
}

/// A photograph, no larger than it has to be.
fn open(path: &Path) -> Result<RgbImage, Box<dyn Error>> {
    let image = image::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(image.thumbnail(LONGEST_SIDE, LONGEST_SIDE).into_rgb8())
}

/// `[3, pixels]`, from −1 to 1.
fn channels(image: &RgbImage) -> Tensor<B, 2> {
    let count = image.pixels().len();
    let channel = |c: usize| image.pixels().map(move |p| f32::from(p[c]) / 127.5 - 1.0);
    let values: Vec<f32> = (0..3).flat_map(channel).collect();
    let device = Default::default();
    Tensor::from_data(TensorData::new(values, [3, count]), (&device, DType::F32))
}

fn save(image: Tensor<B, 2>, width: u32, height: u32, path: &Path) -> Result<(), Box<dyn Error>> {
    let bytes = image
        .swap_dims(0, 1)
        .into_data()
        .iter::<f64>()
        .map(|value| ((value + 1.0) * 127.5).round() as u8)
        .collect();
    let image = RgbImage::from_raw(width, height, bytes).ok_or("the image lost pixels")?;
    image
        .save(path)
        .map_err(|error| format!("{}: {error}", path.display()).into())
}

fn number(tensor: &Tensor<B, 1>) -> f64 {
    tensor.to_data().iter::<f64>().sum()
}
