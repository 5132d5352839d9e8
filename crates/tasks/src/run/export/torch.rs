//! Networks as safetensors files, which PyTorch reads.

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::f16;
use safetensors::tensor::Dtype;

use super::header::Entry;
use super::named::Named;
use crate::store;
use crate::store::error::TaskError;

/// What a number takes in a file.
#[derive(Clone, Copy)]
pub(super) enum Precision {
    /// 32 bits.
    Single,
    /// 16 bits.
    Half,
}

/// The bytes of a file with a network's tensors and a header. `path` is where it goes, for messages.
///
/// # Errors
///
/// [`TaskError::NotInF16`] if a number would not be finite in 16 bits.
pub(super) fn encode(
    path: &Path,
    mut tensors: Vec<Named>,
    header: Vec<Entry>,
    precision: Precision,
) -> Result<Vec<u8>, TaskError> {
    let dtype = match precision {
        Precision::Single => Dtype::F32,
        Precision::Half => {
            for tensor in &mut tensors {
                tensor.bytes = halved(path, tensor)?;
            }
            Dtype::F16
        }
    };
    let header: HashMap<String, String> = header
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let tensors = tensors
        .iter()
        .map(|tensor| (&*tensor.name, tensor.shape.clone(), &*tensor.bytes));
    store::tensors::encode(path, dtype, tensors, Some(header))
}

/// A tensor's numbers rounded to 16 bits, little-endian.
fn halved(path: &Path, tensor: &Named) -> Result<Vec<u8>, TaskError> {
    let (numbers, _) = tensor.bytes.as_chunks();
    let mut bytes = Vec::with_capacity(2 * numbers.len());
    for number in numbers {
        let value = f32::from_le_bytes(*number);
        let half = f16::from_f32(value);
        if !half.is_finite() {
            return Err(TaskError::NotInF16 {
                path: path.to_owned(),
                tensor: tensor.name.clone(),
                value,
            });
        }
        bytes.extend(half.to_le_bytes());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use safetensors::SafeTensors;

    use super::*;

    fn encoded(values: &[f32], precision: Precision) -> Result<Vec<u8>, TaskError> {
        let tensor = Named {
            name: "last.bias".to_owned(),
            shape: vec![values.len()],
            bytes: values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        };
        let path = Path::new("out/generator.safetensors");
        encode(
            path,
            vec![tensor],
            vec![("task", "t".to_owned())],
            precision,
        )
    }

    #[test]
    fn half_precision_rounds_to_the_nearest() {
        // Half of 16 bits' last place, the largest number, and one that rounds down to it.
        let values = [0.1, -1.0 - 0.5_f32.powi(11), 65504.0, 65519.0, 1e-9];
        let bytes = encoded(&values, Precision::Half).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let tensor = file.tensor("last.bias").unwrap();
        assert_eq!(tensor.dtype(), Dtype::F16);
        let (words, _) = tensor.data().as_chunks();
        let read: Vec<f32> = words
            .iter()
            .map(|word| f16::from_le_bytes(*word).to_f32())
            .collect();
        assert_eq!(read, [0.099_975_586, -1.0, 65504.0, 65504.0, 0.0]);
    }

    #[test]
    fn what_half_precision_cannot_hold_is_named() {
        for value in [65520.0, f32::NEG_INFINITY, f32::NAN] {
            let error = encoded(&[1.0, value], Precision::Half)
                .unwrap_err()
                .to_string();
            for words in ["out/generator.safetensors", "last.bias", &value.to_string()] {
                assert!(error.contains(words), "{error}");
            }
            assert!(encoded(&[1.0, value], Precision::Single).is_ok());
        }
    }
}
