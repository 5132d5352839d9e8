//! `huenet info`.

use huenet_tasks::settings::{Key, Kind};

use crate::backend::COMPILED_IN;
use crate::output::line;

/// The release of Burn that the workspace pins.
const BURN: &str = "0.21.0";

/// Prints versions and backends.
pub(crate) fn info() -> anyhow::Result<()> {
    line(format_args!("huenet    {}", env!("CARGO_PKG_VERSION")));
    line(format_args!("burn      {BURN}"));
    line(format_args!("backends  {}", COMPILED_IN.join(", ")));
    let all = match Key::find("backend").map(|key| key.kind) {
        Some(Kind::Choice(words)) => words,
        _ => &[],
    };
    for name in all.iter().filter(|name| !COMPILED_IN.contains(name)) {
        let what = match *name {
            "tch" => ", after `cargo xtask setup-libtorch`",
            _ => "",
        };
        line(format_args!(
            "          {name} is not compiled in: `cargo xtask train --backend {name}` builds it{what}"
        ));
    }
    line(format_args!("threads   {}", rayon::current_num_threads()));
    Ok(())
}
