//! From archives in each published layout to folders that the crate reads.

use huenet_data::archive::Names;
use huenet_data::download::{Dataset, DownloadError, MANIFEST, RemoteFile, Size, Source};
use huenet_data::{Collection, Layout, Phase, Split};

use super::archives::{self, cyclegan, flowers, labels, pix2pix, split, tar_gz};
use super::server::{Reply, Server};
use super::support::{Place, dataset, downloader, names, published, shoes, unpublished_shoes};

const SPLIT: Split = Split::NinetyTen { seed: 1 };

#[test]
fn a_pix2pix_archive_becomes_a_folder_that_opens() {
    let archive = tar_gz(&pix2pix("edges2shoes"));
    let server = Server::of_files(&[("/sets/edges2shoes.tar.gz", &archive)]);
    let set = shoes(&[server.url("/sets/")], &archive);
    let mut place = Place::new();
    let installed = place.install(&downloader(), &set).unwrap();

    assert_eq!(installed.path, place.path("edges2shoes"));
    assert_eq!((installed.files, installed.renamed), (6, 0));
    assert!(!installed.was_there);
    let collection = Collection::open(&installed.path, None, SPLIT).unwrap();
    assert_eq!(collection.images(Phase::Train).len(), 4);
    assert_eq!(collection.images(Phase::HeldOut).len(), 2);
    assert_eq!(
        names(&installed.path),
        [MANIFEST, "train", "val"],
        "the archive's own folder is not kept twice"
    );
    let manifest = String::from_utf8(place.read("edges2shoes/huenet-dataset.json")).unwrap();
    let url = server.url("/sets/edges2shoes.tar.gz");
    for words in [url.as_str(), "made here", &super::support::sha256(&archive)] {
        assert!(manifest.contains(words), "{words} is not in {manifest}");
    }
    assert_eq!(place.left_over(), [""; 0], "only the dataset is left");
}

#[test]
fn names_with_colons_are_kept_or_replaced_and_recorded() {
    let archive = archives::zip(&cyclegan("summer2winter_yosemite"));
    let server = Server::of_files(&[("/summer2winter_yosemite.zip", &archive)]);
    let file = published("summer2winter_yosemite.zip", &archive);
    let name = "summer2winter_yosemite";
    let set = dataset(name, Layout::CycleGan, &[server.url("/")], &[file]);

    let mut place = Place::new();
    let downloader = downloader().with_names(Names::Portable);
    let installed = place.install(&downloader, &set).unwrap();
    assert_eq!((installed.files, installed.renamed), (8, 8));
    assert_eq!(
        names(&place.path("summer2winter_yosemite/testA")),
        ["2011-05-20 10_20_20.jpg"]
    );
    let manifest: serde_json::Value =
        serde_json::from_slice(&place.read("summer2winter_yosemite/huenet-dataset.json")).unwrap();
    assert_eq!(
        manifest["renamed"]["summer2winter_yosemite/testA/2011-05-20 10:20:20.jpg"],
        "summer2winter_yosemite/testA/2011-05-20 10_20_20.jpg"
    );

    #[cfg(unix)]
    {
        let mut place = Place::new();
        let downloader = super::support::downloader().with_names(Names::Unix);
        assert_eq!(place.install(&downloader, &set).unwrap().renamed, 0);
        let kept = "summer2winter_yosemite/trainB/2011-05-22 10:20:22.jpg";
        let content = cyclegan(name).into_iter().find(|(path, _)| path == kept);
        assert_eq!(place.read(kept), content.unwrap().1);
    }
    let collection = Collection::open(&installed.path, None, SPLIT).unwrap();
    assert_eq!(collection.images(Phase::Train).len(), 6);
    assert_eq!(collection.images(Phase::HeldOut).len(), 2);
}

#[test]
fn flowers_come_with_both_files_of_the_authors() {
    let archive = tar_gz(&flowers());
    let (labels, split) = (labels(), split());
    let files: [(&str, &[u8]); 3] = [
        ("/f/102flowers.tgz", &archive),
        ("/f/imagelabels.mat", &labels),
        ("/f/setid.mat", &split),
    ];
    let server = Server::of_files(&files);
    let known = files.map(|(path, content)| published(&path[3..], content));
    let set = dataset("102flowers", Layout::Flowers, &[server.url("/f/")], &known);
    let mut place = Place::new();
    let installed = place.install(&downloader(), &set).unwrap();
    assert_eq!(installed.files, 9 + 2);
    assert_eq!(
        names(&installed.path),
        [MANIFEST, "imagelabels.mat", "jpg", "setid.mat"]
    );
    let collection = Collection::open(&installed.path, None, Split::Official).unwrap();
    assert_eq!(collection.images(Phase::Train).len(), 4);
    assert_eq!(collection.images(Phase::Train)[2].label(), Some(3));
    assert_eq!(collection.images(Phase::HeldOut).len(), 5);
}

#[test]
fn a_name_with_its_family_is_a_folder_in_a_folder() {
    let archive = tar_gz(&pix2pix("maps"));
    let server = Server::of_files(&[("/maps.tar.gz", &archive)]);
    let file = published("maps.tar.gz", &archive);
    let set = dataset("pix2pix/maps", Layout::Pix2Pix, &[server.url("/")], &[file]);
    let mut place = Place::new();
    let installed = place.install(&downloader(), &set).unwrap();
    assert_eq!(installed.path, place.path("pix2pix/maps"));
    assert_eq!(Layout::discover(&installed.path).unwrap(), Layout::Pix2Pix);
}

#[test]
fn what_is_there_is_not_fetched_again() {
    let archive = tar_gz(&pix2pix("edges2shoes"));
    let server = Server::of_files(&[("/edges2shoes.tar.gz", &archive)]);
    let set = shoes(&[server.url("/")], &archive);
    let mut place = Place::new();
    let first = place.install(&downloader(), &set).unwrap();
    let again = place.install(&downloader(), &set).unwrap();
    assert!(again.was_there);
    assert_eq!((again.path, again.files), (first.path, first.files));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_folder_of_the_users_is_left_alone() {
    let mut place = Place::new();
    let mine = place.path("edges2shoes/train/mine.jpg");
    std::fs::create_dir_all(mine.parent().unwrap()).unwrap();
    std::fs::write(&mine, b"mine").unwrap();
    let server = Server::of_files(&[]);
    let set = unpublished_shoes(&[server.url("/")]);
    let error = place.install(&downloader(), &set).unwrap_err();
    assert!(matches!(error, DownloadError::Occupied { .. }), "{error}");
    assert_eq!(std::fs::read(mine).unwrap(), b"mine");
    assert!(server.requests().is_empty());
}

#[test]
fn an_empty_folder_is_filled() {
    let archive = tar_gz(&pix2pix("edges2shoes"));
    let server = Server::of_files(&[("/edges2shoes.tar.gz", &archive)]);
    let mut place = Place::new();
    std::fs::create_dir(place.path("edges2shoes")).unwrap();
    let set = shoes(&[server.url("/")], &archive);
    assert_eq!(place.install(&downloader(), &set).unwrap().files, 6);
}

#[test]
fn a_copy_at_hand_is_used_and_kept() {
    let archive = tar_gz(&pix2pix("edges2shoes"));
    let set = shoes(&[], &archive);
    let copies = tempfile::tempdir().unwrap();
    let copy = copies.path().join("edges2shoes.tar.gz");
    std::fs::write(&copy, &archive).unwrap();
    for from in [copies.path(), &copy] {
        let source = Source::parse(from.to_str().unwrap()).unwrap();
        let mut place = Place::new();
        let downloader = downloader().with_source(source);
        assert_eq!(place.install(&downloader, &set).unwrap().files, 6);
        assert_eq!(std::fs::read(&copy).unwrap(), archive);
        assert_eq!(place.left_over(), [""; 0]);
    }
}

#[test]
fn a_copy_that_is_not_the_published_one_needs_a_word() {
    let mut place = Place::new();
    let part = tar_gz(&pix2pix("edges2shoes")[..5]);
    let copies = tempfile::tempdir().unwrap();
    let copy = copies.path().join("edges2shoes.tar.gz");
    std::fs::write(&copy, &part).unwrap();
    let set = shoes(&[], &tar_gz(&pix2pix("edges2shoes")));
    let downloader = downloader().with_source(Source::parse(copy.to_str().unwrap()).unwrap());
    let message = place.install(&downloader, &set).unwrap_err().to_string();
    for words in ["edges2shoes.tar.gz", "is not the", &part.len().to_string()] {
        assert!(message.contains(words), "{message}");
    }
    let installed = place.install(&downloader.unverified(true), &set).unwrap();
    assert_eq!(installed.files, 5);
}

#[test]
fn copies_that_are_not_there_are_named() {
    let empty = tempfile::tempdir().unwrap();
    let source = Source::parse(empty.path().to_str().unwrap()).unwrap();
    let set = Dataset::find("edges2shoes").unwrap();
    let mut place = Place::new();
    let error = place.install(&downloader().with_source(source), set);
    let message = error.unwrap_err().to_string();
    let path = empty.path().join("edges2shoes.tar.gz");
    assert!(message.contains(&path.display().to_string()), "{message}");
}

#[test]
fn an_archive_can_be_kept_and_is_used_again() {
    let archive = tar_gz(&pix2pix("edges2shoes"));
    let server = Server::of_files(&[("/edges2shoes.tar.gz", &archive)]);
    let set = shoes(&[server.url("/")], &archive);
    let mut place = Place::new();
    let downloader = downloader().keep_archive(true);
    let kept = place.install(&downloader, &set).unwrap().archive.unwrap();
    assert_eq!(std::fs::read(kept).unwrap(), archive);
    std::fs::remove_dir_all(place.path("edges2shoes")).unwrap();
    assert!(!place.install(&downloader, &set).unwrap().was_there);
    assert_eq!(server.requests().len(), 1, "the kept archive is used");
}

#[test]
fn unpacking_that_was_interrupted_starts_clean() {
    let archive = tar_gz(&pix2pix("edges2shoes"));
    let server = Server::of_files(&[("/edges2shoes.tar.gz", &archive)]);
    let mut place = Place::new();
    let half = place.path(".downloads/edges2shoes.unpacking/edges2shoes/train");
    std::fs::create_dir_all(&half).unwrap();
    std::fs::write(half.join("1_AB.jpg"), b"half an image").unwrap();
    std::fs::write(half.join("99_AB.jpg"), b"of another archive").unwrap();
    let set = shoes(&[server.url("/")], &archive);
    let installed = place.install(&downloader(), &set).unwrap();
    assert_eq!(names(&installed.path.join("train")).len(), 4);
    assert_eq!(place.read("edges2shoes/train/1_AB.jpg"), pix2pix("x")[0].1);
}

#[test]
fn an_archive_of_something_else_is_not_installed() {
    let mut place = Place::new();
    let archive = tar_gz(&cyclegan("surprise"));
    let server = Server::of_files(&[("/edges2shoes.tar.gz", &archive)]);
    let set = shoes(&[server.url("/")], &archive);
    let error = place.install(&downloader(), &set).unwrap_err();
    assert!(
        matches!(error, DownloadError::OtherContent { .. }),
        "{error}"
    );
    let message = error.to_string();
    assert!(
        message.contains("train/") && message.contains("surprise/"),
        "{message}"
    );
    assert!(!place.path("edges2shoes").exists());
    assert_eq!(place.left_over(), [""; 0], "the bad archive is not kept");
}

#[test]
fn the_first_checksum_is_recorded_and_compared_afterwards() {
    let [first, second] = [4, 5].map(|count| tar_gz(&pix2pix("edges2shoes")[..count]));
    let answers = [first.clone(), first, second.clone(), second];
    let server = Server::start(move |request| {
        Reply::file(
            request,
            &answers[request.nth.min(3)],
            &request.nth.to_string(),
        )
    });
    let set = unpublished_shoes(&[server.url("/")]);
    let mut place = Place::new();
    let mut again = |unverified| {
        let _ = std::fs::remove_dir_all(place.path("edges2shoes"));
        place.install(&downloader().unverified(unverified), &set)
    };
    assert_eq!(again(false).unwrap().files, 4);
    assert_eq!(again(false).unwrap().files, 4);
    let error = again(false).unwrap_err();
    assert!(matches!(error, DownloadError::Changed { .. }), "{error}");
    assert!(error.to_string().contains("checksums.json"), "{error}");
    assert_eq!(again(true).unwrap().files, 5, "unless that is asked for");
}

#[test]
fn described_sets_of_images_do_not_disturb_each_other() {
    let packed = |name: &str, numbers: std::ops::Range<u8>| {
        let path = |n| format!("{name}{n}.jpg");
        let entries: Vec<_> = numbers
            .map(|n| (path(n), archives::picture(n, 20, 20)))
            .collect();
        archives::zip(&entries)
    };
    // One with a folder of its own, one without.
    let (first, second) = (packed("", 0..3), packed("images/", 3..5));
    let server = Server::of_files(&[("/1/data.zip", &first), ("/2/data.zip", &second)]);
    let file = RemoteFile {
        name: "data.zip",
        size: Size::Unknown,
        checksum: None,
    };
    let mut place = Place::new();
    let downloader = downloader().keep_archive(true);
    for (number, (name, count)) in [("mine", 3), ("group/yours", 2)].into_iter().enumerate() {
        let address = server.url(&format!("/{}/", number + 1));
        let set = dataset(name, Layout::Folder, &[address], &[file]);
        let installed = place.install(&downloader, &set).unwrap();
        assert_eq!(installed.files, count);
        let collection = Collection::open(&installed.path, Some(Layout::Folder), SPLIT).unwrap();
        let held_out = collection.images(Phase::HeldOut).len();
        let train = collection.images(Phase::Train).len();
        assert_eq!((train + held_out) as u64, count);
    }
    let archives: Vec<_> = place.left_over();
    let archives = archives.iter().filter(|name| name.ends_with(".zip"));
    let expected = ["group-yours-data.zip", "mine-data.zip"];
    assert_eq!(archives.collect::<Vec<_>>(), expected);
}

#[test]
fn a_described_set_of_images_needs_images() {
    let archive = archives::zip(&[("read me.txt".to_owned(), b"no image".to_vec())]);
    let server = Server::of_files(&[("/data.zip", &archive)]);
    let file = published("data.zip", &archive);
    let set = dataset("mine", Layout::Folder, &[server.url("/")], &[file]);
    let error = Place::new().install(&downloader(), &set).unwrap_err();
    let message = error.to_string();
    for words in ["no folder of image files", "read me.txt"] {
        assert!(message.contains(words), "{message}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_in_place_of_the_folder_is_found_before_anything_is_fetched() {
    let archive = tar_gz(&pix2pix("edges2shoes"));
    let server = Server::of_files(&[("/edges2shoes.tar.gz", &archive)]);
    let set = shoes(&[server.url("/")], &archive);
    let elsewhere = tempfile::tempdir().unwrap();
    for to in [elsewhere.path(), &elsewhere.path().join("nothing")] {
        let mut place = Place::new();
        std::os::unix::fs::symlink(to, place.path("edges2shoes")).unwrap();
        let error = place.install(&downloader(), &set).unwrap_err();
        assert!(matches!(error, DownloadError::Linked { .. }), "{error}");
        let message = error.to_string();
        assert!(message.contains(&to.display().to_string()), "{message}");
        assert!(message.contains("remove it"), "{message}");
    }
    assert!(server.requests().is_empty());

    // One that leads to the dataset does.
    let root = elsewhere.path();
    downloader().install(&set, root, &mut |_| {}).unwrap();
    let mut place = Place::new();
    std::os::unix::fs::symlink(root.join("edges2shoes"), place.path("edges2shoes")).unwrap();
    assert!(place.install(&downloader(), &set).unwrap().was_there);
}
