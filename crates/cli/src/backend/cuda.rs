//! The devices of CUDA, and what else its backend needs. NVRTC, NVIDIA's compiler for running programs,
//! compiles each kernel when it is first run, with the headers of the toolkit.

use burn_cuda::CudaDevice;
use cudarc::driver::CudaContext;

use super::kernel_cache;

/// A part that the backend needs and that is missing.
enum Lack {
    Driver,
    Compiler,
    Headers,
    Device,
}

pub(super) fn devices() -> impl Iterator<Item = (String, CudaDevice)> {
    let count = count().unwrap_or(0);
    (0..count).map(|at| (format!("cuda:{at}"), CudaDevice::new(at)))
}

/// The number of devices, at least one.
#[expect(
    unsafe_code,
    reason = "asking whether a library is there loads it, and that runs its code"
)]
fn count() -> Result<usize, Lack> {
    // SAFETY: loading these libraries runs what NVIDIA has them run then, nothing else. Without a
    // library any other call panics.
    let (driver, compiler) = unsafe {
        (
            cudarc::driver::sys::is_culib_present(),
            cudarc::nvrtc::sys::is_culib_present(),
        )
    };
    if !driver {
        return Err(Lack::Driver);
    }
    let count = CudaContext::device_count().map_or(0, |count| usize::try_from(count).unwrap_or(0));
    if count == 0 {
        return Err(Lack::Device);
    }
    if !compiler {
        return Err(Lack::Compiler);
    }
    match cubecl::cuda::install::cuda_path() {
        Some(folder) if folder.join("include").is_dir() => Ok(count),
        _ => Err(Lack::Headers),
    }
}

/// The device of this name, which exists; without a name the first one. Kernels compiled for it are kept.
pub(super) fn device(name: Option<&str>) -> CudaDevice {
    let mut all = devices();
    let found = all.find(|(device, _)| name.is_none_or(|name| name == device));
    let device = found.map(|(_, device)| device).unwrap_or_default();
    kernel_cache::keep(device.index);
    device
}

pub(super) fn more() -> &'static str {
    match count() {
        Ok(_) => "`nvidia-smi` shows which GPUs the driver sees",
        Err(Lack::Driver) => "it needs an NVIDIA GPU and its driver, whose libcuda is not found",
        Err(Lack::Device) => "the driver sees no GPU: `nvidia-smi` shows why",
        Err(Lack::Compiler) => {
            "it compiles its kernels with NVRTC, which is not found: install the CUDA toolkit, \
             12 or 13, and add its libraries to LD_LIBRARY_PATH"
        }
        Err(Lack::Headers) => {
            "it compiles its kernels with the CUDA toolkit's headers, which are not found: set \
             CUDA_PATH to the folder that has its `include`"
        }
    }
}
