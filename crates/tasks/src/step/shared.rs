//! One training step of a group: each member has some images of the batch, and all find the gradients of the whole.

use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};
use huenet_data::Batch;
use huenet_models::{BatchPart, Pass, Statistics, WholeBatch};
use rand::Rng;

use crate::group::members::Group;
use crate::group::share::Share;
use crate::group::workers::with_workers;
use crate::step::backend::TrackedBackend;
use crate::step::deferred::DeferredLosses;
use crate::step::gan::{Gan, Judged, OfGenerator, Shown, StepGradients, TRAINING, share_of};
use crate::step::gradients;
use crate::step::recipe::Recipe;
use crate::step::running_statistics;

impl<B: TrackedBackend> Gan<B> {
    /// As [`gradients`](Self::gradients) of a batch of `images` images, of which `own` are this member's. All members
    /// get the same bits.
    ///
    /// A member that has none of them gives `None`; with batch normalisation over all images, whose sums need everyone,
    /// the whole batch instead: these images then count for nothing.
    ///
    /// Losses and gradients are sums of the members' means, each weighted by its share of the images. Dropout's masks
    /// and the image pool are those of the whole batch.
    pub(crate) fn shared_gradients(
        &mut self,
        recipe: &Recipe,
        own: Option<&Batch<B>>,
        images: usize,
        dropout: Option<&mut (dyn Rng + Send)>,
        group: &dyn Group,
        device: &B::Device,
    ) -> (DeferredLosses<B::InnerBackend>, StepGradients) {
        let share = Share::of(group);
        let of_generator =
            own.map(|batch| self.shared_of_generator(recipe, batch, images, dropout, group));

        let learned = share_of(images, recipe.settings().dis_batch_share);
        let own_learned = share.count(learned);
        // With batch normalisation over all images one that has nothing to learn from passes an image, too.
        let passes = own_learned.max(recipe.shares_statistics().into());
        let judged = own.zip(of_generator.as_ref()).filter(|_| passes > 0);
        let judged =
            judged.map(|(batch, side)| Judged::first(recipe, batch, side.output.clone(), passes));
        let counted = judged.as_ref().filter(|_| own_learned > 0);
        let shown = self.shared_exchange(recipe, counted, learned, group, device);
        let of_discriminator = judged.map(|judged| {
            let shown = shown.unwrap_or_else(|| judged.unchanged());
            self.shared_of_discriminator(recipe, judged, shown, learned, group)
        });

        let none = GradientsParams::new();
        let mut row = Vec::new();
        let own = of_generator.as_ref().map(|side| &side.gradients);
        gradients::flatten(&self.generator, own.unwrap_or(&none), &mut row);
        let own_judged = of_discriminator.as_ref().map(|(_, gradients)| gradients);
        gradients::flatten(&self.discriminator, own_judged.unwrap_or(&none), &mut row);
        if recipe.averages_statistics() {
            running_statistics::flatten(&self.generator, share.weight(images), &mut row);
            running_statistics::flatten(&self.discriminator, share.weight(learned), &mut row);
        }

        let has = recipe.settings().further_loss_weights().map(|it| it > 0.0);
        let count = 4 + has.into_iter().filter(|has| *has).count();
        let losses = match &of_generator {
            Some(side) if share.count(images) > 0 => {
                let further = side.further.iter().flatten();
                let losses = side.losses.iter().chain(further).cloned();
                numbers(Tensor::cat(losses.collect(), 0))
            }
            _ => vec![0.0; count],
        };
        let weight = share.weight(images);
        row.extend(losses.into_iter().map(|loss| loss * weight));
        let loss = of_discriminator.as_ref().filter(|_| own_learned > 0);
        let loss = loss.map_or_else(|| vec![0.0], |(loss, _)| numbers(loss.clone()));
        let weight = share.weight(learned);
        row.extend(loss.into_iter().map(|loss| loss * weight));

        group.sum(&mut row);
        let (generator, rest) = gradients::unflatten(&self.generator, own, &row);
        let (discriminator, mut rest) = gradients::unflatten(&self.discriminator, own_judged, rest);
        if recipe.averages_statistics() {
            (self.generator, rest) = running_statistics::unflatten(self.generator.clone(), rest);
            (self.discriminator, rest) =
                running_statistics::unflatten(self.discriminator.clone(), rest);
        }
        let number = |at: usize| {
            let value = rest.get(at).copied().unwrap_or(f32::NAN);
            Tensor::from_data([value], device)
        };
        let mut next = 4..;
        let further = has.map(|has| has.then(|| next.next().map(number)).flatten());
        let sums = [
            gradients::sum(&self.generator, &generator, device),
            gradients::sum(&self.discriminator, &discriminator, device),
        ];
        let losses = [number(0), number(1), number(2), number(3), number(count)];
        (
            DeferredLosses::new(losses, sums, further),
            StepGradients {
                generator,
                discriminator,
            },
        )
    }

    /// The generator's half of the step, of this member's images.
    fn shared_of_generator(
        &self,
        recipe: &Recipe,
        batch: &Batch<B>,
        images: usize,
        dropout: Option<&mut (dyn Rng + Send)>,
        group: &dyn Group,
    ) -> OfGenerator<B> {
        let share = Share::of(group);
        let part = match share.count(images) {
            // It has the whole batch, for the sums.
            0 => BatchPart {
                first: 0,
                step: 1,
                whole: images,
            },
            _ => BatchPart {
                first: share.rank,
                step: share.size,
                whole: images,
            },
        };
        let weight = share.weight(images);
        let run = |statistics: Statistics<'_>, dropout: Option<&mut (dyn Rng + Send)>| {
            let dropout = dropout.map(|dropout| dropout as &mut dyn Rng);
            let mut pass = Pass::new(statistics, dropout).of_part(part);
            self.of_generator(recipe, batch, &mut pass, weight)
        };
        if !recipe.shares_statistics() {
            return run(TRAINING, dropout);
        }
        with_workers(group, move |workers| {
            let whole = WholeBatch::new(workers, share.count(images), images);
            run(of_whole(&whole), dropout)
        })
    }

    /// The discriminator's half of the step, of this member's images.
    fn shared_of_discriminator(
        &self,
        recipe: &Recipe,
        judged: Judged<B>,
        shown: Shown<B>,
        learned: usize,
        group: &dyn Group,
    ) -> (Tensor<B, 1>, GradientsParams) {
        let share = Share::of(group);
        let weight = share.weight(learned);
        if !recipe.shares_statistics() {
            return self.of_discriminator(recipe, judged, shown, TRAINING, weight);
        }
        with_workers(group, move |workers| {
            let whole = WholeBatch::new(workers, share.count(learned), learned);
            self.of_discriminator(recipe, judged, shown, of_whole(&whole), weight)
        })
    }

    /// What the discriminator is shown for this member's images of those that it learns from; `None` if these are none.
    /// Each member keeps the whole image pool, and asks it about the images of all.
    fn shared_exchange(
        &mut self,
        recipe: &Recipe,
        judged: Option<&Judged<B>>,
        learned: usize,
        group: &dyn Group,
        device: &B::Device,
    ) -> Option<Shown<B>> {
        if self.pool.is_empty() {
            return judged.map(Judged::unchanged);
        }
        let s = recipe.settings();
        let share = Share::of(group);
        let conditions = if s.task.is_paired() { s.img_c } else { 0 };
        let shape = [s.img_out_c + conditions, s.img_h, s.img_w];
        let each: usize = shape.iter().product();
        let mut own = judged.map_or_else(Vec::new, |judged| {
            let both = std::iter::once(&judged.output).chain(&judged.condition);
            numbers(Tensor::cat(both.cloned().collect(), 1).detach())
        });
        own.resize(learned.div_ceil(share.size) * each, 0.0);
        let all = share.assembled(learned, each, &group.gather(&own));
        let [channels, height, width] = shape;
        let all = TensorData::new(all, [learned, channels, height, width]);
        let shown = self.pool.exchange(Tensor::from_data(all, device));
        judged?;
        let own = (share.rank..learned).step_by(share.size);
        let own = own.map(|image| shown.clone().narrow(0, image, 1)).collect();
        let shown = Tensor::from_inner(Tensor::cat(own, 0));
        let condition = (conditions > 0).then(|| shown.clone().narrow(1, s.img_out_c, conditions));
        Some((condition, shown.narrow(1, 0, s.img_out_c)))
    }
}

/// Batch normalisation as in training, with the statistics of all members' images.
fn of_whole(batch: &WholeBatch) -> Statistics<'_> {
    Statistics::Whole {
        batch,
        update_running: true,
    }
}

/// The values of a tensor.
fn numbers<B: TrackedBackend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
