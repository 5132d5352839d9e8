//! The device that a backend under test computes on.

use burn::prelude::DeviceOps;
use burn::tensor::backend::Backend;

/// Names the device: Burn's number of its kind and its place among those, `0:0` for LibTorch's first GPU.
const VARIABLE: &str = "CONFORMANCE_DEVICE";

/// The device that `CONFORMANCE_DEVICE` names, or the backend's default one. LibTorch's is the processor. Backends of
/// the processor have no other.
///
/// # Panics
///
/// If the variable is not two numbers with a colon between them.
pub fn device<B: Backend>() -> B::Device {
    let default = B::Device::default();
    match std::env::var(VARIABLE) {
        Err(_) => default,
        Ok(named) => {
            let mut id = default.to_id();
            (id.type_id, id.index_id) = numbers(&named)
                .unwrap_or_else(|| panic!("{VARIABLE} is {named}, and should be like 0:0"));
            B::Device::from_id(id)
        }
    }
}

fn numbers(named: &str) -> Option<(u16, u16)> {
    let (kind, place) = named.split_once(':')?;
    Some((kind.parse().ok()?, place.parse().ok()?))
}
