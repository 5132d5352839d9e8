//! `huenet info`.

use crate::backend;
use crate::output::line;

/// The release of Burn that the workspace pins.
const BURN: &str = "0.21.0";

/// Prints versions, and the devices of each backend.
pub(crate) fn info() -> anyhow::Result<()> {
    line(format_args!("huenet    {}", env!("CARGO_PKG_VERSION")));
    line(format_args!("burn      {BURN}"));
    line(format_args!("threads   {}", rayon::current_num_threads()));
    line("backends, and the devices that --device takes");
    for (name, devices) in backend::overview() {
        line(format_args!("  {name:<8}{devices}"));
    }
    Ok(())
}
