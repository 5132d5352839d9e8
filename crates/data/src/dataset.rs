use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;

use ::image::RgbImage;
use burn::data::dataset::Dataset;

use crate::cache::ImageCache;
use crate::pair_fit::PairFit;
use crate::preprocessing::Jitter;
use crate::random::{Purpose, stream};
use crate::shuffle::{buffered, part};
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
    /// What the dataset's [`PairFit`] makes of both; empty without one.
    pub fitted: Vec<f32>,
    /// Where both come from.
    pub sources: SampleSources,
}

/// Where the two images of a sample come from.
#[derive(Debug, Clone)]
pub struct SampleSources {
    /// Where the content image comes from.
    pub content: ImageSource,
    /// Where the reference comes from. Of unpaired images it is always another source than the
    /// content's; otherwise it is the same one.
    pub reference: ImageSource,
}

/// One part of a collection as pairs of content image and colour reference.
#[derive(Debug, Clone)]
pub struct PairDataset {
    images: Vec<ImageSource>,
    /// A training image, after the own images: the reference of the only held-out image.
    borrowed: bool,
    phase: Phase,
    pairing: Pairing,
    preprocessing: Preprocessing,
    cache: Option<Arc<ImageCache>>,
    fit: Option<Arc<dyn PairFit>>,
}

impl PairDataset {
    /// The images of one part of a collection, paired and prepared.
    ///
    /// Unpaired, an image takes its colours from another one of the same part. If only one image is held out,
    /// its reference is the first training image ([`Self::borrows_reference`]).
    ///
    /// # Errors
    ///
    /// - [`DataError::EmptyPhase`]: that part of the collection has no images
    /// - [`DataError::OneImage`]: [`Pairing::Unpaired`], and there is only one image
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
        let mut images = collection.images(phase).to_vec();
        if images.is_empty() {
            return Err(collection.empty_phase(phase));
        }
        let borrowed = pairing == Pairing::Unpaired && images.len() == 1;
        if borrowed {
            let lenders = collection.images(Phase::Train).first();
            let lender = lenders.filter(|_| phase == Phase::HeldOut);
            images.push(
                lender
                    .ok_or_else(|| DataError::OneImage {
                        collection: collection.name().to_owned(),
                    })?
                    .clone(),
            );
        }
        Ok(Self {
            images,
            borrowed,
            phase,
            pairing,
            preprocessing,
            cache: None,
            fit: None,
        })
    }

    /// Keeps the images in memory once they are read, resized and before they are cropped, up to
    /// `bytes` bytes in all; 0 keeps none. The samples are the same. With jitter, [`Self::pair`] reads
    /// its images again.
    ///
    /// An image of 256×256 pixels takes 192 KiB, with jitter 240 KiB.
    #[must_use]
    pub fn with_cache(self, bytes: u64) -> Self {
        let cache = (bytes > 0).then(|| Arc::new(ImageCache::new(self.images.len(), bytes)));
        Self { cache, ..self }
    }

    /// Fits something to each pair, in the thread that makes the sample.
    #[must_use]
    pub fn with_fit(self, fit: Option<Arc<dyn PairFit>>) -> Self {
        Self { fit, ..self }
    }

    /// The number of samples of an epoch, at least 1: one for each image.
    pub fn len(&self) -> usize {
        self.images().len()
    }

    /// Always false: an empty part of a collection is refused.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// The images, in the collection's order.
    pub fn images(&self) -> &[ImageSource] {
        &self.images[..self.images.len() - usize::from(self.borrowed)]
    }

    /// Whether the part has a single image, whose reference is therefore a training image.
    pub fn borrows_reference(&self) -> bool {
        self.borrowed
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
    /// unpaired images, content and reference are ordered, cropped and flipped independently; where both
    /// orders have the same image in one place, references are exchanged until no image is its own one.
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
        let references = (self.pairing == Pairing::Unpaired).then(|| {
            if self.borrowed {
                // After the only image.
                return vec![count];
            }
            let mut references = match shuffle {
                Some(buffer) => order(Purpose::ReferenceOrder, buffer, epoch),
                None => order(Purpose::ReferenceOrder, NonZeroUsize::MAX, 0),
            };
            part(&mut references, &contents);
            references
        });
        EpochSamples {
            dataset: Arc::clone(self),
            seed,
            epoch,
            contents,
            references,
        }
    }

    /// The sample of two images, given by their numbers and prepared as held-out images are. The content
    /// comes from the first, the reference from the second; the [`Pairing`] says from which part of it.
    ///
    /// # Errors
    ///
    /// [`DataError`] if an image cannot be read, or is too narrow to have two halves.
    ///
    /// # Panics
    ///
    /// If a number is not less than the number of images.
    pub fn pair(&self, content: usize, reference: usize) -> Result<Sample, DataError> {
        self.sample([content, reference], [None, None])
    }

    /// Makes the sample of two images, given by their numbers. A number may be given twice.
    fn sample(
        &self,
        [content, reference]: [usize; 2],
        [content_jitter, reference_jitter]: [Option<Jitter>; 2],
    ) -> Result<Sample, DataError> {
        let sources = SampleSources {
            content: self.images[content].clone(),
            reference: self.images[reference].clone(),
        };
        let first = self.load(content, content_jitter.is_some())?;
        let other = (reference != content)
            .then(|| self.load(reference, reference_jitter.is_some()))
            .transpose()?;
        let second = other.as_ref().unwrap_or(&first);
        let part = |image: &Loaded<'_>, part: usize, jitter, grey| match image {
            Loaded::Original(image, parts) => {
                let columns = parts[part].clone();
                self.preprocessing.of_original(image, columns, jitter, grey)
            }
            Loaded::Resized(image) => self.preprocessing.of_resized(image, part, jitter, grey),
        };
        let (content, reference) = match self.pairing {
            Pairing::SideBySide(direction) => {
                let (content, reference) = match direction {
                    Direction::AToB => (1, 0),
                    Direction::BToA => (0, 1),
                };
                (
                    part(&first, content, content_jitter, false),
                    part(second, reference, content_jitter, false),
                )
            }
            Pairing::GreyToColour(direction) => {
                let grey = direction == Direction::AToB;
                (
                    part(&first, 0, content_jitter, grey),
                    part(second, 0, content_jitter, !grey),
                )
            }
            Pairing::Unpaired => (
                part(&first, 0, content_jitter, false),
                // The same image twice is cut in two ways.
                part(second, 0, reference_jitter, false),
            ),
        };
        let counts = self.preprocessing.count(&reference);
        let fit = self.fit.as_ref();
        let fitted = fit.map_or_else(Vec::new, |fit| fit.fit(&content, &reference));
        Ok(Sample {
            content,
            reference,
            counts,
            fitted,
            sources,
        })
    }

    /// Whether the samples of an epoch are cropped and flipped.
    fn jitters(&self) -> bool {
        self.preprocessing.jitter && self.phase == Phase::Train
    }

    /// The image of a number: from the cache, or from its source and into the cache.
    fn load(&self, number: usize, jitter: bool) -> Result<Loaded<'_>, DataError> {
        // The cache holds images in the size that an epoch's samples are made from.
        let cache = self.cache.as_ref().filter(|_| jitter == self.jitters());
        if let Some(image) = cache.and_then(|cache| cache.get(number)) {
            return Ok(Loaded::Resized(image));
        }
        let source = &self.images[number];
        let image = source.load()?;
        let parts = match self.pairing {
            Pairing::SideBySide(_) => halves(&image, source)?,
            Pairing::GreyToColour(_) | Pairing::Unpaired => {
                std::iter::once(0..image.width()).collect()
            }
        };
        let Some(cache) = cache else {
            return Ok(Loaded::Original(image, parts));
        };
        let image = Arc::new(self.preprocessing.resize_parts(&image, &parts, jitter));
        cache.put(number, &image);
        Ok(Loaded::Resized(image))
    }
}

/// An image that was read, and where its parts are: its halves, or all of it.
enum Loaded<'a> {
    /// As it is in its source.
    Original(Cow<'a, RgbImage>, Vec<Range<u32>>),
    /// Its parts, resized and side by side.
    Resized(Arc<RgbImage>),
}

fn halves(image: &RgbImage, source: &ImageSource) -> Result<Vec<Range<u32>>, DataError> {
    let width = image.width();
    let middle = width / 2;
    if middle == 0 {
        let name = match source.path() {
            Some(path) => path.display().to_string(),
            None => source.name().into_owned(),
        };
        return Err(DataError::TooNarrow { name, width });
    }
    Ok(vec![0..middle, middle..width])
}

/// The samples of one epoch in its order. A [`Loader`](crate::Loader) makes batches of them.
///
/// As a Burn [`Dataset`], its items are results: decoding an image may fail. `get(i)` is `None`
/// only beyond the last position.
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
        let image = |number: usize| self.dataset.images.get(number).cloned();
        let [content, reference] = self.numbers(position)?;
        Some(SampleSources {
            content: image(content)?,
            reference: image(reference)?,
        })
    }

    /// The numbers of content image and reference in the dataset's list.
    fn numbers(&self, position: usize) -> Option<[usize; 2]> {
        let content = *self.contents.get(position)?;
        let reference = match &self.references {
            Some(order) => *order.get(position)?,
            None => content,
        };
        Some([content, reference])
    }
}

impl Dataset<Result<Sample, DataError>> for EpochSamples {
    fn get(&self, position: usize) -> Option<Result<Sample, DataError>> {
        let numbers = self.numbers(position)?;
        let dataset = &self.dataset;
        let jitter = dataset.jitters();
        let jitters = [Purpose::ContentJitter, Purpose::ReferenceJitter].map(|purpose| {
            let mut stream = stream(purpose, self.seed, self.epoch, position as u64);
            jitter.then(|| dataset.preprocessing.draw_jitter(&mut stream))
        });
        Some(dataset.sample(numbers, jitters))
    }

    fn len(&self) -> usize {
        self.contents.len()
    }
}
