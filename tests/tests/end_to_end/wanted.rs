//! `huenet wanted-backend`, by which `cargo xtask` finds out with which backend to build huenet.

use crate::support::Place;

/// A place with two runs, the later one on another backend than the default.
fn place() -> Place {
    let place = Place::new();
    place.flowers();
    for (name, backend) in [("one", "flex"), ("other", "ndarray")] {
        let mut command = place.train("color_transfer", name);
        let backend = ["--backend", backend, "--max-steps", "1"];
        command.args(backend).assert().success();
    }
    place
}

/// What is printed for these arguments.
fn wanted(place: &Place, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let mut command = place.command("wanted-backend");
    command.args(arguments).envs(variables.iter().copied());
    let printed = command.assert().success().get_output().stdout.clone();
    String::from_utf8(printed).unwrap().trim_end().to_owned()
}

#[test]
fn a_run_has_its_backend_however_it_is_given() {
    let place = place();
    let checkpoint = |run: &str| format!("runs/{run}/checkpoints/step-00000001");
    let content = "102flowers/jpg/image_00001.jpg";
    let translate = ["translate", "--content", content, "--reference", content];
    let translate = [&translate[..], &["--output", "out.png", "--run"]].concat();
    for verb in [
        &["train", "--resume"][..],
        &["evaluate", "--run"],
        &translate,
    ] {
        let found = |run: &str| wanted(&place, &[verb, &[run]].concat(), &[]);
        for (run, backend) in [("one", "flex"), ("other", "ndarray")] {
            assert_eq!(found(run), backend);
            assert_eq!(found(&format!("runs/{run}")), backend);
            assert_eq!(found(&checkpoint(run)), backend);
        }
        assert_eq!(found("latest"), "ndarray");
        let elsewhere = [verb, &["other", "--output-dir", "none"]].concat();
        place
            .command("wanted-backend")
            .args(elsewhere)
            .assert()
            .failure()
            .stdout("");
    }
    assert!(!place.root().join("out.png").exists());
}

#[test]
fn the_output_folder_is_that_of_the_flag_or_the_environment() {
    let place = place();
    std::fs::rename(place.root().join("runs"), place.root().join("there")).unwrap();
    let variable = [("HUENET_OUTPUT_DIR", "there")];
    for verb in [["train", "--resume"], ["evaluate", "--run"]] {
        let arguments = [verb[0], verb[1], "other"];
        assert_eq!(wanted(&place, &arguments, &variable), "ndarray");
        let flag = [&arguments[..], &["--output_dir", "there"]].concat();
        assert_eq!(wanted(&place, &flag, &[]), "ndarray");
        let after = [verb[0], "--output-dir=there", verb[1], "latest"];
        assert_eq!(wanted(&place, &after, &[]), "ndarray");
    }
}

#[test]
fn a_resumed_run_has_what_its_own_file_says_now() {
    let place = place();
    let config = place.run("one").join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    // A backend that this huenet need not have.
    std::fs::write(&config, text.replace("\"flex\"", "'cuda'")).unwrap();
    assert_eq!(wanted(&place, &["train", "--resume", "one"], &[]), "cuda");
}

#[test]
fn settings_files_flags_and_the_environment_name_a_backend() {
    let place = Place::new();
    place.write("my.toml", b"# one line\nbackend  =  'wgpu' # fast\n");
    let in_file = ["train", "--config", "my.toml"];
    assert_eq!(wanted(&place, &in_file, &[]), "wgpu");
    let doctor = ["doctor", "--config=my.toml", "--steps", "2"];
    assert_eq!(wanted(&place, &doctor, &[]), "wgpu");
    let variable = [("HUENET_BACKEND", "tch")];
    assert_eq!(wanted(&place, &in_file, &variable), "tch");
    let flag = [&in_file[..], &["--backend", "cuda"]].concat();
    assert_eq!(wanted(&place, &flag, &variable), "cuda");
    for arguments in [&["train"][..], &["runs"], &["info"]] {
        assert_eq!(wanted(&place, arguments, &[]), "flex");
    }
}

#[test]
fn it_answers_nothing_where_the_command_itself_would_fail() {
    let place = Place::new();
    place.write("bad.toml", b"backend = 'abacus'\n");
    for arguments in [
        &["train", "--resume", "nowhere"][..],
        &["train", "--config", "bad.toml"],
        &["train", "--config", "bad.toml", "--unknown"],
        &["evaluate"],
    ] {
        let mut command = place.command("wanted-backend");
        command.args(arguments).assert().failure().stdout("");
    }
}
