"""The figures of `huenet evaluate`, by their definitions, with numpy and scikit-image in double precision.

Reads a JSON object from the standard input: `root`, `pairs` (content and reference of each, below the root), `grey`
(whether contents are made grey), `size` (height and width) and `outputs`, a file of the generator's images, float32,
[pair, channel, row, column]. Prints an object with a list for each method: the figures of each pair.
"""

import json
import sys

import numpy as np
from scipy.special import expit
from scipy.stats import wasserstein_distance
from skimage.exposure import match_histograms
from skimage.io import imread
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

BINS = 256
WIDTH = 2 / BINS
YUV = np.array(
    [
        [0.299, 0.587, 0.114],
        [-0.14714119, -0.28886916, 0.43601035],
        [0.61497538, -0.51496512, -0.10001026],
    ]
)
LMS = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
LAB = np.diag(1 / np.sqrt([3, 6, 2])) @ np.array([[1, 1, 1], [1, 1, -2], [1, -1, 0]])


def planes(rgb):
    """[height, width, 3] in [0, 1] to [3, height, width]: luma in [-1, 1], both chroma channels doubled too.

    In single precision with fused sums, as networks see images: which values are equal decides where matching puts
    them.
    """
    single = lambda x: x.astype(np.float32).astype(float)
    r, g, b = np.moveaxis(single(rgb), 2, 0)
    y, u, v = [single(single(single(r * row[0]) + g * row[1]) + b * row[2]) for row in single(YUV)]
    return np.stack([single(2 * y - 1), 2 * u, 2 * v])


def colours(planes):
    """The way back; nothing is clipped."""
    y, u, v = planes
    return np.stack([(y + 1) / 2, u / 2, v / 2], axis=2) @ np.linalg.inv(YUV).T


def windows(values):
    """[N] to [N, BINS]: how much of each value lies in each bin, mass beyond a border mirrored in it once."""
    edges = -1 + WIDTH * np.arange(-BINS, 2 * BINS + 1)
    above = expit((values.reshape(-1, 1) - edges) / (WIDTH / 2.5))
    mass = above[:, :-1] - above[:, 1:]
    left, inside, right = np.split(mass, 3, axis=1)
    return inside + left[:, ::-1] + right[:, ::-1]


class Image:
    def __init__(self, planes):
        self.planes = planes
        self.windows = [windows(plane) for plane in planes]
        self.histograms = [each.mean(axis=0) for each in self.windows]

    def luma(self):
        return (self.planes[0] + 1) / 2


def distance(p, q):
    """The earth mover's distance: the root mean square of the difference of cumulative histograms."""
    return np.sqrt(np.mean(np.cumsum(p - q) ** 2))


def conditional_entropy(x, y):
    """H(x | y) in nats, of the windows of two channels."""
    joint = x.T @ y / len(x)
    entropy = lambda p: -np.sum(np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0))
    return entropy(joint) - entropy(joint.sum(axis=0))


def out_of_gamut(rgb):
    half_level = 0.5 / 255
    return np.mean(((rgb < -half_level) | (rgb > 1 + half_level)).any(axis=2))


def directions(count=64):
    """Points on half a sphere, along a spiral."""
    k = np.arange(count)
    z, angle = (k + 0.5) / count, k * np.pi * (3 - np.sqrt(5))
    radius = np.sqrt(1 - z**2)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=1)


def sliced(a, b):
    """The sliced 1-Wasserstein distance of colours."""
    a, b = [directions() @ image.reshape(-1, 3).T for image in (a, b)]
    return np.mean([wasserstein_distance(x, y) for x, y in zip(a, b)])


def steps(image):
    """The differences of neighbours, [neighbours, channels]."""
    return np.concatenate([np.diff(image, axis=axis).reshape(-1, image.shape[2]) for axis in (0, 1)])


def cliffs(output, content):
    steepness = lambda image: np.linalg.norm(steps(image), axis=1) + 0.02
    return np.percentile(steepness(output) / steepness(content), 95)


def noise(output, content):
    median = lambda image: max(np.median(np.abs(steps(image) @ [0.299, 0.587, 0.114])), 0.001)
    return median(output) / median(content)


def of_spread(covariance, function):
    """A function of the variances along the axes of a covariance, with those that are none left out."""
    variances, axes = np.linalg.eigh(covariance)
    least = max(1e-6 * variances.max(), 1e-10)
    return axes @ np.diag([function(v) if v > least else 0 for v in variances]) @ axes.T


def monge_kantorovich(content, reference):
    (a, mean_a), (b, mean_b) = [
        (np.cov(i.reshape(-1, 3).T, bias=True), i.reshape(-1, 3).mean(axis=0)) for i in (content, reference)
    ]
    root, inverse = of_spread(a, np.sqrt), of_spread(a, lambda v: 1 / np.sqrt(v))
    variances, axes = np.linalg.eigh(root @ b @ root)
    middle = axes @ np.diag(np.sqrt(np.maximum(variances, 0))) @ axes.T
    return (content - mean_a) @ (inverse @ middle @ inverse).T + mean_b


def reinhard(content, reference):
    to_lab = lambda rgb: np.log10(np.maximum(rgb, 0.5 / 255).reshape(-1, 3) @ LMS.T) @ LAB.T
    a, b = to_lab(content), to_lab(reference)
    spread = a.std(axis=0)
    scale = [
        b_spread / a_spread if a_spread > max(1e-3 * spread.max(), 1e-5) else 0
        for a_spread, b_spread in zip(spread, b.std(axis=0))
    ]
    lab = (a - a.mean(axis=0)) * scale + b.mean(axis=0)
    return (10 ** (lab @ LAB) @ np.linalg.inv(LMS).T).reshape(content.shape)


def matched(content, reference):
    # Without spread a channel has no quantiles: it becomes the reference's mean.
    one = lambda x, y: match_histograms(x, y) if np.ptp(x) > 1e-5 else np.full_like(x, y.mean())
    return np.stack([one(x, y) for x, y in zip(content, reference)])


def figures(content, reference, output, outside, others, paired):
    channels = list(zip(output.histograms, reference.histograms))
    rows = [distance(p, q) for p, q in channels]
    ssim = lambda a, b, **more: structural_similarity(a, b, win_size=7, data_range=1.0, **more)
    clipped = [np.clip(colours(image.planes), 0, 1) for image in (content, reference, output)]
    found = {
        "emd": np.mean(rows),
        "emd_y": rows[0],
        "emd_u": rows[1],
        "emd_v": rows[2],
        "emd_other": np.mean(
            [np.mean([distance(p, q) for p, q in zip(output.histograms, other.histograms)]) for other in others]
        ),
        "h_content_given_output": np.mean(
            [conditional_entropy(x, y) for x, y in zip(content.windows, output.windows)]
        ),
        "histogram_intersection": np.mean([np.minimum(p, q).sum() for p, q in channels]),
        "ssim_luma": ssim(output.luma(), content.luma()),
        "swd": sliced(clipped[2], clipped[1]),
        "cliffs": cliffs(clipped[2], clipped[0]),
        "noise": noise(clipped[2], clipped[0]),
        "out_of_gamut": outside,
    }
    if paired:
        _, a, b = clipped
        found["psnr"] = peak_signal_noise_ratio(a, b, data_range=1.0)
        found["ssim"] = ssim(a, b, channel_axis=2)
    return found


def main():
    job = json.load(sys.stdin)
    grey = lambda rgb: np.repeat((rgb @ [0.2989, 0.587, 0.114])[:, :, None], 3, axis=2)
    read = lambda name: imread(f"{job['root']}/{name}") / 255
    pairs = [(read(content), read(reference)) for content, reference in job["pairs"]]
    if job["grey"]:
        pairs = [(grey(content), reference) for content, reference in pairs]
    height, width = job["size"]
    generated = np.fromfile(job["outputs"], "<f4").reshape(-1, 3, height, width).astype(float)
    references = [Image(planes(reference)) for _, reference in pairs]
    clipped = lambda rgb: planes(np.clip(rgb, 0, 1))
    found = {}
    for i, (content, reference) in enumerate(pairs):
        c, r = Image(planes(content)), references[i]
        match = matched(c.planes, r.planes)
        moved, mapped = reinhard(content, reference), monge_kantorovich(content, reference)
        others = [other for other, (_, name) in zip(references, job["pairs"]) if name != job["pairs"][i][1]]
        for method, output, outside in (
            ("generator", generated[i], colours(generated[i])),
            ("nothing", c.planes, content),
            ("histogram_matching", match, colours(match)),
            ("reinhard", clipped(moved), moved),
            ("monge_kantorovich", clipped(mapped), mapped),
        ):
            of_pair = figures(c, r, Image(output), out_of_gamut(outside), others, job["grey"])
            found.setdefault(method, []).append(of_pair)
    print(json.dumps(found))


main()
