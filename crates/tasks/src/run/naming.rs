//! The names and layouts of a network's tensors in safetensors files: those that PyTorch has.
//!
//! | here | file | layout |
//! |---|---|---|
//! | `downs.i.conv.weight`, `ups.i.conv.weight`, … | the same | `[out, in, 4, 4]` or `[out, in, 3, 3]` |
//! | `last.weight` of the generator (transposed convolution) | the same | `[in, out, 4, 4]` |
//! | `….norm.gamma`, `beta` | `….norm.weight`, `bias` | `[channels]` |
//! | `….running_mean`, `running_variance` | `….running_mean`, `running_var` | `[channels]` |
//! | `histogram.weight`, `bias` | `histogram.dense.weight`, `bias` | `[2·bins, channels·bins]`, `[2·bins]` |
//! | `distribution.layers.i.weight`, `distribution.modulations.i.weight` | the same | `[out, in]` |
//! | `….group_norm.gamma`, `beta` | `….group_norm.weight`, `bias` | `[channels]` |
//! | `resize.features`, `resize.given` | the same | `[out, in, 3, 3]` |
//! | `maps.conv.weight`, `bias` | the same | `[96, in, 3, 3]`, `[96]` |
//! | `palette.quantiles` | `palette.quantiles.weight` | `[5, 64]` |
//! | `palette.features.weight` | the same | `[out, in]` |
//! | `histogram.tables.i` | `histogram.tables.i.weight` | `[pixels + 1, 1]` |

/// How a tensor lies in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// As here.
    Same,
    /// With its last two axes exchanged: a dense layer here is `[in, out]`.
    Transposed,
    /// With a further axis of length 1 at its end.
    Column,
}

impl Layout {
    /// The shape in a file of a tensor that has `shape` here.
    pub(super) fn shape(self, shape: &[usize]) -> Vec<usize> {
        let mut shape = shape.to_vec();
        match self {
            Self::Same => {}
            Self::Transposed => shape.reverse(),
            Self::Column => shape.push(1),
        }
        shape
    }
}

/// The name in a file of the tensor with this path in its network, and its layout there.
pub(super) fn exported(path: &[&str]) -> (String, Layout) {
    match path {
        ["histogram", "weight"] => ("histogram.dense.weight".to_owned(), Layout::Transposed),
        ["histogram", "bias"] => ("histogram.dense.bias".to_owned(), Layout::Same),
        ["histogram", "tables", index] => {
            (format!("histogram.tables.{index}.weight"), Layout::Column)
        }
        ["distribution", .., "weight"] | ["palette", "features", "weight"] => {
            (path.join("."), Layout::Transposed)
        }
        ["palette", "quantiles"] => ("palette.quantiles.weight".to_owned(), Layout::Transposed),
        [parents @ .., field] => {
            let field = match *field {
                "gamma" => "weight",
                "beta" => "bias",
                "running_variance" => "running_var",
                same => same,
            };
            ([parents, &[field]].concat().join("."), Layout::Same)
        }
        [] => (String::new(), Layout::Same),
    }
}
