//! `card.json` and `card.md`: what was measured, for programs and for BENCHMARKS.md.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::machine::Card;
use super::row::{Outcome, Row, What};

/// What was measured so far, and where.
pub(super) struct Report {
    pub(super) card: Option<Card>,
    pub(super) date: String,
    /// What the programs were made of.
    pub(super) record: Value,
    /// Whether it was measured at small sizes.
    pub(super) quick: bool,
    pub(super) rows: Vec<Row>,
}

impl Report {
    /// Writes both files, in place of what was written before.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let json = format!("{:#}\n", self.to_json());
        for (name, text) in [("card.json", json), ("card.md", self.to_markdown())] {
            let (aside, place) = (folder.join(format!("{name}.new")), folder.join(name));
            fs::write(&aside, text)
                .and_then(|()| fs::rename(&aside, &place))
                .with_context(|| format!("cannot write {}", place.display()))?;
        }
        Ok(())
    }

    fn to_json(&self) -> Value {
        let of_card = |part: fn(&Card) -> &str| self.card.as_ref().map(part);
        let rows: Vec<Value> = self.rows.iter().map(Row::to_json).collect();
        json!({
            "card": of_card(|card| &card.name),
            "driver": of_card(|card| &card.driver),
            "date": self.date,
            "huenet": self.record,
            "quick": self.quick,
            "parts": rows,
        })
    }

    /// Tables in the layout of BENCHMARKS.md.
    fn to_markdown(&self) -> String {
        let mut text = format!("The machine: {}.", self.machine());
        if self.quick {
            text += " Sizes of `--quick`, which show only whether everything works.";
        }
        text += "\n";
        let tables = [
            self.tests(),
            self.first_steps(),
            self.losses(),
            self.steps(),
            self.not_measured(),
        ];
        for table in tables.into_iter().flatten() {
            text += "\n";
            text += &table;
        }
        text
    }

    fn machine(&self) -> String {
        let card = match &self.card {
            Some(card) if card.driver.is_empty() => card.name.clone(),
            Some(card) => format!("{}, driver {}", card.name, card.driver),
            None => {
                let devices = self.rows.iter().filter(|row| row.what == What::Device);
                let devices: Vec<String> = devices
                    .filter(|row| row.outcome == Outcome::Done)
                    .map(|row| format!("`{}` on {}", row.backend, row.setting))
                    .collect();
                match devices.is_empty() {
                    true => "no card was found".to_owned(),
                    false => devices.join(", "),
                }
            }
        };
        let word = |name: &str| self.record[name].as_str().unwrap_or("unknown").to_owned();
        format!(
            "{card}; {}; HueNet {}, commit {}, profile {}",
            self.date,
            word("version"),
            word("commit"),
            word("profile"),
        )
    }

    /// The rows of these parts that have figures.
    fn measured(&self, parts: &'static [What]) -> impl Iterator<Item = &Row> {
        let rows = self.rows.iter();
        rows.filter(move |row| parts.contains(&row.what) && !row.figures.is_empty())
    }

    fn tests(&self) -> Option<String> {
        let rows = self.measured(&[What::Kernels, What::Conformance]);
        let rows = rows.map(|row| {
            let seconds = format!("{:.0}", row.took.as_secs_f64());
            let [passed, failed] = ["passed", "failed"].map(|name| number(row.figure(name)));
            [
                row.backend.clone(),
                row.what.name().to_owned(),
                passed,
                failed,
                seconds,
            ]
        });
        let heads = ["backend", "tests", "passed", "failed", "seconds"];
        table("Tests:", heads, rows)
    }

    fn first_steps(&self) -> Option<String> {
        let rows = self.measured(&[What::FirstStep]).map(|row| {
            let first = row.figure("first_step_s");
            let first = first.map_or_else(unknown, |seconds| format!("{seconds:.2}"));
            let whole = format!("{:.1}", row.took.as_secs_f64());
            [row.backend.clone(), row.setting.clone(), first, whole]
        });
        let heads = ["backend", "caches", "first step, s", "whole process, s"];
        table("The first step at batch 1:", heads, rows)
    }

    fn losses(&self) -> Option<String> {
        let rows = self.measured(&[What::Losses]).map(|row| {
            // Memory of the process beside what it had before the losses.
            let process = row.figure("peak_rss_mib").zip(row.figure("base_rss_mib"));
            [
                row.backend.clone(),
                row.setting.clone(),
                milliseconds(row.figure("median_ms")),
                milliseconds(row.figure("min_ms")),
                number(row.figure("card_mib")),
                number(process.map(|(peak, base)| peak - base)),
            ]
        });
        let bins = self.measured(&[What::Losses]).next();
        let bins = number(bins.and_then(|row| row.figure("bins")));
        let heads = [
            "backend",
            "images",
            "median ms",
            "least ms",
            "MiB on the card",
            "MiB of the process above base",
        ];
        let title = format!("The losses alone, forward and backward, {bins} bins:");
        table(&title, heads, rows)
    }

    fn steps(&self) -> Option<String> {
        let rows = self.measured(&[What::Step]).map(|row| {
            let [step, networks, losses, optimisers] =
                ["step_ms", "networks_ms", "losses_ms", "optimisers_ms"]
                    .map(|name| milliseconds(row.figure(name)));
            [
                format!("{}, {}", row.backend, row.setting),
                step,
                networks,
                losses,
                optimisers,
                number(row.figure("card_mib")),
                number(row.figure("process_mib")),
            ]
        });
        let heads = [
            "backend, batch",
            "step",
            "networks",
            "histogram losses",
            "optimisers",
            "MiB on the card",
            "MiB of the process",
        ];
        table("A training step of colour transfer, ms:", heads, rows)
    }

    fn not_measured(&self) -> Option<String> {
        let rows = self.rows.iter().filter_map(|row| {
            let how = if row.has_failed() {
                "failed"
            } else {
                "skipped"
            };
            let reason = row.reason()?.replace('|', "\\|").replace('\n', " ");
            Some([row.name(), how.to_owned(), reason])
        });
        let heads = ["part", "what became of it", "reason"];
        table("Not measured, or not without a fault:", heads, rows)
    }
}

/// A table in Markdown, unless it has no rows.
fn table<const N: usize>(
    title: &str,
    heads: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Option<String> {
    let rows: Vec<String> = rows
        .map(|row| format!("| {} |\n", row.join(" | ")))
        .collect();
    if rows.is_empty() {
        return None;
    }
    let mut text = format!("{title}\n\n| {} |\n", heads.join(" | "));
    // Writing to a string does not fail.
    let _ = writeln!(text, "|{}", "---|".repeat(N));
    Some(text + &rows.concat())
}

fn unknown() -> String {
    "—".to_owned()
}

/// A whole number.
fn number(value: Option<f64>) -> String {
    value.map_or_else(unknown, |value| format!("{value:.0}"))
}

/// With as many digits as a time deserves.
fn milliseconds(value: Option<f64>) -> String {
    value.map_or_else(unknown, |value| match value {
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn row(what: What, backend: &str, setting: &str, figures: Value, outcome: Outcome) -> Row {
        Row {
            what,
            backend: backend.to_owned(),
            setting: setting.to_owned(),
            outcome,
            took: Duration::from_millis(1500),
            figures: figures.as_object().cloned().unwrap_or_default(),
        }
    }

    fn report(rows: Vec<Row>) -> Report {
        Report {
            card: Some(Card {
                name: "NVIDIA H200".to_owned(),
                driver: "580.65.06".to_owned(),
                is_nvidia: true,
            }),
            date: "2026-12-01".to_owned(),
            record: json!({"version": "0.1.0", "commit": "abc1234", "profile": "release"}),
            quick: false,
            rows,
        }
    }

    #[test]
    fn each_part_has_its_table_and_what_failed_its_reason() {
        let losses = json!({"bins": 256, "median_ms": 7.125, "min_ms": 6.9, "card_mib": 120,
            "peak_rss_mib": 300.0, "base_rss_mib": 280.0});
        let step = json!({"step_ms": 571.04, "networks_ms": 524.2, "losses_ms": 11.1,
            "optimisers_ms": 35.7, "first_step_s": 1.5, "process_mib": 900.0});
        let tests = json!({"passed": 8, "failed": 1});
        let failed = Outcome::Failed("1 failed: cuda::a|b".to_owned());
        let skipped = Outcome::Skipped("LibTorch is not there".to_owned());
        let text = report(vec![
            row(What::Device, "tch", "", Value::Null, skipped),
            row(
                What::FirstStep,
                "cuda",
                "kernels kept",
                step.clone(),
                Outcome::Done,
            ),
            row(
                What::Losses,
                "cuda",
                "256×256, batch 4",
                losses,
                Outcome::Done,
            ),
            row(What::Step, "cuda", "batch 4", step, Outcome::Done),
            row(What::Conformance, "cuda", "", tests, failed),
        ])
        .to_markdown();
        for line in [
            "The machine: NVIDIA H200, driver 580.65.06; 2026-12-01; HueNet 0.1.0, commit abc1234, profile release.",
            "| cuda | conformance | 8 | 1 | 2 |",
            "| cuda | kernels kept | 1.50 | 1.5 |",
            "The losses alone, forward and backward, 256 bins:",
            "| cuda | 256×256, batch 4 | 7.12 | 6.90 | 120 | 20 |",
            "| cuda, batch 4 | 571 | 524 | 11.1 | 35.7 | — | 900 |",
            "| tch, device | skipped | LibTorch is not there |",
            "| cuda, conformance | failed | 1 failed: cuda::a\\|b |",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\n\n{text}");
        }
        let columns = |line: &str| line.replace("\\|", "").matches('|').count();
        let tables = text.split("\n\n").filter(|part| part.starts_with('|'));
        for table in tables {
            let widths: Vec<usize> = table.lines().map(columns).collect();
            assert!(widths.iter().all(|width| *width == widths[0]), "{table}");
        }
    }

    #[test]
    fn without_a_known_card_the_devices_are_named() {
        let mut report = report(vec![row(
            What::Device,
            "wgpu",
            "its first device",
            Value::Null,
            Outcome::Done,
        )]);
        report.card = None;
        assert!(report.machine().starts_with("`wgpu` on its first device; "));
        report.rows.clear();
        assert!(report.machine().starts_with("no card was found; "));
    }

    #[test]
    fn the_files_are_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let mut report = report(Vec::new());
        report.write(folder.path()).unwrap();
        let failed = Outcome::Failed("why".to_owned());
        report
            .rows
            .push(row(What::Step, "wgpu", "batch 1", Value::Null, failed));
        report.write(folder.path()).unwrap();
        let text = fs::read_to_string(folder.path().join("card.json")).unwrap();
        let json: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["card"], "NVIDIA H200");
        assert_eq!(json["parts"][0]["reason"], "why");
        assert_eq!(json["parts"][0]["outcome"], "failed");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
