# Loads exported weights with the page's module for PyTorch, and prints as JSON how far its outputs are from those that
# are expected.
import json
import sys

import numpy as np
import torch

job = json.load(sys.stdin)
sys.dont_write_bytecode = True
sys.path.insert(0, job["modules"])
from generator import load

torch.set_num_threads(1)
generator = load(job["weights"])


def images(file):
    return torch.from_numpy(np.fromfile(file["path"], "<f4").reshape(file["shape"]))


differences = []
for case in job["cases"]:
    with torch.no_grad():
        output = generator(**{name: images(file) for name, file in case["inputs"].items()})
    differences.append(float((output - images(case["expected"])).abs().max()))
print(json.dumps(differences))
