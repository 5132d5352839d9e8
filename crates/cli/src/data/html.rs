//! The report as a page in one file: a table and a plot for each folder.

use std::fmt::Write;

use huenet_data::check::{CheckReport, ColourHistogram, Region};

const STYLE: &str = "body{font:15px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;\
color:#222;background:#fff}svg{background:#f4f4f4;width:100%;height:12em}\
path{fill:none;stroke-width:1.2;vector-effect:non-scaling-stroke}li{color:#a00}";

/// The report as HTML.
pub(super) fn page(report: &CheckReport) -> String {
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
         <title>Datasets</title><style>{STYLE}</style>\n"
    );
    // Writing to a String does not fail.
    let _ = body(report, &mut text);
    text
}

fn body(report: &CheckReport, text: &mut String) -> std::fmt::Result {
    for dataset in &report.datasets {
        let folder = escaped(&dataset.folder.display().to_string());
        writeln!(text, "<h1>{folder}</h1><p>{}</p>", dataset.layout.name())?;
        for remark in dataset.problems.iter().chain(&dataset.notes) {
            writeln!(text, "<p>{}</p>", escaped(remark))?;
        }
        for part in &dataset.parts {
            let name = if part.name.is_empty() {
                "images"
            } else {
                &part.name
            };
            writeln!(text, "<h2>{name}</h2><p>{} images", part.images)?;
            if let Some(sizes) = &part.sizes {
                let (small, large, common) = (sizes.smallest, sizes.largest, sizes.common);
                writeln!(text, ", {small} to {large} pixels, most often {common}")?;
            }
            writeln!(text, "</p><ul>")?;
            for unusable in &part.unusable {
                writeln!(text, "<li>{}</li>", escaped(&unusable.reason))?;
            }
            writeln!(text, "</ul>")?;
            for (region, histogram) in &part.colours {
                let which = match region {
                    Region::Whole => "",
                    Region::Left => ", left halves",
                    Region::Right => ", right halves",
                };
                writeln!(text, "<p>Square root of the share of pixels{which}</p>")?;
                plot(histogram, text)?;
            }
        }
    }
    Ok(())
}

fn plot(histogram: &ColourHistogram, text: &mut String) -> std::fmt::Result {
    let all = histogram.channels.iter().flatten().copied();
    let highest = all.fold(f64::MIN_POSITIVE, f64::max);
    writeln!(
        text,
        "<svg viewBox=\"0 0 255 100\" preserveAspectRatio=\"none\">"
    )?;
    for (colour, levels) in ["#d22", "#191", "#22d"].iter().zip(&histogram.channels) {
        write!(text, "<path stroke=\"{colour}\" d=\"")?;
        for (level, share) in levels.iter().enumerate() {
            let command = if level == 0 { 'M' } else { 'L' };
            let height = 100.0 - 98.0 * (share / highest).sqrt();
            write!(text, "{command}{level} {height:.2}")?;
        }
        writeln!(text, "\"/>")?;
    }
    writeln!(text, "</svg>")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
