//! A row of the table of settings.

/// What kind of value a setting takes.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
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
    Choice(fn() -> &'static [&'static str]),
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
            Self::Choice(words) => format!("one of {}", words().join(", ")),
        }
    }
}

/// The heading a setting stands under in the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
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

/// Which networks depend on a setting: with another value their weights have other shapes, or another meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shapes {
    /// No network.
    Nothing,
    /// Every network.
    Networks,
    /// Networks that have a weight for each number of pixels that a bin can have (`conditioning` counts), and
    /// generators that end at another level (`prediction` local_maps).
    NetworksOfSides,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name in TOML files, and after `HUENET_` in upper case; the flag is the
    /// same in kebab case.
    pub name: &'static str,
    /// The kind of its values.
    pub kind: Kind,
    /// Where it stands in the help.
    pub group: Group,
    /// What it means, in a few sentences without a full stop at the end.
    pub help: &'static str,
    /// Whether a run may change it when it is resumed: it does not touch what was computed so far.
    pub changeable: bool,
    /// Whether an evaluation may change it.
    pub in_evaluation: bool,
    /// Which networks' weights depend on it.
    pub shapes: Shapes,
}

impl Key {
    pub(super) const fn new(
        name: &'static str,
        kind: Kind,
        group: Group,
        help: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            group,
            help,
            changeable: false,
            in_evaluation: false,
            shapes: Shapes::Nothing,
        }
    }

    /// This setting, that a resumed run may change.
    pub(super) const fn changeable(self) -> Self {
        Self {
            changeable: true,
            ..self
        }
    }

    /// This setting, that an evaluation may change.
    pub(super) const fn in_evaluation(self) -> Self {
        Self {
            in_evaluation: true,
            ..self
        }
    }

    /// This setting, that weights depend on.
    pub(super) const fn shapes_networks(self) -> Self {
        Self {
            shapes: Shapes::Networks,
            ..self
        }
    }

    /// This setting, that weights depend on where pixels are counted.
    pub(super) const fn shapes_counted_networks(self) -> Self {
        Self {
            shapes: Shapes::NetworksOfSides,
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
