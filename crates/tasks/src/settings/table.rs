//! The one table of settings. Fields of [`Settings`], flags, environment variables, TOML keys, help, schema, the
//! reference page, and what is compared between runs are all made from it. A setting's defaults stand in
//! `defaults.rs`, the words of a choice are those that serde knows its type by.

use std::path::PathBuf;

use huenet_data::ResizeFilter;
use huenet_models::{Conditioning, LastLayer, Normalization, Prediction};
use serde::{Deserialize, Serialize};

use super::backends::BACKENDS;
use super::choices::{
    GanLoss, NonFinite, RecipeChoice, SampleMode, SplitChoice, StructureReference,
};
use super::key::{Group, Key, Kind};
use super::task::Task;
use super::words::words;

/// A type of values of settings.
trait Value {
    /// How such values are given.
    const KIND: Kind;
}

macro_rules! kinds {
    ($($type:ty: $kind:expr;)*) => {$(
        impl Value for $type {
            const KIND: Kind = $kind;
        }
    )*};
}

macro_rules! choices {
    ($($type:ty)*) => {
        kinds! { $($type: Kind::Choice(words::<$type>);)* }
    };
}

kinds! {
    usize: Kind::Whole;
    u64: Kind::Whole;
    f64: Kind::Real;
    bool: Kind::Flag;
    String: Kind::Text;
    PathBuf: Kind::Folder;
}

choices! {
    Task RecipeChoice ResizeFilter SplitChoice Conditioning Prediction LastLayer Normalization StructureReference
    GanLoss NonFinite SampleMode
}

impl<T: Value> Value for Option<T> {
    const KIND: Kind = T::KIND;
}

/// Which backends a build has is not known here: any of them may be named.
const BACKEND: Kind = Kind::Choice(|| &BACKENDS);

macro_rules! kind {
    ($type:ty) => {
        <$type as Value>::KIND
    };
    ($type:ty, $kind:ident) => {
        $kind
    };
}

/// A row is `name: type [columns] => help;`, where the columns are methods of [`Key`]; `as` gives another kind than
/// that of the type.
macro_rules! settings {
    ($($group:ident {$(
        $(#[$attribute:meta])*
        $name:ident: $type:ty $(as $kind:ident)? $([$($column:ident),*])? => $help:literal;
    )*})*) => {
        /// Every setting of a run, merged but not yet checked; [`Recipe::new`](crate::Recipe::new)
        /// checks. Each field is described in [`KEYS`], too.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Settings {$($(
            #[doc = $help]
            #[doc = ""]
            // What is an option of the official script leads to that script's defaults.
            #[doc = "[official]: Settings::official"]
            $(#[$attribute])*
            pub $name: $type,
        )*)*}

        /// Every setting there is. Names and meanings of the official script's options are
        /// kept; the rest is ours.
        pub const KEYS: &[Key] = &[$($(
            Key::new(stringify!($name), kind!($type $(, $kind)?), Group::$group, $help)$($(.$column())*)?,
        )*)*];
    };
}

settings! {
    Run {
        task: Task
            => "What to train [official]";
        recipe: RecipeChoice
            => "Which defaults: those of the paper's official script, or ours, with which pictures look good after fewer steps";
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dataroot: Option<PathBuf> [changeable, in_evaluation]
            => "Folder that holds the dataset's folder [official]";
        dataset: String [in_evaluation]
            => "Name of the dataset's folder below the data root, or `demo` for the built-in set [official]";
        output_dir: PathBuf
            => "Folder that runs are written to [official]";
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>
            => "Name of the run's folder below the output folder; by default task, dataset and time";
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output_pre_dir: Option<PathBuf>
            => "Start with the weights and optimiser states of this run's newest checkpoint, or of this checkpoint [official]";
        tensorboard: bool [changeable]
            => "Write event files for TensorBoard into the run's folder";
    }
    Data {
        img_h: usize [shapes_counted_networks]
            => "Image height in pixels [official]";
        img_w: usize [shapes_counted_networks]
            => "Image width in pixels [official]";
        img_c: usize [shapes_networks]
            => "Channels of the images read: 3, or 1 for grey [official]";
        img_out_c: usize
            => "Channels of the images made; must equal img_c [official]";
        resize: ResizeFilter
            => "How images are resized: by nearest neighbour as the official script does, or by a smooth filter";
        yuv: bool [shapes_networks]
            => "Work in YUV; false: in RGB [official]";
        a2b: bool
            => "Direction. edges2photos: false makes the right half from the left; colorization: true makes colour from grey [official]";
        jitter: bool
            => "Augment training images: enlarge by 286/256, crop at random, mirror at random [official]";
        buffer_size: usize
            => "Size of the shuffle buffer, in images [official]";
        split: SplitChoice [in_evaluation]
            => "Folders without a split of their own: a seeded 90/10 split as the official script makes it, or the split published in setid.mat";
        workers: usize [changeable]
            => "Threads that read images ahead; 0 reads on the training thread";
        cache_mib: usize [changeable]
            => "Memory for resized training images, so that they are read and decoded once, in MiB; 0: none";
    }
    Networks {
        base_width: usize [shapes_networks]
            => "Channels of the networks' first layers";
        depth: usize [shapes_networks]
            => "Levels of the generator; image sides must be multiples of 2^depth";
        conditioning: Conditioning [shapes_networks]
            => "How the generator gets the reference's colours. counts: its pixel counts join the bottleneck (the paper). modulation: quantiles of reference and content join the bottleneck, and scale and shift the channels of every level";
        matched_content: bool [shapes_networks]
            => "Give the generator also the content with each channel's histogram matched to the reference's, so that it starts near the reference's colours";
        prediction: Prediction [shapes_networks]
            => "What the generator puts out. image: the image (the paper). change: a change to the content. palette: a change, and masks for five colours made of both distributions. blend: a palette on a blend of content and matched content. local_maps: a change to affine colour maps that are fitted to content and reference (not for edges2photos; last_layer has no effect)";
        displayable: bool
            => "Clip what the generator puts out to colours that a screen has, in training and later, so that the losses see what will be seen";
        last_layer: LastLayer [shapes_networks]
            => "What makes the image from the last features. transposed: a transposed convolution (the paper), which is prone to dots. resize: bilinear doubling after a convolution, plus a convolution of the generator's input";
        normalization: Normalization [shapes_networks]
            => "What normalises the generator's features. batch: batch normalisation (the paper). group: groups of channels of each image, which need no other images and no running statistics";
        dis_normalization: Normalization [shapes_networks]
            => "What normalises the discriminator's features. batch: batch normalisation (the paper), over whole batches of real or of generated images. group: groups of channels of each image, so that it has to judge each image by itself";
        sync_batch_norm: bool
            => "Several processes: normalise with the statistics of all their images, as one process does; false: each with those of its own, which takes fewer messages. Their running statistics are then averaged. Only with batch normalisation";
        dropout: bool
            => "Drop half of the features after the first three doublings in training [official]";
    }
    Histograms {
        bin_num: usize [shapes_networks]
            => "Bins of each histogram [official]";
        kernel_width_ratio: f64
            => "Bin width over Parzen window width: larger is sharper [official]";
        min_val: f64 [shapes_networks]
            => "Lower end of the histograms' range [official]";
        max_val: f64 [shapes_networks]
            => "Upper end of the histograms' range [official]";
    }
    Losses {
        gan_loss_weight: f64
            => "Weight of the adversarial loss [official]";
        mi_loss_weight: f64
            => "Weight of the structure (mutual information) loss [official]";
        hist_loss_weight: f64
            => "Weight of the earth mover's distance loss [official]";
        colour_directions: usize
            => "Directions of colour space along which the earth mover's distance compares colours, 3 to 64. 3: the channels (the paper). Further ones tell colours apart where each channel by itself has the reference's histogram";
        structure_reference: StructureReference
            => "Image whose structure the output must keep: the content (the paper), or for color_transfer the reference (the official script)";
        gan_loss: GanLoss
            => "The adversarial loss. cross_entropy: binary cross-entropy (the official script). least_squares: mean squares (Mao et al. 2017), whose gradient does not vanish for outputs that the discriminator is sure of. hinge: hinges (Lim and Ye 2017), with which the discriminator stops learning from images that it tells by a margin";
        reconstruction_loss_weight: f64
            => "Weight of the mean absolute difference between output and reference; 0: none. Only for edges2photos and colorization, where the reference is the ground truth";
        ssim_loss_weight: f64
            => "Weight of (1 - SSIM)^2 of the luma of content and output (Wang et al. 2004); 0: none. It keeps what is to be seen in the content where the reference's brightness would drown it";
        maps_smoothness: f64
            => "Weight of the mean squared difference between neighbouring coefficients of the change to local maps; 0: none. Only with prediction local_maps. The larger it is, the less a surface is torn and the nearer is the image to what was fitted";
    }
    Training {
        gen_lr: f64
            => "Learning rate of the generator [official]";
        gen_beta_1: f64
            => "Adam's beta 1 of the generator [official]";
        dis_lr: f64
            => "Learning rate of the discriminator [official]";
        dis_beta_1: f64
            => "Adam's beta 1 of the discriminator [official]";
        batch_size: usize
            => "Images in a batch [official]";
        dis_batch_share: f64
            => "Share of each batch that the discriminator learns from, rounded up to whole images; 1: all of it (the paper). With less it learns slower than the generator, and steps are quicker";
        epochs: usize [changeable]
            => "Passes over the training images [official]";
        epochs_decay: usize [changeable]
            => "Further epochs after those, over which both learning rates fall linearly towards 0; 0: none";
        decay_share: f64
            => "Share of all steps, at their end, over which both learning rates fall linearly to 0; 0: none. Not together with epochs_decay";
        max_steps: usize [changeable]
            => "Stop after this many steps even if epochs are left; 0: no limit";
        clip_gradients: f64
            => "Largest Euclidean norm of each network's gradients, to which longer ones are scaled down; 0: no limit";
        label_smoothing: f64
            => "How far below 1 the discriminator's target for real images is; 0: not at all";
        image_pool: usize
            => "How many earlier outputs are kept, to be shown to the discriminator in place of new ones, as CycleGAN does; 0: none";
        average_decay: f64
            => "Decay of an exponential moving average of the generator's weights, lower in the first steps; 0: none. Samples, validation, evaluation and export use the average";
        non_finite: NonFinite [changeable]
            => "What to do when a loss or a gradient is not a finite number: stop, or skip the step";
        log_every: usize [changeable]
            => "Fetch the losses from the device every so many steps. Values above 1 make a GPU wait less, but a step that is not finite is noticed too late to be skipped";
        cp_freq: usize [changeable]
            => "Save a checkpoint every so many epochs; the best one by validation, and one at the end, are always saved [official]";
        save_every_steps: usize [changeable]
            => "Save a checkpoint every so many steps too; 0: no";
        save_every_minutes: usize [changeable]
            => "Save a checkpoint when the last one is so many minutes old; 0: never for that reason";
        keep_checkpoints: usize [changeable]
            => "How many of the newest checkpoints to keep, beside the best one; 0: all";
        sample_mode: SampleMode [changeable, in_evaluation]
            => "Samples and evaluation: normalise with the batch's statistics and keep dropout on (as the official script does), or with running statistics and no dropout";
        held_out_images: usize [changeable]
            => "About how many held-out images the final evaluation looks at (rounded up to whole batches); 0: none";
        validation_images: usize [changeable]
            => "How many held-out images, spread evenly over them, are translated and measured after each epoch; 0: none";
    }
    Machine {
        backend: String as BACKEND [changeable, in_evaluation]
            => "Burn backend to compute with";
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<String> [changeable, in_evaluation]
            => "Device of the backend: `cpu`, or `cuda:0`; by default the backend's first";
        threads: usize [changeable, in_evaluation]
            => "Threads to compute with; 0: all the machine has";
        seed: u64
            => "Seed of every random choice: weights, order, augmentation, dropout";
    }
}

impl Key {
    /// The setting of that name; hyphens and underscores are the same.
    pub fn find(name: &str) -> Option<&'static Self> {
        let name = name.replace('-', "_");
        KEYS.iter().find(|key| key.name == name)
    }

    /// The name of the setting most like `name`, if one is like it at all.
    pub fn nearest(name: &str) -> Option<&'static str> {
        let name = name.replace('-', "_").to_lowercase();
        KEYS.iter()
            .map(|key| {
                (
                    strsim::normalized_damerau_levenshtein(&name, key.name),
                    key.name,
                )
            })
            .filter(|(likeness, _)| *likeness >= 0.5)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, name)| name)
    }
}
