//! Runs on backends that not every build has, beside the same run on the default one.

use predicates::str::contains;

#[cfg(all(target_os = "linux", feature = "tch"))]
use crate::support::{AS_IT_SETS_ITSELF, process, wait_for};
use crate::support::{LOSSES, Place, huenet, losses};

/// Relative difference allowed between the losses of the first step.
const ROUNDING: f64 = 1e-3;

fn trains_draws_and_evaluates(backend: &str, device: Option<&str>) {
    let place = Place::new();
    place.flowers();
    let device = device.map(|device| ["--device", device]);
    for (name, backend, device) in [("default", "flex", None), ("other", backend, device)] {
        let mut command = place.train("color_transfer", name);
        command
            .args(["--backend", backend, "--max-steps", "2"])
            .args(device.into_iter().flatten())
            .assert()
            .success();
    }
    let [expected, found] = ["default", "other"].map(|name| losses(&place.run(name)));
    assert_eq!(found.len(), 2);
    for ((name, expected), found) in LOSSES.iter().zip(expected[0]).zip(found[0]) {
        let difference = (found - expected).abs() / expected.abs().max(1e-2);
        assert!(
            difference < ROUNDING,
            "{name}: {found} instead of {expected}"
        );
    }
    assert!(found[1].iter().all(|loss| loss.is_finite()));
    assert!(place.run("other").join("samples/last.png").is_file());
    assert!(place.run("other").join("evaluation.json").is_file());

    let mut command = place.command("evaluate");
    command.args(["--run", "other", "--images", "1", "--backend", backend]);
    command
        .args(device.into_iter().flatten())
        .assert()
        .success()
        .stdout(contains("| this model |"));
    huenet()
        .arg("info")
        .assert()
        .success()
        .stdout(predicates::str::is_match(format!("(?m)^ *{backend} +[a-z]+(:0|$|,)")).unwrap());
}

/// A device that is not there, and what there is.
fn names_its_devices(backend: &str) {
    let place = Place::new();
    place.flowers();
    let mut command = place.train("color_transfer", "run");
    command
        .args(["--backend", backend, "--device", "abacus:7"])
        .assert()
        .code(2)
        .stderr(contains(format!(
            "`{backend}` sees no device `abacus:7` here (it sees "
        )));
    assert!(!place.run("run").exists());
}

/// Memory and idle threads are LibTorch's from the start, though whoever starts huenet sets nothing.
#[cfg(all(target_os = "linux", feature = "tch"))]
#[test]
fn what_libtorch_reads_as_it_is_loaded_is_set() {
    let place = Place::new();
    let mut command = place.train("color_transfer", "run");
    command.args(["--dataset", "demo", "--epochs", "1000000"]);
    command.env_remove("OMP_WAIT_POLICY");
    for (name, _) in AS_IT_SETS_ITSELF {
        command.env_remove(name);
    }
    let mut run = process(&place, &command)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let steps = place.run("run").join("metrics.jsonl");
    wait_for("a step", || steps.is_file().then_some(()));
    let environment = std::fs::read(format!("/proc/{}/environ", run.id())).unwrap();
    run.kill().unwrap();
    run.wait().unwrap();
    let environment = String::from_utf8(environment).unwrap();
    for (name, value) in AS_IT_SETS_ITSELF {
        let wanted = format!("{name}={value}");
        assert!(environment.split('\0').any(|set| set == wanted), "{name}");
    }
}

macro_rules! on {
    ($($backend:ident = $feature:literal),*) => {$(
        #[cfg(feature = $feature)]
        mod $backend {
            #[test]
            fn trains_draws_and_evaluates() {
                super::trains_draws_and_evaluates($feature, None);
            }

            #[test]
            fn names_its_devices() {
                super::names_its_devices($feature);
            }
        }
    )*};
}

on!(tch = "tch", wgpu = "wgpu", cuda = "cuda");

/// LibTorch takes the processor unless told otherwise.
#[cfg(feature = "tch")]
mod on_a_gpu {
    mod tch {
        #[test]
        fn trains_draws_and_evaluates() {
            let info = crate::support::huenet().arg("info").assert().success();
            let info = String::from_utf8_lossy(&info.get_output().stdout).into_owned();
            let mut lines = info.lines().map(str::trim_start);
            let line = lines.find(|line| line.starts_with("tch "));
            match line.is_some_and(|line| line.contains("cuda:0")) {
                true => crate::backends::trains_draws_and_evaluates("tch", Some("cuda:0")),
                false => eprintln!("skipped: LibTorch sees no GPU"),
            }
        }
    }
}
