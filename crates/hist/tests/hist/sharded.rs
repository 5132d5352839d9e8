//! Pixels of one image with several workers: histograms and gradients are those of one.

use std::convert::Infallible;
use std::sync::{Barrier, Mutex};

use burn::backend::Autodiff;
use burn::nn::loss::Reduction;
use burn::tensor::{DType, Tensor};
use burn_flex::Flex;
use burn_ndarray::NdArray;
use huenet_hist::{
    Binning, EarthMoversDistanceConfig, HistogramBackend, JointHistogramConfig, Reduce,
    SoftHistogramConfig, StructureLossConfig,
};
use proptest::prelude::*;

use crate::common::{assert_close, cases, problems, tensor, values};

/// Threads that add what they have.
struct Threads {
    all: Barrier,
    sums: Mutex<Vec<f64>>,
}

/// One of them.
struct Thread<'a> {
    number: usize,
    of: usize,
    threads: &'a Threads,
}

impl Reduce for Thread<'_> {
    type Error = Infallible;

    fn sum(&self, values: &mut [f64]) -> Result<(), Infallible> {
        let Threads { all, sums } = self.threads;
        // One after the other, so that all get the sum in the same order.
        for turn in 0..self.of {
            if turn == self.number {
                let mut sums = sums.lock().unwrap();
                sums.resize(values.len(), 0.0);
                for (sum, value) in sums.iter_mut().zip(values.iter()) {
                    *sum += value;
                }
            }
            all.wait();
        }
        values.copy_from_slice(&sums.lock().unwrap());
        if all.wait().is_leader() {
            sums.lock().unwrap().clear();
        }
        all.wait();
        Ok(())
    }
}

/// Both histograms, and the gradients of a loss of both with respect to the pixels of `x` and of `y`.
#[derive(Clone, Debug)]
struct Found {
    histogram: Vec<f64>,
    joint: Vec<f64>,
    gradients: [Vec<f64>; 2],
}

fn found<B: HistogramBackend>(
    binning: &Binning,
    [x, y]: [&[f64]; 2],
    dtype: DType,
    workers: Option<&Thread<'_>>,
) -> Found {
    let row =
        |values: &[f64]| tensor::<Autodiff<B>, 2>(values, [1, values.len()], dtype).require_grad();
    let (x, y) = (row(x), row(y));
    let soft = SoftHistogramConfig::new(binning.bins, binning.kernel).init();
    let joint = JointHistogramConfig::new(binning.bins, binning.kernel).init();
    let (p, both): (Tensor<Autodiff<B>, 2>, Tensor<Autodiff<B>, 3>) = match workers {
        Some(workers) => {
            let Ok(p) = soft.forward_sharded(x.clone(), workers);
            let Ok(both) = joint.forward_sharded(x.clone(), y.clone(), workers);
            (p, both)
        }
        None => (soft.forward(x.clone()), joint.forward(x.clone(), y.clone())),
    };
    let count = binning.bins.count();
    let even = tensor(&vec![1.0 / count as f64; count], [1, count], dtype);
    let distance = EarthMoversDistanceConfig::new(binning.bins).init();
    let structure = StructureLossConfig::new().init();
    let distance = distance.forward(p.clone(), even, Reduction::Sum);
    let structure = structure.forward(both.clone(), Reduction::Sum);
    // Gradients of the losses alone may all but cancel out; then they are nothing but rounding.
    let (single, double) = (waves(&p, dtype), waves(&both, dtype));
    let weighted = (p.clone() * single).sum() + (both.clone() * double).sum();
    let loss = distance.mul_scalar(3.0) + structure + weighted;
    let gradients = loss.backward();
    Found {
        histogram: values(p),
        joint: values(both),
        gradients: [x, y].map(|image| values(image.grad(&gradients).unwrap())),
    }
}

/// Weights for the entries of a tensor, without pattern.
fn waves<B: HistogramBackend, const D: usize>(like: &Tensor<B, D>, dtype: DType) -> Tensor<B, D> {
    let shape = like.dims();
    let count: usize = shape.iter().product();
    let waves: Vec<f64> = (0..count).map(|at| (2.3 * at as f64).sin()).collect();
    tensor(&waves, shape, dtype)
}

/// What each worker finds, if the pixels are cut at `cuts`.
fn by_workers<B: HistogramBackend>(
    binning: &Binning,
    [x, y]: [&[f64]; 2],
    dtype: DType,
    cuts: &[usize],
) -> Vec<Found> {
    let of = cuts.len() - 1;
    let threads = &Threads {
        all: Barrier::new(of),
        sums: Mutex::default(),
    };
    let part = |number: usize| {
        let pixels = cuts[number]..cuts[number + 1];
        let images = [&x[pixels.clone()], &y[pixels]];
        let thread = Thread {
            number,
            of,
            threads,
        };
        found::<B>(binning, images, dtype, Some(&thread))
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..of)
            .map(|number| scope.spawn(move || part(number)))
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .collect()
    })
}

fn check<B: HistogramBackend>(
    binning: &Binning,
    images: [&[f64]; 2],
    dtype: DType,
    cuts: &[usize],
    tolerance: f64,
) {
    let whole = found::<B>(binning, images, dtype, None);
    let parts = by_workers::<B>(binning, images, dtype, cuts);
    for part in &parts {
        assert_close(&part.histogram, &whole.histogram, tolerance);
        assert_close(&part.joint, &whole.joint, tolerance);
        assert_eq!(part.histogram, parts[0].histogram, "workers differ");
        assert_eq!(part.joint, parts[0].joint, "workers differ");
    }
    for image in 0..2 {
        let parts = parts.iter().map(|part| part.gradients[image].as_slice());
        let gradients: Vec<f64> = parts.collect::<Vec<_>>().concat();
        assert_close(&gradients, &whole.gradients[image], tolerance);
    }
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn workers_find_what_one_finds(
        (binning, x, y) in problems(12, 5..40),
        cuts in proptest::collection::vec(0.0_f64..1.0, 1..4),
    ) {
        let inner = cuts.iter().map(|cut| 1 + (cut * (x.len() - 1) as f64) as usize);
        let mut cuts: Vec<usize> = [0, x.len()].into_iter().chain(inner).collect();
        cuts.sort_unstable();
        cuts.dedup();
        check::<NdArray<f64>>(&binning, [&x, &y], DType::F64, &cuts, 1e-11);
        // A gradient in single precision has the rounding of the tables that it comes from.
        check::<Flex>(&binning, [&x, &y], DType::F32, &cuts, 2e-4);
    }
}
