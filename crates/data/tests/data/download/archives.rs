//! Archives in the layouts of the published ones, and hostile ones. The end-to-end tests use them
//! too.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A file of an archive: its path and content.
pub(crate) type Entry = (String, Vec<u8>);

/// edges2shoes: pairs side by side, in a folder of the set's name.
pub(crate) fn pix2pix(name: &str) -> Vec<Entry> {
    let train = (1..=4).map(|n| (format!("{name}/train/{n}_AB.jpg"), picture(n, 64, 32)));
    let val = (1..=2).map(|n| (format!("{name}/val/{n}_AB.jpg"), picture(10 + n, 64, 32)));
    train.chain(val).collect()
}

/// summer2winter_yosemite: names that are times, with blanks and colons.
pub(crate) fn cyclegan(name: &str) -> Vec<Entry> {
    let parts = [("trainA", 3), ("trainB", 3), ("testA", 1), ("testB", 1)];
    let file = |part: &str, n: u8| {
        let path = format!("{name}/{part}/2011-05-2{n} 10:20:2{n}.jpg");
        (path, picture(n, 40, 40))
    };
    parts
        .iter()
        .flat_map(|(part, count)| (0..*count).map(|n| file(part, n)))
        .collect()
}

/// 102flowers: `jpg/` on top.
pub(crate) fn flowers() -> Vec<Entry> {
    (1..=9)
        .map(|n| (format!("jpg/image_{n:05}.jpg"), picture(n, 50, 44)))
        .collect()
}

/// imagelabels.mat for [`flowers`].
pub(crate) fn labels() -> Vec<u8> {
    mat(&[("labels", &[1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 5.0])])
}

/// setid.mat for [`flowers`].
pub(crate) fn split() -> Vec<u8> {
    mat(&[
        ("trnid", &[1.0, 3.0, 5.0, 7.0]),
        ("valid", &[2.0, 4.0]),
        ("tstid", &[6.0, 8.0, 9.0]),
    ])
}

/// A MATLAB 5 file of row vectors.
fn mat(vectors: &[(&str, &[f64])]) -> Vec<u8> {
    let element = |kind: u32, data: &[u8]| {
        let mut bytes = [kind.to_le_bytes(), (data.len() as u32).to_le_bytes()].concat();
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    };
    let words = |words: [u32; 2]| words.map(u32::to_le_bytes).concat();
    let mut file = vec![b' '; 124];
    file.extend(b"\x00\x01IM");
    for (name, values) in vectors {
        let numbers: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let array = [
            element(6, &words([6, 0])),
            element(5, &words([1, values.len() as u32])),
            element(1, name.as_bytes()),
            element(9, &numbers),
        ];
        file.extend(element(14, &array.concat()));
    }
    file
}

/// A small JPEG file, other for every number, with enough in it that it packs as badly as a
/// photograph.
pub(crate) fn picture(number: u8, width: u32, height: u32) -> Vec<u8> {
    let image = image::RgbImage::from_fn(width, height, |x, y| {
        let noise = (x * 7919 + y * 104_729 + u32::from(number) * 31).wrapping_mul(2_654_435_761);
        image::Rgb([(noise >> 8) as u8, (noise >> 16) as u8, (noise >> 24) as u8])
    });
    let mut bytes = Cursor::new(Vec::new());
    image
        .write_to(&mut bytes, image::ImageFormat::Jpeg)
        .expect("writes to memory");
    bytes.into_inner()
}

pub(crate) fn tar_gz(entries: &[Entry]) -> Vec<u8> {
    let mut archive = TarGz::new();
    for (path, content) in entries {
        archive.file(path, content);
    }
    archive.finish()
}

pub(crate) fn zip(entries: &[Entry]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (path, content) in entries {
        writer
            .start_file(path.as_str(), options)
            .expect("a name that zip takes");
        writer.write_all(content).expect("writes to memory");
    }
    writer.finish().expect("writes to memory").into_inner()
}

/// A `.tar.gz` that may hold what an honest one does not.
pub(crate) struct TarGz(Builder<GzEncoder<Vec<u8>>>);

impl TarGz {
    pub(crate) fn new() -> Self {
        Self(Builder::new(GzEncoder::new(
            Vec::new(),
            Compression::fast(),
        )))
    }

    pub(crate) fn file(&mut self, path: &str, content: &[u8]) -> &mut Self {
        self.entry(path, EntryType::Regular, "", content.len() as u64, content)
    }

    /// An entry whose path, link and size are taken as they are.
    pub(crate) fn entry(
        &mut self,
        path: impl AsRef<[u8]>,
        kind: EntryType,
        link: &str,
        size: u64,
        content: &[u8],
    ) -> &mut Self {
        let mut header = Header::new_gnu();
        // Not set_path, which refuses what a hostile archive holds.
        let name = &mut header.as_gnu_mut().expect("a GNU header").name;
        let path = path.as_ref();
        name[..path.len()].copy_from_slice(path);
        let target = &mut header.as_gnu_mut().expect("a GNU header").linkname;
        target[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(0o644);
        header.set_cksum();
        self.0.append(&header, content).expect("writes to memory");
        self
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        let gz = self.0.into_inner().expect("writes to memory");
        gz.finish().expect("writes to memory")
    }
}
