//! The flags of `cargo xtask card`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::pack::MEASURED;

pub(super) const HELP: &str = "\
Tests and measures this machine's graphics card, and writes card.json and card.md.

Usage: cargo xtask card [OPTIONS]        with the sources: builds first
       cargo xtask card --pack FOLDER    packs what another machine needs
       FOLDER/run [OPTIONS]              there, without cargo, network or sources

Options:
  --backends LIST   only these of cuda, tch and wgpu, with commas between them. A backend that is
                    named is measured also without a graphics card, on what it finds
  --quick           small sizes and few tests: shows in a minute whether everything works
  --minutes N       begin no part, and end the one that runs, after N minutes [default: 10]
  --output FOLDER   where to write [default: results, beside the programs]
  --profile NAME    cargo's profile for the programs [default: release]
  --pack FOLDER     build what is needed and put it there, in at most 60 MiB; measure nothing
  --from FOLDER     measure with what is packed there; build nothing
";

/// What the user wants.
#[derive(Debug, PartialEq)]
pub(super) struct Options {
    pub(super) help: bool,
    pub(super) pack: Option<PathBuf>,
    pub(super) from: Option<PathBuf>,
    pub(super) output: Option<PathBuf>,
    pub(super) backends: Vec<String>,
    /// Whether the user named the backends.
    pub(super) named: bool,
    pub(super) quick: bool,
    pub(super) time: Duration,
    pub(super) profile: String,
}

impl Options {
    pub(super) fn parse(arguments: &[OsString]) -> Result<Self> {
        let mut options = Self {
            help: false,
            pack: None,
            from: None,
            output: None,
            backends: MEASURED.map(str::to_owned).to_vec(),
            named: false,
            quick: false,
            time: Duration::from_secs(600),
            profile: "release".to_owned(),
        };
        let mut arguments = arguments.iter();
        while let Some(flag) = arguments.next() {
            let flag = flag.to_string_lossy();
            let mut value = || {
                let value = arguments.next();
                value.with_context(|| format!("{flag} needs a value"))
            };
            match &*flag {
                "--help" | "-h" => options.help = true,
                "--quick" => options.quick = true,
                "--pack" => options.pack = Some(value()?.into()),
                "--from" => options.from = Some(value()?.into()),
                "--output" => options.output = Some(value()?.into()),
                "--profile" => options.profile = value()?.to_string_lossy().into_owned(),
                "--minutes" => {
                    let given = value()?.to_string_lossy();
                    let minutes = given.parse::<f64>().ok();
                    let time = minutes.and_then(|it| Duration::try_from_secs_f64(60.0 * it).ok());
                    options.time = time.filter(|time| !time.is_zero()).with_context(|| {
                        format!("--minutes is {given}, and has to be a number above 0")
                    })?;
                }
                "--backends" => {
                    let given = value()?.to_string_lossy();
                    options.backends = given.split(',').map(str::to_owned).collect();
                    options.named = true;
                    for name in &options.backends {
                        if !MEASURED.contains(&&**name) {
                            let known = MEASURED.join(", ");
                            bail!("--backends has `{name}`; it takes {known}");
                        }
                    }
                }
                _ => bail!("there is no option {flag}\n\n{HELP}"),
            }
        }
        if options.pack.is_some() && (options.from.is_some() || options.output.is_some()) {
            bail!("--pack measures nothing: leave out --from and --output");
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options> {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        Options::parse(&arguments)
    }

    #[test]
    fn all_backends_unless_some_are_named() {
        let all = parse(&[]).unwrap();
        assert_eq!(all.backends, MEASURED);
        assert!(!all.named && !all.quick);
        let some = parse(&["--backends", "wgpu,tch", "--quick", "--minutes", "0.5"]).unwrap();
        assert_eq!(some.backends, ["wgpu", "tch"]);
        assert!(some.named && some.quick);
        assert_eq!(some.time, Duration::from_secs(30));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_does() {
        for (arguments, words) in [
            (&["--backends", "flex"][..], "it takes cuda, tch, wgpu"),
            (&["--minutes", "-1"], "above 0"),
            (&["--pack"], "needs a value"),
            (&["--pack", "a", "--from", "b"], "measures nothing"),
            (&["--fast"], "--quick"),
        ] {
            let message = parse(arguments).unwrap_err().to_string();
            assert!(message.contains(words), "{message}");
        }
    }
}
