//! Archives that are honest, and archives that are damaged.

use std::path::Path;

use huenet_data::archive::{ArchiveError, Limits, Names, Unpacked, unpack};
use proptest::prelude::*;
use rstest::rstest;

use super::archives::{Entry, TarGz, cyclegan, pix2pix, tar_gz, zip};
use super::support::names;

/// Unpacks into a folder below `folder`, beside nothing.
pub(crate) fn unpack_in(
    folder: &Path,
    archive: &[u8],
    limits: &Limits,
) -> Result<Unpacked, ArchiveError> {
    let path = folder.join("archive");
    std::fs::write(&path, archive).expect("written");
    let into = folder.join("into");
    let _ = std::fs::remove_dir_all(&into);
    unpack(&path, &into, limits, Names::Unix, &mut |_| {})
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

#[rstest]
fn every_file_comes_out_as_it_went_in(
    #[values(tar_gz, zip)] pack: fn(&[Entry]) -> Vec<u8>,
    #[values(pix2pix, cyclegan)] entries: fn(&str) -> Vec<Entry>,
) {
    let folder = folder();
    let entries = entries("set");
    let unpacked = unpack_in(folder.path(), &pack(&entries), &Limits::default()).unwrap();
    assert_eq!(unpacked.files, entries.len() as u64);
    let total: usize = entries.iter().map(|(_, content)| content.len()).sum();
    assert_eq!(unpacked.bytes, total as u64);
    for (path, content) in &entries {
        let there = std::fs::read(folder.path().join("into").join(path)).unwrap();
        assert!(there == *content, "{path}");
    }
}

#[test]
fn progress_ends_at_the_end() {
    let folder = folder();
    for archive in [tar_gz(&pix2pix("set")), zip(&pix2pix("set"))] {
        let path = folder.path().join("archive");
        std::fs::write(&path, &archive).unwrap();
        let mut seen = Vec::new();
        let into = folder.path().join(format!("into {}", archive.len()));
        unpack(
            &path,
            &into,
            &Limits::default(),
            Names::Unix,
            &mut |progress| {
                seen.push((progress.files, progress.fraction));
            },
        )
        .unwrap();
        assert!(
            seen.is_sorted_by(|a, b| a.0 <= b.0 && a.1 <= b.1),
            "{seen:?}"
        );
        let (files, fraction) = *seen.last().unwrap();
        assert!(files == 6 && fraction > 0.9, "{seen:?}");
    }
}

#[test]
fn folders_that_are_listed_and_long_names_are_no_trouble() {
    let long = format!(
        "set/{}/picture.jpg",
        "a folder with quite a long name/".repeat(6)
    );
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(
        Vec::new(),
        flate2::Compression::fast(),
    ));
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Directory);
    header.set_mode(0o755);
    header.set_size(0);
    builder
        .append_data(&mut header, "./set/", &b""[..])
        .unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_size(4);
    header.set_mode(0o644);
    builder
        .append_data(&mut header, &long, &b"long"[..])
        .unwrap();
    let archive = builder.into_inner().unwrap().finish().unwrap();
    let folder = folder();
    unpack_in(folder.path(), &archive, &Limits::default()).unwrap();
    let there = folder.path().join("into").join(long.replace("//", "/"));
    assert_eq!(std::fs::read(there).unwrap(), b"long");
}

#[test]
fn names_in_other_encodings_stay_apart_and_are_reported() {
    let mut archive = TarGz::new();
    for (path, content) in [
        (&b"caf\xE9/50%\xE8.jpg"[..], b"1"),
        (b"caf\xE9/50%\xE9.jpg", b"2"),
        (b"caf\xE9/50%.jpg", b"3"),
        ("café/50%.jpg".as_bytes(), b"4"),
    ] {
        archive.entry(path, tar::EntryType::Regular, "", 1, content);
    }
    let folder = folder();
    let unpacked = unpack_in(folder.path(), &archive.finish(), &Limits::default()).unwrap();
    let renamed: Vec<(&str, &str)> = unpacked
        .renamed
        .iter()
        .map(|(original, now)| (original.as_str(), now.as_str()))
        .collect();
    let expected = [
        (r"caf\xE9", "caf%E9"),
        (r"caf\xE9/50%\xE8.jpg", "caf%E9/50%25%E8.jpg"),
        (r"caf\xE9/50%\xE9.jpg", "caf%E9/50%25%E9.jpg"),
        (r"caf\xE9/50%.jpg", "caf%E9/50%.jpg"),
    ];
    assert_eq!(renamed, expected);
    let there = expected[1..].iter().map(|(_, now)| *now);
    for (path, content) in there.chain(["café/50%.jpg"]).zip(["1", "2", "3", "4"]) {
        let found = std::fs::read(folder.path().join("into").join(path)).unwrap();
        assert_eq!(found, content.as_bytes(), "{path}");
    }
}

#[test]
fn the_padding_of_a_tape_is_no_trouble() {
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(
        &mut flate2::read::GzDecoder::new(&tar_gz(&pix2pix("set"))[..]),
        &mut bytes,
    )
    .unwrap();
    bytes.resize(bytes.len() + (512 << 10), 0);
    let mut packer = flate2::read::GzEncoder::new(&bytes[..], flate2::Compression::fast());
    let mut archive = Vec::new();
    std::io::Read::read_to_end(&mut packer, &mut archive).unwrap();
    let folder = folder();
    let unpacked = unpack_in(folder.path(), &archive, &Limits::default()).unwrap();
    assert_eq!(unpacked.files, 6);
}

#[rstest]
#[case(tar_gz(&pix2pix("set")))]
#[case(zip(&pix2pix("set")))]
fn an_archive_cut_anywhere_is_an_error(#[case] whole: Vec<u8>) {
    let folder = folder();
    let step = whole.len() / 60;
    let lengths = (0..whole.len())
        .step_by(step)
        .chain(whole.len() - 24..whole.len());
    for length in lengths {
        let error = unpack_in(folder.path(), &whole[..length], &Limits::default());
        let error = error.expect_err(&format!("{length} of {} bytes", whole.len()));
        assert!(
            matches!(
                error,
                ArchiveError::Damaged { .. } | ArchiveError::Format { .. }
            ),
            "{length}: {error}"
        );
        assert!(error.to_string().contains("archive"), "{error}");
    }
}

#[test]
fn content_that_does_not_fit_its_checksum_is_an_error() {
    let folder = folder();
    let entries = vec![("set/train/1.jpg".to_owned(), vec![7; 300])];
    for (mut archive, at) in [(tar_gz(&entries), 8), (zip(&entries), 0)] {
        // The checksum: at the end of a gzip stream, near the start of a zip entry.
        let place = match at {
            8 => archive.len() - 8,
            _ => {
                let directory = archive.windows(4).position(|w| w == b"PK\x01\x02");
                directory.expect("a directory") + 16
            }
        };
        archive[place] ^= 1;
        let error = unpack_in(folder.path(), &archive, &Limits::default()).unwrap_err();
        assert!(matches!(error, ArchiveError::Damaged { .. }), "{error}");
    }
}

#[rstest]
#[case(b"")]
#[case(b"PK")]
#[case(b"<html>404 Not Found</html>")]
#[case(b"Rar!\x1a\x07\x00")]
fn what_is_no_archive_is_said(#[case] content: &[u8]) {
    let folder = folder();
    let error = unpack_in(folder.path(), content, &Limits::default()).unwrap_err();
    assert!(matches!(error, ArchiveError::Format { .. }), "{error}");
}

#[test]
fn a_missing_archive_is_named() {
    let folder = folder();
    let path = folder.path().join("gone.zip");
    let error = unpack(
        &path,
        folder.path(),
        &Limits::default(),
        Names::Unix,
        &mut |_| {},
    );
    let error = error.unwrap_err();
    assert!(matches!(error, ArchiveError::Read { .. }), "{error}");
    assert!(error.to_string().contains("gone.zip"));
}

#[test]
fn an_empty_archive_is_empty() {
    let folder = folder();
    for archive in [TarGz::new().finish(), zip(&[])] {
        let unpacked = unpack_in(folder.path(), &archive, &Limits::default()).unwrap();
        assert_eq!(unpacked.files, 0);
        assert!(names(&folder.path().join("into")).is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn damaged_bytes_never_panic_and_never_leave_the_folder(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        kind in 0..3,
    ) {
        let entries = &pix2pix("set")[..2];
        let mut archive = match kind {
            0 => tar_gz(entries),
            1 => zip(entries),
            // Damage before packing, so that it reaches the reader of headers.
            _ => {
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(
                    &mut flate2::read::GzDecoder::new(&tar_gz(entries)[..]),
                    &mut bytes,
                ).unwrap();
                bytes
            }
        };
        for (at, value) in damage {
            let at = at.index(archive.len());
            archive[at] = value;
        }
        if kind == 2 {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut encoder, &archive).unwrap();
            archive = encoder.finish().unwrap();
        }
        let folder = folder();
        let _ = unpack_in(folder.path(), &archive, &Limits::default());
        let there = names(folder.path());
        prop_assert!(there.iter().all(|name| name == "archive" || name == "into"), "{there:?}");
    }
}
