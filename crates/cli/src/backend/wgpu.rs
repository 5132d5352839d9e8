//! The devices of WGPU: Vulkan's, Metal's or DirectX's.

use burn_wgpu::graphics::{AutoGraphicsApi, GraphicsApi};
use burn_wgpu::{WgpuDevice, WgpuRuntime};
use cubecl::Runtime;
use cubecl::device::{Device, DeviceId};

/// The kinds of devices, best first: CubeCL's number and the name.
const KINDS: [(u16, &str); 4] = [
    (0, "discrete"),
    (1, "integrated"),
    (2, "virtual"),
    (CPU, "cpu"),
];

/// CubeCL's number of devices that compute on the CPU.
const CPU: u16 = 3;

pub(super) fn devices() -> Vec<(String, WgpuDevice)> {
    // All at once: looking starts every driver there is.
    let found = WgpuRuntime::enumerate_all_devices(&AutoGraphicsApi::backend());
    let mut all = Vec::new();
    for (kind, name) in KINDS {
        let count = found.iter().filter(|device| device.type_id == kind).count();
        if kind == CPU {
            // Software devices are not told apart.
            all.extend((count > 0).then(|| (name.to_owned(), WgpuDevice::Cpu)));
        } else {
            // Of its kind each has the number that it comes at.
            all.extend((0..count as u16).map(|at| {
                let device = WgpuDevice::from_id(DeviceId::new(kind, at));
                (format!("{name}:{at}"), device)
            }));
        }
    }
    all
}

/// The device of this name, which exists; without a name the first one.
pub(super) fn device(name: Option<&str>) -> WgpuDevice {
    let mut all = devices().into_iter();
    let found = all.find(|(device, _)| name.is_none_or(|name| name == device));
    found.map(|(_, device)| device).unwrap_or_default()
}

pub(super) fn more() -> &'static str {
    match () {
        () if cfg!(target_os = "macos") => "it needs a device with Metal",
        () if cfg!(windows) => "it needs a graphics card and its driver",
        () => {
            "it needs a Vulkan driver: the graphics card's own, or on Debian and Ubuntu `apt \
             install mesa-vulkan-drivers`, which brings a slow device on the CPU too; `vulkaninfo \
             --summary` shows what there is"
        }
    }
}
