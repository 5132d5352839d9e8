//! A comparison as a table: a row for each method, a column for each figure.

use std::fmt::Write;

use super::bootstrap::CONFIDENCE;
use super::differences_table::{DifferencesTable, markdown_cell};
use super::summary::Summary;

/// Means with their intervals.
pub(super) struct Table {
    /// What was compared on what.
    pub(super) about: String,
    /// The name of each method, and its figures.
    pub(super) rows: Vec<(String, Vec<Summary>)>,
    /// The differences from another model, if there is one.
    pub(super) differences: Option<DifferencesTable>,
}

impl Table {
    /// The figures that have a column, as the first method has them.
    pub(super) fn columns(&self) -> &[Summary] {
        let first = self.rows.first();
        first.map_or(&[], |(_, figures)| figures)
    }

    /// What a row has in the column of `figure`.
    pub(super) fn cell<'a>(row: &'a [Summary], figure: &Summary) -> Option<&'a Summary> {
        row.iter().find(|cell| cell.name == figure.name)
    }

    /// What the numbers are.
    pub(super) fn legend() -> String {
        format!("mean [{:.0} % interval]", 100.0 * CONFIDENCE)
    }

    /// What the means are without.
    pub(super) fn notes(&self) -> Vec<String> {
        let of_row = |(title, row): &(String, Vec<Summary>)| {
            let left_out = row.iter().filter(|figure| figure.left_out > 0);
            let note = |figure: &Summary| {
                format!(
                    "{title}: {} infinite {} left out of the mean (an output that is its ground truth has such)",
                    figure.left_out, figure.name,
                )
            };
            left_out.map(note).collect::<Vec<_>>()
        };
        self.rows.iter().flat_map(of_row).collect()
    }

    pub(super) fn to_markdown(&self) -> String {
        let columns = self.columns();
        let headings: Vec<String> = columns.iter().map(Summary::heading).collect();
        let mut text = format!("{}; {}\n\n", self.about, Self::legend());
        // Writing to a String does not fail.
        let _ = writeln!(text, "| | {} |", headings.join(" | "));
        let _ = writeln!(text, "|---|{}", "---|".repeat(headings.len()));
        for (title, row) in &self.rows {
            let cell = |figure| Self::cell(row, figure).map_or_else(String::new, markdown);
            let cells: Vec<String> = columns.iter().map(cell).collect();
            let _ = writeln!(text, "| {} | {} |", markdown_cell(title), cells.join(" | "));
        }
        for note in self.notes() {
            let _ = writeln!(text, "\n{note}");
        }
        if let Some(differences) = &self.differences {
            let _ = write!(text, "\n{}", differences.to_markdown());
        }
        text
    }
}

fn markdown(figure: &Summary) -> String {
    let mean = figure.mean();
    match figure.interval() {
        Some([low, high]) => format!("{mean} [{low}, {high}]"),
        None => mean,
    }
}
