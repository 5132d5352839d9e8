# Fits maps with the page's module to what a network is given, and prints as JSON how far each is from those that huenet
# fitted, and how far those are from one another.
import json
import sys

import numpy as np
from safetensors.numpy import load_file

job = json.load(sys.stdin)
sys.dont_write_bytecode = True
sys.path.insert(0, job["modules"])
from fit_maps import fit

given = load_file(job["given"])
maps = fit(given["content"][0], given["reference"][0], job["colours"])
expected = given["maps"][0]
assert maps.shape == expected.shape, (maps.shape, expected.shape)
differences = np.abs(maps - expected)
print(json.dumps({
    "largest": float(differences.max()),
    "mean": float(differences.mean()),
    "spread": float(expected.std(axis=(1, 2, 3)).mean()),
}))
