# Fits maps with the page's module to what a network is given, and prints as JSON how far what they make of the content is
# from what those make that huenet fitted, and how far these change it: in levels of 255.
import json
import sys

import numpy as np
from safetensors.numpy import load_file

job = json.load(sys.stdin)
sys.dont_write_bytecode = True
sys.path.insert(0, job["modules"])
from fit_maps import LUMA, fit

given = load_file(job["given"])
content = given["content"][0].astype(float)
luma = (content[0] + 1) / 2
if job["colours"] == "rgb":
    luma = (np.einsum("c,chw->hw", LUMA, content) + 1) / 2


def near(places, cells):
    """What each place, from 0 to 1, reads of each cell: `[cells, ...]`."""
    cell = np.arange(cells).reshape(-1, *[1] * places.ndim)
    return np.maximum(0, 1 - np.abs(places * (cells - 1) - cell))


def made(maps):
    levels, rows, columns = maps.shape[1:]
    down, across = ((np.arange(side) + 0.5) / side for side in luma.shape)
    reads = near(luma.clip(0, 1), levels), near(down, rows), near(across, columns)
    of_pixels = np.einsum("vlrc,lhw,rh,cw->vhw", maps, *reads, optimize=True)
    inputs = np.concatenate([content, np.ones_like(content[:1])])
    return (of_pixels.reshape(3, 4, *luma.shape) * inputs).sum(1)


ours = made(fit(given["content"][0], given["reference"][0], job["colours"]))
theirs = made(given["maps"][0])
off, moved = (127.5 * np.abs(theirs - other) for other in (ours, content))
print(json.dumps({"largest": off.max(), "mean": off.mean(), "moved": moved.mean()}))
