"""Checkpoints of a training: weights, their moving average, Adam's moments, counters. Safetensors, no pickle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from kappakit.errors import InputError

TENSORS = "checkpoint.safetensors"
VERSION = 1


@dataclass
class State:
    """Where a training stands: steps done, seconds spent, `micro` crystals at once (memory may have lowered it), and
    `skipped` steps, whose gradient was not finite."""

    step: int = 0
    seconds: float = 0.0
    micro: int = 0
    skipped: int = 0


def save(
    folder: Path, state: State, weights: list[nn.Parameter], average: list[Tensor], optimiser: torch.optim.Optimizer
) -> None:
    """Write the state; a crash in between leaves the older checkpoint whole."""
    counters = [float(VERSION), float(state.step), state.seconds, float(state.micro), float(state.skipped)]
    tensors = {"state": torch.tensor(counters, dtype=torch.float64)}
    for index, (weight, mean) in enumerate(zip(weights, average, strict=True)):
        tensors[f"{index}.weight"] = weight
        tensors[f"{index}.average"] = mean
        for key, value in optimiser.state[weight].items():
            tensors[f"{index}.adam.{key}"] = value
    fresh = folder / f"{TENSORS}.new"
    save_file({k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}, str(fresh))
    fresh.replace(folder / TENSORS)


def restore(
    folder: Path, weights: list[nn.Parameter], average: list[Tensor], optimiser: torch.optim.Optimizer
) -> State:
    """Fill the tensors from the folder's checkpoint, a fresh State where there is none.

    Raises InputError when the checkpoint is damaged, of another version or of another network.
    """
    if not (folder / TENSORS).exists():
        return State()
    try:
        tensors = load_file(str(folder / TENSORS))
        version, step, seconds, micro, skipped = tensors["state"].tolist()
        if version != VERSION:
            raise InputError(f"the checkpoint in {folder} was written by another version of this program; start anew")
        if not _fits(tensors, weights):
            raise InputError(f"the checkpoint in {folder} cannot be resumed: it belongs to another network")
        with torch.no_grad():
            for index, (weight, mean) in enumerate(zip(weights, average, strict=True)):
                weight.copy_(tensors[f"{index}.weight"])
                mean.copy_(tensors[f"{index}.average"])
                optimiser.state[weight] = _moments(tensors, index, weight)
        return State(int(step), seconds, int(micro), int(skipped))
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise InputError(f"the checkpoint in {folder} cannot be resumed: {error}") from error


def _fits(tensors: dict[str, Tensor], weights: list[nn.Parameter]) -> bool:
    """Whether these are all the network's weights, shape by shape: copying would stretch a smaller one unasked."""
    stored = {name: tensor.shape for name, tensor in tensors.items() if name.endswith(".weight")}
    return stored == {f"{index}.weight": weight.shape for index, weight in enumerate(weights)}


def _moments(tensors: dict[str, Tensor], index: int, weight: nn.Parameter) -> dict[str, Tensor]:
    prefix = f"{index}.adam."
    found = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    return {k: v.to(weight.device) for k, v in found.items()}
