//! `huenet info`.

use crate::backend::COMPILED_IN;

/// Prints versions and backends.
pub(crate) fn info() -> anyhow::Result<()> {
    println!("huenet    {}", env!("CARGO_PKG_VERSION"));
    println!("burn      0.21.0");
    println!("backends  {}", COMPILED_IN.join(", "));
    for (name, what) in ALL {
        if !COMPILED_IN.contains(&name) {
            println!("          {name} is not compiled in: {what}");
        }
    }
    println!("threads   {}", rayon::current_num_threads());
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
