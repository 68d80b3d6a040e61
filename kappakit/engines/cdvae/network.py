"""The CDVAE: encoder, heads and decoder over one backbone; stored as safetensors beside a JSON description."""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from kappakit.engines.cdvae.batches import Batch
from kappakit.engines.cdvae.configurations import Configuration
from kappakit.engines.cdvae.geometry import cells_from_parameters, neighbourhood, parameters_of
from kappakit.engines.cdvae.parts import Decoder, Encoder, Heads, cube_root
from kappakit.engines.cdvae.precision import single_precision
from kappakit.errors import InputError

WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"
FORMAT = 1
"""Version of what the files hold."""
RANK = 2
DENSEST = 2.0
"""Å³ per atom."""
SHORTEST_VECTOR = 0.4
"""Å over N^(1/3); no lattice vector is shorter."""
ANGLES = (20.0, 160.0)
"""Degrees; no cell is sharper or blunter."""


@dataclass(frozen=True)
class Description:
    """All that rebuilds the network but its weights.

    `lattice_mean`, `lattice_std` (6,): (a, b, c) / N^(1/3) in Å and angles in degrees over the training crystals.
    """

    configuration: Configuration
    species: tuple[str, ...]
    mean_neighbours: float
    lattice_mean: tuple[float, ...]
    lattice_std: tuple[float, ...]

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Description:
        """The inverse of asdict; raises KeyError or TypeError for other fields."""
        return cls(
            Configuration.from_dict(data["configuration"]),
            tuple(data["species"]),
            float(data["mean_neighbours"]),
            tuple(data["lattice_mean"]),
            tuple(data["lattice_std"]),
        )


class CrystalVae(nn.Module):
    """The parts together, with the units of the lattice."""

    lattice_mean: Tensor
    lattice_std: Tensor

    def __init__(self, description: Description) -> None:
        super().__init__()
        a = description.configuration.architecture
        self.description, self.architecture = description, a
        kinds = len(description.species)
        self.encoder = Encoder(a, kinds, description.mean_neighbours)
        self.heads = Heads(a, kinds)
        self.decoder = Decoder(a, kinds, description.mean_neighbours)
        self.register_buffer("lattice_mean", torch.tensor(description.lattice_mean), persistent=False)
        self.register_buffer("lattice_std", torch.tensor(description.lattice_std), persistent=False)

    @cached_property
    def precise_heads(self) -> Heads:
        """The heads in double precision: a crystal's number of atoms and lattice are the same in every batch."""
        return deepcopy(self.heads).double()

    def basis(self, frac: Tensor, cells: Tensor, mask: Tensor) -> Tensor:
        """The neighbourhood basis of a batch (geometry.neighbourhood)."""
        a = self.architecture
        return neighbourhood(frac, cells, mask, cutoff=a.cutoff, radial=a.radial, rank=RANK)

    def encode(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Mean and log variance (b, latent) of the posterior of crystals."""
        basis = self.basis(batch.frac, batch.cells, batch.mask)
        lattice = self.standardised(batch.cells, batch.counts)
        return self.encoder(batch.types, batch.mask, basis, batch.counts, lattice)

    def standardised(self, cells: Tensor, counts: Tensor) -> Tensor:
        """(b, 6) lattice targets: (a, b, c) / N^(1/3) and angles, in standard deviations from their mean."""
        lengths, angles = parameters_of(cells)
        return (torch.cat([lengths / cube_root(counts, cells), angles], 1) - self.lattice_mean) / self.lattice_std

    def cells(self, standardised: Tensor, counts: Tensor) -> Tensor:
        """The inverse: cells (b, 3, 3) in Å, none denser than DENSEST."""
        plain = standardised * self.lattice_std + self.lattice_mean
        lengths = plain[:, :3].clamp(min=SHORTEST_VECTOR) * cube_root(counts, plain)
        cells = cells_from_parameters(lengths, plain[:, 3:].clamp(*ANGLES))
        volume = torch.linalg.det(cells).abs() / counts
        return cells * (DENSEST / volume).clamp(min=1.0).pow(1 / 3)[:, None, None]


@single_precision()
def build(description: Description, seed: int = 0) -> CrystalVae:
    """A network with fresh weights, drawn from `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return CrystalVae(description)


def parameter_count(network: nn.Module) -> int:
    """Trainable parameters."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def save(network: CrystalVae, folder: Path, extra: dict[str, Tensor] | None = None) -> str:
    """Write model.safetensors (in half precision; `extra` tensors as they are) and model.json; returns the sha256."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {k: v.detach().cpu().half().contiguous() for k, v in network.state_dict().items()}
    save_file({**state, **(extra or {})}, str(folder / WEIGHTS))
    described = {"format": FORMAT, **asdict(network.description)}
    (folder / DESCRIPTION).write_text(json.dumps(described, indent=1) + "\n")
    return digest(folder)


@single_precision()
def load(folder: Path) -> tuple[CrystalVae, dict[str, Tensor]]:
    """A stored network in evaluation mode and the extra tensors; raises InputError for missing or damaged files."""
    try:
        data = json.loads((folder / DESCRIPTION).read_text())
        if data.pop("format", None) != FORMAT:
            raise InputError(f"{folder} was written by another version of this program; train the generator again")
        network = CrystalVae(Description.from_dict(data))
        state = load_file(str(folder / WEIGHTS))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise InputError(f"{folder} holds no readable generator: {error}") from error
    names = network.state_dict().keys()
    try:
        network.load_state_dict({k: v for k, v in state.items() if k in names})
    except RuntimeError as error:
        raise InputError(f"the weights in {folder} do not fit its description") from error
    return network.eval().requires_grad_(False), {k: v for k, v in state.items() if k not in names}


def digest(folder: Path) -> str:
    """sha256 of a folder's weights; raises InputError when there are none."""
    try:
        return hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"no weights in {folder}: {error}") from error
