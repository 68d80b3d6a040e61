"""Arrays that are used again: memory that the system has to clear for every portion costs as much as filling it."""

from __future__ import annotations

from math import prod

import torch


class Buffers:
    """Tensors by name, on one device; a name's tensor is overwritten by the next user of the name."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._held: dict[str, torch.Tensor] = {}

    def get(self, name: str, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
        """Contiguous, with whatever stood in it."""
        held = self._held.get(name)
        if held is None or len(held) < prod(shape):
            held = self._held[name] = torch.empty(prod(shape), dtype=dtype, device=self._device)
        return held[: prod(shape)].view(shape)
