//! `huenet info`.

use crate::backend::COMPILED_IN;
use crate::output;

/// Prints versions and backends.
pub(crate) fn info() -> anyhow::Result<()> {
    output::line(format_args!("huenet    {}", env!("CARGO_PKG_VERSION")));
    output::line(format_args!("burn      0.21.0"));
    output::line(format_args!("backends  {}", COMPILED_IN.join(", ")));
    for (name, what) in ALL {
        if !COMPILED_IN.contains(&name) {
            output::line(format_args!("          {name} is not compiled in: {what}"));
        }
    }
    output::line(format_args!("threads   {}", rayon::current_num_threads()));
    Ok(())
}

const ALL: [(&str, &str); 3] = [
    ("flex", "`cargo xtask train` builds it"),
    ("ndarray", "`cargo xtask train --backend ndarray` builds it"),
    (
        "tch",
        "`cargo xtask train --backend tch` builds it, with LIBTORCH set to LibTorch 2.9.0",
    ),
];
