"""The network: built by nequip-allegro's model builder, stored as safetensors beside a JSON description."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from allegro.model import AllegroModel
from nequip.utils.global_state import global_state_initialized, set_global_state
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from kappakit.engines.allegro.configurations import Architecture
from kappakit.errors import InputError

WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"
STATE_SHAPES_ONLY = ("_empty",)
DTYPES = {"float32": torch.float32, "float64": torch.float64}


@dataclass(frozen=True)
class Description:
    """All that rebuilds the network but its weights. `mean_neighbours` within the cutoff; `energy_scale` eV;
    `energy_shift` eV per atom of each species."""

    architecture: Architecture
    species: tuple[str, ...]
    mean_neighbours: float
    energy_scale: float
    energy_shift: tuple[float, ...]

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Description:
        return cls(
            Architecture(**data["architecture"]),
            tuple(data["species"]),
            float(data["mean_neighbours"]),
            float(data["energy_scale"]),
            tuple(data["energy_shift"]),
        )


def build(description: Description, *, dtype: str, seed: int = 0) -> torch.nn.Module:
    """A network with fresh weights, drawn from `seed`; `dtype` 'float32' or 'float64'."""
    if not global_state_initialized():
        set_global_state()
    a = description.architecture
    return AllegroModel(
        seed=seed,
        model_dtype=dtype,
        r_max=a.cutoff,
        type_names=list(description.species),
        l_max=a.l_max,
        parity=a.parity,
        radial_chemical_embed={
            "_target_": "allegro.nn.TwoBodyBesselScalarEmbed",
            "num_bessels": a.bessel_functions,
            "bessel_trainable": False,
            "polynomial_cutoff_p": a.envelope,
        },
        radial_chemical_embed_dim=a.scalar_features,
        scalar_embed_mlp_hidden_layers_depth=a.two_body_depth,
        scalar_embed_mlp_hidden_layers_width=a.two_body_width,
        num_layers=a.layers,
        num_scalar_features=a.scalar_features,
        num_tensor_features=a.tensor_features,
        allegro_mlp_hidden_layers_depth=a.latent_depth,
        allegro_mlp_hidden_layers_width=a.latent_width,
        readout_mlp_hidden_layers_depth=a.readout_depth,
        readout_mlp_hidden_layers_width=a.readout_width,
        avg_num_neighbors=description.mean_neighbours,
        per_type_energy_scales=description.energy_scale,
        per_type_energy_shifts=dict(zip(description.species, description.energy_shift, strict=True)),
        pair_potential=_zbl(description) if a.zbl else None,
    )


def _zbl(description: Description) -> dict[str, Any]:
    species = list(description.species)
    return {"_target_": "nequip.nn.pair_potential.ZBL", "chemical_species": species, "units": "metal"}


def parameter_count(network: torch.nn.Module) -> int:
    """Trainable parameters."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def with_shift(description: Description, shift: float) -> Description:
    """The same with `shift` eV/atom added for every species."""
    return replace(description, energy_shift=tuple(s + shift for s in description.energy_shift))


def save(network: torch.nn.Module, description: Description, folder: Path) -> str:
    """Write model.safetensors and model.json; returns the sha256 of the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {k: v.detach().cpu().contiguous().clone() for k, v in network.state_dict().items() if v.numel()}
    save_file(state, str(folder / WEIGHTS))
    (folder / DESCRIPTION).write_text(json.dumps(asdict(description), indent=1) + "\n")
    return digest(folder)


def load(folder: Path, *, dtype: str) -> tuple[torch.nn.Module, Description]:
    """A stored network in evaluation mode; raises InputError for missing or damaged files."""
    try:
        description = Description.from_dict(json.loads((folder / DESCRIPTION).read_text()))
        state = load_file(str(folder / WEIGHTS))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise InputError(f"{folder} holds no readable Allegro model: {error}") from error
    network = build(description, dtype=dtype)
    fill(network, state, dtype)
    return network.eval(), description


def fill(network: torch.nn.Module, state: dict[str, torch.Tensor], dtype: str) -> None:
    """Copy `state` into the network, floating numbers cast to `dtype`; raises InputError when it does not fit."""
    target = {k: v for k, v in network.state_dict().items() if v.numel()}
    if target.keys() != state.keys() or any(target[k].shape != state[k].shape for k in target):
        raise InputError("the weights do not fit the model's description")
    with torch.no_grad():
        for key, value in target.items():
            value.copy_(state[key].to(value.dtype))


def digest(folder: Path) -> str:
    """sha256 of a folder's weights; raises InputError when there are none."""
    try:
        return hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"no weights in {folder}: {error}") from error
