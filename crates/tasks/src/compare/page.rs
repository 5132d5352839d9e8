//! A comparison as a page: one file that loads nothing.

use std::fmt::{self, Write};

use data_encoding::BASE64;
use huenet_data::RgbImage;
use image::codecs::jpeg::JpegEncoder;

use super::differences_table::{COLUMNS, DifferencesTable};
use super::summary::Summary;
use super::table::Table;
use crate::view::page::{STYLE, escape};

/// What only this page has.
const OWN_STYLE: &str = "\
thead th { vertical-align: bottom; } td span { display: block; color: var(--soft); font-size: 12px; }
th, td { white-space: nowrap; } table.figures tbody tr:first-child > * { font-weight: 600; }
figure.differences { max-width: 640px; margin-top: 18px; }
svg text.name { fill: var(--ink); } svg .span { stroke-width: 2; }
.sheet { display: block; max-width: 100%; height: auto; border-radius: 4px; }";

/// The sheet is large; the file beside the page has every pixel.
const JPEG_QUALITY: u8 = 92;

/// Widths in a chart: of the names of methods, of the intervals, of what is at the right.
const NAMES: f64 = 210.0;
const PLOT: f64 = 300.0;
const MARGIN: f64 = 20.0;
/// The most letters of a name that fit into their width.
const LETTERS: usize = 34;
/// The height of a method's row.
const ROW: f64 = 18.0;

/// The page titled `title`.
pub(super) fn page(title: &str, table: &Table, sheet: Option<&RgbImage>) -> String {
    let mut page = String::new();
    // Writing to a String does not fail.
    let _ = write(&mut page, title, table, sheet);
    page
}

fn write(page: &mut String, title: &str, table: &Table, sheet: Option<&RgbImage>) -> fmt::Result {
    let (title, about) = (escape(title), escape(&table.about));
    write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; \
         style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n\
         <title>{title}: evaluation</title>\n<style>\n{STYLE}{OWN_STYLE}\n</style>\n</head>\n<body>\n\
         <header>\n<p class=\"eyebrow\">huenet evaluation</p>\n<h1>{title}</h1>\n<p>{about}</p>\n\
         </header>\n<main>\n"
    )?;
    figures(page, table)?;
    charts(page, table)?;
    if let Some(jpeg) = sheet.and_then(jpeg) {
        write!(
            page,
            "<section aria-label=\"Pairs\">\n<h2>Best, middle and worst pairs</h2>\n\
             <img class=\"sheet\" alt=\"contact sheet: the pairs with the model's least, middle and \
             greatest emd; content, reference and what each method made\" \
             src=\"data:image/jpeg;base64,{}\">\n</section>\n",
            BASE64.encode(&jpeg)
        )?;
    }
    let version = env!("CARGO_PKG_VERSION");
    write!(
        page,
        "</main>\n<footer>huenet {version}</footer>\n</body>\n</html>\n"
    )
}

/// The table.
fn figures(page: &mut String, table: &Table) -> fmt::Result {
    write!(
        page,
        "<section aria-label=\"Figures\">\n<h2>Figures</h2>\n<p class=\"soft\">{}</p>\n\
         <div class=\"scroll\"><table class=\"figures\">\n<thead><tr><th></th>",
        escape(&Table::legend())
    )?;
    for figure in table.columns() {
        write!(page, "<th scope=\"col\">{}</th>", escape(&figure.heading()))?;
    }
    page.write_str("</tr></thead>\n<tbody>\n")?;
    for (title, row) in &table.rows {
        write!(page, "<tr><th scope=\"row\">{}</th>", escape(title))?;
        for figure in table.columns() {
            let cell = Table::cell(row, figure);
            let mean = cell.map(Summary::mean).unwrap_or_default();
            write!(page, "<td>{mean}")?;
            if let Some([low, high]) = cell.and_then(Summary::interval) {
                write!(page, "<span>[{low}, {high}]</span>")?;
            }
            page.write_str("</td>")?;
        }
        page.write_str("</tr>\n")?;
    }
    page.write_str("</tbody>\n</table></div>\n")?;
    for note in table.notes() {
        writeln!(page, "<p class=\"soft\">{}</p>", escape(&note))?;
    }
    page.write_str("</section>\n")?;
    match &table.differences {
        Some(table) => differences(page, table),
        None => Ok(()),
    }
}

/// The table of the differences from another model, and their chart.
fn differences(page: &mut String, table: &DifferencesTable) -> fmt::Result {
    write!(
        page,
        "<section aria-label=\"Differences\">\n<h2>Differences from {}</h2>\n<p class=\"soft\">{}</p>\n\
         <div class=\"scroll\"><table>\n<thead><tr><th></th>",
        escape(&table.other),
        escape(&table.about)
    )?;
    for column in COLUMNS {
        write!(page, "<th scope=\"col\">{column}</th>")?;
    }
    page.write_str("</tr></thead>\n<tbody>\n")?;
    for row in &table.rows {
        let heading = escape(&row.heading());
        write!(page, "<tr><th scope=\"row\">{heading}</th>")?;
        for cell in DifferencesTable::cells(row) {
            write!(page, "<td>{}</td>", escape(&cell))?;
        }
        page.write_str("</tr>\n")?;
    }
    page.write_str("</tbody>\n</table></div>\n")?;
    for note in table.notes() {
        writeln!(page, "<p class=\"soft\">{}</p>", escape(&note))?;
    }
    difference_chart(page, table)?;
    page.write_str("</section>\n")
}

/// A row for each figure, on a scale of its own: the interval as a line, the mean as a dot, no difference in the
/// middle.
fn difference_chart(page: &mut String, table: &DifferencesTable) -> fmt::Result {
    let (width, height) = (NAMES + PLOT + MARGIN, ROW * (table.rows.len() + 1) as f64);
    let (zero, bottom) = (NAMES + PLOT / 2.0, ROW * table.rows.len() as f64);
    writeln!(
        page,
        "<figure class=\"differences\"><svg viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"intervals of the differences\">\n\
         <line class=\"axis\" x1=\"{zero}\" x2=\"{zero}\" y1=\"0\" y2=\"{bottom}\"/>"
    )?;
    for (number, row) in table.rows.iter().enumerate() {
        let middle = ROW * (number as f64 + 0.5);
        writeln!(
            page,
            "<text class=\"name\" x=\"0\" y=\"{}\">{}</text>",
            middle + 4.0,
            escape(&row.heading())
        )?;
        let Some(mean) = row.mean else {
            continue;
        };
        let [low, high] = row.interval.unwrap_or([mean; 2]);
        let reach = [low, mean, high]
            .map(f64::abs)
            .into_iter()
            .fold(0.0, f64::max);
        let x = |value: f64| match reach > 0.0 {
            true => zero + PLOT / 2.0 * value / reach,
            false => zero,
        };
        mark(page, [low, mean, high].map(x), middle, 0)?;
    }
    let (y, right) = (bottom + 13.0, NAMES + PLOT);
    writeln!(
        page,
        "<text x=\"{NAMES}\" y=\"{y}\">this model has less</text>\
         <text x=\"{right}\" y=\"{y}\" text-anchor=\"end\">this model has more</text>\n</svg>\
         <figcaption>Each row has a scale of its own. The line in the middle is no difference.</figcaption></figure>"
    )
}

/// An interval as a line, its mean as a dot.
fn mark(page: &mut String, [low, mean, high]: [f64; 3], y: f64, colour: u8) -> fmt::Result {
    writeln!(
        page,
        "<line class=\"span\" x1=\"{low:.1}\" x2=\"{high:.1}\" y1=\"{y}\" y2=\"{y}\" \
         style=\"stroke: var(--c{colour})\"/>\
         <circle cx=\"{mean:.1}\" cy=\"{y}\" r=\"3.5\" style=\"fill: var(--c{colour})\"/>"
    )
}

/// A chart of the intervals of each figure.
fn charts(page: &mut String, table: &Table) -> fmt::Result {
    page.write_str(
        "<section aria-label=\"Intervals\">\n<h2>Intervals</h2>\n<div class=\"channels\">\n",
    )?;
    for figure in table.columns() {
        let rows = table.rows.iter();
        let rows: Vec<(&str, Option<&Summary>)> = rows
            .map(|(title, row)| (title.as_str(), Table::cell(row, figure)))
            .collect();
        chart(page, figure, &rows)?;
    }
    page.write_str("</div>\n</section>\n")
}

/// A row for each method: its interval as a line, its mean as a dot.
fn chart(page: &mut String, figure: &Summary, rows: &[(&str, Option<&Summary>)]) -> fmt::Result {
    let finite = |summary: &Summary| {
        let [low, high] = summary.interval.unwrap_or([summary.mean; 2]);
        let all = [low, summary.mean, high];
        all.iter().all(|value| value.is_finite()).then_some(all)
    };
    let values: Vec<f64> = rows
        .iter()
        .filter_map(|(_, summary)| finite((*summary)?))
        .flatten()
        .collect();
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let x = |value: f64| match most > least {
        true => NAMES + PLOT * (value - least) / (most - least),
        false => NAMES + PLOT / 2.0,
    };
    let (width, height) = (NAMES + PLOT + MARGIN, ROW * (rows.len() + 1) as f64);
    let heading = escape(&figure.heading());
    writeln!(
        page,
        "<figure><h3>{heading}</h3><svg viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"intervals of {heading}\">"
    )?;
    for (number, (title, summary)) in rows.iter().enumerate() {
        let middle = ROW * (number as f64 + 0.5);
        let colour = u8::from(number > 0);
        writeln!(
            page,
            "<text class=\"name\" x=\"0\" y=\"{}\">{}</text>",
            middle + 4.0,
            escape(&shortened(title))
        )?;
        if let Some(values) = summary.and_then(finite) {
            mark(page, values.map(x), middle, colour)?;
        }
    }
    if !values.is_empty() {
        let (bottom, right) = (ROW * rows.len() as f64, NAMES + PLOT);
        let [least, most] = [least, most].map(|value| figure.number(value));
        writeln!(
            page,
            "<line class=\"axis\" x1=\"{NAMES}\" x2=\"{right}\" y1=\"{bottom}\" y2=\"{bottom}\"/>\
             <text x=\"{NAMES}\" y=\"{y}\">{least}</text>\
             <text x=\"{right}\" y=\"{y}\" text-anchor=\"end\">{most}</text>",
            y = bottom + 13.0
        )?;
    }
    page.write_str("</svg></figure>\n")
}

/// A name that fits beside a chart; the table above has the whole of it.
fn shortened(name: &str) -> String {
    match name.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

/// `None` if the sheet cannot be encoded: the page does without it.
fn jpeg(sheet: &RgbImage) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
    sheet.write_with_encoder(encoder).ok()?;
    Some(bytes)
}
