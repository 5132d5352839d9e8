//! Makes figures of what the programs print.

use serde_json::{Map, Value, json};

/// Figures by their names.
pub(super) type Figures = Map<String, Value>;

/// How a program's output becomes figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Output {
    /// That of Rust's test runner.
    Tests,
    /// The line of JSON of `loss_cost` and `peers.py`.
    Losses,
    /// That of `huenet doctor`.
    Step,
}

impl Output {
    /// The figures, or none if the output has none.
    pub(super) fn figures(self, output: &str) -> Option<Figures> {
        match self {
            Self::Tests => tests(output),
            Self::Losses => losses(output),
            Self::Step => step(output),
        }
    }
}

/// How many tests passed and failed, and the names of those that failed.
fn tests(output: &str) -> Option<Figures> {
    // "test result: ok. 9 passed; 0 failed; 0 ignored; 0 measured; 83 filtered out; finished in 0.80s"
    let result = output
        .lines()
        .rfind(|line| line.starts_with("test result: "))?;
    let count = |what: &str| {
        let words = result.split([' ', ';']).filter(|word| !word.is_empty());
        let words: Vec<&str> = words.collect();
        let at = words.iter().position(|word| *word == what)?;
        words.get(at.checked_sub(1)?)?.parse::<u64>().ok()
    };
    let failed: Vec<&str> = output
        .lines()
        .filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"))
        .collect();
    let mut figures = Figures::new();
    figures.insert("passed".into(), count("passed")?.into());
    figures.insert("failed".into(), count("failed")?.into());
    figures.insert("names_of_failed".into(), failed.into());
    Some(figures)
}

fn losses(output: &str) -> Option<Figures> {
    let line = output.lines().rfind(|line| line.starts_with('{'))?;
    let line: Figures = serde_json::from_str(line).ok()?;
    ["size", "batch", "bins", "median_ms", "min_ms"]
        .iter()
        .all(|name| line.get(*name).is_some_and(Value::is_number))
        .then_some(line)
}

/// The lines `ok step …`, `ok first …` and `ok memory …`.
fn step(output: &str) -> Option<Figures> {
    let found = |what: &str| {
        output.lines().find_map(|line| {
            let line = line.strip_prefix("ok ")?.trim_start().strip_prefix(what)?;
            line.starts_with(' ').then_some(line)
        })
    };
    let step = found("step")?;
    let first = found("first")?;
    let mut figures = Figures::new();
    for (name, value) in [
        ("step_ms", after(step, "")?),
        ("networks_ms", after(step, "networks ")?),
        ("losses_ms", after(step, "histogram losses ")?),
        ("optimisers_ms", after(step, "optimisers ")?),
        ("first_step_s", after(first, "")?),
    ] {
        figures.insert(name.into(), json!(value));
    }
    if let Some(memory) = found("memory")
        && let Some(peak) = after(memory, "had ")
    {
        let in_gib = memory.split_whitespace().any(|word| word == "GiB");
        let peak = if in_gib { peak * 1024.0 } else { peak };
        figures.insert("process_mib".into(), json!(peak));
    }
    Some(figures)
}

/// The number that follows `words`.
fn after(text: &str, words: &str) -> Option<f64> {
    let (_, rest) = text.split_once(words)?;
    let rest = rest.trim_start();
    let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
    rest.get(..end.unwrap_or(rest.len()))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_counted_and_those_that_failed_are_named() {
        let output = "running 3 tests\ntest wgpu::official_losses ... ok\n\
            test wgpu::official_generator ... FAILED\ntest kernels::wgpu::a ... ok\n\n\
            test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 83 filtered out; \
            finished in 0.80s\n\nerror: test failed\n";
        let figures = Output::Tests.figures(output).unwrap();
        let expected = json!({
            "passed": 2, "failed": 1, "names_of_failed": ["wgpu::official_generator"]
        });
        assert_eq!(Value::Object(figures), expected);
        assert_eq!(Output::Tests.figures("running 3 tests\n"), None);
    }

    #[test]
    fn a_line_of_json_is_taken_as_it_is_if_it_has_times() {
        let output = "a warning\n{\"size\": 256, \"batch\": 4, \"bins\": 256, \"median_ms\": 7.125, \
            \"min_ms\": 7.0, \"peak_rss_mib\": null}\n";
        let figures = Output::Losses.figures(output).unwrap();
        assert_eq!(figures["median_ms"], 7.125);
        assert_eq!(Output::Losses.figures("{\"size\": 256}\n"), None);
        assert_eq!(Output::Losses.figures("out of memory\n"), None);
    }

    #[test]
    fn doctor_tells_a_step_by_parts() {
        let output = "ok      backend  cuda, its first device\n\
            ok      step     571.0 ms: networks 524.2, histogram losses 11.1, optimisers 35.7 \
            (256x256 pixels, batch 4)\n\
            ok      first    44.02 s: the first step of a run\n\
            ok      memory   the process had 12 GiB at its peak, without images read ahead\n";
        let figures = Output::Step.figures(output).unwrap();
        let expected = json!({
            "step_ms": 571.0, "networks_ms": 524.2, "losses_ms": 11.1, "optimisers_ms": 35.7,
            "first_step_s": 44.02, "process_mib": 12288.0
        });
        assert_eq!(Value::Object(figures), expected);
        let failed = "FAILED  step     the device has too little memory\n";
        assert_eq!(Output::Step.figures(failed), None);
    }
}
