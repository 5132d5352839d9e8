"""Reading by Pillow and by OpenCV: decode, resize to 256x256 by nearest neighbour, scaled YUV planes.

    pip install Pillow opencv-python-headless numpy
    python crates/data/benches/peers.py FOLDER... [--seconds S]

Prints images a second with one thread and with two, as `cargo bench -p huenet-data` does for
huenet-data and for the crate `image` on the same folders.
"""

import argparse
import os
import time
from concurrent.futures import ThreadPoolExecutor

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import numpy as np
from PIL import Image

SIZE = (256, 256)

# TensorFlow's RGB to YUV matrix with the scaling (2Y - 1, 2U, 2V) of bytes folded into it: one
# matrix of three rows and an offset, so that each library does its work in a single call.
YUV_OF_RGB = np.array(
    [
        [0.299, 0.587, 0.114],
        [-0.14714119, -0.28886916, 0.43601035],
        [0.61497538, -0.51496512, -0.10001026],
    ]
)
SCALED = np.hstack([YUV_OF_RGB * 2 / 255, [[-1.0], [0.0], [0.0]]]).astype(np.float32)


def with_opencv(path):
    image = cv2.imread(path, cv2.IMREAD_COLOR_RGB)
    image = cv2.resize(image, SIZE, interpolation=cv2.INTER_NEAREST)
    planes = np.empty((3, SIZE[1], SIZE[0]), np.float32)
    cv2.split(cv2.transform(image.astype(np.float32), SCALED), list(planes))
    return planes


def with_pillow(path):
    with Image.open(path) as image:
        image = image.convert("RGB").resize(SIZE, Image.Resampling.NEAREST)
    pixels = np.asarray(image).reshape(-1, 3).astype(np.float32)
    planes = SCALED[:, :3] @ pixels.T
    planes[0] -= 1
    return planes.reshape(3, SIZE[1], SIZE[0])


def rate(read, paths, threads, seconds):
    """Images a second: the best of as many passes as fit into the time, at least three."""
    best, start, passes = 0.0, time.perf_counter(), 0
    with ThreadPoolExecutor(threads) as pool:
        while passes < 3 or time.perf_counter() - start < seconds:
            begun = time.perf_counter()
            if threads == 1:
                for path in paths:
                    read(path)
            else:
                list(pool.map(read, paths, chunksize=1))
            best = max(best, len(paths) / (time.perf_counter() - begun))
            passes += 1
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--seconds", type=float, default=2.0)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"Pillow {Image.__version__}, OpenCV {cv2.__version__}, numpy {np.__version__}")
    for folder in arguments.folders:
        paths = sorted(entry.path for entry in os.scandir(folder) if entry.is_file())
        one, other = with_opencv(paths[0]), with_pillow(paths[0])
        assert one.shape == other.shape and one.dtype == other.dtype
        print(f"{folder}: {len(paths)} images")
        for name, read in [("Pillow", with_pillow), ("OpenCV", with_opencv)]:
            rates = [rate(read, paths, threads, arguments.seconds) for threads in (1, 2)]
            print(f"  {name:<8} {rates[0]:7.0f}/s with one thread, {rates[1]:7.0f}/s with two")


if __name__ == "__main__":
    main()
