//! `huenet data check`.

use std::path::{Path, PathBuf};

use clap::{ArgMatches, Command};
use huenet_data::aside;
use huenet_data::check::{CheckReport, DatasetReport, PartReport, Region};

use super::options::{bar, flag, folder, given, path};
use super::{html, plot};
use crate::output::line;

/// How many unusable images of a folder are listed without `--all`.
const LISTED: usize = 20;

pub(super) fn command() -> Command {
    Command::new("check")
        .about("Decode every image of a dataset and list those that cannot be used")
        .long_about(
            "Recognise the layout of a dataset's folder, or of each in a folder of datasets; \
             decode every image; list what cannot be used, and why; show sizes and mean colour \
             histograms. The exit code is 1 if something cannot be used.",
        )
        .arg(folder("A dataset's folder, or a folder of such folders"))
        .arg(path(
            "html",
            "FILE",
            "Also write a page with the colour histograms",
        ))
        .arg(path("json", "FILE", "Also write the report as JSON"))
        .arg(flag(
            "all",
            "List all unusable images, not the first 20 of each folder",
        ))
}

pub(super) fn check(matches: &ArgMatches) -> anyhow::Result<()> {
    let folder = given(matches, "folder");
    let report = huenet_data::check::check(folder, &bar())?;
    let listed = if matches.get_flag("all") {
        usize::MAX
    } else {
        LISTED
    };
    for dataset in &report.datasets {
        show(dataset, listed);
    }
    if let Some(file) = matches.get_one::<PathBuf>("json") {
        write(file, &(serde_json::to_string_pretty(&report)? + "\n"))?;
    }
    if let Some(file) = matches.get_one::<PathBuf>("html") {
        write(file, &html::page(&report))?;
    }
    verdict(&report)
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let written = aside::replace_or_feed(file, text.as_bytes());
    written.map_err(|error| anyhow::anyhow!("cannot write {}: {error}", file.display()))?;
    line(format_args!("written: {}", file.display()));
    Ok(())
}

fn verdict(report: &CheckReport) -> anyhow::Result<()> {
    let (images, unusable) = (report.images(), report.unusable());
    if report.is_sound() {
        line(format_args!("all {images} images can be used"));
        return Ok(());
    }
    if unusable > 0 {
        anyhow::bail!(
            "{unusable} of {images} images cannot be used: convert those of a kind that is not read, \
             restore them from their source if they are damaged, or move them out of the folder"
        );
    }
    anyhow::bail!("all {images} images can be read, but the dataset cannot be used as it is");
}

fn show(dataset: &DatasetReport, listed: usize) {
    line(format_args!(
        "{}: {}",
        dataset.folder.display(),
        dataset.layout.name()
    ));
    for part in &dataset.parts {
        show_part(part, listed);
    }
    for note in &dataset.notes {
        line(format_args!("  note: {note}"));
    }
    for problem in &dataset.problems {
        line(format_args!("  problem: {problem}"));
    }
    line("");
}

fn show_part(part: &PartReport, listed: usize) {
    let name = match part.name.as_str() {
        "" => "images".to_owned(),
        name => format!("{name}/"),
    };
    let mib = part.bytes as f64 / f64::from(1 << 20);
    let ignored = match part.ignored {
        0 => String::new(),
        count => format!(", {count} other entries ignored"),
    };
    line(format_args!(
        "  {name:<8} {} images, {mib:.1} MiB{ignored}",
        part.images
    ));
    if let Some(sizes) = &part.sizes {
        let usable = part.images - part.unusable.len();
        line(match sizes.distinct {
            1 => format!("           all {} pixels", sizes.common),
            distinct => format!(
                "           {distinct} sizes: smallest {}, largest {}, most often {} ({} of {usable})",
                sizes.smallest, sizes.largest, sizes.common, sizes.common_images
            ),
        });
    }
    for unusable in part.unusable.iter().take(listed) {
        line(format_args!("           unusable: {}", unusable.reason));
    }
    if let Some(more @ 1..) = part.unusable.len().checked_sub(listed) {
        line(format_args!("           and {more} more; --all lists them"));
    }
    for (region, histogram) in &part.colours {
        let which = match region {
            Region::Whole => "",
            Region::Left => " of the left halves",
            Region::Right => " of the right halves",
        };
        line(format_args!(
            "           mean histogram{which}, dark to bright"
        ));
        for (name, levels) in ["red", "green", "blue"].iter().zip(&histogram.channels) {
            line(format_args!("           {name:<6}{}", plot::blocks(levels)));
        }
    }
}
