"""Periodic geometry of a batch of crystals of one padded size: cells, images, and the neighbourhood basis.

A batch holds b crystals padded to n atoms. Neighbours come from every periodic image within the cutoff, however skewed
the cell; the images of one pair of atoms are summed here, once, so that a layer is a product of small matrices.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

COMPONENTS = {0: 1, 1: 4, 2: 10}
"""Cartesian components up to a rank: 1, + x y z, + the six of a symmetric matrix."""
MATRIX = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
SHORTEST = 1e-3
"""Å; an atom's own image at zero distance is nearer."""


def ragged(counts: Tensor) -> tuple[Tensor, Tensor]:
    """For counts (m,): the owner of each of their sum of things, and its number within the owner."""
    owner = torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts)
    starts = torch.cumsum(counts, 0) - counts
    return owner, torch.arange(len(owner), device=counts.device) - starts[owner]


def spacings(cells: Tensor) -> Tensor:
    """(b, 3) distances in Å between neighbouring lattice planes of cells (b, 3, 3)."""
    return 1.0 / torch.linalg.inv(cells).norm(dim=1)


def images(reach: Tensor, owners: Tensor) -> tuple[Tensor, Tensor]:
    """All images of things whose crystal is `owners` (m,), with reach (b, 3) along each lattice vector.

    Returns (thing, shift): the number of the thing and its shift (k, 3) in lattice vectors.
    """
    size = 2 * reach + 1
    thing, number = ragged(size.prod(1)[owners])
    crystal = owners[thing]
    along = size[crystal]
    first, second = number % along[:, 0], number // along[:, 0]
    shift = torch.stack([first, second % along[:, 1], second // along[:, 1]], 1)
    return thing, shift - reach[crystal]


def cells_from_parameters(lengths: Tensor, angles: Tensor) -> Tensor:
    """Cells (b, 3, 3) in Å from lengths (b, 3) in Å and angles (b, 3) in degrees, a along x, b in the x-y plane.

    Angles that no cell has are drawn to the nearest that span a volume. Double precision inside.
    """
    cosines = torch.cos(torch.deg2rad(angles.double()))
    alpha, beta, gamma = cosines.unbind(1)
    sine = (1.0 - gamma**2).clamp(min=1e-4).sqrt()
    across = (alpha - beta * gamma) / sine
    height = (1.0 - beta**2 - across**2).clamp(min=0.02).sqrt()
    zero, one = torch.zeros_like(alpha), torch.ones_like(alpha)
    rows = [[one, zero, zero], [gamma, sine, zero], [beta, across, height]]
    unit = torch.stack([torch.stack(row, 1) for row in rows], 1)
    return (unit * lengths.double()[:, :, None]).to(lengths.dtype)


def parameters_of(cells: Tensor) -> tuple[Tensor, Tensor]:
    """Lengths (b, 3) in Å and angles (b, 3) in degrees of cells (b, 3, 3)."""
    wide = cells.double()
    lengths = wide.norm(dim=2)
    unit = wide / lengths[:, :, None]
    cosines = torch.stack([(unit[:, i] * unit[:, j]).sum(1) for i, j in ((1, 2), (0, 2), (0, 1))], 1)
    return lengths.to(cells.dtype), torch.rad2deg(torch.acos(cosines.clamp(-1.0, 1.0))).to(cells.dtype)


def edges(frac: Tensor, cells: Tensor, mask: Tensor, cutoff: float) -> tuple[Tensor, Tensor]:
    """Every pair of atoms and image within `cutoff` Å: (pair, vector), sorted by pair.

    frac (b, n, 3), cells (b, 3, 3) Å, mask (b, n) true for atoms. pair = (crystal · n + i) · n + j; vector (m, 3) in Å
    runs from i to the image of j.
    """
    n = mask.shape[1]
    difference = frac[:, None, :, :] - frac[:, :, None, :]
    difference = (difference - difference.round()).reshape(-1, 3)
    pairs = (mask[:, :, None] & mask[:, None, :]).reshape(-1).nonzero()[:, 0]
    owners = pairs // (n * n)
    reach = torch.floor(cutoff / spacings(cells) + 0.5).long()
    thing, shift = images(reach, owners)
    vectors = torch.bmm((difference[pairs][thing] + shift).unsqueeze(1), cells[owners[thing]]).squeeze(1)
    squares = vectors.square().sum(1)
    kept = ((squares < cutoff**2) & (squares > SHORTEST**2)).nonzero()[:, 0]
    return pairs[thing[kept]], vectors[kept]


def neighbourhood(frac: Tensor, cells: Tensor, mask: Tensor, *, cutoff: float, radial: int, rank: int) -> Tensor:
    """The basis in which neighbours are seen, summed over images: (b, components, n, n · radial).

    Entry [crystal, c, i, (j, k)]: Bessel function k of the distance, smoothly cut off, times component c of the unit
    vector's powers (1; x, y, z; the traceless xx, yy, zz, xy, xz, yz), from i to j. No unit.
    """
    b, n = mask.shape
    pair, vectors = edges(frac, cells, mask, cutoff)
    distance = vectors.norm(dim=1)
    waves = _bessel(distance, cutoff, radial)
    powers = _powers(vectors / distance[:, None], rank)
    product = (powers[:, :, None] * waves[:, None, :]).reshape(-1, COMPONENTS[rank] * radial)
    summed = product.new_zeros(b * n * n, COMPONENTS[rank] * radial).index_add_(0, pair, product)
    return summed.reshape(b, n, n, -1, radial).permute(0, 3, 1, 2, 4).reshape(b, -1, n, n * radial)


def effective_neighbours(frac: Tensor, cells: Tensor, mask: Tensor, cutoff: float) -> float:
    """Mean over the atoms of the neighbours' envelopes: how many of them a message adds up."""
    _, vectors = edges(frac, cells, mask, cutoff)
    return max(float(_envelope(vectors.norm(dim=1) / cutoff).sum() / mask.sum()), 1.0)


def _envelope(x: Tensor) -> Tensor:
    """1 at the atom, 0 with two vanishing derivatives at the cutoff (x = 1)."""
    x3 = x * x * x
    x6 = x3 * x3
    return 1.0 + x6 * (-28.0 + x * (48.0 - 21.0 * x))


def _bessel(distance: Tensor, cutoff: float, radial: int) -> Tensor:
    """(m, radial): J. Gasteiger et al., arXiv 2003.03123, eq. 7 and 8 (p = 6).

    Sines of multiples by recurrence in double precision: quicker, and alike wherever an edge stands in a batch.
    """
    x = distance.double() / cutoff
    angle = math.pi * x
    waves = [torch.zeros_like(x), torch.sin(angle)]
    twice = 2.0 * torch.cos(angle)
    for _ in range(radial - 1):
        waves.append(twice * waves[-1] - waves[-2])
    scale = math.sqrt(2.0) / (x + 0.1) * _envelope(x)
    return (torch.stack(waves[1:], 1) * scale[:, None]).to(distance.dtype)


def _powers(unit: Tensor, rank: int) -> Tensor:
    columns = [torch.ones_like(unit[:, 0])]
    if rank >= 1:
        columns += list(unit.unbind(1))
    if rank >= 2:
        columns += [unit[:, i].square() - 1.0 / 3.0 for i in range(3)]
        columns += [math.sqrt(2.0) * unit[:, i] * unit[:, j] for i, j in MATRIX[3:]]
    return torch.stack(columns, 1)
