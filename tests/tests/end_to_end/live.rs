//! The live page of a run under way.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use predicates::prelude::*;
use predicates::str::contains;

use crate::support::{Place, metrics, process};

/// A run that serves its page; killed at the end of the test, if it is still there.
struct Running {
    process: Child,
    address: SocketAddr,
}

impl Running {
    fn start(place: &Place, arguments: &[&str]) -> Self {
        let command = place.train("color_transfer", "run");
        let mut process = process(place, &command)
            .args(["--serve", "0"])
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                let url = line.strip_prefix("live page: http://")?.to_owned();
                url.trim_end_matches('/').parse().ok()
            })
            .expect("it prints the address");
        // Whatever else it says must not stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address }
    }

    fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n",
            self.address
        )
        .ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        Some(String::from_utf8_lossy(&answer).into_owned())
    }

    fn data(&self) -> Option<serde_json::Value> {
        let answer = self.get("/data.json")?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }

    /// The data, when they are as wanted; asks again until then.
    fn data_when(&mut self, wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        loop {
            if let Some(data) = self.data().filter(&wanted) {
                return data;
            }
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none(), "the run ended before its page had that");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const ENDLESS: &[&str] = &["--epochs", "1000000"];

#[test]
fn the_page_follows_the_run_and_gives_nothing_else() {
    let place = Place::new();
    place.flowers();
    let mut run = Running::start(&place, ENDLESS);
    let step = |data: &serde_json::Value| data["progress"]["step"].as_u64().unwrap_or(0);
    let first = run.data_when(|data| step(data) > 0 && data["grids"][0].is_object());
    let later = run.data_when(|data| step(data) > step(&first));
    assert!(later["version"].as_u64() > first["version"].as_u64());
    assert_eq!(later["state"], "running");

    let page = run.get("/").unwrap();
    assert!(page.starts_with("HTTP/1.1 200 OK") && page.contains("id=\"data\""));
    let grid = format!("/{}", later["grids"][0]["src"].as_str().unwrap());
    assert!(run.get(&grid).unwrap().contains("Content-Type: image/jpeg"));

    for path in [
        "/config.toml",
        "/metrics.jsonl",
        "/../../../etc/passwd",
        "/grids/../config.toml",
        "/grids/%2e%2e%2fconfig.toml",
    ] {
        assert!(run.get(path).unwrap().starts_with("HTTP/1.1 404"), "{path}");
    }
}

#[test]
fn readers_that_never_read_do_not_stall_the_run() {
    let place = Place::new();
    place.flowers();
    let mut run = Running::start(&place, &["--epochs", "1000000", "--max-steps", "60"]);
    // More than are let in. Some ask for the page and do not take it, some do not even ask.
    let readers: Vec<TcpStream> = (0..40)
        .filter_map(|number| {
            let mut stream = TcpStream::connect(run.address).ok()?;
            if number % 2 == 0 {
                write!(stream, "GET / HTTP/1.1\r\nHost: {}\r\n\r\n", run.address).ok()?;
            }
            Some(stream)
        })
        .collect();
    assert!(!readers.is_empty());
    assert!(run.process.wait().unwrap().success());
    assert_eq!(metrics(&place.run("run")).len(), 60);
    drop(readers);
}

#[test]
fn an_address_in_use_is_an_error_before_anything_is_made() {
    let place = Place::new();
    place.flowers();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = place.train("color_transfer", "run");
    command
        .args(["--max-steps", "1", "--serve", &address])
        .assert()
        .code(2)
        .stderr(contains(&address).and(contains("--serve")));
    assert!(!place.run("run").exists());

    let mut command = place.train("color_transfer", "run");
    command
        .args(["--serve", "70000"])
        .assert()
        .code(2)
        .stderr(contains("70000"));
}
