//! What is written beside the pixels, and what cannot be written.

use std::path::PathBuf;

use huenet_data::{DataError, Photograph, WriteOptions, Written, read_image};
use image::{ImageDecoder, ImageReader, RgbImage};
use rstest::rstest;
use tempfile::TempDir;

use super::folder;
use crate::support::{message, picture, write};

/// What [`WriteOptions::description`] leaves in a file.
fn described(name: &str, text: &str) -> (PathBuf, TempDir, Written) {
    let folder = folder();
    let path = folder.path().join(name);
    let options = WriteOptions {
        description: Some(text.to_owned()),
        ..WriteOptions::default()
    };
    let written = Photograph::from_rgb8(picture(4, 20, 10))
        .write(&path, &options)
        .expect("written");
    (path, folder, written)
}

#[rstest]
#[case("huenet 0.1.0: a look")]
#[case("Öl, 油")]
#[case("ab")]
fn the_description_is_found_again(#[case] text: &str) {
    let (path, _folder, written) = described("a.png", text);
    assert!(!written.lost_description);
    let file = std::io::BufReader::new(std::fs::File::open(&path).expect("there"));
    let reader = png::Decoder::new(file).read_info().expect("a sound file");
    let info = reader.info();
    let latin = info
        .uncompressed_latin1_text
        .iter()
        .map(|it| (it.keyword.clone(), it.text.clone()));
    let utf8 = info
        .utf8_text
        .iter()
        .map(|it| (it.keyword.clone(), it.get_text().expect("text")));
    assert_eq!(
        latin.chain(utf8).collect::<Vec<_>>(),
        [("Software".to_owned(), text.to_owned())]
    );

    for name in ["a.jpg", "a.webp"] {
        let (path, _folder, written) = described(name, text);
        assert!(!written.lost_description);
        let mut decoder = ImageReader::open(&path)
            .expect("there")
            .into_decoder()
            .expect("sound");
        let exif = decoder.exif_metadata().expect("sound").expect("has EXIF");
        assert_eq!(software(&exif), text);
        assert_eq!(
            read_image(&path).expect("a sound file").dimensions(),
            (20, 10)
        );
    }

    // A TIFF file begins as EXIF data does.
    let (path, _folder, written) = described("a.tif", text);
    assert!(!written.lost_description);
    assert_eq!(software(&std::fs::read(&path).expect("there")), text);

    let (path, _folder, written) = described("a.ppm", text);
    assert!(!written.lost_description);
    let bytes = std::fs::read(&path).expect("there");
    assert!(bytes.starts_with(format!("P6\n# {text}\n20 10\n255\n").as_bytes()));

    let (_, _folder, written) = described("a.bmp", text);
    assert!(written.lost_description);
}

/// The text of the tag `Software` in a TIFF file, or in EXIF data, which is built as one.
fn software(bytes: &[u8]) -> String {
    assert!(bytes.starts_with(b"II*\0"));
    let short = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let long = |at: usize| usize::from(short(at)) | usize::from(short(at + 2)) << 16;
    let entries = long(4);
    let mut entries = (0..usize::from(short(entries))).map(|number| entries + 2 + 12 * number);
    let entry = entries.find(|&at| short(at) == 0x131).expect("has the tag");
    let (length, place) = (long(entry + 4), long(entry + 8));
    let place = if length <= 4 { entry + 8 } else { place };
    let text = String::from_utf8(bytes[place..place + length].to_vec()).expect("UTF-8");
    text.trim_end_matches('\0').to_owned()
}

#[test]
fn lines_of_a_description_do_not_end_a_comment() {
    let (path, _folder, _) = described("a.ppm", "one\ntwo");
    assert_eq!(read_image(&path).expect("a sound file"), picture(4, 20, 10));
}

#[rstest]
#[case("a.gif")]
#[case("a.heic")]
#[case("a")]
fn an_extension_that_names_no_format_is_refused(#[case] name: &str) {
    let folder = folder();
    let path = folder.path().join(name);
    let error = Photograph::from_rgb8(picture(1, 2, 2))
        .write(&path, &WriteOptions::default())
        .expect_err("no format");
    let text = error.to_string();
    assert!(
        text.contains(&path.display().to_string()) && text.contains("*.webp"),
        "{text}"
    );
    assert!(!path.exists());
}

#[test]
fn what_cannot_be_written_is_named_and_what_was_there_stays() {
    let folder = folder();
    let path = folder.path().join("no folder").join("a.png");
    let error = Photograph::check_output(&path).expect_err("no folder");
    assert!(matches!(error, DataError::NoFolder { .. }));
    assert!(
        message(&error).contains("a.png") && message(&error).ends_with("no folder"),
        "{error}"
    );

    let path = folder.path().join("folder.png");
    std::fs::create_dir(&path).expect("made");
    let error = Photograph::check_output(&path).expect_err("a folder");
    assert!(message(&error).contains("folder.png"), "{error}");

    let path = folder.path().join("long.webp");
    write(&path, b"before");
    let long = Photograph::from_rgb8(RgbImage::new(20_000, 1));
    let error = long
        .write(&path, &WriteOptions::default())
        .expect_err("too wide");
    assert!(error.to_string().contains("20000×1"), "{error}");
    assert_eq!(std::fs::read(&path).expect("there"), b"before");
    let names = std::fs::read_dir(folder.path()).expect("there").count();
    assert_eq!(names, 2, "nothing is left aside");
}

#[test]
fn a_file_that_is_there_is_replaced() {
    let folder = folder();
    let path = folder.path().join("a.png");
    for number in [1, 2] {
        let photograph = Photograph::from_rgb8(picture(number, 6, 5));
        photograph
            .write(&path, &WriteOptions::default())
            .expect("written");
        assert_eq!(Photograph::read(&path).expect("a sound file"), photograph);
    }
}

#[test]
fn files_that_are_no_images_are_named() {
    let folder = folder();
    let path = folder.path().join("page.jpg");
    write(&path, b"<html>404 Not Found</html>");
    let error = Photograph::read(&path).expect_err("a text");
    assert!(matches!(error, DataError::NotAnImage { .. }));
    assert!(error.to_string().contains("page.jpg"));
}
