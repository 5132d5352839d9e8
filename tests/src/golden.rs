//! Reads the golden numbers: pairs of `NAME.json` (cases, parameters, expected
//! scalars) and `NAME.safetensors` (their tensors) made by the official code.
//!
//! The folder is the one named by `HUENET_GOLDEN_DIR`, else the copy of the small
//! cases kept beside these tests. Everything here panics with a message: a golden
//! test that cannot read its numbers has failed.

use std::path::PathBuf;

use half::f16;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

/// One golden file: its cases and its tensors.
pub struct Golden {
    name: String,
    json: Value,
    bytes: Vec<u8>,
}

/// The folder the golden numbers are read from.
///
/// # Panics
///
/// If `HUENET_GOLDEN_DIR` names something that is not a folder.
pub fn directory() -> PathBuf {
    match std::env::var_os("HUENET_GOLDEN_DIR") {
        Some(named) => {
            let named = PathBuf::from(named);
            assert!(
                named.is_dir(),
                "HUENET_GOLDEN_DIR={} is not a folder",
                named.display()
            );
            named
        }
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden"),
    }
}

impl Golden {
    /// Opens `NAME.json` and `NAME.safetensors`.
    ///
    /// # Panics
    ///
    /// If either file is missing, or the JSON is damaged.
    pub fn open(name: &str) -> Self {
        let directory = directory();
        let path = directory.join(format!("{name}.json"));
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|e| panic!("no golden cases at {}: {e}", path.display()));
        let json: Value = serde_json::from_str(&text)
            .unwrap_or_else(|e| panic!("{} is not JSON: {e}", path.display()));
        let path = directory.join(format!("{name}.safetensors"));
        let bytes = std::fs::read(&path)
            .unwrap_or_else(|e| panic!("no golden tensors at {}: {e}", path.display()));
        Self {
            name: name.to_owned(),
            json,
            bytes,
        }
    }

    /// The whole JSON file.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The list `cases` of the JSON file.
    ///
    /// # Panics
    ///
    /// If there is none, or it is empty.
    pub fn cases(&self) -> &[Value] {
        let cases = self.json["cases"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        assert!(!cases.is_empty(), "{}.json lists no cases", self.name);
        cases
    }

    /// The values of the tensor that `entry`, a part of the JSON file, names under `key`. None
    /// if it names none there.
    ///
    /// # Panics
    ///
    /// If the tensor file lacks what the entry names.
    pub fn named(&self, entry: &Value, key: &str) -> Option<Vec<f64>> {
        entry[key].as_str().map(|tensor| self.f64s(tensor))
    }

    /// The shape of `tensor`.
    ///
    /// # Panics
    ///
    /// If there is no such tensor.
    pub fn shape(&self, tensor: &str) -> Vec<usize> {
        self.view(&self.tensors(), tensor).shape().to_vec()
    }

    /// The values of `tensor`, row-major, whatever its type, as f64 (exact for all
    /// types in use).
    ///
    /// # Panics
    ///
    /// If there is no such tensor, or its type is not one of F16, F32, F64, I32,
    /// I64, U8.
    pub fn f64s(&self, tensor: &str) -> Vec<f64> {
        let tensors = self.tensors();
        let view = self.view(&tensors, tensor);
        let data = view.data();
        fn read<const N: usize>(data: &[u8], value: impl Fn([u8; N]) -> f64) -> Vec<f64> {
            data.as_chunks::<N>()
                .0
                .iter()
                .map(|bytes| value(*bytes))
                .collect()
        }
        match view.dtype() {
            Dtype::F16 => read(data, |b| f16::from_le_bytes(b).to_f64()),
            Dtype::F32 => read(data, |b| f32::from_le_bytes(b).into()),
            Dtype::F64 => read(data, f64::from_le_bytes),
            Dtype::I32 => read(data, |b| i32::from_le_bytes(b).into()),
            Dtype::I64 => read(data, |b| i64::from_le_bytes(b) as f64),
            Dtype::U8 => read(data, |[b]| b.into()),
            other => panic!("{}: {tensor} has the unexpected type {other:?}", self.name),
        }
    }

    fn tensors(&self) -> SafeTensors<'_> {
        SafeTensors::deserialize(&self.bytes)
            .unwrap_or_else(|e| panic!("{}.safetensors is damaged: {e}", self.name))
    }

    fn view<'a>(
        &self,
        tensors: &SafeTensors<'a>,
        tensor: &str,
    ) -> safetensors::tensor::TensorView<'a> {
        tensors
            .tensor(tensor)
            .unwrap_or_else(|e| panic!("{}.safetensors has no {tensor}: {e}", self.name))
    }
}

/// A scalar of the JSON files: a number, or a decimal string.
///
/// # Panics
///
/// If it is neither.
pub fn scalar(value: &Value) -> f64 {
    value
        .as_f64()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
        .unwrap_or_else(|| panic!("{value} is not a scalar"))
}
