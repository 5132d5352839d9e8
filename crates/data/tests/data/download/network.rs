//! Servers that misbehave.

use std::sync::Mutex;
use std::time::Duration;

use huenet_data::download::{DownloadError, Patience, Source};
use rstest::rstest;

use super::archives::{pix2pix, tar_gz};
use super::server::{Reply, Request, Server};
use super::support::{
    PATIENCE, Place, dataset, downloader, names, published, shoes, unpublished_shoes,
};

pub(crate) fn archive() -> Vec<u8> {
    tar_gz(&pix2pix("edges2shoes"))
}

/// A server that answers for the archive as `answer` says.
pub(crate) fn server(answer: impl Fn(&Request, &[u8]) -> Reply + Send + Sync + 'static) -> Server {
    let archive = archive();
    Server::start(move |request| answer(request, &archive))
}

pub(crate) fn good(request: &Request, archive: &[u8]) -> Reply {
    Reply::file(request, archive, "1")
}

/// Installs from addresses, verified; the dataset must then be whole.
pub(crate) fn installs(addresses: &[String]) -> Place {
    let mut place = Place::new();
    let set = shoes(addresses, &archive());
    place.install(&downloader(), &set).expect("it arrives");
    assert_eq!(names(&place.path("edges2shoes/train")).len(), 4);
    assert_eq!(place.left_over(), [""; 0]);
    place
}

/// Tries to install from addresses; nothing must be there afterwards.
pub(crate) fn fails(addresses: &[String]) -> (Place, DownloadError) {
    let mut place = Place::new();
    let set = shoes(addresses, &archive());
    let error = place.install(&downloader(), &set).expect_err("a fault");
    assert!(!place.path("edges2shoes").exists());
    (place, error)
}

#[test]
fn a_cut_connection_is_resumed_where_it_was_cut() {
    let server = server(|request, archive| match request.nth {
        0 => good(request, archive).cut_after(1000),
        1 => good(request, archive).cut_after(500),
        _ => good(request, archive),
    });
    let place = installs(&[server.url("/")]);
    assert_eq!(server.ranges(), [None, Some(1000), Some(1500)]);
    assert!(
        server
            .requests()
            .iter()
            .all(|request| request.method == "GET")
    );
    let tags: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.headers.get("if-range").cloned())
        .collect();
    let tag = Some("\"1\"".to_owned());
    assert_eq!(tags, [None, tag.clone(), tag]);
    assert!(place.was_told("cut after 1000 of"));
}

#[test]
fn so_is_one_that_falls_silent() {
    let server = server(|request, archive| match request.nth {
        0 => good(request, archive).stall_after(700),
        _ => good(request, archive),
    });
    let downloader = downloader().with_patience(Patience {
        silence: Duration::from_millis(200),
        ..PATIENCE
    });
    let mut place = Place::new();
    let set = shoes(&[server.url("/")], &archive());
    place.install(&downloader, &set).unwrap();
    assert_eq!(server.ranges()[..2], [None, Some(700)]);
    assert!(place.was_told("silent"), "{:?}", place.told);
}

#[test]
fn a_slow_server_is_waited_for() {
    let server =
        server(|request, archive| good(request, archive).slowly(Duration::from_millis(20)));
    installs(&[server.url("/")]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn the_next_call_goes_on_where_the_last_one_gave_up() {
    let broken = Mutex::new(true);
    let broken = std::sync::Arc::new(broken);
    let shared = std::sync::Arc::clone(&broken);
    let server = server(move |request, archive| {
        let whole = good(request, archive);
        match (*shared.lock().unwrap(), request.range_start()) {
            (true, None) => whole.cut_after(2000),
            (true, Some(_)) => whole.cut_after(0),
            (false, _) => whole,
        }
    });
    let mut place = Place::new();
    let set = shoes(&[server.url("/")], &archive());
    let error = place.install(&downloader(), &set).unwrap_err().to_string();
    assert!(
        error.contains("after 2000 of") && error.contains("tried 3 times"),
        "{error}"
    );
    *broken.lock().unwrap() = false;
    place.install(&downloader(), &set).unwrap();
    assert_eq!(server.ranges().last(), Some(&Some(2000)));
    assert_eq!(place.left_over(), [""; 0]);
}

#[test]
fn a_server_without_ranges_sends_it_all_again() {
    let server = server(|request, archive| {
        let whole = Reply::new(200, archive).header("etag", "\"1\"");
        match request.nth {
            0 => whole.cut_after(1000),
            _ => whole,
        }
    });
    installs(&[server.url("/")]);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_part_that_is_whole_already_is_only_renamed() {
    let archive = archive();
    let server = server(good);
    let url = server.url("/edges2shoes.tar.gz");
    let mut place = Place::new();
    std::fs::create_dir(place.path(".downloads")).unwrap();
    let part = ".downloads/edges2shoes-edges2shoes.tar.gz.part";
    std::fs::write(place.path(part), &archive).unwrap();
    let state = format!(
        r#"{{"address": "{url}", "validator": "\"1\"", "total": {}}}"#,
        archive.len()
    );
    let state_path = ".downloads/edges2shoes-edges2shoes.tar.gz.json";
    std::fs::write(place.path(state_path), state).unwrap();
    let set = shoes(&[server.url("/")], &archive);
    place.install(&downloader(), &set).unwrap();
    assert_eq!(server.ranges(), [Some(archive.len())]);
}

#[test]
fn a_server_that_promises_too_much_is_given_up() {
    let server = server(|request, archive| {
        let (there, said) = (archive.len(), archive.len() + 5000);
        match request.range_start() {
            None => good(request, archive).declare(Some(said as u64)),
            Some(start) => Reply::new(206, b"")
                .header(
                    "content-range",
                    &format!("bytes {start}-{}/{said}", said - 1),
                )
                .header("etag", "\"1\"")
                .declare(Some((said - there) as u64)),
        }
    });
    let mut place = Place::new();
    let set = unpublished_shoes(&[server.url("/")]);
    let error = place.install(&downloader(), &set).unwrap_err().to_string();
    assert!(error.contains(&archive().len().to_string()), "{error}");
    assert!(!place.path("edges2shoes").exists());
}

#[test]
fn another_size_than_the_published_one_is_refused_before_a_byte_is_written() {
    let server = server(|request, archive| good(request, &archive[..3000]));
    let (place, error) = fails(&[server.url("/")]);
    let message = error.to_string();
    assert!(
        message.contains("3000 bytes") && message.contains("published"),
        "{message}"
    );
    assert_eq!(place.left_over(), [""; 0]);
}

#[test]
fn a_body_of_unknown_length_ends_with_the_connection() {
    let server = server(|_, archive| Reply::new(200, archive).declare(None));
    installs(&[server.url("/")]);
    // Cut short, it is found out by its size.
    let server = self::server(|_, archive| Reply::new(200, archive).declare(None).cut_after(1000));
    let (_, error) = fails(&[server.url("/")]);
    assert!(error.to_string().contains("cut"), "{error}");
}

#[rstest]
#[case(301)]
#[case(302)]
#[case(303)]
#[case(307)]
#[case(308)]
fn redirects_are_followed_with_the_range(#[case] status: u16) {
    let server = server(move |request, archive| match request.path.as_str() {
        "/edges2shoes.tar.gz" => Reply::new(status, b"").header("location", "/moved"),
        _ if request.nth == 0 => good(request, archive).cut_after(1000),
        _ => good(request, archive),
    });
    installs(&[server.url("/")]);
    let moved = server.requests().into_iter().filter(|r| r.path == "/moved");
    let ranges: Vec<_> = moved.map(|request| request.range_start()).collect();
    assert_eq!(ranges, [None, Some(1000)]);
}

#[test]
fn redirects_without_end_are_given_up() {
    let server =
        server(|request, _| Reply::new(302, b"").header("location", &format!("{}x", request.path)));
    let (_, error) = fails(&[server.url("/")]);
    assert!(error.to_string().contains("redirect"), "{error}");
    assert!(server.requests().len() < 20);
}

#[rstest]
#[case(429)]
#[case(500)]
#[case(503)]
fn faults_that_pass_are_waited_out(#[case] status: u16) {
    let server = server(move |request, archive| match request.nth {
        0 | 1 => Reply::new(status, b"busy").header("retry-after", "0"),
        _ => good(request, archive),
    });
    let place = installs(&[server.url("/")]);
    assert_eq!(server.requests().len(), 3);
    assert!(place.was_told(&status.to_string()));
}

#[test]
fn faults_that_do_not_pass_are_given_up_after_some_tries() {
    let server = server(|_, _| Reply::new(500, b"broken"));
    let (_, error) = fails(&[server.url("/")]);
    let message = error.to_string();
    assert!(
        message.contains("500") && message.contains("tried 3 times"),
        "{message}"
    );
    assert_eq!(server.requests().len(), 3);
}

#[rstest]
#[case(404, 1)]
#[case(403, 1)]
#[case(500, 3)]
fn the_next_address_is_asked(#[case] status: u16, #[case] asked: usize) {
    let bad = server(move |_, _| Reply::new(status, b"no"));
    let good = server(good);
    let place = installs(&[bad.url("/"), good.url("/")]);
    assert_eq!((bad.requests().len(), good.requests().len()), (asked, 1));
    assert!(place.was_told(&status.to_string()));
}

#[test]
fn what_arrived_from_one_address_is_completed_from_the_next_if_it_can_be_proved() {
    let bad = server(|request, archive| match request.nth {
        0 => good(request, archive).cut_after(1000),
        _ => Reply::new(404, b"gone"),
    });
    let good = server(|request, archive| Reply::file(request, archive, "other tag"));
    installs(&[bad.url("/"), good.url("/")]);
    assert_eq!(good.ranges(), [Some(1000)]);
}

#[test]
fn a_wrong_checksum_is_not_installed() {
    let wrong = server(|request, archive| {
        let mut content = archive.to_vec();
        content[archive.len() / 2] ^= 1;
        Reply::file(request, &content, "1")
    });
    let (place, error) = fails(&[wrong.url("/")]);
    assert!(matches!(error, DownloadError::Mismatch { .. }), "{error}");
    let sum = super::support::sha256(&archive());
    assert!(error.to_string().contains(&sum), "{error}");
    assert_eq!(place.left_over(), [""; 0], "the wrong file is not kept");

    let right = server(good);
    installs(&[wrong.url("/"), right.url("/")]);
}

#[test]
fn a_web_page_in_place_of_the_file_is_noticed() {
    let server = server(|_, archive| {
        let mut page = b"<html>Log in to this network</html>".to_vec();
        page.resize(archive.len(), b' ');
        Reply::new(200, &page).header("content-type", "text/html; charset=utf-8")
    });
    let (_, error) = fails(&[server.url("/")]);
    assert!(error.to_string().contains("web page"), "{error}");
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let gone = {
        let server = server(good);
        server.url("/")
    };
    let (_, error) = fails(std::slice::from_ref(&gone));
    let message = error.to_string();
    assert!(
        message.contains(&gone) && message.contains("accepts no connection"),
        "{message}"
    );
}

#[test]
fn a_disk_without_room_is_noticed_before_a_byte_is_written() {
    let server = server(|request, archive| good(request, archive).declare(Some(1 << 60)));
    let mut place = Place::new();
    let set = unpublished_shoes(&[server.url("/")]);
    let error = place.install(&downloader(), &set).unwrap_err();
    assert!(matches!(error, DownloadError::NoSpace { .. }), "{error}");
    assert!(error.to_string().contains("free some"), "{error}");
    assert_eq!(place.left_over(), [""; 0]);
}

#[test]
fn several_mirrors_can_be_given() {
    let empty = Server::of_files(&[]);
    let full = Server::of_files(&[("/m/edges2shoes.tar.gz", &archive())]);
    let source = |url: String| Source::parse(&url).unwrap();
    let downloader = downloader()
        .with_source(source(empty.url("/")))
        .with_source(source(full.url("/m")));
    // Its own address is not asked at all.
    let own = server(good);
    let set = shoes(&[own.url("/")], &archive());
    Place::new().install(&downloader, &set).unwrap();
    let asked = [&empty, &full, &own].map(|server| server.requests().len());
    assert_eq!(asked, [1, 1, 0]);
}

#[test]
fn a_file_that_arrived_is_not_fetched_again_when_the_next_one_fails() {
    let archive = tar_gz(&super::archives::flowers());
    let content = archive.clone();
    let server = Server::start(move |request| match (request.path.as_str(), request.nth) {
        ("/102flowers.tgz", _) => Reply::file(request, &content, "1"),
        ("/setid.mat", 0) => Reply::new(404, b"not yet"),
        _ => Reply::file(request, b"numbers", "1"),
    });
    let files = [
        published("102flowers.tgz", &archive),
        published("setid.mat", b"numbers"),
    ];
    let layout = huenet_data::Layout::Flowers;
    let set = dataset("102flowers", layout, &[server.url("/")], &files);
    let mut place = Place::new();
    place.install(&downloader(), &set).unwrap_err();
    place.install(&downloader(), &set).unwrap();
    let archives = server
        .requests()
        .into_iter()
        .filter(|r| r.path == "/102flowers.tgz");
    assert_eq!(archives.count(), 1);
    assert_eq!(place.left_over(), [""; 0]);
}

#[test]
fn two_at_once_fetch_it_once() {
    let archive = archive();
    let server =
        server(|request, archive| good(request, archive).slowly(Duration::from_millis(30)));
    let set = shoes(&[server.url("/")], &archive);
    let place = Place::new();
    let install = || {
        downloader()
            .install(&set, place.root(), &mut |_| {})
            .map(|installed| installed.was_there)
    };
    let mut found: Vec<bool> = std::thread::scope(|scope| {
        let threads = [scope.spawn(install), scope.spawn(install)];
        threads.map(|thread| thread.join().unwrap().unwrap()).into()
    });
    found.sort_unstable();
    assert_eq!(found, [false, true]);
    assert_eq!(server.requests().len(), 1);
}
