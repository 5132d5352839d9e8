//! Servers whose file is not the one of which a part had arrived.

use rstest::rstest;

use super::archives::{pix2pix, tar_gz};
use super::network::{fails, good, installs, server};
use super::server::Reply;
use super::support::{Place, downloader, unpublished_shoes};

#[test]
fn a_file_that_changed_meanwhile_is_taken_anew() {
    let other = tar_gz(&pix2pix("edges2shoes")[..5]);
    let server = server(move |request, archive| match request.nth {
        0 => Reply::file(request, archive, "old").cut_after(1000),
        _ => Reply::file(request, &other, "new"),
    });
    let mut place = Place::new();
    let set = unpublished_shoes(&[server.url("/")]);
    assert_eq!(place.install(&downloader(), &set).unwrap().files, 5);
    assert_eq!(server.ranges(), [None, Some(1000)]);
}

#[test]
fn without_anything_to_tell_versions_by_nothing_is_joined() {
    let server = server(|request, archive| {
        let whole = Reply::new(200, archive);
        match request.nth {
            0 => whole.cut_after(1000),
            _ => whole,
        }
    });
    let set = unpublished_shoes(&[server.url("/")]);
    Place::new().install(&downloader(), &set).unwrap();
    assert_eq!(server.ranges(), [None, None]);
}

#[test]
fn parts_that_do_not_fit_together_are_fetched_once_more() {
    // No tag and no date: the first part is of another file.
    let server = server(|request, archive| match request.nth {
        0 => Reply::new(200, &vec![7; archive.len()]).cut_after(1000),
        1 => Reply::new(206, &archive[1000..]).header(
            "content-range",
            &format!("bytes 1000-{}/{}", archive.len() - 1, archive.len()),
        ),
        _ => good(request, archive),
    });
    installs(&[server.url("/")]);
    assert_eq!(server.ranges(), [None, Some(1000), None]);
}

#[test]
fn another_part_than_was_asked_for_is_not_taken() {
    let server = server(|request, archive| match request.nth {
        0 => good(request, archive).cut_after(1000),
        _ => Reply::new(206, &archive[10..]).header(
            "content-range",
            &format!("bytes 10-{}/{}", archive.len() - 1, archive.len()),
        ),
    });
    let (_, error) = fails(&[server.url("/")]);
    assert!(error.to_string().contains("another part"), "{error}");
}

#[rstest]
#[case::tag(0, "old")]
#[case::total(1, "new")]
fn a_rest_of_another_version_is_not_joined(#[case] longer: usize, #[case] tag: &'static str) {
    // A server that does not mind `If-Range`, and a file that nothing is published of.
    let server = server(move |request, archive| match request.nth {
        0 => Reply::file(request, &vec![7; archive.len() + longer], tag).cut_after(1000),
        1 => {
            let total = archive.len();
            let range = format!("bytes 1000-{}/{total}", total - 1);
            Reply::new(206, &archive[1000..])
                .header("content-range", &range)
                .header("etag", "\"new\"")
        }
        _ => Reply::file(request, archive, "new"),
    });
    let mut place = Place::new();
    let set = unpublished_shoes(&[server.url("/")]);
    assert_eq!(place.install(&downloader(), &set).unwrap().files, 6);
    assert_eq!(server.ranges(), [None, Some(1000), None]);
    assert!(place.was_told("since 1000 bytes of it arrived"));
}
