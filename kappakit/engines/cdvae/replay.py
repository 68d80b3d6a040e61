"""The objective recorded once a shape on a GPU and replayed: a small network is bound by kernel launches."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from kappakit.engines.cdvae.losses import Objective, Task
from kappakit.engines.cdvae.network import CrystalVae


class Replay:
    """The objective for tasks of any shape; on a CPU it is simply called."""

    def __init__(self, network: CrystalVae) -> None:
        self._plain = Objective(network)
        self._recorded: dict[torch.Size, Any] = {}

    def __call__(self, task: Task) -> Tensor:
        """The terms (6,), with gradients."""
        if not task.mask.is_cuda:
            return self._plain(*task)
        if task.mask.shape not in self._recorded:
            shell = _Shell(self._plain)
            self._recorded[task.mask.shape] = torch.cuda.make_graphed_callables(
                shell, tuple(task), allow_unused_input=True
            )
        return self._recorded[task.mask.shape](*task)

    def plain(self, task: Task) -> Tensor:
        """The terms (6,), kernel by kernel."""
        return self._plain(*task)

    def forget(self) -> None:
        """Give the recordings' memory back."""
        self._recorded.clear()


class _Shell(nn.Module):
    """A module of its own around the shared one: recording replaces the forward of what it records."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, *tensors: Tensor) -> Tensor:
        return self.inner(*tensors)
