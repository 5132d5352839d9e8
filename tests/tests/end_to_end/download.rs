//! `huenet download` and `train --download`, from servers on the loopback.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use predicates::prelude::*;
use predicates::str::contains;

use crate::archives::{cyclegan, flowers, labels, pix2pix, split, tar_gz, zip};
use crate::server::{Reply, Server};
use crate::support::{Place, huenet, process};

/// `huenet download` in a place, deaf to the proxies of the machine that runs the tests.
fn download(place: &Place, arguments: &[&str]) -> assert_cmd::Command {
    let mut command = huenet();
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command
        .current_dir(place.root())
        .arg("download")
        .args(arguments);
    command
}

/// The same, as a process that can be watched and killed.
fn spawn(place: &Place, arguments: &[&str]) -> Child {
    let command = download(place, arguments);
    process(place, &command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("huenet starts")
}

/// Waits until a file has this many bytes.
fn wait_for(path: &Path, bytes: u64) {
    for _ in 0..3000 {
        if std::fs::metadata(path).is_ok_and(|metadata| metadata.len() >= bytes) {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{} did not get {bytes} bytes", path.display());
}

fn count(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

#[test]
fn every_layout_arrives_and_is_trained_on() {
    let server = Server::of_files(&[
        ("/edges2shoes.tar.gz", &tar_gz(&pix2pix("edges2shoes"))),
        (
            "/summer2winter_yosemite.zip",
            &zip(&cyclegan("summer2winter_yosemite")),
        ),
        ("/102flowers.tgz", &tar_gz(&flowers())),
        ("/imagelabels.mat", &labels()),
        ("/setid.mat", &split()),
    ]);
    let place = Place::new();
    for (task, name) in [
        ("edges2photos", "edges2shoes"),
        ("colorization", "summer2winter_yosemite"),
        ("color_transfer", "102flowers"),
    ] {
        let from = server.url("/");
        let arguments = [name, "--dataroot", ".", "--from", &from, "--unverified"];
        download(&place, &arguments)
            .assert()
            .success()
            .stdout(contains(format!("./{name}")))
            .stderr(contains("rights: "));
        place
            .train(task, name)
            .args(["--max-steps", "1", "--held-out-images", "0"])
            .assert()
            .success();
    }
}

#[test]
fn the_list_names_every_dataset() {
    let place = Place::new();
    download(&place, &["--list"]).assert().success().stdout(
        contains("edges2handbags")
            .and(contains("pix2pix/maps"))
            .and(contains("cyclegan/maps"))
            .and(contains("102flowers"))
            .and(contains("132.6 MB")),
    );
}

#[test]
fn what_cannot_be_asked_for_is_refused() {
    let place = Place::new();
    for (arguments, words) in [
        (&["edges2cats"][..], &["edges2cats", "edges2shoes"][..]),
        (&["maps"], &["pix2pix/maps", "cyclegan/maps"]),
        (
            &["horse2zebra", "--from", "ftp://mirror/"],
            &["ftp://mirror/", "http://"],
        ),
        (
            &["horse2zebra", "--from", "no/such/file.zip"],
            &["no/such/file.zip"],
        ),
        (&[], &["NAME"]),
    ] {
        let mut assertion = download(&place, arguments).assert().code(2);
        for word in words {
            assertion = assertion.stderr(contains(*word));
        }
    }
    assert_eq!(count(place.root()), 0, "nothing is written");
}

#[test]
fn a_fault_of_the_net_is_one_clear_error() {
    let server = Server::of_files(&[]);
    let place = Place::new();
    let from = server.url("/");
    download(&place, &["horse2zebra", "--from", &from])
        .assert()
        .code(1)
        .stderr(
            contains("404")
                .and(contains("horse2zebra.zip"))
                .and(contains("--from"))
                .and(contains("panicked").not()),
        );
    assert!(!place.root().join("datasets/horse2zebra").exists());
}

#[test]
fn another_archive_than_the_published_one_needs_a_word() {
    let archive = zip(&cyclegan("horse2zebra"));
    let server = Server::of_files(&[("/horse2zebra.zip", &archive)]);
    let place = Place::new();
    let from = server.url("/horse2zebra.zip");
    download(&place, &["horse2zebra", "--from", &from])
        .assert()
        .code(1)
        .stderr(contains("116867962"));
    download(&place, &["horse2zebra", "--from", &from, "--unverified"])
        .assert()
        .success();
    assert_eq!(count(&place.root().join("datasets/horse2zebra/trainA")), 3);
}

#[test]
fn a_hostile_archive_writes_nothing_outside() {
    let archive = tar_gz(&[("../../escaped".to_owned(), b"evil".to_vec())]);
    let server = Server::of_files(&[("/night2day.tar.gz", &archive)]);
    let place = Place::new();
    let from = server.url("/");
    download(&place, &["night2day", "--from", &from])
        .assert()
        .code(1)
        .stderr(contains("escaped").and(contains("..")));
    assert!(!place.root().join("escaped").exists());
    assert!(!place.root().join("datasets/night2day").exists());
}

#[test]
fn killed_in_the_middle_it_goes_on_where_it_was() {
    let archive = tar_gz(&pix2pix("night2day"));
    let half = archive.len() / 2;
    let content = archive.clone();
    let server = Server::start(move |request| {
        let whole = Reply::file(request, &content, "1");
        match request.nth {
            0 => whole.stall_after(half),
            _ => whole,
        }
    });
    let place = Place::new();
    let from = server.url("/");
    let arguments = ["night2day", "--from", from.as_str()];
    let mut child = spawn(&place, &arguments);
    let part = "datasets/.downloads/night2day-night2day.tar.gz.part";
    wait_for(&place.root().join(part), half as u64);
    // SIGKILL.
    child.kill().unwrap();
    child.wait().unwrap();

    // Neither its lock nor its half file is in the way.
    download(&place, &arguments).assert().success();
    assert_eq!(server.ranges(), [None, Some(half)]);
    assert_eq!(count(&place.root().join("datasets/night2day/train")), 4);
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_what_has_arrived() {
    let archive = tar_gz(&pix2pix("night2day"));
    let content = archive.clone();
    let server =
        Server::start(move |request| Reply::file(request, &content, "1").stall_after(5000));
    let place = Place::new();
    let from = server.url("/");
    let child = spawn(&place, &["night2day", "--from", &from]);
    let part = place
        .root()
        .join("datasets/.downloads/night2day-night2day.tar.gz.part");
    wait_for(&part, 5000);
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("interrupted"), "{said}");
    assert_eq!(std::fs::read(part).unwrap(), archive[..5000]);
}

#[test]
fn two_processes_at_once_fetch_it_once() {
    let archive = tar_gz(&pix2pix("night2day"));
    let server = Server::start(move |request| {
        Reply::file(request, &archive, "1").slowly(Duration::from_millis(100))
    });
    let place = Place::new();
    let from = server.url("/");
    let arguments = ["night2day", "--from", from.as_str()];
    let children = [(); 2].map(|()| spawn(&place, &arguments));
    let outputs = children.map(|child| child.wait_with_output().unwrap());
    let mut said = String::new();
    for output in &outputs {
        said += &String::from_utf8_lossy(&output.stdout);
        said += &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }
    assert_eq!(said.matches("is there already").count(), 1, "{said}");
    assert_eq!(server.requests().len(), 1);
    assert_eq!(count(&place.root().join("datasets/night2day/train")), 4);
}

#[test]
fn the_proxy_of_the_environment_is_used() {
    // It refuses to connect anybody; that it was asked is what counts.
    let proxy = Server::start(|_| Reply::new(403, b"no"));
    let server = Server::of_files(&[("/night2day.tar.gz", &tar_gz(&pix2pix("night2day")))]);
    let from = server.url("/");
    let with_proxy = |exceptions: &str| {
        let place = Place::new();
        let mut command = download(&place, &["night2day", "--from", &from]);
        command
            .env("http_proxy", proxy.url(""))
            .env("no_proxy", exceptions)
            .assert()
    };
    with_proxy("localhost").code(1);
    let asked = proxy.requests();
    assert!(asked.iter().all(|request| request.method == "CONNECT"));
    assert!(
        !asked.is_empty() && from.contains(&asked[0].path),
        "{asked:?}"
    );
    assert!(server.requests().is_empty());

    with_proxy("localhost,127.0.0.1").success();
    assert_eq!(
        (proxy.requests().len(), server.requests().len()),
        (asked.len(), 1)
    );
}

#[test]
fn training_fetches_what_is_missing_and_only_that() {
    let archive = zip(&cyclegan("summer2winter_yosemite"));
    let place = Place::new();
    let copy = place.write("copies/summer2winter_yosemite.zip", &archive);
    let train = |name: &str| {
        let mut command = place.train("colorization", name);
        command.args(["--max-steps", "1", "--held-out-images", "0", "--download"]);
        command.arg("--from").arg(&copy);
        command
    };
    // The copy is not the published archive.
    train("first")
        .assert()
        .code(1)
        .stderr(contains("132640856").and(contains("--unverified")));
    train("first")
        .arg("--unverified")
        .assert()
        .success()
        .stdout(contains("8 files"));
    // Now the folder is there: nothing is fetched, whatever the copy is.
    train("second").assert().success();

    place
        .train("colorization", "third")
        .args(["--dataset", "unheard_of", "--download"])
        .assert()
        .code(2)
        .stderr(contains("unheard_of"));
}

#[test]
fn training_downloads_a_set_that_has_no_published_checksum() {
    let server = Server::of_files(&[(
        "/edges2handbags.tar.gz",
        &tar_gz(&pix2pix("edges2handbags")),
    )]);
    let place = Place::new();
    let from = server.url("/");
    let mut command = place.train("edges2photos", "run");
    command.args(["--dataset", "edges2handbags", "--download", "--from", &from]);
    command.args(["--max-steps", "1", "--held-out-images", "0"]);
    command.assert().success().stderr(contains("rights: "));
    assert_eq!(count(&place.root().join("edges2handbags/train")), 4);
}
