//! An exponential moving average of the generator's weights.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::record::Record;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::container::TensorContainer;
use burn::tensor::{Tensor, TensorPrimitive};
use huenet_models::Generator;

use crate::step::backend::TrainingBackend;

/// A generator whose weights follow those of the one that is trained:
///
/// ```text
/// average ← d · average + (1 − d) · weight      d = min(decay, (1 + t)/(10 + t))
/// ```
///
/// after each step t, from 1, so that the first weights, drawn at random, are soon forgotten.
/// Running statistics are the trained generator's own.
///
/// Source: Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging" (1992);
/// for generators Yazıcı et al., "The Unusual Effectiveness of Averaging in GAN Training" (2019);
/// the decay of the first steps is that of TensorFlow's `ExponentialMovingAverage`.
pub(crate) struct WeightAverage<B: Backend> {
    decay: f64,
    steps: u64,
    generator: Generator<B>,
}

/// What is saved of an average.
#[derive(Record)]
pub(crate) struct Averaged<B: Backend> {
    /// How many steps it has followed.
    steps: usize,
    pub(crate) generator: <Generator<B> as Module<B>>::Record,
}

impl<B: TrainingBackend> WeightAverage<B> {
    /// An average that starts at `generator`; none for a decay of 0.
    pub(crate) fn new(decay: f64, generator: Generator<B>) -> Option<Self> {
        (decay > 0.0).then_some(Self {
            decay,
            steps: 0,
            generator,
        })
    }

    /// The generator with the averaged weights.
    pub(crate) fn generator(&self) -> &Generator<B> {
        &self.generator
    }

    /// The average after another step, which led to the weights of `trained`.
    #[must_use]
    pub(crate) fn follow<T>(self, trained: &Generator<T>) -> Self
    where
        T: AutodiffBackend<InnerBackend = B>,
    {
        let steps = self.steps + 1;
        let t = steps as f64;
        let decay = self.decay.min((1.0 + t) / (10.0 + t));
        let mut weights = Weights::default();
        trained.visit(&mut weights);
        let mut follow = Follow {
            weights,
            share: 1.0 - decay,
        };
        Self {
            steps,
            generator: self.generator.map(&mut follow),
            ..self
        }
    }

    /// All of it, to be saved.
    pub(crate) fn record(&self) -> Averaged<B> {
        Averaged {
            steps: self.steps as usize,
            generator: self.generator.clone().into_record(),
        }
    }

    /// An average that goes on from what was saved.
    pub(crate) fn load(self, saved: Averaged<B>) -> Self {
        Self {
            steps: saved.steps as u64,
            generator: self.generator.load_record(saved.generator),
            ..self
        }
    }
}

/// The tensors of a network.
#[derive(Default)]
struct Weights {
    /// Those that are trained.
    trained: TensorContainer<ParamId>,
    /// Those that are carried along, such as running statistics.
    carried: TensorContainer<ParamId>,
}

impl<T: AutodiffBackend> ModuleVisitor<T> for Weights {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<T, D>>) {
        let tensor = param.val();
        let into = match tensor.is_require_grad() {
            true => &mut self.trained,
            false => &mut self.carried,
        };
        let tensor = tensor.inner().into_primitive();
        into.register::<T::InnerBackend>(param.id, tensor);
    }
}

/// Moves each weight by this share of its way to the trained one.
struct Follow {
    weights: Weights,
    share: f64,
}

impl<B: TrainingBackend> ModuleMapper<B> for Follow {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let take = |from: &mut TensorContainer<ParamId>| {
            let found: Option<TensorPrimitive<B>> = from.remove::<B>(&param.id);
            found.map(Tensor::<B, D>::from_primitive)
        };
        if let Some(trained) = take(&mut self.weights.trained) {
            let share = self.share;
            return param.map(|average| B::average(average, trained, share));
        }
        match take(&mut self.weights.carried) {
            Some(carried) => param.map(|_| carried),
            None => param,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use burn::module::AutodiffModule;
    use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder, Recorder};
    use burn_autodiff::Autodiff;
    use burn_flex::Flex;

    use super::*;
    use crate::settings::{Settings, Task};
    use crate::step::recipe::Recipe;
    use crate::step::seeds::{Purpose, stream};

    type T = Autodiff<Flex>;

    fn generator(seed: u64) -> Generator<T> {
        let settings = Settings {
            img_h: 32,
            img_w: 32,
            depth: 3,
            base_width: 2,
            bin_num: 8,
            ..Settings::official(Task::Colorization).on_demo()
        };
        let recipe = Recipe::new(settings).unwrap();
        let mut random = stream(seed, Purpose::GeneratorWeights, 0);
        recipe.generator().init(&mut random, &Default::default())
    }

    /// Adds 1 to everything: weights and running statistics.
    struct Grow;

    impl ModuleMapper<T> for Grow {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<T, D>>) -> Param<Tensor<T, D>> {
            let trained = param.val().is_require_grad();
            param.map(|tensor| {
                Tensor::from_inner(tensor.inner().add_scalar(1.0)).set_require_grad(trained)
            })
        }
    }

    /// Everything by its name.
    fn values<B: Backend>(generator: &Generator<B>) -> BTreeMap<String, Vec<f32>> {
        #[derive(Default)]
        struct Collect(Vec<String>, BTreeMap<String, Vec<f32>>);
        impl<B: Backend> ModuleVisitor<B> for Collect {
            fn enter_module(&mut self, name: &str, _: &str) {
                self.0.push(name.to_owned());
            }
            fn exit_module(&mut self, _: &str, _: &str) {
                self.0.pop();
            }
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
                let values = param.val().into_data().to_vec().unwrap();
                self.1.insert(self.0.join("."), values);
            }
        }
        let mut collect = Collect::default();
        generator.visit(&mut collect);
        collect.1
    }

    /// The average moved by `share` from `before` to `before` + 1, running statistics wholly.
    fn check(average: &WeightAverage<Flex>, before: &BTreeMap<String, Vec<f32>>, share: f32) {
        let found = values(average.generator());
        assert_eq!(found.len(), before.len());
        assert!(found.keys().any(|name| name.contains("running")));
        for (name, found) in found {
            let share = if name.contains("running") { 1.0 } else { share };
            let close = |(a, b): (&f32, &f32)| (a - b - share).abs() < 1e-6;
            assert!(found.iter().zip(&before[&name]).all(close), "{name}");
        }
    }

    #[test]
    fn weights_are_averaged_with_a_growing_decay_and_statistics_taken_over() {
        let first = generator(1);
        let before = values(&first);
        let trained = first.clone().map(&mut Grow);
        let average = WeightAverage::new(0.2, first.valid()).unwrap();
        let average = average.follow(&trained);
        check(&average, &before, 1.0 - 2.0 / 11.0);
        // 3/12 is more than the decay.
        let average = average.follow(&trained);
        check(&average, &before, 1.0 - 2.0 / 11.0 * 0.2);
        // What it follows is left alone.
        assert_eq!(values(&first), before);
    }

    #[test]
    fn one_that_was_saved_goes_on_as_if_it_had_not_been() {
        let trained = generator(1);
        let start = || WeightAverage::new(0.9, generator(1).valid()).unwrap();
        let grown = trained.clone().map(&mut Grow);
        // The same weights by their ids, as a restored network has them.
        let whole = WeightAverage::new(0.9, trained.valid()).unwrap();
        let whole = whole.follow(&grown).follow(&grown);
        let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::default();
        let bytes = Recorder::<Flex>::record(&recorder, whole.record(), ()).unwrap();
        let saved = Recorder::<Flex>::load(&recorder, bytes, &Default::default()).unwrap();
        let resumed = start().load(saved);
        let [whole, resumed] = [whole, resumed].map(|average| average.follow(&trained));
        assert_eq!(values(whole.generator()), values(resumed.generator()));
    }

    #[test]
    fn a_decay_of_nothing_keeps_none() {
        assert!(WeightAverage::new(0.0, generator(1).valid()).is_none());
    }
}
