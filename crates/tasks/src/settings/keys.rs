//! The one table of settings: name, kind of value, help. Flags, environment
//! variables, TOML keys and the help text are all made from it.

/// What kind of value a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number, zero or more.
    Whole,
    /// A finite number.
    Real,
    /// true or false.
    Flag,
    /// Any text: a name.
    Text,
    /// The path of a folder.
    Folder,
    /// One of a few words.
    Choice(&'static [&'static str]),
}

impl Kind {
    /// What a value of this kind looks like, for help and error texts.
    pub fn expected(self) -> String {
        match self {
            Self::Whole => format!("a whole number from 0 to {}", i64::MAX),
            Self::Real => "a finite number".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Text => "text".to_owned(),
            Self::Folder => "the path of a folder (~ alone, or before /, is your home)".to_owned(),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
        }
    }
}

/// The heading a setting stands under in the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// What is trained on what, and where the results go.
    Run,
    /// How images are read and prepared.
    Data,
    /// The networks' sizes.
    Networks,
    /// Histogram layers.
    Histograms,
    /// Loss weights and what the losses compare.
    Losses,
    /// Optimisers, epochs, batches.
    Training,
    /// Backend, threads, seed.
    Machine,
}

impl Group {
    /// The heading itself.
    pub fn title(self) -> &'static str {
        match self {
            Self::Run => "Run",
            Self::Data => "Data",
            Self::Networks => "Networks",
            Self::Histograms => "Histograms",
            Self::Losses => "Losses",
            Self::Training => "Training",
            Self::Machine => "Machine",
        }
    }
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name in TOML files, and after `HUENET_` in upper case; the flag is the
    /// same in kebab case.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Where it stands in the help.
    pub group: Group,
    /// One sentence.
    pub help: &'static str,
    /// Whether a run may change it when it is resumed: it does not touch what was computed so far.
    pub changeable: bool,
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

    /// This setting, that a resumed run may change.
    const fn changeable(self) -> Self {
        Self {
            changeable: true,
            ..self
        }
    }

    /// The flag, such as `--img-h`.
    pub fn flag(&self) -> String {
        format!("--{}", self.name.replace('_', "-"))
    }

    /// The environment variable, such as `HUENET_IMG_H`.
    pub fn variable(&self) -> String {
        format!("HUENET_{}", self.name.to_uppercase())
    }
}

const fn key(name: &'static str, kind: Kind, group: Group, help: &'static str) -> Key {
    Key {
        name,
        kind,
        group,
        help,
        changeable: false,
    }
}

const TASKS: Kind = Kind::Choice(&["edges2photos", "color_transfer", "colorization"]);

/// Every setting there is. Names and meanings of the official script's options are
/// kept; the rest is ours.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    key("task", TASKS, Group::Run, "What to train [official]"),
    key("recipe", Kind::Choice(&["official", "recommended"]), Group::Run, "Which defaults: those of the paper's official script, or ours, for pictures worth looking at after few steps. `huenet config --recipe recommended` prints them"),
    key("dataroot", Kind::Folder, Group::Run, "Folder that holds the dataset's folder [official]").changeable(),
    key("dataset", Kind::Text, Group::Run, "Name of the dataset's folder below the data root, or `demo` for the built-in set [official]"),
    key("output_dir", Kind::Folder, Group::Run, "Folder that runs are written to [official]"),
    key("name", Kind::Text, Group::Run, "Name of the run's folder below the output folder; by default task, dataset and time"),
    key("output_pre_dir", Kind::Folder, Group::Run, "Start with the weights and optimiser states of this run's newest checkpoint, or of this checkpoint [official]"),
    key("tensorboard", Kind::Flag, Group::Run, "Write event files for TensorBoard into the run's folder").changeable(),

    key("img_h", Kind::Whole, Group::Data, "Image height in pixels [official]"),
    key("img_w", Kind::Whole, Group::Data, "Image width in pixels [official]"),
    key("img_c", Kind::Whole, Group::Data, "Channels of the images read: 3, or 1 for grey [official]"),
    key("img_out_c", Kind::Whole, Group::Data, "Channels of the images made; must equal img_c [official]"),
    key("resize", Kind::Choice(&["nearest", "bilinear", "bicubic", "lanczos"]), Group::Data, "How images are resized: by nearest neighbour as the official script does, or by a smooth filter"),
    key("yuv", Kind::Flag, Group::Data, "Work in YUV; false: in RGB [official]"),
    key("a2b", Kind::Flag, Group::Data, "Direction. edges2photos: false makes the right half from the left; colorization: true makes colour from grey [official]"),
    key("jitter", Kind::Flag, Group::Data, "Augment training images: enlarge by 286/256, crop at random, mirror at random [official]"),
    key("buffer_size", Kind::Whole, Group::Data, "Size of the shuffle buffer, in images [official]"),
    key("split", Kind::Choice(&["ninety_ten", "official"]), Group::Data, "Folders without a split of their own: a seeded 90/10 split as the official script makes it, or the split published in setid.mat"),
    key("workers", Kind::Whole, Group::Data, "Threads that read images ahead; 0 reads on the training thread").changeable(),
    key("cache_mib", Kind::Whole, Group::Data, "Memory for resized training images, so that they are read and decoded once, in MiB; 0: none").changeable(),

    key("base_width", Kind::Whole, Group::Networks, "Channels of the networks' first layers"),
    key("depth", Kind::Whole, Group::Networks, "Levels of the generator; image sides must be multiples of 2^depth"),
    key("conditioning", Kind::Choice(&["counts", "modulation"]), Group::Networks, "How the generator is told the reference's colours: its pixel counts join the bottleneck (the paper), or quantiles of reference and content join it and scale and shift the channels of every level, so that colour reaches every level"),
    key("matched_content", Kind::Flag, Group::Networks, "Give the generator, beside the content, the content with each channel's histogram matched to the reference's: colours start where they should be, and what matching gets wrong is left to learn"),
    key("prediction", Kind::Choice(&["image", "change", "palette", "blend"]), Group::Networks, "What the generator puts out: the image (the paper); a change to the content, which then keeps its structure unless there is a reason to change it; or a change and masks for five colours made of both distributions, so that it paints with colours no training image has; or a palette on a blend of content and matched content, which tells each pixel how far to go"),
    key("displayable", Kind::Flag, Group::Networks, "Clip what the generator puts out to colours that a screen has, in training and later, so that the losses see what will be seen"),
    key("last_layer", Kind::Choice(&["transposed", "resize"]), Group::Networks, "What makes the image of the last features: a transposed convolution (the paper), which is prone to dots, or bilinear doubling after a convolution, and a convolution of what the generator was given"),
    key("normalization", Kind::Choice(&["batch", "group"]), Group::Networks, "What normalises the generator's features: batch normalisation (the paper), or groups of channels of each image, which need no other images and no running statistics"),
    key("dis_normalization", Kind::Choice(&["batch", "group"]), Group::Networks, "What normalises the discriminator's features: batch normalisation (the paper), which shows it whole batches of real or of generated images, or groups of channels of each image, so that it has to judge each by itself"),
    key("dropout", Kind::Flag, Group::Networks, "Drop half of the features after the first three doublings in training [official]"),

    key("bin_num", Kind::Whole, Group::Histograms, "Bins of each histogram [official]"),
    key("kernel_width_ratio", Kind::Real, Group::Histograms, "Bin width over Parzen window width: larger is sharper [official]"),
    key("min_val", Kind::Real, Group::Histograms, "Lower end of the histograms' range [official]"),
    key("max_val", Kind::Real, Group::Histograms, "Upper end of the histograms' range [official]"),

    key("gan_loss_weight", Kind::Real, Group::Losses, "Weight of the adversarial loss [official]"),
    key("mi_loss_weight", Kind::Real, Group::Losses, "Weight of the structure (mutual information) loss [official]"),
    key("hist_loss_weight", Kind::Real, Group::Losses, "Weight of the earth mover's distance loss [official]"),
    key("structure_reference", Kind::Choice(&["content", "reference"]), Group::Losses, "Image whose structure the output must keep: the content (the paper), or for color_transfer the reference (the official script)"),
    key("gan_loss", Kind::Choice(&["cross_entropy", "least_squares", "hinge"]), Group::Losses, "The adversarial loss: binary cross-entropy as the official script has it; mean squares (Mao et al. 2017), whose gradient does not vanish for outputs that the discriminator is sure of; or hinges (Lim and Ye 2017), which stop teaching the discriminator what it tells by a margin"),
    key("reconstruction_loss_weight", Kind::Real, Group::Losses, "Weight of the mean absolute difference between output and reference, where the reference is the ground truth: edges2photos and colorization. It teaches which colour belongs where, beside which colours there are; 0: none"),
    key("ssim_loss_weight", Kind::Real, Group::Losses, "Weight of (1 - SSIM)^2 (Wang et al. 2004) of the luma, in [0, 1] with data range 1, of content and output. Where the reference's brightness would drown what is to be seen in the content, the output takes less of it; 0: none"),

    key("gen_lr", Kind::Real, Group::Training, "Learning rate of the generator [official]"),
    key("gen_beta_1", Kind::Real, Group::Training, "Adam's beta 1 of the generator [official]"),
    key("dis_lr", Kind::Real, Group::Training, "Learning rate of the discriminator [official]"),
    key("dis_beta_1", Kind::Real, Group::Training, "Adam's beta 1 of the discriminator [official]"),
    key("batch_size", Kind::Whole, Group::Training, "Images in a batch [official]"),
    key("dis_batch_share", Kind::Real, Group::Training, "Share of each batch that the discriminator learns from, rounded up to whole images: it learns slower than the generator, and steps are quicker; 1: all of it (the paper)"),
    key("epochs", Kind::Whole, Group::Training, "Passes over the training images [official]").changeable(),
    key("epochs_decay", Kind::Whole, Group::Training, "Further epochs after those, over which both learning rates fall linearly towards 0; 0: none").changeable(),
    key("decay_share", Kind::Real, Group::Training, "Share of all steps, at their end, over which both learning rates fall linearly to 0: the last steps settle what the first have found; 0: none. Not together with epochs_decay"),
    key("max_steps", Kind::Whole, Group::Training, "Stop after this many steps even if epochs are left; 0: no limit").changeable(),
    key("clip_gradients", Kind::Real, Group::Training, "Largest Euclidean norm of each network's gradients, to which longer ones are scaled down; 0: no limit"),
    key("label_smoothing", Kind::Real, Group::Training, "How far below 1 the discriminator's target for real images is; 0: not at all"),
    key("image_pool", Kind::Whole, Group::Training, "How many earlier outputs are kept, to be shown to the discriminator in place of new ones, as CycleGAN does; 0: none"),
    key("average_decay", Kind::Real, Group::Training, "Keep an exponential moving average of the generator's weights, of which each step leaves this share (less in the first steps): samples, validation, evaluation and export use it instead of the last weights, and are the smoother for it; 0: none"),
    key("non_finite", Kind::Choice(&["stop", "skip"]), Group::Training, "What to do when a loss or a gradient is not a finite number: stop, or skip the step").changeable(),
    key("log_every", Kind::Whole, Group::Training, "Fetch the losses from the device every so many steps. More than 1 spares a GPU that wait, but a step that is not finite is then noticed late and cannot be skipped").changeable(),
    key("cp_freq", Kind::Whole, Group::Training, "Save a checkpoint every so many epochs; the best one by validation, and one at the end, are always saved [official]").changeable(),
    key("save_every_steps", Kind::Whole, Group::Training, "Save a checkpoint every so many steps too; 0: no").changeable(),
    key("save_every_minutes", Kind::Whole, Group::Training, "Save a checkpoint when the last one is so many minutes old; 0: never for that reason").changeable(),
    key("keep_checkpoints", Kind::Whole, Group::Training, "How many of the newest checkpoints to keep, beside the best one; 0: all").changeable(),
    key("sample_mode", Kind::Choice(&["batch", "running"]), Group::Training, "Samples and evaluation: normalise with the batch's statistics and keep dropout on (as the official script does), or with running statistics and no dropout").changeable(),
    key("held_out_images", Kind::Whole, Group::Training, "About how many held-out images the final evaluation looks at (rounded up to whole batches); 0: none").changeable(),
    key("validation_images", Kind::Whole, Group::Training, "How many held-out images, spread evenly over them, are translated and measured after each epoch; 0: none").changeable(),

    key("backend", Kind::Choice(&["flex", "ndarray", "tch", "wgpu", "cuda"]), Group::Machine, "Burn backend to compute with").changeable(),
    key("device", Kind::Text, Group::Machine, "Device of the backend, as `huenet info` lists them: `cpu`, `cuda:0`; by default the backend's first").changeable(),
    key("threads", Kind::Whole, Group::Machine, "Threads to compute with; 0: all the machine has").changeable(),
    key("seed", Kind::Whole, Group::Machine, "Seed of every random choice: weights, order, augmentation, dropout"),
];
