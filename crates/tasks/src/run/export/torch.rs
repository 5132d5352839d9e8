//! Networks as safetensors files, which PyTorch reads.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};

use super::header::Entry;
use super::named::Named;
use crate::store::error::TaskError;
use crate::store::files;

/// Writes a network's tensors, and a header, as one file.
pub(super) fn write(path: &Path, tensors: Vec<Named>, header: Vec<Entry>) -> Result<(), TaskError> {
    let fault = |error: safetensors::SafeTensorError| {
        TaskError::write(path, std::io::Error::other(error.to_string()))
    };
    let views: Result<Vec<_>, _> = tensors
        .iter()
        .map(|tensor| {
            let view = TensorView::new(Dtype::F32, tensor.shape.clone(), &tensor.bytes);
            view.map(|view| (tensor.name.as_str(), view))
        })
        .collect();
    let header: HashMap<String, String> = header
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let bytes = safetensors::serialize(views.map_err(fault)?, Some(header)).map_err(fault)?;
    files::write_atomically(path, &bytes)
}
