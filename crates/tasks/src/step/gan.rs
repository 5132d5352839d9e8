//! The two players and one training step.

use burn::module::{AutodiffModule, Module};
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{GradientsParams, Optimizer};
use burn::tensor::Tensor;
use huenet_data::Batch;
use huenet_models::{Discriminator, Generator, Pass, Statistics};
use rand::Rng;

use crate::settings::StructureReference;
use crate::step::adam_rule::Adam;
use crate::step::average::WeightAverage;
use crate::step::backend::TrackedBackend;
use crate::step::deferred::DeferredLosses;
use crate::step::generate::{Generated, generate};
use crate::step::gradients::{self, NonFiniteValues};
use crate::step::loss_values::StepLosses;
use crate::step::pool::ImagePool;
use crate::step::recipe::{LearningRates, Recipe};
use crate::step::reconstruction_loss::reconstruction_loss;
use crate::step::seeds::{Purpose, stream};
use crate::step::smoothness_loss::smoothness_loss;
use crate::step::ssim_loss::ssim_loss;

/// The generator's optimiser.
pub type GeneratorAdam<B> = OptimizerAdaptor<Adam, Generator<B>, B>;
/// The discriminator's optimiser.
pub type DiscriminatorAdam<B> = OptimizerAdaptor<Adam, Discriminator<B>, B>;

/// Both networks and both optimisers, and what goes with them: all that training changes.
pub struct Gan<B: TrackedBackend> {
    /// Makes images.
    pub generator: Generator<B>,
    /// Tells real images from made ones.
    pub discriminator: Discriminator<B>,
    /// The generator's optimiser.
    pub generator_adam: GeneratorAdam<B>,
    /// The discriminator's optimiser.
    pub discriminator_adam: DiscriminatorAdam<B>,
    /// Earlier outputs for the discriminator.
    pub(crate) pool: ImagePool<B::InnerBackend>,
    /// The average of the generator's weights, if the recipe keeps one.
    pub(crate) average: Option<WeightAverage<B::InnerBackend>>,
}

/// What a step changes before the optimisers do: weights as they were, running statistics, the
/// image pool.
pub(crate) struct Before<B: TrackedBackend> {
    generator: Generator<B>,
    discriminator: Discriminator<B>,
    pool: ImagePool<B::InnerBackend>,
}

/// The gradients of one step, before the optimisers use them.
pub struct StepGradients {
    /// Of the total generator loss, for the generator's weights.
    pub generator: GradientsParams,
    /// Of the discriminator loss, for the discriminator's weights.
    pub discriminator: GradientsParams,
}

/// The generator's half of a step.
pub(super) struct OfGenerator<B: TrackedBackend> {
    /// Total, adversarial, structure and distance.
    pub(super) losses: [Tensor<B, 1>; 4],
    /// Those that not every run has.
    pub(super) further: [Option<Tensor<B, 1>>; 3],
    pub(super) gradients: GradientsParams,
    pub(super) output: Tensor<B, 4>,
}

/// Images that the discriminator is shown as generated, with the conditions that belong to them.
pub(super) type Shown<B> = (Option<Tensor<B, 4>>, Tensor<B, 4>);

/// The images that the discriminator learns from in a step.
pub(super) struct Judged<B: TrackedBackend> {
    pub(super) condition: Option<Tensor<B, 4>>,
    pub(super) real: Tensor<B, 4>,
    pub(super) output: Tensor<B, 4>,
}

impl<B: TrackedBackend> Judged<B> {
    /// The first `learned` images of a batch.
    pub(super) fn first(
        recipe: &Recipe,
        batch: &Batch<B>,
        output: Tensor<B, 4>,
        learned: usize,
    ) -> Self {
        let first = |images: &Tensor<B, 4>| images.clone().narrow(0, 0, learned);
        let paired = recipe.settings().task.is_paired();
        // Unpaired, the official script shows the discriminator content images as real.
        let real = if paired {
            &batch.reference
        } else {
            &batch.content
        };
        Self {
            condition: paired.then(|| first(&batch.content)),
            real: first(real),
            output: output.narrow(0, 0, learned),
        }
    }

    /// The outputs as they are, and their conditions: what the discriminator is shown without an image pool.
    pub(super) fn unchanged(&self) -> Shown<B> {
        (self.condition.clone(), self.output.clone().detach())
    }
}

/// Batch normalisation as in training.
pub(super) const TRAINING: Statistics<'_> = Statistics::Batch {
    update_running: true,
};

impl<B: TrackedBackend> Gan<B> {
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
            average: WeightAverage::new(settings.average_decay, generator.valid()),
            generator,
            discriminator,
            generator_adam: Adam::new(settings.gen_beta_1).init(),
            discriminator_adam: Adam::new(settings.dis_beta_1).init(),
            pool: ImagePool::new(settings.image_pool, settings.seed),
        }
    }

    /// One training step: both gradients at the same weights and from the same
    /// generated images, then both updates at these `rates`.
    ///
    /// `dropout` draws the generator's dropout masks; `None` turns dropout off.
    pub fn step(
        &mut self,
        recipe: &Recipe,
        batch: &Batch<B>,
        rates: LearningRates,
        dropout: Option<&mut dyn Rng>,
    ) -> StepLosses {
        let (deferred, gradients) = self.gradients(recipe, batch, dropout);
        self.update(recipe, rates, gradients);
        deferred.read().losses
    }

    /// The losses of `batch` and their gradients. Running statistics move, and so does the
    /// image pool. Nothing waits for the device.
    pub fn gradients(
        &mut self,
        recipe: &Recipe,
        batch: &Batch<B>,
        dropout: Option<&mut dyn Rng>,
    ) -> (DeferredLosses<B::InnerBackend>, StepGradients) {
        let mut pass = Pass::new(TRAINING, dropout);
        let of_generator = self.of_generator(recipe, batch, &mut pass, 1.0);
        let [images, ..] = batch.content.dims();
        let learned = share_of(images, recipe.settings().dis_batch_share);
        let judged = Judged::first(recipe, batch, of_generator.output, learned);
        let shown = self.exchange(&judged);
        let (discriminator_loss, discriminator) =
            self.of_discriminator(recipe, judged, shown, TRAINING, 1.0);
        let generator = of_generator.gradients;

        let device = discriminator_loss.device();
        let sums = [
            gradients::sum(&self.generator, &generator, &device),
            gradients::sum(&self.discriminator, &discriminator, &device),
        ];
        let [total, gan, structure, distance] = of_generator.losses;
        let losses = [total, gan, structure, distance, discriminator_loss];
        (
            DeferredLosses::new(
                losses.map(Tensor::inner),
                sums,
                of_generator.further.map(|loss| loss.map(Tensor::inner)),
            ),
            StepGradients {
                generator,
                discriminator,
            },
        )
    }

    /// The generator's half of a step. Of the losses only the gradients are multiplied by `weight`.
    pub(super) fn of_generator(
        &self,
        recipe: &Recipe,
        batch: &Batch<B>,
        pass: &mut Pass<'_>,
        weight: f32,
    ) -> OfGenerator<B> {
        let settings = recipe.settings();
        let condition = settings.task.is_paired().then(|| batch.content.clone());
        let (content, reference) = (batch.content.clone(), batch.reference.clone());
        let Generated { output, change } = generate(recipe, &self.generator, batch, pass);

        // The generator learns through a frozen discriminator: its weights' gradients of
        // this loss are not wanted, and its running statistics must move once a step.
        let verdict = self.discriminator.clone().no_grad().forward(
            condition,
            output.clone(),
            pass.statistics().unremembered(),
        );
        let gan = settings.gan_loss.of_generator(verdict);
        let structured = match settings.structure_reference {
            StructureReference::Content => content.clone(),
            StructureReference::Reference => reference.clone(),
        };
        let loss = recipe.training_loss();
        let target = loss.target_of_images(reference.clone());
        let losses = loss.forward_images_no_reduction(structured, output.clone(), target);
        // Over the channels and directions first: in another order they would round to other bits.
        let [structure, distance] =
            [losses.structures, losses.distances].map(|of_channels| of_channels.mean_dim(1).mean());
        let mut total = gan.clone().mul_scalar(settings.gan_loss_weight)
            + structure.clone().mul_scalar(settings.mi_loss_weight)
            + distance.clone().mul_scalar(settings.hist_loss_weight);
        let weights = settings.further_loss_weights();
        let [reconstructs, keeps_structure, smooths] = weights.map(|weight| weight > 0.0);
        let further = [
            reconstructs.then(|| reconstruction_loss(output.clone(), reference)),
            keeps_structure.then(|| ssim_loss(recipe.colour(), content, output.clone())),
            change.filter(|_| smooths).map(smoothness_loss),
        ];
        for (loss, weight) in further.iter().zip(weights) {
            if let Some(loss) = loss {
                total = total + loss.clone().mul_scalar(weight);
            }
        }

        // Taken before the discriminator's own pass, so that one graph at a time is alive.
        let gradients =
            GradientsParams::from_grads(weighted(&total, weight).backward(), &self.generator);
        OfGenerator {
            losses: [total, gan, structure, distance],
            further,
            gradients,
            output,
        }
    }

    /// The discriminator's half of a step, where it is `shown` images as generated, with the conditions that belong to
    /// them: its loss, and the gradients of its weights, multiplied by `weight`.
    pub(super) fn of_discriminator(
        &self,
        recipe: &Recipe,
        judged: Judged<B>,
        (condition, shown): Shown<B>,
        statistics: Statistics<'_>,
        weight: f32,
    ) -> (Tensor<B, 1>, GradientsParams) {
        let settings = recipe.settings();
        let real = self
            .discriminator
            .forward(judged.condition, judged.real, statistics);
        let generated = self.discriminator.forward(condition, shown, statistics);
        let loss = settings
            .gan_loss
            .of_discriminator(real, generated, settings.label_smoothing);
        let gradients =
            GradientsParams::from_grads(weighted(&loss, weight).backward(), &self.discriminator);
        (loss, gradients)
    }

    /// What the discriminator is shown as generated: the outputs, or earlier ones from the pool,
    /// with the condition that belongs to each.
    fn exchange(&mut self, judged: &Judged<B>) -> Shown<B> {
        let (condition, output) = judged.unchanged();
        if self.pool.is_empty() {
            return (condition, output);
        }
        let channels = output.dims()[1];
        let both = match condition {
            Some(condition) => Tensor::cat(vec![output, condition], 1),
            None => output,
        };
        let shown = Tensor::from_inner(self.pool.exchange(both.inner()));
        let all = shown.dims()[1];
        let condition = (all > channels).then(|| shown.clone().narrow(1, channels, all - channels));
        (condition, shown.narrow(1, 0, channels))
    }

    /// Both optimisers' updates, after the gradients were clipped if the recipe says so; the
    /// average of the generator's weights follows, if it keeps one.
    pub fn update(&mut self, recipe: &Recipe, rates: LearningRates, gradients: StepGradients) {
        let limit = recipe.settings().clip_gradients;
        let StepGradients {
            generator: mut of_generator,
            discriminator: mut of_discriminator,
            ..
        } = gradients;
        if limit > 0.0 {
            gradients::clip(&self.generator, &mut of_generator, limit);
            gradients::clip(&self.discriminator, &mut of_discriminator, limit);
        }
        self.generator =
            self.generator_adam
                .step(rates.generator, self.generator.clone(), of_generator);
        self.discriminator = self.discriminator_adam.step(
            rates.discriminator,
            self.discriminator.clone(),
            of_discriminator,
        );
        let average = self.average.take();
        self.average = average.map(|average| average.follow(&self.generator));
    }

    /// What [`gradients`](Self::gradients) may change.
    pub(crate) fn before(&self) -> Before<B> {
        Before {
            generator: self.generator.clone(),
            discriminator: self.discriminator.clone(),
            pool: self.pool.clone(),
        }
    }

    /// Undoes what [`gradients`](Self::gradients) changed.
    pub(crate) fn undo(&mut self, before: Before<B>) {
        self.generator = before.generator;
        self.discriminator = before.discriminator;
        self.pool = before.pool;
    }

    /// The weights and running statistics that are not finite numbers.
    pub fn non_finite_weights(&self) -> NonFiniteValues {
        NonFiniteValues {
            generator: gradients::non_finite_weights(&self.generator),
            discriminator: gradients::non_finite_weights(&self.discriminator),
        }
    }

    /// The weights whose gradients are not finite numbers.
    pub fn non_finite_gradients(&self, found: &StepGradients) -> NonFiniteValues {
        NonFiniteValues {
            generator: gradients::non_finite(&self.generator, &found.generator),
            discriminator: gradients::non_finite(&self.discriminator, &found.discriminator),
        }
    }

    /// A checksum of all weights and running statistics, to tell those of one process from those of another.
    pub(crate) fn checksum(&self) -> u32 {
        let mut hash = crc32fast::Hasher::new();
        gradients::hash_weights(&self.generator, &mut hash);
        gradients::hash_weights(&self.discriminator, &mut hash);
        hash.finalize()
    }

    /// The generator without gradients, for samples and evaluation: with the average of its
    /// weights, if the recipe keeps one.
    pub fn trained_generator(&self) -> Generator<B::InnerBackend> {
        match &self.average {
            Some(average) => average.generator().clone(),
            None => self.generator.valid(),
        }
    }
}

/// A loss of one's own images as it enters that of a whole batch.
fn weighted<B: TrackedBackend>(loss: &Tensor<B, 1>, weight: f32) -> Tensor<B, 1> {
    match weight {
        1.0 => loss.clone(),
        _ => loss.clone().mul_scalar(weight),
    }
}

/// A share of so many images, rounded up to whole ones, at least one. Of 25, 0.28 is 7: that the
/// product of both is a rounding more does not make it 8.
pub(super) fn share_of(images: usize, share: f64) -> usize {
    (share * images as f64 - 1e-9).ceil().max(1.0) as usize
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(4, 0.25, 1)]
    #[case(5, 0.25, 2)]
    #[case(25, 0.28, 7)]
    #[case(4, 1.0, 4)]
    #[case(1, 1e-12, 1)]
    fn a_share_is_rounded_up_to_whole_images(
        #[case] images: usize,
        #[case] share: f64,
        #[case] expected: usize,
    ) {
        assert_eq!(share_of(images, share), expected);
    }
}
