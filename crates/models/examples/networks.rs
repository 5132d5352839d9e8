//! Builds a small generator and discriminator, runs both once, and prints what they are.
//!
//! ```sh
//! cargo run -p huenet-models --example networks
//! ```

use burn::module::Module;
use burn::tensor::{Int, Tensor};
use huenet_models::{
    DiscriminatorConfig, DiscriminatorOptions, GeneratorConfig, GeneratorOptions, ModelError, Pass,
    Statistics,
};
use rand::SeedableRng;

type B = burn_flex::Flex;

fn main() -> Result<(), ModelError> {
    let device = Default::default();
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let side = 128;

    let options = GeneratorOptions {
        base_width: 16,
        depth: 7,
        height: side,
        width: side,
        ..GeneratorOptions::default()
    };
    let generator = GeneratorConfig::new(options)?.init::<B>(&mut rng, &device);

    // A grey image, and the histograms of a reference whose pixels are spread over all bins.
    let content = Tensor::<B, 4>::zeros([1, 3, side, side], &device);
    let per_bin = side * side / options.bins;
    let counts = Tensor::<B, 3, Int>::full([1, 3, options.bins], per_bin as i64, &device);
    let output = generator.forward(content.clone(), counts, &mut Pass::inference());
    println!(
        "generator: {} parameters, output {:?}",
        generator.num_params(),
        output.dims()
    );

    let options = DiscriminatorOptions {
        base_width: 16,
        height: side,
        width: side,
        ..DiscriminatorOptions::default()
    };
    let discriminator = DiscriminatorConfig::new(options)?.init::<B>(&mut rng, &device);
    let logits = discriminator.forward(Some(content), output, Statistics::Running);
    println!(
        "discriminator: {} parameters, logits {:?}",
        discriminator.num_params(),
        logits.dims()
    );
    Ok(())
}
