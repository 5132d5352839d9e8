//! Draws the figures of the book's chapter on the mathematics, with the histograms of this crate.
//!
//! ```text
//! cargo run --release --package huenet-hist --example figures
//! ```
//!
//! The files are `docs/figures/*.svg`. A test compares them with what this example draws; it runs with the crate's others.

mod distance;
mod histograms;
mod joint;
mod pixels;
mod plot;
mod windows;

use std::error::Error;
use std::path::{Path, PathBuf};

use huenet_hist::HistogramError;

fn main() -> Result<(), Box<dyn Error>> {
    for (name, figure) in figures()? {
        let path = path(name);
        std::fs::write(&path, figure).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}

/// Each figure: the name of its file, and what is in it.
fn figures() -> Result<[(&'static str, String); 4], HistogramError> {
    Ok([
        ("windows.svg", windows::draw()?),
        ("histograms.svg", histograms::draw()?),
        ("distance.svg", distance::draw()?),
        ("joint.svg", joint::draw()?),
    ])
}

fn path(name: &str) -> PathBuf {
    let figures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/figures");
    figures.join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_has_the_figures_that_this_example_draws() {
        for (name, drawn) in figures().unwrap() {
            let path = path(name);
            let kept = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                kept.replace("\r\n", "\n") == drawn,
                "{} is not what this example draws; run it to draw it anew",
                path.display()
            );
        }
    }
}
