"""Cuts photographs into square tiles at several scales, to train small models on few photographs.

    python3 tiles.py PHOTOGRAPHS... --output FOLDER [--side 256]

Of each photograph it writes the middle square, and all tiles of the photograph with its shorter side scaled to two and
to four times the tile's. Photographs are never enlarged. Needs Pillow.
"""

import argparse
import collections
import pathlib

from PIL import Image, ImageOps


def tiles(image, side):
    """The tiles of an image, each with its name."""
    shorter = min(image.size)
    for scale in (scale for scale in (1, 2, 4) if scale * side <= shorter):
        width, height = (round(length * scale * side / shorter) for length in image.size)
        scaled = image.resize((width, height), Image.Resampling.LANCZOS)
        if scale == 1:
            left, top = (width - side) // 2, (height - side) // 2
            yield "whole", scaled.crop((left, top, left + side, top + side))
            continue
        for row in range(height // side):
            for column in range(width // side):
                box = (column * side, row * side, (column + 1) * side, (row + 1) * side)
                yield f"{scale}-{row}-{column}", scaled.crop(box)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", nargs="+", type=pathlib.Path)
    parser.add_argument("--output", required=True, type=pathlib.Path)
    parser.add_argument("--side", type=int, default=256)
    arguments = parser.parse_args()
    names = collections.Counter(path.stem for path in arguments.photographs)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        parser.error(f"tiles are named after their photographs, and several are called {', '.join(twice)}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    for path in arguments.photographs:
        photograph = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        for name, tile in tiles(photograph, arguments.side):
            tile.save(arguments.output / f"{path.stem}-{name}.png")


if __name__ == "__main__":
    main()
