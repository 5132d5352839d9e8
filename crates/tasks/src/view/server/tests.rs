use std::io::Read;

use super::*;

fn page() -> LivePage {
    let live = LivePage::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let grids = BTreeMap::from([(3, Grid::from(&b"jpeg"[..]))]);
    live.publish(7, "the page".to_owned(), "{\"a\":1}".to_owned(), grids);
    live
}

fn ask(live: &LivePage, request: &str) -> String {
    let mut stream = TcpStream::connect(live.address()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

fn get(live: &LivePage, path: &str) -> String {
    ask(
        live,
        &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    )
}

#[test]
fn the_routes_give_what_was_published() {
    let live = page();
    let answer = get(&live, "/");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nthe page"));
    assert!(get(&live, "/data.json?v=6").ends_with("{\"a\":1}"));
    assert!(get(&live, "/data.json?v=7").starts_with("HTTP/1.1 204"));
    assert!(get(&live, "/grids/3.jpg?v=1").ends_with("\r\n\r\njpeg"));
    let head = ask(&live, "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(head.contains("Content-Length: 8\r\n") && head.ends_with("\r\n\r\n"));
}

#[test]
fn nothing_else_is_given() {
    let live = page();
    for path in [
        "/grids/4.jpg",
        "/grids/../config.toml",
        "/grids/%2e%2e/config.toml",
        "/../../etc/passwd",
        "//etc/passwd",
        "/config.toml",
        "http://localhost/",
    ] {
        assert!(get(&live, path).starts_with("HTTP/1.1 404"), "{path}");
    }
    let post = ask(&live, "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(post.starts_with("HTTP/1.1 405"));
    let other = ask(&live, "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n");
    assert!(other.starts_with("HTTP/1.1 421") && !other.contains("the page"));
    assert!(ask(&live, "nonsense\r\n\r\n").starts_with("HTTP/1.1 400"));
    let long = format!("GET / HTTP/1.1\r\nA: {}", "a".repeat(HEAD_AND_MORE));
    assert!(ask(&live, &long).starts_with("HTTP/1.1 431"));
}

/// More than a request may have, and a whole number of the reads that it takes.
const HEAD_AND_MORE: usize = 9 * 1024 - 19;

#[test]
fn readers_that_say_nothing_are_bounded_and_hinder_no_publication() {
    let live = page();
    let silent: Vec<_> = (0..READERS)
        .map(|_| TcpStream::connect(live.address()).unwrap())
        .collect();
    // One more is turned away, once the others have been let in.
    let mut turned_away = TcpStream::connect(live.address()).unwrap();
    assert_eq!(turned_away.read(&mut [0]).unwrap_or(0), 0);
    live.publish(8, "new".to_owned(), String::new(), BTreeMap::new());
    drop(silent);
    // Places are free again when the others have gone.
    let answer = (0..50).find_map(|_| {
        std::thread::sleep(Duration::from_millis(20));
        let mut stream = TcpStream::connect(live.address()).ok()?;
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.ends_with("new").then_some(answer)
    });
    assert!(answer.is_some());
}

#[test]
fn an_address_in_use_is_named() {
    let live = page();
    let Err(error) = LivePage::bind(live.address()) else {
        panic!("the address is in use");
    };
    let message = error.to_string();
    assert!(message.contains(&live.address().to_string()), "{message}");
}
