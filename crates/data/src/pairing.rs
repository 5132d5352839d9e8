use serde::{Deserialize, Serialize};

/// Which of two images, A or B, is the content; the other one is the reference.
///
/// The letters are those of the official code's flag `a2b`, which is *true* for
/// [`Self::AToB`]:
///
/// | `a2b` | side by side (official default: false) | colourisation (official default: true) |
/// |---|---|---|
/// | true, [`Self::AToB`] | content = right half, reference = left half | content = grey, reference = colour |
/// | false, [`Self::BToA`] | content = left half, reference = right half | content = colour, reference = grey |
///
/// So A is the right half there, whereas pix2pix itself calls the left half A: edges to photos,
/// pix2pix' `AtoB`, is the official code's `a2b = false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// A is the content: the right half, or the grey image.
    AToB,
    /// B is the content: the left half, or the colour image.
    BToA,
}

impl Direction {
    /// The direction of the official code's flag `a2b`.
    pub fn from_a2b(a2b: bool) -> Self {
        if a2b { Self::AToB } else { Self::BToA }
    }
}

/// How a content image and a colour reference come from the images of a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Pairing {
    /// Each image holds both, side by side, cut at ⌊width / 2⌋ (pix2pix).
    SideBySide(Direction),
    /// Each image is paired with its own grey image, 0.2989 R + 0.587 G + 0.114 B in all three
    /// colours (colourisation).
    GreyToColour(Direction),
    /// Content and reference are two images, drawn from the same list in two independent orders
    /// (colour transfer), and never the same one.
    Unpaired,
}
