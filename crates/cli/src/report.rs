//! What is printed at the end of a run: losses at the start and at the end, figures on held-out
//! images, and where the files are.

use std::fmt::Write;

use huenet_tasks::Report;

use crate::output;

/// The report as text for a terminal.
pub(crate) fn text(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = write(report, &mut text);
    text
}

fn write(report: &Report, text: &mut String) -> std::fmt::Result {
    if report.averaged > 0 {
        let averaged = report.averaged;
        writeln!(
            text,
            "\nlosses, mean of {averaged} steps      start       end"
        )?;
        for ((name, first), (_, last)) in report.first.named().zip(report.last.named()) {
            writeln!(text, "  {name:<26} {first:>9.4} {last:>9.4}")?;
        }
    }
    if let Some(e) = &report.evaluation {
        writeln!(
            text,
            "\n{} held-out images           output   doing nothing",
            e.images
        )?;
        writeln!(
            text,
            "  EMD to the reference       {:>9.4} {:>9.4}",
            e.emd, e.emd_doing_nothing
        )?;
        writeln!(
            text,
            "  H(content | output), nats  {:>9.4} {:>9.4}",
            e.h_content_given_output, e.h_doing_nothing
        )?;
        let more = [
            ("swd to the reference", e.swd, e.swd_doing_nothing),
            ("cliffs", e.cliffs, Some(1.0)),
            ("noise", e.noise, Some(1.0)),
        ];
        for (name, output, nothing) in more {
            if let (Some(output), Some(nothing)) = (output, nothing) {
                writeln!(text, "  {name:<26} {output:>9.4} {nothing:>9.4}")?;
            }
        }
    }
    writeln!(text, "\ncheckpoint   {}", report.checkpoint.display())?;
    if let Some(sample) = &report.sample {
        writeln!(text, "sample grid  {}", sample.display())?;
        writeln!(
            text,
            "             (each row: content | reference | output)"
        )?;
    }
    if !report.finished {
        let (huenet, run) = (output::huenet(), report.run.display());
        writeln!(text, "stopped after step {}; to continue:", report.steps)?;
        writeln!(text, "             {huenet} train --resume {run}")?;
    }
    Ok(())
}
