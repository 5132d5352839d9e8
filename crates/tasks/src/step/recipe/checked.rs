//! Settings that have been checked, with everything built from them.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use huenet_data::{
    ColourSpace, CountBins, Direction, ImageSize, LoaderConfig, PairFit, Pairing, ParameterError,
    Preprocessing,
};
use huenet_hist::{
    Bins, Boundary, Directions, HistogramError, HistogramLoss, HistogramLossConfig, Kernel,
};
use huenet_models::{
    Conditioning, DiscriminatorConfig, DiscriminatorOptions, GeneratorConfig, GeneratorOptions,
    ModelError, Normalization, Prediction,
};

use super::{ranges, training};
use crate::settings::{DEMO_DATASET, Settings, SettingsError, Task};
use crate::step::displayable::displayable;
use crate::step::fitted_maps::MapsFit;

/// The settings of a run, checked: sizes fit the networks, ranges are ranges, weights
/// are finite. Nothing downstream checks them again.
#[derive(Clone, Debug)]
pub struct Recipe {
    settings: Settings,
    bins: Bins,
    kernel: Kernel,
    directions: Directions,
    preprocessing: Preprocessing,
    order: LoaderConfig,
    generator: GeneratorConfig,
    discriminator: DiscriminatorConfig,
}

impl Recipe {
    /// Checks `settings`.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Unfit`] or [`SettingsError::Missing`], naming the setting.
    pub fn new(mut settings: Settings) -> Result<Self, SettingsError> {
        ranges::check(&settings)?;
        training::check(&settings)?;
        // A run can then be resumed from another working folder.
        if let Some(root) = &mut settings.dataroot
            && let Ok(absolute) = std::path::absolute(&root)
        {
            *root = absolute;
        }
        // A run whose settings cannot be saved could not be resumed.
        settings.to_toml()?;
        let s = &settings;
        let bins = Bins::new(s.bin_num, s.min_val, s.max_val).map_err(|error| match error {
            HistogramError::BinCount { .. } => SettingsError::unfit("bin_num", s.bin_num, error),
            _ => SettingsError::unfit("min_val", format!("{:?}", s.min_val), error),
        })?;
        let kernel = Kernel::new(s.kernel_width_ratio, Boundary::Reflect).map_err(|error| {
            SettingsError::unfit(
                "kernel_width_ratio",
                format!("{:?}", s.kernel_width_ratio),
                error,
            )
        })?;
        let directions = directions(s)?;
        let generator = GeneratorConfig::new(GeneratorOptions {
            base_width: s.base_width,
            depth: s.depth,
            input_channels: s.img_c,
            output_channels: s.img_out_c,
            bins: s.bin_num,
            height: s.img_h,
            width: s.img_w,
            conditioning: s.conditioning,
            normalization: s.normalization,
            last_layer: s.last_layer,
            prediction: s.prediction,
            matched_content: s.matched_content,
            dropout: s.dropout,
        })
        .map_err(|error| unfit_network(s, &error))?;
        let discriminator = DiscriminatorConfig::new(DiscriminatorOptions {
            base_width: s.base_width,
            image_channels: s.img_c,
            condition_channels: if s.task.is_paired() { s.img_c } else { 0 },
            height: s.img_h,
            width: s.img_w,
            normalization: s.dis_normalization,
        })
        .map_err(|error| unfit_network(s, &error))?;
        check_distributions(s)?;
        let preprocessing = preprocessing(s)?;
        let order = training_order(s)?;
        // Last: what is wrong should be known even while this is still to be given.
        check_data_root(s)?;
        Ok(Self {
            bins,
            kernel,
            directions,
            preprocessing,
            order,
            generator,
            discriminator,
            settings,
        })
    }

    /// This recipe with the weights in the folder `checkpoint` to start from.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Unfit`] if the path cannot be saved with the settings.
    pub(crate) fn starting_from(mut self, checkpoint: &Path) -> Result<Self, SettingsError> {
        // Wherever it is resumed, and whatever the other run saves meanwhile.
        let checkpoint = std::path::absolute(checkpoint).unwrap_or_else(|_| checkpoint.to_owned());
        self.settings.output_pre_dir = Some(checkpoint);
        self.settings.to_toml()?;
        Ok(self)
    }

    /// The settings this recipe was made from.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The task.
    pub fn task(&self) -> Task {
        self.settings.task
    }

    /// The bins of every histogram.
    pub fn bins(&self) -> Bins {
        self.bins
    }

    /// The Parzen window of the soft histograms.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// The histogram losses that figures are measured with, channel by channel: the RMS of the difference of
    /// cumulative histograms, and the conditional entropy, in these bins.
    pub fn histogram_loss(&self) -> HistogramLoss {
        self.losses().init()
    }

    /// The histogram losses of training: those of [`histogram_loss`](Self::histogram_loss), with the distance
    /// measured along all `colour_directions`.
    pub fn training_loss(&self) -> HistogramLoss {
        self.losses().with_directions(Some(self.directions)).init()
    }

    fn losses(&self) -> HistogramLossConfig {
        HistogramLossConfig::new(self.bins, self.kernel)
    }

    /// How images are prepared.
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
    }

    /// How training images are ordered, grouped and read.
    pub fn training_order(&self) -> &LoaderConfig {
        &self.order
    }

    /// The colour space of the networks' images.
    pub fn colour(&self) -> ColourSpace {
        self.preprocessing.colour
    }

    /// The generator's shape.
    pub fn generator(&self) -> &GeneratorConfig {
        &self.generator
    }

    /// The generator's output as it is compared, judged and shown: clipped to a screen's colours if the settings say
    /// so (`displayable`).
    ///
    /// # Shapes
    ///
    /// - `output`: `[batch, channels, height, width]`; the result is alike
    pub fn shown<B: Backend>(&self, output: Tensor<B, 4>) -> Tensor<B, 4> {
        match self.settings.displayable {
            true => displayable(self.colour(), output),
            false => output,
        }
    }

    /// The colour maps to fit to each pair before the generator sees it; `None` unless `prediction` is local_maps.
    pub fn pair_fit(&self) -> Option<Arc<dyn PairFit>> {
        let fit = self.maps_fit()?;
        Some(Arc::new(fit))
    }

    /// What fits them.
    pub(crate) fn maps_fit(&self) -> Option<MapsFit> {
        let maps = self.settings.prediction == Prediction::LocalMaps;
        maps.then(|| MapsFit::new(self.settings.task, self.colour()))
    }

    /// The discriminator's shape.
    pub fn discriminator(&self) -> &DiscriminatorConfig {
        &self.discriminator
    }

    /// Whether a network normalises with the statistics of the images of all processes that train together.
    pub(crate) fn shares_statistics(&self) -> bool {
        self.normalises_batches() && self.settings.sync_batch_norm
    }

    /// Whether processes that train together average their running statistics: each normalises with the statistics
    /// of its own images.
    pub(crate) fn averages_statistics(&self) -> bool {
        self.normalises_batches() && !self.settings.sync_batch_norm
    }

    /// Whether a network normalises with the statistics of a batch.
    fn normalises_batches(&self) -> bool {
        let of = [self.settings.normalization, self.settings.dis_normalization];
        of.contains(&Normalization::Batch)
    }

    /// How content and reference come from an image.
    pub fn pairing(&self) -> Pairing {
        let direction = Direction::from_a2b(self.settings.a2b);
        match self.settings.task {
            Task::Edges2photos => Pairing::SideBySide(direction),
            Task::Colorization => Pairing::GreyToColour(direction),
            Task::ColorTransfer => Pairing::Unpaired,
        }
    }
}

/// The directions along which colours are compared. Of a grey image there is its one channel.
fn directions(s: &Settings) -> Result<Directions, SettingsError> {
    let unfit = |expected| SettingsError::unfit("colour_directions", s.colour_directions, expected);
    let directions = Directions::spread(s.colour_directions).map_err(|_| {
        let (fewest, most) = (Directions::CHANNELS, Directions::MAX_COUNT);
        unfit(format!("give {fewest}, the channels alone, to {most}"))
    })?;
    if directions != Directions::axes() && s.img_c != Directions::CHANNELS {
        let channels = Directions::CHANNELS;
        let expected =
            format!("grey images have one channel: set colour_directions or img_c to {channels}");
        return Err(unfit(expected));
    }
    Ok(directions)
}

fn check_data_root(s: &Settings) -> Result<(), SettingsError> {
    if s.dataroot.is_none() && s.dataset != DEMO_DATASET {
        return Err(SettingsError::Missing {
            key: "dataroot",
            reason: format!(
                "it is the folder that holds {}/; only the dataset {DEMO_DATASET}, which is built in, \
                 needs none",
                s.dataset
            ),
        });
    }
    Ok(())
}

fn training_order(s: &Settings) -> Result<LoaderConfig, SettingsError> {
    let batches = LoaderConfig::new(s.batch_size)
        .map_err(|error| SettingsError::unfit("batch_size", s.batch_size, range(&error)))?
        .with_seed(s.seed)
        .with_workers(s.workers)
        .map_err(|error| SettingsError::unfit("workers", s.workers, range(&error)))?;
    batches
        .with_shuffle(s.buffer_size)
        .map_err(|error| SettingsError::unfit("buffer_size", s.buffer_size, range(&error)))
}

/// Which values can be used, without the name and value that the message has already.
fn range(error: &ParameterError) -> String {
    match error {
        ParameterError::Setting {
            min,
            max: usize::MAX,
            ..
        } => format!("give at least {min}"),
        ParameterError::Setting { min, max, .. } => format!("give {min} to {max}"),
        other => other.to_string(),
    }
}

fn preprocessing(s: &Settings) -> Result<Preprocessing, SettingsError> {
    let size = |error: ParameterError| {
        SettingsError::unfit("img_h", format!("{} (img_w {})", s.img_h, s.img_w), error)
    };
    Ok(Preprocessing {
        size: ImageSize::new(s.img_h, s.img_w).map_err(size)?,
        resize: s.resize,
        colour: match (s.img_c, s.yuv) {
            (1, _) => ColourSpace::Grey,
            (_, true) => ColourSpace::Yuv,
            (_, false) => ColourSpace::Rgb,
        },
        jitter: s.jitter,
        counts: CountBins::new(s.bin_num, s.min_val, s.max_val)
            .map_err(|error| SettingsError::unfit("bin_num", s.bin_num, error))?,
    })
}

/// What the networks read distributions in is the range that images are scaled to.
fn check_distributions(s: &Settings) -> Result<(), SettingsError> {
    let range = (s.min_val, s.max_val);
    let of_images = s.conditioning == Conditioning::Counts && !s.matched_content;
    if of_images || range == (-1.0, 1.0) {
        return Ok(());
    }
    let value = format!("{:?} (max_val {:?})", s.min_val, s.max_val);
    let expected = "conditioning = \"modulation\" and matched_content need bins from -1 to 1";
    Err(SettingsError::unfit("min_val", value, expected))
}

fn unfit_network(s: &Settings, error: &ModelError) -> SettingsError {
    let whole = |key, value: usize| (key, value.to_string());
    let (key, value) = match error {
        ModelError::Side { side: "height", .. } | ModelError::TooSmall { side: "height", .. } => {
            whole("img_h", s.img_h)
        }
        ModelError::Side { .. } | ModelError::TooSmall { .. } => whole("img_w", s.img_w),
        ModelError::OutOfRange {
            parameter: "depth", ..
        } => whole("depth", s.depth),
        ModelError::OutOfRange {
            parameter: "bins", ..
        } => whole("bin_num", s.bin_num),
        ModelError::OtherChannels { .. } => whole("img_out_c", s.img_out_c),
        ModelError::PaletteOfCounts => ("conditioning", "counts".to_owned()),
        ModelError::BlendWithoutMatch => ("matched_content", "false".to_owned()),
        ModelError::MapsOfChannels { .. } => whole("img_c", s.img_c),
        _ => whole("base_width", s.base_width),
    };
    SettingsError::unfit(key, value, error)
}
