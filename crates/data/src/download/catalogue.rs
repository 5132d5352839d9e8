//! The one table of what can be downloaded: addresses, sizes, checksums, rights.

use super::dataset::Checksum::{self, ReportedMd5, Sha256};
use super::dataset::Size::{self, About, Exact};
use super::dataset::{Dataset, RemoteFile};
use crate::Layout;

const fn file(name: &'static str, size: Size, checksum: Option<Checksum>) -> RemoteFile {
    RemoteFile {
        name,
        size,
        checksum,
    }
}

const fn pix2pix(
    name: &'static str,
    about: &'static str,
    rights: &'static str,
    files: &'static [RemoteFile],
) -> Dataset {
    Dataset {
        name,
        about,
        layout: Layout::Pix2Pix,
        homepage: "https://phillipi.github.io/pix2pix/",
        rights,
        addresses: &[
            "https://efrosgans.eecs.berkeley.edu/pix2pix/datasets/",
            "http://efrosgans.eecs.berkeley.edu/pix2pix/datasets/",
            "https://people.eecs.berkeley.edu/~tinghuiz/projects/pix2pix/datasets/",
        ],
        files,
    }
}

const fn cyclegan(
    name: &'static str,
    about: &'static str,
    rights: &'static str,
    files: &'static [RemoteFile],
) -> Dataset {
    Dataset {
        name,
        about,
        layout: Layout::CycleGan,
        homepage: "https://junyanz.github.io/CycleGAN/",
        rights,
        addresses: &[
            "https://people.eecs.berkeley.edu/~taesung_park/CycleGAN/datasets/",
            "https://efrosgans.eecs.berkeley.edu/cyclegan/datasets/",
            "http://efrosgans.eecs.berkeley.edu/cyclegan/datasets/",
        ],
        files,
    }
}

const SHOES: &str = "\
No licence is stated with the archive. The photographs are shop pictures from UT Zappos50K (Yu and \
Grauman), which is offered for research: read the terms at \
http://vision.cs.utexas.edu/projects/finegrained/utzap50k before any other use. Cite Isola et al., \
CVPR 2017, and Yu and Grauman, CVPR 2014.";
const HANDBAGS: &str = "\
No licence is stated with the archive. The photographs are shop pictures from Amazon, collected by \
the iGAN project (https://github.com/junyanz/iGAN); the rights are the sellers'. For research. Cite \
Isola et al., CVPR 2017, and Zhu et al., ECCV 2016.";
const FACADES: &str = "\
No licence is stated with the archive. The images are from the CMP Facade Database \
(http://cmp.felk.cvut.cz/~tylecr1/facade): see its terms, and cite it, if you use them.";
const MAPS: &str = "\
No licence is stated with the archive. The images were taken from Google Maps, whose terms apply. \
For research.";
const CITYSCAPES: &str = "\
The images are from the Cityscapes dataset (https://www.cityscapes-dataset.com), whose licence asks \
for registration and forbids passing them on; for that reason the authors' newer scripts no longer \
fetch this archive. Use it only if you have accepted that licence.";
const PIX2PIX_RIGHTS: &str = "\
No licence is stated with the archive; its authors say: \"Some of the datasets are collected by \
other researchers. Please cite their papers if you use the data.\" For research.";
const CYCLEGAN_RIGHTS: &str = PIX2PIX_RIGHTS;
const FLICKR: &str = "\
No licence is stated with the archive. The photographs were downloaded from Flickr; the rights are \
the photographers'. For research. Cite Zhu et al., ICCV 2017.";
const IMAGENET: &str = "\
No licence is stated with the archive. The photographs are from ImageNet, whose terms allow \
non-commercial research and education. Cite Zhu et al., ICCV 2017, and Deng et al., CVPR 2009.";
const PAINTINGS: &str = "\
No licence is stated with the archive. The paintings are from WikiArt; the photographs are from \
Flickr, and the rights are the photographers'. For research. Cite Zhu et al., ICCV 2017.";
const FLOWERS: &str = "\
No licence is stated. The authors write that most of the images were collected from the web; some \
carry the watermark of an agency. For research. Cite Nilsback and Zisserman, ICVGIP 2008.";

/// Every dataset that can be downloaded by its name.
///
/// Sources: the download scripts of the authors; sizes and SHA-256 of the CycleGAN archives and of
/// Flowers-102 from TensorFlow Datasets (`url_checksums`), which downloads them with those. The
/// authors publish no checksums of the pix2pix archives and of ae_photos; what third-party loaders
/// carry is here as [`Checksum::ReportedMd5`].
pub const CATALOGUE: &[Dataset] = &[
    pix2pix(
        "edges2shoes",
        "edge maps and photographs of shoes",
        SHOES,
        &[file(
            "edges2shoes.tar.gz",
            About(2_000_000_000),
            Some(ReportedMd5("71da478b54fedde126e234a2a050bc15")),
        )],
    ),
    pix2pix(
        "edges2handbags",
        "edge maps and photographs of handbags",
        HANDBAGS,
        &[file(
            "edges2handbags.tar.gz",
            About(8_000_000_000),
            Some(ReportedMd5("815592f22fa7f7534a286a25bb73bf03")),
        )],
    ),
    pix2pix(
        "pix2pix/facades",
        "label maps and photographs of facades",
        FACADES,
        &[file(
            "facades.tar.gz",
            Size::Unknown,
            Some(ReportedMd5("e2e25dd517e9d15828416ab329da2854")),
        )],
    ),
    pix2pix(
        "pix2pix/maps",
        "aerial photographs and maps",
        MAPS,
        &[file(
            "maps.tar.gz",
            About(239_000_000),
            Some(ReportedMd5("e5f65d26eb288457f5ac056deb94d154")),
        )],
    ),
    pix2pix(
        "pix2pix/cityscapes",
        "label maps and photographs of streets",
        CITYSCAPES,
        &[file(
            "cityscapes.tar.gz",
            About(99_000_000),
            Some(ReportedMd5("32569df708076e427e9cd02abbca7748")),
        )],
    ),
    pix2pix(
        "night2day",
        "places by night and by day",
        PIX2PIX_RIGHTS,
        &[file(
            "night2day.tar.gz",
            Size::Unknown,
            Some(ReportedMd5("fd21b1d447a1f927fed41aabedd85baa")),
        )],
    ),
    cyclegan(
        "summer2winter_yosemite",
        "Yosemite in summer and in winter",
        FLICKR,
        &[file(
            "summer2winter_yosemite.zip",
            Exact(132_640_856),
            Some(Sha256(
                "167fe1726807a9d22bd106b4a6c0bd7953b688af924ac1bf967439c4961e49f9",
            )),
        )],
    ),
    cyclegan(
        "horse2zebra",
        "horses and zebras",
        IMAGENET,
        &[file(
            "horse2zebra.zip",
            Exact(116_867_962),
            Some(Sha256(
                "a74d9d392eecca9966b51287a76ca126af473d9de4f3e8fc0e9cda08fa1730a1",
            )),
        )],
    ),
    cyclegan(
        "apple2orange",
        "apples and oranges",
        IMAGENET,
        &[file(
            "apple2orange.zip",
            Exact(78_456_409),
            Some(Sha256(
                "845a191e9af8926408ea597001cd03a452e3300a1f44a79fe329b3d59f6e3eb8",
            )),
        )],
    ),
    cyclegan(
        "monet2photo",
        "Monet and photographs",
        PAINTINGS,
        &[file(
            "monet2photo.zip",
            Exact(305_231_073),
            Some(Sha256(
                "88f91b00fc228f97c9411fbf1880ec1d119c98f1722e4cfcfaa2fb35fac05b04",
            )),
        )],
    ),
    cyclegan(
        "cezanne2photo",
        "Cezanne and photographs",
        PAINTINGS,
        &[file(
            "cezanne2photo.zip",
            Exact(279_885_071),
            Some(Sha256(
                "3a6c10ca21f9485862f1cbd707744b9dc258954a04631271d23a3605eeb63cff",
            )),
        )],
    ),
    cyclegan(
        "ukiyoe2photo",
        "ukiyo-e prints and photographs",
        PAINTINGS,
        &[file(
            "ukiyoe2photo.zip",
            Exact(292_946_532),
            Some(Sha256(
                "02a2a2fb5ecf425ca1bf86aca7304377da64a2a1d3b86df54eb65e4068bf3b08",
            )),
        )],
    ),
    cyclegan(
        "vangogh2photo",
        "Van Gogh and photographs",
        PAINTINGS,
        &[file(
            "vangogh2photo.zip",
            Exact(306_590_349),
            Some(Sha256(
                "362c3473e70be0944bda08d49d660eafdc2854df55d697835b8186d1d79caaff",
            )),
        )],
    ),
    cyclegan(
        "cyclegan/maps",
        "aerial photographs and maps, unpaired",
        MAPS,
        &[file(
            "maps.zip",
            Exact(1_476_754_427),
            Some(Sha256(
                "639534f69dbf9f36bef8d6292a7698006361221f83f0285d7c9ca78afe6e8a9e",
            )),
        )],
    ),
    cyclegan(
        "cyclegan/cityscapes",
        "label maps and photographs of streets, unpaired",
        CITYSCAPES,
        &[file(
            "cityscapes.zip",
            Exact(279_601_602),
            Some(Sha256(
                "d2f6910fd056c1ee9873777ae838e7ac4a2c833598ae62a04188e5ab2f4ea036",
            )),
        )],
    ),
    cyclegan(
        "cyclegan/facades",
        "label maps and photographs of facades, unpaired",
        FACADES,
        &[file(
            "facades.zip",
            Exact(35_135_868),
            Some(Sha256(
                "9a31ebf3a31b9b5cd195dd5bf62e9308e00cb94604d1019e3889ac84248695c0",
            )),
        )],
    ),
    cyclegan(
        "iphone2dslr_flower",
        "flowers by telephone and by reflex camera",
        FLICKR,
        &[file(
            "iphone2dslr_flower.zip",
            Exact(339_964_458),
            Some(Sha256(
                "8fcb5e374d631b107e1d961b8c4cd0a186aa2a4ff3e279923f4c426128de7113",
            )),
        )],
    ),
    cyclegan(
        "ae_photos",
        "a small set of photographs; the authors describe it nowhere",
        CYCLEGAN_RIGHTS,
        &[file(
            "ae_photos.zip",
            About(10_000_000),
            Some(ReportedMd5("93831625466b64eaeba58babc52d70f9")),
        )],
    ),
    Dataset {
        name: "102flowers",
        about: "8,189 photographs of 102 kinds of flowers, with classes and the official split",
        layout: Layout::Flowers,
        homepage: "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/",
        rights: FLOWERS,
        addresses: &["https://www.robots.ox.ac.uk/~vgg/data/flowers/102/"],
        files: &[
            file(
                "102flowers.tgz",
                Exact(344_862_509),
                Some(Sha256(
                    "2d01ecc807db462958cfe3d92f57a8c252b4abd240eb955770201e45f783b246",
                )),
            ),
            file(
                "imagelabels.mat",
                Exact(502),
                Some(Sha256(
                    "4903e94206bac23bf772aadf06451916df56b58fc483a62db32a97b82656651d",
                )),
            ),
            file(
                "setid.mat",
                Exact(14_989),
                Some(Sha256(
                    "46b8678f91fd95d3c8f4feab80d271a6c834a1dd896fe29fd3e6ad9ce5c8dccd",
                )),
            ),
        ],
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_found_with_and_without_their_family() {
        let names: BTreeSet<_> = CATALOGUE.iter().map(|set| set.name).collect();
        assert_eq!(names.len(), CATALOGUE.len());
        for set in CATALOGUE {
            let full = format!("{}/{}", set.family(), set.bare_name());
            assert_eq!(Dataset::find(set.name).unwrap(), set);
            assert_eq!(Dataset::find(&full).unwrap(), set);
        }
        for name in ["maps", "cityscapes", "facades"] {
            let message = Dataset::find(name).unwrap_err().to_string();
            assert!(message.contains(&format!("pix2pix/{name}")), "{message}");
            assert!(message.contains(&format!("cyclegan/{name}")), "{message}");
        }
        let message = Dataset::find("edges2cats").unwrap_err().to_string();
        assert!(message.contains("edges2cats") && message.contains("edges2shoes"));
    }

    #[test]
    fn every_entry_is_complete() {
        for set in CATALOGUE {
            assert!(set.files[0].is_archive(), "{}", set.name);
            assert_eq!(set.files.iter().filter(|file| file.is_archive()).count(), 1);
            assert!(!set.addresses.is_empty() && !set.rights.is_empty());
            for address in set.addresses {
                assert!(address.starts_with("http") && address.ends_with('/'));
            }
            for file in set.files {
                let (sum, length) = match file.checksum {
                    Some(Sha256(sum)) => (sum, 64),
                    Some(ReportedMd5(sum)) => (sum, 32),
                    None => continue,
                };
                let hex = |c| matches!(c, '0'..='9' | 'a'..='f');
                assert!(sum.len() == length && sum.chars().all(hex), "{}", file.name);
            }
        }
    }

    #[test]
    fn the_default_datasets_of_the_tasks_are_there() {
        for name in ["edges2shoes", "summer2winter_yosemite", "102flowers"] {
            assert_eq!(Dataset::find(name).unwrap().name, name);
        }
    }
}
