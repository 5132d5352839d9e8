//! Batch normalisation with Keras' semantics.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::init;
use crate::pass::Statistics;
use crate::running::RunningVector;
use crate::whole_batch::{SumOfAll, WholeBatch};

/// Added to the variance before its root is taken (Keras' default).
pub const EPSILON: f64 = 1e-3;

/// What the running statistics keep of themselves at each update (Keras' default).
const MOMENTUM: f64 = 0.99;

/// Batch normalisation over images: for each channel, y = γ·(x − mean)/√(variance + ε) + β.
///
/// As Keras has it: ε = 1e-3; the variance that normalises is the biased one (divided by
/// n = batch·height·width), the one that enters the running variance is unbiased (n − 1; by n
/// where n = 1); running ← 0.99·running + 0.01·batch, from 0 and 1 at the start.
///
/// With n = 1 a batch normalises to 0, so the output is β.
///
/// Source: Ioffe and Szegedy, "Batch Normalization" (2015); tf.keras' fused layer.
#[derive(Module, Debug)]
pub struct BatchNorm<B: Backend> {
    gamma: Param<Tensor<B, 1>>,
    beta: Param<Tensor<B, 1>>,
    running_mean: RunningVector<B>,
    running_variance: RunningVector<B>,
}

impl<B: Backend> BatchNorm<B> {
    /// γ = 1, β = 0, running mean 0, running variance 1.
    pub fn new(channels: usize, device: &B::Device) -> Self {
        let vector = |value: f32| init::tensor(vec![value; channels], [channels], device);
        Self {
            gamma: Param::from_tensor(vector(1.0)),
            beta: Param::from_tensor(vector(0.0)),
            running_mean: RunningVector::new(vector(0.0)),
            running_variance: RunningVector::new(vector(1.0)),
        }
    }

    /// Normalises each channel.
    ///
    /// # Shapes
    /// - `input`: `[batch, channels, height, width]`
    /// - output: as `input`
    ///
    /// # Panics
    /// If the channels are not the layer's, or the statistics are to be [those of several
    /// workers](Statistics::Whole): only networks collect these.
    pub fn forward(&self, input: Tensor<B, 4>, statistics: Statistics<'_>) -> Tensor<B, 4> {
        self.normalise(input, statistics, |_, _| {
            panic!("a batch norm by itself does not know what adds over workers")
        })
    }

    /// [`forward`](Self::forward); `sum` adds over workers that have other images of the batch.
    pub(crate) fn normalise(
        &self,
        input: Tensor<B, 4>,
        statistics: Statistics<'_>,
        sum: SumOfAll<B>,
    ) -> Tensor<B, 4> {
        let shape = input.dims();
        let [batch, channels, height, width] = shape;
        let [own] = self.gamma.dims();
        assert_eq!(
            channels, own,
            "an image of {channels} channels given to {own} batch norms"
        );
        let planes = Planes {
            batch,
            channels,
            pixels: height * width,
        };
        let input = input.reshape([batch * channels, height * width]);
        let output = match statistics {
            Statistics::Running => self.with_running(input, &planes),
            Statistics::Batch { update_running } => {
                self.with_batch(input, &planes, None, update_running)
            }
            Statistics::Whole {
                batch,
                update_running,
            } => self.with_batch(input, &planes, Some((batch, sum)), update_running),
        };
        output.reshape(shape)
    }

    fn with_running(&self, input: Tensor<B, 2>, planes: &Planes) -> Tensor<B, 2> {
        let scale = self.scale(self.running_variance.value());
        let shift = self.beta.val() - self.running_mean.value() * scale.clone();
        input * planes.spread(scale) + planes.spread(shift)
    }

    fn with_batch(
        &self,
        input: Tensor<B, 2>,
        planes: &Planes,
        whole: Option<(&WholeBatch, SumOfAll<B>)>,
        update_running: bool,
    ) -> Tensor<B, 2> {
        let mean_of = |values| match whole {
            None => planes.mean(values),
            Some((whole, sum)) => whole.mean(planes.mean(values), sum),
        };
        let mean = mean_of(input.clone());
        let centred = input - planes.spread(mean.clone());
        let variance = mean_of(centred.clone() * centred.clone());
        if update_running {
            let images = whole.map_or(planes.batch, |(whole, _)| whole.images());
            let n = images * planes.pixels;
            let unbiased = n as f64 / n.saturating_sub(1).max(1) as f64;
            self.remember(mean, variance.clone().mul_scalar(unbiased));
        }
        centred * planes.spread(self.scale(variance)) + planes.spread(self.beta.val())
    }

    /// Moves the running statistics towards those of a batch, whose variance is the unbiased one.
    pub(crate) fn remember(&self, mean: Tensor<B, 1>, variance: Tensor<B, 1>) {
        move_towards(&self.running_mean, mean);
        move_towards(&self.running_variance, variance);
    }

    /// γ and β, `[channels]` each.
    #[cfg(feature = "tch")]
    pub(crate) fn parameters(&self) -> [Tensor<B, 1>; 2] {
        [self.gamma.val(), self.beta.val()]
    }

    /// γ/√(variance + ε), `[channels]`.
    fn scale(&self, variance: Tensor<B, 1>) -> Tensor<B, 1> {
        self.gamma.val() / variance.add_scalar(EPSILON).sqrt()
    }
}

/// A batch of images as a matrix, one row for each channel of each image. Broadcasting is then a
/// scalar a row, which CPU backends have a fast path for; one along the middle axis of three is
/// a hundred times slower on Flex.
struct Planes {
    batch: usize,
    channels: usize,
    pixels: usize,
}

impl Planes {
    /// Per channel to per row: `[channels]` to `[batch·channels, 1]`.
    fn spread<B: Backend>(&self, vector: Tensor<B, 1>) -> Tensor<B, 2> {
        let rows = vector.unsqueeze::<2>().expand([self.batch, self.channels]);
        rows.reshape([self.batch * self.channels, 1])
    }

    /// The mean of each channel: `[batch·channels, pixels]` to `[channels]`.
    fn mean<B: Backend>(&self, rows: Tensor<B, 2>) -> Tensor<B, 1> {
        let rows = rows.mean_dim(1).reshape([self.batch, self.channels]);
        rows.mean_dim(0).reshape([self.channels])
    }
}

fn move_towards<B: Backend>(running: &RunningVector<B>, batch: Tensor<B, 1>) {
    let batch = batch.detach();
    running.update(|value| value.mul_scalar(MOMENTUM) + batch.mul_scalar(1.0 - MOMENTUM));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        Double, DoubleAutodiff, check_input_gradient, check_parameter_gradients,
        largest_difference, values, waves, weighted_sum,
    };
    use crate::whole_batch::{Workers, tracked};
    use burn::tensor::DType::F64;
    use burn_autodiff::checkpoint::strategy::NoCheckpointing;
    use std::sync::{Arc, Barrier, Mutex};

    const TRAIN: Statistics = Statistics::Batch {
        update_running: true,
    };

    fn layer<B: Backend<FloatElem = f64>>() -> BatchNorm<B> {
        let mut layer = BatchNorm::new(2, &Default::default());
        layer.gamma = Param::from_tensor(waves([2], F64, 0.5));
        layer.beta = Param::from_tensor(waves([2], F64, 0.8));
        layer
    }

    /// Channel `c` of `[batch, 2, pixels]` values.
    fn channel(values: &[f64], pixels: usize, c: usize) -> Vec<f64> {
        values
            .chunks(pixels)
            .skip(c)
            .step_by(2)
            .flatten()
            .copied()
            .collect()
    }

    #[test]
    fn normalises_by_the_biased_and_remembers_the_unbiased_variance() {
        let layer = layer::<Double>();
        let input = waves::<Double, 4>([3, 2, 2, 5], F64, 0.0) + 4.0;
        let output = values(layer.forward(input.clone(), TRAIN));
        let input = values(input);
        for c in 0..2 {
            let x = channel(&input, 10, c);
            let n = x.len() as f64;
            let mean = x.iter().sum::<f64>() / n;
            let squares = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
            let gamma = values(layer.gamma.val())[c];
            let beta = values(layer.beta.val())[c];
            let root = (squares / n + 1e-3).sqrt();
            let expected: Vec<f64> = x.iter().map(|x| gamma * (x - mean) / root + beta).collect();
            assert!(largest_difference(&channel(&output, 10, c), &expected) < 1e-12);
            let running_mean = values(layer.running_mean.value())[c];
            let running_variance = values(layer.running_variance.value())[c];
            assert!((running_mean - 0.01 * mean).abs() < 1e-12);
            assert!((running_variance - 0.99 - 0.01 * squares / (n - 1.0)).abs() < 1e-12);
        }
    }

    #[test]
    #[should_panic(expected = "an image of 3 channels given to 2 batch norms")]
    fn says_which_images_it_takes() {
        layer::<Double>().forward(waves([1, 3, 2, 2], F64, 0.0), TRAIN);
    }

    #[test]
    fn the_running_statistics_move_only_when_told() {
        let layer = layer::<Double>();
        let input = waves::<Double, 4>([3, 2, 2, 5], F64, 0.0);
        for statistics in [
            Statistics::Running,
            Statistics::Batch {
                update_running: false,
            },
        ] {
            layer.forward(input.clone(), statistics);
            assert_eq!(values(layer.running_mean.value()), [0.0, 0.0]);
            assert_eq!(values(layer.running_variance.value()), [1.0, 1.0]);
        }
        layer.forward(input, TRAIN);
        assert_ne!(values(layer.running_mean.value()), [0.0, 0.0]);
    }

    #[test]
    fn a_single_value_becomes_beta() {
        let layer = layer::<DoubleAutodiff>();
        let input = waves::<DoubleAutodiff, 4>([1, 2, 1, 1], F64, 0.0).require_grad();
        let output = layer.forward(input.clone(), TRAIN);
        assert_eq!(values(output.clone()), values(layer.beta.val()));
        assert_eq!(values(layer.running_variance.value()), [0.99, 0.99]);
        let gradient = input.grad(&output.sum().backward()).unwrap();
        assert_eq!(values(gradient), [0.0, 0.0]);
    }

    #[test]
    fn with_running_statistics_an_image_is_normalised_alone() {
        let layer = layer::<Double>();
        layer.forward(waves([3, 2, 2, 5], F64, 0.0), TRAIN);
        let pair = waves::<Double, 4>([2, 2, 3, 3], F64, 1.0);
        let both = values(layer.forward(pair.clone(), Statistics::Running));
        let second = values(layer.forward(pair.narrow(0, 1, 1), Statistics::Running));
        assert!(largest_difference(&both[18..], &second) < 1e-15);
    }

    /// Threads that add what they have.
    #[derive(Debug)]
    struct Threads {
        all: Barrier,
        told: Mutex<Vec<Vec<f64>>>,
    }

    #[derive(Debug)]
    struct Thread(usize, Arc<Threads>);

    impl Workers for Thread {
        fn sum(&self, values: &mut [f64]) {
            let Self(number, threads) = self;
            threads.told.lock().unwrap()[*number] = values.to_vec();
            threads.all.wait();
            values.fill(0.0);
            for told in threads.told.lock().unwrap().iter() {
                for (sum, value) in values.iter_mut().zip(told) {
                    *sum += value;
                }
            }
            threads.all.wait();
        }
    }

    /// The output of `images`, then the gradients of a loss of all images for them, γ and β; then the running
    /// statistics.
    fn found(
        input: &Tensor<DoubleAutodiff, 4>,
        images: std::ops::Range<usize>,
        counted: bool,
        whole: Option<&WholeBatch>,
    ) -> [Vec<f64>; 5] {
        let layer = layer::<DoubleAutodiff>();
        let own =
            |all: &Tensor<DoubleAutodiff, 4>| all.clone().narrow(0, images.start, images.len());
        let leaf = own(input).require_grad();
        let statistics = match whole {
            None => TRAIN,
            Some(batch) => Statistics::Whole {
                batch,
                update_running: true,
            },
        };
        let output = layer.normalise(leaf.clone(), statistics, tracked::<Double, NoCheckpointing>);
        let wave = own(&waves(input.dims(), F64, 0.4));
        let loss = (output.clone() * wave + output.clone().powi_scalar(2)).sum();
        let loss = loss.mul_scalar(if counted { 1.0 } else { 0.0 });
        let gradients = loss.backward();
        let of = |gradient: Option<Tensor<Double, 1>>| values(gradient.unwrap());
        [
            values(output),
            values(leaf.grad(&gradients).unwrap()),
            of(layer.gamma.val().grad(&gradients)),
            of(layer.beta.val().grad(&gradients)),
            [&layer.running_mean, &layer.running_variance]
                .map(|vector| values(vector.value()))
                .concat(),
        ]
    }

    #[test]
    fn workers_find_what_one_finds_of_their_images() {
        let input = waves::<DoubleAutodiff, 4>([3, 2, 2, 5], F64, 0.0) + 4.0;
        let [output, of_input, of_gamma, of_beta, running] = found(&input, 0..3, true, None);
        // The third has an image, but not of this batch.
        let shares = [(0, 0..2, 2), (1, 2..3, 1), (2, 0..1, 0)];
        let threads = Arc::new(Threads {
            all: Barrier::new(shares.len()),
            told: Mutex::new(vec![Vec::new(); shares.len()]),
        });
        let all = std::thread::scope(|scope| {
            let started = shares.map(|(number, images, own)| {
                let worker = Arc::new(Thread(number, threads.clone()));
                let input = &input;
                scope.spawn(move || {
                    let whole = WholeBatch::new(worker, own, 3);
                    found(input, images, own > 0, Some(&whole))
                })
            });
            started.map(|thread| thread.join().unwrap())
        });
        let [first, second, third] = &all;
        let close = |found: &[f64], expected: &[f64]| {
            let far = largest_difference(found, expected);
            assert!(far < 1e-12, "{far}");
        };
        close(&[first[0].clone(), second[0].clone()].concat(), &output);
        close(&[first[1].clone(), second[1].clone()].concat(), &of_input);
        for (part, expected) in [(2, &of_gamma), (3, &of_beta)] {
            let sum: Vec<f64> = (0..2)
                .map(|at| first[part][at] + second[part][at] + third[part][at])
                .collect();
            close(&sum, expected);
        }
        for found in &all {
            close(&found[4], &running);
        }
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let layer = layer::<DoubleAutodiff>();
        layer.forward(waves([3, 2, 2, 5], F64, 0.0), TRAIN);
        let input = waves::<DoubleAutodiff, 4>([2, 2, 2, 3], F64, 1.0);
        for statistics in [
            Statistics::Running,
            Statistics::Batch {
                update_running: false,
            },
        ] {
            check_input_gradient(
                input.clone(),
                |x| weighted_sum(layer.forward(x, statistics)),
                1e-7,
            );
            let checked = check_parameter_gradients(
                &layer,
                |layer| weighted_sum(layer.forward(input.clone(), statistics)),
                |layer| weighted_sum(layer.forward(input.clone().inner(), statistics)),
                1e-7,
            );
            assert_eq!(checked, 2);
        }
    }
}
