"""The colour maps that HueNet fits to a pair before a generator of prediction local_maps changes them.

    from fit_maps import fit
    maps = fit(content, reference)

Images are `[3, height, width]`, maps `[12, levels, rows, columns]`, both in the colour space of the run.
They make the picture that those of `huenet translate --maps` make, to about one level of 255. Needs
numpy and scipy.
"""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import factorized

GRID = np.array([8, 8, 8])    # levels, rows, columns
SIDE, SMOOTHNESS, REPEATS, ROTATIONS, PARTS = 64, 2, 3, 20, 1024
LUMA = np.array([0.299, 0.587, 0.114])
YUV = np.array([
    [0.299, 0.587, 0.114],
    [-0.14714119, -0.28886917, 0.43601035],
    [0.6149754, -0.5149651, -0.10001026],
])


def fit(content, reference, colours="yuv"):
    space = np.eye(4)
    space[:3, :3] = 2 * (YUV if colours == "yuv" else np.eye(3))
    space[:3, 3] = [-1, 0, 0] if colours == "yuv" else -1
    back = np.linalg.inv(space)

    def pixels(image):
        rgb = np.einsum("rc,chw->hwr", back[:3, :3], image.astype(float)) + back[:3, 3]
        return reduced(rgb.clip(0, 1))

    whole = np.zeros((*GRID, 4, 4))
    whole[..., 3, 3] = 1
    whole[..., :3, :] = fitted(pixels(content), pixels(reference))
    maps = (space @ whole @ back)[..., :3, :].reshape(*GRID, 12)
    return maps.transpose(3, 0, 1, 2).astype(np.float32)


def reduced(image):
    """The image averaged down to the working size."""
    longest = max(image.shape[:2])
    if longest <= SIDE:
        return image
    for axis in range(2):
        before = image.shape[axis]
        after = max(1, int(before * SIDE / longest + 0.5))
        edges = np.arange(after + 1) * before / after
        ends = np.minimum(np.arange(1, before + 1), edges[1:, None])
        starts = np.maximum(np.arange(before), edges[:-1, None])
        weights = (ends - starts).clip(0) * after / before
        image = np.moveaxis(np.tensordot(weights, image, (1, axis)), 0, axis)
    return image


def fitted(content, reference):
    """Maps of red, green and blue, `[levels, rows, columns, 3, 4]`."""
    linear, offset = monge_kantorovich(content, reference)
    moved = content @ linear.T + offset
    values, gradients = reads(content)
    own, of_moved = (differences(image) for image in (content, moved))
    lengths, of_lengths = (np.linalg.norm(it, axis=1) for it in (own, of_moved))
    most = 1.3 * lengths + 0.3 * 0.02
    calmer = np.where(of_lengths > most, most / of_lengths.clip(1e-30), 1) - 1
    weights = SMOOTHNESS * 0.02 / (lengths**2 + 0.02**2)
    count = len(values_of(content))
    weighted = gradients.T @ sparse.diags(weights)
    normal = (values.T @ values + weighted @ gradients) / count + between_cells()
    solve = factorized(normal.tocsc())
    wanted_gradients = weighted @ (of_moved * calmer[:, None])

    moved = values_of(moved)
    changes = np.zeros((normal.shape[0], 3))
    for _ in range(REPEATS):
        target = transferred(moved + values @ changes, values_of(reference))
        right = (values.T @ (target - moved) + wanted_gradients) / count
        changes = np.stack([solve(column) for column in right.T], axis=1)
    maps = changes.reshape(*GRID, 4, 3) + np.vstack([linear.T, offset])
    return maps.swapaxes(3, 4)


def values_of(image):
    return image.reshape(-1, 3)


def monge_kantorovich(content, reference):
    """The linear map that gives the content the reference's mean and covariance."""
    content, reference = values_of(content), values_of(reference)
    a, b = (np.cov(colours.T, bias=True) for colours in (content, reference))
    root = of_eigenvalues(a, lambda v: v.clip(0) ** 0.5)
    inverse = of_eigenvalues(
        a, lambda v: np.where(v > max(1e-6 * v.max(), 1e-10), v.clip(1e-30) ** -0.5, 0)
    )
    middle = of_eigenvalues(root @ b @ root, lambda v: v.clip(0) ** 0.5)
    linear = inverse @ middle @ inverse
    return linear, reference.mean(0) - linear @ content.mean(0)


def of_eigenvalues(matrix, function):
    values, vectors = np.linalg.eigh(matrix)
    return vectors * function(values) @ vectors.T


def reads(image):
    """What pixels read of all coefficients, and what the gradients of that are, as matrices."""
    height, width = image.shape[:2]
    luma = image @ LUMA
    row, column = ((np.arange(side) + 0.5) / side for side in (height, width))
    places = np.stack(np.broadcast_arrays(luma, row[:, None], column), axis=2).reshape(-1, 3)
    places = places * (GRID - 1)
    first = np.minimum(places.astype(int), GRID - 2)
    share = places - first
    inputs = np.concatenate([values_of(image), np.ones((len(places), 1))], axis=1)
    unit = max(height, width) / 128
    sides = np.array([[height], [width]])
    of_row_column = np.eye(2) * (GRID[1:] - 1) / sides * unit
    own = differences(image).reshape(2, -1, 3)

    values, gradients = 0, [0, 0]
    for corner in np.ndindex(2, 2, 2):
        corner = np.array(corner)
        cells = np.ravel_multi_index((first + corner).T, GRID)
        parts = np.where(corner == 1, share, 1 - share)
        weight = parts.prod(1)
        values = values + matrix(cells, weight[:, None] * inputs)
        # What the weight grows by along each axis: the product of the other two parts.
        by_place = parts[:, [1, 2, 0]] * parts[:, [2, 0, 1]] * (2 * corner - 1)
        for direction in range(2):
            of_inputs = np.concatenate([own[direction], np.zeros((len(places), 1))], axis=1)
            of_place = np.empty_like(places)
            of_place[:, 0] = own[direction] @ LUMA * (GRID[0] - 1)
            of_place[:, 1:] = of_row_column[direction]
            of_weight = (by_place * of_place).sum(1)
            entries = weight[:, None] * of_inputs + of_weight[:, None] * inputs
            gradients[direction] = gradients[direction] + matrix(cells, entries)
    return values, sparse.vstack(gradients).tocsr()


def matrix(cells, entries):
    """A row for each pixel, with four entries at the coefficients of its cell."""
    columns = (4 * cells[:, None] + np.arange(4)).ravel()
    rows = np.repeat(np.arange(len(cells)), 4)
    return sparse.csr_matrix((entries.ravel(), (rows, columns)), (len(cells), 4 * GRID.prod()))


def differences(image):
    """Gradients down, then to the right, for a pixel of an image whose longer side has 128."""
    unit = max(image.shape[:2]) / 128
    both = []
    for axis in range(2):
        side = image.shape[axis]
        after = np.take(image, np.minimum(np.arange(side) + 1, side - 1), axis)
        before = np.take(image, np.maximum(np.arange(side) - 1, 0), axis)
        distance = np.minimum(np.arange(side) + 1, side - 1) - np.maximum(np.arange(side) - 1, 0)
        distance = np.expand_dims(distance.clip(1), tuple({0, 1, 2} - {axis}))
        both.append(values_of((after - before) * unit / distance))
    return np.concatenate(both)


def between_cells():
    """The squares of the differences of neighbouring cells, and a ridge."""
    cells = np.arange(GRID.prod()).reshape(GRID)
    total = 1e-7 * sparse.identity(4 * cells.size)
    for axis in range(3):
        a, b = (np.delete(cells, end, axis).ravel() for end in (-1, 0))
        rows = np.tile(np.arange(len(a)), 2)
        signs = np.repeat([1.0, -1.0], len(a))
        entries = (signs, (rows, np.concatenate([a, b])))
        difference = sparse.csr_matrix(entries, (len(a), cells.size))
        squares = sparse.kron(difference.T @ difference, np.eye(4))
        total = total + SMOOTHNESS * 0.1 / cells.size * squares
    return total


def transferred(colours, reference):
    """Iterative distribution transfer (Pitié, Kokaram and Dahyot 2005)."""
    for number in range(ROTATIONS):
        axes = rotation(number)
        along, wanted = colours @ axes.T, reference @ axes.T
        moved = [matched(*pair) for pair in zip(along.T, wanted.T)]
        colours = np.stack(moved, axis=1) @ axes
    return colours


def counted(values):
    """Share and sum of the values in each part of their range that has any."""
    low, spread = values.min(), np.ptp(values)
    part = (values - low) * (PARTS / spread) if spread >= 1e-5 else 0 * values
    part = part.astype(int).clip(max=PARTS - 1)
    shares, sums = (np.bincount(part, it, PARTS) / len(values) for it in (None, values))
    return shares[shares > 0], sums[shares > 0], spread >= 1e-5


def matched(values, reference):
    """Values moved along a line to the reference's distribution."""
    shares, sums, spread = counted(values)
    of_shares, of_sums, _ = counted(reference)
    ranks, of_ranks = (np.concatenate([[0], it.cumsum()]) for it in (shares, of_shares))
    reached = np.interp(ranks, of_ranks, np.concatenate([[0], of_sums.cumsum()]))
    x, y = sums / shares, np.diff(reached) / shares
    if not spread:
        return np.full_like(values, y[0])
    beyond = np.minimum(values - x[0], 0) + np.maximum(values - x[-1], 0)
    return np.interp(values, x, y) + beyond


def rotation(number):
    """One of a sequence of well-spread rotations (Shoemake 1992, at Roberts' points)."""
    part, turn, other = (0.5 + (number + 1) * 1.2207440846057595 ** -np.arange(1, 4)) % 1
    turn, other = 2 * np.pi * turn, 2 * np.pi * other
    a, b = (1 - part) ** 0.5, part**0.5
    x, y, z, w = a * np.sin(turn), a * np.cos(turn), b * np.sin(other), b * np.cos(other)
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ])
