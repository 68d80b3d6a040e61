"""Checkpoints of a training: weights, averages and Adam's moments as safetensors. No pickle."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from kappakit.errors import InputError

TENSORS = "checkpoint.safetensors"
INTERVAL = 15.0
"""Seconds between two checkpoints."""


def save(
    folder: Path,
    epoch: int,
    weights: list[torch.nn.Parameter],
    average: list[torch.Tensor],
    optimiser: torch.optim.Optimizer,
) -> None:
    """Write the state after `epoch` epochs; a crash in between leaves the older checkpoint whole."""
    tensors = {"epoch": torch.tensor([epoch])}
    for index, (weight, mean) in enumerate(zip(weights, average, strict=True)):
        tensors[f"{index}.weight"] = weight
        tensors[f"{index}.average"] = mean
        for key, value in optimiser.state[weight].items():
            tensors[f"{index}.adam.{key}"] = value
    fresh = folder / f"{TENSORS}.new"
    save_file({k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}, str(fresh))
    fresh.replace(folder / TENSORS)


def restore(
    folder: Path,
    weights: list[torch.nn.Parameter],
    average: list[torch.Tensor],
    optimiser: torch.optim.Optimizer,
) -> int:
    """Fill the tensors from the folder's checkpoint; returns its epoch, 0 where there is none.

    Raises InputError when the checkpoint is damaged or belongs to another network.
    """
    if not (folder / TENSORS).exists():
        return 0
    try:
        tensors = load_file(str(folder / TENSORS))
        with torch.no_grad():
            for index, (weight, mean) in enumerate(zip(weights, average, strict=True)):
                weight.copy_(tensors[f"{index}.weight"])
                mean.copy_(tensors[f"{index}.average"])
                optimiser.state[weight] = _moments(tensors, index, weight)
        return int(tensors["epoch"])
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise InputError(f"the checkpoint in {folder} cannot be resumed: {error}") from error


def _moments(tensors: dict[str, torch.Tensor], index: int, weight: torch.nn.Parameter) -> dict[str, torch.Tensor]:
    prefix = f"{index}.adam."
    found = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    return {k: v.to(weight.device) if weight.is_cuda or k != "step" else v for k, v in found.items()}
