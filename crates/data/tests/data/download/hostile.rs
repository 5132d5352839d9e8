//! Archives made to do harm.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use huenet_data::archive::{ArchiveError, Limits, Refusal};
use rstest::rstest;
use tar::EntryType;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::archives::{TarGz, tar_gz, zip};
use super::support::names;
use super::unpacking::unpack_in;

/// Unpacks what must be refused; nothing may then lie outside the folder, and the reason given.
fn refused(archive: &[u8], limits: &Limits) -> (String, Refusal) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let error = unpack_in(folder.path(), archive, limits).expect_err("must be refused");
    assert_eq!(names(folder.path()), ["archive", "into"]);
    assert!(!std::path::Path::new("/tmp/huenet-escaped").exists());
    match error {
        ArchiveError::Refused { entry, reason, .. } => (entry, reason),
        other => panic!("{other}"),
    }
}

const PLAIN: Limits = Limits {
    files: 1_000_000,
    bytes: 64 << 30,
    ratio: 20,
    ratio_from: 64 << 20,
};

#[rstest]
#[case("/tmp/huenet-escaped", Refusal::AbsolutePath)]
#[case("\\tmp\\escaped", Refusal::AbsolutePath)]
#[case("C:/escaped", Refusal::AbsolutePath)]
#[case("c:escaped", Refusal::AbsolutePath)]
#[case("../escaped", Refusal::ParentFolder)]
#[case("set/../../escaped", Refusal::ParentFolder)]
#[case("set/train/..", Refusal::ParentFolder)]
#[case("set\\..\\..\\escaped", Refusal::ParentFolder)]
#[case("..", Refusal::ParentFolder)]
#[case("1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", Refusal::TooDeep { max: 16 })]
fn paths_that_lead_elsewhere(#[case] path: &str, #[case] expected: Refusal) {
    let mut archive = TarGz::new();
    archive
        .file("set/train/1.jpg", b"first")
        .file(path, b"evil");
    assert_eq!(
        refused(&archive.finish(), &PLAIN),
        (path.to_owned(), expected.clone())
    );

    let entries = [(path.to_owned(), b"evil".to_vec())];
    let (_, reason) = refused(&zip(&entries), &PLAIN);
    assert_eq!(reason, expected);
}

#[test]
fn folders_that_lead_elsewhere() {
    for path in ["../escaped/", "/tmp/huenet-escaped/"] {
        let mut archive = TarGz::new();
        archive.entry(path, EntryType::Directory, "", 0, b"");
        refused(&archive.finish(), &PLAIN);
    }
}

#[test]
fn links_of_either_kind_wherever_they_lead() {
    for to in ["/etc/passwd", "../../outside", "set/train/1.jpg"] {
        let link = |kind| {
            let mut archive = TarGz::new();
            archive.file("set/train/1.jpg", b"first");
            archive.entry("set/link", kind, to, 0, b"");
            // What would be written through the link.
            archive.file("set/link/escaped", b"evil");
            archive.finish()
        };
        let to = to.to_owned();
        let symbolic = Refusal::SymbolicLink { to: to.clone() };
        let hard = Refusal::HardLink { to: to.clone() };
        let name = "set/link".to_owned();
        assert_eq!(
            refused(&link(EntryType::Symlink), &PLAIN),
            (name.clone(), symbolic.clone())
        );
        assert_eq!(
            refused(&link(EntryType::Link), &PLAIN),
            (name.clone(), hard)
        );

        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default();
        writer.add_symlink("set/link", &to, options).unwrap();
        let archive = writer.finish().unwrap().into_inner();
        assert_eq!(refused(&archive, &PLAIN), (name, symbolic));
    }
}

#[rstest]
#[case(EntryType::Char)]
#[case(EntryType::Block)]
#[case(EntryType::Fifo)]
fn devices_and_pipes(#[case] kind: EntryType) {
    let mut archive = TarGz::new();
    archive.entry("set/device", kind, "", 0, b"");
    let (name, reason) = refused(&archive.finish(), &PLAIN);
    assert_eq!(
        (name.as_str(), reason),
        ("set/device", Refusal::SpecialFile)
    );
}

#[test]
fn a_device_in_a_zip() {
    let mut archive = zip(&[("set/device".to_owned(), Vec::new())]);
    // The Unix mode is in the upper half of the external attributes, in the directory's entry.
    let entry = archive.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    archive[entry + 38..entry + 42].copy_from_slice(&(0o020_644_u32 << 16).to_le_bytes());
    archive[entry + 5] = 3;
    assert_eq!(refused(&archive, &PLAIN).1, Refusal::SpecialFile);
}

#[test]
fn an_entry_with_a_password() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .start_file("set/1.jpg", SimpleFileOptions::default())
        .unwrap();
    writer.write_all(b"secret").unwrap();
    let mut archive = writer.finish().unwrap().into_inner();
    // The lowest bit of the flags, in both headers.
    archive[6] |= 1;
    let entry = archive.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    archive[entry + 8] |= 1;
    assert_eq!(refused(&archive, &PLAIN).1, Refusal::Encrypted);
}

#[test]
fn the_same_name_twice() {
    let mut archive = TarGz::new();
    archive
        .file("set/1.jpg", b"one")
        .file("set/./1.jpg", b"two");
    assert_eq!(refused(&archive.finish(), &PLAIN).1, Refusal::Duplicate);
    // A file where a folder is.
    let entries = ["set/a/b", "set/a"].map(|path| (path.to_owned(), b"x".to_vec()));
    assert_eq!(refused(&tar_gz(&entries), &PLAIN).1, Refusal::Duplicate);
    assert_eq!(refused(&zip(&entries), &PLAIN).1, Refusal::Duplicate);
}

/// 300 MB of nothing, in about 300 kB.
fn zeros_tar() -> Vec<u8> {
    let mut archive = TarGz::new();
    archive.file("set/zeros", &vec![0; 300 << 20]);
    archive.finish()
}

fn zeros_zip() -> Vec<u8> {
    zip(&[("set/zeros".to_owned(), vec![0; 300 << 20])])
}

#[rstest]
#[case(zeros_tar())]
#[case(zeros_zip())]
fn bombs_that_are_dense(#[case] archive: Vec<u8>) {
    assert!(archive.len() < 4 << 20);
    let (name, reason) = refused(&archive, &PLAIN);
    assert_eq!(name, "set/zeros");
    assert!(
        matches!(reason, Refusal::TooDense { max: 20, .. }),
        "{reason}"
    );
}

#[test]
fn bombs_that_are_large() {
    let limits = Limits {
        bytes: 1000,
        ..PLAIN
    };
    let entries = ["a", "b"].map(|name| (format!("set/{name}"), vec![1; 600]));
    for archive in [tar_gz(&entries), zip(&entries)] {
        let expected = ("set/b".to_owned(), Refusal::TooLarge { max: 1000 });
        assert_eq!(refused(&archive, &limits), expected);
    }
    // One that only claims to be.
    let mut archive = TarGz::new();
    archive.entry("set/huge", EntryType::Regular, "", 1 << 40, b"small");
    let (_, reason) = refused(&archive.finish(), &PLAIN);
    assert_eq!(reason, Refusal::TooLarge { max: 64 << 30 });
}

#[test]
fn bombs_of_many_files() {
    let limits = Limits { files: 10, ..PLAIN };
    let many: Vec<_> = (0..12).map(|n| (format!("set/{n}"), Vec::new())).collect();
    for archive in [tar_gz(&many), zip(&many)] {
        assert_eq!(
            refused(&archive, &limits).1,
            Refusal::TooManyFiles { max: 10 }
        );
    }
    // Folders count too, however often they are listed.
    for step in [1, 12] {
        let mut archive = TarGz::new();
        for n in 0..12 {
            let path = format!("set/{}/", n / step);
            archive.entry(path, EntryType::Directory, "", 0, b"");
        }
        let reason = refused(&archive.finish(), &limits).1;
        assert_eq!(reason, Refusal::TooManyFiles { max: 10 });
    }
    // So do those that only paths name.
    let deep: Vec<_> = (0..4).map(|n| (format!("{n}/a/b/c"), Vec::new())).collect();
    for archive in [tar_gz(&deep), zip(&deep)] {
        let expected = ("2/a".to_owned(), Refusal::TooManyFiles { max: 10 });
        assert_eq!(refused(&archive, &limits), expected);
    }
}

#[test]
fn an_entry_that_holds_more_than_it_says() {
    // The size in the directory is what is believed: the rest must not be written.
    let mut archive = zip(&[("set/1".to_owned(), vec![5; 5000])]);
    let entry = archive.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    archive[entry + 24..entry + 28].copy_from_slice(&10_u32.to_le_bytes());
    archive[22..26].copy_from_slice(&10_u32.to_le_bytes());
    let folder = tempfile::tempdir().unwrap();
    let error = unpack_in(folder.path(), &archive, &PLAIN).unwrap_err();
    assert!(matches!(error, ArchiveError::Damaged { .. }), "{error}");
}

/// An archive of one empty file, whose path is in a header of its own.
fn with_long_path(path: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(0);
    header.set_mode(0o644);
    builder.append_data(&mut header, path, &b""[..]).unwrap();
    builder.into_inner().unwrap().finish().unwrap()
}

#[test]
fn paths_that_are_too_long() {
    let path = |length| "x".repeat(length);
    let entries = [(path(4097), Vec::new())];
    for archive in [with_long_path(&path(4097)), zip(&entries)] {
        let (bytes, max) = (4097, 4096);
        let expected = (path(200), Refusal::PathTooLong { bytes, max });
        assert_eq!(refused(&archive, &PLAIN), expected);
    }
    let folder = tempfile::tempdir().unwrap();
    let archive = with_long_path(&path(4096));
    let unpacked = unpack_in(folder.path(), &archive, &PLAIN).unwrap();
    assert_eq!(unpacked.renamed.len(), 1, "{unpacked:?}");
}

#[rstest]
#[case(256 << 10)]
#[case(256 << 20)]
fn a_name_that_would_fill_the_memory(#[case] length: usize) {
    // A GNU long name, which a reader has to keep, in a thousandth of its size.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut header = tar::Header::new_gnu();
    header.set_path("././@LongLink").unwrap();
    header.set_entry_type(EntryType::GNULongName);
    header.set_size(length as u64);
    header.set_cksum();
    encoder.write_all(header.as_bytes()).unwrap();
    let block = vec![b'x'; 256 << 10];
    for _ in 0..length / block.len() {
        encoder.write_all(&block).unwrap();
    }
    let archive = encoder.finish().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let error = unpack_in(folder.path(), &archive, &PLAIN).unwrap_err();
    assert!(error.to_string().contains("headers"), "{error}");
}
