# Checks a model with ONNX's own checker, runs it with onnxruntime, and prints as JSON what it says of itself and how
# far its outputs are from those that are expected.
import json
import sys

import numpy as np
import onnx
import onnxruntime

job = json.load(sys.stdin)
onnx.checker.check_model(job["model"], full_check=True)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(job["model"], options, providers=["CPUExecutionProvider"])


def images(file):
    return np.fromfile(file["path"], "<f4").reshape(file["shape"])


differences = []
for case in job["cases"]:
    given = {name: images(file) for name, file in case["inputs"].items()}
    (output,) = session.run(["output"], given)
    expected = images(case["expected"])
    assert output.shape == expected.shape, (output.shape, expected.shape)
    differences.append(float(np.abs(output - expected).max()))
print(json.dumps({
    "differences": differences,
    "about": session.get_modelmeta().custom_metadata_map,
    "inputs": [[value.name, value.shape] for value in session.get_inputs()],
}))
