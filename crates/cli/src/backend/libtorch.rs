//! The devices of LibTorch.

use burn_tch::LibTorchDevice;

pub(super) fn devices() -> impl Iterator<Item = (String, LibTorchDevice)> {
    let gpus = usize::try_from(tch::Cuda::device_count()).unwrap_or(0);
    let gpus = (0..gpus).map(|at| (format!("cuda:{at}"), LibTorchDevice::Cuda(at)));
    let metal = tch::utils::has_mps().then(|| ("mps".to_owned(), LibTorchDevice::Mps));
    std::iter::once(("cpu".to_owned(), LibTorchDevice::Cpu))
        .chain(gpus)
        .chain(metal)
}

/// The device of this name, which exists; without a name the CPU.
pub(super) fn device(name: Option<&str>) -> LibTorchDevice {
    let found = devices().find(|(device, _)| Some(device.as_str()) == name);
    found.map_or(LibTorchDevice::Cpu, |(_, device)| device)
}

pub(super) fn more() -> &'static str {
    match tch::utils::has_cuda() {
        true => "`nvidia-smi` shows which GPUs the driver sees",
        false => {
            "for an NVIDIA GPU, `cargo xtask setup-libtorch --cuda` gets a LibTorch with CUDA; \
             it needs the GPU's driver"
        }
    }
}
