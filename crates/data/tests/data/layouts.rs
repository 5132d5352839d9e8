//! The folders of published datasets, and folders that are none.

use std::path::Path;

use huenet_data::{Collection, DataError, Layout, Phase, Split};
use tempfile::TempDir;

use crate::support::{message, names, picture, save, write};

const NINETY_TEN: Split = Split::NinetyTen { seed: 0 };

fn folder() -> TempDir {
    TempDir::new().expect("a folder")
}

fn put(root: &Path, paths: &[&str]) {
    for path in paths {
        save(&root.join(path).with_extension("png"), &picture(1, 4, 2));
        if !path.ends_with(".png") {
            std::fs::rename(root.join(path).with_extension("png"), root.join(path))
                .expect("the image is renamed");
        }
    }
}

fn open(root: &Path) -> Result<Collection, DataError> {
    Collection::open(root, None, NINETY_TEN)
}

fn error(root: &Path) -> String {
    message(&open(root).expect_err("no dataset"))
}

#[test]
fn pix2pix_holds_out_val_or_else_test() {
    let root = folder();
    put(
        root.path(),
        &["train/2_AB.jpg", "train/10_AB.jpg", "test/7_AB.jpg"],
    );
    assert_eq!(
        Layout::discover(root.path()).expect("a dataset"),
        Layout::Pix2Pix
    );
    let collection = open(root.path()).expect("a dataset");
    assert_eq!(
        names(collection.images(Phase::Train)),
        ["10_AB.jpg", "2_AB.jpg"]
    );
    assert_eq!(names(collection.images(Phase::HeldOut)), ["7_AB.jpg"]);

    put(root.path(), &["val/1_AB.jpg"]);
    let collection = open(root.path()).expect("a dataset");
    assert_eq!(names(collection.images(Phase::HeldOut)), ["1_AB.jpg"]);
}

#[test]
fn cyclegan_takes_both_domains_together() {
    let root = folder();
    put(
        root.path(),
        &[
            "trainA/2011-05-29 10:20:21.jpg",
            "trainA/b.jpg",
            "trainB/a.jpg",
            "testB/c.jpg",
        ],
    );
    assert_eq!(
        Layout::discover(root.path()).expect("a dataset"),
        Layout::CycleGan
    );
    let collection = open(root.path()).expect("a dataset");
    let train = names(collection.images(Phase::Train));
    assert_eq!(train, ["2011-05-29 10:20:21.jpg", "b.jpg", "a.jpg"]);
    assert_eq!(names(collection.images(Phase::HeldOut)), ["c.jpg"]);
    assert!(collection.images(Phase::Train)[0].load().is_ok());
}

/// A `.mat` file with arrays of whole numbers below 65536, not packed.
fn mat(arrays: &[(&str, &[u16])]) -> Vec<u8> {
    fn element(kind: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = [kind.to_le_bytes(), (data.len() as u32).to_le_bytes()].concat();
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }
    let mut file = vec![b' '; 124];
    file.extend(b"\x00\x01IM");
    for (name, values) in arrays {
        let mut array = element(6, &[6, 0, 0, 0, 0, 0, 0, 0]);
        let sizes = [1_u32.to_le_bytes(), (values.len() as u32).to_le_bytes()].concat();
        array.extend(element(5, &sizes));
        array.extend(element(1, name.as_bytes()));
        let values: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        array.extend(element(4, &values));
        file.extend(element(14, &array));
    }
    file
}

fn flowers() -> TempDir {
    let root = folder();
    for number in [1, 2, 4, 5] {
        put(root.path(), &[&format!("jpg/image_{number:05}.jpg")]);
    }
    write(
        &root.path().join("imagelabels.mat"),
        &mat(&[("labels", &[77, 3, 102, 9, 10, 11])]),
    );
    let parts: [(&str, &[u16]); 3] = [("trnid", &[5, 3, 1]), ("valid", &[4]), ("tstid", &[6, 2])];
    write(&root.path().join("setid.mat"), &mat(&parts));
    root
}

#[test]
fn flowers_follow_the_authors_split_and_skip_what_is_not_there() {
    let root = flowers();
    let collection = Collection::open(root.path(), None, Split::Official).expect("a dataset");
    assert_eq!(
        names(collection.images(Phase::Train)),
        ["image_00005.jpg", "image_00001.jpg"]
    );
    assert_eq!(
        names(collection.images(Phase::HeldOut)),
        ["image_00004.jpg", "image_00002.jpg"]
    );
    assert_eq!(collection.missing(), 2);
    let labels = |phase| {
        collection
            .images(phase)
            .iter()
            .map(|i| i.label())
            .collect::<Vec<_>>()
    };
    assert_eq!(labels(Phase::Train), [Some(10), Some(77)]);
    assert_eq!(labels(Phase::HeldOut), [Some(9), Some(3)]);
}

#[test]
fn flowers_can_be_split_by_a_seed_without_the_authors_files() {
    let root = flowers();
    let collection = open(root.path()).expect("a dataset");
    assert_eq!(collection.images(Phase::Train).len(), 3);
    assert_eq!(collection.images(Phase::HeldOut).len(), 1);
    assert!(collection.images(Phase::HeldOut)[0].label().is_some());

    std::fs::remove_file(root.path().join("setid.mat")).expect("removed");
    std::fs::remove_file(root.path().join("imagelabels.mat")).expect("removed");
    let collection = open(root.path()).expect("a dataset");
    assert_eq!(collection.images(Phase::Train).len(), 3);
    assert_eq!(collection.images(Phase::Train)[0].label(), None);
    let error = Collection::open(root.path(), None, Split::Official).expect_err("no split");
    assert!(message(&error).contains("setid.mat"), "{error}");
}

#[test]
fn damaged_lists_of_flowers_are_errors_that_name_the_file() {
    let root = flowers();
    let setid = root.path().join("setid.mat");
    let open = || {
        let error = Collection::open(root.path(), None, Split::Official).expect_err("damaged");
        message(&error)
    };
    let whole = std::fs::read(&setid).expect("read");
    write(&setid, &whole[..whole.len() - 20]);
    assert!(open().contains("setid.mat"), "{}", open());
    write(&setid, b"<html>404</html>");
    assert!(open().contains("not a MATLAB level 5 file"), "{}", open());
    write(&setid, &mat(&[("trnid", &[1]), ("valid", &[2])]));
    assert!(
        open().contains("no numeric variable \"tstid\""),
        "{}",
        open()
    );
}

#[test]
fn a_bare_folder_is_split_by_a_seed() {
    let root = folder();
    let paths: Vec<String> = (0..10).map(|i| format!("photo {i}.jpeg")).collect();
    put(
        root.path(),
        &paths.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    assert_eq!(
        Layout::discover(root.path()).expect("a dataset"),
        Layout::Folder
    );
    let collection = open(root.path()).expect("a dataset");
    assert_eq!(collection.images(Phase::Train).len(), 9);
    assert_eq!(collection.images(Phase::HeldOut).len(), 1);
    let error = Collection::open(root.path(), None, Split::Official).expect_err("no split");
    assert!(message(&error).contains("90/10"), "{error}");
}

#[test]
fn only_images_are_taken_in_either_case() {
    let root = folder();
    put(root.path(), &["train/a.JPG", "train/b.Png", "train/c.jpeg"]);
    for other in [
        "Thumbs.db",
        ".DS_Store",
        "._a.jpg",
        "notes.txt",
        "jpg",
        "d.jpg.part",
    ] {
        write(&root.path().join("train").join(other), b"not an image");
    }
    std::fs::create_dir(root.path().join("train/folder.jpg")).expect("a folder");
    let collection = open(root.path()).expect("a dataset");
    assert_eq!(
        names(collection.images(Phase::Train)),
        ["a.JPG", "b.Png", "c.jpeg"]
    );
}

#[test]
fn a_missing_dataset_says_what_is_there_instead() {
    let root = folder();
    put(
        root.path(),
        &["edges2shoes/train/1.jpg", "facades/train/1.jpg"],
    );
    let missing = error(&root.path().join("edges2shoe"));
    assert!(missing.contains("edges2shoe does not exist"), "{missing}");
    assert!(
        missing.contains("holds edges2shoes/, facades/"),
        "{missing}"
    );

    let wrong = error(root.path());
    assert!(wrong.contains("trainA/ and trainB/ (CycleGAN)"), "{wrong}");
    assert!(wrong.contains("holds edges2shoes/, facades/"), "{wrong}");

    let parent = error(&root.path().join("no/such"));
    assert!(parent.contains("does not exist either"), "{parent}");
}

#[test]
fn files_and_empty_folders_are_no_datasets() {
    let root = folder();
    let file = root.path().join("edges2shoes.tar.gz");
    write(&file, b"x");
    assert!(error(&file).contains("is not a folder"), "{}", error(&file));
    assert!(
        error(&file.join("train")).contains("does not exist"),
        "{}",
        error(&file.join("train"))
    );

    let empty = root.path().join("empty");
    std::fs::create_dir_all(empty.join("train")).expect("folders");
    assert!(error(&empty).contains("no images in"), "{}", error(&empty));
    assert!(
        error(&empty).contains("train is empty"),
        "{}",
        error(&empty)
    );

    write(&empty.join("train/readme.txt"), b"x");
    assert!(
        error(&empty).contains("train holds readme.txt"),
        "{}",
        error(&empty)
    );

    let cyclegan = root.path().join("cyclegan");
    std::fs::create_dir_all(cyclegan.join("trainB")).expect("folders");
    assert!(error(&cyclegan).contains("trainB"), "{}", error(&cyclegan));
}

#[test]
fn a_layout_that_was_asked_for_must_be_there() {
    let root = folder();
    put(root.path(), &["a.jpg"]);
    for (layout, expected) in [
        (Layout::Pix2Pix, "train does not exist"),
        (Layout::CycleGan, "trainA does not exist"),
        (Layout::Flowers, "jpg does not exist"),
    ] {
        let error = Collection::open(root.path(), Some(layout), NINETY_TEN).expect_err("bare");
        assert!(message(&error).contains(expected), "{error}");
        assert!(message(&error).contains("holds a.jpg"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn links_to_nothing_are_named_when_they_are_read() {
    let root = folder();
    put(root.path(), &["train/a.png"]);
    let link = root.path().join("train/b.png");
    std::os::unix::fs::symlink("gone/b.png", &link).expect("linked");
    let collection = open(root.path()).expect("a dataset");
    let images = collection.images(Phase::Train);
    assert_eq!(names(images), ["a.png", "b.png"]);
    let error = images[1].load().expect_err("a link to nothing");
    assert!(matches!(error, DataError::BrokenLink { .. }), "{error}");
    let told = error.to_string();
    assert!(
        told.contains("b.png") && told.contains("gone/b.png"),
        "{told}"
    );
}
