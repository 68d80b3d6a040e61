"""The backbone of encoder and decoder: message passing with scalars, vectors and symmetric traceless matrices.

Each atom carries `features` channels of each. Messages are linear in the neighbour's channels with radial functions
that are linear in the Bessel basis, as in PaiNN (K. T. Schütt et al., arXiv 2102.03150), with matrices added as in
TensorNet (G. Simeon, G. de Fabritiis, arXiv 2306.06482). Being linear, the images of a pair are summed before the first
layer (geometry.neighbourhood): a message is one matrix product a crystal, and costs nothing per image.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from kappakit.engines.cdvae.geometry import MATRIX

ROWS, COLUMNS = zip(*MATRIX, strict=True)
HALF = 0.5**0.5
FULL = (0, 3, 4, 3, 1, 5, 4, 5, 2)
"""Where the nine entries of a matrix lie among its six."""
WEIGHTS = (1.0, HALF, HALF, HALF, 1.0, HALF, HALF, HALF, 1.0)
"""An off-diagonal entry is kept √2 times as large, so that the product of two matrices is the sum over their six."""


def perceptron(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """One hidden layer."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, outputs))


class Layer(nn.Module):
    """One round of messages and one update of each atom by itself."""

    weights: Tensor
    twice: Tensor
    trace: Tensor
    full: Tensor
    rows: Tensor
    columns: Tensor

    def __init__(self, features: int, radial: int, neighbours: float, condition: int) -> None:
        super().__init__()
        self.features, self.scale = features, 1.0 / neighbours
        self.norm = nn.LayerNorm(features)
        self.film = nn.Linear(condition, 2 * features) if condition else None
        self.sent = perceptron(features, features, 5 * features)
        self.radial = nn.Parameter(torch.randn(4, radial, features) / radial**0.5)
        self.mix_vectors = nn.Linear(features, 2 * features, bias=False)
        self.mix_matrices = nn.Linear(features, 2 * features, bias=False)
        self.update = perceptron(4 * features, features, 7 * features)
        self.register_buffer("weights", torch.tensor(WEIGHTS)[:, None, None], persistent=False)
        self.register_buffer("twice", torch.tensor([1.0] * 3 + [2.0 * HALF] * 3)[:, None, None], persistent=False)
        self.register_buffer("trace", torch.tensor([1.0 / 3.0] * 3 + [0.0] * 3)[:, None, None], persistent=False)
        for name, places in (("full", FULL), ("rows", ROWS), ("columns", COLUMNS)):
            self.register_buffer(name, torch.tensor(places), persistent=False)

    def forward(
        self, x: Tensor, v: Tensor, t: Tensor, basis: Tensor, condition: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """x (b, n, f), v (b, 3, n, f), t (b, 6, n, f), basis (b, 10, n, n·k), condition (b, n, c) or None."""
        h, v, t = self.norm(x), _tamed(v), _tamed(t)
        if self.film is not None and condition is not None:
            gain, shift = self.film(condition).chunk(2, -1)
            h = h * (1.0 + gain) + shift
        dx, dv, dt = self._messages(h, v, t, basis)
        return self._updated(x + dx, v + dv, t + dt)

    def _messages(self, h: Tensor, v: Tensor, t: Tensor, basis: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        b, n, f = h.shape
        sent = self.sent(h)
        scalar, vector, matrix, gate_v, gate_t = sent.split(f, -1)
        scalar, vector, matrix = (
            (part[:, :, None, :] * self.radial[kind]).reshape(b, -1, f)
            for kind, part in enumerate((scalar, vector, matrix))
        )
        near = basis[:, 0]
        dx = near @ scalar
        dv = (basis[:, 1:4].reshape(b, 3 * n, -1) @ vector).reshape(b, 3, n, f)
        dt = (basis[:, 4:].reshape(b, 6 * n, -1) @ matrix).reshape(b, 6, n, f)
        # what neighbours carry: channel by channel, a matrix over pairs of atoms
        pairs = (near.reshape(b, n * n, -1) @ self.radial[3]).reshape(b, n, n, f).permute(0, 3, 1, 2)
        carried = torch.cat([gate_v[:, None] * v, gate_t[:, None] * t], 1).permute(0, 3, 2, 1)
        brought = (pairs @ carried).permute(0, 3, 2, 1)
        return self.scale * dx, self.scale * (dv + brought[:, :3]), self.scale * (dt + brought[:, 3:])

    def _updated(self, x: Tensor, v: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        v1, v2 = self.mix_vectors(v).chunk(2, -1)
        t1, t2 = self.mix_matrices(t).chunk(2, -1)
        tv = self._times(t1, v2)
        lengths = [v2.square().sum(1), t2.square().sum(1), (v2 * tv).sum(1)]
        gates = self.update(torch.cat([x, *lengths], -1)).split(self.features, -1)
        x = x + gates[0] + gates[1] * (v1 * v2).sum(1) + gates[2] * (t1 * t2).sum(1)
        v = v + gates[3][:, None] * v1 + gates[4][:, None] * tv
        return x, v, t + gates[5][:, None] * t1 + gates[6][:, None] * self._square(v2)

    def _times(self, t: Tensor, v: Tensor) -> Tensor:
        """Matrix times vector: (b, 6, n, f), (b, 3, n, f) → (b, 3, n, f)."""
        b, _, n, f = v.shape
        return ((t.index_select(1, self.full) * self.weights).reshape(b, 3, 3, n, f) * v[:, None]).sum(2)

    def _square(self, v: Tensor) -> Tensor:
        """The traceless product of a vector with itself: (b, 3, n, f) → (b, 6, n, f)."""
        product = v.index_select(1, self.rows) * v.index_select(1, self.columns)
        return product * self.twice - self.trace * v.square().sum(1, keepdim=True)


def _tamed(tensors: Tensor) -> Tensor:
    """Divided by √(1 + mean square over components and channels), so that products of tensors do not run away."""
    return tensors * torch.rsqrt(1.0 + tensors.square().sum(1, keepdim=True).mean(-1, keepdim=True))


class Backbone(nn.Module):
    """Layers over one neighbourhood basis; gives scalars (b, n, f) and vectors (b, 3, n, f)."""

    def __init__(self, features: int, layers: int, radial: int, neighbours: float, condition: int = 0) -> None:
        super().__init__()
        made = [Layer(features, radial, neighbours, condition) for _ in range(layers)]
        self.layers = nn.ModuleList(made)
        self.norm = nn.LayerNorm(features)

    def forward(self, x: Tensor, basis: Tensor, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        b, n, f = x.shape
        v, t = x.new_zeros(b, 3, n, f), x.new_zeros(b, 6, n, f)
        for layer in self.layers:
            x, v, t = layer(x, v, t, basis, condition)
        return self.norm(x), v
