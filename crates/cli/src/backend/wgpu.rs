//! The devices of WGPU: Vulkan's, Metal's or DirectX's.

use burn_wgpu::graphics::{AutoGraphicsApi, GraphicsApi};
use burn_wgpu::{WgpuDevice, WgpuRuntime};
use cubecl::Runtime;
use cubecl::device::Device;

/// The kinds of devices, best first: CubeCL's number and the name.
const KINDS: [(u16, &str); 4] = [
    (0, "discrete"),
    (1, "integrated"),
    (2, "virtual"),
    (3, "cpu"),
];

pub(super) fn devices() -> Vec<(String, WgpuDevice)> {
    let mut all = Vec::new();
    for (kind, name) in KINDS {
        let found = WgpuRuntime::enumerate_devices(kind, &AutoGraphicsApi::backend());
        let mut found: Vec<WgpuDevice> = found.into_iter().map(WgpuDevice::from_id).collect();
        // Software devices are not told apart.
        found.dedup();
        let named = found.into_iter().enumerate().map(|(at, device)| {
            let name = match device {
                WgpuDevice::Cpu => name.to_owned(),
                _ => format!("{name}:{at}"),
            };
            (name, device)
        });
        all.extend(named);
    }
    all
}

/// The device of that name, which is there; the first for no name.
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
