//! The two players and one training step.

use burn::module::{AutodiffModule, Module, ModuleVisitor, Param};
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{GradientsParams, Optimizer};
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};
use huenet_data::Batch;
use huenet_hist::HistogramBackend;
use huenet_models::{Discriminator, Generator, Pass, Statistics};
use rand::Rng;

use crate::adam::Adam;
use crate::losses::{HistogramLosses, generated_loss, real_loss};
use crate::metrics::StepLosses;
use crate::recipe::Recipe;
use crate::seeds::{Purpose, stream};
use crate::settings::StructureReference;

/// The generator's optimiser.
pub type GeneratorAdam<B> = OptimizerAdaptor<Adam, Generator<B>, B>;
/// The discriminator's optimiser.
pub type DiscriminatorAdam<B> = OptimizerAdaptor<Adam, Discriminator<B>, B>;

/// Both networks and both optimisers: all that training changes.
pub struct Gan<B: AutodiffBackend> {
    /// Makes images.
    pub generator: Generator<B>,
    /// Tells real images from made ones.
    pub discriminator: Discriminator<B>,
    /// The generator's optimiser.
    pub generator_adam: GeneratorAdam<B>,
    /// The discriminator's optimiser.
    pub discriminator_adam: DiscriminatorAdam<B>,
}

/// The gradients of one step, before the optimisers use them.
pub struct StepGradients {
    /// Of the total generator loss, for the generator's weights.
    pub generator: GradientsParams,
    /// Of the discriminator loss, for the discriminator's weights.
    pub discriminator: GradientsParams,
}

impl<B: AutodiffBackend> Gan<B> {
    /// Fresh networks of `recipe`, their weights drawn from its seed.
    pub fn new(recipe: &Recipe, device: &B::Device) -> Self {
        let settings = recipe.settings();
        let mut weights = stream(settings.seed, Purpose::GeneratorWeights, 0);
        let generator = recipe.generator().init(&mut weights, device);
        let mut weights = stream(settings.seed, Purpose::DiscriminatorWeights, 0);
        let discriminator = recipe.discriminator().init(&mut weights, device);
        Self::with_networks(recipe, generator, discriminator)
    }

    /// The given networks with fresh optimisers.
    pub fn with_networks(
        recipe: &Recipe,
        generator: Generator<B>,
        discriminator: Discriminator<B>,
    ) -> Self {
        let settings = recipe.settings();
        Self {
            generator,
            discriminator,
            generator_adam: Adam::new(settings.gen_beta_1).init(),
            discriminator_adam: Adam::new(settings.dis_beta_1).init(),
        }
    }

    /// One training step: both gradients at the same weights and from the same
    /// generated images, then both updates.
    ///
    /// `dropout` draws the generator's dropout masks; `None` turns dropout off.
    pub fn step(
        &mut self,
        recipe: &Recipe,
        losses: &HistogramLosses,
        batch: &Batch<B>,
        dropout: Option<&mut dyn Rng>,
    ) -> StepLosses
    where
        B: HistogramBackend,
    {
        let (values, gradients) = self.gradients(recipe, losses, batch, dropout);
        self.update(recipe, gradients);
        values
    }

    /// The losses of `batch` and their gradients.
    pub fn gradients(
        &self,
        recipe: &Recipe,
        losses: &HistogramLosses,
        batch: &Batch<B>,
        dropout: Option<&mut dyn Rng>,
    ) -> (StepLosses, StepGradients)
    where
        B: HistogramBackend,
    {
        let settings = recipe.settings();
        let paired = settings.task.is_paired();
        let batch_statistics = |update_running| Statistics::Batch { update_running };
        let condition = paired.then(|| batch.content.clone());
        let (content, reference) = (batch.content.clone(), batch.reference.clone());

        let mut pass = Pass::new(batch_statistics(true), dropout);
        let output = self
            .generator
            .forward(content.clone(), batch.counts.clone(), &mut pass);

        // The generator learns through a frozen discriminator: its weights' gradients of
        // this loss are not wanted, and its running statistics must move once a step.
        let verdict = self.discriminator.clone().no_grad().forward(
            condition.clone(),
            output.clone(),
            batch_statistics(false),
        );
        let gan = real_loss(verdict);
        let structured = match settings.structure_reference {
            StructureReference::Content => content.clone(),
            StructureReference::Reference => reference.clone(),
        };
        let losses = losses.losses(structured, output.clone(), reference.clone());
        let structure = losses.structures.mean();
        let distance = losses.distances.mean();
        let total = gan.clone().mul_scalar(settings.gan_loss_weight)
            + structure.clone().mul_scalar(settings.mi_loss_weight)
            + distance.clone().mul_scalar(settings.hist_loss_weight);

        // Taken before the discriminator's own pass, so that one graph at a time is alive.
        let generator = GradientsParams::from_grads(total.backward(), &self.generator);

        // Unpaired, the official script shows the discriminator content images as real.
        let real = if paired { reference } else { content };
        let real = self
            .discriminator
            .forward(condition.clone(), real, batch_statistics(true));
        let generated =
            self.discriminator
                .forward(condition, output.detach(), batch_statistics(true));
        let discriminator_loss = real_loss(real) + generated_loss(generated);
        let discriminator =
            GradientsParams::from_grads(discriminator_loss.backward(), &self.discriminator);

        let values = read([&total, &gan, &structure, &distance, &discriminator_loss]);
        (
            values,
            StepGradients {
                generator,
                discriminator,
            },
        )
    }

    /// Both optimisers' updates.
    pub fn update(&mut self, recipe: &Recipe, gradients: StepGradients) {
        let settings = recipe.settings();
        self.generator =
            self.generator_adam
                .step(settings.gen_lr, self.generator.clone(), gradients.generator);
        self.discriminator = self.discriminator_adam.step(
            settings.dis_lr,
            self.discriminator.clone(),
            gradients.discriminator,
        );
    }

    /// Whether every weight and running statistic of both networks is a finite number.
    pub fn is_finite(&self) -> bool {
        let mut check = Finite(true);
        self.generator.visit(&mut check);
        self.discriminator.visit(&mut check);
        check.0
    }

    /// The generator without gradients, for samples and evaluation.
    pub fn trained_generator(&self) -> Generator<B::InnerBackend> {
        self.generator.valid()
    }
}

/// Whether all tensors visited so far are finite.
struct Finite(bool);

impl<B: Backend> ModuleVisitor<B> for Finite {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        // The sum of magnitudes is finite only if each of them is, or they are so large
        // that the network is beyond use.
        let sum = param.val().abs().sum().into_data().iter::<f64>().next();
        self.0 &= sum.is_none_or(f64::is_finite);
    }
}

/// All losses in one transfer from the device.
fn read<B: AutodiffBackend>(losses: [&Tensor<B, 1>; 5]) -> StepLosses {
    let inner = losses.map(|loss| loss.clone().inner());
    let data = Tensor::cat(inner.to_vec(), 0).into_data();
    let mut values = data.iter::<f64>();
    StepLosses::from_array(std::array::from_fn(|_| values.next().unwrap_or(f64::NAN)))
}
