//! Measuring every method on the same pairs.

use huenet_data::RgbImage;
use huenet_hist::{Bins, HistogramLoss, HistogramLossConfig, Kernel};

use super::batch::{Batch, Generators};
use super::comparison::{Comparison, Histograms, Measured};
use super::pairs::Pair;
use super::pictures::{self, Picture, Progress, Shown};
use super::sheet;
use super::study::{BINS, Study};
use crate::measure::figures::{Compared, figures_of};
use crate::step::backend::TrainingBackend;
use crate::store::error::TaskError;

/// What is measured with, the same for all runs.
fn histogram_loss() -> HistogramLoss {
    let bins = Bins::new(BINS, -1.0, 1.0).expect("256 bins over a range");
    HistogramLossConfig::new(bins, Kernel::default()).init()
}

/// Measures every method on the pairs of `study`; `tell` is given each image as it is there, and how
/// many pairs are done. The contact sheet comes with its own error: the figures are there if it could not be drawn.
///
/// # Errors
///
/// [`TaskError::Data`] if an image cannot be read, [`TaskError::DamagedCheckpoint`].
pub fn compare<B: TrainingBackend>(
    study: &Study,
    device: &B::Device,
    tell: &mut dyn FnMut(Progress<'_>),
) -> Result<(Comparison, Result<RgbImage, TaskError>), TaskError> {
    let generators = Generators::<B>::of(study, device)?;
    let loss = histogram_loss();
    let mut measured: Vec<Measured> = study.methods().map(Measured::new).collect();
    let mut histograms = Histograms::new(study.colour.channels(), BINS);
    let mut done = 0;
    for (number, batch) in study.pairs.batches().iter().enumerate() {
        let made = Batch::make(study, &generators, number, device)?;
        let mut show = |index: usize, shown: Shown, planes: &[f32]| {
            tell(Progress::Made(Picture {
                name: pictures::name(done + index + 1, &batch[index], shown),
                colour: study.colour,
                planes,
                size: made.size,
            }));
        };
        for (index, [content, reference]) in made.each().enumerate() {
            show(index, Shown::Content, content);
            show(index, Shown::Reference, reference);
        }
        histograms.references(made.references::<B>(&loss, device));
        for measured in &mut measured {
            let method = measured.method();
            let outputs = made.by(study, method);
            for (index, output) in outputs.0.iter().enumerate() {
                show(index, Shown::Output(method), &output.planes);
            }
            let of = Compared {
                colour: study.colour,
                truth: study.recipe.task().is_paired(),
                photograph: study.recipe.task().content_is_photograph(),
            };
            let images = [&made.content, &made.reference, &outputs.concat_planes()]
                .map(|planes| made.tensor::<B>(planes, device));
            let (figures, of_outputs) = figures_of(of, &loss, images)?;
            for ((mut figures, output), pair) in figures.into_iter().zip(&outputs.0).zip(batch) {
                if !pair.is_one_file() {
                    (figures.psnr, figures.ssim) = (None, None);
                }
                measured.push(figures, output.out_of_gamut);
            }
            histograms.outputs(method, of_outputs);
        }
        done += batch.len();
        tell(Progress::Done(done));
    }
    let pairs: Vec<Pair> = study.pairs.batches().concat();
    for measured in &mut measured {
        measured.compare_with_others(&histograms, &pairs);
    }
    let comparison = Comparison::new(study, pairs, measured);
    let sheet = sheet::draw(study, &comparison, |number| {
        Batch::make(study, &generators, number, device)
    });
    Ok((comparison, sheet))
}
