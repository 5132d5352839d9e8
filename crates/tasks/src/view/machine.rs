//! The machine that a run runs on.

use serde::Serialize;

use crate::settings::Settings;

/// What a report says of the machine.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Machine {
    processor: String,
    cores: usize,
    memory_gib: f64,
    system: String,
    backend: String,
    threads: usize,
    huenet: &'static str,
    burn: &'static str,
}

/// The release of Burn that the workspace pins.
const BURN: &str = "0.21.0";

impl Machine {
    pub(super) fn this(settings: &Settings) -> Self {
        let mut system = sysinfo::System::new();
        system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
        system.refresh_memory();
        let processor = system
            .cpus()
            .first()
            .map(|cpu| cpu.brand().trim().to_owned());
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let name = sysinfo::System::long_os_version();
        Self {
            processor: processor
                .filter(|name| !name.is_empty())
                .unwrap_or_else(unknown),
            cores,
            memory_gib: system.total_memory() as f64 / f64::from(1 << 30),
            system: format!(
                "{} ({})",
                name.unwrap_or_else(unknown),
                std::env::consts::ARCH
            ),
            backend: settings.backend.clone(),
            threads: match settings.threads {
                0 => cores,
                threads => threads,
            },
            huenet: env!("CARGO_PKG_VERSION"),
            burn: BURN,
        }
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}
