use serde::{Deserialize, Serialize};

use crate::ParameterError;

/// Height and width of an image in pixels: at least 1, at most [`Self::MAX_EDGE`] a side and
/// [`Self::MAX_PIXELS`] in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct ImageSize {
    height: usize,
    width: usize,
}

impl ImageSize {
    /// The longest side, in pixels.
    pub const MAX_EDGE: usize = 1 << 14;
    /// The most pixels: 64 Mi, a square of 8192.
    pub const MAX_PIXELS: usize = 1 << 26;

    /// An image size.
    ///
    /// # Errors
    ///
    /// [`ParameterError::ImageSize`] if a side is 0 or the image is larger than allowed.
    pub fn new(height: usize, width: usize) -> Result<Self, ParameterError> {
        let edges = 1..=Self::MAX_EDGE;
        if edges.contains(&height) && edges.contains(&width) && height * width <= Self::MAX_PIXELS {
            Ok(Self { height, width })
        } else {
            Err(ParameterError::ImageSize {
                height,
                width,
                max_edge: Self::MAX_EDGE,
                max_pixels: Self::MAX_PIXELS,
            })
        }
    }

    /// Height in pixels, 1 to [`Self::MAX_EDGE`].
    pub fn height(self) -> usize {
        self.height
    }

    /// Width in pixels, 1 to [`Self::MAX_EDGE`].
    pub fn width(self) -> usize {
        self.width
    }

    /// Height times width, 1 to [`Self::MAX_PIXELS`].
    pub fn pixels(self) -> usize {
        self.height * self.width
    }
}

/// Checks that the number of values is that of an image of this size and number of channels.
pub(crate) fn check_length(
    actual: usize,
    channels: usize,
    size: ImageSize,
) -> Result<(), ParameterError> {
    let expected = channels * size.pixels();
    if actual == expected {
        return Ok(());
    }
    let (height, width) = (size.height(), size.width());
    Err(ParameterError::PlaneLength {
        actual,
        expected,
        channels,
        height,
        width,
    })
}

impl std::fmt::Display for ImageSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}×{}", self.height, self.width)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    height: usize,
    width: usize,
}

impl TryFrom<Unchecked> for ImageSize {
    type Error = ParameterError;

    fn try_from(size: Unchecked) -> Result<Self, ParameterError> {
        Self::new(size.height, size.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_without_pixels_or_beyond_the_limits_are_refused() {
        for (height, width) in [(0, 1), (1, 0), (1 << 14, 1 << 13), (usize::MAX, usize::MAX)] {
            let error = ImageSize::new(height, width).expect_err("out of range");
            assert!(error.to_string().contains(&format!("{height}×{width}")));
        }
        let largest = ImageSize::new(1 << 13, 1 << 13).expect("in range");
        assert_eq!(largest.pixels(), ImageSize::MAX_PIXELS);
    }

    #[test]
    fn what_is_read_from_a_file_is_checked_too() {
        let read = serde_json::from_str::<ImageSize>;
        let size = ImageSize::new(3, 5).expect("valid");
        let text = serde_json::to_string(&size).expect("serialises");
        assert_eq!(read(&text).expect("valid"), size);
        let error = read(r#"{"height": 0, "width": 5}"#)
            .expect_err("no pixels")
            .to_string();
        assert!(error.contains("0×5"), "{error}");
        assert!(read(r#"{"height": 3, "width": 5, "depth": 1}"#).is_err());
    }
}
