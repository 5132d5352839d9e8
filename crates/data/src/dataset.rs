use std::num::NonZeroUsize;
use std::sync::Arc;

use ::image::RgbImage;
use burn::data::dataset::Dataset;

use crate::preprocessing::Jitter;
use crate::random::{Purpose, stream};
use crate::shuffle::buffered;
use crate::{
    Collection, ColourSpace, DataError, Direction, Image, ImageSource, Pairing, ParameterError,
    Phase, Preprocessing,
};

/// One content image with its colour reference, ready for the networks.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The content image.
    pub content: Image,
    /// The colour reference.
    pub reference: Image,
    /// The reference's hard histogram, `[channels, K]`: how many pixels fall into each bin. Each
    /// row sums to the number of pixels.
    pub counts: Vec<u32>,
    /// Where both come from.
    pub sources: SampleSources,
}

/// Where the two images of a sample come from.
#[derive(Debug, Clone)]
pub struct SampleSources {
    /// Where the content image comes from.
    pub content: ImageSource,
    /// Where the reference comes from; the content's own source unless images are unpaired.
    pub reference: ImageSource,
}

/// One part of a collection as pairs of content image and colour reference.
#[derive(Debug, Clone)]
pub struct PairDataset {
    images: Vec<ImageSource>,
    phase: Phase,
    pairing: Pairing,
    preprocessing: Preprocessing,
}

impl PairDataset {
    /// The images of one part of a collection, paired and prepared.
    ///
    /// # Errors
    ///
    /// - [`DataError::EmptyPhase`]: that part of the collection has no images
    /// - [`ParameterError::GreyReference`]: [`Pairing::GreyToColour`] in a grey colour space
    pub fn new(
        collection: impl AsRef<Collection>,
        phase: Phase,
        pairing: Pairing,
        preprocessing: Preprocessing,
    ) -> Result<Self, DataError> {
        let collection = collection.as_ref();
        if matches!(pairing, Pairing::GreyToColour(_)) && preprocessing.colour == ColourSpace::Grey
        {
            return Err(ParameterError::GreyReference.into());
        }
        let images = collection.images(phase).to_vec();
        if images.is_empty() {
            return Err(collection.empty_phase(phase));
        }
        Ok(Self {
            images,
            phase,
            pairing,
            preprocessing,
        })
    }

    /// The number of samples of an epoch, at least 1: one for each image.
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Always false: an empty part of a collection is refused.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// The images, in the collection's order.
    pub fn images(&self) -> &[ImageSource] {
        &self.images
    }

    /// The part of the collection.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// How content and reference come from the images.
    pub fn pairing(&self) -> Pairing {
        self.pairing
    }

    /// How they are prepared.
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
    }

    /// The samples of one epoch, in the epoch's order.
    ///
    /// `shuffle` is the size of the shuffle's buffer, as of TensorFlow's `Dataset.shuffle`: it
    /// is uniform if the buffer holds all images. Without it the content images keep their
    /// order; unpaired references then come in an order that depends on the seed alone, so that
    /// each epoch shows the same pairs.
    ///
    /// Order and jitter are pure functions of `seed`, `epoch` and the position in the epoch. For
    /// unpaired images, content and reference are ordered, cropped and flipped independently.
    pub fn epoch(
        self: &Arc<Self>,
        shuffle: Option<NonZeroUsize>,
        seed: u64,
        epoch: u64,
    ) -> EpochSamples {
        let count = self.len();
        let order = |purpose, buffer: NonZeroUsize, epoch| {
            buffered(count, buffer.get(), &mut stream(purpose, seed, epoch, 0))
        };
        let contents = match shuffle {
            Some(buffer) => order(Purpose::ContentOrder, buffer, epoch),
            None => (0..count).collect(),
        };
        let references = (self.pairing == Pairing::Unpaired).then(|| match shuffle {
            Some(buffer) => order(Purpose::ReferenceOrder, buffer, epoch),
            None => order(Purpose::ReferenceOrder, NonZeroUsize::MAX, 0),
        });
        EpochSamples {
            dataset: Arc::clone(self),
            seed,
            epoch,
            contents,
            references,
        }
    }

    /// Makes the sample of two images (the same one twice, unless they are unpaired).
    fn sample(
        &self,
        sources: SampleSources,
        jitters: [Option<Jitter>; 2],
    ) -> Result<Sample, DataError> {
        let preprocessing = &self.preprocessing;
        let [content_jitter, reference_jitter] = jitters;
        let first = sources.content.load()?;
        let whole = 0..first.width();
        let (content, reference) = match self.pairing {
            Pairing::SideBySide(direction) => {
                let (left, right) = halves(&first, &sources.content)?;
                let (content, reference) = match direction {
                    Direction::AToB => (right, left),
                    Direction::BToA => (left, right),
                };
                (
                    preprocessing.apply(&first, content, content_jitter, false),
                    preprocessing.apply(&first, reference, content_jitter, false),
                )
            }
            Pairing::GreyToColour(direction) => {
                let grey = preprocessing.apply(&first, whole.clone(), content_jitter, true);
                let colour = preprocessing.apply(&first, whole, content_jitter, false);
                match direction {
                    Direction::AToB => (grey, colour),
                    Direction::BToA => (colour, grey),
                }
            }
            Pairing::Unpaired => {
                let second = sources.reference.load()?;
                (
                    preprocessing.apply(&first, whole, content_jitter, false),
                    preprocessing.apply(&second, 0..second.width(), reference_jitter, false),
                )
            }
        };
        let counts = preprocessing.count(&reference);
        drop(first);
        Ok(Sample {
            content,
            reference,
            counts,
            sources,
        })
    }
}

type Columns = std::ops::Range<u32>;

fn halves(image: &RgbImage, source: &ImageSource) -> Result<(Columns, Columns), DataError> {
    let width = image.width();
    let middle = width / 2;
    if middle == 0 {
        let name = match source.path() {
            Some(path) => path.display().to_string(),
            None => source.name().into_owned(),
        };
        return Err(DataError::TooNarrow { name, width });
    }
    Ok((0..middle, middle..width))
}

/// The samples of one epoch in its order: what a [`Loader`](crate::Loader) makes batches of.
///
/// As a Burn [`Dataset`], its items are results: decoding an image may fail. `get(i)` is `None`
/// beyond the last position only.
#[derive(Debug, Clone)]
pub struct EpochSamples {
    dataset: Arc<PairDataset>,
    seed: u64,
    epoch: u64,
    contents: Vec<usize>,
    /// Of unpaired images only.
    references: Option<Vec<usize>>,
}

impl EpochSamples {
    /// Where the sample at a position comes from, without decoding it.
    pub fn sources(&self, position: usize) -> Option<SampleSources> {
        let image = |order: &[usize]| self.dataset.images.get(*order.get(position)?).cloned();
        let content = image(&self.contents)?;
        let reference = match &self.references {
            Some(order) => image(order)?,
            None => content.clone(),
        };
        Some(SampleSources { content, reference })
    }
}

impl Dataset<Result<Sample, DataError>> for EpochSamples {
    fn get(&self, position: usize) -> Option<Result<Sample, DataError>> {
        let sources = self.sources(position)?;
        let dataset = &self.dataset;
        let jitter = dataset.preprocessing.jitter && dataset.phase == Phase::Train;
        let jitters = [Purpose::ContentJitter, Purpose::ReferenceJitter].map(|purpose| {
            let mut stream = stream(purpose, self.seed, self.epoch, position as u64);
            jitter.then(|| dataset.preprocessing.draw_jitter(&mut stream))
        });
        Some(dataset.sample(sources, jitters))
    }

    fn len(&self) -> usize {
        self.contents.len()
    }
}
