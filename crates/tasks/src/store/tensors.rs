//! Tensors in safetensors files.

use std::collections::HashMap;
use std::path::Path;

use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, TensorView};

use super::error::TaskError;

/// The bytes of a safetensors file of tensors of one type, each with its name, shape and little-endian numbers, and a
/// header. `path` is where it goes, for messages.
///
/// # Errors
///
/// [`TaskError::Write`] if a tensor has other than as many numbers as its shape says.
pub(crate) fn encode<'a>(
    path: &Path,
    dtype: Dtype,
    tensors: impl IntoIterator<Item = (&'a str, Vec<usize>, &'a [u8])>,
    header: Option<HashMap<String, String>>,
) -> Result<Vec<u8>, TaskError> {
    let views: Result<Vec<_>, SafeTensorError> = tensors
        .into_iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(dtype, shape, bytes)?)))
        .collect();
    views
        .and_then(|views| safetensors::serialize(views, header))
        .map_err(|error| TaskError::write(path, std::io::Error::other(error.to_string())))
}
