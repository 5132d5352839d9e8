//! How resulting pictures are written, and what is said of what their format cannot keep.

use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches, value_parser};
use huenet_data::{DataError, Photograph, WriteOptions};

/// The flags about the files of the results.
pub(crate) fn flags() -> [Arg; 2] {
    [
        Arg::new("quality")
            .long("quality")
            .value_name("1-100")
            .value_parser(value_parser!(u8).range(1..=100))
            .help(format!(
                "The quality of JPEG results [default: {}]",
                WriteOptions::QUALITY
            )),
        Arg::new("no-metadata")
            .long("no-metadata")
            .action(ArgAction::SetTrue)
            .help("Do not write into the results how they were made"),
    ]
}

/// What the flags of [`flags`] ask for; `made_by` is how the results were made.
pub(crate) fn options(matches: &ArgMatches, made_by: &str) -> WriteOptions {
    let quality = matches.get_one::<u8>("quality").copied();
    let version = env!("CARGO_PKG_VERSION");
    let description =
        (!matches.get_flag("no-metadata")).then(|| format!("huenet {version}: {made_by}"));
    WriteOptions {
        quality: quality.unwrap_or(WriteOptions::QUALITY),
        description,
    }
}

/// Writes what a content image became, and returns what there is to say about that.
pub(crate) fn write(
    photograph: &Photograph,
    content: &Path,
    output: &Path,
    options: &WriteOptions,
) -> Result<Vec<String>, DataError> {
    let written = photograph.write(output, options)?;
    let (name, mut notes) = (output.display(), Vec::new());
    if photograph.was_converted() {
        let content = content.display();
        notes.push(format!(
            "{content}: its colour profile is not sRGB; its colours were converted to sRGB"
        ));
    }
    if written.lost_depth {
        notes.push(format!(
            "{name} has 8 bits a sample: PNG, TIFF and PPM keep the 16 of the content"
        ));
    }
    if written.lost_alpha {
        notes.push(format!(
            "{name} has lost its transparency: PNG, TIFF and WebP keep it"
        ));
    }
    if written.lost_description {
        notes.push(format!(
            "{name} does not say how it was made: its format has no place for that"
        ));
    }
    Ok(notes)
}
