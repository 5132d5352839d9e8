//! The differences of two models as a table: a row for each figure.

use std::fmt::Write;

use super::bootstrap::CONFIDENCE;
use super::difference::Difference;
use super::method::Method;
use super::other::Told;

/// The differences of two models.
pub(super) struct DifferencesTable {
    /// The other model's name in tables.
    pub(super) other: String,
    /// Which differences they are, and of what.
    pub(super) about: String,
    pub(super) rows: Vec<Difference>,
}

/// The headings of the columns after that of the figure.
pub(super) const COLUMNS: [&str; 3] = ["difference", "better is", "this model is better in"];

impl DifferencesTable {
    pub(super) fn new(told: &Told, rows: Vec<Difference>) -> Self {
        let other = told.title();
        let this = Method::Generator.title();
        let mut about = format!(
            "{this} − {other}: mean difference over the pairs [{:.0} % interval, paired bootstrap]; {other} was trained on \
             {}, step {}, {} statistics",
            100.0 * CONFIDENCE,
            told.dataset,
            told.step,
            told.sample_mode,
        );
        if let Some([trained, here]) = &told.resized {
            about += &format!(", with resize {trained} (here: {here})");
        }
        Self { other, about, rows }
    }

    /// What stands in the columns of a row.
    pub(super) fn cells(row: &Difference) -> [String; 3] {
        [row.cell(), row.direction().to_owned(), row.share()]
    }

    /// What the differences are without.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        let left_out = self.rows.iter().filter(|row| row.left_out > 0);
        left_out.map(|row| {
            let pairs = match row.left_out {
                1 => "1 pair".to_owned(),
                pairs => format!("{pairs} pairs"),
            };
            let name = &row.name;
            format!("difference of {name}: {pairs} left out, where a model has no {name} or an infinite one")
        })
    }

    pub(super) fn to_markdown(&self) -> String {
        let mut text = format!("{}\n\n| | {} |\n|---|", self.about, COLUMNS.join(" | "));
        text += &"---|".repeat(COLUMNS.len());
        // Writing to a String does not fail.
        let _ = writeln!(text);
        for row in &self.rows {
            let cells = Self::cells(row)
                .map(|cell| markdown_cell(&cell))
                .join(" | ");
            let _ = writeln!(text, "| {} | {cells} |", row.heading());
        }
        for note in self.notes() {
            let _ = writeln!(text, "\n{note}");
        }
        text
    }
}

/// A text as it stands in a cell of a Markdown table.
pub(super) fn markdown_cell(text: &str) -> String {
    text.replace('|', "\\|")
}
