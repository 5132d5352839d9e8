//! Reading images: decode, resize to 256×256 by nearest neighbour, scaled YUV planes.
//!
//! `cargo bench -p huenet-data` reads the demo set's photographs;
//! `HUENET_BENCH_FOLDERS=FOLDER:FOLDER cargo bench -p huenet-data` those in the folders. It
//! compares this crate with the crate `image` alone, by one thread and by two, and prints the
//! ratios at the end. `peers.py` beside this file does the same work with Pillow and OpenCV.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use huenet_data::{
    ColourSpace, CountBins, ImageSize, Preprocessing, ResizeFilter, colour, read_image,
};
use image::imageops::{self, FilterType};

const SIDE: usize = 256;

/// An image file to `[3, SIDE, SIDE]`.
type Read = fn(&Path) -> Vec<f32>;

fn ours(path: &Path) -> Vec<f32> {
    let preprocessing = Preprocessing {
        size: ImageSize::new(SIDE, SIDE).expect("valid"),
        resize: ResizeFilter::Nearest,
        colour: ColourSpace::Yuv,
        jitter: false,
        counts: CountBins::new(256, -1.0, 1.0).expect("valid"),
    };
    let image = read_image(path).expect("an image");
    preprocessing.apply(&image).into_planes()
}

/// As one would write it with the crate `image`.
fn image_alone(path: &Path) -> Vec<f32> {
    let image = image::open(path).expect("an image").into_rgb8();
    let image = imageops::resize(&image, SIDE as u32, SIDE as u32, FilterType::Nearest);
    let mut planes = vec![0.0; 3 * SIDE * SIDE];
    for (i, pixel) in image.pixels().enumerate() {
        let yuv = colour::rgb_to_yuv(pixel.0.map(f32::from));
        for (channel, value) in yuv.into_iter().enumerate() {
            planes[channel * SIDE * SIDE + i] = value;
        }
    }
    planes
}

const READERS: [(&str, Read); 2] = [("huenet-data", ours), ("image", image_alone)];

/// Reads every file once, shared among threads.
fn pass(read: Read, files: &[PathBuf], threads: usize) {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            std::hint::black_box(read(path));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder can be listed");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|it| it == "jpg"))
        .collect();
    files.sort();
    files
}

fn main() {
    let folders = std::env::var_os("HUENET_BENCH_FOLDERS").map_or_else(
        || vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("assets")],
        |folders| std::env::split_paths(&folders).collect(),
    );
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .sample_size(10)
        .configure_from_args();
    let mut table = Vec::new();
    for folder in &folders {
        let files = files(folder);
        let name = folder.display().to_string();
        let mut group = criterion.benchmark_group(&name);
        group.throughput(Throughput::Elements(files.len() as u64));
        for threads in [1, 2] {
            let rates = READERS.map(|(reader, read)| {
                let mut fastest = f64::INFINITY;
                group.bench_function(BenchmarkId::new(reader, threads), |bencher| {
                    bencher.iter_custom(|passes| {
                        let times = (0..passes).map(|_| {
                            let start = Instant::now();
                            pass(read, &files, threads);
                            let time = start.elapsed();
                            fastest = fastest.min(time.as_secs_f64());
                            time
                        });
                        times.sum()
                    });
                });
                files.len() as f64 / fastest
            });
            table.push((name.clone(), threads, rates));
        }
        group.finish();
    }
    criterion.final_summary();
    println!("\nimages a second, fastest pass");
    println!("threads  huenet-data    image    ratio  folder");
    for (name, threads, [ours, image]) in table {
        let ratio = ours / image;
        println!("{threads:>7}  {ours:>11.0}  {image:>7.0}  {ratio:>7.2}  {name}");
    }
}
