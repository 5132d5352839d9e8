//! Settings that have been checked, with everything built from them.

use std::path::{Component, Path};

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use huenet_data::{
    ColourSpace, CountBins, Direction, ImageSize, LoaderConfig, Pairing, ParameterError,
    Preprocessing,
};
use huenet_hist::{Bins, Boundary, HistogramError, Kernel};
use huenet_models::{
    Conditioning, DiscriminatorConfig, DiscriminatorOptions, GeneratorConfig, GeneratorOptions,
    ModelError,
};

use super::training;
use crate::run::folder::LATEST;
use crate::settings::task::Task;
use crate::settings::{DEMO_DATASET, NonFinite, Settings, SettingsError};
use crate::step::displayable::displayable;

/// More threads than any machine that this runs on has cores.
const MAX_THREADS: usize = 1024;

/// More memory for images, in MiB, than any such machine has: 1 TiB.
const MAX_CACHE_MIB: usize = 1 << 20;

/// More generated images than any such machine has memory for.
const MAX_IMAGE_POOL: usize = 1 << 16;

/// What file systems take, in bytes.
const MAX_NAME: usize = 255;

/// What is kept on the device meanwhile is little, but a run should be seen to go on.
const MAX_LOG_EVERY: usize = 10_000;

/// The settings of a run, checked: sizes fit the networks, ranges are ranges, weights
/// are finite. Nothing downstream checks them again.
#[derive(Clone, Debug)]
pub struct Recipe {
    settings: Settings,
    bins: Bins,
    kernel: Kernel,
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
        check_ranges(&settings)?;
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
            HistogramError::BinCount { .. } => unfit("bin_num", s.bin_num, error),
            _ => unfit("min_val", format!("{:?}", s.min_val), error),
        })?;
        let kernel = Kernel::new(s.kernel_width_ratio, Boundary::Reflect).map_err(|error| {
            unfit(
                "kernel_width_ratio",
                format!("{:?}", s.kernel_width_ratio),
                error,
            )
        })?;
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

    /// What becomes of the generator's output before it is compared, judged or shown.
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

    /// The discriminator's shape.
    pub fn discriminator(&self) -> &DiscriminatorConfig {
        &self.discriminator
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

fn check_ranges(s: &Settings) -> Result<(), SettingsError> {
    let counts = [
        ("epochs", s.epochs),
        ("cp_freq", s.cp_freq),
        ("log_every", s.log_every),
    ];
    for (key, value) in counts {
        if value == 0 {
            return Err(unfit(key, value, "it must be at least 1"));
        }
    }
    if let Some(name) = &s.name {
        check_name(name)?;
    }
    if s.threads > MAX_THREADS {
        let expected = format!("at most {MAX_THREADS}, or 0 for all the machine has");
        return Err(unfit("threads", s.threads, expected));
    }
    if s.cache_mib > MAX_CACHE_MIB {
        let expected = format!("at most {MAX_CACHE_MIB} MiB, or 0 for none");
        return Err(unfit("cache_mib", s.cache_mib, expected));
    }
    let rates = [("gen_lr", s.gen_lr), ("dis_lr", s.dis_lr)];
    for (key, value) in rates {
        if !(value.is_finite() && value > 0.0) {
            return Err(unfit(
                key,
                value,
                "a learning rate is a finite number above 0",
            ));
        }
    }
    for (key, value) in [("gen_beta_1", s.gen_beta_1), ("dis_beta_1", s.dis_beta_1)] {
        if !(0.0..1.0).contains(&value) {
            return Err(unfit(
                key,
                format!("{value:?}"),
                "Adam's beta 1 is at least 0 and below 1",
            ));
        }
    }
    let weights = [
        ("gan_loss_weight", s.gan_loss_weight),
        ("mi_loss_weight", s.mi_loss_weight),
        ("hist_loss_weight", s.hist_loss_weight),
    ];
    for (key, value) in weights {
        if !(value.is_finite() && value >= 0.0) {
            return Err(unfit(
                key,
                value,
                "a loss weight is a finite number, 0 or more",
            ));
        }
    }
    if !(s.clip_gradients.is_finite() && s.clip_gradients >= 0.0) {
        let expected = "the largest norm is a finite number above 0, or 0 for no limit";
        return Err(unfit("clip_gradients", s.clip_gradients, expected));
    }
    if !(0.0..1.0).contains(&s.label_smoothing) {
        let expected = "it is at least 0 and below 1";
        return Err(unfit(
            "label_smoothing",
            format!("{:?}", s.label_smoothing),
            expected,
        ));
    }
    if s.log_every > 1 && s.non_finite == NonFinite::Skip {
        let expected =
            "to skip a step, its losses are needed at once: log_every 1, or non_finite stop";
        return Err(unfit("log_every", s.log_every, expected));
    }
    if s.log_every > MAX_LOG_EVERY {
        let expected = format!("at most {MAX_LOG_EVERY} steps");
        return Err(unfit("log_every", s.log_every, expected));
    }
    if s.image_pool > MAX_IMAGE_POOL {
        let expected = format!("at most {MAX_IMAGE_POOL} images, or 0 for none");
        return Err(unfit("image_pool", s.image_pool, expected));
    }
    if s.img_c != 1 && s.img_c != 3 {
        return Err(unfit(
            "img_c",
            s.img_c,
            "images have 3 channels, or 1 for grey",
        ));
    }
    if s.img_out_c != s.img_c {
        let fix = format!(
            "it must equal img_c, {}: the histogram losses compare channel with channel",
            s.img_c
        );
        return Err(unfit("img_out_c", s.img_out_c, fix));
    }
    if s.img_c == 1 && s.task == Task::Colorization {
        return Err(unfit(
            "img_c",
            1,
            "colorization makes colours: images need 3 channels",
        ));
    }
    Ok(())
}

/// Refuses names that no folder can have, or that would be taken for something else.
fn check_name(name: &str) -> Result<(), SettingsError> {
    let mut parts = Path::new(name).components();
    let plain = matches!(
        (parts.next(), parts.next()),
        (Some(Component::Normal(_)), None)
    );
    let expected = if name == LATEST {
        "that name stands for the run that was started last".to_owned()
    } else if !plain || name.chars().any(char::is_control) {
        "the name of a folder, without a path; --output-dir says where it lies".to_owned()
    } else if name.len() > MAX_NAME {
        format!("the name of a folder has at most {MAX_NAME} bytes")
    } else {
        return Ok(());
    };
    Err(unfit("name", name, expected))
}

fn check_data_root(s: &Settings) -> Result<(), SettingsError> {
    if s.dataroot.is_none() && s.dataset != DEMO_DATASET {
        return Err(SettingsError::Missing {
            key: "dataroot",
            fix: format!(
                "give --dataroot DIR, the folder that holds {0}/, or --dataset {DEMO_DATASET} for \
                 the built-in images",
                s.dataset
            ),
        });
    }
    Ok(())
}

fn training_order(s: &Settings) -> Result<LoaderConfig, SettingsError> {
    let batches = LoaderConfig::new(s.batch_size)
        .map_err(|error| unfit("batch_size", s.batch_size, range(&error)))?
        .with_seed(s.seed)
        .with_workers(s.workers)
        .map_err(|error| unfit("workers", s.workers, range(&error)))?;
    batches
        .with_shuffle(s.buffer_size)
        .map_err(|error| unfit("buffer_size", s.buffer_size, range(&error)))
}

/// What would do, without the name and value that the message has already.
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
    let size =
        |error: ParameterError| unfit("img_h", format!("{} (img_w {})", s.img_h, s.img_w), error);
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
            .map_err(|error| unfit("bin_num", s.bin_num, error))?,
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
    Err(unfit("min_val", value, expected))
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
        _ => whole("base_width", s.base_width),
    };
    unfit(key, value, error)
}

pub(super) fn unfit(
    key: &'static str,
    value: impl ToString,
    expected: impl std::fmt::Display,
) -> SettingsError {
    SettingsError::Unfit {
        key,
        value: value.to_string(),
        expected: expected.to_string(),
    }
}
