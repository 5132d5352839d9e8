"""HueNet's generator for PyTorch, with the weights that `huenet export` wrote.

    from generator import load
    generator = load("networks/generator.safetensors")
    output = generator(content, reference)

Images are `[batch, channels, height, width]` in the colour space of the run. The contents' sides are
multiples of 2^depth; one reference may stand for all contents. Where the run's settings say so, the
output is clipped to a screen's colours. Needs torch, numpy and safetensors, and Python 3.11 or later.

A generator with prediction local_maps also needs the colour maps that were fitted to each pair, as
`huenet translate --maps` writes them:

    output = generator(content, reference, maps)                # of the content's size
    output = generator(content, reference, maps, photograph)    # the content at another size
"""

import math
import tomllib

import torch
from safetensors import safe_open
from torch import nn
from torch.nn import functional as F

QUANTILES = 32
FEATURES = 128
COLOURS = 5
GRID = 8
VALUES = 12
SLOPE = 0.3

RGB_TO_YUV = torch.tensor([
    [0.299, 0.587, 0.114],
    [-0.14714119, -0.28886917, 0.43601035],
    [0.6149754, -0.5149651, -0.10001026],
])


def load(path):
    """The generator in a `generator.safetensors`, ready to be called."""
    with safe_open(path, "pt") as file:
        settings = tomllib.loads(file.metadata()["settings"])
        weights = {name: file.get_tensor(name) for name in file.keys()}
    generator = Generator(settings)
    generator.load_state_dict(weights)
    return generator.eval()


def add_norm(block, kind, channels):
    if kind == "batch":
        block.norm = nn.BatchNorm2d(channels, eps=1e-3)
    elif kind == "group":
        block.group_norm = nn.GroupNorm(channels // math.gcd(channels, 8), channels)


def normalized(block, x):
    norms = (getattr(block, name, None) for name in ("norm", "group_norm"))
    return next((norm(x) for norm in norms if norm is not None), x)


def doubled(x):
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def framed(x):
    return F.pad(x, (1, 1, 1, 1), mode="reflect")


class Down(nn.Module):
    def __init__(self, given, made, norm):
        super().__init__()
        self.conv = nn.Conv2d(given, made, 4, stride=2, padding=1, bias=False)
        add_norm(self, norm, made)

    def forward(self, x):
        return F.leaky_relu(normalized(self, self.conv(x)), SLOPE)


class Up(nn.Module):
    def __init__(self, given, made, norm):
        super().__init__()
        self.conv = nn.Conv2d(given, made, 3)
        add_norm(self, norm, made)

    def forward(self, x, modulation):
        x = normalized(self, self.conv(framed(doubled(x))))
        if modulation is not None:
            scale, shift = modulation[:, :, None, None].chunk(2, dim=1)
            x = x * (1 + scale) + shift
        # In training the official generator has dropout here, after the first three.
        return F.relu(x)


class HistogramEncoder(nn.Module):
    """Looks each bin's pixel count up, and reads all of them."""

    def __init__(self, channels, bins, pixels):
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(pixels + 1, 1) for _ in range(channels))
        self.dense = nn.Linear(channels * bins, 2 * bins)

    def forward(self, counts):
        rows = self.tables[0].num_embeddings - 1
        # The tables are of the configured number of pixels.
        counts = counts.double() * rows / counts.sum(2, keepdim=True)
        counts = counts.round().long()
        read = [table(counts[:, channel]) for channel, table in enumerate(self.tables)]
        return F.relu(self.dense(torch.cat(read, dim=2).flatten(1)))


class DistributionEncoder(nn.Module):
    """Reads both images' quantiles; its modulations scale and shift the channels of each doubling."""

    def __init__(self, inputs, levels):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(size, FEATURES) for size in (inputs, FEATURES))
        self.modulations = nn.ModuleList(nn.Linear(FEATURES, 2 * size) for size in levels)

    def forward(self, quantiles):
        for layer in self.layers:
            quantiles = F.leaky_relu(layer(quantiles), SLOPE)
        return quantiles


class Palette(nn.Module):
    """Colours made of both images' quantiles."""

    def __init__(self, channels):
        super().__init__()
        self.quantiles = nn.Linear(2 * QUANTILES, COLOURS, bias=False)
        self.features = nn.Linear(FEATURES, channels * COLOURS)

    def forward(self, quantiles, features):
        rows = quantiles.unflatten(1, (2, -1, QUANTILES)).transpose(1, 2).flatten(2)
        return self.quantiles(rows) + self.features(features).unflatten(1, (-1, COLOURS))


class Resize(nn.Module):
    """The last layer without a transposed convolution."""

    def __init__(self, features, given, made):
        super().__init__()
        self.features = nn.Conv2d(features, made, 3, padding=1)
        self.given = nn.Conv2d(given, made, 3, bias=False)

    def forward(self, features, given):
        return doubled(self.features(features)) + self.given(framed(given))


class Maps(nn.Module):
    """The change to fitted colour maps, `[batch, 12, levels, rows, columns]`."""

    def __init__(self, features):
        super().__init__()
        self.conv = nn.Conv2d(features, VALUES * GRID, 3)

    def forward(self, features):
        down, across = (around_cells(side).to(features) for side in features.shape[2:])
        change = self.conv(framed(down @ features @ across.T))
        change = change / (9 * features.shape[1]) ** 0.5
        return change.unflatten(1, (VALUES, GRID))


def around_cells(side):
    """What each row or column of the grid is read from `side` pixels with."""
    cells = torch.arange(GRID)[:, None] / (GRID - 1)
    pixels = (torch.arange(side) + 0.5) / side
    near = (1 - (pixels - cells).abs() / max(1 / (GRID - 1), 1 / side)).clamp(min=0)
    return near / near.sum(1, keepdim=True)


def sliced(maps, image, luma):
    """Each pixel as its map makes it; the map depends on the pixel's place and luma in [0, 1]."""
    y, x = ((2 * torch.arange(side).to(image) + 1) / side - 1 for side in image.shape[2:])
    y, x = torch.meshgrid(y, x, indexing="ij")
    level = 2 * luma[:, 0].clamp(0, 1) - 1
    at = torch.stack([x.expand_as(level), y.expand_as(level), level], dim=3)[:, None]
    read = F.grid_sample(maps, at, padding_mode="border", align_corners=True)
    factors, offset = read[:, :, 0].unflatten(1, (3, 4)).split([3, 1], dim=2)
    return (factors * image[:, None]).sum(2) + offset[:, :, 0]


def occurrences(places, count):
    """How often each of the first whole numbers occurs in each channel."""
    none = torch.zeros(*places.shape[:2], count, device=places.device)
    return none.scatter_add(2, places, torch.ones_like(places, dtype=none.dtype))


class Matching:
    """The content with each channel moved onto the reference's histogram of K bins."""

    def __init__(self, content, counts):
        self.shape, self.bins = content.shape, counts.shape[2]
        half = self.bins / 2
        self.levels = (content.flatten(2) * half + (half + 0.5)).clamp(0, self.bins).long()
        self.content = occurrences(self.levels, self.bins + 1) / self.levels.shape[2]
        self.reference = counts / counts.sum(2, keepdim=True)

    def matched(self):
        ranks = self.content.cumsum(2) - self.content / 2
        curves = self.value(places(self.reference, ranks))
        return curves.gather(2, self.levels).reshape(self.shape)

    def quantiles(self):
        ranks = (torch.arange(QUANTILES, device=self.levels.device) + 0.5) / QUANTILES
        ranks = ranks.expand(*self.reference.shape[:2], QUANTILES)
        reference = self.value(places(self.reference, ranks))
        content = self.value(places(self.content, ranks) - 0.5)
        return torch.cat([reference.flatten(1), content.flatten(1)], dim=1)

    def value(self, place):
        return place / (self.bins / 2) - 1


def places(shares, ranks):
    """Where on the axis of its bins a distribution has reached each rank."""
    ends = shares.cumsum(2)
    bins = (ends[:, :, None] < ranks[..., None]).sum(3).clamp(max=shares.shape[2] - 1)
    inside = shares.gather(2, bins)
    part = (ranks - (ends.gather(2, bins) - inside)) / inside.clamp(min=2.0**-23)
    return bins + part.clamp(0, 1)


class Generator(nn.Module):
    def __init__(self, settings):
        super().__init__()
        self.settings = s = settings
        widths = [s["base_width"] * 2 ** min(level, 3) for level in range(s["depth"])]
        channels, modulated = s["img_c"], s["conditioning"] == "modulation"
        self.changes_maps = s["prediction"] == "local_maps"
        given = channels * (1 + s["matched_content"] + self.changes_maps)
        norms = [None] + [s["normalization"]] * (s["depth"] - 1)
        blocks = zip([given, *widths], widths, norms)
        self.downs = nn.ModuleList(Down(*block) for block in blocks)
        skips = widths[-2::-1][:self.doublings()]
        inputs = [widths[-1] + (FEATURES if modulated else 2 * s["bin_num"])]
        inputs += [2 * width for width in skips[:-1]]
        blocks = zip(inputs, skips)
        self.ups = nn.ModuleList(Up(*block, s["normalization"]) for block in blocks)
        if modulated:
            self.distribution = DistributionEncoder(2 * channels * QUANTILES, skips)
        else:
            pixels = s["img_h"] * s["img_w"]
            self.histogram = HistogramEncoder(channels, s["bin_num"], pixels)
        if self.changes_maps:
            self.maps = Maps(2 * skips[-1] if skips else inputs[0])
            return
        painted = {"image": 0, "change": 0, "palette": COLOURS, "blend": COLOURS + channels}
        made = channels + painted[s["prediction"]]
        if s["last_layer"] == "transposed":
            self.last = nn.ConvTranspose2d(2 * widths[0], made, 4, stride=2, padding=1)
        else:
            self.resize = Resize(2 * widths[0], given, made)
        if painted[s["prediction"]]:
            self.palette = Palette(channels)

    def doublings(self):
        """How many doublings there are: up to half the image's size, or to that of the grid."""
        s = self.settings
        most, smallest = s["depth"] - 1, min(s["img_h"], s["img_w"])
        if not self.changes_maps:
            return most
        reach = (n for n in range(most) if smallest >> (s["depth"] - n) >= GRID)
        return next(reach, most)

    def forward(self, content, reference, maps=None, photograph=None):
        s, counts = self.settings, self.counts(reference)
        counts = counts.expand(len(content), -1, -1)
        matching, quantiles, matched = None, None, None
        if s["matched_content"] or s["conditioning"] == "modulation":
            matching = Matching(content, counts)
        given = [content]
        if s["matched_content"]:
            matched = matching.matched()
            given.append(matched)
        if self.changes_maps:
            given.append(sliced(maps, content, self.luma(content)))
        given = torch.cat(given, dim=1)
        x, downs = given, []
        for down in self.downs:
            x = down(x)
            downs.append(x)
        if s["conditioning"] == "modulation":
            quantiles = matching.quantiles()
            told = self.distribution(quantiles)
            modulations = [layer(told) for layer in self.distribution.modulations]
        else:
            told = self.histogram(counts)
            modulations = [None] * len(self.ups)
        x = torch.cat([x, told[:, :, None, None].expand(-1, -1, *x.shape[2:])], dim=1)
        for up, modulation, skip in zip(self.ups, modulations, downs[-2::-1]):
            x = torch.cat([up(x, modulation), skip], dim=1)
        if self.changes_maps:
            image = content if photograph is None else photograph
            image = sliced(maps + self.maps(x), image, self.luma(image))
            return displayable(s, image) if s["displayable"] else image
        transposed = s["last_layer"] == "transposed"
        predicted = self.last(x) if transposed else self.resize(x, given)
        image = self.image(predicted, content, matched, quantiles, told)
        return displayable(s, image) if s["displayable"] else image

    def luma(self, image):
        """From 0 to 1, `[batch, 1, height, width]`."""
        if not self.settings["yuv"]:
            image = torch.einsum("c,bchw->bhw", RGB_TO_YUV[0].to(image), image)[:, None]
        return (image[:, :1] + 1) / 2

    def counts(self, reference):
        """How many of the reference's pixels are in each bin, `[batch, channels, K]`."""
        s = self.settings
        bins, low, high = s["bin_num"], s["min_val"], s["max_val"]
        places = (reference.flatten(2).double().clamp(min=low) - low) / ((high - low) / bins)
        return occurrences(places.long().clamp(max=bins - 1), bins)

    def image(self, predicted, content, matched, quantiles, told):
        kind, channels = self.settings["prediction"], content.shape[1]
        if kind == "image":
            return predicted.tanh()
        if kind == "change":
            return content + predicted
        changes, masks = predicted[:, :channels], predicted[:, channels:channels + COLOURS]
        colours = self.palette(quantiles, told)
        painted = torch.einsum("bck,bkhw->bchw", colours, (1 + masks.tanh()) / 2)
        if kind == "blend":
            gates = predicted[:, channels + COLOURS:]
            content = content + (1 + (2 + gates).tanh()) / 2 * (matched - content)
        return content + 2 * changes.tanh() + painted


def displayable(settings, image):
    """Red, green and blue clipped to what a screen has."""
    if settings["img_c"] == 1 or not settings["yuv"]:
        return image.clamp(-1, 1)
    black = torch.tensor([-1.0, 0.0, 0.0], device=image.device)[:, None, None]
    to_yuv = RGB_TO_YUV.to(image.device)
    rgb = torch.einsum("rc,bchw->brhw", to_yuv.inverse(), (image - black) / 2)
    return 2 * torch.einsum("cr,brhw->bchw", to_yuv, rgb.clamp(0, 1)) + black
